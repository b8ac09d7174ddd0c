"""Solutions written step by step: each continues what is written so far, and says whether it ends there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..context import Context
from ..contracts import hold_tuples
from ..errors import InvalidInputError
from ..prompts import Rendered
from ..types import Sample
from ..verifiers.logprobs import ROUNDING
from .attempts import Attempts
from .base import Strategy, at_least

__all__ = ["Step", "StepGenerator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a solution.

    Attributes:
        text: What it adds, with what parts it from the next step.
        complete: Whether the solution ends with it.
        sample: What the model wrote.
    """

    text: str
    complete: bool
    sample: Sample

    @property
    def likelihood(self) -> float | None:
        """The geometric mean of its tokens' probabilities, in [0, 1]; None without log-probabilities."""
        tokens = self.sample.logprobs
        if not tokens or not all(token.logprob <= ROUNDING for token in tokens):  # NaN is not, either
            return None
        return min(1.0, math.exp(math.fsum(token.logprob for token in tokens) / len(tokens)))


@dataclass(frozen=True, slots=True, kw_only=True)
class StepGenerator:
    """Cuts a solution into steps: by a text that ends one, by tokens, and by where thinking ends.

    A step is drawn by continuing the solution so far: a plain-text model goes on with its text, a chat model with
    the beginning of its reply, which llama.cpp's server does and vLLM is asked for (see `Rendered.continued`). Equal
    beginnings come first in every request, so that a server with a prefix cache reads them once.

    A solution ends with a step that states its answer, or that ends otherwise than by `stop` or `tokens`. Servers do
    not say whether it was `stop` that ended a step, so one that states no answer is gone on from, and where nothing
    follows, it was the last. A chat template may trim the end of a reply; then a chat model first repeats the `stop`
    that was cut off and seems to have nothing to say, so where all steps are empty they are asked for once more
    without `stop`. A text that ends the whole answer anyway, as a blank line does after a plain-text prompt, ends no
    step; and a stop whose mark still stands at the end, as the "." of ". ", did not end it.

    Args:
        stop: Texts that end a step; empty for steps of `tokens` each. The first that can have ended a step
            parts it from the next.
        tokens: Cap on a step, in tokens, at least 1.
        delimiter: What ends thinking in a text, such as `</think>`; what follows it is one step. None for models that
            write no such mark.
        rest_tokens: Cap on that, and on the last step a search allows, in tokens, at least 1.
    """

    stop: tuple[str, ...] = ("\n\n",)
    tokens: int = 128
    delimiter: str | None = "</think>"
    rest_tokens: int = 512

    def __post_init__(self) -> None:
        hold_tuples(self)
        at_least(1, tokens=self.tokens, rest_tokens=self.rest_tokens)
        if not all(self.stop):
            raise InvalidInputError(f"stop must be a list of texts, none of them empty, not {self.stop!r}")
        if self.delimiter is not None and not self.delimiter.strip():
            raise InvalidInputError("delimiter must be a text, not an empty one")

    async def draw(
        self,
        ctx: Context,
        strategy: Strategy,
        ask: Rendered,
        said: str,
        *,
        attempts: Attempts | None = None,
        n: int = 1,
        rest: bool = False,
        model: str | None = None,
        **sampling: Any,
    ) -> list[Step]:
        """Up to `n` next steps after `said`, in one request where the server can; fewer when it gives fewer.

        Args:
            ctx: Where the calls are made.
            strategy: Whose settings they have.
            ask: The question.
            said: The solution so far.
            attempts: Told where budget or deadline keep steps back; None for nobody.
            n: Steps wanted, at least 1.
            rest: Write the solution to its end.
            model: Name of the model; None for the strategy's.
            sampling: Overrides of the strategy's settings.

        Raises:
            BudgetExceededError, DeadlineExceededError, BackendError: Not one step could be had, and why.
        """
        whole = rest or (self.delimiter is not None and self.delimiter in said)
        stop = () if whole else tuple(text for text in self.stop if text not in ask.stop)
        cap = self.rest_tokens if whole else self.tokens
        given = {**sampling, "n": n, "model": model, "max_tokens": cap}
        samples = await self._drawn(ctx, strategy, ask.continued(said), attempts, **given, stop=stop or None)
        steps = [self._step(ctx, sample, sample.text, stop, whole=whole) for sample in samples]
        if not said or not stop or ask.messages is None or any(step.text.strip() for step in steps):
            return steps
        samples = await self._drawn(ctx, strategy, ask.continued(said), attempts, **given)
        return [self._cut(ctx, sample, stop) for sample in samples]

    async def _drawn(
        self,
        ctx: Context,
        strategy: Strategy,
        ask: Rendered,
        attempts: Attempts | None,
        *,
        n: int,
        **sampling: Any,
    ) -> list[Sample]:
        """Samples in the order of asking, which does not depend on when they came."""
        stream = strategy.draw(ctx, ask, n=n, per_call=n, **sampling)
        samples = await stream.in_order()
        if attempts is not None:
            attempts.limit(stream)
        return samples

    def _step(self, ctx: Context, sample: Sample, text: str, stop: Sequence[str], *, whole: bool) -> Step:
        """`text`, and `stop` after it where that may have ended it."""
        # The mark of a stop such as ". " is cut off with it: a text that still has it was ended by something else.
        ends = [end for end in stop if not (end.rstrip() and text.endswith(end.rstrip()))]
        if whole or not text.strip() or not (ends or sample.truncated):
            return Step(text=text, complete=True, sample=sample)
        complete = ctx.answers.stated(text) is not None
        parted = complete or sample.truncated
        return Step(text=text if parted else text + ends[0], complete=complete, sample=sample)

    def _cut(self, ctx: Context, sample: Sample, stop: Sequence[str]) -> Step:
        """The step at the beginning of what was written without `stop`."""
        written = sample.text.lstrip()
        ends = [at for text in stop if (at := written.find(text)) >= 0]
        if not ends:
            return self._step(ctx, sample, written, stop, whole=not sample.truncated)
        text = written[: min(ends)]
        return Step(text=text + stop[0], complete=ctx.answers.stated(text) is not None, sample=sample)
