"""Programs that do the same are one answer."""

from __future__ import annotations

import gzip
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.voting import clusters as by_key

from orchestrator.answers import Answer, BehaviourClusters, PassMatrix
from orchestrator.errors import InvalidInputError

PASSES = Path(__file__).parents[1] / "data" / "codet_passes.jsonl.gz"


def program(text: str) -> Answer:
    return Answer(text=text, key=f"x:{text}", kind="code")


def test_programs_with_equal_outputs_are_one_answer() -> None:
    clusters = BehaviourClusters()
    outputs = {"x+x": [2, [4]], "2*x": [2, [4]], "x**2": [1, [4]], "crash": [None, None], "half": [2, None]}
    ids = [clusters.add(program(text), outputs=seen) for text, seen in outputs.items()]
    assert ids == [0, 0, 1, None, 2]
    assert clusters.add(program("not run")) is None
    assert [answer.text for answer in clusters.representatives] == ["x+x", "x**2", "half"]
    assert clusters.abstentions == 2


def test_a_program_that_fails_anywhere_can_be_made_to_abstain() -> None:
    clusters = BehaviourClusters(failing="any")
    assert clusters.add(program("half"), outputs=[2, None]) is None
    assert clusters.add(program("whole"), outputs=[2, 3]) == 0
    with pytest.raises(InvalidInputError, match="failing must be 'any' or 'all', not 'some'"):
        BehaviourClusters(failing="some")  # type: ignore[arg-type]


def test_outputs_of_other_types_are_other_outputs() -> None:
    clusters = BehaviourClusters()
    seen = [1, 1.0, True, "1", [1], (1,), {1}, {1: 2}, {"a": [1]}, {"a": [1.0]}]
    assert [clusters.add(program(str(at)), outputs=[x]) for at, x in enumerate(seen)] == [*range(len(seen))]
    assert clusters.add(program("again"), outputs=[{"a": [1]}]) == 8


def test_outputs_that_cannot_be_compared_are_refused_and_nothing_is_added() -> None:
    clusters = BehaviourClusters()
    clusters.add(program("a"), outputs=[1, 2])
    with pytest.raises(InvalidInputError, match="3 outputs cannot be compared with the 2"):
        clusters.add(program("b"), outputs=[1, 2, 3])
    with pytest.raises(InvalidInputError, match="type bytearray"):
        clusters.add(program("c"), outputs=[1, bytearray(b"2")])
    assert clusters.samples == 1


@given(rows=st.lists(st.none() | st.text("01", min_size=9, max_size=9), max_size=8), keep=st.booleans())
def test_equal_rows_of_a_pass_matrix_are_one_cluster(rows: list[str | None], keep: bool) -> None:
    matrix = PassMatrix.of(rows)
    voting = [row if row is not None and (keep or "1" in row) else None for row in rows]
    assert matrix.clusters(keep_failing=keep) == by_key(voting)
    assert matrix.counts == [(row or "").count("1") for row in rows]
    as_numbers = [None if row is None else [int(mark) for mark in row] for row in rows]
    assert PassMatrix.of(as_numbers).clusters(keep_failing=keep) == by_key(voting)


@pytest.mark.parametrize(
    ("rows", "words"),
    [(["01", "0"], "row 1 .* has 1 tests, others have 2"), (["01", "0x"], "row 1"), ([[0, 2]], "row 0")],
)
def test_a_pass_matrix_says_which_row_is_wrong(rows: list[Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        PassMatrix.of(rows)


@pytest.fixture(scope="module")
def tasks() -> list[dict[str, Any]]:
    with gzip.open(PASSES, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def correct_samples(task: dict[str, Any]) -> list[bool]:
    return [task["correct"][solution] == "1" for solution in task["sample_to_solution"]]


def test_the_execution_agreement_vote_on_humaneval_is_right_for_33_6_per_cent(tasks: list[Any]) -> None:
    """The largest cluster of equal rows wins; among equal sizes a sample drawn from all of them counts."""
    expected = 0.0
    for task in tasks:
        ids = PassMatrix.of([task["passes"][solution] for solution in task["sample_to_solution"]]).clusters()
        sizes = Counter(number for number in ids if number is not None)
        largest = {number for number, size in sizes.items() if size == max(sizes.values())}
        right = correct_samples(task)
        chosen = [right[at] for at, number in enumerate(ids) if number in largest] or right
        expected += sum(chosen) / len(chosen)
    assert len(tasks) == 164
    assert 100 * expected / len(tasks) == pytest.approx(33.60, abs=0.005)


@pytest.mark.parametrize(("k", "expected"), [(1, 22.13), (10, 50.38), (100, 73.78)])
def test_pass_at_k_of_the_recorded_programs(tasks: list[Any], k: int, expected: float) -> None:
    total = 0.0
    for task in tasks:
        wrong = correct_samples(task).count(False)
        total += 1 - math.comb(wrong, k) / math.comb(100, k)
    assert 100 * total / len(tasks) == pytest.approx(expected, abs=0.005)
