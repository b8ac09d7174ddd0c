"""What a strategy would have done with recorded samples: stopping rules, votes and cascades, without a call.

The order in which a problem's samples come is a function of (seed, problem, resample, tier) alone, so two
strategies replayed with one seed meet the same draws: compare them problem by problem.

What is not promised: a replay draws from the samples there are. With n near the number recorded, draws overlap
almost wholly, and how the answers of other samples would have varied is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import InvalidInputError
from ..stopping import StoppingRule
from ..stopping.rule import native_rule
from .estimators import Estimate, Method, check_method, exact_majority, plain_errors, whole_number
from .intervals import Interval, bootstrap_interval
from .recordings import FloatArray, RecordedProblem, Recording

__all__ = ["ReplayResult", "Tier", "VoteCurve", "VoteName", "maj_curve", "replay", "replay_cascade"]

VoteName: TypeAlias = Literal["plurality", "weighted", "best"]
# Multiplications all exact values of a curve may take before "auto" draws at random instead: seconds.
_MAX_STEPS = 4e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One stage of a cascade: samples of one model, when to stop drawing them, and when to accept their answer.

    Attributes:
        recording: The model's samples of the same problems, in the same order, as the other tiers'.
        n: At most so many samples; None: all that are recorded.
        stop: Ends the drawing early; None: all `n` are taken.
        accept: The share of the samples seen, abstentions included, that the leader needs for the answer to be
            accepted, in [0, 1]; None: it is accepted when `stop` fired. The last tier always accepts.
        carry: Whether the votes of the tiers before count here too. Their clusters must then mean the same
            (`Recording.from_tiers`), and `stop` is asked about all of them.
    """

    recording: Recording
    n: int | None = None
    stop: StoppingRule | None = None
    accept: float | None = None
    carry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReplayResult:
    """What a strategy achieved and spent, averaged over random orders.

    The standard errors of the estimates are those of the simulation; `interval` answers for other problems.

    Attributes:
        accuracy: Mean correctness of the answer, in [0, 1].
        samples: Mean number of samples taken per problem.
        cost: Mean cost per problem, in the unit of the recorded costs; None when no tier has costs.
        unanswered: Share of runs without an answer; they count as wrong.
        stopped: Share of runs that a stopping rule ended; of a cascade, in the tier whose answer it gave.
        ended: Share of runs whose answer came from each tier; shape (tiers,).
        accuracy_by_problem, samples_by_problem, unanswered_by_problem, stopped_by_problem: The same for each
            problem; shape (problems,).
        cost_by_problem: The same, or None.
        ended_by_problem: Shape (problems, tiers).
    """

    accuracy: Estimate
    samples: Estimate
    cost: Estimate | None
    unanswered: float
    stopped: float
    ended: FloatArray
    accuracy_by_problem: FloatArray = field(repr=False)
    samples_by_problem: FloatArray = field(repr=False)
    cost_by_problem: FloatArray | None = field(repr=False)
    unanswered_by_problem: FloatArray = field(repr=False)
    stopped_by_problem: FloatArray = field(repr=False)
    ended_by_problem: FloatArray = field(repr=False)

    def interval(self, *, confidence: float = 0.95, resamples: int = 10_000, seed: int = 0) -> Interval:
        """Of the accuracy, for other problems of the same kind; see `bootstrap_interval`.

        Raises:
            InvalidInputError: an argument is out of its range.
        """
        return bootstrap_interval(
            self.accuracy_by_problem, confidence=confidence, resamples=resamples, seed=seed
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VoteCurve:
    """Accuracy of a vote against the number of samples voting.

    Attributes:
        ks: Numbers of samples, ascending; shape (k,).
        accuracy: Mean over problems; shape (k,).
        standard_error: Of the simulation, 0 when exact, not a number after a single draw; shape (k,).
        accuracy_by_problem: Shape (problems, k).
        method: "exact" or "monte_carlo".
    """

    ks: tuple[int, ...]
    accuracy: FloatArray
    standard_error: FloatArray
    accuracy_by_problem: FloatArray = field(repr=False)
    method: Literal["exact", "monte_carlo"]


def replay(
    recording: Recording,
    *,
    stop: StoppingRule | None = None,
    vote: VoteName = "plurality",
    n: int | None = None,
    resamples: int = 1000,
    seed: int = 0,
    shuffle: bool = True,
    threads: int | None = None,
) -> ReplayResult:
    """Replays one strategy: draw samples until a rule says stop or `n` are in, then vote.

    Args:
        recording: What was sampled.
        stop: Asked after each sample, with `n` as the tally's plan; None: `n` samples are taken. A rule of
            this library decides natively. Any other object with `should_stop` is asked through a function
            call, on one thread, some hundred times slower.
        vote: "plurality"; "weighted", where samples vote with their scores; or "best", the answer with the
            highest score. Ties go to the cluster, or sample, seen first; abstentions never win.
        n: At most so many samples, drawn without replacement, in [1, `recording.fewest`]; None: all that each
            problem has.
        resamples: Random orders of each problem.
        seed: Of these orders.
        shuffle: False replays the recorded order, once.
        threads: At most so many; None: as many as the machine has. The result does not depend on it.

    Raises:
        InvalidInputError: an argument is out of its range, or the vote needs scores that were not recorded.
    """
    tier = Tier(recording=recording, n=n, stop=stop)
    return replay_cascade([tier], vote=vote, resamples=resamples, seed=seed, shuffle=shuffle, threads=threads)


def replay_cascade(
    tiers: Iterable[Tier],
    *,
    vote: VoteName = "plurality",
    resamples: int = 1000,
    seed: int = 0,
    shuffle: bool = True,
    threads: int | None = None,
) -> ReplayResult:
    """Replays a cascade: a tier whose answer is not accepted hands the problem to the next (FrugalGPT).

    As in Chen et al. 2023 (arXiv 2305.05176), with the agreement of samples in place of a learned scorer. What
    a tier took is counted and paid whether or not its answer was accepted.

    Args:
        tiers: Cheapest first, at least one; each but the last needs `stop` or `accept`.
        vote, resamples, seed, shuffle, threads: As for `replay`.

    Raises:
        InvalidInputError: a tier can never accept, the tiers have not the same number of problems, or as for
            `replay`.
    """
    stages = tuple(tiers)
    natives = [None if tier.stop is None else native_rule(tier.stop) for tier in stages]
    if any(isinstance(native, _core.PythonRule) for native in natives):
        threads = 1
    rounds = whole_number("resamples", resamples, least=1) if shuffle else 1
    with plain_errors():
        totals = _core.replay(
            [
                (tier.recording._native, native, _samples(tier), tier.accept, tier.carry)
                for tier, native in zip(stages, natives, strict=True)
            ],
            vote=_vote_kind(vote),
            resamples=rounds,
            seed=whole_number("seed", seed),
            shuffle=shuffle,
            threads=whole_number("threads", threads or 0),
        )
    return _result(stages, totals, rounds, exact=not shuffle)


def maj_curve(
    recording: Recording,
    ks: Sequence[int],
    *,
    vote: VoteName = "plurality",
    method: Method = "auto",
    resamples: int = 1000,
    seed: int = 0,
    threads: int | None = None,
) -> VoteCurve:
    """Accuracy of the vote of k samples for several k: maj@k, or best-of-k with a vote by score.

    Args:
        recording: What was sampled.
        ks: Numbers of samples, each in [1, `recording.fewest`].
        vote: As for `replay`.
        method: "exact" (`maj_at_k`, or `best_of_k`; there is no exact weighted vote), "monte_carlo" (one pass
            over each random order serves all k; the same draws as `replay` with that seed), or "auto": exact
            where that takes seconds at most.
        resamples, seed, threads: As for `replay`; for "monte_carlo".

    Raises:
        InvalidInputError: an argument is out of its range, or "exact" is asked for a weighted vote.
    """
    check_method(method)
    kind = _vote_kind(vote)
    ascending = sorted({whole_number("k", k, least=1) for k in ks})
    if not ascending:
        raise InvalidInputError("ks must name at least 1 number of samples")
    if vote == "weighted" and method == "exact":
        raise InvalidInputError("a weighted vote is simulated: method must be 'auto' or 'monte_carlo'")
    if method != "monte_carlo" and vote != "weighted":
        limit = np.inf if method == "exact" else _MAX_STEPS / max(1, len(recording) * len(ascending))
        table = _exact_curve(recording, ascending, vote, limit)
        if table is not None:
            return _curve(ascending, table, np.zeros(len(ascending)), "exact")
    rounds = whole_number("resamples", resamples, least=1)
    with plain_errors():
        drawn = _core.vote_curve(
            recording._native,
            ascending,
            vote=kind,
            resamples=rounds,
            seed=whole_number("seed", seed),
            threads=whole_number("threads", threads or 0),
        )
    shape = (len(recording), len(ascending))
    errors = _standard_error(drawn.variance.reshape(shape), rounds)
    return _curve(ascending, drawn.mean.reshape(shape), errors, "monte_carlo")


def _samples(tier: Tier) -> int | None:
    return None if tier.n is None else whole_number("n", tier.n, least=1)


def _vote_kind(vote: str) -> _core.VoteKind:
    try:
        return _core.VoteKind[vote]
    except KeyError:
        raise InvalidInputError(f"vote must be 'plurality', 'weighted' or 'best', not {vote!r}") from None


def _result(tiers: Sequence[Tier], totals: _core.ReplayTotals, rounds: int, *, exact: bool) -> ReplayResult:
    def overall(values: _core.ByProblem) -> Estimate:
        error = 0.0 if exact else float(_standard_error(values.variance[:, np.newaxis], rounds)[0])
        return Estimate(float(values.mean.mean()), standard_error=error, exact=exact)

    ended = totals.ended.reshape(-1, len(tiers))
    has_costs = any(tier.recording.problems[0].costs is not None for tier in tiers)
    return ReplayResult(
        accuracy=overall(totals.correct),
        samples=overall(totals.samples),
        cost=overall(totals.costs) if has_costs else None,
        unanswered=float(totals.unanswered.mean()),
        stopped=float(totals.fired.mean()),
        ended=ended.mean(axis=0),
        accuracy_by_problem=totals.correct.mean,
        samples_by_problem=totals.samples.mean,
        cost_by_problem=totals.costs.mean if has_costs else None,
        unanswered_by_problem=totals.unanswered,
        stopped_by_problem=totals.fired,
        ended_by_problem=ended,
    )


def _standard_error(variance: FloatArray, rounds: int) -> FloatArray:
    """Of means over problems (rows), each of `rounds` draws that vary as given."""
    if rounds == 1:
        return np.full(variance.shape[1], np.nan)
    return np.asarray(np.sqrt(variance.sum(axis=0) / rounds) / len(variance))


def _curve(
    ks: Sequence[int], table: NDArray[np.float64], errors: FloatArray, method: Literal["exact", "monte_carlo"]
) -> VoteCurve:
    return VoteCurve(
        ks=tuple(ks),
        accuracy=table.mean(axis=0),
        standard_error=errors,
        accuracy_by_problem=table,
        method=method,
    )


def _exact_curve(recording: Recording, ks: Sequence[int], vote: VoteName, limit: float) -> FloatArray | None:
    """Exact values by problem and k, or None when one of them would take more steps than `limit`."""
    table = np.zeros((len(recording), len(ks)))
    for row, problem in enumerate(recording.problems):
        for column, k in enumerate(ks):
            value = _exact_majority(problem, k, limit) if vote == "plurality" else _exact_best(problem, k)
            if value is None:
                return None
            table[row, column] = value
    return table


def _exact_majority(problem: RecordedProblem, k: int, limit: float) -> float | None:
    return exact_majority(np.asarray(problem.clusters), np.asarray(problem.correct), k, max_steps=limit)


def _exact_best(problem: RecordedProblem, k: int) -> float:
    if problem.scores is None:
        raise InvalidInputError(f"problem {problem.id} has no scores, which this vote needs")
    # A sample that abstains is never the best while another is drawn, and wrong when none is.
    votes = np.asarray(problem.clusters) >= 0
    scores = np.asarray(problem.scores)
    below = np.nextafter(scores.min(), -np.inf)
    with plain_errors():
        return _core.best_of_k(
            np.where(votes, scores, below), np.where(votes, np.asarray(problem.correct), 0.0), k=k
        )
