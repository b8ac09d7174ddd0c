import asyncio
import json
import sqlite3

import pytest
from primitives.programs import faults, made
from strategies.chains import ADDITION, play

from orchestrator import Budget, Controller, Outcome, Problem, Steps, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import InvalidInputError
from orchestrator.expressions import NUMBER, TEXT, ListOf, Maybe
from orchestrator.primitives import Critique, Return, Revise, Sample, Score, Text, Vote
from orchestrator.primitives.values import field_types
from orchestrator.prompts import fill
from orchestrator.strategies.attempts import scored
from orchestrator.strategies.chain import prompt_values
from orchestrator.strategies.critique_revise import REVISION
from orchestrator.strategies.quoting import shown
from orchestrator.verifiers import Judge

JUDGE = Judge(expected=False, form="json")

DRAFT_JUDGE_REVISE = Steps(
    steps=(
        Sample(id="drafts", n=4),
        Score(id="judged", of="drafts", by=JUDGE),
        Score(id="review", of="judged.best", by=JUDGE),
        Revise(id="better", of="review", using="review"),
        Return(value="better"),
    )
)


async def draft_judge_revise(ctx, problem, /):
    """The same in Python."""
    branch = ctx.branch(label="drafts")
    stream = branch.sample(branch.ask(problem), n=4, temperature=0.7)
    drafts = [branch.read(sample) async for sample in stream]
    drafts.sort(key=lambda one: one.sample.call.ordinal)
    judged = scored(ctx, JUDGE, problem, drafts, await ctx.score(JUDGE, problem, drafts))
    best = max(judged, key=lambda one: one.scores["judge"].value)
    branch = ctx.branch(label="better")
    values = prompt_values(branch, problem, best) | {"critique": best.scores["judge"].reason}
    ask = branch.ask(problem).then(shown(best), fill(REVISION, values))
    better = branch.read(await branch.complete(ask, temperature=0.7))
    return Outcome(answer=better.answer, candidates=tuple(ctx.candidates))


def reply(request):
    """Drafts 1 to 4; the judge likes the third; its revision is 9."""
    if request.call.path == "drafts":
        return f"It is {request.call.ordinal + 1}"
    if request.call.path == "better":
        return "It is 9"
    asked = request.messages[-1]["content"]
    return json.dumps({"reason": "It may be more.", "score": 8 if "It is 3" in asked else 2})


async def journal_of(program, path):
    """What a run of `program` wrote down of its calls, and its outcome."""
    answers = AnswerReader(kind="number")
    async with Controller(
        models={"m": ScriptedBackend(reply)}, answers=answers, journal=str(path), seed=5
    ) as controller:
        outcome = await controller.run(program, ADDITION)
    with sqlite3.connect(path) as journal:
        calls = journal.execute(
            "SELECT path, ordinal, attempt, model, digest, seed, n, max_tokens, status, samples FROM calls "
            "JOIN results ON call = calls.id ORDER BY path, ordinal"
        ).fetchall()
        bodies = journal.execute("SELECT * FROM requests ORDER BY digest").fetchall()
    journal.close()
    texts = [[sample["text"] for sample in json.loads(row[-1])] for row in calls]
    return [row[:-1] for row in calls], texts, bodies, outcome


async def test_a_composed_program_writes_the_journal_of_the_same_program_in_python(tmp_path):
    composed = await journal_of(DRAFT_JUDGE_REVISE, tmp_path / "composed.db")
    written = await journal_of(draft_judge_revise, tmp_path / "written.db")
    assert composed[:3] == written[:3]
    calls, texts, _, outcome = composed
    assert [call[0].split("-")[0] for call in calls] == ["better"] + ["drafts"] * 4 + ["judge"] * 4
    assert texts[:5] == [["It is 9"], ["It is 1"], ["It is 2"], ["It is 3"], ["It is 4"]]
    assert outcome.answer.text == written[3].answer.text == "9"
    assert outcome.candidates[-1].parent.sample.text == "It is 3"


async def test_a_budget_spent_midway_gives_the_best_so_far():
    for requests, answer, confidence in ((4, "1", 1 / 4), (8, "1", 1 / 4), (9, "9", 1 / 5)):
        outcome, model = await play(
            DRAFT_JUDGE_REVISE, ScriptedBackend(reply), budget=Budget(requests=requests)
        )
        assert (outcome.answer.text, outcome.confidence) == (answer, confidence)
        assert model.started == requests
        assert outcome.stop_reason is (StopReason.COMPLETE if requests == 9 else StopReason.BUDGET)


async def test_two_runs_at_once_do_not_touch_each_other():
    async def solve(offset):
        def numbers(request):
            return str(offset + request.call.ordinal)

        return await made(
            Sample(id="a", n=3), Return(value="a.last"), script=numbers, outputs={"all": "a.texts"}
        )

    results = await asyncio.gather(*(solve(offset) for offset in (0, 10, 20)))
    assert [outcome.answer.text for outcome, _ in results] == ["2", "12", "22"]
    assert results[1][0].detail["outputs"] == {"all": ["10", "11", "12"]}


async def test_one_program_solves_many_problems_and_is_checked_once(monkeypatch):
    checked = []
    faults_of = Steps.faults
    monkeypatch.setattr(
        Steps, "faults", lambda self, **known: checked.append(known) or faults_of(self, **known)
    )
    program = Steps(steps=(Sample(id="a", prompt="{{ problem.x }}"), Return(value="a")))
    problems = [Problem(id=str(n), prompt="?", fields={"x": n}) for n in range(5)]
    async with Controller(
        models={"m": ScriptedBackend(lambda request: request.messages[0]["content"])},
        answers=AnswerReader(kind="number"),
    ) as controller:
        answers = {
            outcome.problem: outcome.answer.text async for outcome in controller.map(program, problems)
        }
        assert answers == {str(n): str(n) for n in range(5)}
        assert checked == [{"problem_fields": {"x": NUMBER}, "models": ("m",)}]
        text = Problem(id="text", prompt="?", fields={"x": "7"})
        assert (await controller.run(program, text)).answer.text == "7"
        with pytest.raises(InvalidInputError, match=r"steps\[0\].sample.prompt: .*`x`"):
            await controller.run(program, Problem(id="none", prompt="?"))
    assert len(checked) == 3


async def test_all_faults_are_told_at_once_before_anything_is_asked():
    model = ScriptedBackend(["4"])
    with pytest.raises(InvalidInputError) as raised:
        await made(Sample(id="a", model="x"), Sample(id="a"), Text(template="4"), script=model)
    assert str(raised.value).splitlines() == [
        "the program cannot be run:",
        "  steps[0].sample.model: no model `x`; there are: m",
        "  steps[1].id: `a` is the name of something else already (choose another name)",
        "  steps[2]: nothing uses the value of this step (give it an `id`, and use that)",
        "  steps[2]: the program can come to its end without an answer (end every path in `return` or `fail`)",
    ]
    assert model.started == 0


def test_nothing_may_stand_after_a_return():
    found = faults(Return(value="'4'"), Sample())
    assert found == [("steps.1", "this step is never reached: the one before it ends the program")]
    assert faults() == [("steps", "the program can come to its end without an answer")]


async def test_outputs_are_what_json_can_hold():
    steps = Sample(id="a", n=2), Critique(id="c", of="a.first"), Vote(id="v", of="a"), Return(value="a")
    outputs = {
        "candidate": "a.first",
        "candidates": "a",
        "critique": "c",
        "vote": "v",
        "answers": "a.answers",
        "sure": "v.share >= 0.9",
        "score": "a.first.score",
        "problem": "problem",
    }
    outcome, _ = await made(*steps, script=["4", "none", "Fine."], outputs=outputs)
    assert json.loads(json.dumps(outcome.detail["outputs"])) == {
        "candidate": "4",
        "candidates": ["4", "none"],
        "critique": "Fine.",
        "vote": "4",
        "answers": ["4", None],
        "sure": False,
        "score": None,
        "problem": "What is 2 + 2?",
    }
    [(place, _)] = faults(Return(value="'4'"), outputs={"x": "nobody"})
    assert place == "outputs.x"


def test_the_types_of_a_problems_fields_are_read_from_its_record():
    fields = {
        "a": "x",
        "b": 1.5,
        "c": ["x", None],
        "d": [],
        "e": None,
        "f": {"x": 1},
        "g": [1, "x"],
        "text": 3,
    }
    problem = Problem(id="p", prompt="?", fields=fields)
    types = field_types(problem)
    assert types == {
        "a": TEXT,
        "b": NUMBER,
        "c": ListOf(Maybe(TEXT)),
        "d": ListOf(TEXT),
        "e": Maybe(TEXT),
        "text": NUMBER,
    }
    # A record's own `text` does not hide the problem's.
    assert faults(Return(value="problem.text"), fields=types) == []
    assert faults(Return(value="problem.text * 2"), fields=types) != []


def test_a_program_says_how_many_calls_it_makes():
    assert DRAFT_JUDGE_REVISE.most_calls == 5  # those of the judge excluded
    assert DRAFT_JUDGE_REVISE.calls_at_once == 4


def test_equal_programs_are_equal_and_can_be_told_apart():
    def program(n):
        return Steps(steps=[Sample(id="a", n=n), Return(value="a")], outputs={"n": "a.count"})

    assert program(2) == program(2) != program(3)
    assert hash(program(2)) == hash(program(2))
    assert "Sample(id='a'" in repr(program(2))
