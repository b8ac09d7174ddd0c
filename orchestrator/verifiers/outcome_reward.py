"""Outcome reward models: one score for a whole solution, from a model trained to tell right ones from wrong ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..backends.rewards import places_in, rating_from
from ..context import Context
from ..costs import Costing, Size, Spending, counted
from ..prompts import fill
from ..rating import Rated
from ..types import Candidate, Problem, Rating, Score
from .rewards import (
    Activation,
    about,
    as_conversation,
    check_activation,
    check_asking,
    in_one_order,
    reward,
    scores_of,
)

__all__ = ["OutcomeRewardModel"]

SOLUTION = "{{ solution }}"
PROBLEM_AND_SOLUTION = "{{ problem }}\n\n{{ solution }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRewardModel:
    """Scores a solution y of a problem x by a reward model r(x, y) behind an HTTP route.

    The value is activation(r(x, y)) in [0, 1]. Equal texts are asked about once in a problem; the others travel
    together, `batch` in a call. A call that fails is an abstention on its texts, with the reason.

    Cost: ceil(candidates / batch) calls, or one a candidate where the route takes one (`chat`); each is charged for
    the tokens the server says it read, else for the most they can be.

    Source: Cobbe et al., "Training Verifiers to Solve Math Word Problems", arXiv 2110.14168, whose verifier's score
    for the finished solution this is.

    Servers, with what starts them: vLLM's `/classify`, `/pooling`, `/score` and `/v1/rerank` (`vllm serve MODEL
    --runner pooling`; it applies sigmoid or softmax itself unless it is told not to), llama.cpp's `/v1/rerank`
    (`llama-server --reranking`; raw scores: `activation="sigmoid"`), and whatever a mapping describes.

    Args:
        model: Name of the reward model among the run's models; None for the first.
        protocol: `vllm_classify`, `vllm_pooling`, `vllm_score`, `rerank`, or a mapping: `route` (a path under the
            server's root), `body` (JSON with the places `{{ model }}`, `{{ query }}` for the problem, and one of
            `{{ texts }}`, `{{ text }}` and `{{ messages }}`), `scores` (the path to them in the answer, such as
            `data[].score`), and optionally `serve` (how to start a server that has the route, for error messages).
        template: The text that is rated, with the places `{{ problem }}` and `{{ solution }}`. None: the solution
            alone where the problem travels apart from it, else the problem, a blank line and the solution.
        chat: Send problem and solution as a conversation, for the server's own chat template; one a call.
        activation: `identity`, `sigmoid` or `softmax`.
        label: Which of several class scores is the reward, from 0; None where the model gives one number.
        batch: Texts in one call, at least 1.

    Raises:
        InvalidInputError: An argument is not what it must be; while scoring, what the model gives does not fit
            `label` and `activation`.
    """

    name: ClassVar[str] = "outcome_reward_model"

    model: str | None = None
    protocol: str | Mapping[str, Any] = "vllm_classify"
    template: str | None = None
    chat: bool = False
    activation: Activation = "identity"
    label: int | None = None
    batch: int = 16

    def __post_init__(self) -> None:
        check_activation(self.activation, self.label)
        check_asking(self._template(self._rating()), batch=self.batch)

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order."""
        question = ctx.prompt.question(problem)
        rating = about(self._rating(), problem, question)
        texts = [self._text(rating, question, candidate) for candidate in candidates]
        wanted = in_one_order(text for text in texts if text)
        rated = dict(
            zip(wanted, await ctx.rate(wanted, rating, model=self.model, batch=self.batch), strict=True)
        )
        return scores_of([self._score(rated[text]) if text else _EMPTY for text in texts])

    def _rating(self) -> Rating:
        rating = rating_from(self.protocol)
        return as_conversation(rating, only="vllm_classify and vllm_pooling") if self.chat else rating

    def _template(self, rating: Rating) -> str:
        if self.template is not None:
            return self.template
        apart = places_in(rating.body) & {"query", "messages"}
        return SOLUTION if apart else PROBLEM_AND_SOLUTION

    def _text(self, rating: Rating, question: str, candidate: Candidate) -> str:
        """What is rated, or "" where there is nothing to rate."""
        solution = candidate.sample.text.strip()
        if not solution:
            return ""
        return fill(self._template(rating), {"problem": question, "solution": solution})

    def _score(self, said: Rated) -> Score | Exception:
        if isinstance(said, Exception):
            return said
        return Score(value=reward(said, activation=self.activation, label=self.label))

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """What scoring so many candidates, each of this size, costs at most."""
        question = costing.question
        rating = about(self._rating(), costing.problem, question)
        values = {"problem": question, "solution": costing.unknown(size.tokens)}
        text = fill(self._template(rating), values)
        worst = await costing.rate(text, rating, model=self.model, batch=self.batch, count=count)
        return Spending(label=self.name, kind=self.name, worst=worst, note=counted(count, "text"))


_EMPTY = Score(value=None, reason="no text to score")
