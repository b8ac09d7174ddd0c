"""What a run came to: accuracies, coverage, tokens, money, time, and why programs stopped."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from .answers import Kind, PercentRule, UnitRule, equivalent
from .events import CandidatesScored, Event
from .types import Answer, Candidate, Outcome, Problem, StopReason, Usage

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Proportion", "Summary", "Tracker", "drawn_places", "money", "usage_dict"]

LIMITS = (StopReason.BUDGET, StopReason.DEADLINE)
"""Endings that the stop reasons tell already; they are no errors."""

Z_95 = 1.959963984540054
RIGHT_ENOUGH = 0.5
"""A check's score from which an answer counts as right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """A share with its 95 % interval.

    Attributes:
        value: In [0, 1].
        of: Problems it is over, at least 1.
    """

    value: float
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at 95 %, (p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n).

        Source: E. B. Wilson (1927), JASA 22(158). `n` counts problems: samples of one problem are not
        independent, so for a mean over samples the interval is the one their problems support.
        """
        n, p, z = self.of, self.value, Z_95
        center = p + z * z / (2 * n)
        spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        return max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A run in figures.

    The three shares are over the problems that could be judged and got at least one sample; None where no
    problem could be judged. An answer that could not be read counts as wrong.

    Attributes:
        problems: Problems with an outcome.
        answered: Those with an answer.
        judged: Those the shares are over.
        vote: Share whose answer is right.
        single: Expected share for one draw: the mean over each problem's samples; where programs stopped
            early on what they saw, which makes that mean biased, the first sample that arrived of each problem:
            the only one whose being there does not hang on what the samples said. (The first one *asked for*
            may have been cancelled by the success of a later one.)
        single_is_first_draw: Which of the two `single` is.
        coverage: Share with a right answer among the samples drawn.
        samples: Samples that were candidates for the answer, each counted once; those drawn aside and not returned,
            such as judgements, are in `usage` alone.
        usage: Everything charged.
        seconds: Wall time.
        priced: Whether the price of every model is known.
        stop_reasons: Outcomes by stop reason.
        errors: Outcomes by error message, most frequent first.
        silent: Verifiers that gave no verdict on more than half of what they were asked about, and how often and why.
    """

    problems: int
    answered: int
    judged: int
    vote: Proportion | None
    single: Proportion | None
    single_is_first_draw: bool
    coverage: Proportion | None
    samples: int
    usage: Usage
    seconds: float
    priced: bool = True
    stop_reasons: Mapping[StopReason, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)

    @property
    def samples_per_second(self) -> float:
        """Samples by wall time."""
        return self.samples / self.seconds if self.seconds > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        """JSON-compatible; money in US dollars."""

        def share(proportion: Proportion | None) -> dict[str, Any] | None:
            if proportion is None:
                return None
            low, high = proportion.interval
            return {"value": proportion.value, "low": low, "high": high, "of": proportion.of}

        return {
            "problems": self.problems,
            "answered": self.answered,
            "judged": self.judged,
            "accuracy": share(self.vote),
            "single_accuracy": share(self.single),
            "single_is_first_draw": self.single_is_first_draw,
            "coverage": share(self.coverage),
            "samples": self.samples,
            "usage": usage_dict(self.usage),
            "priced": self.priced,
            "seconds": self.seconds,
            "samples_per_second": self.samples_per_second,
            "stop_reasons": {reason.value: count for reason, count in self.stop_reasons.items()},
            "errors": dict(self.errors),
            "silent_verifiers": dict(self.silent),
        }

    def rows(self, *, chosen: str = "the answer", each: str = "one sample") -> list[tuple[str, str]]:
        """Label and figure, line by line.

        Args:
            chosen: How the answer was chosen, as in "the vote of 8".
            each: What it was chosen from.
        """
        rows = [("problems", f"{self.problems}, {self.answered} answered")]
        if self.single is not None:
            drawn = "the first sample" if self.single_is_first_draw else each
            rows.append((f"accuracy of {drawn}", str(self.single)))
        if self.vote is not None:
            rows.append((f"accuracy of {chosen}", str(self.vote)))
        if self.coverage is not None:
            rows.append(("coverage", f"{self.coverage}"))
        usage, tilde = self.usage, "~" if self.usage.estimated else ""
        rows += [
            ("samples", f"{self.samples:,} in {usage.requests:,} requests"),
            ("prompt tokens", f"{tilde}{usage.prompt_tokens:,}{self._cached()}"),
            ("completion tokens", f"{tilde}{usage.completion_tokens:,}"),
            ("spend", self._spend()),
            ("time", f"{self.seconds:.1f} s, {self.samples_per_second:.1f} samples/s"),
            ("stopped", ", ".join(f"{count} {reason.value}" for reason, count in self.stop_reasons.items())),
        ]
        rows += self.silent.items()
        return rows + [("error", f"{count} × {message}") for message, count in self.errors.items()]

    def _cached(self) -> str:
        """How much of the prompts the servers had read before."""
        usage = self.usage
        if not usage.cached_tokens:
            return ""
        return f", {100 * usage.cached_tokens / usage.prompt_tokens:.0f} % cached"

    def _spend(self) -> str:
        spent = money(self.usage.picodollars)
        if self.priced:
            return spent
        return (
            f"{spent} and what has no known price"
            if self.usage.picodollars
            else "unknown: no price was given"
        )

    def text(self, *, chosen: str = "the answer", each: str = "one sample") -> str:
        """The rows as plain text."""
        rows = self.rows(chosen=chosen, each=each)
        width = max(len(label) for label, _ in rows)
        return "\n".join(f"{label:<{width}}  {figure}" for label, figure in rows)

    def table(self, *, chosen: str = "the answer", each: str = "one sample") -> Table:
        """The rows as a rich table; folds to narrow terminals."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
        table.add_column(style="bold", overflow="fold")
        table.add_column(overflow="fold")
        for label, figure in self.rows(chosen=chosen, each=each):
            table.add_row(Text(label), Text(figure))
        return table


@dataclass(slots=True, kw_only=True)
class Silence:
    """How often a verifier was asked and gave no verdict; what it is mostly silent for is what a run must tell.

    Attributes:
        asked: Candidates it was asked about.
        silent: Those it abstained on.
        reasons: Why, most frequent first when told.
    """

    asked: int = 0
    silent: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def is_usual(self) -> bool:
        """Whether it abstained on more than half."""
        return 2 * self.silent > self.asked

    def __str__(self) -> str:
        why = [f" ({reason})" for reason, _ in self.reasons.most_common(1) if reason]
        return f"{self.silent:,} of {self.asked:,} without a verdict{''.join(why)}"


class Tracker:
    """Adds up outcomes as they come; what it keeps does not grow with their number.

    Args:
        kind, units, percent: How answers are compared with references (see `answers.equivalent`).
        check: Name of the scores that judge a problem without a reference, or None.
        priced: Whether the price of every model is known.
    """

    MOST_MESSAGES = 20

    def __init__(
        self,
        *,
        kind: Kind = "auto",
        units: UnitRule = "by_kind",
        percent: PercentRule = "fraction",
        check: str | None = None,
        priced: bool = True,
    ) -> None:
        self._equivalent = partial(equivalent, kind=kind, units=units, percent=percent)
        self._check, self._priced = check, priced
        self._problems = self._answered = self._judged = self._sampled = self._samples = 0
        self._right = self._covered = 0
        self._mean = self._first = 0.0
        self._stopped_early = False
        self._usage = Usage()
        self._reasons: Counter[StopReason] = Counter()
        self._errors: Counter[str] = Counter()
        self._verdicts: dict[str, Silence] = {}

    def record(self, event: Event) -> None:
        """Count the verdicts of verifiers, and how often they gave none."""
        if not isinstance(event, CandidatesScored):
            return
        heard = self._verdicts.setdefault(event.verifier, Silence())
        heard.asked += len(event.scores)
        for score in event.scores:
            if score.value is None:
                heard.silent += 1
                known = score.reason in heard.reasons or len(heard.reasons) < self.MOST_MESSAGES
                heard.reasons[score.reason if known else "further reasons"] += 1

    def add(self, problem: Problem, outcome: Outcome) -> bool | None:
        """Count `outcome`; whether its answer is right, or None where that cannot be said."""
        self._problems += 1
        self._answered += outcome.answer is not None
        drawn = drawn_places(outcome.candidates)
        self._samples += len(drawn)
        self._usage += outcome.usage
        self._reasons[outcome.stop_reason] += 1
        self._stopped_early |= outcome.stop_reason is StopReason.DECIDED
        if outcome.error is not None and outcome.stop_reason not in LIMITS:
            known = outcome.error in self._errors or len(self._errors) < self.MOST_MESSAGES
            self._errors[outcome.error if known else "further errors"] += 1
        verdicts = [self._judge(problem, candidate) for candidate in outcome.candidates]
        written = None if outcome.written is None else self._judge(problem, outcome.written)
        if all(verdict is None for verdict in (*verdicts, written)):
            return None
        right = self._chosen_is_right(problem, outcome, verdicts, written)
        self._judged += 1
        self._right += right
        if drawn:
            self._count([verdicts[place] is True for place in drawn])
        return right

    def _count(self, verdicts: Sequence[bool]) -> None:
        self._sampled += 1
        self._covered += any(verdicts)
        self._mean += sum(verdicts) / len(verdicts)
        self._first += verdicts[0]

    def _judge(self, problem: Problem, candidate: Candidate) -> bool | None:
        if problem.reference is not None:
            return self._equals(candidate.answer, problem.reference)
        score = candidate.scores.get(self._check or "")
        return None if score is None or score.value is None else score.value >= RIGHT_ENOUGH

    def _equals(self, answer: Answer | None, reference: str) -> bool:
        return answer is not None and self._equivalent(answer, reference)

    def _chosen_is_right(
        self, problem: Problem, outcome: Outcome, verdicts: Sequence[bool | None], written: bool | None
    ) -> bool:
        if problem.reference is not None:
            return self._equals(outcome.answer, problem.reference)
        if outcome.written is not None:
            return written is True
        same = [
            verdict
            for candidate, verdict in zip(outcome.candidates, verdicts, strict=True)
            if outcome.answer is not None and candidate.answer == outcome.answer
        ]
        return bool(same) and same[0] is True

    @property
    def accuracy(self) -> Proportion | None:
        """Share of right answers so far."""
        return self._share(self._right, self._judged)

    @property
    def problems(self) -> int:
        """Outcomes counted so far."""
        return self._problems

    @property
    def answered(self) -> int:
        """Those with an answer."""
        return self._answered

    @property
    def samples(self) -> int:
        """Samples in them."""
        return self._samples

    def _share(self, count: float, of: int) -> Proportion | None:
        return Proportion(value=count / of, of=of) if of else None

    def summary(self, *, seconds: float, usage: Usage | None = None) -> Summary:
        """The figures so far; `usage` is the run's account, by default the sum over outcomes."""
        return Summary(
            problems=self._problems,
            answered=self._answered,
            judged=self._judged,
            vote=self._share(self._right, self._judged),
            single=self._share(self._first if self._stopped_early else self._mean, self._sampled),
            single_is_first_draw=self._stopped_early,
            coverage=self._share(self._covered, self._sampled),
            samples=self._samples,
            usage=self._usage if usage is None else usage,
            seconds=seconds,
            priced=self._priced,
            stop_reasons=dict(self._reasons.most_common()),
            errors=dict(self._errors.most_common()),
            silent={name: str(heard) for name, heard in self._verdicts.items() if heard.is_usual},
        )


def drawn_places(candidates: Sequence[Candidate]) -> list[int]:
    """The places of the candidates that are samples, each sample once, in their order.

    A ballot, or what a search has put together, comes from no call, and is none; where no candidate comes from a
    call, as in outcomes made by hand, all are samples.
    """
    choices = [None if (call := one.sample.call) is None else (call, one.sample.index) for one in candidates]
    first = {choice: place for place, choice in reversed([*enumerate(choices)]) if choice is not None}
    return sorted(first.values()) or list(range(len(candidates)))


def usage_dict(usage: Usage) -> dict[str, Any]:
    """JSON-compatible; money in US dollars."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "cached_tokens": usage.cached_tokens,
        "requests": usage.requests,
        "usd": usage.usd,
        "estimated": usage.estimated,
    }


def money(picodollars: int) -> str:
    """US dollars with at least two digits that matter."""
    usd = picodollars / 10**12
    if usd == 0:
        return "$0"
    if usd >= 0.1:
        return f"${usd:,.2f}"
    return f"${usd:.{min(12, 1 - math.floor(math.log10(usd)))}f}"
