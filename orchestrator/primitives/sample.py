"""Drawing samples, side by side. Cost: ceil(n / per_call) calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ..asking import Ask
from ..expressions import TEXT, Record, Type
from ..prompts import Prompt
from ..strategies.base import at_least
from ..types import Candidate
from .asking import Asking
from .base import Frame, Scope, TemplateText
from .values import CANDIDATES, Candidates, problem_type

__all__ = ["Sample"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Asking):
    """Draws `n` samples; its value is the candidates, fewer where calls fail or nothing allows more.

    They are in the order they were asked for, whichever came first, so that a resumed program goes on as it would
    have.

    Cost: ceil(n / per_call) calls.

    Args:
        n: Samples, at least 1.
        prompt: What is asked: a template, sent as one user message without the program's worked examples; or a
            `Prompt`, whose template may name the problem's fields and the values of steps; None for the problem
            through the program's prompt.
        per_call: Samples drawn by one request, at least 1; above 1 the prompt is paid once per request.
        aside: Whether the samples are no candidates for the program's answer, such as plans.
        logprobs: Top log-probabilities wanted per token, in 0..20; None for those that the program's verifiers need.
    """

    key: ClassVar[str] = "sample"

    n: int = 1
    prompt: TemplateText | Prompt | None = None
    per_call: int = 1
    aside: bool = False
    logprobs: int | None = None

    def __post_init__(self) -> None:
        Asking.__post_init__(self)
        at_least(1, n=self.n, per_call=self.per_call)
        at_least(0, logprobs=self.logprobs)

    @property
    def most_calls(self) -> int:
        """ceil(n / per_call)."""
        return -(-self.n // self.per_call)

    def check(self, scope: Scope) -> Type:
        """Candidates."""
        self.check_asking(scope)
        if isinstance(self.prompt, Prompt):
            with scope.block(_fields(scope)):
                scope.template(self.prompt.template, *self.place("prompt"))
        elif self.prompt is not None:
            scope.template(self.prompt, *self.place("prompt"))
        return CANDIDATES

    async def run(self, frame: Frame) -> Candidates:
        """The candidates."""
        if frame.attempts.ended:
            return Candidates()
        here = frame.branch(self.label, aside=self.aside)
        drawn = await frame.attempts.draw(
            here.ctx, self, self._ask(here), n=self.n, per_call=self.per_call, logprobs=self.logprobs
        )
        return Candidates(sorted(drawn, key=_place))

    def _ask(self, frame: Frame) -> Ask:
        if self.prompt is None:
            return self.question(frame)
        if isinstance(self.prompt, str):
            return self.text(frame, frame.render(self.prompt))
        known = {**frame.problem.fields, **frame.values}
        return self.question(replace(frame, problem=replace(frame.problem, fields=known)), self.prompt)


def _fields(scope: Scope) -> Mapping[str, Type]:
    """What a `Prompt` names besides the values of steps: the problem's text and the fields of its record."""
    known, of_all = scope.types, problem_type({}).fields
    fields = known["problem"].fields if isinstance(known["problem"], Record) else {}
    own = {name: kind for name, kind in fields.items() if name not in of_all and name not in known}
    return {**own, "problem": TEXT}


def _place(candidate: Candidate) -> tuple[int, int]:
    call = candidate.sample.call
    return (0 if call is None else call.ordinal, candidate.sample.index)
