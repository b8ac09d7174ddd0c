"""A backend: the lines of a file in place of a model, to rehearse a program without one."""

from collections.abc import Sequence
from pathlib import Path

from orchestrator.backends import Backend, FunctionBackend
from orchestrator.errors import InvalidInputError
from orchestrator.types import Request

__all__ = ["rehearsal"]


def rehearsal(*, file: str) -> Backend:
    """A backend whose samples are the lines of a text file, over and over; they cost nothing.

    Args:
        file: The text file, beside the program file.

    Raises:
        InvalidInputError: It cannot be read, or has no lines.
    """
    try:
        lines = [line for line in Path(file).read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise InvalidInputError(f"cannot read {file!r}: {error.strerror}") from error
    if not lines:
        raise InvalidInputError(f"{file!r} has no lines")
    return FunctionBackend(_Lines(lines), name="rehearsal", price={"input": 0, "output": 0})


class _Lines:
    """Says the line whose number is that of the call: the same ones whenever the program runs again."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    async def __call__(self, request: Request) -> str:
        ordinal = 0 if request.call is None else request.call.ordinal
        return self._lines[ordinal % len(self._lines)]
