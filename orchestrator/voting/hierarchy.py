"""Votes field by field: first one field, then the next among those that agree on it.

Five tool calls with five different arguments have no majority as wholes, yet four may agree on the tool.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..answers import AnswerReader
from ..answers.json_values import json_key, parse_json
from ..errors import InvalidInputError
from ..types import Answer, Message
from .ballots import checked_numbers
from .vote import Vote, majority_vote, weighted_vote

__all__ = ["HierarchicalVote", "hierarchical_vote", "tool_call_vote"]

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class HierarchicalVote(Generic[Item]):
    """The result of a vote of `n` items by levels.

    Attributes:
        item: The first item that won at every level, or None when a level is not decided.
        sample: Its number, or None.
        path: The winner of each level, as far as levels were decided.
        votes: One per level voted on. The samples of the first are the `n` items, those of each later one the
            items that won at the level before, in their order.
        share: The votes of the items that won at all levels decided, over those of all `n`, in [0, 1]; 0 when
            none was.
        margin: The same less the runner-up's of the last level decided, in [0, 1].
        tied: Whether a level decided was tied.
        abstentions: Items that had no readable value at a level where they had a vote.
        reason: Why there is no item, in words, with the level's number from 0; empty when there is one.
    """

    item: Item | None
    sample: int | None
    path: tuple[Answer, ...]
    votes: tuple[Vote, ...]
    share: float
    margin: float
    tied: bool
    abstentions: int
    reason: str = ""

    @property
    def decided(self) -> bool:
        """Whether there is an item."""
        return not self.reason


def hierarchical_vote(
    items: Iterable[Item],
    levels: Sequence[Callable[[Item], Answer | str | None]],
    *,
    weights: Sequence[float] | None = None,
    threshold: float = 0.0,
    quorum: int = 0,
) -> HierarchicalVote[Item]:
    """Votes on the first level's key, then among the items that won it on the second's, and so on.

    Args:
        items: `n` items of any type.
        levels: At least one function from an item to its key on that level: an `Answer`, a string (compared
            byte for byte), or None, which abstains at this level and counts against the share.
        weights: `n` weights, finite and at least 0; None for one vote each.
        threshold: The share in [0, 1] that the leader of each level must have of that level's votes.
        quorum: Readable keys that each level needs.

    Raises:
        InvalidInputError: there is no level, a key is of another type, or a weight, the threshold or the quorum
            is out of range.
    """
    if not isinstance(items, Iterable) or isinstance(items, str):
        raise InvalidInputError(f"give a list of items, not one {type(items).__name__}")
    items = list(items)
    if callable(levels) or not levels:
        raise InvalidInputError("a hierarchical vote needs a list of at least one level")
    weights = None if weights is None else checked_numbers("weight", weights)
    if weights is not None and len(weights) != len(items):
        raise InvalidInputError(f"{len(weights)} weights for {len(items)} items")
    alive = list(range(len(items)))
    votes: list[Vote] = []
    share = margin = 1.0
    for level in levels:
        keys = [_answer(level(items[number])) for number in alive]
        own = None if weights is None else [weights[number] for number in alive]
        vote = (
            majority_vote(keys, threshold=threshold, quorum=quorum)
            if own is None
            else weighted_vote(keys, own, threshold=threshold, quorum=quorum)
        )
        votes.append(vote)
        if not vote.decided:
            break
        # Each level's figures are shares of the winners of the level before.
        share, margin = share * vote.share, share * vote.margin
        alive = [number for number, own_id in zip(alive, vote.clusters, strict=True) if own_id == vote.leader]
    decided = [vote for vote in votes if vote.decided]
    reason = votes[-1].reason and f"level {len(votes) - 1}: {votes[-1].reason}"
    return HierarchicalVote(
        item=None if reason else items[alive[0]],
        sample=None if reason else alive[0],
        path=tuple(vote.answer for vote in decided if vote.answer is not None),
        votes=tuple(votes),
        share=share if decided else 0.0,
        margin=margin if decided else 0.0,
        tied=any(vote.tied for vote in decided),
        abstentions=sum(vote.abstentions for vote in votes),
        reason=reason,
    )


def tool_call_vote(
    calls: Iterable[Message | Sequence[Message] | str | None],
    *,
    weights: Sequence[float] | None = None,
    threshold: float = 0.0,
    quorum: int = 0,
) -> HierarchicalVote[Message | Sequence[Message] | str | None]:
    """Votes on which tool is called, then on the arguments among the calls of that tool.

    Arguments are equal when their JSON is: whatever the order of keys, and numbers by value. The calls of
    one message are compared as a set of calls, whatever their order.

    Args:
        calls: What the samples called, one a sample, as any of: a message with `tool_calls` (OpenAI) or with
            `tool_use` blocks in its `content` (Anthropic); one such call, or a list of them;
            `{"name": ..., "arguments": ...}` with the arguments as an object or as JSON text; a text whose last
            JSON object is such a call. What calls no tool, or is None, abstains; a call whose arguments
            are no JSON object votes for its tool and abstains on the arguments.
        weights: As for `hierarchical_vote`; as are the others.

    Raises:
        InvalidInputError: as for `hierarchical_vote`.
    """
    return hierarchical_vote(
        calls, (_tool_names, _tool_arguments), weights=weights, threshold=threshold, quorum=quorum
    )


def _answer(key: Answer | str | None) -> Answer | None:
    return Answer(text=key, key=f"x:{key}", kind="code") if isinstance(key, str) else key


def _tool_names(item: Any) -> Answer | None:
    names = sorted(name for name, _ in _calls(item))
    if not names:
        return None
    return Answer(text=", ".join(names), key="j:" + json.dumps(names), kind="json")


def _tool_arguments(item: Any) -> Answer | None:
    read = []
    for name, arguments in _calls(item):
        text = _arguments_text(arguments)
        parsed = None if text is None else parse_json(text)
        key = json_key(parsed.value) if parsed is not None and isinstance(parsed.value, dict) else None
        if key is None:
            return None
        read.append((name, key, text))
    read.sort()
    spelled = [(name, key) for name, key, _ in read]
    text = ", ".join(text for _, _, text in read if text is not None)
    return Answer(text=text, key="j:" + json.dumps(spelled), kind="json")


def _calls(item: Any) -> list[tuple[str, Any]]:
    """The name and arguments of each call in one of the shapes `tool_call_vote` lists; none where it is not."""
    if isinstance(item, str):
        found = AnswerReader(kind="json").read(item)
        item = None if found is None else json.loads(found.text)
    if isinstance(item, Mapping):
        content = item.get("content")
        if item.get("tool_calls"):
            item = item["tool_calls"]
        elif isinstance(content, list):
            item = [
                block for block in content if isinstance(block, Mapping) and block.get("type") == "tool_use"
            ]
        else:
            item = [item]
    named = [_call(call) for call in item] if isinstance(item, Sequence) else []
    return [call for call in named if call is not None]


def _call(call: Any) -> tuple[str, Any] | None:
    if not isinstance(call, Mapping):
        return None
    function = call.get("function", call)
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        return None
    return function["name"], next((function[key] for key in ("arguments", "input") if key in function), "")


def _arguments_text(arguments: Any) -> str | None:
    """A call's arguments as JSON text, or None where they cannot be; no text is no argument."""
    if isinstance(arguments, str):
        return arguments.strip() or "{}"
    try:
        return json.dumps(arguments)
    except (TypeError, ValueError, RecursionError):
        return None
