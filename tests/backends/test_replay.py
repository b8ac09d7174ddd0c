"""ReplayBackend and the files it reads."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.backends.base import Backend, upper_bound_prompt_tokens
from orchestrator.backends.recordings import Columns, check_recordings
from orchestrator.backends.replay import ReplayBackend
from orchestrator.errors import InvalidInputError, ScriptExhaustedError
from orchestrator.types import CallId, Price, Request, Sample, Usage

ROW = {
    "id": 7,
    "question": "6 * 7?",
    "gold": "42",
    "answers": ["42", "41", None, "43"],
    "chars": [8, 9, 0, 12],
}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def request(ordinal: int, *, problem: str = "7", path: str = "", n: int = 1, **more: Any) -> Request:
    return Request(prompt="6 * 7?", n=n, call=CallId(problem=problem, path=path, ordinal=ordinal), **more)


def texts(samples: list[Sample]) -> list[str]:
    return [sample.text for sample in samples]


async def test_each_call_gets_the_next_sample_of_its_problem(tmp_path: Path) -> None:
    backend = ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", ROW))
    assert [texts(await backend.complete(request(k))) for k in range(4)] == [["42"], ["41"], [""], ["43"]]
    with pytest.raises(ScriptExhaustedError, match="problem '7' has 4 recorded samples"):
        await backend.complete(request(4))
    assert isinstance(backend, Backend)
    assert backend.name == "run"


async def test_which_sample_a_call_gets_does_not_depend_on_who_comes_first(tmp_path: Path) -> None:
    backend = ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", ROW))
    assert texts(await backend.complete(request(3))) == ["43"]
    assert texts(await backend.complete(request(0))) == ["42"]
    assert texts(await backend.complete(request(3))) == ["43"]
    # A branch's first call finds the first sample taken and gets the next free one.
    assert texts(await backend.complete(request(0, path="branch"))) == ["41"]


async def test_several_choices_are_taken_together_and_end_with_the_record(tmp_path: Path) -> None:
    backend = ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", ROW))
    assert texts(await backend.complete(request(1, n=2))) == ["", "43"]
    assert texts(await backend.complete(request(0, n=3))) == ["42", "41"]


async def test_a_seed_shuffles_without_replacement_and_repeats(tmp_path: Path) -> None:
    row = {"id": "a", "question": "?", "answers": [str(k) for k in range(20)]}
    path = write(tmp_path / "run.jsonl", row)
    drawn = [
        texts(await ReplayBackend.from_jsonl(path, seed=seed).complete(request(0, problem="a", n=20)))
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert sorted(drawn[0], key=int) == row["answers"]


async def test_a_request_without_a_call_is_matched_by_its_question(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "question": "6 * 7?", "answers": ["42"]},
        {"id": 2, "question": "6", "answers": ["six"]},
    ]
    backend = ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", *rows))
    chat = Request(messages=({"role": "user", "content": "Q: 6 * 7?\nA:"},))
    assert texts(await backend.complete(chat)) == ["42"]
    assert texts(await backend.complete(Request(prompt="6"))) == ["six"]
    with pytest.raises(InvalidInputError, match="nothing is recorded"):
        await backend.complete(Request(prompt="8 * 8?"))


def test_problems_are_given_with_references_and_their_other_columns(tmp_path: Path) -> None:
    [problem] = ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", ROW)).problems()
    assert (problem.id, problem.prompt, problem.reference) == ("7", "6 * 7?", "42")
    assert problem.fields["chars"] == [8, 9, 0, 12]


async def test_usage_is_taken_from_characters_and_marked(tmp_path: Path) -> None:
    backend = ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", ROW), price=Price(input=1, output=100))
    [sample] = await backend.complete(request(1))
    prompt = upper_bound_prompt_tokens(request(1))
    assert (sample.usage.completion_tokens, sample.usage.prompt_tokens) == (3, prompt)
    assert sample.usage.picodollars == 300 + prompt
    assert sample.usage.estimated
    [capped] = await backend.complete(request(3, max_tokens=2))
    assert capped.usage.completion_tokens == 2


async def test_recorded_usage_is_exact(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 11, "completion_tokens": 5}
    row = {"id": "a", "prompt": "?", "samples": [{"text": "x", "usage": usage, "finish_reason": "length"}]}
    backend = ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", row))
    [sample] = await backend.complete(request(0, problem="a"))
    assert sample.usage == Usage(prompt_tokens=11, completion_tokens=5, requests=1)
    assert sample.truncated
    assert backend.capabilities.usage_is_exact
    assert await backend.count_prompt_tokens(request(0, problem="a", n=2)) == 11


async def test_totals_of_a_line_are_shared_over_its_samples(tmp_path: Path) -> None:
    row = {**ROW, "completion_tokens": 58, "prompt_tokens": 20, "cost_usd": 0.29}
    path = write(tmp_path / "run.jsonl", row, {**ROW, "id": 8, "completion_tokens": -3})
    backend = ReplayBackend.from_jsonl(path)
    samples = await backend.complete(request(0, n=4))
    assert [sample.usage.completion_tokens for sample in samples] == [16, 18, 0, 24]
    assert [sample.usage.prompt_tokens for sample in samples] == [5, 0, 0, 0]
    assert sum(sample.usage.picodollars for sample in samples) == 290_000_000_000
    # A total that cannot be is not known.
    assert [s.usage.completion_tokens for s in await backend.complete(request(0, problem="8", n=2))] == [2, 3]


async def test_lines_of_one_sample_each_are_gathered_by_id(tmp_path: Path) -> None:
    line = {"id": "q", "gold": "yes", "answer_tokens": 9, "cost_usd": 0.001, "latency_s": 2.5}
    rows = [{**line, "model": "a", "answer": "no"}, {**line, "model": "b", "answer": "yes"}]
    path = write(tmp_path / "run.jsonl", *rows)
    both = ReplayBackend.from_jsonl(path)
    assert texts(await both.complete(request(0, problem="q", n=2))) == ["no", "yes"]
    [sample] = await ReplayBackend.from_jsonl(path, where={"model": "b"}).complete(request(0, problem="q"))
    assert (sample.text, sample.usage.completion_tokens, sample.usage.seconds) == ("yes", 9, 2.5)
    assert sample.usage.usd == 0.001


async def test_named_configurations_and_positions_are_understood(tmp_path: Path) -> None:
    configs = {"a": {"answer": "18", "chars": 4}, "b": {"answer": "24", "chars": 8}}
    rows = [
        {"id": 1, "question": "?", "configs": configs},
        {"id": 2, "question": "!", "solutions": ["x", "y"], "sample_to_solution": [0, 1, 1, 0]},
    ]
    path = tmp_path / "run.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    backend = ReplayBackend.from_jsonl(path)
    assert texts(await backend.complete(request(0, problem="1", n=9))) == ["18", "24"]
    assert texts(await backend.complete(request(0, problem="2", n=9))) == ["x", "y", "y", "x"]


async def test_columns_may_have_any_name(tmp_path: Path) -> None:
    row = {"nr": 3, "text": "?", "weak_response": "w", "weak_chars": 40}
    columns = Columns(id="nr", question="text", samples="weak_response", chars="weak_chars")
    backend = ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", row), columns=columns)
    [sample] = await backend.complete(request(0, problem="3"))
    assert (sample.text, sample.usage.completion_tokens) == ("w", 10)


async def test_it_streams_too(tmp_path: Path) -> None:
    backend = ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", ROW))
    chunks = [chunk async for chunk in backend.stream(request(0, n=2))]
    assert [(chunk.text, chunk.index) for chunk in chunks] == [("42", 0), ("41", 1), ("", 0)]
    assert chunks[-1].usage is not None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "run.jsonl:2: not JSON"),
        ("[]", "run.jsonl:2: expected an object, found list"),
        ({"id": 1}, "run.jsonl:2: field 'samples': no column with samples"),
        ({"id": 1, "question": "?", "answer": "5"}, "run.jsonl:2: field 'samples': no column"),
        ({"id": 1, "answers": 5}, "field 'answers': expected a list of samples, found int '5'"),
        ({"id": 1, "answers": ["a", ["b"]]}, r"field 'answers\[1\]': expected a text or an object"),
        ({"id": 1, "answers": [{"x": 1}]}, r"field 'answers\[0\]': no text in the sample"),
        ({"id": 1, "answers": ["a"], "chars": [1, 2]}, "field 'chars': expected a list of 1 numbers"),
        (
            {"id": 1, "answers": ["a"], "chars": ["x"]},
            "field 'chars': expected whole numbers from 0, found 'x'",
        ),
        ({"id": [], "answers": ["a"]}, "field 'id': expected a text or a number"),
        ({"id": 7, "question": "other", "answers": ["a"]}, "field 'id': '7' stands in an earlier line"),
        ({"id": 1, "solutions": ["a"], "sample_to_solution": [1]}, "1 is not a position in 'solutions'"),
        (
            {"id": 1, "answers": [{"text": "a", "tokens": "9"}]},
            r"field 'answers\[0\].tokens': expected a number",
        ),
    ],
)
def test_a_bad_line_is_named_with_file_line_and_field(tmp_path: Path, line: Any, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", ROW, line))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match=r"missing\.jsonl: cannot be read: No such file or directory$"
    ):
        ReplayBackend.from_jsonl(tmp_path / "missing.jsonl")
    not_gzip = write(tmp_path / "run.jsonl.gz", ROW)
    with pytest.raises(InvalidInputError, match=r"run\.jsonl\.gz: cannot be read"):
        ReplayBackend.from_jsonl(not_gzip)
    with pytest.raises(InvalidInputError, match=r"no line with \{'model': 'x'\}"):
        ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", ROW), where={"model": "x"})


async def test_a_prompt_of_no_recorded_problem_counts_as_the_most_that_any_problem_recorded(
    tmp_path: Path,
) -> None:
    rows = [
        {"id": 1, "samples": [{"text": "a", "usage": {"prompt_tokens": 50, "completion_tokens": 1}}]},
        {"id": 2, "samples": [{"text": "a", "usage": {"prompt_tokens": 90, "completion_tokens": 1}}]},
    ]
    backend = ReplayBackend.from_jsonl(write(tmp_path / "run.jsonl", *rows))
    other = Request(prompt="6 * 7?")
    assert await backend.count_prompt_tokens(other) == 90
    assert await backend.count_prompt_tokens(request(0, problem="1")) == 50
    assert await backend.count_prompt_tokens(Request(prompt="x" * 500)) == upper_bound_prompt_tokens(
        Request(prompt="x" * 500)
    )
    with pytest.raises(InvalidInputError, match="nothing is recorded"):
        await backend.complete(other)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b"SQLite format 3\x00\x10\x00\xff",
            r"run\.jsonl: a journal or another database.* JSON object a line, such as",
        ),
        (b"\xff\xfe{", r"run\.jsonl: not UTF-8 text.* JSON object a line, such as"),
        (b"\n\n", r"run\.jsonl: nothing is recorded in it.* JSON object a line, such as"),
        (b"version: 1", r"run\.jsonl:1: not JSON: "),
        (b'{"question": "2 + 2?"}', r"run\.jsonl:1: field 'samples': no column with samples"),
    ],
)
def test_a_file_of_something_else_is_refused_saying_what_is_expected(
    tmp_path: Path, data: bytes, words: str
) -> None:
    (tmp_path / "run.jsonl").write_bytes(data)
    with pytest.raises(InvalidInputError, match=words):
        ReplayBackend.from_jsonl(tmp_path / "run.jsonl")
    with pytest.raises(InvalidInputError, match=words):
        check_recordings(tmp_path / "run.jsonl")


def test_a_first_line_that_is_right_is_all_that_is_checked_before_a_run(tmp_path: Path) -> None:
    check_recordings(write(tmp_path / "run.jsonl", ROW, "no JSON"))
