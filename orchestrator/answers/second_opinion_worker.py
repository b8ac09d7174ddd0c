"""The process behind `second_opinion`: reads pairs, writes verdicts, one JSON line each.

Started by its path, it imports nothing of this package. It ends when its input does; should it hang then, or its
parent be gone, an alarm ends it.
"""

from __future__ import annotations

import json
import os
import sys

__all__ = ["main"]

GRACE = 2.0
"""An orphan ends after this many times a pair's time; a parent that lives kills it before."""


def main() -> None:
    """Answer pairs until the input ends."""
    limit_memory(int(sys.argv[1]))
    # What math-verify and sympy print must not get between the verdicts.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    from math_verify import parse, verify

    def read(text: str) -> list[object]:
        marked = "$" in text or "\\boxed" in text or "\\(" in text or "\\[" in text
        found: list[object] = parse(text if marked else f"${text}$", parsing_timeout=None)
        return found

    def compare(first: str, second: str) -> bool | None:
        a, b = read(first), read(second)
        if not a or not b:
            return None
        return bool(verify(a, b, timeout_seconds=None) or verify(b, a, timeout_seconds=None))

    def reply(value: object) -> None:
        replies.write(json.dumps(value) + "\n")
        replies.flush()

    compare("\\frac{1}{2}", "x^2+1")  # builds the grammar's tables, so that no pair has to wait for it
    reply("ready")
    for line in sys.stdin:
        first, second, timeout = json.loads(line)
        set_alarm(timeout * GRACE)
        try:
            verdict = compare(first, second)
        except Exception:  # whatever sympy makes of it, RecursionError and MemoryError too: undecided
            verdict = None
        set_alarm(0.0)
        reply(verdict)


def limit_memory(size: int) -> None:
    """Caps the address space, where the system knows such a limit."""
    try:
        import resource
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    size = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_AS, (size, hard))


def set_alarm(seconds: float) -> None:
    """Ends this process after `seconds`, unless it is set again; 0 takes it back."""
    import signal

    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    main()
