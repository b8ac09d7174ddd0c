"""The confidence a model states about its own answer, in words it was asked for: `Confidence: 0.85`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from .. import _core
from ..types import Candidate, Problem, Score
from .free import SHORT_REASON
from .rules import Rule

__all__ = ["StatedConfidence", "stated_confidence"]

_GAP = r"[\s*_\"'$]{0,8}"  # white space, emphasis, quotes; bounded, so that no text takes long
_MARK = (
    r"(?:confidence(?:\s{1,4}(?:level|score|rating|estimate)\b)?"
    r"(?:\s{1,4}in\s{1,4}(?:my|the|this)\s{1,4}(?:final\s{1,4})?answer)?"
    r"|certainty(?:\s{1,4}(?:level|score)\b)?"
    r"|probability\s{1,4}(?:that\s{1,4})?(?:(?:my|the|this)\s{1,4})?(?:final\s{1,4})?answer\s{1,4}"
    r"(?:is|being)\s{1,4}(?:correct|right)"
    r"|probability\s{1,4}of\s{1,4}(?:being\s{1,4})?correct(?:ness)?"
    r"|P\s?\(\s?(?:correct|right|true)\s?\))"
)
_SCALE = r"(?:\s{0,4}[(\[]\s?(?:from\s)?[01]\s?(?:-|–|to)\s?(?P<scale>100|10|1)\s?%?\s?[)\]])?"
_LINK = rf"{_GAP}(?:[:=]|\bis\b|\bof\b){_GAP}(?:(?:about|around|approximately|roughly|~|≈)\s{{0,4}})?"
_PERCENT = r"\\?\s{0,4}(?:%|percent\b|per\scent\b)"
_OUT_OF = r"\s{0,4}(?:/|out\sof)\s{0,4}"
_VALUE = (
    r"(?P<value>-?\d{1,6}(?:[.,]\d{1,6})?|-?\.\d{1,6})"
    rf"(?:(?P<percent>{_PERCENT})|{_OUT_OF}(?P<out_of>100|10|5|1(?:\.0)?))?"
)
_WHOLE = (  # neither cut out of a longer figure nor one end of a range
    rf"(?!\w|[.,]\d|{_PERCENT}|{_OUT_OF}\d|\s{{0,4}}(?:-|–|to\b)\s{{0,4}}[\d.])"
)
_STATED = re.compile(rf"(?<!\w){_MARK}{_SCALE}{_LINK}{_VALUE}{_WHOLE}", re.IGNORECASE)
_SURE = re.compile(
    rf"(?<![\w.,-])(?<!not )(?<!n't )(?P<value>\d{{1,3}}(?:[.,]\d{{1,6}})?)(?P<percent>{_PERCENT})"
    r"\s{1,4}(?:confident|certain|sure)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedConfidence(Rule):
    """The confidence a text states, in [0, 1]; abstains where it states none. See `stated_confidence`.

    What models say of themselves is mostly too high (Xiong et al. 2023, arXiv 2306.13063): a threshold on it is to
    be fitted, not guessed.
    """

    name: ClassVar[str] = "stated_confidence"
    longest_reason: ClassVar[float] = SHORT_REASON

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """What the candidate's text says."""
        value = stated_confidence(candidate.sample.text)
        return Score(value=value, reason="no confidence stated" if value is None else "")


def stated_confidence(text: str) -> float | None:
    """The last confidence that `text` states, hidden thinking apart, or None.

    >>> stated_confidence("The answer is 12. Confidence: 85 %")
    0.85

    A mark (`confidence`, `certainty`, `probability that the answer is correct`, `P(correct)`), then `:`, `=`, `is`
    or `of`, then a number: in [0, 1], as a percentage, as a fraction (`8/10`), or on a scale the mark names
    (`Confidence (0-100): 85`); or `85% confident`. Words (`high`), ranges and numbers off their scale are no
    confidence, and a confidence interval's level is none either.
    """
    visible = _core.after_thinking(text) or ""
    found = [match for pattern in (_STATED, _SURE) for match in pattern.finditer(visible)]
    return _read(max(found, key=lambda match: match.end())) if found else None


def _read(match: re.Match[str]) -> float | None:
    groups = match.groupdict()
    value = float(groups["value"].replace(",", "."))
    scale = 100.0 if groups["percent"] else float(groups.get("out_of") or groups.get("scale") or 1.0)
    return value / scale if 0.0 <= value <= scale else None
