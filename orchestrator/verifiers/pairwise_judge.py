"""A model that judges candidates two at a time. Cost, of k different answers: 2 (k - 1) calls, or k (k - 1)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from ..asking import check_ranges
from ..concurrently import concurrently
from ..context import Context
from ..costs import Costing, Size, Spending, counted
from ..errors import InvalidInputError
from ..prompts import fill
from ..ranking import Comparisons, Judgement, bradley_terry, tournament
from ..types import Candidate, Problem, Sample, Score
from .judging import (
    AS_DATA,
    LIMITS,
    REASON_LENGTH,
    REMARK,
    Failed,
    Question,
    because,
    check_template,
    fenced,
    shown,
    tried,
    whole_answer,
)
from .knockout import Knockout, all_pairs
from .verdict_odds import option_shares
from .verdicts import PAIR, find_option

__all__ = ["PairwiseJudge"]

_TEMPLATE = """You compare two answers to a problem.

{{ rubric }}

Problem:
{{ problem }}

Answer A:
{{ answer_a }}

Answer B:
{{ answer_b }}"""

_FIELDS = ("problem", "answer_a", "answer_b", "rubric")
_MAX_TOKENS = {"letter": 16, "json": 512}
_METHODS = ("knockout", "round_robin", "bradley_terry")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairwiseJudge:
    """Scores candidates by comparing them with each other, each pair in both orders.

    Equal answers (else equal texts) enter once, by the shortest of their texts, and share a score; beside candidates
    with a readable answer those without one do not enter. A pair is shown in
    both orders, as models favour a position; verdicts that contradict each other are a tie. One that is missing (the
    call failed, or nothing can be read) leaves the other to decide; without both the pair has no verdict.

    Three ways to score k answers, all in [0, 1], the best highest:

    - `knockout`: winners meet winners until one is left, in R = ceil(log2 k) rounds; the score is the share of rounds
      survived, half of one for a round that was drawn. Seeds are by how often an answer was given, then by lot; a tie
      and a match without a verdict are passed by the better seed, so a judge that cannot tell leaves the vote as it
      was.
    - `round_robin`: every pair; the score is (wins + ties / 2) / comparisons.
    - `bradley_terry`: every pair; the score is the chance to beat another answer drawn at random, by the strengths of
      Bradley and Terry that explain the verdicts best. With `max_pairs` it needs fewer pairs than all.

    An answer none of whose matches has a verdict is an abstention; one that is alone has 1. Where the budget ends
    before the tournament does, scores are from the matches there are.

    Cost: 2 (k - 1) calls for `knockout`, k (k - 1) for the others, or 2 `max_pairs` if that is less; half of it
    without `swap`; one more for each where the server refuses the schema or the log-probabilities. A round's calls
    are made side by side.

    Source: Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", arXiv 2306.05685, §3.1
    (pairwise comparison) and §3.4 (swapping positions).

    Args:
        model: Name of the model that judges; None for the first.
        rubric: What makes an answer better, in words.
        method: How scores come from comparisons.
        swap: Whether to show each pair in both orders; without it the order is drawn by lot.
        max_pairs: Pairs compared at most, at least 1, spread evenly over the answers; None for all. Not for
            `knockout`.
        form: How a verdict is written: `letter`, one alone; `json`, a reason first, held to a JSON Schema where the
            server can.
        expected: Whether a verdict is P(A) + P(tie) / 2 by the log-probabilities of the token that says it.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on a verdict, in tokens; None for 16, with `json` for 512. A judge that thinks needs more.
        template: The prompt, with `{{ problem }}`, `{{ answer_a }}`, `{{ answer_b }}` and `{{ rubric }}`; None for
            the built-in one. How to write the verdict is told after it.
    """

    name: ClassVar[str] = "pairwise_judge"
    comparative: ClassVar[bool] = True

    model: str | None = None
    rubric: str = (
        "Which answer is better: correct, complete and clear? Correctness counts most, length not at all."
    )
    method: Literal["knockout", "round_robin", "bradley_terry"] = "knockout"
    swap: bool = True
    max_pairs: int | None = None
    form: Literal["letter", "json"] = "letter"
    expected: bool = True
    temperature: float | None = 0.0
    max_tokens: int | None = None
    template: str | None = None

    def __post_init__(self) -> None:
        check_ranges(temperature=self.temperature, max_tokens=self.max_tokens)
        if self.method not in _METHODS:
            raise InvalidInputError(f"method must be one of {', '.join(_METHODS)}, not {self.method!r}")
        if self.form not in _MAX_TOKENS:
            raise InvalidInputError(f"form must be one of {', '.join(_MAX_TOKENS)}, not {self.form!r}")
        if self.max_pairs is not None and (self.max_pairs < 1 or self.method == "knockout"):
            raise InvalidInputError(
                f"max_pairs must be at least 1, and is not for method knockout, which compares k - 1 pairs: "
                f"{self.max_pairs} for {self.method}"
            )
        if self.template is not None:
            check_template(self.template, needed=("answer_a", "answer_b"), known=_FIELDS)

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order, relative to the others; None as a value where nothing was compared.

        Raises:
            BudgetExceededError, DeadlineExceededError: Not one pair could be compared.
        """
        entrants = _entrants(ctx, candidates)
        matches = _Matches(
            ctx=ctx, problem=problem, judge=self, texts=[min(one.texts, key=_by_length) for one in entrants]
        )
        if len(entrants) < 2:
            values = [1.0] * len(entrants)
        elif self.method == "knockout":
            values = await _knocked_out(matches, len(entrants))
        else:
            pairs = all_pairs(len(entrants))[: self.max_pairs]
            await matches.play(pairs)
            values = self._rated(matches.judgements, len(entrants))
        matches.raise_if_empty()
        scores = [Score(value=None, reason="there is no answer to judge")] * len(candidates)
        for number, entrant in enumerate(entrants):
            score = matches.score_of(number, values[number])
            for member in entrant.members:
                scores[member] = score
        return scores

    def _rated(self, judgements: Sequence[Judgement[int]], entrants: int) -> list[float]:
        comparisons = Comparisons.of_judgements(judgements, items=range(entrants))
        if self.method == "round_robin":
            return list(tournament(comparisons).scores)
        fit = bradley_terry(comparisons)
        return [
            math.fsum(fit.probability(one, other) for other in range(entrants) if other != one)
            / (entrants - 1)
            for one in range(entrants)
        ]

    # Asking ----------------------------------------------------------------------------------------------

    def question(self) -> Question:
        """How the model is asked about a pair."""
        schema: Mapping[str, Any] = {
            "type": "object",
            "properties": {
                "reason": {"type": "string", "maxLength": REASON_LENGTH},
                "verdict": {"type": "string", "enum": ["A", "B", "tie"]},
            },
            "required": ["reason", "verdict"],
            "additionalProperties": False,
        }
        return Question(
            model=self.model,
            temperature=self.temperature,
            max_tokens=_MAX_TOKENS[self.form] if self.max_tokens is None else self.max_tokens,
            schema=schema if self.form == "json" else None,
            logprobs=self.expected,
        )

    def ask(self, question: str, first: str, second: str) -> str:
        """The prompt for a pair, in the order shown."""
        texts = (question, first, second, self.rubric)
        values = {
            "problem": fenced("problem", question, among=texts),
            "answer_a": fenced("answer-a", first, among=texts),
            "answer_b": fenced("answer-b", second, among=texts),
            "rubric": self.rubric,
        }
        instruction = "Reply with A or B for the better answer, or tie, and nothing else."
        if self.form == "json":
            instruction = (
                'Reply with a JSON object and nothing else: {"reason": ..., "verdict": ...}, where the reason is a'
                " sentence or two and the verdict is A or B for the better answer, or tie."
            )
        return f"{fill(self.template or _TEMPLATE, values, of='a judge')}\n\n{AS_DATA}\n\n{instruction}"

    def preference(self, sample: Sample) -> float | None:
        """How far the answer shown first is preferred, in [0, 1]; None where the verdict cannot be read."""
        found = find_option(sample.text, PAIR, truncated=sample.truncated)
        if found is None:
            return None
        if self.expected and sample.logprobs:
            at = find_option(whole_answer(sample), PAIR)
            shares = option_shares(sample.logprobs, at, PAIR) if at and at.value == found.value else None
            if shares is not None:
                return min(shares["A"] + shares["tie"] / 2, 1.0)
        return {"A": 1.0, "B": 0.0, "tie": 0.5}[found.value]

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """What scoring so many candidates, each of this size, costs at most."""
        pairs = count - 1 if self.method == "knockout" else count * (count - 1) / 2
        pairs = max(0, pairs if self.max_pairs is None else min(pairs, self.max_pairs))
        one, other = costing.unknown(size.tokens), costing.unknown(size.tokens)
        each = await self.question().worst_case(costing, self.ask(costing.question, one, other))
        worst = each.times(pairs * (2 if self.swap else 1))
        return Spending(
            label=self.name, kind=self.name, worst=worst, note=counted(pairs, "pair"), reason=REMARK
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entrant:
    """Candidates with one answer: their numbers, and their different texts."""

    members: list[int]
    texts: list[str]


def _entrants(ctx: Context, candidates: Sequence[Candidate]) -> list[_Entrant]:
    """The different answers, most frequent first, then by lot; the same in whatever order candidates arrived."""
    found: dict[tuple[str, ...], _Entrant] = {}
    readable = any(candidate.answer is not None for candidate in candidates)
    for number, candidate in enumerate(candidates):
        if readable and candidate.answer is None:
            continue  # it could not be chosen, whatever a verdict says
        if text := shown(candidate):
            answer = candidate.answer
            key = (text,) if answer is None else (answer.kind, answer.key)
            entrant = found.setdefault(key, _Entrant(members=[], texts=[]))
            entrant.members.append(number)
            entrant.texts.append(text)
    entrants = sorted(found.values(), key=lambda entrant: min(map(_by_length, entrant.texts)))
    ctx.rng.shuffle(entrants)
    return sorted(entrants, key=lambda entrant: -len(entrant.members))


def _by_length(text: str) -> tuple[int, str]:
    return len(text), text


async def _knocked_out(matches: _Matches, entrants: int) -> list[float]:
    bracket = Knockout(entrants=entrants)
    while not bracket.over:
        preferences = await matches.play(bracket.matches())
        if matches.limit is not None:
            bracket.abandon(preferences)
            break
        bracket.play(preferences)
    return bracket.scores()


@dataclass(slots=True, kw_only=True)
class _Matches:
    """The matches played so far, between entrants by number.

    Attributes:
        judgements: Verdicts in the order they were asked for, missing ones included.
        limit: What allows no further call, once something does.
    """

    ctx: Context
    problem: Problem
    judge: PairwiseJudge
    texts: Sequence[str]
    judgements: list[Judgement[int]] = field(default_factory=list)
    limit: Exception | None = None
    failure: str = ""
    played: int = 0

    async def play(self, pairs: Sequence[tuple[int, int]]) -> list[float | None]:
        """Judge pairs side by side; how far each one's first is preferred, 1/2 for a tie, None without a verdict."""
        shown_as: list[tuple[int, int]] = []
        branches: list[Context] = []
        for pair in pairs:
            self.played += 1
            orders = [pair, pair[::-1]]
            if not self.judge.swap:
                orders = [orders[self.ctx.rng.randrange(2)]]
            shown_as += orders
            branches += [
                self.ctx.branch(label=f"match-{self.played}{'ab' if order == pair else 'ba'}")
                for order in orders
            ]
        asking, question = self.judge.question(), self.ctx.prompt.question(self.problem)
        verdicts = await concurrently(
            tried(asking.put(branch, self.judge.ask(question, self.texts[a], self.texts[b])))
            for branch, (a, b) in zip(branches, shown_as, strict=True)
        )
        judgements = [
            Judgement(first=a, second=b, preference=self._preference(verdict))
            for (a, b), verdict in zip(shown_as, verdicts, strict=True)
        ]
        self.judgements += judgements
        size = 2 if self.judge.swap else 1
        return [
            _preferred(judgements[number * size : (number + 1) * size], pair)
            for number, pair in enumerate(pairs)
        ]

    def _preference(self, verdicts: list[Sample] | Failed) -> float | None:
        if isinstance(verdicts, list):
            return self.judge.preference(verdicts[0])
        self.failure = self.failure or str(verdicts)
        if isinstance(verdicts, LIMITS):
            self.limit = self.limit or verdicts
        return None

    def raise_if_empty(self) -> None:
        """Raise the limit that was reached when no pair has a verdict."""
        if self.limit is not None and all(one.preference is None for one in self.judgements):
            raise self.limit

    def score_of(self, entrant: int, value: float) -> Score:
        """What the verdicts say of an entrant."""
        if len(self.texts) == 1:
            return Score(value=1.0, reason="there is no other answer to compare it with")
        table = Comparisons.of_judgements(self.judgements, items=range(len(self.texts)))
        lost = math.fsum(row[entrant] for row in table.wins)
        won, tied = math.fsum(table.wins[entrant]), math.fsum(table.ties[entrant])
        if won + lost + tied == 0.0:
            why = self.failure or ("no verdict that can be read" if self.judgements else "not compared")
            return Score(value=None, reason=because("not judged", why))
        return Score(
            value=min(max(value, 0.0), 1.0),
            reason=f"won {won:g}, tied {tied:g}, lost {lost:g} of its comparisons",
        )


def _preferred(judgements: Sequence[Judgement[int]], pair: tuple[int, int]) -> float | None:
    """What a match's judgements come to for the pair's first, 1/2 for a tie, None without a verdict."""
    table = Comparisons.of_judgements(judgements, items=pair)
    won, lost, tied = table.wins[0][1], table.wins[1][0], table.ties[0][1]
    total = won + lost + tied
    return None if total == 0.0 else (won + tied / 2) / total
