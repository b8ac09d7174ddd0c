"""Problems that have changed since their outcomes were written down."""

import sqlite3

import pytest

from orchestrator import Controller, Problem, loads
from orchestrator.backends import FunctionBackend
from orchestrator.errors import JournalMismatchError
from orchestrator.runtime.asked import asked_of, changes

PROGRAM = """
version: 1
models: {m: {local: smollm2-135m-instruct}}
problem: {fields: {document: text}}
program:
  steps:
    - {id: said, sample: {prompt: "{{ problem.document }}", max_tokens: 9}}
    - return: said
"""


async def run(path, problem):
    sent = []

    async def answer(request):
        sent.append(request.messages[-1]["content"])
        return f"read {sent[-1]}"

    program = loads(PROGRAM)
    models = {"m": FunctionBackend(answer)}
    async with Controller.of(program, models=models, journal=str(path), resume=path.exists()) as controller:
        outcome = await controller.run(program, problem)
    return outcome.candidates[0].sample.text, sent


def asking(**changed):
    return Problem(**{"id": "p", "prompt": "Sum it up.", "fields": {"document": "one"}, **changed})


async def test_a_changed_field_is_refused_by_its_name(tmp_path):
    assert await run(tmp_path / "run.db", asking()) == ("read one", ["one"])
    assert await run(tmp_path / "run.db", asking()) == ("read one", [])
    with pytest.raises(JournalMismatchError, match=r"'p'.*changed: fields\.document.*another id"):
        await run(tmp_path / "run.db", asking(fields={"document": "two"}))


async def test_a_problem_with_another_reference_is_done_again_without_a_new_call(tmp_path):
    await run(tmp_path / "run.db", asking())
    assert await run(tmp_path / "run.db", asking(reference="1")) == ("read one", [])
    with sqlite3.connect(tmp_path / "run.db") as connection:
        [(outcome,)] = connection.execute("SELECT outcome FROM outcomes")
    connection.close()
    assert '"reference":' in outcome


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({}, []),
        ({"prompt": "Sum it up!"}, ["prompt"]),
        ({"prompt": None, "messages": ({"role": "user", "content": "hi"},)}, ["messages", "prompt"]),
        ({"reference": "1", "tests": {"words": ["a"]}}, ["reference", "tests"]),
        ({"fields": {"document": "two", "page": 1}}, ["fields.document", "fields.page"]),
        ({"fields": {}}, ["fields.document"]),
        ({"fields": {"document": "one", "reader": object()}}, []),
    ],
)
def test_it_is_told_which_parts_have_changed(changed, parts):
    assert changes(asked_of(asking()), asking(**changed)) == parts


def test_the_order_of_keys_and_tuples_for_lists_change_nothing():
    one = asking(fields={"a": {"x": [1, 2.5, True], "y": None}, "b": "\ud800"})
    other = asking(fields={"b": "\ud800", "a": {"y": None, "x": (1, 2.5, True)}})
    assert changes(asked_of(one), other) == []
    assert changes(asked_of(one), asking(fields={"a": {"x": [1, 2.5, 1], "y": None}, "b": "\ud800"})) == [
        "fields.a"
    ]
