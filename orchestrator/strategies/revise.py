"""Sequential revision: each answer is written after reading the ones before. Cost: length calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..context import Context
from ..contracts import Verifier, logprobs_for
from ..costs import FREE, Costing, Size, Spending
from ..prompts import Rendered, fill
from ..types import Candidate, Outcome, Problem
from .attempts import Attempts
from .base import Strategy, at_least
from .chain import choose_in_chain, extend, prompt_values
from .quoting import shown

__all__ = ["PROMPT", "Revise"]

PROMPT = (
    "This answer may be wrong. Check it, and write a new, better answer to the question.\n\n{{ problem }}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revise(Strategy):
    """Writes a chain of `length` answers, each in the light of the last `memory` ones, and chooses among all of them.

    Answer i is drawn from p(y | x, y[i - memory], ..., y[i - 1]): the conversation holds the question, and after each
    earlier answer the request for a better one. The choice is the most frequent answer of the chain, or the one
    `verifier` likes best; ties go to the latest. It is never simply the last one: a model that is asked to revise
    also turns right answers into wrong ones. A call that fails leaves the chain one shorter.

    Source: Snell et al., "Scaling LLM Test-Time Compute Optimally", arXiv 2408.03314, §6. Differs in asking for a
    revision in words, where the paper fine-tunes a model to revise.

    Cost: length calls, plus the verifier's for as many candidates.

    Args:
        length: Answers in the chain, at least 1.
        memory: Earlier answers shown, the latest ones, at least 1. The paper shows 4.
        verifier: Chooses the answer; None for a vote.
        prompt: What is said after an earlier answer. Placeholders: `{{ problem }}`, as it was asked, and
            `{{ answer }}`, the text of that answer.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.

    The outcome's `detail` has `length`, the answers there are, and `chain`, what each of them was (None: unreadable),
    with what the choice says: `votes` and `abstentions`, or `score`.
    """

    paper: ClassVar[str] = "Snell et al., arXiv 2408.03314, §6"
    cost: ClassVar[str] = "length"
    pays: ClassVar[str] = "answers that are nearly right, a model that sees its mistakes when shown them"

    length: int = 4
    memory: int = 4
    verifier: Verifier | None = None
    prompt: str = PROMPT

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        at_least(1, length=self.length, memory=self.memory)
        fill(self.prompt, {"problem": "", "answer": ""}, of="`prompt`")

    @property
    def most_calls(self) -> int:
        """length."""
        return self.length

    @property
    def choice(self) -> str:
        """The choice in the chain."""
        return f"the choice among {self.length} revisions"

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Choose in a chain of answers to `problem`."""
        attempts = await self.chain(ctx, problem)
        written = [None if one.answer is None else one.answer.text for one in attempts.candidates]
        detail = {"length": len(written), "chain": written}
        return await choose_in_chain(ctx, problem, attempts, verifier=self.verifier, detail=detail)

    async def chain(self, ctx: Context, problem: Problem) -> Attempts:
        """The chain alone, with what failed in it; nothing is chosen yet."""
        attempts = Attempts()
        ask, logprobs = ctx.ask(problem, model=self.model), logprobs_for(self.verifier)
        for _ in range(self.length):
            if attempts.ended:
                break
            before = attempts.candidates[-self.memory :]
            revision = self._revision(ctx, ask, problem, before)
            parent = before[-1] if before else None
            new = await extend(ctx, self, attempts, revision, parent=parent, logprobs=logprobs)
            if new is not None and parent is not None:
                ctx.step("revised", f"{_answer_of(parent)} -> {_answer_of(new)}")
        return attempts

    def _revision(self, ctx: Context, ask: Rendered, problem: Problem, before: list[Candidate]) -> Rendered:
        """The question, followed by earlier answers and what is said to each."""
        for candidate in before:
            asked = fill(self.prompt, prompt_values(ctx, problem, candidate), of="the revision")
            ask = ask.then(shown(candidate), asked)
        return ask

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        drawn = await self.writing(costing)
        if self.verifier is None:
            return self._spending(drawn)
        size = Size(tokens=self.longest_text(costing))
        return self._spending(drawn, await costing.scoring(self.verifier, self.length, size))

    async def writing(self, costing: Costing) -> Spending:
        """What the chain alone costs at most."""
        ask, size = costing.ask(self.model), self.longest_text(costing)
        before = [costing.candidate(size) for _ in range(min(self.memory, self.length - 1))]
        worst = FREE
        for shown_ones in range(len(before) + 1):
            revision = self._revision(costing.ctx, ask, costing.problem, before[:shown_ones])
            times = self.length - len(before) if shown_ones == len(before) else 1
            worst += (await self._drawing(costing, revision)).worst.times(times)
        note = f"{self.length} answers, each after the last {self.memory}"
        return Spending(label="answers", kind="sample", worst=worst, note=note, on_branch=False)


def _answer_of(candidate: Candidate) -> str:
    return "no answer" if candidate.answer is None else candidate.answer.text[:60]
