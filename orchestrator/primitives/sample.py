"""Drawing samples, side by side. Cost: ceil(n / per_call) calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from ..asking import Ask
from ..costs import Costing, Spending
from ..expressions import TEXT, Record, Type
from ..prompts import Prompt
from ..strategies.base import at_least
from ..templates import Measured
from ..types import Candidate
from .asking import Asking
from .base import TemplateText
from .frame import Frame
from .scope import Scope
from .sizes import ASIDE, candidate_size, candidates_size, measured
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

    @property
    def most_items(self) -> int:
        """n."""
        return self.n

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

    async def spending(self, costing: Costing) -> Spending:
        """That of its calls."""
        system, prompt = self.measured_system(costing), self._measured(costing)
        instructed = None if self.system is None else system.counted
        ask: Ask
        if isinstance(self.prompt, str):
            ask, inserted = self.text(costing.ctx, prompt[0].counted, instructed), prompt[0].inserted
        elif self.prompt is None:
            ask, inserted = self.question(costing.ctx, costing.problem, instructed), 0.0
        else:
            filled, inserted = _filled(self.prompt, prompt), sum(one.inserted for one in prompt)
            problem = replace(costing.problem, prompt=prompt[0].counted)
            ask = self.question(costing.ctx, problem, instructed, filled)
        if self.id is not None:
            item = candidate_size(self.answer_tokens(costing), marks=(ASIDE,) if self.aside else ())
            costing.sizes[self.id] = candidates_size(item, self.n)
        inserted += system.inserted
        return await self.asked(
            costing, ask, inserted=inserted, n=self.n, per_call=self.per_call, aside=self.aside
        )

    def _measured(self, costing: Costing) -> list[Measured]:
        """How long what is asked can be, and after it, each worked example's question."""
        if self.prompt is None:
            return []
        if isinstance(self.prompt, str):
            return [measured(costing, self.prompt)]
        fields = {name: one for name, one in costing.problem.fields.items() if name not in costing.sizes}
        questions = [costing.problem.prompt or "", *(example.question for example in self.prompt.examples)]
        template = self.prompt.template
        return [measured(costing, template, known={**fields, "problem": one}) for one in questions]

    def _ask(self, frame: Frame) -> Ask:
        system = self.instructed(frame)
        if self.prompt is None:
            return self.question(frame.ctx, frame.problem, system)
        if isinstance(self.prompt, str):
            return self.text(frame.ctx, frame.render(self.prompt), system)
        problem = replace(frame.problem, fields={**frame.problem.fields, **frame.values})
        return self.question(frame.ctx, problem, system, self.prompt)


def _fields(scope: Scope) -> Mapping[str, Type]:
    """What a `Prompt` names besides the values of steps: the problem's text and the fields of its record."""
    known, of_all = scope.types, problem_type({}).fields
    fields = known["problem"].fields if isinstance(known["problem"], Record) else {}
    own = {name: kind for name, kind in fields.items() if name not in of_all and name not in known}
    return {**own, "problem": TEXT}


def _filled(prompt: Prompt, asked: Sequence[Measured]) -> Prompt:
    """`prompt` around a problem that has gone through its template, worked examples alike."""
    examples = [
        replace(one, question=text.counted) for one, text in zip(prompt.examples, asked[1:], strict=True)
    ]
    return replace(prompt, template="{{ problem }}", examples=tuple(examples))


def _place(candidate: Candidate) -> tuple[int, int]:
    call = candidate.sample.call
    return (0 if call is None else call.ordinal, candidate.sample.index)
