"""An answer written again in the light of what is said of it. Cost: 1 call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..costs import Costing, Size, Spending
from ..expressions import TEXT, Type, as_text
from ..prompts import fill
from ..strategies.chain import prompt_values
from ..strategies.critique_revise import NO_CRITIQUE, REVISION
from ..strategies.quoting import NOTHING, shown
from ..strategies.revise import PROMPT
from ..types import Candidate
from .asking import Asking
from .base import ExpressionText, TemplateText
from .frame import Frame
from .scope import Scope
from .sizes import ASIDE, candidate_size, listed_size, measured, size_here, tokens_of
from .values import CANDIDATE, CRITIQUE, REVIEW, SINGLE, candidate_of

__all__ = ["Revise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revise(Asking):
    """Has a model write a candidate again; its value is the new one, whose parent the old one is.

    y' ~ p(y | x, y, c): the conversation holds the question, the candidate as the model's own turn, and the request.
    A candidate that is missing is not revised; where a critique is, the model is asked to check every step.

    Source: Madaan et al., "Self-Refine: Iterative Refinement with Self-Feedback", arXiv 2303.17651, §2.

    Cost: 1 call.

    Args:
        of: The candidate; of a review, a critique, a vote or an outcome theirs.
        using: In files `with`: what is said of it, a text, a critique or a review; None asks to check it.
        prompt: What is said after the candidate: a template that may name `question`, the problem as it was asked,
            `answer`, the candidate's text, and `critique`, the text of `using`, besides the values of steps. None for
            that of the strategy `critique_revise`, without `using` that of `revise`.
        aside: Whether the new one is no candidate for the program's answer, as with plans.
    """

    key: ClassVar[str] = "revise"
    spelled: ClassVar[dict[str, str]] = {"using": "with"}

    of: ExpressionText
    using: ExpressionText | None = None
    prompt: TemplateText | None = None
    aside: bool = False

    def check(self, scope: Scope) -> Type:
        """A candidate."""
        self.check_asking(scope)
        scope.expression(self.of, *self.place("of"), expected=SINGLE)
        if self.using is not None:
            scope.expression(self.using, *self.place("using"), expected=(TEXT, CRITIQUE, REVIEW))
        if self.prompt is not None:
            own = {"question": None, "answer": self.of}
            if self.using is not None:
                own["critique"] = self.using
            scope.prompt(self.prompt, own, *self.place("prompt"))
        return CANDIDATE

    async def run(self, frame: Frame) -> Candidate | None:
        """The new candidate; None without one to revise, and where the call failed."""
        candidate = candidate_of(frame.evaluate(self.of))
        if candidate is None or frame.attempts.ended:
            return None
        here = frame.branch(self.label, aside=self.aside)
        question = self.question(here.ctx, here.problem, self.instructed(here))
        ask = question.then(shown(candidate), self._asked(here, candidate))
        sample = await frame.attempts.complete(here.ctx, self, ask)
        if sample is None:
            return None
        revised = replace(here.ctx.read(sample), parent=candidate)
        frame.attempts.candidates.append(revised)
        frame.run.keep(revised)
        return revised

    async def spending(self, costing: Costing) -> Spending:
        """That of its call."""
        tokens = listed_size(size_here(costing, self.of)).item.tokens
        answer, system = shown(costing.candidate(tokens)), self.measured_system(costing)
        instructed = None if self.system is None else system.counted
        asked, inserted = await self._requested(costing, answer, tokens)
        ask = self.question(costing.ctx, costing.problem, instructed).then(answer, asked)
        if self.id is not None:
            marks = (ASIDE,) if self.aside else ()
            costing.sizes[self.id] = candidate_size(self.answer_tokens(costing), marks=marks)
        return await self.asked(costing, ask, inserted=inserted + system.inserted, aside=self.aside)

    async def _requested(self, costing: Costing, answer: str, tokens: float) -> tuple[str, float]:
        """What is said after an answer of so many tokens, and the tokens it can have besides."""
        critique = 0.0
        if self.using is not None:
            without = await tokens_of(costing, NO_CRITIQUE)
            critique = max(size_here(costing, self.using).tokens, without)
        if self.prompt is None:
            values = {"problem": costing.question, "answer": answer, "critique": costing.unknown(critique)}
            return fill(PROMPT if self.using is None else REVISION, values, of="the revision"), 0.0
        longest = Size(tokens=max(tokens, await tokens_of(costing, NOTHING)))
        sizes = {"answer": longest} | ({} if self.using is None else {"critique": Size(tokens=critique)})
        prompt = measured(costing, self.prompt, known={"question": costing.question}, sizes=sizes)
        return prompt.counted, prompt.inserted

    def _asked(self, frame: Frame, candidate: Candidate) -> str:
        values: dict[str, Any] = prompt_values(frame.ctx, frame.problem, candidate)
        if self.using is not None:
            values["critique"] = as_text(frame.evaluate(self.using)) or NO_CRITIQUE
        if self.prompt is None:
            return fill(PROMPT if self.using is None else REVISION, values, of="the revision")
        question = values.pop("problem")
        return frame.render(self.prompt, question=question, **values)
