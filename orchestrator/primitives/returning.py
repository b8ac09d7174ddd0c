"""How a program ends: with an answer, or without one. Cost: no calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..costs import FREE, Costing, Size, Spending
from ..expressions import NUMBER, Expression, as_text
from ..strategies.acceptance import OWN_CONFIDENCE
from ..strategies.chain import linked
from ..strategies.selection import by_vote, giving, share_of
from ..types import Answer, Candidate, Outcome, Sample, StopReason
from .base import ExpressionText, Primitive, TemplateText
from .frame import Frame
from .scope import Scope
from .select import Select
from .sizes import listed_size, returned_beside, size_here
from .values import ANSWERED, Candidates, Poll, Review, score_of
from .vote import Vote

__all__ = ["Fail", "Return"]


NO_ANSWER = "return what a step has found, by its `id`"
"""What is said of a program that returns the problem itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(Primitive):
    """Ends the program with the answer of a value.

    That of candidates is their vote's; a text or a number is read as a sample is. A value that is missing or has no
    readable answer gives way to the vote over all of the program's candidates: what was paid for is not lost. Where
    there is none, the outcome has an `error`. It has all candidates of the program, each with its scores, and as
    `written` the text that the program has put together itself, if it has.

    Its confidence, in [0, 1], is the candidate's latest score, or without one the share of the program's candidates
    that gave the answer, 0 where there are none; of a vote its share; of an outcome its own.

    Cost: no calls.

    Args:
        value: The expression, or a vote or a selection in its place.
        confidence: An expression, for what the confidence is instead; where it is missing, as above. Outside of
            [0, 1] it is missing too, and the trace and the outcome's `detail` say so, as `confidence_refused`.

    Raises:
        OrchestratorError: The program has no candidate, and this is what its first call failed with.
    """

    key: ClassVar[str] = "return"
    pure: ClassVar[bool] = False

    value: ExpressionText | Vote | Select
    confidence: ExpressionText | None = None

    @property
    def returns(self) -> bool:
        """It does."""
        return True

    def check(self, scope: Scope) -> None:
        """It has no value itself."""
        if isinstance(self.value, Primitive):
            with scope.at(self.key):
                self.value.check(scope)
        else:
            hint = NO_ANSWER if self.value.strip() == "problem" else None
            kind = scope.expression(self.value, *self.place("value"), expected=ANSWERED, hint=hint)
            scope.returned += [] if kind is None else [kind]
        if self.confidence is not None:
            self._check_confidence(self.confidence, scope)

    def _check_confidence(self, text: str, scope: Scope) -> None:
        place = self.place("confidence")
        if scope.expression(text, *place, expected=NUMBER) is None or Expression.of(text).names:
            return
        given = Expression.of(text).evaluate({})
        if given is not None and not 0.0 <= given <= 1.0:
            hint = f"did you mean `{given / 100:g}`?" if 1.0 < given <= 100.0 else None
            scope.fault(f"a confidence is in [0, 1], not {given:.6g}", *place, hint=hint)

    async def run(self, frame: Frame) -> None:
        """Note the outcome."""
        nested = isinstance(self.value, Primitive)
        value = await self.value.run(frame) if nested else frame.evaluate(self.value)  # type: ignore[union-attr,arg-type]
        text = as_text(value) if isinstance(value, str | int | float) else None
        if text is not None:
            value = frame.ctx.answers.read(text)
        candidates = _all(frame, value)
        outcome = _decided(value, candidates)
        written = _written(value, outcome.answer, text, candidates)
        if outcome.answer is not None:
            outcome = self._as_confident(frame, outcome)
        elif candidates:
            frame.ctx.step("voted", f"the value has no answer: {_shown(self.value)}")
            outcome = by_vote(candidates)
        elif frame.attempts.failures:
            raise frame.attempts.failures[0]
        else:
            error = outcome.error or f"{_shown(self.value)} has no answer, and nothing was drawn"
            outcome = replace(outcome, stop_reason=StopReason.ERROR, error=error)
        frame.run.returned = _ended(frame, replace(outcome, written=written, candidates=tuple(candidates)))

    async def spending(self, costing: Costing) -> Spending:
        """Nothing; notes in `costing.returned` how many candidates come of it beside those drawn as such."""
        nested = isinstance(self.value, Primitive)
        size = self.value.size(costing) if nested else size_here(costing, self.value)  # type: ignore[union-attr,arg-type]
        count, tokens = returned_beside(size), listed_size(size).item.tokens
        before = costing.returned
        costing.returned = Size(count=max(before.count, count), tokens=max(before.tokens, tokens))
        return Spending(label=self.label, kind=self.key, worst=FREE)

    def _as_confident(self, frame: Frame, outcome: Outcome) -> Outcome:
        given = None if self.confidence is None else frame.evaluate(self.confidence)
        if given is None:
            return outcome
        if 0.0 <= given <= 1.0:
            return replace(outcome, confidence=float(given), detail={**outcome.detail, OWN_CONFIDENCE: True})
        refused = f"{given:.6g} is outside of [0, 1]"
        frame.ctx.step("confidence refused", refused)
        return replace(outcome, detail={**outcome.detail, "confidence_refused": refused})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(Primitive):
    """Ends the program without an answer; the outcome's `error` says why, and has what was drawn.

    Cost: no calls.

    Args:
        message: Template of why.
    """

    key: ClassVar[str] = "fail"
    pure: ClassVar[bool] = False

    message: TemplateText

    @property
    def returns(self) -> bool:
        """It does."""
        return True

    def check(self, scope: Scope) -> None:
        """It has no value itself."""
        scope.template(self.message, *self.place("message"))

    async def run(self, frame: Frame) -> None:
        """Note the outcome."""
        frame.run.returned = Outcome(
            candidates=tuple(frame.run.candidates()),
            stop_reason=StopReason.ERROR,
            error=frame.render(self.message),
        )

    async def spending(self, costing: Costing) -> Spending:
        """Nothing."""
        return Spending(label=self.label, kind=self.key, worst=FREE)


def _shown(value: ExpressionText | Vote | Select) -> str:
    """What is returned, as a file writes it."""
    return f"{value.key} of {value.of}" if isinstance(value, Vote | Select) else value


def _all(frame: Frame, value: Any) -> list[Candidate]:
    """The program's candidates, with those of `value` that were drawn aside, and all of an outcome."""
    candidates = frame.run.candidates()
    known = {id(one.sample) for one in candidates}
    whole = isinstance(value, Outcome)
    more = [one for one in _in(value) if whole or one.sample.call is not None]
    return candidates + [one for one in more if id(one.sample) not in known]


def _written(
    value: Any, answer: Answer | None, text: str | None, candidates: Sequence[Candidate]
) -> Candidate | None:
    """What the program has put together as its answer, or found in what nobody drew; None where samples gave it."""
    if answer is None:
        return None
    if text is not None:
        return Candidate(sample=Sample(text=text), answer=answer)
    if isinstance(value, Outcome):
        return value.written
    # A vote's answer is that of its drawn voters, wherever there is one.
    voted = isinstance(value, Poll | Candidates | Answer)
    alone = Candidate(sample=Sample(text=answer.text), answer=answer)
    chosen = next(iter(giving(answer, [*(candidates if voted else ()), *_in(value), *candidates])), alone)
    return chosen if chosen.sample.call is None else None


def _in(value: Any) -> Sequence[Candidate]:
    """The candidates in a value."""
    if isinstance(value, Candidate):
        return (value,)
    if isinstance(value, Review):
        return (value.candidate,)
    if isinstance(value, Outcome | Poll):
        return value.candidates
    return value if isinstance(value, Candidates) else ()


def _decided(value: Any, candidates: Sequence[Candidate]) -> Outcome:
    """The outcome a value stands for, without candidates."""
    if isinstance(value, Outcome):
        return value
    if isinstance(value, Poll):
        vote = value.vote
        detail: dict[str, Any] = {"votes": list(vote.counts), "abstentions": vote.abstentions}
        detail |= {"unscored": value.unscored} if value.unscored else {}
        detail |= {"unweighted": value.unweighted} if value.unweighted else {}
        return Outcome(answer=vote.answer, confidence=vote.confidence, tied=vote.tied, detail=detail)
    if isinstance(value, Candidates):
        return by_vote(value)
    if isinstance(value, Review):
        value = value.candidate
    if isinstance(value, Candidate):
        score = score_of(value)
        share = share_of(value.answer, candidates)
        return Outcome(answer=value.answer, confidence=share if score is None else score)
    return Outcome(answer=value, confidence=share_of(value, candidates))


def _ended(frame: Frame, outcome: Outcome) -> Outcome:
    """`outcome` with why the program ended, every candidate's parent being that of the outcome."""
    reason = frame.attempts.stop_reason
    return linked(
        replace(outcome, stop_reason=outcome.stop_reason if reason is StopReason.COMPLETE else reason)
    )
