"""Program files in one form: the order of sections and of a step's keys, indentation and quotes; comments stay."""

from __future__ import annotations

import json
from typing import Any

from ..errors import ProgramFileError
from .commented import comments_of, read_layout, repeats_or_tags
from .document import parse
from .layout import Collection, emit
from .registries import key_order
from .spec import ProgramSpec

__all__ = ["format_text"]


def format_text(text: str, *, file: str = "<text>") -> str:
    """`text` in the form all program files have; what it says is the same, and formatting it again changes nothing.

    Sections come in the order of the documentation, a step's `id` before what it does. What stands on one line stays
    there where it fits. Words lose quotes they do not need.

    Raises:
        ProgramFileError: It is not a mapping in YAML.
    """
    text = text.replace("\r\n", "\n").lstrip("\ufeff")
    document = parse(text, file=file)
    if not isinstance(document.data, dict):
        raise ProgramFileError("a program file is a mapping", file=file, hint="start with `version: 1`")
    if not document.data:  # no entry that a comment could be about
        return "".join(f"{comment}\n" for comment in comments_of(text)) + "{}\n"
    layout = read_layout(text)
    # Where a part is repeated, it must stay behind the place where it is given its name.
    if not _has_anchors(layout):
        ends, layout.entries[-1].after = layout.entries[-1].after, []  # what a file ends with stays there
        _arrange(layout, list(ProgramSpec.model_fields))
        layout.entries[-1].after += ends
    formatted = emit(layout)
    _check_same(document.data, text, formatted, file)
    return formatted


def _arrange(collection: Collection, order: list[str]) -> None:
    """Put the entries of a mapping in `order`, those that are not in it last, and arrange what is inside."""
    if not collection.is_list:
        rank = {key: number for number, key in enumerate(order)}
        collection.entries.sort(key=lambda entry: rank.get(str(entry.key), len(rank)))
    for entry in collection.entries:
        if isinstance(entry.value, Collection):
            keys = [str(inner.key) for inner in entry.value.entries]
            _arrange(entry.value, key_order(keys) if entry.key is None else [])


def _has_anchors(collection: Collection) -> bool:
    return any(
        entry.value.anchor is not None or (isinstance(entry.value, Collection) and _has_anchors(entry.value))
        for entry in collection.entries
    )


def _check_same(data: Any, text: str, formatted: str, file: str) -> None:
    """Refuse what would be another program, or would lose a comment."""
    try:
        same = _comparable(parse(formatted, file=file).data) == _comparable(data)
    except ProgramFileError:
        same = False
    if not same or sorted(comments_of(formatted)) != sorted(comments_of(text)):
        hint = "write out what is repeated by `&` and `*`, and take tags (`!`) out"
        raise ProgramFileError(
            "cannot be formatted without changing what it says",
            file=file,
            hint=hint if repeats_or_tags(text) else None,
        )


def _comparable(data: Any) -> str:
    """Data as text in which 1, 1.0 and true differ; the order of a mapping's keys is in it where it can matter."""
    return json.dumps(_sorted_steps(data, top=True), ensure_ascii=True)


def _sorted_steps(data: Any, *, top: bool = False, item: bool = False) -> Any:
    if isinstance(data, list):
        return [_sorted_steps(one, item=True) for one in data]
    if isinstance(data, dict):
        keys = sorted(data) if top or item else list(data)
        return {key: _sorted_steps(data[key]) for key in keys}
    return data
