"""What a program may use."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from ..errors import InvalidInputError

__all__ = ["Limits"]

MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one run of a program on its tests; what they bound is ended when it passes them.

    Args:
        seconds: Wall time of each test, above 0.
        cpu_seconds: CPU time of each process, above 0; rounded up to whole seconds.
        total_seconds: Wall time of all tests together, above 0; tests it leaves no time for are timed out.
        memory_bytes: Address space of each process, at least 64 MiB, and (looked at 20 times a second, so that it
            can be overshot for that long) resident memory of all of them together, 32 MiB more for what is ours.
        processes: Processes and threads of the program at once, its own included, at least 1.
        open_files: Open files of each process, at least 16.
        file_bytes: Size of each file written, at least 0.
        disk_bytes: Size of all files together, at least 4096; they are in memory.
        output_bytes: What a test may write to stdout and stderr together, and the size of each value it
            returns, at least 1024; arguments it changes and returns may be as large as they were given.

    Raises:
        InvalidInputError: A limit out of its range.
    """

    seconds: float = 5.0
    cpu_seconds: float = 5.0
    total_seconds: float = 60.0
    memory_bytes: int = 512 * MIB
    processes: int = 8
    open_files: int = 64
    file_bytes: int = 16 * MIB
    disk_bytes: int = 64 * MIB
    output_bytes: int = 65536

    def __post_init__(self) -> None:
        for field in fields(self):
            value, least = getattr(self, field.name), _LEAST.get(field.name, 0)
            if not (math.isfinite(value) and value >= least and (value > 0 or field.name == "file_bytes")):
                above = f"at least {least:,}" if least or field.name == "file_bytes" else "above 0"
                raise InvalidInputError(f"{field.name} must be {above} and finite, not {value!r}")

    @property
    def most_memory(self) -> int:
        """Bytes one run can hold at a time: all its processes, overshoot left aside, and its files."""
        return self.memory_bytes + 2 * self.disk_bytes


_LEAST = {
    "memory_bytes": 64 * MIB,
    "processes": 1,
    "open_files": 16,
    "disk_bytes": 4096,
    "output_bytes": 1024,
}
