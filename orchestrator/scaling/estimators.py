"""What k samples achieve, estimated from the n that were recorded: pass@k, maj@k, best-of-k.

Each is the average over every way to draw k of the n samples without replacement, so none is biased by how
the samples happen to be ordered; a plain estimate such as 1 - (1 - c/n)^k would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import index
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from ..errors import InvalidInputError
from .recordings import Clusters, Correctness, FloatArray, IntArray, cluster_array, correctness_array

__all__ = ["Estimate", "Method", "best_of_k", "coverage", "maj_at_k", "pass_at_k"]

Method: TypeAlias = Literal["auto", "exact", "monte_carlo"]
# Multiplications an exact maj@k may take before "auto" draws at random instead: about a second.
_MAX_STEPS = 1e9


class Estimate(float):
    """A number that knows how it was found.

    Attributes:
        standard_error: Of the simulation, given the recorded samples: 0 when exact, not a number after a single
            random draw. How far the recorded problems stand for others is another question
            (`bootstrap_interval`).
        method: "exact" or "monte_carlo".
    """

    __slots__ = ("method", "standard_error")
    method: Literal["exact", "monte_carlo"]
    standard_error: float

    def __new__(cls, value: float, *, standard_error: float = 0.0, exact: bool = True) -> Estimate:
        self = super().__new__(cls, value)
        self.standard_error = standard_error
        self.method = "exact" if exact else "monte_carlo"
        return self

    def __repr__(self) -> str:
        if self.method == "exact":
            return f"Estimate({float(self)!r}, exact)"
        return f"Estimate({float(self)!r} ± {self.standard_error:.2g}, monte_carlo)"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (float(self), self.standard_error, self.method == "exact")


def pass_at_k(n: ArrayLike, c: ArrayLike, k: ArrayLike) -> float | FloatArray:
    """The probability that k of n samples, c of them correct, hold a correct one.

    1 - C(n - c, k) / C(n, k), the unbiased estimator (Chen et al. 2021, arXiv 2107.03374, equation 1), as a sum
    of logarithms over min(c, k) terms, so that neither large n nor small results lose digits.

    Args:
        n: Samples, at least k; a number or an array.
        c: Correct ones, in [0, n].
        k: Samples allowed, at least 1.

    Returns:
        A float for three numbers, else an array of their broadcast shape.

    Raises:
        InvalidInputError: k is 0 or above n, c is above n, or one of them is negative or not whole.
    """
    counts = [_whole(name, value) for name, value in (("n", n), ("c", c), ("k", k))]
    with plain_errors():
        value = _core.pass_at_k(*np.broadcast_arrays(*counts))
    return float(value) if np.ndim(value) == 0 else value


def coverage(n: ArrayLike, c: ArrayLike, k: ArrayLike) -> float | FloatArray:
    """The mean of pass@k over problems: the share that k samples are expected to solve.

    Named as in Brown et al. 2024 (arXiv 2407.21787).

    Args:
        n: Samples of each problem, or one number for all.
        c: Correct ones of each problem; shape (problems,).
        k: Samples allowed, or an array of such numbers.

    Returns:
        A float, or an array with one value for each k.

    Raises:
        InvalidInputError: as for `pass_at_k`, or there are no problems.
    """
    correct = np.atleast_1d(np.asarray(c))
    if correct.ndim != 1 or correct.size == 0:
        raise InvalidInputError("coverage needs the correct counts of at least 1 problem, one a problem")
    ks = np.asarray(k)
    table = np.asarray(pass_at_k(n, correct, ks[..., np.newaxis]))
    return float(table.mean()) if ks.ndim == 0 else np.asarray(table.mean(axis=-1))


def maj_at_k(
    clusters: Clusters,
    correct: Correctness,
    k: int,
    *,
    weights: ArrayLike | None = None,
    method: Method = "auto",
    resamples: int = 10_000,
    seed: int = 0,
) -> Estimate:
    """The expected accuracy of the plurality vote over k of the n recorded samples of a problem.

    Abstentions do not vote; a draw of nothing else is wrong. A tie goes to the cluster seen first, which in a
    draw of random order is each of the tied with equal probability. The answer is that of the winning cluster's
    first member, so where members differ in correctness their mean counts.

    Exactly, it is a sum over the number v of votes the winner has: draws without replacement are independent
    Binomial(n_i, k/n) draws from the clusters, given that they sum to k; a table over (votes used, clusters tied
    at v) is filled cluster by cluster, those with fewer than v members taken as one. That takes about
    n k^2 log k steps at most: milliseconds for 256 samples.

    Args:
        clusters: `n` cluster numbers; None or -1 abstains.
        correct: In [0, 1], by sample or as a mapping from cluster; see `RecordedProblem`.
        k: Samples in a vote, in [1, n].
        weights: `n` weights, at least 0, with which samples vote (Li et al. 2022, arXiv 2206.02336; weighted
            best-of-N with a verifier's scores). Such votes are simulated.
        method: "exact", "monte_carlo", or "auto": exact where it is feasible within about a second.
        resamples: Random draws when it is simulated.
        seed: Of these draws.

    Raises:
        InvalidInputError: k is outside [1, n], a value is out of range, or "exact" is asked for and infeasible.
    """
    votes = cluster_array(clusters, where="maj_at_k")
    right = correctness_array(correct, votes, where="maj_at_k")
    check_method(method)
    if weights is None and method != "monte_carlo":
        value = exact_majority(votes, right, k, max_steps=_MAX_STEPS if method == "auto" else np.inf)
        if value is not None:
            return Estimate(value)
    elif method == "exact":
        raise InvalidInputError("a weighted vote is simulated: method must be 'auto' or 'monte_carlo'")
    return _simulated(votes, right, weights, k, resamples, seed)


def best_of_k(
    scores: ArrayLike,
    correct: Correctness,
    k: int,
    *,
    clusters: Clusters | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> Estimate:
    """The expected correctness of the best scored of k of the n recorded samples of a problem.

    Exact, by order statistics: the best of k has a score of at most s with probability C(U, k) / C(n, k), where
    U samples score at most s. Equal scores share their place evenly.

    Args:
        scores: `n` scores, finite; higher is better.
        correct: In [0, 1], by sample (or from cluster, with `clusters`).
        k: Samples drawn, in [1, n].
        clusters: When given, scores are summed over equal answers and the best cluster wins: weighted best-of-N
            (Snell et al. 2024, arXiv 2408.03314, section 5.1). The same as `maj_at_k` with weights: simulated.
        resamples, seed: As for `maj_at_k`; used with `clusters` only.

    Raises:
        InvalidInputError: lengths differ, k is outside [1, n], or a value is out of range.
    """
    if clusters is not None:
        return maj_at_k(clusters, correct, k, weights=scores, resamples=resamples, seed=seed)
    values = np.ascontiguousarray(scores, dtype=np.float64)
    right = correctness_array(correct, np.zeros(values.size, dtype=np.int64), where="best_of_k")
    with plain_errors():
        return Estimate(_core.best_of_k(values, right, k=whole_number("k", k)))


def exact_majority(clusters: IntArray, correct: FloatArray, k: int, *, max_steps: float) -> float | None:
    """`maj_at_k` of checked arrays, or None when it would take more than `max_steps` multiplications."""
    ids, places, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    means = np.bincount(places, weights=correct) / counts
    votes = ids >= 0
    with plain_errors():
        return _core.exact_maj_at_k(
            counts[votes].astype(np.uint64),
            np.clip(means[votes], 0.0, 1.0),
            abstentions=int(counts[~votes].sum()),
            k=whole_number("k", k),
            max_steps=max_steps,
        )


def check_method(method: str) -> None:
    """Raises `InvalidInputError` for an unknown method."""
    if method not in ("auto", "exact", "monte_carlo"):
        raise InvalidInputError(f"method must be 'auto', 'exact' or 'monte_carlo', not {method!r}")


def whole_number(name: str, value: int, *, least: int = 0, most: int = 2**64 - 1) -> int:
    """The number, or `InvalidInputError` when it is not a whole one from `least` to `most`."""
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if not least <= number <= most:
        raise InvalidInputError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return number


@contextmanager
def plain_errors() -> Iterator[None]:
    """Raises what the native core refuses as `InvalidInputError`."""
    try:
        yield
    except InvalidInputError:
        raise
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(str(error)) from error


def _simulated(
    clusters: IntArray, correct: FloatArray, weights: ArrayLike | None, k: int, resamples: int, seed: int
) -> Estimate:
    scores = None if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
    votes, rounds = whole_number("k", k), whole_number("resamples", resamples, least=1)
    start = whole_number("seed", seed)
    with plain_errors():
        sizes = np.array([clusters.size], dtype=np.uint64)
        recording = _core.Recording(sizes, clusters, correct, scores, None)
        vote = _core.VoteKind.plurality if weights is None else _core.VoteKind.weighted
        curve = _core.vote_curve(recording, [votes], vote=vote, resamples=rounds, seed=start, threads=1)
    error = float(np.sqrt(curve.variance[0] / rounds)) if rounds > 1 else float("nan")
    return Estimate(float(curve.mean[0]), standard_error=error, exact=False)


def _whole(name: str, value: ArrayLike) -> NDArray[np.uint64]:
    array = np.asarray(value)
    if array.dtype.kind not in "iu" or (array.size and array.min() < 0):
        raise InvalidInputError(f"{name} must be whole numbers of at least 0, not {value!r}")
    return array.astype(np.uint64)


def _rebuilt(value: float, standard_error: float, exact: bool) -> Estimate:
    return Estimate(value, standard_error=standard_error, exact=exact)
