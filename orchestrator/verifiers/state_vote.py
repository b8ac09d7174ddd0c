"""Which of the states of a search is the most promising, by vote of a model. Cost: ceil(votes / per_call) calls."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from .. import _core
from ..asking import check_ranges
from ..context import Context
from ..costs import FREE, UNKNOWN, Costing, Size, Spending, counted
from ..errors import InvalidInputError
from ..prompts import fill
from ..types import Candidate, Problem, Sample, Score
from .judging import AS_DATA, LIMITS, MARKS, REMARK, Voting, because, check_template, fenced, shown, tried
from .state_value import last_line

__all__ = ["StateVote", "find_choice"]

_TEMPLATE = """Which of these beginnings of a solution is the most promising?

Problem:
{{ problem }}

{{ choices }}

Weigh them against each other in a few sentences. Then write on the last line: The best choice is, and its number."""

_MARKS = r"[\s*_\"'`:.(\[#]*+"
_SAID = re.compile(
    rf"best choice is{_MARKS}(?:number|choice|option|no\.)?+{_MARKS}(\d{{1,6}}+)(?!\d)", re.IGNORECASE
)
_ALONE = re.compile(rf"{_MARKS}(?:choice|option)?+{_MARKS}(\d{{1,6}}+)[\s*_\"'`.!)\]]*+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateVote(Voting):
    """Shows a model all states at once and asks, `votes` times, which is the most promising.

    The value of a state is its share of the votes that could be read, in [0, 1]; equal texts are one choice and have
    the same value. Where no vote could be read, and where all calls failed, all are abstentions. A single state is
    not asked about: its value is 1.

    Cost: ceil(votes / per_call) calls, side by side.

    Source: Yao et al. 2023, "Tree of Thoughts", arXiv 2305.10601, §3 (3b: vote across states), §4.2. There a share is
    a count of votes, which ranks states alike.

    Args:
        model: Name of the model that votes; None for the first.
        votes: Votes on each set of states, at least 1; more than one needs a temperature.
        per_call: Votes drawn by one request, at least 1; above 1 the prompt is paid once per request.
        template: The prompt, with `{{ choices }}` (the states, numbered from 1) and `{{ problem }}`; None for the
            built-in one. A vote is the number after the last "best choice is", or alone on the last line.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on a vote, in tokens.

    Raises:
        InvalidInputError: An argument is not what it must be.
    """

    name: ClassVar[str] = "state_vote"
    comparative: ClassVar[bool] = True

    model: str | None = None
    votes: int = 5
    per_call: int = 1
    template: str | None = None
    temperature: float | None = 0.7
    max_tokens: int = 512

    def __post_init__(self) -> None:
        for name in ("votes", "per_call"):
            if getattr(self, name) < 1:
                raise InvalidInputError(f"{name} must be at least 1, not {getattr(self, name)}")
        check_ranges(temperature=self.temperature, max_tokens=self.max_tokens)
        if self.votes > 1 and self.temperature == 0.0:
            raise InvalidInputError(
                f"{self.votes} votes at temperature 0 are the same; give a temperature above 0"
            )
        if self.template is not None:
            check_template(self.template, needed=("choices",), known=("problem", "choices"))

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order.

        Raises:
            BudgetExceededError, DeadlineExceededError: Not one vote could be had.
        """
        texts = [shown(candidate) for candidate in candidates]
        choices = list(dict.fromkeys(texts))
        if len(choices) < 2:
            return [Score(value=1.0, reason="there is nothing to choose between")] * len(candidates)
        asking = self._question()
        said = await tried(asking.put(ctx, self._prompt(ctx.prompt.question(problem), choices)))
        if isinstance(said, LIMITS):
            raise said
        if not isinstance(said, list):
            return [Score(value=None, reason=because("the judge did not answer", said))] * len(candidates)
        read = [choice for vote in said if (choice := find_choice(vote, len(choices))) is not None]
        if not read:
            return [Score(value=None, reason="no vote could be read")] * len(candidates)
        count = Counter(read)
        scores = {
            text: Score(value=count[number] / len(read), reason=f"{count[number]} of {len(read)} votes")
            for number, text in enumerate(choices, 1)
        }
        return [scores[text] for text in texts]

    def _prompt(self, question: str, choices: Sequence[str]) -> str:
        listed = "\n\n".join(
            f"Choice {number}:\n{fenced('choice', text, among=[question, *choices])}"
            for number, text in enumerate(choices, 1)
        )
        if self.template is not None:
            return fill(self.template, {"problem": question, "choices": listed}, of="a vote")
        return f"{AS_DATA}\n\n{fill(_TEMPLATE, {'problem': question, 'choices': listed})}"

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """What scoring so many candidates, each of this size, costs at most."""
        if count < 2:
            return Spending(label=self.name, kind=self.name, worst=FREE)
        if count == math.inf:
            return Spending(label=self.name, kind=self.name, worst=UNKNOWN)
        marks = MARKS if costing.tokenizes(self.model) else 0
        prompt = self._prompt(costing.question, [costing.unknown(size.tokens + marks)] * int(count))
        worst = await self._question().worst_case(costing, prompt)
        return Spending(
            label=self.name,
            kind=self.name,
            worst=worst,
            note=f"{counted(count, 'state')} together",
            reason=REMARK,
        )


def find_choice(vote: Sample, choices: int) -> int | None:
    """The choice, from 1, that a vote is for; None where it says none, or one that there is not."""
    text = "" if vote.truncated else _core.after_thinking(vote.text) or ""
    said = _SAID.findall(text)
    alone = None if said else _ALONE.fullmatch(last_line(text))
    number = int(said[-1]) if said else 0 if alone is None else int(alone[1])
    return number if 1 <= number <= choices else None
