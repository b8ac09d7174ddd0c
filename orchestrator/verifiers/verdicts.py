"""Verdicts out of a judge's words: a score on a scale, or one of a few options.

A judge answers as it likes: `7`, `Score: 7/10`, a paragraph, a fence of JSON, half of one. What is read is what it
says last where it says it plainly; what cannot be read is None, never a low score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .. import _core

__all__ = ["PAIR", "YES_NO", "Found", "canonical", "find_option", "find_score", "json_text"]

Value = TypeVar("Value", float, str)

SCORE_FIELDS = ("score", "rating", "grade")
OPTION_FIELDS = ("verdict", "winner", "decision", "choice", "answer")

YES_NO: Mapping[str, str] = {"yes": "yes", "no": "no", "true": "yes", "false": "no"}
"""Options of a judge that is asked whether something holds, by how they may be written."""

PAIR: Mapping[str, str] = {"A": "A", "B": "B", "C": "tie", "tie": "tie", "draw": "tie"}
"""Options of a judge of pairs; single letters count in upper case alone, or every article would be a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[Value]):
    """A verdict and where it stands.

    Attributes:
        value: The score on its scale, or the option.
        start: Where its first character stands in the text.
        end: Where the character after its last one does.
    """

    value: Value
    start: int
    end: int


def _visible(text: str) -> tuple[str, int]:
    """What is addressed to the reader, and where in the text it begins."""
    visible = _core.after_thinking(text) or ""
    return visible, len(text) - len(visible)


def _last(text: str, *patterns: re.Pattern[str], start: int = 0) -> re.Match[str] | None:
    """Of all matches from `start` on, the one that ends last."""
    found = (match for pattern in patterns for match in pattern.finditer(text, start))
    return max(found, key=lambda match: match.end(), default=None)


def _last_line(text: str) -> int:
    """Where the last line that is not blank begins."""
    whole = text.rstrip()
    return whole.rfind("\n") + 1


# --- JSON ---------------------------------------------------------------------------------------------------

# Strings are taken whole, so that what a reason quotes is no field; a value may be broken off.
_FIELD = re.compile(
    r'"(?P<name>(?:[^"\\]|\\.)*+)(?:"|\Z)(?:\s*:\s*(?P<value>"(?:[^"\\]|\\.)*+(?:"|\Z)|[^\s,{}\[\]"][^,}\]"\n]*))?',
    re.DOTALL,
)
_OPENING = re.compile(r"\s*(?:```\w*\s*)?\{")


def _json_field(text: str, names: Sequence[str]) -> re.Match[str] | None:
    """The last field of one of these names in JSON, complete or not."""
    fields = [
        field
        for field in _FIELD.finditer(text)
        if field["value"] is not None and field["name"].lower() in names
    ]
    return fields[-1] if fields else None


def _is_json(text: str) -> bool:
    """Whether all of it is, or it ends in an object that is broken off: then no words in it are the judge's own."""
    last = text.rfind("{")
    broken = last >= 0 and text.find("}", last) < 0 and text[last + 1 :].lstrip().startswith('"')
    return broken or (_OPENING.match(text) is not None and '"' in text)


def _prose_after(text: str, field: re.Match[str]) -> int:
    """Where words of the judge's own may follow a field: after its object, if the text does not begin with that."""
    return len(text) if _is_json(text) else max(field.end(), text.rfind("}") + 1)


def json_text(text: str, name: str) -> str:
    """The text of the last field `name` of the JSON in `text`; empty where there is none."""
    field = _json_field(_visible(text)[0], (name,))
    if field is None:
        return ""
    try:
        value = json.loads(field["value"], strict=False)
    except ValueError:
        return ""
    return value if isinstance(value, str) else ""


# --- scores -------------------------------------------------------------------------------------------------

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DRESS = r"[\s\"'`*_]*+"
_DIGITS = r"(?P<number>[+\-−]?\d++(?:\.\d++|,\d{1,2})?)(?!\w|[.,]\d)"
_NUMBER = rf"(?:{_DIGITS}|(?P<word>{'|'.join(_WORDS)})\b)"
_WHOLE = r"(?:/|\(?\s*out\s+of\b)\s*(?P<whole>\d{1,9}|ten)\b"
_TAIL = (
    rf"(?:{_DRESS}(?:(?P<percent>%)|{_WHOLE}))?"
    r"(?P<range>[\s\"'`*_]*(?:-|–|—|~|\bto\b|\bor\b|\band\b)\s*\d)?+"
)
_SCALE = (
    r"(?:[(\[][^()\[\]\n]{0,40}[)\]]|out\s+of\s+\d+"
    r"|(?:on\s+)?(?:a\s+)?scale\s+(?:of|from)\s+\d+\s*(?:to|-|–)\s*\d+)?"
)
_LABEL = rf"\b(?:scores?|ratings?|grade|verdict|overall)\b{_DRESS}{_SCALE}{_DRESS}"
_LEAD = rf"{_DRESS}[\[({{\s]*(?:\\boxed\{{)?(?:(?:between|about|around|an?)\s+)?{_DRESS}"

_NO_RANGE = r"(?<![\w.,/])(?<!\d[-–—~])(?<!\d\s[-–—~]\s)(?<!\d\sto\s)(?<!\d\sor\s)(?<!\d\sand\s)"

# Announced: after a label and a colon, in double brackets, in a box.
_ANNOUNCED = re.compile(
    rf"(?:{_LABEL}(?::|=|->|→){_LEAD}|\[\[\s*|\\boxed\{{\s*){_NUMBER}{_TAIL}", re.IGNORECASE
)
# Told in a sentence: "a score of 7", "I would give it a 7", "7 out of 10".
_TOLD = (
    re.compile(rf"{_LABEL}(?:is\b|of\b|would\s+be\b|-(?=\s)|–|—)?{_LEAD}{_DIGITS}{_TAIL}", re.IGNORECASE),
    re.compile(
        r"\b(?:give|rate|score|assign|award|deserves|earns|gets)\b[^\d\n.!?+\-−]{0,60}"
        rf"{_DIGITS}{_TAIL}",
        re.IGNORECASE,
    ),
    re.compile(rf"{_NO_RANGE}{_DIGITS}{_DRESS}{_WHOLE}(?![.,/]\d)", re.IGNORECASE),
)
_ALONE = re.compile(rf"[\s\"'`*_#>(\[{{]*{_NUMBER}{_TAIL}[\s\"'`*_)\]}}.!]*", re.IGNORECASE)
# A full stop may follow only at a line's end: else it is the first of a numbered list.
_FIRST = re.compile(
    rf"[\s\"'`*_(\[]*{_DIGITS}{_TAIL}[\"'`*_)\]]*[ \t]*(?=$|[\n,;:(—–]|-\s|\.[ \t]*(?:\n|$))", re.IGNORECASE
)


def find_score(text: str, *, lowest: int, highest: int, truncated: bool = False) -> Found[float] | None:
    """The score that `text` gives on a scale, or None.

    In this order: the field `score` of a JSON object, a broken one too, unless prose after it announces another; the
    last score announced by a label and a colon; the last one told in a sentence or as `7/10`; a last line that is a
    number and nothing else; a text that begins with one. Thinking is not read. A range, a number outside the scale or
    out of another one, and several numbers with no sign which is the score are no score; a percentage is one of the
    whole scale.

    Args:
        text: What the judge wrote.
        lowest: The scale's lower end.
        highest: The scale's upper end.
        truncated: Whether the token cap ended the text: then a last number that may have gone on, as the 1 of a 10,
            is no score.
    """
    visible, offset = _visible(text)
    scale = _Scale(lowest=lowest, highest=highest, cut=len(visible) if truncated else None)
    match = _score_match(visible)
    return None if match is None else scale.read(match, offset)


def _score_match(text: str) -> re.Match[str] | None:
    if (field := _json_field(text, SCORE_FIELDS)) is not None:
        later = _last(text, _ANNOUNCED, start=_prose_after(text, field))
        return later or _ALONE.fullmatch(text, *field.span("value"))
    if _is_json(text):
        return None
    said = _last(text, _ANNOUNCED) or _last(text, *_TOLD)
    return said or _ALONE.fullmatch(text, _last_line(text)) or _FIRST.match(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """What a number may be; `cut` is the length of a text that the token cap ended, else None."""

    lowest: int
    highest: int
    cut: int | None

    def read(self, match: re.Match[str], offset: int) -> Found[float] | None:
        parts = match.groupdict()
        name = "number" if parts["number"] is not None else "word"
        written, (start, end) = parts[name].lower(), match.span(name)
        if parts.get("range") or (self.cut == end and self._may_go_on(written)):
            return None
        value = self._value(written, parts.get("whole"), percent=bool(parts.get("percent")))
        if value is None or not self.lowest <= value <= self.highest:
            return None
        return Found(value=value, start=offset + start, end=offset + end)

    def _value(self, written: str, whole: str | None, *, percent: bool) -> float | None:
        if whole is not None and (10 if whole.lower() == "ten" else int(whole)) != self.highest:
            return None
        number = _number(written)
        if not percent or self.highest == 100:
            return number
        return self.lowest + number / 100 * (self.highest - self.lowest) if 0 <= number <= 100 else None

    def _may_go_on(self, written: str) -> bool:
        """Whether a longer whole number of the scale begins with this one."""
        scores = map(str, range(self.lowest, self.highest + 1))
        return any(len(score) > len(written) and score.startswith(written) for score in scores)


def _number(written: str) -> float:
    if written in _WORDS:
        return float(_WORDS.index(written))
    return float(written.replace(",", ".").replace("−", "-"))


# --- options ------------------------------------------------------------------------------------------------

_THING = r"(?:(?i:answer|response|candidate|assistant|option|solution)\s+)?"
_BETTER = r"(?i:better|superior|stronger|preferable|best|the\s+winner)\b"


def find_option(text: str, options: Mapping[str, str], *, truncated: bool = False) -> Found[str] | None:
    """The option that `text` decides for, or None.

    In this order: the field `verdict` of a JSON object, a broken one too, unless prose after it announces another;
    the last option announced (`Verdict: A`, `[[A]]`); the last one told in a sentence (`A is better`); a last line
    that is an option and nothing else; a text that begins with one. Thinking is not read, and `A or B` is no verdict.

    Args:
        text: What the judge wrote.
        options: The options by how they may be written; a single letter in upper case alone.
        truncated: Whether the token cap ended the text: then a word at its end may have gone on.
    """
    visible, offset = _visible(text)
    match = _option_match(visible, options)
    if match is None or match.groupdict().get("rival"):
        return None
    (start, end), option = match.span("option"), canonical(match["option"], options)
    if option is None or (truncated and end == len(visible) and visible.strip() != match["option"]):
        return None
    return Found(value=option, start=offset + start, end=offset + end)


def canonical(written: str, options: Mapping[str, str]) -> str | None:
    """The option that is written so, or None."""
    return options.get(written, options.get(written.lower()) if len(written) > 1 else None)


def _option_match(text: str, options: Mapping[str, str]) -> re.Match[str] | None:
    words = "|".join(name if len(name) == 1 else f"(?i:{name})" for name in options)
    option, rival = (rf"(?P<{name}>{words})(?!\w|['’]\w)" for name in ("option", "rival"))
    either = rf"(?:\s*(?:(?i:or|and)\s|/)\s*{_THING}{rival})?"
    # Of a pair, "the right answer: A" may speak of the problem.
    answer = "|answer" if "yes" in options else ""
    label = rf"\b(?i:verdict|winner|decision|choice|preference|judge?ment{answer})\b"
    announced = re.compile(
        rf"(?:{label}{_DRESS}(?::|=|->|→){_DRESS}[\[(]*{_DRESS}{_THING}|\[\[\s*){option}{either}"
    )
    if (field := _json_field(text, OPTION_FIELDS)) is not None:
        value = re.compile(rf'[\s"]*{_THING}{option}[\s".]*')
        later = _last(text, announced, start=_prose_after(text, field))
        return later or value.fullmatch(text, *field.span("value"))
    if _is_json(text):
        return None
    modest = r"(?:(?!(?i:not|no|neither|hardly|never|nor)\b)\w+\s+){0,3}?"
    told = (
        re.compile(rf"\b(?i:prefer)\s+{_THING}{option}"),
        re.compile(rf"(?<!\w){option}{_DRESS}(?i:is|was|seems)\s+{modest}{_BETTER}"),
    )
    alone = re.compile(rf"[\s\"'`*_#>(\[]*{_THING}{option}[\s\"'`*_)\].!]*")
    first = re.compile(rf"{_DRESS}[(\[]*{option}{_DRESS}{either}(?=[.,:;)\]—–]|-\s|$)")
    said = _last(text, announced) or _last(text, *told)
    return said or alone.fullmatch(text, _last_line(text)) or first.match(text)
