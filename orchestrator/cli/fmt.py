"""`orchestrator fmt`: program files in one form."""

from __future__ import annotations

import contextlib
import difflib
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..errors import InvalidInputError, ProgramFileError
from ..programs.document import LARGEST_FILE, read
from ..programs.formatting import format_text
from .failures import FAILED, complain

__all__ = ["format_files"]

STDIN = "-"

ENDINGS = (".yaml", ".yml")
"""Of the files that are formatted: what is written is YAML, which a JSON file must not become."""


def format_files(files: Iterable[str], *, check: bool, diff: bool) -> int:
    """Format program files in place; `-` goes from stdin to stdout. Returns the exit code.

    Args:
        files: Their paths. One that cannot be formatted is told of, and the others are.
        check: Write nothing, and fail where something would change.
        diff: Write nothing, and show what would change.
    """
    code = 0
    for file in files:
        try:
            text = _read(file)
            formatted = format_text(text, file=file)
            changed = formatted != text
            if diff:
                _show_difference(text, formatted, file)
            if check:
                code = FAILED if changed else code
                if changed:
                    complain(f"{file}: would be formatted")
            elif not diff:
                _write(file, formatted, changed)
        except InvalidInputError as error:
            complain(f"error: {error}")
            code = FAILED
    return code


def _read(file: str) -> str:
    if file == STDIN:
        return sys.stdin.read(LARGEST_FILE + 1)
    if Path(file).suffix.lower() not in ENDINGS:
        raise InvalidInputError(
            f"{file}: only files that end in {' or '.join(ENDINGS)} are formatted, as YAML"
        )
    read(Path(file), file=file)  # says what is wrong with a file that cannot be read, or is too large
    return Path(file).read_bytes().decode()


def _write(file: str, text: str, changed: bool) -> None:
    if file == STDIN:
        sys.stdout.write(text)
    elif changed:
        _replace(Path(file).resolve(), text)
        print(f"formatted {file}")


def _replace(path: Path, text: str) -> None:
    """Put `text` in the place of what the file has, at once: whoever reads it meets one or the other."""
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, path.stat().st_mode & 0o7777)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise ProgramFileError(f"cannot be written: {error.strerror or error}", file=str(path)) from error


def _show_difference(text: str, formatted: str, file: str) -> None:
    lines = difflib.unified_diff(
        text.splitlines(keepends=True), formatted.splitlines(keepends=True), file, f"{file} (formatted)"
    )
    for line in lines:
        sys.stdout.write(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
