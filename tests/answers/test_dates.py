"""Recorded answers to questions about dates, read as dates; tests/data/README.md names the source."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from orchestrator.answers import Kind, equivalent
from orchestrator.voting import majority_vote

DATA = Path(__file__).parents[1] / "data" / "date_samples.jsonl.gz"


@pytest.mark.parametrize(("kind", "accuracy"), [("text", 77.2), ("date", 80.8)])
def test_reading_dates_as_dates_finds_right_answers_that_text_calls_wrong(
    kind: Kind, accuracy: float
) -> None:
    # In 13 of the 359 questions all forty samples write a month without its zero: 6/18/2019 for 06/18/2019.
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        problems = [json.loads(line) for line in file]
    winners = [majority_vote(problem["answers"], kind=kind).answer for problem in problems]
    right = [
        winner is not None and equivalent(winner, problem["gold"], kind=kind)
        for winner, problem in zip(winners, problems, strict=True)
    ]
    assert 100 * sum(right) / len(right) == pytest.approx(accuracy, abs=0.05)
