"""The process behind `pattern`: reads a pattern and a text, writes what is found, one JSON line each.

Started by its path, it imports nothing of this package. It ends when its input does; should its parent be gone while
it matches, an alarm ends it.
"""

from __future__ import annotations

import json
import re
import signal
import sys

__all__ = ["found", "main"]

GRACE = 2.0
"""An orphan ends after this many times a question's time; a parent that lives kills it before."""


def main() -> None:
    """Answer questions until the input ends."""
    reply("ready")
    for line in sys.stdin:
        pattern, flags, text, whole, name, seconds = json.loads(line)
        set_alarm(seconds * GRACE)
        answer = found(re.compile(pattern, flags), text, whole=whole, name=name)
        set_alarm(0.0)
        reply(answer)


def found(
    pattern: re.Pattern[str], text: str, *, whole: bool, name: str | None
) -> list[tuple[int, str | None]]:
    """Where the matches of `pattern` end, and what each says: its group `name`, else its first, else all of it.

    Args:
        pattern: The pattern.
        text: Where it is looked for.
        whole: Whether it must match all of `text`.
        name: A group that comes before the first, where the pattern has it; None for none.
    """
    group = pattern.groupindex.get(name, min(1, pattern.groups)) if name else min(1, pattern.groups)
    one = pattern.fullmatch(text) if whole else None
    matches = pattern.finditer(text) if not whole else () if one is None else (one,)
    return [(match.end(), match[group]) for match in matches]


def reply(value: object) -> None:
    """Write a line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def set_alarm(seconds: float) -> None:
    """Ends this process after `seconds`, unless it is set again; 0 takes it back."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    main()
