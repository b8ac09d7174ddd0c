"""Process reward models: a score for each step of a solution, and one for the solution made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from ..backends.rewards import COMPLETION_LOGPROBS, PROTOCOLS, places_in, rating_from
from ..context import Context
from ..costs import Costing, Size, Spending, counted
from ..errors import InvalidInputError
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
from .steps import Aggregation, Splitting, aggregate, check_aggregation, check_splitting, split_steps

__all__ = ["CONVENTIONS", "Convention", "ProcessRewardModel"]

QWEN_SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."

QWEN_TEMPLATE = (
    f"<|im_start|>system\n{QWEN_SYSTEM}<|im_end|>\n"
    "<|im_start|>user\n{{ problem }}<|im_end|>\n"
    "<|im_start|>assistant\n{{ solution }}<|im_end|>"
)
"""The chat template of the Qwen2.5 models, written out so that several solutions fit one request."""

STEP_LABEL = re.compile(r"step\s*\d+\s*:", re.IGNORECASE)

ConventionName = Literal["qwen2.5-math-prm", "math-shepherd", "tagged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How a family of process reward models is shown a solution, and where its scores are.

    Attributes:
        rating: The route asked.
        tag: Stands after each step.
        splitting: What ends a step.
        template: What is rated, with the places `{{ problem }}` and `{{ solution }}`.
        system: System message of the conversation, where the server applies its own template.
        label: Which of the numbers of a step is its reward, from 0; None where it is one number.
        prefixes: Ask about each beginning of the solution, up to a tag, by itself: the model tells by the next token.
    """

    rating: Rating
    tag: str
    splitting: Splitting
    template: str
    system: str | None = None
    label: int | None = None
    prefixes: bool = False


_POOLING = PROTOCOLS["vllm_pooling"]
_TOKENS = replace(_POOLING, body={**_POOLING.body, "task": "token_classify"})

CONVENTIONS: Mapping[str, Convention] = {
    "qwen2.5-math-prm": Convention(
        rating=replace(_TOKENS, width=2, serve="vllm serve Qwen/Qwen2.5-Math-PRM-7B --runner pooling"),
        tag="<extra_0>",
        splitting="paragraphs",
        template=QWEN_TEMPLATE,
        system=QWEN_SYSTEM,
        label=1,
    ),
    "math-shepherd": Convention(
        rating=replace(COMPLETION_LOGPROBS, tokens=("+", "-")),
        tag=" ки\n",
        splitting="lines",
        template="{{ problem }} {{ solution }}",
        prefixes=True,
    ),
    "tagged": Convention(
        rating=_TOKENS, tag="\n\n", splitting="paragraphs", template="{{ problem }}\n\n{{ solution }}"
    ),
}
"""Conventions by the name they have in program files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRewardModel:
    """Scores each step of a solution by a reward model behind an HTTP route; the value is their aggregation.

    A solution with the steps y_1..y_s has the step rewards r_i = r(x, y_1..y_i) in [0, 1] and the value r_s (`last`),
    min r_i (`min`), the product of all r_i (`prod`) or their mean (`mean`). Conventions:

    - `qwen2.5-math-prm`: steps end at blank lines, `<extra_0>` stands after each, and r_i is the softmax probability
      of class 1 at the i-th `<extra_0>`. Asked of vLLM's `/pooling` (task `token_classify`), which applies the
      softmax and returns a pair of probabilities for each tag: one text a solution.
    - `math-shepherd`: every line is a step, `Step i:` stands before it where it does not already, ` ки` after it, and
      r_i = p(+) / (p(+) + p(-)) for the token that follows the i-th ` ки`. Asked of `/v1/completions` (vLLM or
      llama.cpp's server) with the 20 likeliest tokens, one text a step: the beginning of the solution up to that tag.
      Beginnings that solutions share are asked about once, and a server with a prefix cache reads each step once.
      What vLLM's `/pooling` gives for this model is not used: it picks hidden states, not logits, by the two ids.
    - `tagged`: any other model that gives one score a step, by `template`, `tag`, `steps` and `protocol`; without a
      `protocol`, vLLM's `/pooling`, started with the tag's token as `step_tag_id` in its `--pooler-config`.

    Step tags inside a solution's own text are removed, so that a solution cannot add steps. Another number of
    scores than steps is an abstention; so is a call that fails, on its solutions.

    Cost: ceil(solutions / batch) calls, or one a solution with `chat`; with `math-shepherd` ceil(beginnings / batch)
    for distinct beginnings, each also charged for the one token it writes a step.

    Sources: Lightman et al., "Let's Verify Step by Step", arXiv 2305.20050 (`prod`, `min`); Wang et al.,
    "Math-Shepherd", arXiv 2312.08935 (`min`); Zhang et al., "The Lessons of Developing Process Reward Models in
    Mathematical Reasoning", arXiv 2501.07301; Snell et al., "Scaling LLM Test-Time Compute Optimally", arXiv
    2408.03314, who take `last`, hence the default.

    Args:
        model: Name of the reward model among the run's models; None for the first.
        convention: `qwen2.5-math-prm`, `math-shepherd` or `tagged`.
        aggregation: `last`, `min`, `prod` or `mean`.
        steps: `paragraphs` (blank lines) or `lines`; None for the convention's.
        tag: What stands after each step; None for the convention's.
        template: What is rated, with the places `{{ problem }}` and `{{ solution }}`; None for the convention's.
        protocol: Another route, as a name or mapping (see `OutcomeRewardModel`); `width` in it is the
            numbers a step has. None for the convention's.
        chat: Send problem and solution as a conversation, for the server's own chat template; one a call.
        activation: `identity`, `sigmoid` or `softmax`, of each step's numbers.
        label: Which of a step's numbers is its reward, from 0; None for the convention's.
        batch: Texts in one call, at least 1.

    Raises:
        InvalidInputError: An argument is not what it must be; while scoring, what the model gives does not fit
            `label` and `activation`.
    """

    name: ClassVar[str] = "process_reward_model"

    model: str | None = None
    convention: ConventionName = "qwen2.5-math-prm"
    aggregation: Aggregation = "last"
    steps: Splitting | None = None
    tag: str | None = None
    template: str | None = None
    protocol: str | Mapping[str, Any] | None = None
    chat: bool = False
    activation: Activation = "identity"
    label: int | None = None
    batch: int = 16

    def __post_init__(self) -> None:
        if self.convention not in CONVENTIONS:
            raise InvalidInputError(
                f"convention must be one of {', '.join(CONVENTIONS)}, not {self.convention!r}"
            )
        check_aggregation(self.aggregation)
        check_activation(self.activation, self.label)
        if self.steps is not None:
            check_splitting(self.steps)
        way = self._way()
        if not way.tag.strip() and self.convention != "tagged":
            raise InvalidInputError(f"tag must be a text that marks the end of a step, not {self.tag!r}")
        check_asking(way.template, batch=self.batch)

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order."""
        way = self._way()
        question = ctx.prompt.question(problem)
        rating = about(way.rating, problem, question, system=way.system)
        alone = "messages" in places_in(rating.body)
        split = [self._steps(way, candidate.sample.text) for candidate in candidates]
        asked = [_texts(way, question, steps, alone=alone) for steps in split]
        wanted = in_one_order(text for texts in asked for text in texts)
        said = dict(
            zip(wanted, await ctx.rate(wanted, rating, model=self.model, batch=self.batch), strict=True)
        )
        return scores_of(
            [
                self._score(way, len(steps), [said[text] for text in texts])
                for steps, texts in zip(split, asked, strict=True)
            ]
        )

    def _way(self) -> Convention:
        """The convention with what the arguments change in it."""
        way = CONVENTIONS[self.convention]
        rating = way.rating if self.protocol is None else rating_from(self.protocol)
        if self.chat:
            rating = as_conversation(rating, only="models behind vLLM's /pooling")
        return replace(
            way,
            rating=rating,
            tag=way.tag if self.tag is None else self.tag,
            splitting=self.steps or way.splitting,
            template=way.template if self.template is None else self.template,
            label=self.label if self.label is not None or self.protocol is not None else way.label,
            prefixes=way.prefixes and self.protocol is None,
        )

    def _steps(self, way: Convention, text: str) -> list[str]:
        mark = way.tag.strip()
        steps = split_steps(text.replace(mark, "") if mark else text, way.splitting)
        if self.convention != "math-shepherd":
            return steps
        return [
            step if STEP_LABEL.match(step) else f"Step {number}: {step}"
            for number, step in enumerate(steps, 1)
        ]

    def _score(self, way: Convention, count: int, said: Sequence[Rated]) -> Score | Exception:
        if not count:
            return Score(value=None, reason="no text to score")
        numbers: list[float] = []
        for part in said:
            if isinstance(part, Exception):
                return part
            numbers += part
        if len(numbers) != count * way.rating.width:
            return Score(
                value=None,
                reason=f"the reward model gave {len(numbers) / way.rating.width:g} scores for {count} steps",
            )
        width = way.rating.width
        rewards = tuple(
            reward(numbers[at : at + width], activation=self.activation, label=way.label)
            for at in range(0, len(numbers), width)
        )
        return Score(value=aggregate(rewards, self.aggregation), steps=rewards)

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """What scoring so many candidates, each of this size, costs at most."""
        way, question = self._way(), costing.question
        rating = about(way.rating, costing.problem, question, system=way.system)
        alone = "messages" in places_in(rating.body)
        # Every token may be a step, with a tag after it and a label before.
        longest = size.tokens * (1 + len(f"Step 99999: {way.tag}".encode()))
        parts, length = (size.tokens, longest) if way.prefixes else (1, longest)
        values = {"problem": question, "solution": costing.unknown(length)}
        text = fill("{{ solution }}" if alone else way.template, values)
        worst = await costing.rate(text, rating, model=self.model, batch=self.batch, count=count * parts)
        return Spending(label=self.name, kind=self.name, worst=worst, note=counted(count, "solution"))


def _texts(way: Convention, question: str, steps: Sequence[str], *, alone: bool) -> list[str]:
    """What is asked about one solution: all of it, or each of its beginnings; `alone` leaves the problem out."""
    if not steps:
        return []
    ends = range(1, len(steps) + 1) if way.prefixes else [len(steps)]
    template = "{{ solution }}" if alone else way.template
    values = {"problem": question}
    texts = []
    for end in ends:
        solution = "".join(step + way.tag for step in steps[:end])
        texts.append(fill(template, {**values, "solution": solution.rstrip() if way.prefixes else solution}))
    return texts
