"""Answer probe (Dynasor): chains that end once their answer is stable. Cost: two calls a piece, at most."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ..concurrently import concurrently
from ..context import Context
from ..costs import Costing, Spending, repeated
from ..errors import InvalidInputError
from ..types import Answer, Candidate, Outcome, Problem, Sample, Usage
from .attempts import Attempts
from .base import Strategy, at_least
from .pieces import Pieces, on_a_new_line
from .selection import choose

__all__ = ["AnswerProbe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerProbe(Strategy):
    """Ends a chain of thought once the answer it would give has been the same `stable` times in a row.

    The model writes its reply in pieces of `every` tokens. After each, it is asked for its answer on the side: the
    text so far and `probe` are put before it, and it writes at most `probe_tokens` tokens at temperature 0, which the
    chain never sees. The chain ends when the last `stable` of these answers are readable and equal, with this answer;
    when the model ends it, with the answer read from its text; and at `max_tokens`. Where it has none of these, its
    answer is that of the last probe with a readable one. A probe that shows doubt, by one of `doubts` as a word,
    gives none. A call that fails is a piece, or a probe, less.

    `n` chains are written side by side, and their answers vote.

    Pieces are calls of their own and not a stream that is cut: little is held at a time, nothing is estimated, and a
    resumed program goes on where it was killed. The price is that each call reads the prompt and the text so far
    again, for which servers have a prefix cache; see `strategies.pieces` for which servers go on with a reply.

    Source: Fu et al., "Efficiently Serving LLM Reasoning Programs with Certaindex", arXiv 2412.20993 (later version:
    "Efficiently Scaling LLM Reasoning with Certaindex"), the probing of one chain and its rule of exit; the prompt
    of the probe is theirs. Differs in probing at temperature 0, after a piece and not beside the next one, and in
    comparing answers by their clusters.

    Cost: at most 2 * n * ceil(max_tokens / every) calls, one piece and one probe for every `every` tokens.

    Args:
        n: Chains, at least 1.
        every: Tokens between probes, at least 1.
        stable: Equal answers in a row that end a chain, at least 1.
        max_tokens: Cap on each chain, in tokens, probes excluded, at least 1.
        probe: What is put after the text so far to make the model answer.
        probe_tokens: Cap on the answer to a probe, in tokens, at least 1.
        doubts: Words by which the answer to a probe is seen to be doubted.
        model: Name of the model; None for the first.
        temperature: Of the chains, at least 0. None leaves it to the model's settings.

    A chain is one candidate, whose text ends in the probe that decided it, if one did. The outcome's `detail` has
    under `chains`, for each of them, the number of `pieces`, its `tokens`, the `probes` (their answers; None: not
    readable, or doubted), the `probe_tokens` they took, as `ended` why it ended (`stable`, `stopped` by the model,
    `cut` by a monitor, `max_tokens`, or `budget`, `deadline`, `failed`), and as `saved` the tokens of `max_tokens`
    that neither it nor its probes have used where a stable answer ended it, else 0.
    """

    paper: ClassVar[str] = "Fu et al., arXiv 2412.20993"
    cost: ClassVar[str] = "2 * n * ceil(max_tokens / every)"
    pays: ClassVar[str] = "reasoning models that go on doubting an answer they have found"

    n: int = 1
    every: int = 64
    stable: int = 3
    max_tokens: int = 1024
    probe: str = "... Oh, I suddenly got the answer to the whole problem. Final answer:"
    probe_tokens: int = 20
    doubts: tuple[str, ...] = ("wait", "hold", "but", "okay", "hmm")

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        at_least(
            1,
            n=self.n,
            every=self.every,
            stable=self.stable,
            max_tokens=self.max_tokens,
            probe_tokens=self.probe_tokens,
        )
        if not self.probe.strip():
            raise InvalidInputError("probe must be a text, not an empty one")
        if not all(doubt.strip() for doubt in self.doubts):
            raise InvalidInputError(f"doubts must be words, not {list(self.doubts)!r}")

    @property
    def most_pieces(self) -> int:
        """ceil(max_tokens / every)."""
        return -(-self.max_tokens // self.every)

    @property
    def most_calls(self) -> int:
        """2 * n * ceil(max_tokens / every)."""
        return 2 * self.n * self.most_pieces

    @property
    def choice(self) -> str:
        """The vote of the chains."""
        return "the answer" if self.n == 1 else f"the vote of {self.n} chains"

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight: one per chain."""
        return self.n

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Let chains think about `problem` until their answers are stable, and vote."""
        ask = ctx.ask(problem, model=self.model)
        chains = []
        for _ in range(self.n):
            own = ctx.branch(label="chain")
            reply = Pieces(strategy=self, ctx=own, ask=ask, attempts=Attempts())
            chains.append(_Chain(strategy=self, reply=reply, aside=own.branch(label="probe", aside=True)))
        await concurrently(chain.write() for chain in chains)
        attempts = Attempts()
        for chain in chains:
            attempts.join(chain.reply.attempts)
            attempts.candidates.extend(chain.candidates())
        detail = {"chains": [chain.detail() for chain in chains]}
        return await choose(ctx, problem, attempts, detail=detail)

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        ask, pieces = costing.ask(self.model), self.most_pieces
        piece = self._longest(costing, max_tokens=self.every)
        # Of the text so far, on average: that before a piece, and that before the probe after it.
        before, after = piece * (pieces - 1) / 2, piece * (pieces + 1) / 2
        written = await self._drawing(
            costing, ask.continued("."), n=pieces, inserted=before, max_tokens=self.every, label="pieces"
        )
        probed = await self._drawing(
            costing,
            ask.continued(on_a_new_line(".", self.probe)),
            n=pieces,
            inserted=after,
            max_tokens=self.probe_tokens,
            label="probe",
            aside=True,
        )
        chain = Spending(
            label="chain",
            kind="chain",
            worst=written.worst + probed.worst,
            parts=(written, replace(probed, on_branch=True)),
        )
        return self._spending(repeated(chain, self.n))

    def longest_text(self, costing: Costing) -> int:
        """Tokens that the text of one of its candidates has at most: a chain, and the probe that decided it."""
        piece = self._longest(costing, max_tokens=self.every)
        return self.most_pieces * piece + len(self.probe.encode()) + 1 + self.probe_tokens


@dataclass(slots=True, kw_only=True)
class _Chain:
    """A chain so far, and what its probes said."""

    strategy: AnswerProbe
    reply: Pieces
    aside: Context
    pieces: list[Sample] = field(default_factory=list)
    probes: list[tuple[Sample, Answer | None]] = field(default_factory=list)
    ended: str = ""

    async def write(self) -> None:
        """Let the model write until it stops, or its answer is stable, or nothing allows more."""
        strategy, reply = self.strategy, self.reply
        for _ in range(strategy.most_pieces):
            left = strategy.max_tokens - reply.tokens
            if left < 1 or reply.attempts.ended:
                break
            piece = await reply.write(reply.text.rstrip(), cap=min(strategy.every, left))
            if piece is None:
                continue
            self.pieces.append(piece)
            if piece.finish_reason != "length":
                self.ended = "stopped" if piece.cut is None else "cut"
                if self.stated() is not None:
                    return
            await self._probe()
            if self.ended:
                return
            if self.is_stable():
                self.ended = "stable"
                reply.ctx.step("stable", f"{self.probes[-1][1]} after {reply.tokens} tokens")
                return

    def stated(self) -> Answer | None:
        """The answer in the text of a chain that the model has ended.

        Where budget or deadline ended a chain of which no probe was answered, the one that its text states, if any.
        """
        if self.ended != "stopped":
            unasked = self.reply.attempts.ended and not self.probes
            return self.reply.ctx.answers.stated(self.reply.text) if unasked else None
        return self.reply.ctx.read(replace(self.pieces[-1], text=self.reply.text)).answer

    def is_stable(self) -> bool:
        """Whether the last probes agree."""
        last = [answer for _, answer in self.probes[-self.strategy.stable :]]
        keys = {None if answer is None else answer.key for answer in last}
        return len(last) == self.strategy.stable and len(keys) == 1 and None not in keys

    def candidates(self) -> list[Candidate]:
        """The chain as one candidate; none where it has no text."""
        if not self.pieces:
            return []
        text, answer = self.reply.text, self.stated()
        told = next((found for found in reversed(self.probes) if found[1] is not None), None)
        if answer is None and told is not None:
            text, answer = on_a_new_line(text, f"{self.strategy.probe}{told[0].text}"), told[1]
        drawn = [*self.pieces, *(sample for sample, _ in self.probes)]
        # No call has all of it, and a sample without a call is recorded as it is.
        whole = Sample(
            text=text,
            usage=sum((sample.usage for sample in drawn), Usage()),
            finish_reason=self.pieces[-1].finish_reason if answer is None else "stop",
            model=self.pieces[-1].model,
        )
        return [Candidate(sample=whole, answer=answer)]

    def detail(self) -> dict[str, Any]:
        """What is said of the chain in the outcome."""
        cap, tokens, attempts = self.strategy.max_tokens, self.reply.tokens, self.reply.attempts
        probe_tokens = sum(sample.usage.completion_tokens for sample, _ in self.probes)
        why = attempts.stop_reason.value if attempts.ended else "max_tokens" if tokens >= cap else "failed"
        return {
            "pieces": len(self.pieces),
            "tokens": tokens,
            "probes": [None if answer is None else answer.text for _, answer in self.probes],
            "probe_tokens": probe_tokens,
            "ended": self.ended or why,
            "saved": cap - tokens - probe_tokens if self.ended == "stable" else 0,
        }

    async def _probe(self) -> None:
        """Ask for the answer on the side."""
        strategy = self.strategy
        begun = on_a_new_line(self.reply.text, strategy.probe)
        sample = await self.reply.attempts.complete(
            self.aside,
            strategy,
            self.reply.ask.continued(begun),
            temperature=0.0,
            max_tokens=strategy.probe_tokens,
        )
        if sample is not None:
            told = self.aside.read(replace(sample, text=strategy.probe + sample.text))
            self.probes.append((sample, None if self._doubts(sample.text) else told.answer))

    def _doubts(self, text: str) -> bool:
        words = "|".join(re.escape(doubt.strip()) for doubt in self.strategy.doubts)
        return bool(words) and re.search(rf"\b(?:{words})\b", text, re.IGNORECASE) is not None
