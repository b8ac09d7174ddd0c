"""Votes over recorded answers of real models; tests/data/README.md names the source."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.answers import Kind, equivalent
from orchestrator.stopping import BetaStop, LeadStop, Tally
from orchestrator.voting import majority_vote

DATA = Path(__file__).parents[1] / "data"


def rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def accuracy_of_votes(problems: list[dict[str, Any]], kind: Kind) -> float:
    right = 0
    for problem in problems:
        winner = majority_vote(problem["answers"], kind=kind).answer
        right += winner is not None and equivalent(winner, problem["gold"], kind=kind)
    return 100 * right / len(problems)


@pytest.mark.parametrize("kind", ["text", "auto"])
def test_the_vote_of_forty_on_date_is_right_as_often_as_published(kind: Kind) -> None:
    assert accuracy_of_votes(rows("date_samples.jsonl.gz"), kind) == pytest.approx(77.2, abs=0.05)


def test_the_vote_of_twelve_prompts_on_gsm8k_is_right_as_often_as_recorded() -> None:
    # The figure on record lets "[invalid]" vote like any answer and draws lots in a tie.
    right = 0.0
    problems = rows("gsm8k_prompts.jsonl.gz")
    for problem in problems:
        vote = majority_vote(problem["answers"], kind="text")
        top = [
            str(a) for a, count in zip(vote.answers, vote.counts, strict=True) if count == max(vote.counts)
        ]
        right += (problem["gold"] in top) / len(top)
    assert 100 * right / len(problems) == pytest.approx(81.198, abs=0.001)


def test_samples_that_failed_do_not_vote_and_the_vote_is_better_for_it() -> None:
    problems = rows("gsm8k_prompts.jsonl.gz")
    singles = [equivalent(p["answers"][0], p["gold"], kind="number") for p in problems]
    assert 100 * sum(singles) / len(singles) == pytest.approx(72.3, abs=0.05)
    assert accuracy_of_votes(problems, "number") == pytest.approx(81.577, abs=0.001)


def test_a_safe_lead_never_changes_the_winner_and_saves_samples() -> None:
    taken = 0
    problems = rows("date_samples.jsonl.gz")
    for problem in problems:
        vote = majority_vote(problem["answers"], kind="text")
        tally = Tally(planned=40)
        for cluster in vote.clusters:
            tally.add(cluster)
            stop = LeadStop().should_stop(tally)
            if stop is not None:
                break
        assert stop is not None
        assert stop.leader == vote.leader
        taken += tally.seen
    assert taken / len(problems) < 22


def test_adaptive_consistency_takes_as_few_samples_as_its_reference() -> None:
    taken = 0
    problems = rows("date_samples.jsonl.gz")
    for problem in problems:
        tally = Tally(planned=40)
        for cluster in majority_vote(problem["answers"], kind="text").clusters:
            tally.add(cluster)
            if BetaStop(confidence=0.95).should_stop(tally):
                break
        taken += tally.seen
    assert taken / len(problems) == pytest.approx(4.4, abs=0.1)
