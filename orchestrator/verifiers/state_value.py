"""How promising a state of a search is, as a model says. Cost: ceil(votes / per_call) calls a different prompt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from .. import _core
from ..asking import check_ranges
from ..concurrently import concurrently
from ..context import Context
from ..costs import FREE, Costing, Size, Spending, counted
from ..errors import InvalidInputError
from ..patterns import Pattern
from ..prompts import fill
from ..types import Candidate, Problem, Sample, Score
from .judging import (
    AS_DATA,
    LIMITS,
    REMARK,
    Failed,
    Voting,
    because,
    check_template,
    digest,
    fenced,
    shown,
    tried,
)

__all__ = ["StateValue", "find_verdict", "last_line", "pattern_of", "state_of"]

_TEMPLATE = """How promising is this beginning of a solution?

Problem:
{{ problem }}

Thoughts so far:
{{ state }}

Consider in a few words where going on from here can lead, and whether a mistake has been made. Then write one word \
on the last line: sure (it will lead to a solution, or is a right one), likely, or impossible."""

_FIELDS = ("problem", "thoughts", "state", "answer")

VERDICTS = ("sure", "likely", "impossible")
_VERDICT = re.compile(r"(?<!\w)(sure|likely|impossible)[\s*_\"'`.!)\]}]*$", re.IGNORECASE)
_DENIED = re.compile(r"(?:\bnot|n't)[\s*_\"'`]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateValue(Voting):
    """Asks a model how likely a beginning of a solution is to lead to one, `votes` times, and adds up what it says.

    The last word of a vote's last line is its verdict: `sure`, `likely` or `impossible`. With the weight w of a
    verdict and n votes that were cast, the value is

        (w(v_1) + ... + w(v_n)) / (n * w_max)

    in [0, 1], where w_max is the largest weight. It ranks states as the sum of the weights does, since every state
    has as many votes; where calls fail, as the mean of those that were cast. A vote without a verdict weighs 0, as
    in the paper's code. A state that all calls failed for is an abstention. Equal prompts are asked about once.

    Cost: ceil(votes / per_call) calls for each different prompt, side by side.

    Source: Yao et al. 2023, "Tree of Thoughts", arXiv 2305.10601, §3 (3a: value each state independently), §4.1, and
    the weights of its code for the Game of 24: 20, 1, 0.001. There a value is kept for all problems of a run; here
    for the states that are scored together.

    Args:
        model: Name of the model that judges; None for the first.
        votes: Verdicts on each state, at least 1; more than one needs a temperature.
        per_call: Verdicts drawn by one request, at least 1; above 1 the prompt is paid once per request.
        template: The prompt, with any of `{{ problem }}`, `{{ thoughts }}` (all that is written) and `{{ state }}`,
            of the last two at least one; None for the built-in one.
        answer_template: The prompt for a solution that states its answer, with `{{ answer }}` (its last line) as
            well; None for `template`.
        state: A regular expression: what its first group (or all of it) last matches in the last thought is the
            state, such as the numbers left in `left: 4 6 10`. A last thought without a match is the state itself.
            None for all that is written.
        sure, likely, impossible: Weights of the verdicts, each at least 0 and finite, the largest above 0.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on a vote, in tokens.

    Raises:
        InvalidInputError: An argument is not what it must be.
    """

    name: ClassVar[str] = "state_value"

    model: str | None = None
    votes: int = 3
    per_call: int = 1
    template: str | None = None
    answer_template: str | None = None
    state: str | None = None
    sure: float = 20.0
    likely: float = 1.0
    impossible: float = 0.001
    temperature: float | None = 0.7
    max_tokens: int = 256

    def __post_init__(self) -> None:
        if self.votes < 1 or self.per_call < 1:
            raise InvalidInputError(
                f"votes and per_call must be at least 1, not {self.votes} and {self.per_call}"
            )
        check_ranges(temperature=self.temperature, max_tokens=self.max_tokens)
        if self.votes > 1 and self.temperature == 0.0:
            raise InvalidInputError(
                f"{self.votes} votes at temperature 0 are the same; give a temperature above 0"
            )
        weights = self._weights
        if not all(0.0 <= weight < float("inf") for weight in weights.values()) or not any(weights.values()):
            raise InvalidInputError(
                f"sure, likely and impossible must be at least 0, finite and not all 0, not {list(weights.values())}"
            )
        for template in (self.template, self.answer_template):
            if template is not None:
                check_template(template, needed=(), known=_FIELDS)
        if self.template is not None and not re.search(r"\{\{\s*(?:thoughts|state)\s*\}\}", self.template):
            raise InvalidInputError(
                "template must have {{ thoughts }} or {{ state }}, or the model does not see them"
            )
        pattern_of(self.state)

    @property
    def _weights(self) -> Mapping[str, float]:
        return {"sure": self.sure, "likely": self.likely, "impossible": self.impossible}

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order.

        Raises:
            BudgetExceededError, DeadlineExceededError: Not one candidate could be judged.
        """
        question = ctx.prompt.question(problem)
        prompts = [self._prompt(ctx, question, candidate) for candidate in candidates]
        different = list(dict.fromkeys(prompts))
        branches = [ctx.branch(label=digest(prompt)) for prompt in different]
        asking = self._question()
        said = await concurrently(
            tried(asking.put(branch, prompt)) for branch, prompt in zip(branches, different, strict=True)
        )
        scores = {prompt: self._score(votes) for prompt, votes in zip(different, said, strict=True)}
        if all(score.value is None for score in scores.values()):
            for votes in said:
                if isinstance(votes, LIMITS):
                    raise votes
        return [scores[prompt] for prompt in prompts]

    def _prompt(self, ctx: Context, question: str, candidate: Candidate) -> str:
        thoughts = shown(candidate)
        answered = self.answer_template is not None and ctx.answers.stated(thoughts) is not None
        state = state_of(pattern_of(self.state), thoughts) if thoughts else question
        template = self.answer_template if answered else self.template
        return self._worded(question, thoughts, state, template)

    def _score(self, votes: list[Sample] | Failed) -> Score:
        if not isinstance(votes, list):
            return Score(value=None, reason=because("the judge did not answer", votes))
        weights = self._weights
        cast = Counter(find_verdict(vote) for vote in votes)
        # Summed in one order, so that equal votes are equal values.
        total = sum(weights[verdict] * cast[verdict] for verdict in reversed(VERDICTS))
        reason = ", ".join(f"{cast[verdict]} {verdict}" for verdict in VERDICTS)
        return Score(value=min(1.0, total / (len(votes) * max(weights.values()))), reason=reason)

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """What scoring so many candidates, each of this size, costs at most."""
        question, said = costing.question, costing.unknown(size.tokens)
        dearest = FREE
        for template in (self.template, self.answer_template or self.template):
            for thoughts, state in ((said, said), ("", question)):
                prompt = self._worded(question, thoughts, state, template)
                dearest = dearest.or_else(await self._question().worst_case(costing, prompt))
        worst = dearest.times(count)
        return Spending(
            label=self.name, kind=self.name, worst=worst, note=counted(count, "state"), reason=REMARK
        )

    def _worded(self, question: str, thoughts: str, state: str, template: str | None) -> str:
        values = {"problem": question, "thoughts": thoughts, "state": state, "answer": last_line(thoughts)}
        if template is not None:
            return fill(template, values, of="a judge of states")
        fences = {name: fenced(name, text, among=values.values()) for name, text in values.items()}
        return f"{AS_DATA}\n\n{fill(_TEMPLATE, fences)}"


def find_verdict(vote: Sample) -> str | None:
    """The word that ends a vote's last line; None where there is none, where it is denied, and in one cut off."""
    line = last_line(_core.after_thinking(vote.text) or "")
    match = None if vote.truncated else _VERDICT.search(line)
    if match is None or _DENIED.search(line, endpos=match.start()):
        return None
    return match[1].lower()


def pattern_of(state: str | None) -> Pattern | None:
    """The regular expression of a state.

    Raises:
        InvalidInputError: It is not one.
    """
    return None if state is None else Pattern.of(state, name="state")


def state_of(pattern: Pattern | None, thoughts: str) -> str:
    """The state that `thoughts` have led to: all of them without a `pattern`, else what it says of the last one."""
    if pattern is None:
        return thoughts
    line = last_line(thoughts)
    found = pattern.last_in(line)
    return line if found is None else found.strip()


def last_line(text: str) -> str:
    """The last line that is not blank, without the space around it; empty where there is none."""
    return text.rstrip().rpartition("\n")[2].strip()
