"""The process a test's code runs in: the program's functions are stubs there, and the verdict is made there."""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import sys
from typing import Any

from .candidate import describe, rebuild
from .peer import Channel, LostError, Peer, TooLargeError
from .values import NotPlainError, encode

__all__ = ["examine", "of_program"]

FILE = "<test>"

LONGEST_VALUE = 200  # characters of a value shown in a message


def examine(test: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The verdict on one test: `status`, `message`, for a call its `value`.

    Args:
        test: `kind` (`assertion` or `call`), `source`, and `entry_point` (a name or None).
        channel: To the candidate process.
    """
    try:
        hello = channel.receive()
        if "raised" in hello:
            return of_program(hello["raised"], "")
        if test["kind"] == "call":
            return _Examination(test, hello, channel).call()
        return _Examination(test, hello, channel).assertions()
    except LostError:
        return {"status": "lost"}
    except TooLargeError as error:
        return {"status": "output", "message": f"a result has {error}"}


class FailedError(AssertionError):
    """A test's assertion that did not hold."""


class _Examination:
    """A test about to be run in a namespace that holds the program's names.

    Names the test does not define itself are the program's, with these exceptions, so that a program cannot lend a
    test the very function it is judged by: a built-in keeps its meaning unless it is the entry point, and a module
    is imported here, from the standard library.
    """

    def __init__(self, test: dict[str, Any], hello: dict[str, Any], channel: Channel) -> None:
        self.source, self.entry_point = test["source"], test.get("entry_point")
        self.limit = channel.limit
        self.peer = Peer(channel, opens=False, describe=describe, raised=rebuild)
        self.namespace: dict[str, Any] = {"__name__": "tests", "__builtins__": builtins}
        for name, module in hello["modules"].items():
            if str(module).partition(".")[0] in sys.stdlib_module_names and self._may_be_lent(name):
                self.namespace[name] = importlib.import_module(module)
        used = _names_in(self.source)
        for name, (reference, is_callable) in hello["names"].items():
            if name == self.entry_point or self._may_be_lent(name):
                fetched = name in used and not is_callable
                self.namespace[name] = self._fetched(reference) if fetched else self.peer.decode(reference)
        self.namespace["__failed__"] = self._failed
        self.asserts: list[ast.Assert] = []

    @staticmethod
    def _may_be_lent(name: str) -> bool:
        """Not `__builtins__` and its like: the test's own built-ins would be the program's."""
        return not name.startswith("__") and not hasattr(builtins, name)

    def _fetched(self, reference: Any) -> Any:
        """A copy of the program's value; the reference where it is too large or too deeply nested for that."""
        try:
            return self.peer.ask(reference[1], None)
        except (LostError, TooLargeError):
            raise
        except Exception:
            return self.peer.decode(reference)

    def call(self) -> dict[str, Any]:
        """The value of an expression."""
        try:
            value = eval(compile(self.source, FILE, "eval"), self.namespace)
            encoded = encode(value)
            if (size := len(json.dumps(encoded))) > self.limit:
                raise TooLargeError(f"{size:,} bytes, at most {self.limit:,}")
            return {"status": "returned", "value": encoded}
        except NotPlainError as error:
            return {"status": "failed", "message": f"{self.source} gave no plain data: {error}"}
        except BaseException as error:
            return self._verdict(error)

    def assertions(self) -> dict[str, Any]:
        """Whether the code runs through, with `check(entry_point)` after it where it defines that."""
        try:
            tree = ast.parse(self.source, FILE)
            checks = _defines_check(tree)
            exec(compile(_Explained(self.asserts).visited(tree), FILE, "exec"), self.namespace)
            if checks:
                if self.entry_point not in self.namespace:
                    raise NameError(f"name {self.entry_point!r} is not defined")
                self.namespace["check"](self.namespace[self.entry_point])
        except BaseException as error:
            return self._verdict(error)
        return {"status": "passed"}

    def _failed(self, number: int, seen: tuple[Any, ...], said: Any = None) -> FailedError:
        node = self.asserts[number]
        text = self._named(f"assert {ast.unparse(node.test)}"[:600])
        compared = isinstance(node.test, ast.Compare) and not _is_literal(node.test.comparators[0])
        got = " and ".join(_shown(value) for value in (seen if compared else seen[:1]))
        note = "" if said is None else f" ({str(said)[:200]})"
        return FailedError(f"{text} failed" + (f": got {got}" if seen else "") + note)

    def _named(self, text: str) -> str:
        return text if self.entry_point is None else text.replace("candidate(", f"{self.entry_point}(")

    def _verdict(self, error: BaseException) -> dict[str, Any]:
        if isinstance(error, LostError | TooLargeError):
            raise error
        if isinstance(error, FailedError):
            return {"status": "failed", "message": str(error)}
        if (told := getattr(error, "told", None)) is not None:
            return of_program(told, self._statement(error))
        if isinstance(error, AssertionError):
            return {"status": "failed", "message": f"{self._statement(error)} failed: {error}"[:800]}
        if isinstance(error, NameError):
            return {
                "status": "exception",
                "message": f"{self._statement(error)}: {error}; does the program define it?",
            }
        kind = type(error).__name__
        return {"status": "exception", "message": f"{self._statement(error)}: {kind}: {error}"[:800]}

    def _statement(self, error: BaseException) -> str:
        """The line of the test an exception came from."""
        line, trace = None, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == FILE:
                line = trace.tb_lineno
            trace = trace.tb_next
        lines = self.source.split("\n")
        if line is None or line > len(lines):
            return "the test"
        return self._named(lines[line - 1].strip()[:300])


def of_program(told: dict[str, Any], statement: str) -> dict[str, Any]:
    """The verdict on an exception the program did not catch."""
    kind, line = str(told.get("type"))[:100], told.get("line")
    line = line if isinstance(line, int) else None
    place = "" if line is None else f" (line {line}: {str(told.get('source'))[:200]})"
    what = f"{kind}: {str(told.get('message'))[:500]}".removesuffix(": ") + place
    status = {
        "MemoryError": "memory",
        "SyntaxError": "syntax",
        "IndentationError": "syntax",
        "TabError": "syntax",
    }
    verdict = {"status": status.get(kind, "exception"), "line": line}
    if not statement:
        verdict["message"] = what if verdict["status"] == "syntax" else f"the program failed to load: {what}"
    else:
        verdict["status"] = "exception" if verdict["status"] == "syntax" else verdict["status"]
        verdict["message"] = f"{statement} raised {what}"
    return verdict


def _names_in(source: str) -> set[str]:
    try:
        return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # told when it is run
        return set()


def _defines_check(tree: ast.Module) -> bool:
    """Whether the code defines `check` and leaves calling it to others."""
    defined = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)
    return defined and not any(
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "check"
        for node in tree.body
    )


class _Explained(ast.NodeTransformer):
    """Assertions that say what they saw: `assert a == b` keeps both sides for the message.

    The names it adds cannot be written in Python (`@left`), so they are nobody else's.
    """

    def __init__(self, asserts: list[ast.Assert]) -> None:
        self.asserts = asserts

    def visited(self, tree: ast.Module) -> ast.Module:
        """`tree`, changed."""
        self.generic_visit(tree)
        return ast.fix_missing_locations(tree)

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        """The statements that stand for one `assert`."""
        self.asserts.append(node)
        number = len(self.asserts) - 1
        kept: dict[str, ast.expr] = {}
        held: ast.expr = ast.Name("@left", ast.Load())
        if isinstance(node.test, ast.Compare) and len(node.test.ops) == 1:
            kept = {"@left": node.test.left, "@right": node.test.comparators[0]}
            held = ast.Compare(held, node.test.ops, [ast.Name("@right", ast.Load())])
        elif isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not):
            kept = {"@left": node.test.operand}
            held = ast.UnaryOp(ast.Not(), held)
        else:
            kept = {"@left": node.test}
        seen = ast.Tuple([ast.Name(name, ast.Load()) for name in kept], ast.Load())
        args: list[ast.expr] = [ast.Constant(number), seen, *([node.msg] if node.msg else ())]
        failed = ast.Call(ast.Name("__failed__", ast.Load()), args, [])
        statements: list[ast.stmt] = [
            ast.Assign([ast.Name(name, ast.Store())], value) for name, value in kept.items()
        ]
        statements.append(ast.If(ast.UnaryOp(ast.Not(), held), [ast.Raise(failed, None)], []))
        return [ast.copy_location(statement, node) for statement in statements]


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError, SyntaxError):
        return False
    return True


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(error).__name__}>"
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "..."
