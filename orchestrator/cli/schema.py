"""`orchestrator schema`: the JSON Schema of program files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ..errors import InvalidInputError
from ..programs.schema import schema

__all__ = ["write_schema"]


def write_schema(output: Path | None, *, installed: bool = True) -> None:
    """Write the schema to a file; None writes it to stdout.

    Args:
        output: The file.
        installed: Whether the parts of other packages that are installed are in it.

    Raises:
        InvalidInputError: The file cannot be written, or a part of another package cannot be imported.
    """
    text = json.dumps(schema(installed=installed), indent=1, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"cannot write {str(output)!r}: {error.strerror or error}") from error
