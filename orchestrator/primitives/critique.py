"""A critic's word on a candidate. Cost: 1 call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..costs import Costing, Size, Spending
from ..errors import InvalidInputError
from ..expressions import Type
from ..prompts import fill
from ..strategies.chain import prompt_values
from ..strategies.critique_revise import CRITIQUE as PROMPT
from ..strategies.critique_revise import accepts
from ..strategies.quoting import NOTHING, fenced, fences_beyond, shown, visible
from ..types import Candidate
from .asking import Asking
from .base import ExpressionText, TemplateText
from .frame import Frame
from .scope import Scope
from .sizes import critique_size, listed_size, measured, size_here, tokens_of
from .values import CRITIQUE, SINGLE, candidate_of
from .values import Critique as Said

__all__ = ["Critique"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Critique(Asking):
    """Has a model criticise a candidate; its value is what the critic says, and whether that is acceptance.

    c ~ q(c | x, y), drawn aside: a critique is no candidate. A candidate that is missing is not criticised.

    Source: Madaan et al., "Self-Refine: Iterative Refinement with Self-Feedback", arXiv 2303.17651, §2.

    Cost: 1 call.

    Args:
        of: The candidate; of a review, a vote or an outcome theirs.
        prompt: What the critic is asked, as one user message: a template that may name `question`, the problem as
            it was asked, `answer`, the candidate's text between fences, and `mark`, besides the values of steps.
            None for that of the strategy `critique_revise`.
        mark: The word that accepts; see `strategies.critique_revise.accepts`.
    """

    key: ClassVar[str] = "critique"

    of: ExpressionText
    prompt: TemplateText | None = None
    mark: str = "ACCEPT"

    def __post_init__(self) -> None:
        Asking.__post_init__(self)
        if not self.mark.strip():
            raise InvalidInputError("mark must be a word, such as 'ACCEPT', not an empty text")

    def check(self, scope: Scope) -> Type:
        """A critique."""
        self.check_asking(scope)
        scope.expression(self.of, *self.place("of"), expected=SINGLE)
        if self.prompt is not None:
            own = {"question": None, "answer": self.of, "mark": None}
            scope.prompt(self.prompt, own, *self.place("prompt"))
        return CRITIQUE

    def longest_text(self, costing: Costing) -> float:
        """None: a critique is no candidate."""
        return 0.0

    async def run(self, frame: Frame) -> Said | None:
        """The critique; None without a candidate, and where the call failed."""
        candidate = candidate_of(frame.evaluate(self.of))
        if candidate is None or frame.attempts.ended:
            return None
        here = frame.branch(self.label, aside=True)
        ask = self.text(here.ctx, self._asked(here, candidate), self.instructed(here))
        sample = await frame.attempts.complete(here.ctx, self, ask)
        if sample is None:
            return None
        said = visible(sample)
        here.ctx.step("critiqued", said[:200])
        return Said(candidate=candidate, text=said, accepted=accepts(said, self.mark))

    async def spending(self, costing: Costing) -> Spending:
        """That of its call."""
        size = listed_size(size_here(costing, self.of)).item
        answer, system = fenced(shown(costing.candidate(size.tokens))), self.measured_system(costing)
        fences = fences_beyond(costing, size.tokens, model=self.model)
        if self.prompt is None:
            values = {"problem": costing.question, "answer": answer, "mark": self.mark}
            asked, inserted = fill(PROMPT, values, of="the critique"), fences
        else:
            known = {"question": costing.question, "mark": self.mark}
            least, around = await tokens_of(costing, NOTHING), await tokens_of(costing, fenced(""))
            long = Size(tokens=max(size.tokens, least) + around + fences)
            prompt = measured(costing, self.prompt, known=known, sizes={"answer": long})
            asked, inserted = prompt.counted, prompt.inserted
        instructed = None if self.system is None else system.counted
        if self.id is not None:
            costing.sizes[self.id] = critique_size(size, self.answer_tokens(costing))
        ask = self.text(costing.ctx, asked, instructed)
        return await self.asked(costing, ask, inserted=inserted + system.inserted, aside=True)

    def _asked(self, frame: Frame, candidate: Candidate) -> str:
        values: dict[str, Any] = prompt_values(frame.ctx, frame.problem, candidate) | {"mark": self.mark}
        values["answer"] = fenced(values["answer"])  # an answer must not argue for its own acceptance
        if self.prompt is None:
            return fill(PROMPT, values, of="the critique")
        question = values.pop("problem")
        return frame.render(self.prompt, question=question, **values)
