"""What the steps that ask a model share: how their calls are made, and how a text is put to a model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..asking import Ask, check_ranges
from ..context import Context
from ..costs import Costing, Spending, without_candidates
from ..prompts import Prompt, Rendered
from ..sampling import SampleStream
from ..strategies.base import at_least
from ..templates import Measured
from ..types import Problem
from .base import Primitive, TemplateText
from .frame import Frame
from .scope import Scope
from .sizes import measured

__all__ = ["Asking"]

USUAL_TEMPERATURE = 0.7
"""What steps sample with where neither they nor their model's settings say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking(Primitive):
    """The root of the steps that ask a model.

    Args:
        model: Name of the model; None for the first.
        system: Template of the system message; for a base model it comes first in the text. None for none, or for the
            program's own where the problem is put through the program's prompt.
        temperature: At least 0. None leaves it to the model's settings, and is 0.7 where these do not say.
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.
        stop: Texts that end an answer.
        top_p: In (0, 1]; None leaves it to the model's settings.
    """

    pure: ClassVar[bool] = False

    model: str | None = None
    system: TemplateText | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    top_p: float | None = None

    def __post_init__(self) -> None:
        at_least(1, max_tokens=self.max_tokens)
        check_ranges(temperature=self.temperature, top_p=self.top_p)

    @property
    def most_calls(self) -> int:
        """1."""
        return 1

    @property
    def calls_at_once(self) -> int:
        """Calls it keeps in flight: all of them."""
        return self.most_calls

    @property
    def settings(self) -> dict[str, Any]:
        """What its samples are drawn with."""
        return {
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "stop": self.stop or None,
            "top_p": self.top_p,
        }

    def draw(
        self, ctx: Context, ask: Ask, *, n: int = 1, model: str | None = None, **sampling: Any
    ) -> SampleStream:
        """`n` samples as this step's settings say; `model` and `sampling` override them."""
        usual = {"temperature": USUAL_TEMPERATURE}
        return ctx.sample(ask, n=n, model=model or self.model, usual=usual, **{**self.settings, **sampling})

    def check_asking(self, scope: Scope) -> None:
        """Check what the parameters here name."""
        scope.model(self.model, *self.place("model"))
        if self.system is not None:
            scope.template(self.system, *self.place("system"))

    def instructed(self, frame: Frame) -> str | None:
        """The system message."""
        return None if self.system is None else frame.render(self.system)

    def text(self, ctx: Context, text: str, system: str | None) -> Ask:
        """`text` as one user message, after the system message where there is one; as it is for a base model."""
        if system is None:
            return text
        as_problem = Problem(id=ctx.problem.id, prompt=text)
        asked = ctx.using(prompt=Prompt(system=system)).ask(as_problem, model=self.model)
        return asked if asked.messages is not None else Rendered(prompt=f"{system}\n\n{text}")

    def question(
        self, ctx: Context, problem: Problem, system: str | None, prompt: Prompt | None = None
    ) -> Rendered:
        """The problem through `prompt`, or the program's own, with this system message where there is one."""
        prompt = prompt or ctx.prompt
        if system is not None:
            prompt = replace(prompt, system=system)
        return ctx.using(prompt=prompt).ask(problem, model=self.model)

    # Costs -----------------------------------------------------------------------------------------------

    def measured_system(self, costing: Costing) -> Measured:
        """How long the system message can be; of none, nothing."""
        if self.system is None:
            return Measured(text="", counted="", inserted=0.0)
        return measured(costing, self.system)

    def answer_tokens(self, costing: Costing) -> float:
        """Tokens of each answer, at most."""
        return float(costing.answer_tokens(self.model, self.max_tokens))

    def longest_text(self, costing: Costing) -> float:
        """An answer's."""
        return self.answer_tokens(costing)

    async def asked(
        self,
        costing: Costing,
        ask: Ask,
        *,
        inserted: float,
        n: int = 1,
        per_call: int = 1,
        aside: bool = False,
    ) -> Spending:
        """What it costs at most to ask so: `inserted` is what each prompt has beyond `ask`, in tokens; what is drawn
        `aside` is no candidate.
        """
        worst = await costing.draw(
            ask, model=self.model, n=n, per_call=per_call, inserted=inserted, alike=True, **self.settings
        )
        drawn = Spending(label=self.label, kind=self.key, worst=worst)
        return without_candidates(drawn) if aside else drawn
