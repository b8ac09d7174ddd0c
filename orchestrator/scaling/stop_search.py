"""Which stopping rule suits a task, found on recorded samples: fit one, compare many, choose the cheapest.

Choose on one part of the problems and report on another (`Recording.split`): a figure on the problems a rule
was chosen on flatters it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..errors import InvalidInputError
from ..stopping import BetaStop, FixedSize, LearnedStop, StoppingRule, Tally
from .estimators import whole_number
from .recordings import FloatArray, IntArray, Recording
from .replay import ReplayResult, replay

__all__ = ["StopChoice", "choose_stop", "fit_stop"]

_MOST_EVIDENCE = 40.0
"""As `LearnedStop`."""

_RIDGE = 1.0
"""Precision of the weights' normal prior around 0: it keeps them finite where leaders always stay."""


def fit_stop(
    recording: Recording,
    *,
    n: int | None = None,
    confidence: float = 0.98,
    resamples: int = 20,
    seed: int = 0,
) -> LearnedStop:
    """Learns how often a leader stays from recorded samples; right answers need not be known.

    Each problem's samples are put into `resamples` random orders; each prefix whose lead can still be lost is an
    observation: its evidence and lead, and whether the leader of all `n` samples is the same. The weights
    maximise the likelihood of a logistic model with a weak normal prior, by Newton's method. Prefixes of one
    problem depend on each other, so the fit says nothing of how sure the weights are: choose `confidence` by
    replaying (`choose_stop`).

    Args:
        recording: Samples of the task's problems.
        n: Samples planned, as the rule will meet them, in [3, `recording.fewest`]; None: the fewest.
        confidence: Of the rule returned, in (0, 1].
        resamples: Random orders of each problem, at least 1.
        seed: Of these orders.

    Raises:
        InvalidInputError: an argument is out of its range, or no lead is ever open in these samples.
    """
    planned = recording.fewest if n is None else whole_number("n", n, least=3)
    if not 3 <= planned <= recording.fewest:
        raise InvalidInputError(
            f"n must be from 3 to the {recording.fewest} samples every problem has, not {planned}"
        )
    rounds = whole_number("resamples", resamples, least=1)
    rng = np.random.default_rng(whole_number("seed", seed))
    parts = [
        _observations(np.asarray(problem.clusters), planned, rounds, rng) for problem in recording.problems
    ]
    features = np.concatenate([x for x, _ in parts])
    stays = np.concatenate([y for _, y in parts])
    if not len(stays):
        raise InvalidInputError("no lead is ever open in these samples: there is nothing to learn from")
    bias, evidence, lead = _logistic(features, stays)
    return LearnedStop(confidence=confidence, bias=bias, evidence=evidence, lead=lead)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StopChoice:
    """The rule chosen, and what all candidates did on the same draws.

    Attributes:
        rule: The cheapest that loses little enough; `FixedSize` when none does.
        chosen: What it did.
        full: What taking all samples did.
        candidates: Rule and result of each candidate, in the order given.
    """

    rule: StoppingRule
    chosen: ReplayResult
    full: ReplayResult
    candidates: tuple[tuple[StoppingRule, ReplayResult], ...]


def choose_stop(
    recording: Recording,
    rules: Iterable[StoppingRule],
    *,
    max_loss: float = 0.002,
    n: int | None = None,
    resamples: int = 200,
    seed: int = 0,
    threads: int | None = None,
) -> StopChoice:
    """The rule that takes the fewest samples among those that lose at most `max_loss` of accuracy.

    Args:
        recording: What was sampled.
        rules: Candidates: other rules, or one rule with other parameters.
        max_loss: Accuracy that may be lost against the vote of all samples, in [0, 1]; 0.002 is 0.2 points.
        n, resamples, seed, threads: As for `replay`. All rules meet the same draws.

    Raises:
        InvalidInputError: an argument is out of its range.
    """
    if not 0 <= max_loss <= 1:
        raise InvalidInputError(f"max_loss must be in [0, 1], not {max_loss}")

    def tried(rule: StoppingRule) -> ReplayResult:
        return replay(recording, stop=rule, n=n, resamples=resamples, seed=seed, threads=threads)

    full = tried(FixedSize())
    candidates = tuple((rule, tried(rule)) for rule in rules)
    good = [entry for entry in candidates if entry[1].accuracy >= full.accuracy - max_loss]
    rule, chosen = min([*good, (FixedSize(), full)], key=lambda entry: entry[1].samples)
    return StopChoice(rule=rule, chosen=chosen, full=full, candidates=candidates)


def _observations(
    clusters: IntArray, planned: int, rounds: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Features (rows x 3: 1, evidence, lead) of the open prefixes of one problem, and whether the leader stays."""
    draws = rng.permuted(np.tile(clusters, (rounds, 1)), axis=1)[:, :planned]
    leaders, first, second, lead = _leads(draws)
    remaining = planned - 1 - np.arange(planned)
    open_lead = (first > 0) & (lead < remaining)
    stays = leaders == leaders[:, -1:]
    features = np.stack(
        [
            np.ones(first.shape),
            _evidence(first, second),
            (first - second) / np.sqrt(remaining + 1),
        ],
        axis=-1,
    )
    return features[open_lead], stays[open_lead].astype(np.float64)


def _leads(draws: IntArray) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Leading cluster (-1: none), its votes, the runner-up's and the lead after each sample.

    Each of the shape of `draws`. The lead is in votes, and a fraction of one for having been seen first: it is lost
    with more votes than that.
    """
    rounds, planned = draws.shape
    ids = np.unique(draws[draws >= 0])
    if not ids.size:
        nothing = np.zeros(draws.shape, dtype=np.int64)
        return nothing - 1, nothing, nothing, nothing.astype(np.float64)
    hits = draws[:, :, None] == ids
    counts = np.zeros((rounds, planned, max(2, ids.size)), dtype=np.int64)
    counts[:, :, : ids.size] = hits.cumsum(axis=1)
    seen_at = np.full(counts.shape[::2], planned)
    seen_at[:, : ids.size] = np.where(hits.any(axis=1), hits.argmax(axis=1), planned)
    rank = counts * (planned + 1) - seen_at[:, None, :]  # of equal counts the first seen leads
    leaders = ids[np.minimum(rank.argmax(axis=-1), ids.size - 1)]
    top = np.partition(counts, -2, axis=-1)
    best = np.partition(rank, -2, axis=-1)
    lead = (best[..., -1] - best[..., -2]) / (planned + 1)
    return np.where(top[..., -1] > 0, leaders, -1), top[..., -1], top[..., -2], lead


def _evidence(first: IntArray, second: IntArray) -> FloatArray:
    pairs, where = np.unique(np.stack([first, second]).reshape(2, -1), axis=1, return_inverse=True)
    beta = BetaStop()
    doubt = 1 - np.array([beta.posterior(Tally.of(map(int, pair))) for pair in pairs.T])
    with np.errstate(divide="ignore"):
        values = np.minimum(_MOST_EVIDENCE, -np.log(doubt))
    return np.asarray(values[where.reshape(first.shape)])


def _logistic(features: FloatArray, outcomes: FloatArray) -> tuple[float, float, float]:
    """Weights of maximal posterior: concave with the prior, so Newton's method needs only halved steps."""

    def objective(weights: FloatArray) -> float:
        logits = features @ weights
        return float((outcomes * logits - np.logaddexp(0, logits)).sum() - _RIDGE / 2 * weights @ weights)

    weights = np.zeros(features.shape[1])
    value = objective(weights)
    for _ in range(100):
        probabilities = 1 / (1 + np.exp(-np.clip(features @ weights, -700, 700)))
        gradient = features.T @ (outcomes - probabilities) - _RIDGE * weights
        spread = probabilities * (1 - probabilities)
        curvature = (features * spread[:, None]).T @ features + _RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        while objective(weights + step) < value and np.abs(step).max() > 1e-12:
            step = step / 2
        weights = weights + step
        value = objective(weights)
        if np.abs(step).max() < 1e-9:
            break
    bias, evidence, lead = (float(weight) for weight in weights)
    return bias, evidence, lead
