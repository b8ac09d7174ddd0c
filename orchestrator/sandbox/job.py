"""A program and its tests as the bytes the driver reads, and its reports as results."""

from __future__ import annotations

import dataclasses
import functools
import json
import marshal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError
from .inside.values import decode
from .limits import Limits
from .program import Assertion, Call, Script, Status, Test, TestResult, equal

__all__ = ["LOADER", "job_bytes", "result_of"]

LONGEST_MESSAGE = 1000  # characters

MODULES = ("values", "peer", "candidate", "examiner", "driver")
"""What runs inside, in the order it is loaded."""

LOADER = """
import marshal, os, sys, types
read = lambda: os.read(0, int.from_bytes(os.read(0, 8), "big"))
package = sys.modules["inside"] = types.ModuleType("inside")
package.__path__ = []
for name, code in marshal.loads(read()):
    module = sys.modules["inside." + name] = types.ModuleType("inside." + name)
    module.__package__ = "inside"
    exec(code, module.__dict__)
sys.modules["inside.driver"].main()
"""
"""Runs the driver from the first frame of standard input, so that nothing of this package is a file inside."""


def job_bytes(
    *,
    code: str,
    tests: Sequence[Test],
    first: int,
    limits: Limits,
    seconds_left: float,
    same_python: bool,
    contained: bool,
    uid: int | None = None,
    packages: Sequence[str] = (),
) -> bytes:
    """Four frames: what runs inside, limits, program, tests; the driver reads each when it may.

    Args:
        code: The program.
        tests: Its tests.
        first: Number of the first of them.
        limits: What it may use.
        seconds_left: What is left of its `total_seconds`.
        same_python: Whether the interpreter inside is the one running here, so that compiled code can be sent.
        contained: Whether the driver has a process namespace of its own.
        uid: The user to become, or None.
        packages: Folders to import from.
    """
    allowed = {
        **dataclasses.asdict(limits),
        "seconds_left": seconds_left,
        "contained": contained,
        "uid": uid,
        "packages": list(packages),
    }
    frames = [
        _inside(compiled=same_python),
        json.dumps(allowed).encode(),
        json.dumps({"code": code.removeprefix("\ufeff"), "first": first}).encode(),
        json.dumps([_question(test) for test in tests]).encode(),
    ]
    return b"".join(len(frame).to_bytes(8, "big") + frame for frame in frames)


@functools.cache
def _inside(*, compiled: bool) -> bytes:
    folder = Path(__file__).with_name("inside")
    sources = [(name, (folder / f"{name}.py").read_text(encoding="utf-8")) for name in MODULES]
    if not compiled:
        return marshal.dumps(sources)
    return marshal.dumps([(name, compile(text, f"<{name}>", "exec")) for name, text in sources])


def _question(test: Test) -> dict[str, Any]:
    """What the sandbox is told of a test: never what is expected, where that can be kept out."""
    match test:
        case Assertion():
            return {"kind": "assertion", "source": test.source, "entry_point": test.entry_point}
        case Call():
            return {"kind": "call", "source": test.call.strip(), "entry_point": test.entry_point}
        case Script():
            return {"kind": "script", "stdin": test.stdin}
    raise InvalidInputError(f"{type(test).__name__} is no test; there are Assertion, Call and Script")


def result_of(test: Test, report: Mapping[str, Any]) -> TestResult:
    """The result of `test` from the driver's report on it."""
    status, message = str(report["status"]), str(report.get("message") or "")
    if status == "returned":
        wrong = _difference(test, report)
        status, message = (Status.FAILED, wrong) if wrong else (Status.PASSED, "")
    line = report.get("line")
    return TestResult(
        status=Status(status),
        message=_storable(message[:LONGEST_MESSAGE]),
        line=line if isinstance(line, int) else None,
        stdout=_storable(str(report.get("stdout", ""))),
        stderr=_storable(str(report.get("stderr", ""))),
        seconds=float(report.get("seconds", 0.0)),
    )


def _storable(text: str) -> str:
    """`text` with `?` for what no file can hold: halves of surrogate pairs."""
    return text.encode(errors="replace").decode()


def _difference(test: Test, report: Mapping[str, Any]) -> str:
    """How what came out differs from what is expected; "" where it does not."""
    if isinstance(test, Script):
        return _difference_of_output(str(report.get("stdout", "")), test.stdout)
    assert isinstance(test, Call)
    try:
        value = decode(report.get("value"))
        if equal(value, test.expected):
            return ""
    except (ValueError, TypeError, IndexError, RecursionError, ArithmeticError) as error:
        return f"{test.call} gave a value that cannot be compared: {error}"
    return f"{test.call} gave {_shown(value)}, expected {_shown(test.expected)}"


def _difference_of_output(written: str, expected: str) -> str:
    found, wanted = _lines(written), _lines(expected)
    if found == wanted:
        return ""
    for number, (one, other) in enumerate(zip(found, wanted, strict=False), start=1):
        if one != other:
            return f"line {number} of the output is {_short(repr(one))}, expected {_short(repr(other))}"
    return f"the output has {len(found)} lines, expected {len(wanted)}"


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _shown(value: Any) -> str:
    try:
        return _short(repr(value))
    except ValueError:  # more digits than Python writes
        return "a number too long to be written"


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:300] + "..."
