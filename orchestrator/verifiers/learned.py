"""A verifier fitted on recorded outcomes: the probability that an answer is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ..context import Context
from ..contracts import Verifier, compares, logprobs_for, name_of
from ..errors import InvalidInputError
from ..scores import score_by, with_score
from ..types import Candidate, Problem, Score
from .composite import score_by_each
from .correctness import CorrectnessModel, Graded
from .features import SCORE
from .free import Free

__all__ = ["Learned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned(Free):
    """Scores a candidate by the probability that its answer is right, as a fitted model sees it.

    The model is made once, from outcomes that are known, and saved; applying it needs nothing installed:

        rows = graded_from_journal("run.db", problems=problems)
        Learned.fit(rows, features=["consistency", "perplexity"]).save("model.json")
        verifier = Learned(file="model.json")

    A candidate without a readable answer, or without a figure that no candidate of the fit lacked, is not scored.
    Comparative when a feature is. The probabilities are those of the models, problems and settings it was fitted on:
    they are no promise about others. Calls: those of `parts`.

    Args:
        file: The saved model; in a program file, relative to it.
        parts: Verifiers whose scores are features (`score:NAME`); candidates that have no score by one are scored
            by it first.

    Raises:
        InvalidInputError: No such file, one of another version or whose features differ from what this release
            computes, or parts that are not among its features.
    """

    name: ClassVar[str] = "learned"

    file: str = field(compare=False)  # what it holds counts, in `model`, not where it lies
    parts: tuple[Verifier, ...] = ()
    model: CorrectnessModel = field(
        init=False, repr=False
    )  # its contents count for a journal, not only its name

    def __post_init__(self) -> None:
        self._use(CorrectnessModel.load(self.file))

    @classmethod
    def of(cls, model: CorrectnessModel, *, parts: tuple[Verifier, ...] = ()) -> Learned:
        """The verifier with a model that was not saved; errors as for the class."""
        verifier = object.__new__(cls)
        object.__setattr__(verifier, "file", "")
        object.__setattr__(verifier, "parts", parts)
        verifier._use(model)
        return verifier

    @staticmethod
    def fit(
        rows: Sequence[Graded],
        *,
        features: Sequence[str],
        method: Literal["logistic", "isotonic"] = "logistic",
        folds: int = 5,
        seed: int = 0,
    ) -> CorrectnessModel:
        """Learns a model from graded candidates: see `CorrectnessModel.fit`."""
        return CorrectnessModel.fit(rows, features=features, method=method, folds=folds, seed=seed)

    def _use(self, model: CorrectnessModel) -> None:
        known = {name for name, _ in model.features}
        strange = [name_of(part) for part in self.parts if f"{SCORE}{name_of(part)}" not in known]
        if strange:
            raise InvalidInputError(
                f"parts: the model was not fitted on scores by {', '.join(strange)}; its features are: "
                + ", ".join(name for name, _ in model.features)
            )
        object.__setattr__(self, "model", model)

    @property
    def comparative(self) -> bool:
        """Whether a score depends on the other candidates."""
        return self.model.comparative or compares(*self.parts)

    @property
    def logprobs(self) -> int | None:
        """Top log-probabilities the samples must have, for the model and its parts; None for none."""
        wanted = (self.model.logprobs, logprobs_for(*self.parts))
        return max((one for one in wanted if one is not None), default=None)

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order.

        Raises:
            BudgetExceededError, DeadlineExceededError: A part was kept from scoring, and no candidate has a score.
        """
        parts = [
            part for part in self.parts if any(score_by(one, part, problem) is None for one in candidates)
        ]
        by_part, limit = await score_by_each(parts, ctx, problem, candidates) if parts else ([], None)
        said = dict(zip(map(id, parts), by_part, strict=True))
        for part in self.parts:
            new = said.get(id(part), [None] * len(candidates))
            candidates = [
                with_score(one, part, score_by(one, part, problem) or score, within="other")
                for one, score in zip(candidates, new, strict=True)
            ]
        found = self.model.predict(candidates)
        if limit is not None and all(score.value is None for score in found):
            raise limit
        return found
