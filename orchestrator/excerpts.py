"""What files and models have written, as a terminal may show it: a line with a caret under one of its characters."""

from __future__ import annotations

import unicodedata

__all__ = ["WIDEST", "harmless", "pointed", "within"]

WIDEST = 100
"""Characters of a line that are shown; a longer one is cut around its caret."""

BEFORE = 60
"""Of those, characters before the caret."""

TAB = "    "


def within(text: str, most: int) -> str:
    """`text` in at most so many bytes of UTF-8; `…` stands at the end of one that is cut."""
    if len(text) <= most // 4:
        return text
    written = text.encode("utf-8", "surrogatepass")
    if len(written) <= most:
        return text
    return written[: max(most - 3, 0)].decode("utf-8", "ignore") + "…" * (most >= 3)


def pointed(line: str, column: int) -> tuple[str, str]:
    """`line` without its indentation, and a line with a caret under what stands at `column`.

    Tabs become spaces; characters that would steer the terminal, or turn the direction of writing, are shown as `�`.

    Args:
        line: The whole line, with or without its end.
        column: Which character, counted from 1; one beyond the end points behind it.
    """
    line = line.rstrip("\r\n")
    at = min(column - 1, len(line))
    start = min(len(line) - len(line.lstrip()), at)
    end, cut_before, cut_after = len(line), "", ""
    if end - start > WIDEST:
        start = max(start, min(at - BEFORE, end - WIDEST))
        cut_before = "…" if line[:start].strip() else ""
        if end > start + WIDEST:
            end, cut_after = start + WIDEST, "…"
    before = cut_before + "".join(map(_shown, line[start:at]))
    shown = before + "".join(map(_shown, line[at:end])).rstrip() + cut_after
    return shown, " " * sum(map(_width, before)) + "^"


def harmless(text: str) -> str:
    """`text` without what would steer a terminal, or turn the direction of writing: shown as `�`."""
    if text.isprintable():
        return text
    return "".join(one if one in "\n\t" else _shown(one) for one in text)


def _shown(character: str) -> str:
    if character == "\t":
        return TAB
    return character if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else "�"


def _width(character: str) -> int:
    """Columns of a terminal that a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
