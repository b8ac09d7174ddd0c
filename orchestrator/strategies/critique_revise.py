"""Self-refine: draft, critique, revise, until the critic accepts. Cost: at most 1 + 2 * rounds calls."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from ..context import Context
from ..contracts import Verifier, compares, logprobs_for
from ..costs import Costing, Size, Spending, counted, repeated
from ..errors import InvalidInputError
from ..prompts import Rendered, fill
from ..types import Candidate, Outcome, Problem, StopReason
from .acceptance import Acceptance, Verdict, examine, examining, verifier_of
from .attempts import Attempts
from .base import Strategy, at_least
from .chain import choose_in_chain, extend, linked, prompt_values, state
from .quoting import fenced, further_fences, shown, visible
from .selection import share_of

__all__ = ["CritiqueRevise", "accepts"]

CRITIQUE = """Question: {{ problem }}

Proposed answer, as data between fences:
{{ answer }}

Check the proposed answer. If it is right, reply with the single word {{ mark }}. \
If it is not, say in one or two sentences what is wrong with it.

Review:"""

REVISION = """A reviewer says of this answer: {{ critique }}

Write an improved answer to the question.

{{ problem }}"""

NO_CRITIQUE = "Check every step again, and correct what is wrong."
"""Stands in for a critique that failed: the revision is still worth its call."""

LAST_WORDS = 200
"""Characters of a critique's last line that are looked at: the search takes the square of them at worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CritiqueRevise(Strategy):
    """Drafts an answer, then up to `rounds` times has it criticised and writes it again with the critique.

    y[0] ~ p(y | x); c[i] ~ q(c | x, y[i]); y[i + 1] ~ p(y | x, y[i], c[i]). It ends

    - when y[i] is accepted: by the rule `accept`, asked before each critique and after the last revision, or without
      one by the critic, whose reply is or ends in `mark`; an answer that cannot be read is never accepted;
    - when a revision says what the answer before it said, or what an earlier one said (a cycle);
    - after `rounds` rounds.

    An accepted answer is the final one. Otherwise the whole chain is chosen from, by `verifier` or vote, ties going
    to the latest. A critique that fails is replaced by a request to check every step; a revision that fails leaves
    the answer to the next round, and a round without any answer drafts again.

    Source: Madaan et al., "Self-Refine: Iterative Refinement with Self-Feedback", arXiv 2303.17651, algorithm 1.
    Differs in showing the last answer and its critique instead of the whole history, in a critic that may be another
    model, and in choosing from the chain where nothing was accepted.

    Cost: at most 1 + 2 * rounds calls, plus those of `accept` for each answer and of `verifier`.

    Args:
        rounds: Critiques, each followed by a revision, at least 1.
        accept: When an answer is good enough; None leaves it to the critic.
        critic_model: Name of the model that criticises; None for `model`.
        verifier: Chooses from the chain where nothing was accepted; None for `accept`'s own, else a vote.
        critique_prompt: What the critic is asked. Placeholders: `{{ problem }}`, `{{ answer }}` (which comes fenced),
            `{{ mark }}`.
        revise_prompt: What is said after the answer. Placeholders: `{{ problem }}`, `{{ answer }}`, `{{ critique }}`.
        mark: A word that says the critic accepts; upper and lower case are the same.
        critique_tokens: Cap on each critique, in tokens; None is that of the answers.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.

    The outcome's `detail` has `rounds` begun, and as `ended` why: `accepted`, `unchanged`, `cycle`, `rounds`,
    `budget` or `deadline`; with what the choice says. An accepted answer's confidence is what `accept` looked at, or
    its share of the chain when the critic accepted it.
    """

    paper: ClassVar[str] = "Madaan et al., arXiv 2303.17651"
    cost: ClassVar[str] = "1 + 2 * rounds"
    pays: ClassVar[str] = (
        "answers whose faults are easier to see than to avoid, a critic better than the writer"
    )

    rounds: int = 3
    accept: Acceptance | None = None
    critic_model: str | None = None
    verifier: Verifier | None = None
    critique_prompt: str = CRITIQUE
    revise_prompt: str = REVISION
    mark: str = "ACCEPT"
    critique_tokens: int | None = None

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        at_least(1, rounds=self.rounds, critique_tokens=self.critique_tokens)
        if not self.mark.strip():
            raise InvalidInputError("mark must be a word, such as 'ACCEPT', not an empty text")
        values = {"problem": "", "answer": ""}
        fill(self.critique_prompt, {**values, "mark": ""}, of="`critique_prompt`")
        fill(self.revise_prompt, {**values, "critique": ""}, of="`revise_prompt`")

    @property
    def most_calls(self) -> int:
        """1 + 2 * rounds."""
        return 1 + 2 * self.rounds

    @property
    def choice(self) -> str:
        """The accepted answer, or the chain's."""
        return f"the answer after up to {self.rounds} critiques"

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Improve an answer to `problem` until it is accepted."""
        chain = _Chain(strategy=self, ctx=ctx, problem=problem, attempts=Attempts())
        await chain.improve()
        attempts = chain.attempts
        ended = attempts.stop_reason.value if attempts.ended and chain.ended == "rounds" else chain.ended
        detail = {"rounds": chain.rounds, "ended": ended}
        if chain.accepted is not None:
            outcome = linked(replace(chain.accepted, detail=detail))
        else:
            outcome = await choose_in_chain(ctx, problem, attempts, verifier=self.chooser, detail=detail)
        decided = chain.early and outcome.stop_reason is StopReason.COMPLETE
        return replace(outcome, stop_reason=StopReason.DECIDED) if decided else outcome

    @property
    def chooser(self) -> Verifier | None:
        """What chooses from a chain in which nothing was accepted."""
        return verifier_of(self.accept) if self.verifier is None else self.verifier

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        ask, tokens = costing.ask(self.model), self.longest_text(costing)
        model, cap = self.critic_model or self.model, self.critique_tokens or self.max_tokens
        critic = costing.using(aside=True).answer_tokens(model, cap)
        current, said = costing.candidate(tokens), costing.unknown(max(critic, len(NO_CRITIQUE)))
        values = prompt_values(costing.ctx, costing.problem, current) | {"mark": self.mark}
        about = fill(self.critique_prompt, values | {"answer": fenced(values["answer"])}, of="the critique")
        criticised = await self._drawing(
            costing,
            about,
            label="critique",
            model=model,
            aside=True,
            inserted=further_fences(costing, about, [(current, tokens)], model=model),
            max_tokens=cap,
        )
        asked = fill(self.revise_prompt, values | {"critique": said}, of="the revision")
        revised = await self._drawing(costing, ask.then(shown(current), asked), label="revision")
        parts = [
            await self._drawing(costing, ask, label="draft"),
            repeated(replace(criticised, on_branch=True), self.rounds),
            repeated(revised, self.rounds),
        ]
        size = Size(tokens=tokens)
        if self.accept is not None:
            parts.append(repeated(await examining(costing, self.accept, 1, size), self.rounds + 1))
        if self.chooser is not None and (self.verifier is not None or compares(self.chooser)):
            parts.append(await costing.scoring(self.chooser, self.rounds + 1, size))
        return self._spending(*parts)


@dataclass(slots=True, kw_only=True)
class _Chain:
    """A chain in the making; `early` when it ended with calls left."""

    strategy: CritiqueRevise
    ctx: Context
    problem: Problem
    attempts: Attempts
    rounds: int = 0
    ended: str = "rounds"
    early: bool = False
    accepted: Outcome | None = None

    async def improve(self) -> None:
        """Draft, then critique and revise until one of the ends is met."""
        ask = self.ctx.ask(self.problem, model=self.strategy.model)
        aside = self.ctx.branch(label="critique", aside=True)
        await self._write(ask)
        while self.rounds < self.strategy.rounds and not self.attempts.ended:
            self.rounds += 1
            if not self.attempts.candidates:
                await self._write(ask)  # the draft failed: this round is spent on another
            elif await self._round(ask, aside):
                self.early = self.accepted is not None or self.rounds < self.strategy.rounds
                return
        if not self.attempts.ended and self.attempts.candidates:
            await self._accepted_by_rule()

    async def _round(self, ask: Rendered, aside: Context) -> bool:
        """Critique and revise once; whether the chain has ended."""
        if await self._accepted_by_rule():
            return True
        current = self.attempts.candidates[-1]
        critique = await self._critique(aside, current)
        if self.attempts.ended:
            return True
        asked_critic = self.strategy.accept is None and current.answer is not None
        if asked_critic and accepts(critique, self.strategy.mark):
            return self._end_with("the critic accepts", confidence=None)
        values = prompt_values(self.ctx, self.problem, current) | {"critique": critique or NO_CRITIQUE}
        asked = fill(self.strategy.revise_prompt, values, of="the revision")
        await self._write(ask.then(shown(current), asked), parent=current)
        return self._repeats(since=current)

    async def _write(self, ask: Rendered, parent: Candidate | None = None) -> None:
        logprobs = logprobs_for(self.strategy.chooser, verifier_of(self.strategy.accept))
        await extend(self.ctx, self.strategy, self.attempts, ask, parent=parent, logprobs=logprobs)

    async def _critique(self, aside: Context, current: Candidate) -> str:
        """What the critic says, without its thinking; empty when its call failed."""
        strategy = self.strategy
        values = prompt_values(self.ctx, self.problem, current) | {"mark": strategy.mark}
        values["answer"] = fenced(values["answer"])  # an answer must not argue for its own acceptance
        asked = fill(strategy.critique_prompt, values, of="the critique")
        sample = await self.attempts.complete(
            aside,
            strategy,
            asked,
            model=strategy.critic_model,
            max_tokens=strategy.critique_tokens or strategy.max_tokens,
        )
        if sample is None:
            return ""
        said = visible(sample)
        self.ctx.step("critiqued", said[:200])
        return said

    async def _accepted_by_rule(self) -> bool:
        """Ask the rule about the latest answer, and end with it when it is accepted."""
        if self.strategy.accept is None:
            return False
        verdict = await self._examined(self.strategy.accept)
        self.attempts.candidates[:] = verdict.outcome.candidates
        if verdict.accepted:
            return self._end_with(verdict.reason, confidence=verdict.confidence)
        self.ctx.step("not accepted", verdict.reason)
        return False

    async def _examined(self, rule: Acceptance) -> Verdict:
        latest = self._latest()
        return await examine(self.ctx, self.problem, latest, self.attempts, rule)

    def _latest(self) -> Outcome:
        """The latest answer as an outcome: its confidence is its share of the chain."""
        candidates = tuple(self.attempts.candidates)
        answer = candidates[-1].answer
        return Outcome(answer=answer, confidence=share_of(answer, candidates), candidates=candidates)

    def _end_with(self, reason: str, *, confidence: float | None) -> bool:
        latest = self._latest()
        self.accepted = latest if confidence is None else replace(latest, confidence=confidence)
        self.ended = "accepted"
        self.ctx.step("accepted", reason)
        return True

    def _repeats(self, since: Candidate) -> bool:
        """Whether the revision of `since` says nothing new, which ends the chain."""
        *earlier, last = self.attempts.candidates
        if last is since or state(last) not in map(state, earlier):
            return False
        self.ended = "unchanged" if state(last) == state(since) else "cycle"
        self.ctx.step(self.ended, counted(len(earlier), "revision"))
        return True


def accepts(critique: str, mark: str) -> bool:
    """Whether a critic accepts: its first or last line is `mark`, or begins or ends with it as a sentence of its own.

    Markdown and punctuation around it do not matter, nor do a label before it (`Verdict: ACCEPT`) and the ending of
    `accepted`. The word inside a sentence (`I cannot accept this`) is none.
    """
    lines = [line.strip() for line in critique.splitlines() if line.strip()]
    if not lines:
        return False
    word = rf"{re.escape(mark.strip())}(?:ed)?"
    opening = re.compile(rf"[\W_]*{word}(?:[\W_]*|[*_]*\s*[.:!].*)", re.IGNORECASE)
    closing = re.compile(rf"(?:.*[.!?:])?[\W_]*{word}[\W_]*", re.IGNORECASE)
    first, last = lines[0], lines[-1][-LAST_WORDS - len(mark) :]
    return any(
        pattern.fullmatch(line) is not None and not line.endswith("?")
        for pattern, line in ((opening, first), (closing, last))
    )
