"""The files that make one program: the one that runs, and those it includes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import ProgramFileError
from .document import MOST_NODES, Document, parse, read
from .mistakes import Mistakes
from .spec import IncludedSpec, LimitsSpec, ProgramSpec, known_keys

__all__ = ["LARGEST_TOGETHER", "MOST_FILES", "Source", "Sources"]

MOST_FILES = 50

LARGEST_TOGETHER = 512 * 1024
"""Bytes of all files of a program; their keys and values together are bounded as those of one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file.

    Attributes:
        path: Where it is, without links.
        mistakes: What is wrong with it, and the document it is.
        spec: What it says, section by section; None where that is wrong.
    """

    path: Path
    mistakes: Mistakes
    spec: ProgramSpec | IncludedSpec | None

    @property
    def document(self) -> Document:
        """What stands in it, and where."""
        return self.mistakes.document

    @property
    def folder(self) -> Path:
        """What paths in it are meant from, as it was given."""
        return Path(self.document.file).parent

    def section(self, name: str) -> dict[str, Any]:
        """The mapping it has under a key; empty where there is none."""
        found = self.document.at((name,))
        return found if isinstance(found, dict) else {}


class Sources:
    """The files of a program, the one that runs first; each is there once, however often it is included.

    Args:
        file: The file that runs, as it was given.
        allow_outside: Whether files outside of its folder may be included.
        text: What it says; None reads it.

    Attributes:
        incomplete: Whether a file that is included could not be read, so that what it declares is not known.

    Raises:
        ProgramFileError: That file cannot be read, or is no mapping. What is wrong with the files it includes is
            noted in `found` instead.
    """

    def __init__(self, file: str | Path, *, allow_outside: bool, text: str | None = None) -> None:
        self.found: list[ProgramFileError] = []
        self._allow_outside = allow_outside
        self._files: dict[Path, Source] = {}
        self._nodes = self._size = 0
        self._refused = self.incomplete = False
        path = Path(file)
        document = self._read(path, str(file)) if text is None else self._count(parse(text, file=str(file)))
        if not isinstance(document.data, dict):
            mistakes = Mistakes(document)
            mistakes.add((), "a program file is a mapping", hint="start with `version: 1`")
            mistakes.raise_any()
        resolved = path.resolve()
        self._top = resolved.parent
        self.top = self._add(resolved, document, ProgramSpec)
        self._include(self.top, (resolved,))

    def __iter__(self) -> Iterator[Source]:
        return iter(self._files.values())

    @property
    def files(self) -> list[str]:
        """Their paths, in the order they were read."""
        return [source.document.file for source in self]

    def raise_any(self) -> None:
        """Raise what was found in any of them, as one error."""
        self.top.mistakes.raise_any(self.files)

    def _read(self, path: Path, file: str) -> Document:
        return self._count(read(path, file=file, most_nodes=MOST_NODES - self._nodes))

    def _count(self, document: Document) -> Document:
        self._nodes += document.nodes
        self._size += len(document.text.encode())
        return document

    def _add(self, path: Path, document: Document, kind: type[ProgramSpec | IncludedSpec]) -> Source:
        mistakes, spec = Mistakes(document, self.found), None
        try:
            spec = kind.model_validate(document.data)
        except ValidationError as error:
            known = partial(known_keys, document.data, top=kind)
            mistakes.add_validation(error, (), known, document.data)
        for at in sorted(document.empty, key=str):
            if len(at) > 1 and at[-2] in ("budget", "per_problem") and at[-1] in LimitsSpec.model_fields:
                mistakes.add(
                    at, f"`{at[-1]}` has no value", hint="give a number, or take it out for no limit"
                )
        source = self._files[path] = Source(path=path, mistakes=mistakes, spec=spec)
        return source

    def _include(self, source: Source, chain: tuple[Path, ...]) -> None:
        """Read what `source` includes, and what that does; `chain` are the files on the way to it."""
        given = source.document.at(("include",))
        if not isinstance(given, list):
            self.incomplete |= given is not None
            return
        for number, name in enumerate(given):
            noted, read = len(self.found), len(self._files)
            if isinstance(name, str) and not self._refused:
                self._include_one(source, number, name, chain)
            self.incomplete |= len(self.found) > noted and len(self._files) == read

    def _include_one(self, source: Source, number: int, name: str, chain: tuple[Path, ...]) -> None:
        at = ("include", number)
        try:
            path = (source.path.parent / name).resolve()
            exists = path.exists()
        except (
            OSError,
            ValueError,
            RuntimeError,
        ) as error:  # too long, a NUL in it, links that go in circles
            why = getattr(error, "strerror", None) or error
            source.mistakes.add(at, f"cannot be included: {why}")
            return
        if not self._allow_outside and not path.is_relative_to(self._top):
            source.mistakes.add(
                at,
                f"`{name}` is outside of the folder of {self.top.document.file}",
                hint="move it there, or allow it with load(FILE, allow_outside=True) or "
                "--allow-includes-outside",
            )
        elif path in chain:
            circle = [*chain[chain.index(path) :], path]
            source.mistakes.add(
                at, f"files include each other in a circle: {' -> '.join(one.name for one in circle)}"
            )
        elif path not in self._files:
            self._include_new(source, at, path, str(source.folder / name), chain, exists=exists)

    def _include_new(
        self,
        source: Source,
        at: tuple[str, int],
        path: Path,
        file: str,
        chain: tuple[Path, ...],
        *,
        exists: bool,
    ) -> None:
        if len(self._files) >= MOST_FILES:
            self._refused = True
            source.mistakes.add(at, f"more than {MOST_FILES} files make this program")
            return
        if not path.is_file():
            what = "is not a file" if exists else "there is no such file"
            source.mistakes.add(at, f"`{file}` cannot be included: {what}")
            return
        try:
            document = self._read(path, file)
        except ProgramFileError as error:
            self.found.append(error)
            return
        if self._size > LARGEST_TOGETHER:
            self._refused = True
            source.mistakes.add(
                at, f"the files of this program are larger than {LARGEST_TOGETHER // 1024} KiB"
            )
            return
        if not isinstance(document.data, dict):
            Mistakes(document, self.found).add((), "an included file is a mapping, such as `models: {...}`")
            return
        self._include(self._add(path, document, IncludedSpec), (*chain, path))
