"""Which part of a text is its answer, by trying every start."""

from __future__ import annotations

import re


def last_box(text: str) -> str | None:
    """The contents of the box that closes last, empty ones apart; quadratic."""
    found: tuple[int, str] | None = None
    for start in range(len(text)):
        if not text.startswith("\\boxed{", start):
            continue
        depth = 0
        for end in range(start + 6, len(text)):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if depth == 0:
                content = text[start + 7 : end].strip()
                if content and (found is None or end > found[0]):
                    found = end, content
                break
    return None if found is None else found[1]


def after_thinking(text: str) -> str | None:
    """The text after the last closed thinking block; None when one is open."""
    head, mark, tail = text.rpartition("</think>")
    visible = tail if mark else head + tail
    return None if "<think>" in visible else visible


def last_element(text: str, name: str, *, open_end: bool) -> str | None:
    """The contents of the element that opens last before the last end tags; every start tag tried."""
    starts = list(re.finditer(rf"<{name}(?:>|\s[^>]*>)", text, re.IGNORECASE))
    for start in reversed(starts):
        end = re.compile(rf"</{name}(?:>|\s)", re.IGNORECASE).search(text, start.end())
        if end is not None:
            return text[start.end() : end.start()]
        if open_end:
            return text[start.end() :]
    return None
