"""Kinds of answers that other packages bring."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from .. import plugins
from ..errors import InvalidInputError

__all__ = ["AnswerKind", "own_key", "own_kind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerKind:
    """A kind of answers beside the built-in ones.

    A package brings it under a name, as an entry point of the group `orchestrator.answer_kinds`; that name is then a
    `kind` wherever answers are read and compared.

    Attributes:
        find: Finds the bare answer in what a model wrote after its thinking; None to abstain. A text that the token
            limit cut off is not shown to it.
        key: The canonical form of a bare answer; equal answers have equal ones. None when it is no answer of this
            kind.
    """

    find: Callable[[str], str | None]
    key: Callable[[str], str | None]


def own_kind(kind: str, *, built_in: Collection[str]) -> AnswerKind | None:
    """The kind that a package brings under this name; None when no package does.

    Args:
        kind: The name.
        built_in: The kinds that no package can give another meaning.

    Raises:
        InvalidInputError: A package does, and what it brings is no kind of answers or cannot be imported, or it
            claims a name that is built in.
    """
    found = plugins.find(plugins.ANSWER_KINDS, kind, built_in=built_in) if isinstance(kind, str) else None
    if found is not None and not isinstance(found, AnswerKind):
        raise InvalidInputError(
            f"the kind of answers `{kind}` must be an orchestrator.answers.AnswerKind, not {found!r}"
        )
    return found


def own_key(name: str, kind: AnswerKind, text: str) -> str | None:
    """The key of a bare answer: the kind's name stands in it, so that answers of two kinds never meet.

    Raises:
        InvalidInputError: The kind's function returned something else than a text or None.
    """
    key = kind.key(text)
    if key is not None and not isinstance(key, str):
        raise InvalidInputError(f"`key` of the kind `{name}` must return a text or None, not {key!r}")
    return None if key is None else f"u:{name}:{key}"
