"""What a GGUF file says about the model in it, read from its header without the weights."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelFetchError

__all__ = ["Header", "read_header"]

MAGIC = b"GGUF"
VERSIONS = (2, 3)

SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
"""The format's number of a type of fixed size, and how `struct` reads it."""

STRING, ARRAY = 8, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The part of a GGUF header that serving needs.

    Attributes:
        architecture: As llama.cpp names it, for example `llama`.
        name: The model's own name, or "".
        context_length: Tokens the model was trained on.
        has_chat_template: Whether it can be given messages; a base model cannot.
    """

    architecture: str
    name: str
    context_length: int
    has_chat_template: bool


def read_header(path: Path) -> Header:
    """Read the header of the GGUF file at `path`.

    Raises:
        ModelFetchError: The file is missing, is no GGUF file, or ends too early.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            fields = Cursor(data).fields()
    except (struct.error, IndexError, OverflowError, UnicodeDecodeError) as error:
        raise ModelFetchError(f"{path} is damaged or not complete: its GGUF header ends too early") from error
    except ValueError as error:  # an empty file cannot be mapped; a wrong magic number or version
        raise ModelFetchError(f"{path} is not a GGUF model: {error}") from error
    except OSError as error:
        raise ModelFetchError(f"cannot read {path}: {error.strerror}") from error
    architecture = str(fields.get("general.architecture", ""))
    return Header(
        architecture=architecture,
        name=str(fields.get("general.name", "")),
        context_length=int(fields.get(f"{architecture}.context_length", 0)),
        has_chat_template=bool(fields.get("tokenizer.chat_template")),
    )


class Cursor:
    """Walks over the bytes of a header."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.position = data, 0

    def fields(self) -> dict[str, Any]:
        """All key-value pairs; arrays (vocabularies) are stepped over and stand as None."""
        if self.take(4) != MAGIC:
            raise ValueError("it does not start with the letters GGUF")
        version = self.scalar("<I")
        if version not in VERSIONS:
            raise ValueError(f"its format version is {version}, not one of {VERSIONS}")
        self.scalar("<Q")  # tensors
        return {self.text(): self.value(self.scalar("<I")) for _ in range(self.scalar("<Q"))}

    def value(self, kind: int) -> Any:
        """A value of the type with that number."""
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            return self.skip_array()
        if kind not in SCALARS:
            raise ValueError(f"its header has a field of the unknown type {kind}")
        return self.scalar(SCALARS[kind])

    def skip_array(self) -> None:
        """Step over an array."""
        kind, count = self.scalar("<I"), self.scalar("<Q")
        if kind in SCALARS:
            self.position += count * struct.calcsize(SCALARS[kind])
        elif kind == STRING:
            self.skip_strings(count)
        else:
            for _ in range(count):
                self.value(kind)

    def skip_strings(self, count: int) -> None:
        """Step over `count` texts; vocabularies hold a few hundred thousand, so this is kept tight."""
        data, position, length = self.data, self.position, struct.Struct("<Q").unpack_from
        for _ in range(count):
            position += 8 + length(data, position)[0]
        self.position = position

    def text(self) -> str:
        """A length and that many bytes of UTF-8."""
        return self.take(self.scalar("<Q")).decode()

    def scalar(self, layout: str) -> Any:
        """One number."""
        (number,) = struct.unpack_from(layout, self.data, self.position)
        self.position += struct.calcsize(layout)
        return number

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if self.position + count > len(self.data):
            raise IndexError(count)
        self.position += count
        return self.data[self.position - count : self.position]
