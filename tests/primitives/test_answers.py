"""Answers in the conditions of programs: compared with texts, and as numbers, by the program's own reading."""

import pytest

from orchestrator import run_sync
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import InvalidInputError
from orchestrator.primitives import If, Return, Sample, Steps


def chosen(condition, said, **reading):
    """Whether a condition about the sample `a` holds."""
    program = Steps(
        steps=[
            Sample(id="a"),
            If(condition=condition, then=[Return(value="'yes'")]),
            Return(value="'no'"),
        ],
        outputs={"held": condition},
    )
    models = {"m": ScriptedBackend([said])}
    return run_sync(program, "?", models=models, answers=AnswerReader(**reading)).detail["outputs"]["held"]


def test_a_condition_reads_texts_as_the_program_reads_answers():
    assert chosen("a.answer == '50%'", "It is 50%.", kind="number", percent="number") is True
    assert chosen("a.answer == '1/2'", "It is 50%.", kind="number", percent="number") is False
    assert chosen("a.answer == '1/2'", "It is 50%.", kind="number") is True


def test_a_rating_is_compared_as_a_number():
    assert chosen("number(a.answer) <= 2", "I rate it 2.", kind="number") is True
    assert chosen("number(a.answer) <= 2", "I rate it 4.", kind="number") is False
    assert chosen("number(a.answer) <= 2", "No idea.", kind="number") is False
    assert chosen("number(a.best.text) > 3", "I rate it 4 of all.", kind="whole") is True


def test_a_label_that_there_is_not_is_refused_before_anything_is_asked():
    with pytest.raises(InvalidInputError, match="no answer is `biling`; the labels are: billing, other"):
        chosen("a.answer == 'biling'", "billing", labels=("billing", "other"))


def test_a_program_is_checked_anew_for_other_labels():
    program = Steps(
        steps=[Sample(id="a"), If(condition="a.answer == 'x'", then=[Return(value="a")]), Return(value="a")]
    )
    models = {"m": ScriptedBackend(lambda request: "x")}
    assert run_sync(program, "?", models=models, answers=AnswerReader(labels=("x", "y"))).answer.text == "x"
    with pytest.raises(InvalidInputError, match="no answer is `x`"):
        run_sync(program, "?", models=models, answers=AnswerReader(labels=("y", "z")))
