"""Loops at the end of a text, by definition: every prefix, every period."""

from __future__ import annotations

__all__ = ["first_loop"]


def first_loop(text: str, *, repeats: int, least: int, longest: int) -> tuple[int, int] | None:
    """Bytes in the block and in the loop that `text` is in first, the shortest block first; None for no loop."""
    data = text.encode("utf-8", "surrogatepass")
    for end in range(1, len(data) + 1):
        for period in range(1, min(longest, end) + 1):
            length = period
            while length < end and data[end - 1 - length] == data[end - 1 - length + period]:
                length += 1
            if length >= max(repeats * period, least):
                return period, length
    return None
