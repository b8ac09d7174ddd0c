"""`orchestrator graph`: a program file as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from ..errors import InvalidInputError
from ..programs import load
from ..programs.graph import mermaid, sketch, svg

__all__ = ["Format", "draw"]

Format: TypeAlias = Literal["mermaid", "svg"]

ENDINGS: dict[str, Format] = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".md": "mermaid"}


def draw(file: Path, form: Format | None, output: Path | None, *, allow_outside: bool = False) -> None:
    """Print the picture of the program in `file`, or write it to `output`.

    Args:
        file: The program file.
        form: How; None tells it from the end of `output`'s name, and is Mermaid on standard output.
        output: Where to; None is standard output. In a `.md` file, Mermaid stands in a block of its own.
        allow_outside: Whether the file may include files from outside of its folder.

    Raises:
        InvalidInputError: The program file is wrong, the end of `output`'s name does not say how, or it cannot be
            written.
    """
    form = form or ("mermaid" if output is None else _told_from(output))
    picture = sketch(load(file, allow_outside=allow_outside))
    text = svg(picture) if form == "svg" else mermaid(picture)
    if output is None:
        print(text, end="")
        return
    if form == "mermaid" and output.suffix.lower() == ".md":
        text = f"```mermaid\n{text}```\n"
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"cannot write {str(output)!r}: {error.strerror or error}") from error
    print(f"{output}: {form}")


def _told_from(output: Path) -> Format:
    form = ENDINGS.get(output.suffix.lower())
    if form is None:
        raise InvalidInputError(
            f"{str(output)!r} does not end in {', '.join(ENDINGS)}: give it such a name, or say with --format "
            "what to write"
        )
    return form
