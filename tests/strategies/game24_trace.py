"""The recorded search of GPT-4 in the Game of 24, as a model that says again what it said.

A row of the record is a puzzle with the `steps` of its search: `beam_in` (the states gone on from), `candidates`
(each with all its thoughts, in the order of the calls), `values` (sums of three votes: sure 20, likely 1, impossible
0.001; 0 for a candidate that is there twice) and `selected` (the five highest, of equal ones the first).

What is not in the record is how many tokens a single call took. `Costs` has that by least squares over the puzzles,
for which the record has prompt and completion tokens. Which calls were made is known: one a state gone on from, and
one of three votes for every prompt that was new in the whole run.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator import Controller, Model, Outcome, Problem, TreeOfThoughts
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.backends.scripted import Scripted, tokens_of
from orchestrator.errors import BackendError
from orchestrator.types import Capabilities, Request, Usage
from orchestrator.verifiers import ArithmeticReachable, Screen, StateValue

STATE = r"left: ([^)]*)"
WEIGHTS = {"sure": 20.0, "likely": 1.0, "impossible": 0.001}
VOTES = 3
ANSWERS = AnswerReader(kind="text", pattern=r"(?m)^Answer: *(.+)$")
EVERY_LINE = r"(?m)^(.*)$"
"""The record's own way to cut a reply: blank lines are thoughts as well."""

Row = Mapping[str, Any]


def rows_of(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def problem_of(row: Row) -> Problem:
    return Problem(id=str(row["id"]), prompt=row["input"], tests=row["input"])


def program(**options: Any) -> TreeOfThoughts:
    """The record's search: five states, four thoughts, three votes of one request; the places tell states apart."""
    return TreeOfThoughts(
        **{
            "breadth": 5,
            "max_steps": 4,
            "thought": EVERY_LINE,
            "prompt": "propose\n{{ thoughts }}",
            "answer_prompt": "answer\n{{ thoughts }}",
            "state": STATE,
            "solved": "24",
            "verifier": state_value(),
            **options,
        }
    )


def screened(*, follow: bool = False, **options: Any) -> TreeOfThoughts:
    """The same with a rule before the judge: states that cannot make 24 any more are closed and not judged."""
    rule = ArithmeticReachable(follow=follow)
    return program(verifier=Screen(first=rule, then=state_value()), prune=1e-9, **options)


def state_value() -> StateValue:
    return StateValue(
        votes=VOTES,
        per_call=VOTES,
        template="value\n{{ state }}",
        answer_template="last\n{{ answer }}",
        state=STATE,
    )


# What was said ------------------------------------------------------------------------------------------------


def last_line(text: str) -> str:
    return text.strip().split("\n")[-1]


def judged_state(candidate: str) -> str:
    """What the judge of the record was shown: the numbers left, or the last line where it says none."""
    line = last_line(candidate)
    return line.split("left: ")[-1].split(")")[0].strip() if "left: " in line else line


def votes_for(value: float) -> list[str]:
    """The three votes that add up to `value`: there is one multiset for each sum."""
    left, votes = value + 1e-9, []
    for word, weight in WEIGHTS.items():
        count = int(left / weight)
        votes += [word] * count
        left -= count * weight
    assert len(votes) <= VOTES, value
    return votes + ["cannot say"] * (VOTES - len(votes))


def replies_of(step: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The states gone on from, each with the lines of its reply.

    The candidates stand in the order of their parents. Where two parents are equal, the second one's reply begins
    with the first line that is there again.
    """
    candidates, at, found = step["candidates"], 0, []
    for place, parent in enumerate(step["beam_in"]):
        twin_follows = step["beam_in"][place + 1 : place + 2] == [parent]
        lines: list[str] = []
        while at < len(candidates) and candidates[at].startswith(parent):
            line = candidates[at][len(parent) :].removesuffix("\n")
            if twin_follows and line in lines:
                break
            lines.append(line)
            at += 1
        found.append((parent, lines))
    assert at == len(candidates)
    return found


# What it took -------------------------------------------------------------------------------------------------

KINDS = ("propose", "answer", "value", "last")


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Tokens of one call, by its kind.

    Attributes:
        prompt: Prompt tokens of a call of each kind.
        completion: Completion tokens of a call with three votes, by kind.
        word: Completion tokens for each word or punctuation mark of a reply with thoughts.
        fit: R^2 of prompt and of completion tokens over the puzzles.
    """

    prompt: Mapping[str, float]
    completion: Mapping[str, float]
    word: float
    fit: tuple[float, float]

    def usage(self, kind: str, reply: str = "") -> Usage:
        written = self.completion[kind] if kind in self.completion else self.word * len(tokens_of(reply))
        return Usage(
            prompt_tokens=round(self.prompt[kind]), completion_tokens=max(1, round(written)), requests=1
        )


def calls_of(rows: Sequence[Row]) -> list[dict[str, int]]:
    """Calls of each kind that the record's run made for each puzzle, and the `words` of its proposals."""
    known: set[tuple[str, str]] = set()
    calls = []
    for row in rows:
        made = {**dict.fromkeys(KINDS, 0), "words": 0}
        for step in row["steps"]:
            for parent, lines in replies_of(step):
                made["answer" if parent and judged_state(parent) == "24" else "propose"] += 1
                made["words"] += len(tokens_of("\n".join(lines)))
            for candidate in step["candidates"]:
                has_left = "left: " in last_line(candidate)
                asked = (
                    ("", judged_state(candidate))
                    if has_left
                    else (row["input"], last_line(candidate).lower())
                )
                if asked not in known:
                    known.add(asked)
                    made["value" if has_left else "last"] += 1
        calls.append(made)
    return calls


def costs_of(rows: Sequence[Row]) -> Costs:
    """Tokens of single calls, by least squares over the puzzles, whose totals are on record."""
    calls = calls_of(rows)

    def solved(columns: Sequence[str], what: str) -> tuple[list[float], float]:
        a = np.array([[made[column] for column in columns] for made in calls], float)
        b = np.array([row[what] for row in rows], float)
        found = np.linalg.lstsq(a, b, rcond=None)[0]
        return [float(value) for value in found], 1.0 - float(
            ((b - a @ found) ** 2).sum() / ((b - b.mean()) ** 2).sum()
        )

    prompt, prompt_fit = solved(KINDS, "prompt_tokens")
    # A judge of a last step writes one word a vote, too little to be told from nothing: a token each.
    (word, value), completion_fit = solved(("words", "value"), "completion_tokens")
    return Costs(
        prompt=dict(zip(KINDS, prompt, strict=True)),
        completion={"value": value, "last": float(VOTES)},
        word=word,
        fit=(prompt_fit, completion_fit),
    )


# The model ----------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Player:
    """A script for `ScriptedBackend` that plays the record of one puzzle.

    It fails at states that the recorded search did not go on from, as there is nothing on record for them, and has
    nothing to say when it is asked to finish a solution, which that search never did.

    Attributes:
        asked: The states whose thoughts were asked for, in the order of the expansions' numbers.
        missing: Those of them that are not in the record.
        calls: Calls by kind.
    """

    row: Row
    costs: Costs | None = None
    asked: dict[int, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*KINDS, "finish"), 0))

    def __post_init__(self) -> None:
        self.replies: dict[str, list[str]] = {}
        self.values: dict[str, float] = {}
        for step in self.row["steps"]:
            for parent, lines in replies_of(step):
                self.replies.setdefault(parent.strip(), []).append("\n".join(lines))
            seen: set[str] = set()
            for candidate, value in zip(step["candidates"], step["values"], strict=True):
                if candidate not in seen:
                    seen.add(candidate)
                    assert self.values.setdefault(judged_state(candidate), value) == value
        self.votes: dict[object, list[str]] = {}

    def backend(self) -> ScriptedBackend:
        everything = Capabilities(chat=True, n=True, usage_is_exact=True)
        return ScriptedBackend(self, capabilities=everything)

    def __call__(self, request: Request) -> Scripted:
        assert request.messages is not None
        kind, _, about = str(request.messages[-1]["content"]).partition("\n")
        if kind in ("propose", "answer"):
            return self._thoughts(kind, "" if about == "(none yet)" else about, request)
        if kind in ("value", "last"):
            return self._vote(kind, about, request)
        self.calls["finish"] += 1
        return Scripted(text="", usage=self._usage("answer"), finish_reason="stop")

    def _thoughts(self, kind: str, state: str, request: Request) -> Scripted:
        number = int(request.call.path.split("/")[1])
        twins = sum(asked == state for asked in self.asked.values())
        self.asked[number] = state
        self.calls[kind] += 1
        replies = self.replies.get(state, [])
        if twins >= len(replies):
            self.missing.append(state)
            return Scripted(error=BackendError("the record has no thoughts for this state"))
        return Scripted(text=replies[twins], usage=self._usage(kind, replies[twins]), finish_reason="stop")

    def _vote(self, kind: str, state: str, request: Request) -> Scripted:
        if request.call not in self.votes:
            self.votes[request.call] = votes_for(self.values[state])
            self.calls[kind] += 1
            usage = self._usage(kind)
        else:
            usage = Usage() if self.costs else None
        return Scripted(text=self.votes[request.call].pop(), usage=usage, finish_reason="stop")

    def _usage(self, kind: str, reply: str = "") -> Usage | None:
        return None if self.costs is None else self.costs.usage(kind, reply)


async def played(row: Row, search: TreeOfThoughts, costs: Costs | None = None) -> tuple[Player, Outcome]:
    """`search` over the record of one puzzle."""
    player = Player(row=row, costs=costs)
    model = Model(backend=player.backend(), retry=RetryPolicy(attempts=1))
    async with Controller(models={"gpt-4": model}, answers=ANSWERS) as controller:
        return player, await controller.run(search, problem_of(row))


def solved(row: Row, kept: Sequence[str]) -> bool:
    """Whether one of these final states was judged right in the record."""
    right = {state.strip() for state, correct in zip(row["final"], row["correct"], strict=True) if correct}
    return any(state.strip() in right for state in kept)
