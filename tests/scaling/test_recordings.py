"""Recordings: what is read from rows, and what is refused with the place named."""

from __future__ import annotations

import gzip
import json
import pickle

import numpy as np
import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.scaling import RecordedProblem, Recording, replay

ROW = {"id": "q1", "answers": ["1/2", "0.5", "2", None], "gold": "0.50", "scores": [0.1, 0.2, 0.3, 0.4]}


def test_equal_answers_share_a_cluster_and_are_right_with_the_gold():
    (problem,) = Recording.from_answers([ROW | {"tokens": [5, 6, 7, 8]}], kind="number").problems
    assert problem.id == "q1"
    assert problem.clusters.tolist() == [0, 0, 1, -1]
    assert problem.correct.tolist() == [1, 1, 0, 0]
    assert problem.scores.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert problem.costs.tolist() == [5, 6, 7, 8]


def test_correctness_may_be_given_instead_of_the_gold():
    (problem,) = Recording.from_answers([{"answers": ["a", "b"], "correct": [0.5, 1]}], kind="text").problems
    assert problem.correct.tolist() == [0.5, 1]


def test_correctness_by_cluster_holds_for_every_member():
    problem = RecordedProblem(id="q", clusters=[0, None, 1, 0], correct={0: 1, 1: 0})
    assert problem.correct.tolist() == [1, 0, 0, 1]


def test_tiers_share_the_clusters_of_a_problem():
    small, large = Recording.from_tiers(
        [[{"answers": ["7", "8"], "gold": "8"}], [{"answers": ["9", "8"], "gold": "8"}]], kind="number"
    )
    assert small.problems[0].clusters.tolist() == [0, 1]
    assert large.problems[0].clusters.tolist() == [2, 1]
    assert large.problems[0].correct.tolist() == [0, 1]


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_a_file_holds_one_problem_a_line(tmp_path, suffix):
    path = tmp_path / f"samples.{suffix}"
    text = f"{json.dumps(ROW)}\n\n{json.dumps(ROW | {'id': 'ü'})}\n"
    path.write_bytes(gzip.compress(text.encode()) if suffix.endswith("gz") else text.encode())
    recording = Recording.from_jsonl(path, kind="number")
    assert [problem.id for problem in recording.problems] == ["q1", "ü"]


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", "line 2: not JSON"), ("[1]", "line 2: expected an object"), ("\udcff", "line 2: not JSON")],
)
def test_a_bad_line_is_named(tmp_path, line, said):
    path = tmp_path / "samples.jsonl"
    path.write_text(f"{json.dumps(ROW)}\n{line}\n", errors="surrogateescape")
    with pytest.raises(InvalidInputError, match=said):
        Recording.from_jsonl(path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"answers": ["1"]}, "line 4: needs either"),
        ({"answers": ["1"], "gold": "1", "costs": [None]}, "line 4: row 1: costs must be"),
    ],
)
def test_a_bad_row_of_a_file_is_named_by_its_line_past_empty_ones(tmp_path, row, said):
    path = tmp_path / "samples.jsonl"
    path.write_text(f"\n{json.dumps(ROW)}\n\n{json.dumps(row)}\n")
    with pytest.raises(InvalidInputError, match=said) as raised:
        Recording.from_jsonl(path)
    assert str(path) in str(raised.value)


def test_arrays_become_problems_row_by_row():
    recording = Recording.from_arrays([[0, 1], [-1, 0]], [[1, 0], [0, 1]], costs=[[1, 2], [3, 4]])
    assert len(recording) == 2
    assert recording.fewest == 2
    assert recording.problems[1].clusters.tolist() == [-1, 0]
    assert recording.problems[1].costs.tolist() == [3, 4]
    assert [right.tolist() for right in recording.correct] == [[1, 0], [0, 1]]


def test_a_split_parts_the_problems_and_is_the_same_for_a_seed():
    recording = Recording.from_arrays(np.zeros((9, 2), dtype=int), np.ones((9, 2)))
    first, second = recording.split(fraction=0.3, seed=1)
    ids = [[problem.id for problem in part.problems] for part in (first, second)]
    assert len(ids[0]) == 3
    assert sorted(ids[0] + ids[1]) == [str(row) for row in range(9)]
    assert [problem.id for problem in recording.split(fraction=0.3, seed=1)[0].problems] == ids[0]
    assert [problem.id for problem in recording.split(fraction=0.3, seed=2)[0].problems] != ids[0]


def test_a_recording_survives_pickling():
    recording = Recording.from_arrays([[0, 1], [1, 1]], [[1, 0], [0, 0]], scores=[[1, 2], [3, 4]])
    copy = pickle.loads(pickle.dumps(recording))
    assert [problem.clusters.tolist() for problem in copy.problems] == [[0, 1], [1, 1]]
    assert replay(copy, vote="best").accuracy == replay(recording, vote="best").accuracy


def test_what_was_recorded_cannot_be_changed():
    problem = RecordedProblem(id="q", clusters=np.array([0, 1]), correct=np.array([1.0, 0.0]))
    with pytest.raises(ValueError, match="read-only"):
        problem.clusters[0] = 5


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"gold": "1"}, "row 0: `answers`"),
        ({"answers": "12", "gold": "1"}, "row 0: `answers`"),
        ({"answers": ["1"]}, "row 0: needs either"),
        ({"answers": ["1"], "gold": "1", "correct": [1]}, "row 0: needs either"),
        ({"answers": ["1"], "gold": "so so"}, "row 0: no answer of kind 'number'"),
        ({"answers": ["1"], "correct": [1, 0]}, "row 0: 1 samples"),
        ({"answers": ["1"], "correct": None}, "row 0: values of correctness must be numbers"),
        ({"answers": ["1"], "gold": 1}, "row 0: `gold` must be a text, not 1"),
        ({"answers": ["1", 2], "gold": "1"}, "row 0: answer 1 must be a text, not 2"),
        (["1", "2"], "row 0: expected a mapping"),
        ({"answers": [], "gold": "1"}, "row 0: clusters"),
        ({"answers": ["1"], "gold": "1", "scores": ["high"], "id": "q7"}, "q7: scores must be numbers"),
        ({"answers": ["1"], "gold": "1", "costs": [float("nan")]}, "row 0: costs must be finite"),
    ],
)
def test_a_bad_row_is_named(row, said):
    with pytest.raises(InvalidInputError, match=said):
        Recording.from_answers([row], kind="number")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Recording(problems=()),
        lambda: Recording.from_answers([]),
        lambda: Recording.from_answers([ROW], kind="prose"),
        lambda: Recording.from_tiers([[ROW], []]),
        lambda: Recording.from_answers([ROW, {"answers": ["1"], "gold": "1"}], kind="number"),
        lambda: Recording.from_arrays([0, 1], [1, 0]),
        lambda: Recording.from_arrays([[0, 1]], [[1]]),
        lambda: Recording.from_arrays([[0, 2**20]], [[1, 0]]),
        lambda: Recording.from_arrays([[0]], [[1]]).split(seed=0),
        lambda: Recording.from_arrays([[0], [0]], [[1], [1]]).split(seed=0, fraction=1),
    ],
)
def test_what_is_no_recording_is_refused(wrong):
    with pytest.raises(InvalidInputError):
        wrong()
