"""Which prompts deserve the strong model, judged before any call: a scorer fitted on recorded answers, and its curve.

The curve of a router is accuracy against the share of prompts it sends to the strong model (Ong, Almahairi, Wu,
Chiang, Wu, Gonzalez, Kadous, Stoica 2024, arXiv 2406.18665).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InvalidInputError
from ..fitted import Fitted
from .calibration import missing_learn
from .estimators import whole_number
from .prompt_features import BUCKETS, FEATURES_VERSION, FIGURES, PromptFeatures, prompt_features
from .recordings import FloatArray, IntArray

__all__ = ["RightHead", "RouterScorer", "RoutingCurve", "fit_router", "routing_curve"]

_FIGURES_WEIGH = 0.3
_WORDS_WEIGH = 3.0
"""Scale of a standardised figure and of all hashed words together, which the common penalty sees: a prior by which
a figure counts for itself, and a word only with many others."""

_STRENGTHS: Final = (0.003, 0.01, 0.03, 0.1, 0.3)
"""Inverse penalties C that cross-validation chooses from."""

_FOLDS = 5
_STEPS = 100
"""Shares, in hundredths, at which the scorer knows its threshold and accuracy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RightHead:
    """A logistic model of whether one of the two models answers a prompt right.

    Attributes:
        intercept: Log-odds at average figures and no known words.
        figures: Weight of each standardised figure.
        words: Weight of each bucket.
    """

    intercept: float
    figures: tuple[float, ...]
    words: tuple[float, ...]

    def probability(self, figures: Sequence[float], buckets: Sequence[int]) -> float:
        """Of a right answer; `figures` are standardised."""
        words = self.words
        x = self.intercept + sum(w * z for w, z in zip(self.figures, figures, strict=True))
        x += sum([words[bucket] for bucket in buckets]) / math.sqrt(1 + len(buckets))
        return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterScorer(Fitted):
    """How much the strong model is worth on a prompt, from the prompt alone, in well under 1 ms.

    Two logistic models on the same features (`prompt_features`) say how probably the weak and the strong model
    are right; what a call of the strong one is worth is the difference. That ranks better than a model of "the weak
    one is wrong", which also sends on what neither can answer.

    Attributes:
        means, scales: Of the figures on the fitting prompts; figures are cut off 4 scales from the mean.
        weak, strong: The two models.
        thresholds: The score that a share of 0, 1, ..., 100 % of prompts reaches, descending, and
        accuracy: the accuracy at these shares, both from scores given by models fitted without the prompt.
        prompts: Prompts it was fitted on.
        features: Version of the features.

    Raises:
        InvalidInputError: the numbers do not fit these features.
    """

    format: ClassVar[str] = "router"
    called: ClassVar[str] = "a router"

    means: tuple[float, ...]
    scales: tuple[float, ...]
    weak: RightHead
    strong: RightHead
    thresholds: tuple[float, ...]
    accuracy: tuple[float, ...]
    prompts: int
    features: int = FEATURES_VERSION

    def __post_init__(self) -> None:
        if self.features != FEATURES_VERSION:
            raise InvalidInputError(
                f"this router was fitted on version {self.features!r} of the prompt features, this release computes "
                f"version {FEATURES_VERSION}: fit it again from the recorded answers"
            )
        heads = (self.weak, self.strong)
        of_figures = (self.means, self.scales, *(head.figures for head in heads))
        if any(len(numbers) != len(FIGURES) for numbers in of_figures):
            raise InvalidInputError(
                f"a router needs a number for each of the {len(FIGURES)} figures of a prompt"
            )
        if any(len(head.words) != BUCKETS for head in heads):
            raise InvalidInputError(f"a router needs a weight for each of {BUCKETS} buckets")
        if len(self.thresholds) != _STEPS + 1 or len(self.accuracy) != _STEPS + 1:
            raise InvalidInputError(f"a router needs {_STEPS + 1} thresholds and accuracies")
        numbers = [*self.thresholds, *self.accuracy, *(head.intercept for head in heads)]
        numbers += [number for group in of_figures for number in group]
        if not all(map(math.isfinite, numbers)) or not all(
            map(math.isfinite, (*heads[0].words, *heads[1].words))
        ):
            raise InvalidInputError("a router's numbers must be finite")
        if min(self.scales) <= 0:
            raise InvalidInputError("a router's scales must be positive")

    def score(self, prompt: str, /) -> float:
        """(1 + P(strong is right) - P(weak is right)) / 2, in [0, 1]: 0.5 where neither is expected to be better.

        Raises:
            InvalidInputError: the prompt is no string.
        """
        weak, strong = self.probabilities(prompt)
        return (1 + strong - weak) / 2

    def probabilities(self, prompt: str, /) -> tuple[float, float]:
        """How probably the weak and the strong model answer the prompt right.

        Raises:
            InvalidInputError: the prompt is no string.
        """
        features = prompt_features(prompt)
        figures = [
            min(4.0, max(-4.0, (value - mean) / scale))
            for value, mean, scale in zip(features.figures, self.means, self.scales, strict=True)
        ]
        return (
            self.weak.probability(figures, features.buckets),
            self.strong.probability(figures, features.buckets),
        )

    def threshold_for(self, *, share: float | None = None, accuracy: float | None = None) -> float:
        """The score from which prompts go to the strong model, for prompts like those it was fitted on.

        Args:
            share: Of prompts sent to the strong model, in [0, 1].
            accuracy: To be reached with as few of them as possible, in [0, 1], as cross-validation saw it: without
                a guarantee. Exactly one of the two.

        Raises:
            InvalidInputError: not exactly one is given, it is out of its range, or no share reaches the accuracy.
        """
        if (share is None) == (accuracy is None):
            raise InvalidInputError("give either share or accuracy")
        if share is not None:
            if not 0 <= share <= 1:
                raise InvalidInputError(f"share must be in [0, 1], not {share}")
            return float(np.interp(share, np.linspace(0, 1, _STEPS + 1), self.thresholds))
        for threshold, reached in zip(self.thresholds, self.accuracy, strict=True):
            if reached >= float(accuracy or 0) - 1e-12:
                return threshold
        raise InvalidInputError(
            f"no share reaches an accuracy of {accuracy}: at most {max(self.accuracy):.4g}"
        )

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that tell fitted scorers apart, such as in a journal."""
        text = json.dumps(self.to_json(), sort_keys=True).encode()
        return hashlib.blake2b(text, digest_size=8).hexdigest()

    @classmethod
    def _from_values(cls, document: Mapping[str, Any]) -> RouterScorer:
        return cls(
            **{key: _floats(document[key]) for key in ("means", "scales", "thresholds", "accuracy")},
            weak=_head(document["weak"]),
            strong=_head(document["strong"]),
            prompts=int(document["prompts"]),
            features=document["features"],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoutingCurve:
    """Accuracy against the share of n prompts that go to the strong model, those of the highest score first.

    Prompts of equal score go in random order: the curve is straight across them, so that a constant score is the
    random router.

    Attributes:
        share: 0, 1/n, ..., 1; shape (n + 1,).
        accuracy: Of the scores; shape (n + 1,).
        random: Of a random router: the straight line from the weak to the strong model.
        oracle: Of who knows all answers and sends first what only the strong model answers right.
    """

    share: FloatArray
    accuracy: FloatArray
    random: FloatArray
    oracle: FloatArray

    @property
    def gap(self) -> float:
        """What the strong model is more accurate than the weak one."""
        return float(self.accuracy[-1] - self.accuracy[0])

    def accuracy_at(self, share: float) -> float:
        """Accuracy with this share of strong calls, in [0, 1]."""
        return float(np.interp(share, self.share, self.accuracy))

    def recovered(self, share: float) -> float:
        """The performance gap recovered, PGR: 0 as good as the weak model, 1 as good as the strong one.

        Raises:
            InvalidInputError: the strong model is not the better one.
        """
        return (self.accuracy_at(share) - float(self.accuracy[0])) / self._positive_gap()

    @property
    def average_recovered(self) -> float:
        """APGR: the mean of `recovered` over all shares; 0.5 for the random router.

        The integral itself, by the trapezoid rule, where the paper takes the mean at ten shares.

        Raises:
            InvalidInputError: the strong model is not the better one.
        """
        steps = (self.accuracy[1:] + self.accuracy[:-1]) / 2
        return (float(steps.mean()) - float(self.accuracy[0])) / self._positive_gap()

    def share_for(self, recovered: float) -> float:
        """The call-performance threshold CPT: the least share of strong calls that recovers so much of the gap.

        Raises:
            InvalidInputError: no share does, or the strong model is not the better one.
        """
        least = float(self.accuracy[0]) + recovered * self._positive_gap()
        reached = np.flatnonzero(self.accuracy >= least - 1e-12)
        if not reached.size:
            raise InvalidInputError(f"no share of strong calls recovers {recovered} of the gap")
        return float(self.share[reached[0]])

    def _positive_gap(self) -> float:
        if self.gap <= 0:
            raise InvalidInputError(f"the strong model must be the better one, but its gain is {self.gap:g}")
        return self.gap


def routing_curve(scores: ArrayLike, weak: ArrayLike, strong: ArrayLike) -> RoutingCurve:
    """The curve of a router on recorded prompts.

    Args:
        scores: One a prompt, finite, higher where the strong model is worth more; shape (n,).
        weak, strong: How right each model's answer was, in [0, 1]; shape (n,).

    Raises:
        InvalidInputError: the lengths differ, there are no prompts, or a value is out of its range.
    """
    ranks, low, high = (np.asarray(column, dtype=np.float64) for column in (scores, weak, strong))
    if ranks.ndim != 1 or not ranks.size or ranks.shape != low.shape or ranks.shape != high.shape:
        raise InvalidInputError(
            f"scores, weak and strong must be one a prompt, not of shapes {ranks.shape}, {low.shape}, {high.shape}"
        )
    if not np.isfinite(ranks).all():
        raise InvalidInputError("scores must be finite")
    for name, column in (("weak", low), ("strong", high)):
        if not ((column >= 0) & (column <= 1)).all():
            raise InvalidInputError(f"{name} must be in [0, 1]")
    return RoutingCurve(
        share=np.linspace(0, 1, ranks.size + 1),
        accuracy=_sent_by(ranks, low, high),
        random=np.linspace(low.mean(), high.mean(), ranks.size + 1),
        oracle=_sent_by(high - low, low, high),
    )


def fit_router(prompts: Sequence[str], weak: ArrayLike, strong: ArrayLike, *, seed: int = 0) -> RouterScorer:
    """Learns from recorded answers which prompts the strong model is worth.

    The penalty on the weights is, of five, the one with the least squared error of the gain, P(strong is right) -
    P(weak is right), in a 5-fold cross-validation, whose held-out scores also give the thresholds. Takes seconds
    for a thousand prompts and needs scikit-learn.

    Args:
        prompts: What was asked, as `score` will be given it.
        weak, strong: Whether each model's answer was right, 0 or 1; shape (n,). Both must occur for each model.
        seed: Of the folds.

    Raises:
        InvalidInputError: the lengths differ, a model is always right or always wrong, there are fewer than 50
            prompts, or scikit-learn is not installed.
    """
    outcomes = np.stack([_outcomes("weak", weak, len(prompts)), _outcomes("strong", strong, len(prompts))])
    features = [prompt_features(prompt) for prompt in prompts]
    table = np.array([entry.figures for entry in features])
    means, scales = table.mean(axis=0), table.std(axis=0)
    scales[scales < 1e-9] = 1.0
    rows = _rows(np.clip((table - means) / scales, -4, 4), features)
    fold = np.random.default_rng(whole_number("seed", seed)).permutation(len(prompts)) % _FOLDS
    strength, held_out = _chosen(rows, outcomes, fold)
    gains = (1 + held_out[1] - held_out[0]) / 2
    curve = routing_curve(gains, *outcomes)
    shares = np.linspace(0, 1, _STEPS + 1)
    inner = np.quantile(gains, 1 - shares[1:-1])
    return RouterScorer(
        means=_floats(means),
        scales=_floats(scales),
        weak=_fitted_head(rows, outcomes[0], strength),
        strong=_fitted_head(rows, outcomes[1], strength),
        thresholds=_floats([1.0, *inner, 0.0]),
        accuracy=_floats(np.interp(shares, curve.share, curve.accuracy)),
        prompts=len(prompts),
    )


def _sent_by(scores: FloatArray, weak: FloatArray, strong: FloatArray) -> FloatArray:
    """Accuracy after 0, 1, ..., n prompts were sent to the strong model, by descending score."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    gained = np.concatenate([[0.0], np.cumsum((strong - weak)[order])])
    ends = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, [scores.size]])
    return np.asarray(weak.mean() + np.interp(np.arange(scores.size + 1), ends, gained[ends]) / scores.size)


def _outcomes(name: str, values: ArrayLike, prompts: int) -> FloatArray:
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (prompts,) or not np.isin(column, (0, 1)).all():
        raise InvalidInputError(f"{name} must be 0 or 1 for each of {prompts} prompts")
    if prompts < 50:
        raise InvalidInputError(f"a router is fitted on at least 50 prompts, not {prompts}")
    if column.min() == column.max():
        raise InvalidInputError(f"{name} must have right and wrong answers to learn from")
    return column


def _rows(figures: FloatArray, features: Sequence[PromptFeatures]) -> Any:
    """The design matrix: scaled figures, then hashed words of norm below `_WORDS_WEIGH`; sparse, shape (n, ...)."""
    try:
        from scipy import sparse
    except ImportError as error:
        raise missing_learn("a router") from error
    sizes = np.array([len(entry.buckets) for entry in features])
    words = sparse.csr_matrix(
        (
            np.repeat(_WORDS_WEIGH / np.sqrt(1 + sizes), sizes),
            np.concatenate([np.array(entry.buckets, dtype=np.int64) for entry in features]),
            np.concatenate([[0], np.cumsum(sizes)]),
        ),
        shape=(len(features), BUCKETS),
    )
    return sparse.hstack([sparse.csr_matrix(_FIGURES_WEIGH * figures), words]).tocsr()


def _chosen(rows: Any, outcomes: FloatArray, fold: IntArray) -> tuple[float, FloatArray]:
    """The inverse penalty that tells the gain best, and the held-out probabilities with it; shape (2, n)."""
    best: tuple[float, float, FloatArray] | None = None
    for strength in _STRENGTHS:
        held_out = np.empty(outcomes.shape)
        for number in range(_FOLDS):
            out = fold == number
            for head, right in enumerate(outcomes):
                model = _logistic(rows[~out], right[~out], strength)
                held_out[head, out] = model.predict_proba(rows[out])[:, 1]
        loss = float(np.square(outcomes[1] - outcomes[0] - held_out[1] + held_out[0]).mean())
        if best is None or loss < best[0]:
            best = (loss, strength, held_out)
    assert best is not None
    return best[1], best[2]


def _fitted_head(rows: Any, right: FloatArray, strength: float) -> RightHead:
    model = _logistic(rows, right, strength)
    weights = model.coef_[0]
    figures, words = weights[: len(FIGURES)] * _FIGURES_WEIGH, weights[len(FIGURES) :] * _WORDS_WEIGH
    return RightHead(intercept=float(model.intercept_[0]), figures=_floats(figures), words=_rounded(words))


def _logistic(rows: Any, right: FloatArray, strength: float) -> Any:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise missing_learn("a router") from error
    return LogisticRegression(C=strength, tol=1e-3, max_iter=500).fit(rows, right)


def _rounded(weights: FloatArray) -> tuple[float, ...]:
    """To 4 significant digits: no order of prompts depends on more, and files stay small."""
    return tuple(float(f"{weight:.4g}") for weight in weights)


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _head(document: Mapping[str, Any]) -> RightHead:
    return RightHead(
        intercept=float(document["intercept"]),
        figures=_floats(document["figures"]),
        words=_floats(document["words"]),
    )
