"""Model-written programs, judged by running them on tests in a sandbox."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import anyio

from ..answers import AnswerReader
from ..concurrently import concurrently
from ..context import Context
from ..errors import InvalidInputError
from ..prompts import fill, question_text
from ..sandbox import Assertion, Bubblewrap, Call, Limits, Program, RunResult, Sandbox, Script, Test
from ..types import Candidate, Problem, Score
from .free import Free

__all__ = ["Execution", "code_of", "read_tests"]

LONGEST_REASON = 1000  # characters

MOST_KEPT = 4096
"""Results remembered by one verifier; the oldest go first."""

LONGEST_TESTS = 2**18
"""Characters of the code of one problem's tests: read here, a MiB would keep everything else waiting for seconds."""

LONGEST_SPLIT = 2**19
"""Characters of the codes that its assertions are made into, each with what stands before it."""

_CODE = AnswerReader(kind="code")


@dataclass(frozen=True, kw_only=True)
class Execution(Free):
    """Right where the candidate's program passes the problem's `tests`. No calls; processes instead.

    The program is the candidate's answer where that was read as code, else the last fenced block of its text, else
    all of it. `tests` are one of

    - Python code with assertions, in which the program's names are known; code that defines `check` is HumanEval's:
      `check` is called with the function that the problem's column `entry_point` names;
    - a list of such codes, as MBPP has, each a test of its own;
    - a list of `{"call": "f(1, 2)", "expected": 3}` or `{"stdin": "...", "stdout": "..."}`.

    Score: 1 where all tests pass and 0 otherwise, or the share passed; `steps` has 1 or 0 by test, and `reason` the
    first failure, in words a model can repair its program by. Equal programs are run once. Abstains where the
    problem has no tests or the text no program, and on programs the deadline left no time for.

    Args:
        all_or_nothing: Whether a program that fails one test is worth 0. Otherwise each top-level assertion of a
            code, or of its `check`, is a test of its own, after the statements before it.
        seconds: Wall time of each test, above 0; None for the sandbox's limit.
        prefix: Put before the program, with the problem's columns as `{{ column }}`: for models that only
            continue a function's head, `{{ prompt }}`.
        sandbox: Where programs run.

    Raises:
        InvalidInputError: `seconds` is not above 0; from `score`: tests that are none of the above, or have more
            than 262,144 characters of code.
        SandboxMissingError: From `score`: this machine has no sandbox. Nothing runs outside of one unless
            `sandbox=UnsafeLocal()` asks for it.
    """

    name: ClassVar[str] = "execution"

    all_or_nothing: bool = True
    seconds: float | None = None
    prefix: str = ""
    sandbox: Sandbox = field(default_factory=Bubblewrap)
    _kept: _Kept = field(default_factory=lambda: _Kept(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise InvalidInputError(f"seconds must be above 0 and finite, not {self.seconds}")

    async def score(
        self, ctx: Context | None, problem: Problem, candidates: Sequence[Candidate], /
    ) -> list[Score]:
        """One score per candidate, in order; programs run side by side, as many as the sandbox has slots."""
        tests = read_tests(problem, split=not self.all_or_nothing)
        if not tests:
            return [Score(value=None, reason="the problem has no tests")] * len(candidates)
        scores: list[Score | None] = [None] * len(candidates)
        deadline = math.inf if ctx is None or ctx.deadline is None else ctx.deadline

        async def judge(place: int, candidate: Candidate) -> None:
            scores[place] = await self._judge(problem, candidate, tests)

        with anyio.CancelScope(deadline=deadline) as scope:
            await concurrently(judge(place, candidate) for place, candidate in enumerate(candidates))
        if scope.cancelled_caught and ctx is not None and not any(scores):
            raise ctx.ledger.late()
        late = Score(value=None, reason="the deadline passed before its tests had run")
        return [score or late for score in scores]

    async def _judge(self, problem: Problem, candidate: Candidate, tests: Sequence[Test]) -> Score:
        code = code_of(candidate)
        if code is None:
            return Score(value=None, reason="there is no program in the text")
        words = question_text(problem)
        before = fill(self.prefix, {**problem.fields, "problem": words, "prompt": words})
        result = await self._kept.result(self._sandbox, Program(code=before + code, tests=tuple(tests)))
        steps = tuple(float(test.passed) for test in result.tests)
        failure = result.first_failure
        value = float(result.passed) if self.all_or_nothing else result.share
        return Score(
            value=value, steps=steps, reason="" if failure is None else failure.message[:LONGEST_REASON]
        )

    @property
    def _sandbox(self) -> Sandbox:
        if self.seconds is None:
            return self.sandbox
        limits: Limits = replace(self.sandbox.limits, seconds=self.seconds)
        return replace(self.sandbox, limits=limits)  # type: ignore[type-var]


@dataclass(slots=True)
class _Kept:
    """Results by program and tests; a program that is being run is waited for, not run again."""

    results: dict[tuple[str, str], RunResult] = field(default_factory=dict)
    running: dict[tuple[str, str], anyio.Event] = field(default_factory=dict)

    async def result(self, sandbox: Sandbox, program: Program) -> RunResult:
        key = (program.code, repr(program.tests))
        while key not in self.results:
            if (other := self.running.get(key)) is not None:
                await other.wait()  # and look again: it may have been cancelled
                continue
            done = self.running[key] = anyio.Event()
            try:
                self.results[key] = await sandbox.run(program)
            finally:
                del self.running[key]
                done.set()
        result = self.results[key]
        while len(self.results) > MOST_KEPT:
            del self.results[next(iter(self.results))]
        return result


def code_of(candidate: Candidate) -> str | None:
    """The program in a candidate, or None; a text without a fenced block is one, indentation included.

    A byte order mark before it is not the program's.
    """
    code = _code_of(candidate)
    return None if code is None else code.removeprefix("\ufeff")


def _code_of(candidate: Candidate) -> str | None:
    text = candidate.sample.text
    answer = candidate.answer
    if answer is not None and answer.kind == "code" and answer.text.strip() != text.strip():
        return answer.text
    fenced = _CODE.read(text, truncated=candidate.sample.truncated)
    if fenced is not None:
        return fenced.text
    return text if text.strip() and "```" not in text else None


def read_tests(problem: Problem, *, split: bool = False) -> tuple[Test, ...]:
    """The problem's tests; none where it has none.

    Args:
        problem: Its `tests`, and its columns for the `entry_point`.
        split: Whether each assertion of a code is a test of its own.

    Raises:
        InvalidInputError: They are not of a form `Execution` knows, which says which one; or they have more code than
            `LONGEST_TESTS`, or more than `LONGEST_SPLIT` when split.
    """
    tests = problem.tests
    if isinstance(tests, str) and tests.lstrip().startswith(("[", "{")):
        tests = _from_json(tests)
    if not tests:
        return ()
    if isinstance(tests, str | Mapping):
        tests = [tests]
    if not isinstance(tests, list | tuple):
        raise InvalidInputError(
            f"problem {problem.id!r}: tests must be code or a list, not {type(tests).__name__}"
        )
    entry_point = problem.fields.get("entry_point")
    entry_point = entry_point if isinstance(entry_point, str) else None
    length = sum(len(test) for test in tests if isinstance(test, str))
    if length > LONGEST_TESTS:
        raise InvalidInputError(
            f"problem {problem.id!r}: the tests have {length:,} characters of code, at most {LONGEST_TESTS:,}"
        )
    found: list[Test] = []
    for number, test in enumerate(tests, start=1):
        try:
            found += _tests_from(test, entry_point, split=split)
        except ValueError as error:
            raise InvalidInputError(f"problem {problem.id!r}, test {number}: {error}") from error
    return tuple(found)


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _tests_from(test: Any, entry_point: str | None, *, split: bool) -> Iterator[Test]:
    match test:
        case str():
            try:
                codes = _split(test) if split else [test] if ast.parse(test) else []
            except (SyntaxError, RecursionError, MemoryError) as error:
                raise ValueError(f"not Python: {error or 'nested too deeply'}") from error
            yield from (Assertion(source=code, entry_point=entry_point) for code in codes)
        case {"call": str(call), "expected": expected}:
            yield Call(call=call, expected=expected, entry_point=entry_point)
        case {"stdout": str(stdout)} if isinstance(test.get("stdin", ""), str):
            yield Script(stdin=test.get("stdin", ""), stdout=stdout)
        case _:
            raise ValueError(
                'expected code, {"call": "f(1)", "expected": ...} or {"stdin": "...", "stdout": "..."}, '
                f"not {str(test)[:80]}"
            )


def _split(code: str) -> list[str]:
    """A code for each assertion at the top level, or in the body of `check`, with what stands before it."""
    tree = ast.parse(code)
    check = next(
        (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "check"), None
    )
    body = tree.body if check is None else check.body
    places = [place for place, node in enumerate(body) if isinstance(node, ast.Assert)]
    if len(places) < 2:
        return [code]
    codes: list[str] = []
    length = 0
    for place in places:
        kept = [node for node in body[:place] if not isinstance(node, ast.Assert)] + [body[place]]
        if check is None:
            codes.append(ast.unparse(ast.Module(kept, [])))
        else:
            check.body = kept
            codes.append(ast.unparse(tree))
        length += len(codes[-1])
        if length > LONGEST_SPLIT:
            raise ValueError(
                f"{len(places)} assertions, each with what stands before it, have more than {LONGEST_SPLIT:,} "
                "characters; judge it with all_or_nothing, or make it several tests"
            )
    return codes
