"""`orchestrator schema`: the JSON Schema of program files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ..errors import InvalidInputError
from ..programs.schema import schema

__all__ = ["write_schema"]


def write_schema(output: Path | None) -> None:
    """Write the schema to a file; None writes it to stdout.

    Raises:
        InvalidInputError: The file cannot be written.
    """
    text = json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"cannot write {str(output)!r}: {error.strerror or error}") from error
