"""Engines and processes for the serving tests."""

import contextlib
import dataclasses
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.serving.engines import Launch
from orchestrator.serving.models import LocalModel
from orchestrator.types import Capabilities

FAKE_SERVER = Path(__file__).with_name("fake_server.py")


@dataclasses.dataclass(kw_only=True)
class FakeEngine:
    """Launches `fake_server.py`; `notes` collects the process ids of what it started."""

    notes: Path
    mode: str = "serves"
    picks_port: bool = True
    grace: float = 5.0
    before_launch: Callable[[int], None] = lambda port: None
    command: tuple[str, ...] = (sys.executable, "-P", str(FAKE_SERVER))
    name: str = "fake"

    def launch(
        self, model: LocalModel, *, port: int, parallel: int | None, context_length: int | None
    ) -> Launch:
        self.before_launch(port)
        return Launch(
            command=(*self.command, self.mode, str(port), str(self.notes)),
            capabilities=Capabilities(
                chat=model.chat, parallel=parallel or 3, context_length=context_length or 64
            ),
        )

    def pids(self) -> list[int]:
        """Process ids of the servers and helpers started so far."""
        return [int(line) for line in self.notes.read_text().split()] if self.notes.exists() else []


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    return FakeEngine(notes=tmp_path / "pids")


@pytest.fixture
def model(tmp_path: Path) -> LocalModel:
    return LocalModel(name="m", path=tmp_path / "m.gguf", chat=False, context_length=128)


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Whether a process ends within ten seconds; wakes as it ends, so nothing sleeps."""

    def wait(pid: int) -> bool:
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            try:
                return bool(select.select([descriptor], [], [], 10)[0])
            finally:
                os.close(descriptor)
        return True

    return wait
