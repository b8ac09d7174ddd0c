"""A rule for a vote that is drawn to be accepted or not: it stops when that is settled."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._core import Tally
from ..errors import InvalidInputError
from ..voting.shares import reaches
from .counts import LeadStop
from .rule import NativeRule, Stop

__all__ = ["AgreementStop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementStop(NativeRule[_core.PythonRule]):
    """Stops when it is settled whether the leader of all planned samples will have a share of at least `threshold`.

    Of n planned samples d are in, L of them the leader's. The share of all n that the leader will have is in
    [L / n, (L + n - d) / n]. It stops when

        L / n >= threshold, and the leader cannot be overtaken (`LeadStop`), or
        (L + n - d) / n < threshold, which holds for every other answer too, seen or not, as none has more votes.

    So the full vote would be accepted where this one's lower bound is, and by the same answer; where it stops because
    the share is out of reach, another answer may still have come to lead. `LeadStop` alone settles the answer and not
    its share: after 7, 7 of four samples the lead is safe, and the full vote can still be a tie at 0.5. Abstentions
    count against the share. With an open plan (`planned` None) it never stops. No paper: the bounds are the
    definition of a share, and the rule is exact as `LeadStop` is.

    Attributes:
        threshold: The share asked for, in [0, 1].

    Raises:
        InvalidInputError: `threshold` is outside its range.
    """

    threshold: float = 0.75

    def _build(self) -> _core.PythonRule:
        return _core.PythonRule(_Settled(self.threshold))

    def _reason(self, tally: Tally) -> str:
        if reaches(tally.first / (tally.planned or 1), self.threshold):
            return f"at least {tally.first} of {tally.planned} samples agree, and the lead is safe"
        return f"at most {tally.first + (tally.remaining or 0)} of {tally.planned} samples can agree"


@dataclass(frozen=True, slots=True)
class _Settled:
    """The decision itself, as the native engines ask it."""

    threshold: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise InvalidInputError(f"threshold must be in [0, 1], not {self.threshold}")

    def should_stop(self, tally: Tally) -> Stop | None:
        if tally.planned is None or tally.remaining is None:
            return None
        least, most = tally.first / tally.planned, (tally.first + tally.remaining) / tally.planned
        if not reaches(most, self.threshold):
            return Stop(reason="", leader=tally.leader)
        return LEAD.should_stop(tally) if reaches(least, self.threshold) else None


LEAD = LeadStop()
