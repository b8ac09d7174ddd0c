"""A kind of answers: times of day, whatever they are written like."""

import re

from orchestrator.answers import AnswerKind

__all__ = ["CLOCK_TIME", "minutes"]

TIME = re.compile(
    r"(?<![\d:.])(\d{1,2})(?:[:.](\d{2}))?\s*([ap])\.?m\b\.?"  # 3:05 pm, 3 p.m.
    r"|(?<![\d:.])(\d{1,2})[:.](\d{2})(?![\d:.])",  # 15:05, 15.05
    re.IGNORECASE,
)


def minutes(text: str) -> int | None:
    """The last time of day in a text, in minutes since midnight; None where there is none."""
    last = None
    for match in TIME.finditer(text):
        hour, minute = int(match[1] or match[4]), int(match[2] or match[5] or 0)
        if match[3] is not None:
            if not 1 <= hour <= 12:
                continue
            hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
        if hour < 24 and minute < 60:
            last = 60 * hour + minute
    return last


def find(text: str) -> str | None:
    """The last time of day in what a model wrote, as 15:05."""
    found = minutes(text)
    return None if found is None else f"{found // 60:02}:{found % 60:02}"


CLOCK_TIME = AnswerKind(find=find, key=find)
"""`3:05 pm`, `15.05` and `15:05` are one answer."""
