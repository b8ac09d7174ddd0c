"""Whose a candidate's scores are: two verifiers can have one name, and one can be asked about two problems."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from .contracts import Verifier, name_of
from .types import Candidate, Problem, Score

__all__ = ["score_by", "with_score"]


def score_by(candidate: Candidate, verifier: Verifier, problem: Problem) -> Score | None:
    """What this very verifier has said of `candidate` as an answer to `problem`, under whatever name; None where it
    has not been asked.

    A score that does not say who gave it, such as one read from a file, is nobody's.
    """
    for score in candidate.scores.values():
        asked = score.problem is problem or score.problem == problem
        if asked and (score.by is verifier or score.by == verifier):
            return score
    return None


def with_score(candidate: Candidate, verifier: Verifier, score: Score | None, *, within: str) -> Candidate:
    """`candidate` with this score under the verifier's name, and nothing under it where that is None.

    What another verifier has said under that name goes under `WITHIN.NAME`; what nobody was asked about is dropped.

    Args:
        candidate: The candidate.
        verifier: Whose score it is.
        score: What it said.
        within: The part of the program that has asked the other verifier.
    """
    name = name_of(verifier)
    before = candidate.scores.get(name)
    if before is score:
        return candidate
    scores = {key: value for key, value in candidate.scores.items() if key != name}
    if before is not None and (before.problem is not None or before.value is not None):
        scores[_free(f"{within}.{name}", scores)] = before
    if score is not None:
        scores[name] = score
    return replace(candidate, scores=scores)


def _free(name: str, taken: dict[str, Score]) -> str:
    numbered = (f"{name}-{number}" for number in count(2))
    return name if name not in taken else next(one for one in numbered if one not in taken)
