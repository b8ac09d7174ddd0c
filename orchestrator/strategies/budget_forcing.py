"""Budget forcing: thinking that is extended, or cut and made to end in an answer. Cost: at most waits + 2 calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from ..context import Context
from ..contracts import Verifier, logprobs_for
from ..costs import Costing, Size, Spending
from ..errors import InvalidInputError
from ..types import Outcome, Problem, Sample
from .attempts import Attempts
from .base import Strategy, at_least
from .chain import choose_in_chain
from .pieces import Pieces, on_a_new_line

__all__ = ["BudgetForcing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetForcing(Strategy):
    """Makes a model think for at least `min_tokens` and at most `max_tokens` tokens, and then answer.

    The model thinks. Where it ends before `min_tokens`, its text so far and `wait` are put before it, and it goes on,
    up to `waits` times. Where its thinking reaches `max_tokens` it is cut; then, and where no answer can be read from
    its last piece, the text so far and `end` are put before it, and it answers in at most `answer_tokens`. The
    answers read from the pieces, each by itself, and the forced one are the candidates; the choice is by vote or
    `verifier`, ties going to the latest, which is the forced one where there is one. A call that fails is one
    extension less.

    A plain-text model goes on with its text. A chat model is given the beginning of its reply, which needs a server
    that continues it: llama.cpp does, vLLM is asked to; other servers may begin a new reply. Where `delimiter` is in
    the text, thinking is what stands before it: what a model answered after that is dropped before it goes on.
    Reasoning that a server reports apart (`Sample.reasoning`) counts as thinking tokens; it takes the text's place
    where there is no other text, as when it was cut.

    Source: Muennighoff et al., "s1: Simple test-time scaling", arXiv 2501.19393, §3.1. Differs in choosing among all
    answers on the way, since going on thinking also turns right answers into wrong ones.

    Cost: at most waits + 2 calls, plus the verifier's for as many candidates. Each call after the first reads the
    text so far again, and the forced answer comes last: a budget of fewer tokens than all of this ends it while it
    thinks, with the answers so far.

    Args:
        min_tokens: Tokens of thinking before it may end, at least 0, by what the server counts; 0 never extends.
        max_tokens: Tokens of thinking at most, over all pieces: not the cap on one answer, as elsewhere. At least 1
            and `min_tokens`.
        wait: What is put after thinking that ended too early.
        waits: Extensions at most, at least 0.
        end: What is put after thinking to make the model answer.
        answer_tokens: Cap on the forced answer, in tokens, at least 1.
        delimiter: What ends the thinking in a text; None for models that write no such mark.
        verifier: Chooses the answer; None for a vote.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.

    The outcome's `detail` has `thinking_tokens`, `extensions`, as `ended` why thinking ended (`stopped` by the model,
    `cut`, or `budget`, `deadline`, `failed`), and whether the answer was `forced`.
    """

    paper: ClassVar[str] = "Muennighoff et al., arXiv 2501.19393, §3.1"
    cost: ClassVar[str] = "waits + 2"
    pays: ClassVar[str] = "reasoning models that stop too early, or think without end"

    min_tokens: int = 256
    max_tokens: int = 1024
    wait: str = "Wait"
    waits: int = 2
    end: str = "Final answer:"
    answer_tokens: int = 64
    delimiter: str | None = "</think>"
    verifier: Verifier | None = None

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        at_least(0, min_tokens=self.min_tokens, waits=self.waits)
        at_least(1, max_tokens=self.max_tokens, answer_tokens=self.answer_tokens)
        if self.min_tokens > self.max_tokens:
            raise InvalidInputError(
                f"min_tokens must be at most max_tokens = {self.max_tokens}, not {self.min_tokens}"
            )
        for name in ("wait", "end", "delimiter"):
            if getattr(self, name) is not None and not getattr(self, name).strip():
                raise InvalidInputError(f"{name} must be a text, not an empty one")

    @property
    def most_calls(self) -> int:
        """waits + 2."""
        return self.waits + 2

    @property
    def choice(self) -> str:
        """The choice among the answers on the way."""
        return "the answer after thinking"

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Think about `problem`, and answer."""
        ask, attempts = ctx.ask(problem, model=self.model), Attempts()
        thinking = _Thinking(strategy=self, reply=Pieces(strategy=self, ctx=ctx, ask=ask, attempts=attempts))
        await thinking.think()
        readable = any(candidate.answer is not None for candidate in attempts.candidates[-1:])
        wanted = not attempts.ended and (thinking.ended == "cut" or not readable)
        forced = wanted and await thinking.force()
        detail = {
            "thinking_tokens": thinking.tokens,
            "extensions": thinking.extensions,
            "ended": thinking.ended or (attempts.stop_reason.value if attempts.ended else "failed"),
            "forced": forced,
        }
        return await choose_in_chain(ctx, problem, attempts, verifier=self.verifier, detail=detail)

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        ask, most = costing.ask(self.model), self.max_tokens
        thought = costing.unknown(self.longest_text(costing))
        begun = [on_a_new_line(thought + f"\n{self.wait}" * wait, self.wait) for wait in range(self.waits)]
        # Pieces share the cap: where each extension has a token, the first piece has the rest.
        first = most if self.monitors else max(1, most - self.waits)
        thinking = [await self._drawing(costing, ask, max_tokens=first, label="thinking")]
        for text in begun:
            cap = most if self.monitors else 1
            thinking.append(
                await self._drawing(costing, ask.continued(text), max_tokens=cap, label="extension")
            )
        ending = f"{self.delimiter}\n\n{self.end}" if self.delimiter is not None else self.end
        text = on_a_new_line(thought + f"\n{self.wait}" * self.waits, ending)
        forced = await self._drawing(
            costing, ask.continued(text), max_tokens=self.answer_tokens, label="forced answer"
        )
        parts = [*thinking, forced]
        if self.verifier is not None:
            size = Size(tokens=self.longest_text(costing))
            parts.append(await costing.scoring(self.verifier, self.most_calls, size))
        return self._spending(*parts)

    def longest_text(self, costing: Costing) -> int:
        """Tokens that the text of one of its candidates has at most, with what it was made to begin with."""
        inserted = len(f"{self.wait}{self.delimiter or ''}\n\n{self.end}".encode())
        return max(self._longest(costing), self.answer_tokens) + inserted


@dataclass(slots=True, kw_only=True)
class _Thinking:
    """The text so far, and the candidates read on the way."""

    strategy: BudgetForcing
    reply: Pieces
    tokens: int = 0
    extensions: int = 0
    ended: str = ""

    @property
    def attempts(self) -> Attempts:
        """The candidates, and what failed."""
        return self.reply.attempts

    async def think(self) -> None:
        """Let the model think until it may end, or must."""
        strategy = self.strategy
        for _ in range(1 + strategy.waits):
            extending = bool(self.attempts.candidates)
            begun = self._extended() if extending else ""
            opener = strategy.wait if extending else ""
            sample = await self._continue(begun, opener, cap=strategy.max_tokens - self.tokens)
            if self.attempts.ended:
                return
            if sample is None:
                continue
            self.extensions += extending
            self.tokens += sample.usage.completion_tokens
            self.ended = "cut" if sample.truncated or self.tokens >= strategy.max_tokens else "stopped"
            if self.ended == "cut" or self.tokens >= strategy.min_tokens:
                return
            self.reply.ctx.step("stopped", f"after {self.tokens} tokens of at least {strategy.min_tokens}")

    async def force(self) -> bool:
        """Make the model answer now; whether it did."""
        self.reply.ctx.step("forced", f"after {self.tokens} tokens")
        ending = self._ending()
        begun = on_a_new_line(self.reply.text, ending)
        return await self._continue(begun, ending, cap=self.strategy.answer_tokens) is not None

    async def _continue(self, begun: str, opener: str, *, cap: int) -> Sample | None:
        """One more piece after `begun`, kept as a candidate whose text starts with `opener`."""
        sample = await self.reply.write(begun, cap=cap, logprobs=logprobs_for(self.strategy.verifier))
        if sample is None:
            return None
        parent = self.attempts.candidates[-1] if self.attempts.candidates else None
        piece = replace(sample, text=opener + sample.text)
        self.attempts.candidates.append(replace(self.reply.ctx.read(piece), parent=parent))
        return sample

    def _extended(self) -> str:
        """The thinking so far, told to go on."""
        text, delimiter = self.reply.text, self.strategy.delimiter
        thoughts = text if delimiter is None else text.partition(delimiter)[0]
        return on_a_new_line(thoughts, self.strategy.wait)

    def _ending(self) -> str:
        """What makes it answer, with the thinking closed first where it was opened."""
        text, delimiter, end = self.reply.text, self.strategy.delimiter, self.strategy.end
        if delimiter is None or delimiter in text or delimiter.replace("/", "") not in text:
            return end
        return f"{delimiter}\n\n{end}"
