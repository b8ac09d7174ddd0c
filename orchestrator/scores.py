"""Whose a candidate's scores are: two verifiers can have one name, and one can be asked about two problems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import count

from .contracts import Verifier, compares, name_of
from .types import Candidate, Problem, Score

__all__ = ["digest_of_texts", "score_by", "unscored_by", "with_score"]


def digest_of_texts(candidates: Iterable[Candidate]) -> str:
    """What tells candidates that are judged together from others, in whatever order they are."""
    texts = "\x00".join(sorted(candidate.sample.text for candidate in candidates))
    return blake2b(texts.encode("utf-8", "replace"), digest_size=6).hexdigest()


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


def unscored_by(
    verifier: Verifier, problem: Problem, candidates: Sequence[Candidate]
) -> tuple[list[Candidate], list[Candidate]]:
    """`candidates`, and those of them that `verifier` is still to be asked about.

    One that compares is asked about all of them anew, and the former lose its scores, unless it has judged just
    these together: what it said of one beside others says nothing beside these.
    """
    known = [score_by(one, verifier, problem) for one in candidates]
    if compares(verifier):
        group = digest_of_texts(candidates)
        if any(score is None or score.among != group for score in known):
            bare = [_without(one, score) for one, score in zip(candidates, known, strict=True)]
            return bare, bare
    return list(candidates), [one for one, score in zip(candidates, known, strict=True) if score is None]


def _without(candidate: Candidate, score: Score | None) -> Candidate:
    return replace(
        candidate, scores={name: one for name, one in candidate.scores.items() if one is not score}
    )


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
