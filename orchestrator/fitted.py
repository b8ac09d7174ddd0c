"""What is fitted once on recorded runs and loaded by later ones: versioned JSON, refused where it does not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from .errors import InvalidInputError

__all__ = ["Fitted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """The root of what is fitted: data that goes to a file and comes back equal.

    Attributes:
        format: What its files say they are.
        version: Of the format, from 1; a file of another one is refused.
        called: What errors call it.
    """

    format: ClassVar[str]
    version: ClassVar[int] = 1
    called: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """It as JSON values, with the format and its version."""
        return {"format": self.format, "version": self.version, **self._values()}

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """What `to_json` wrote.

        Raises:
            InvalidInputError: It is something else, of another version, or its parts do not fit each other.
        """
        if not isinstance(document, Mapping) or document.get("format") != cls.format:
            raise InvalidInputError(f"this is not {cls.called}: fit one and save it")
        if document.get("version") != cls.version:
            raise InvalidInputError(
                f"{cls.called} of version {document.get('version')!r}, this release reads version {cls.version}: "
                "fit it again"
            )
        try:
            return cls._from_values(document)
        except InvalidInputError:  # says itself what does not fit
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"{cls.called} that is damaged: {error!r}") from error

    def save(self, path: str | Path) -> None:
        """Write it as a JSON file."""
        Path(path).write_text(json.dumps(self.to_json()) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the file that `save` wrote.

        Raises:
            InvalidInputError: There is no such file, or as for `from_json`; names the file.
        """
        try:
            return cls.from_json(json.loads(_read(Path(path))))
        except RecursionError:
            raise InvalidInputError(f"file {str(path)!r}: nested too deeply") from None
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"file {str(path)!r}: {error}") from error

    def _values(self) -> dict[str, Any]:
        """Its fields as JSON values."""
        return asdict(self)

    @classmethod
    def _from_values(cls, document: Mapping[str, Any]) -> Self:
        """It from what `_values` gave."""
        raise NotImplementedError


LARGEST_FILE = 64 * 2**20
"""Bytes."""


def _read(path: Path) -> str:
    """What stands in a file; a device or a pipe might never end, or never begin."""
    if path.exists() and not path.is_file():
        raise ValueError("is not a file")
    with path.open("rb") as stream:
        raw = stream.read(LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        raise ValueError(f"larger than {LARGEST_FILE // 2**20} MiB")
    return raw.decode("utf-8")
