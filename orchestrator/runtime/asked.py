"""What a problem asked when its outcome was recorded, as digests of its parts: to tell in which it has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ..types import Problem

__all__ = ["JUDGING", "QUESTION", "asked_of", "changes"]

QUESTION = ("prompt", "messages")
"""Parts that put the question; fields come with it, as templates use them."""

JUDGING = ("reference", "tests")
"""Parts by which answers are judged and which no model is shown: the same calls are made when they have changed."""


def asked_of(problem: Problem) -> dict[str, str]:
    """A digest of each part of `problem` that is given; without those that no JSON can say, such as objects."""
    parts = {
        "prompt": problem.prompt,
        "messages": problem.messages,
        "reference": problem.reference,
        "tests": problem.tests,
        **{f"fields.{name}": value for name, value in problem.fields.items()},
    }
    return {
        name: _digest(json.dumps(_plain(value), sort_keys=True))
        for name, value in parts.items()
        if value is not None and _is_plain(value)
    }


def changes(earlier: Mapping[str, str] | str, problem: Problem) -> list[str]:
    """The parts of `problem` that are not what `asked_of` once said of it, sorted."""
    if isinstance(earlier, str):  # as journals had it before they told parts apart
        same = earlier == _digest(repr((problem.prompt, problem.messages)))
        return [] if same else [*QUESTION]
    now = asked_of(problem)
    return sorted(name for name in {*earlier, *now} if earlier.get(name) != now.get(name))


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(one) for one in value)
    return value is None or isinstance(value, str | int | float)


def _plain(value: Any) -> Any:
    """`value` with plain mappings and lists."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
