"""The final answer in what a model wrote, or None: an abstention.

Evidence, strongest first: only what is addressed to the reader counts, after the last `</think>` or its like and
before the token that ends the turn; the last complete `\\boxed{...}`, or boxes joined by commas and "and";
"final answer is", `#### x`, `<answer>`; "the answer is", "Answer:", in many languages; and without any such mark
what the kind allows: the last formula or number, a choice letter alone or said to be it, the whole text when it is
an answer by itself, the last line. A marked answer that cannot be read as the kind wanted abstains rather than
letting weaker evidence speak. What names several options or a range ("either A or B", "5 to 7", "less than 5")
says no one of them, and dots and dashes say nothing. That something cannot be determined is an answer; that the model
does not know is not. The kind `whole` looks for nothing: what the reader sees is the answer, as it was written.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from .. import _core
from ..errors import InvalidInputError
from ..patterns import Pattern
from ..types import Answer
from .json_values import ParsedJson, json_key, parse_json
from .labels import Labels, check_labels
from .normalize import Kind, PercentRule, UnitRule, check_kind, check_rules, fold, whole_key
from .own_kinds import AnswerKind, own_key

__all__ = ["AnswerReader", "extract", "listed"]

LAYERED = ("json", "expression", "whole")
"""Kinds whose answers are found by a step of their own, not by the evidence above."""

JSON_SPANS = 8
"""Bracketed spans of a text tried as JSON, the last first."""


_LEFT_OPEN = string.whitespace + ".-_…–—―‐‑−"
"""What is nothing but these was left open: dots and dashes."""

_TAG = re.compile(r"[A-Za-z_][\w.:-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReader:
    """How the answers of a task are found and compared.

    `kind` says how answers compare. They are found by the evidence above unless one of `pattern`, `field`, `tag`,
    `language` and `function` says otherwise; what these find is a bare answer, keyed by `kind`.

    Attributes:
        kind: How answers are read and compared.
        pattern: A regular expression: the last match wins, its group `answer` or else its first group or
            else all of it is the answer. In the syntax of Python's `re`; one that takes longer than
            a second on a text is an error.
        field: A field of the last JSON object in the text that has it; `a.b` goes into nested objects.
        tag: An XML tag: the contents of the last `<tag>...</tag>`; one that runs to the end of a text that was
            not truncated counts too, since a closing tag is often a stop string.
        language: A language of fenced code: the last closed block that names it (`python` also takes `py`).
        function: Takes the text (after thinking) and returns the bare answer, or None to abstain.
        labels: The answers there are, two or more texts: the last one stated, by whole words and whatever its case,
            is the answer (see `Labels`); they go with no `kind`, and are compared as `whole`. Beside `pattern`,
            `field`, `tag` or `function` they are looked for in what these find.
        units: What becomes of a unit after a number: `drop` it, `keep` it so that units must agree, or as is usual
            for the kind.
        percent: Whether `50%` is the `fraction` 1/2 or the `number` 50.

    Raises:
        InvalidInputError: an unknown kind or rule, a pattern that does not compile, an empty field, no tag's name,
            one of another type, more than one way to find answers, or labels that are none or have a kind.
    """

    kind: Kind = "auto"
    pattern: str | None = None
    field: str | None = None
    tag: str | None = None
    language: str | None = None
    function: Callable[[str], str | None] | None = None
    labels: Sequence[str] | None = None
    units: UnitRule = "by_kind"
    percent: PercentRule = "fraction"
    _compiled: Pattern | None = dataclass_field(default=None, init=False, repr=False, compare=False)
    _native: bool = dataclass_field(default=False, init=False, repr=False, compare=False)
    _own: AnswerKind | None = dataclass_field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.labels is not None:
            self._set_labels(self.labels)
        object.__setattr__(self, "_own", check_kind(self.kind))
        check_rules(self.units, self.percent)
        ways = sum(way is not None for way in self._ways)
        if ways > 1:
            raise InvalidInputError("give at most one of pattern, field, tag, language and function")
        for name in ("pattern", "field", "tag", "language"):
            if not isinstance(given := getattr(self, name), str | None):
                raise InvalidInputError(f"{name} must be a text, not {given!r}")
        if self.function is not None and not callable(self.function):
            raise InvalidInputError(
                f"function must take a text and return an answer, not be {self.function!r}"
            )
        object.__setattr__(self, "_native", ways == 0 and self.kind not in LAYERED and self._own is None)
        if self.field is not None and not all(self.field.split(".")):
            raise InvalidInputError(
                f"field must name a JSON field, such as 'answer' or 'result.value', not {self.field!r}"
            )
        if self.tag is not None and not _TAG.fullmatch(self.tag):
            raise InvalidInputError(f"tag must be the name of a tag, such as 'answer', not {self.tag!r}")
        if self.language is not None and not self.language.strip():
            raise InvalidInputError("language must name a language of fenced code, such as 'python'")
        if self.pattern is not None:
            object.__setattr__(self, "_compiled", Pattern.of(self.pattern))

    def _set_labels(self, labels: Any) -> None:
        if self.kind not in ("auto", "whole"):
            raise InvalidInputError(f"labels are compared as they are, not as {self.kind!r}: leave kind out")
        object.__setattr__(self, "labels", check_labels(labels))
        object.__setattr__(self, "kind", "whole")

    @property
    def _ways(self) -> tuple[object, ...]:
        return self.pattern, self.field, self.tag, self.language, self.function

    def stated(self, text: str) -> Answer | None:
        """The answer that a piece of an answer states as such ("the answer is 7", a box), or None.

        What merely stands last, as in a step on the way, is none: nothing says yet that the text ends here.
        """
        if self.labels is not None and not any(self._ways):
            visible = _core.after_thinking(text)
            return None if visible is None else self._labelled(self._labels.marked(visible))
        if self.kind == "whole" and not any(self._ways):
            return None
        return self.read(f"{text.rstrip()}\n\n-", truncated=True)

    def read(self, text: str, *, truncated: bool = False) -> Answer | None:
        """The answer in `text`, or None when it abstains.

        Args:
            text: What the model wrote.
            truncated: Whether the token limit cut it off (`Sample.truncated`). Then only a marked answer
                that is complete counts; with `pattern`, a match that ends before the text does; `function`
                is not asked. A `whole` text that was cut off is still a text.

        Raises:
            InvalidInputError: `text` is not a string, looking for `pattern` takes too long, or `function` returns
                something else than one or None.
        """
        if not isinstance(text, str):
            raise _not_a_text(text)
        if self._native:
            found = _core.extract(text, self.kind, truncated, self.units, self.percent)
            if found is None:
                return None
            written, key, kind = found
            return Answer(text=written, key=key if key.isascii() else fold(key), kind=kind)
        visible = _core.after_thinking(text)
        if visible is None:
            return None
        if self.pattern is not None:
            return self._bare(self._matched(visible, truncated))
        if self.tag is not None:
            return self._bare(_core.last_element(visible, name=self.tag, open_end=not truncated))
        if self.language is not None:
            return self._bare(_core.last_code_block(visible, language=self.language))
        if self.function is not None:
            return None if truncated else self._bare(self._told(self.function, visible))
        if self._own is not None:
            return None if truncated else self._bare(self._told(self._own.find, visible, "find"))
        if self.labels is not None:
            return self._labelled(self._labels.find(visible, truncated=truncated))
        if self.kind == "whole":
            return self._bare(visible)
        if self.kind == "expression":
            return None if truncated else self._bare(visible)
        return self._json(visible, truncated)

    def bare(self, text: str) -> Answer | None:
        """The answer that a text is which is nothing but one; None where it cannot be one of this kind."""
        return self._bare(text)

    @property
    def native(self) -> bool:
        """Whether all of the reading is done by the extension, which can then read many texts in one call."""
        return self._native

    @property
    def _labels(self) -> Labels:
        return Labels(tuple(self.labels or ()))

    @staticmethod
    def _labelled(label: str | None) -> Answer | None:
        return None if label is None else Answer(text=label, key=whole_key(label), kind="whole")

    @staticmethod
    def _told(function: Callable[[str], object], visible: str, called: str = "function") -> str | None:
        """What the user's function says, which must be what it promises."""
        found = function(visible)
        if found is None or isinstance(found, str):
            return found
        raise _not_a_text(found, f"what `{called}` returns")

    def _bare(self, found: str | None) -> Answer | None:
        if found is None or not found.strip():
            return None
        if self._own is not None:
            key = own_key(self.kind, self._own, found)
            return None if key is None else Answer(text=found.strip(), key=key, kind=self.kind)
        if self.labels is not None:
            return self._labelled(self._labels.find(found))
        if self.kind == "whole":
            return Answer(text=found.strip(), key=whole_key(found), kind="whole")
        if self.kind != "code" and not found.strip(_LEFT_OPEN):
            return None
        if self.kind == "json":
            parsed = parse_json(found)
            key = None if parsed is None else json_key(parsed.value)
            return None if key is None else Answer(text=found.strip(), key=key, kind="json")
        if self.kind == "expression":
            written = _core.find_expression(found)
            return None if written is None else Answer(text=written[0], key=f"n:{written[1]}", kind="number")
        key = fold(_core.normalize(found, kind=self.kind, units=self.units, percent=self.percent))
        if self.kind == "code":
            return Answer(text=found, key=key, kind="code")
        kind = _KINDS_BY_PREFIX[key[0]]
        readable = kind == self.kind or self.kind in ("auto", "math")
        return Answer(text=found.strip(), key=key, kind=kind) if readable else None

    def _matched(self, text: str, truncated: bool) -> str | None:
        assert self._compiled is not None
        matches = self._compiled.all_in(text, name="answer")
        ended = [match.text for match in matches if not truncated or match.end < len(text)]
        return ended[-1] if ended else None

    def _json(self, text: str, truncated: bool) -> Answer | None:
        whole = (
            () if truncated else (text,)
        )  # a number cut short is still a number; a bracket that closes is complete
        for span in (*whole, *reversed(_core.json_spans(text, limit=JSON_SPANS))):
            parsed = parse_json(span)
            if parsed is None:
                continue
            if self.field is None:
                key = json_key(parsed.value)
                return None if key is None else Answer(text=span.strip(), key=key, kind="json")
            value = _field(parsed, self.field)
            if value is not None:
                return self._field_answer(value)
        return None

    def _field_answer(self, value: ParsedJson) -> Answer | None:
        if value.value is None or value.value == "":
            return None
        if self.kind == "json":
            key, text = json_key(value.value), value.text()
            return Answer(text=text, key=key, kind="json") if key is not None and text else None
        return self._bare(value.text(sorted_names=True))


_KINDS_BY_PREFIX = {
    "n": "number",
    "o": "number",
    "c": "choice",
    "b": "boolean",
    "d": "date",
    "m": "math",
    "t": "text",
    "j": "json",
    "x": "code",
}


def listed(items: Any, what: str) -> list[str | Answer | None]:
    """`items` as a list of texts, answers and None; `what` names them where they are something else.

    Raises:
        InvalidInputError: `items` is a single text or no list, or an item can not be read.
    """
    if not isinstance(items, Iterable) or isinstance(items, str):
        raise InvalidInputError(f"give a list of {what}, not one {type(items).__name__}")
    given = list(items)
    for number, item in enumerate(given):
        if item is not None and not isinstance(item, str | Answer):
            raise _not_a_text(item, f"item {number}")
    return given


def _not_a_text(item: object, what: str = "what answers are read from") -> InvalidInputError:
    hint = ": decode it first" if isinstance(item, bytes) else f": try str({item!r:.40})"
    return InvalidInputError(
        f"{what} must be a text, not {type(item).__name__}{'' if item is None else hint}"
    )


def _field(parsed: ParsedJson, path: str) -> ParsedJson | None:
    """The value at a dotted path of an object, or None when there is none."""
    value = parsed.value
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return ParsedJson(value)


def extract(
    text: str,
    *,
    kind: Kind = "auto",
    pattern: str | None = None,
    field: str | None = None,
    tag: str | None = None,
    language: str | None = None,
    function: Callable[[str], str | None] | None = None,
    labels: Sequence[str] | None = None,
    units: UnitRule = "by_kind",
    percent: PercentRule = "fraction",
    truncated: bool = False,
) -> Answer | None:
    """The final answer in `text`, or None when it abstains: `AnswerReader(...).read(text)`.

    >>> extract(r"so it is \\boxed{\\frac{1}{2}}").key
    'n:1/2'
    """
    reader = AnswerReader(
        kind=kind,
        pattern=pattern,
        field=field,
        tag=tag,
        language=language,
        function=function,
        labels=labels,
        units=units,
        percent=percent,
    )
    return reader.read(text, truncated=truncated)
