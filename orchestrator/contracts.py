"""What a control program and a verifier are: whatever can be called like one, and what is said of a verifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from . import plugins
from .spelling import snake_case
from .types import Candidate, Outcome, Problem, Score

if TYPE_CHECKING:
    from .context import Context

__all__ = [
    "ControlProgram",
    "Verifier",
    "compares",
    "hold_tuples",
    "is_program",
    "key_of",
    "logprobs_for",
    "name_of",
    "parts_of",
    "programs_in",
    "strategy_of",
]


@runtime_checkable
class ControlProgram(Protocol):
    """Every strategy, every loaded program file, every user function with this signature."""

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Solve `problem`."""


class Verifier(Protocol):
    """Judges candidates.

    It may have a `name` that its scores go by (else its class's), and `comparative = True` when a score depends on
    the other candidates: such a verifier is given all of them at once. With `logprobs`, the samples it judges must
    have been drawn with so many top log-probabilities.
    """

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order; None as a score's value is an abstention.

        A call that fails is an abstention on what it was about.

        Raises:
            BudgetExceededError, DeadlineExceededError: Not one candidate could be judged.
        """


def is_program(value: object) -> bool:
    """Whether a value is a control program: whatever can be called, but a class."""
    return isinstance(value, ControlProgram) and not isinstance(value, type)


def strategy_of(program: Any) -> Any:
    """What a loaded program file does; any other control program is that itself."""
    while getattr(type(program), "is_file", False) is True:
        program = program.strategy
    return program


def parts_of(value: object) -> Iterator[object]:
    """A parameter's value with all that it holds: in lists, in mappings, and in the parameters of parts."""
    yield value
    inside: Iterable[object] = ()
    if isinstance(value, Mapping):
        inside = value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        inside = value
    elif is_dataclass(value) and not isinstance(value, type):
        inside = [getattr(value, part.name, None) for part in fields(value)]
    for one in inside:
        yield from parts_of(one)


def programs_in(value: object) -> Iterator[ControlProgram]:
    """The control programs that a parameter's value is or holds: in lists, mappings, and parts such as a tier."""
    if isinstance(value, ControlProgram):
        if is_program(value):
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from programs_in(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from programs_in(inner)
    elif is_dataclass(value) and not hasattr(value, "score"):  # a verifier's functions are its own
        for part in fields(value):
            yield from programs_in(getattr(value, part.name, None))


def hold_tuples(part: Any) -> None:
    """Make tuples of the lists that a part was given for tuples; for `__post_init__`.

    So it equals the one that is made from a file, and can be hashed.
    """
    kind: type = type(part)
    for name in _tuples(kind):
        value = getattr(part, name)
        if isinstance(value, list):
            object.__setattr__(part, name, tuple(value))


@cache
def _tuples(kind: type) -> tuple[str, ...]:
    """The parameters that are tuples, or can be, by how they are annotated; a `Block` of steps is one."""
    annotated = {one.name: str(one.type).split(" | ") for one in fields(kind) if one.init}
    return tuple(
        name for name, kinds in annotated.items() if any(one.startswith(("tuple[", "Block")) for one in kinds)
    )


def name_of(verifier: Verifier) -> str:
    """The name scores by `verifier` are kept under."""
    name = getattr(verifier, "name", None)
    return name if isinstance(name, str) else type(verifier).__name__


def key_of(program: object) -> str:
    """What a control program, or its class, is called in files: what a package brings it as, its `key`, or its
    class's name in snake case; a function's name.
    """
    kind = program if isinstance(program, type) else type(program)
    called = plugins.name_of(plugins.STRATEGIES, kind) or getattr(kind, "key", None)
    if called is None and program is not kind:
        called = getattr(program, "__name__", None)
    return str(called or snake_case(kind.__name__))


def compares(*verifiers: Verifier) -> bool:
    """Whether a score by any of `verifiers` depends on the other candidates."""
    return any(getattr(verifier, "comparative", False) for verifier in verifiers)


def logprobs_for(*verifiers: Verifier | None) -> int | None:
    """Top log-probabilities samples must be drawn with for all of `verifiers`; None for none."""
    wanted = (getattr(verifier, "logprobs", None) for verifier in verifiers)
    return max((number for number in wanted if number is not None), default=None)
