"""When an answer is good enough to end with: what cascades and growing samples ask before they spend more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from ..context import Context
from ..contracts import Verifier, compares, name_of
from ..costs import FREE, UNKNOWN, Costing, Size, Spending
from ..stopping import After, AgreementStop, FixedSize, StoppingRule
from ..types import Outcome, Problem
from ..voting.shares import reaches
from .attempts import Attempts, scored
from .base import in_unit
from .selection import all_of, representative, share_of, value_of, with_all

__all__ = ["Acceptance", "Agreement", "Confident", "Scored", "Verdict", "examine", "verifier_of"]

OWN_CONFIDENCE = "own_confidence"
"""In the `detail` of an outcome: whether the program has worked out its confidence, which is no share of its vote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule of acceptance found.

    Attributes:
        accepted: Whether the answer is good enough.
        confidence: What the rule looked at, in [0, 1]; None when it could not tell.
        reason: The comparison in words.
        outcome: The outcome, with the scores that were asked for.
    """

    accepted: bool
    confidence: float | None
    reason: str
    outcome: Outcome


class Acceptance(Protocol):
    """A rule that looks at an outcome; `at_least` is the confidence it asks for, in [0, 1]."""

    @property
    def at_least(self) -> float:
        """The confidence that is enough."""

    async def confidence(
        self, ctx: Context, problem: Problem, outcome: Outcome, attempts: Attempts, /
    ) -> tuple[float | None, Outcome]:
        """The confidence in the outcome's answer, or None when it cannot be told; and the outcome, better known."""


class _Threshold:
    """A rule's number, checked."""

    __slots__ = ()

    at_least: float

    def __post_init__(self) -> None:
        in_unit(at_least=self.at_least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement(_Threshold):
    """Accepts an answer that enough of the samples gave: the leader's share, abstentions in the denominator.

    Of a vote that has fewer samples than it planned, because of failed calls, its budget, the deadline, or because it
    was settled, it is a bound that is true of the full vote: the least share its answer can have there where that is
    enough, the greatest one where that is not, and where the samples seen settle neither, the agreement cannot be
    told. A vote with a `stop` of its own, such as `BetaStop`, has as many samples as that rule found enough.

    Source: Yue et al., "Large Language Model Cascades with Mixture of Thoughts Representations",
    arXiv 2310.03094.

    Args:
        at_least: The share, in [0, 1].
        samples: Samples that must have been seen; one sample always agrees with itself.
    """

    name: ClassVar[str] = "agreement"

    at_least: float = 0.75
    samples: int = 2

    async def confidence(
        self, ctx: Context, problem: Problem, outcome: Outcome, attempts: Attempts, /
    ) -> tuple[float | None, Outcome]:
        """The share of the outcome's answer among its candidates; None when there are too few."""
        if outcome.answer is None or len(outcome.candidates) < self.samples:
            return None, outcome
        share = share_of(outcome.answer, outcome.candidates)
        return _settled(share, len(outcome.candidates), outcome, self.at_least), outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Confident(_Threshold):
    """Accepts by the confidence the strategy itself reports: a vote's share, a verifier's score, a calibrated figure.

    Of a vote that has fewer samples than it planned it is a bound, as for `Agreement`; of such a vote with weights it
    cannot be told. A confidence that a program has worked out itself is taken as it is.

    Args:
        at_least: The confidence, in [0, 1].
    """

    name: ClassVar[str] = "confident"

    at_least: float = 0.75

    async def confidence(
        self, ctx: Context, problem: Problem, outcome: Outcome, attempts: Attempts, /
    ) -> tuple[float | None, Outcome]:
        """The outcome's own confidence; None without an answer."""
        if outcome.answer is None:
            return None, outcome
        if _telling(outcome, OWN_CONFIDENCE):
            return outcome.confidence, outcome
        if missing_votes(outcome) and "totals" in _vote_of(outcome):
            return None, outcome
        return _settled(outcome.confidence, _drawn(outcome), outcome, self.at_least), outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored(_Threshold):
    """Accepts an answer that a verifier scores high enough: a rule, a judge, self-certainty, a stated confidence, or
    what was learned from recorded runs.

    Source: Chen, Zaharia, Zou, "FrugalGPT", arXiv 2305.05176, §3.

    Args:
        verifier: Scores the candidate that stands for the answer, unless the strategy has asked it already; one that
            compares candidates is given all.
        at_least: The score, in [0, 1].
    """

    name: ClassVar[str] = "scored"

    verifier: Verifier
    at_least: float = 1.0

    async def confidence(
        self, ctx: Context, problem: Problem, outcome: Outcome, attempts: Attempts, /
    ) -> tuple[float | None, Outcome]:
        """The best score of the answer's candidates; None where the verifier abstains."""
        name = name_of(self.verifier)
        outcome = with_all(outcome, scored(ctx, self.verifier, problem, all_of(outcome)))
        chosen = representative(outcome, name)
        known = all_of(outcome)
        alone = not any(one is chosen for one in known)
        if chosen is None or (alone and compares(self.verifier)):
            return None, outcome
        wanted = known if compares(self.verifier) else [chosen]
        judged = await attempts.score(ctx, self.verifier, problem, wanted)
        after = {id(one): new for one, new in zip(wanted, judged, strict=True)}
        outcome = with_all(outcome, [after.get(id(one), one) for one in known])
        standing = after.get(id(chosen)) if alone else representative(outcome, name)
        return (None if standing is None else value_of(standing, name)), outcome

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """What asking about an outcome of so many candidates, each of this size, costs at most."""
        return await costing.scoring(self.verifier, count if compares(self.verifier) else 1, size)


async def examine(
    ctx: Context, problem: Problem, outcome: Outcome, attempts: Attempts, rule: Acceptance
) -> Verdict:
    """Ask `rule` about `outcome`; what it cannot tell is not accepted."""
    confidence, outcome = await rule.confidence(ctx, problem, outcome, attempts)
    name = getattr(rule, "name", type(rule).__name__)
    if isinstance(rule, Scored):
        name = name_of(rule.verifier)
    if confidence is None:
        return Verdict(
            accepted=False, confidence=None, reason=f"{name} cannot be told{_why(outcome)}", outcome=outcome
        )
    accepted = reaches(confidence, rule.at_least)
    sign = ">=" if accepted else "<"
    reason = f"{name} {confidence:.4g} {sign} {rule.at_least:.4g}"
    return Verdict(accepted=accepted, confidence=confidence, reason=reason, outcome=outcome)


def settling_rule(rule: Acceptance | None) -> StoppingRule | None:
    """When a vote that `rule` is asked about may stop early and be judged as all its samples would; None for a rule
    that looks at one candidate, to which it makes no difference.
    """
    if isinstance(rule, Agreement):
        return After(n=max(1, rule.samples), rule=AgreementStop(threshold=rule.at_least))
    if isinstance(rule, Confident):
        return AgreementStop(threshold=rule.at_least)
    looks_at_one = rule is None or (isinstance(rule, Scored) and not compares(rule.verifier))
    return None if looks_at_one else FixedSize()


def missing_votes(outcome: Outcome) -> int:
    """Samples that a vote had planned and did not wait for, had no budget or time for, or whose calls failed."""
    planned: int = _vote_of(outcome).get("planned", 0)
    return max(0, planned - _drawn(outcome))


def _vote_of(outcome: Outcome) -> Mapping[str, Any]:
    """What an outcome tells of its vote."""
    return _telling(outcome, "planned")


def _telling(outcome: Outcome, fact: str) -> Mapping[str, Any]:
    """Where an outcome's detail tells of `fact`, through programs that hand on another's; empty where it does not."""
    detail: Any = outcome.detail
    while isinstance(detail, Mapping) and fact not in detail:
        detail = detail.get("of_program")
    return detail if isinstance(detail, Mapping) else {}


def _drawn(outcome: Outcome) -> int:
    """Samples that took part in its vote."""
    vote = _vote_of(outcome)
    votes: Sequence[int] = vote.get("votes", ())
    abstentions: int = vote.get("abstentions", 0)
    return sum(votes) + abstentions


def _settled(share: float, seen: int, outcome: Outcome, at_least: float) -> float | None:
    """`share` of the samples seen as a bound for all that were planned; None where it does not settle `at_least`."""
    missing = missing_votes(outcome)
    if not missing:
        return share
    planned = seen + missing
    least, most = share * seen / planned, (share * seen + missing) / planned
    if reaches(least, at_least):
        return least
    return None if reaches(most, at_least) else most


def _why(outcome: Outcome) -> str:
    missing, seen = missing_votes(outcome), _drawn(outcome)
    return f": the vote ended after {seen} of {seen + missing} samples" if missing else ""


def verifier_of(rule: Acceptance | None) -> Verifier | None:
    """The verifier that `rule` asks, or None."""
    return rule.verifier if isinstance(rule, Scored) else None


async def examining(costing: Costing, rule: Acceptance | None, count: float, size: Size) -> Spending:
    """What asking `rule` about an outcome of so many candidates, each of this size, costs at most."""
    name = getattr(rule, "name", type(rule).__name__)
    if rule is None or isinstance(rule, Agreement | Confident):
        return Spending(label=name, kind=name, worst=FREE)
    worst_case = getattr(rule, "worst_case", None)
    if worst_case is None:
        return Spending(label=name, kind=name, worst=UNKNOWN, note="it does not say what it costs")
    found: Spending = await worst_case(costing, count, size)
    return found
