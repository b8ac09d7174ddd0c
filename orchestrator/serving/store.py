"""The directory on disk where fetched weights live, and how files get there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

__all__ = ["cache_directory", "is_verified", "locked", "partial_directory", "place"]

BLOCK = 1 << 20


def cache_directory() -> Path:
    """Where weights are kept.

    `$ORCHESTRATOR_CACHE/models` when that is set, else `orchestrator/models` under the user's cache
    directory: `$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows.
    """
    if chosen := os.environ.get("ORCHESTRATOR_CACHE"):
        return Path(chosen).expanduser() / "models"
    return user_cache_directory() / "orchestrator" / "models"


def user_cache_directory() -> Path:
    """The platform's place for files that can be fetched again."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return configured if configured.is_absolute() else Path.home() / ".cache"


def is_verified(path: Path, sha256: str) -> bool:
    """Whether `path` has that digest; a file unchanged since it was last found right is not read again."""
    try:
        seen = fingerprint(path)
    except OSError:
        return False
    if read_stamp(path) == {**seen, "sha256": sha256}:
        return True
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256:
        return False
    write_stamp(path, sha256)
    return True


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path`'s lock, so that one process at a time fetches it; waits for the others.

    A file system without locks is no error: the worst is then that two processes fetch the same bytes, and
    the last one's rename wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("w") as file:
        with contextlib.suppress(OSError):
            lock(file)
        yield  # closing the file unlocks it


if sys.platform == "win32":
    import msvcrt

    def lock(file: IO[str]) -> None:
        """Wait for the lock on `file`; the system gives up after ten seconds, so ask again."""
        while True:
            try:
                return msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            except OSError as error:
                if error.errno != 36:  # EDEADLOCK: somebody else still holds it
                    raise

else:
    import fcntl

    def lock(file: IO[str]) -> None:
        """Wait for the lock on `file`."""
        fcntl.flock(file, fcntl.LOCK_EX)


@contextlib.contextmanager
def partial_directory(path: Path) -> Iterator[Path]:
    """A directory beside `path` for what is on its way there; gone afterwards, with everything in it.

    Call it under `path`'s lock: what a killed process left behind is removed first.
    """
    prefix = f".{path.name}.partial-"
    for stale in path.parent.glob(prefix + "*"):
        shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=path.parent, ignore_cleanup_errors=True) as name:
        yield Path(name)


def place(partial: Path, path: Path, sha256: str) -> None:
    """Move a whole, verified file to `path` in one step, and remember that it was verified."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    write_stamp(path, sha256)


def fingerprint(path: Path) -> dict[str, object]:
    """What changes when a file is written to."""
    status = path.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}


def stamp_path(path: Path) -> Path:
    """The file beside `path` that says when it was last verified."""
    return path.with_name(path.name + ".verified")


def read_stamp(path: Path) -> object:
    """What was known of `path` when it was last verified, or None."""
    try:
        return json.loads(stamp_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_stamp(path: Path, sha256: str) -> None:
    """Remember that `path` has this digest; a directory that cannot be written to costs a re-read later."""
    with contextlib.suppress(OSError):
        stamp_path(path).write_text(json.dumps({**fingerprint(path), "sha256": sha256}), encoding="utf-8")
