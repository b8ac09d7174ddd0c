import pytest
from primitives.programs import faults, made
from strategies.chains import texts

from orchestrator import Budget, Outcome, Problem, StopReason
from orchestrator.errors import BackendError, BudgetExceededError
from orchestrator.events import StepTaken
from orchestrator.primitives import Fail, Return, Run, Sample, Score, Select, Steps, Text, Vote
from orchestrator.types import Score as Verdict

THREE = Sample(id="a", n=3)


class Half:
    async def score(self, ctx, problem, candidates, /):
        return [Verdict(value=0.5)] * len(candidates)


@pytest.mark.parametrize(
    ("value", "answer", "confidence"),
    [
        ("a", "4", 2 / 3),
        ("a.first", "5", 1 / 3),
        ("a.first.answer", "5", 1 / 3),
        ("answer(a)", "4", 2 / 3),
        ("'It is ' + '4'", "4", 2 / 3),  # the text does not vote for itself
        ("a.count + 2", "5", 1 / 3),
        (Vote(of="a.answers"), "4", 2 / 3),
        (Vote(of="a"), "4", 2 / 3),
        (Select(of="a", by="last"), "4", 2 / 3),
    ],
)
async def test_a_value_has_an_answer_and_a_confidence(value, answer, confidence):
    outcome, _ = await made(THREE, Return(value=value), script=["5", "4", "4"], outputs={"n": "a.count"})
    assert (outcome.answer.text, outcome.confidence) == (answer, confidence)
    written = {"'It is ' + '4'": "It is 4", "a.count + 2": "5"}.get(value)
    assert (None if outcome.written is None else outcome.written.sample.text) == written
    assert texts(outcome) == ["5", "4", "4"]
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_the_confidence_of_a_judged_candidate_is_its_score():
    steps = THREE, Score(id="b", of="a", by=Half()), Return(value="b.first")
    outcome, _ = await made(*steps, script=["5", "4", "4"])
    assert (outcome.answer.text, outcome.confidence) == ("5", 0.5)
    steps = THREE, Score(id="b", of="a.first", by=Half()), Return(value="b")
    outcome, _ = await made(*steps, script=["5", "4", "4"])
    assert (outcome.answer.text, outcome.confidence) == ("5", 0.5)


async def test_an_outcome_keeps_its_answer_its_confidence_and_why_it_ended():
    async def decided(ctx, problem, /):
        first = ctx.read(await ctx.complete(ctx.ask(problem)))
        reason = StopReason.DECIDED
        return Outcome(answer=first.answer, confidence=0.3, stop_reason=reason, detail={"x": 1})

    steps = Run(id="inner", program=decided), Sample(), Return(value="inner")
    outcome, _ = await made(*steps, script=["5", "4"])
    assert (outcome.answer.text, outcome.confidence) == ("5", 0.3)
    assert outcome.stop_reason is StopReason.DECIDED
    assert outcome.detail == {"x": 1}
    assert texts(outcome) == ["5", "4"]


@pytest.mark.parametrize(
    ("given", "confidence"),
    [("0.25", 0.25), ("a.agreement / 2", 1 / 3), ("a.count / 3", 1.0), ("a.best.score", 2 / 3)],
)
async def test_the_confidence_can_be_given(given, confidence):
    outcome, _ = await made(THREE, Return(value="a", confidence=given), script=["5", "4", "4"])
    assert outcome.confidence == pytest.approx(confidence)
    assert "confidence_refused" not in outcome.detail


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ("a.count + 82", "85 is outside of [0, 1]"),
        ("0 - a.count", "-3 is outside of [0, 1]"),
        ("problem.share", "nan is outside of [0, 1]"),
    ],
)
async def test_a_confidence_that_is_none_is_missing_and_said_so(given, refused):
    events, problem = [], Problem(id="p", prompt="2 + 2?", fields={"share": float("nan")})
    steps = THREE, Return(value="a", confidence=given)
    outcome, _ = await made(*steps, script=["5", "4", "4"], events=events, problem=problem)
    assert (outcome.confidence, outcome.detail["confidence_refused"]) == (2 / 3, refused)
    assert [one.reason for one in events if isinstance(one, StepTaken)] == [refused]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("85", "a confidence is in [0, 1], not 85"),
        ("-1", "a confidence is in [0, 1], not -1"),
    ],
)
def test_a_confidence_that_is_written_out_and_none_is_refused(given, message):
    assert faults(THREE, Return(value="a", confidence=given)) == [("steps.1.return.confidence", message)]
    for inside in ("0", "1", "0.5 + 0.5"):
        assert faults(THREE, Return(value="a", confidence=inside)) == []


async def test_a_text_is_written_and_neither_a_sample_nor_a_voter():
    outcome, model = await made(Return(value="'It is 4.'"), script=[])
    assert (outcome.answer.text, outcome.confidence, model.started) == ("4", 0.0, 0)
    assert (outcome.written.sample.text, outcome.candidates) == ("It is 4.", ())
    assert (outcome.error, outcome.stop_reason) == (None, StopReason.COMPLETE)


async def test_the_text_of_a_program_inside_can_be_used_and_is_none_of_its_candidates():
    inner = Steps(steps=(Return(value="'It is 4.'"),))
    steps = Run(id="o", program=inner), Sample(), Return(value=Vote(of="[o, o]"))
    outputs = {"text": "o.text", "candidate": "o.candidate.answer", "n": "o.candidates.count"}
    outcome, _ = await made(*steps, script=["5"], outputs=outputs)
    assert outcome.detail["outputs"] == {"text": "It is 4.", "candidate": "4", "n": 0}
    assert (outcome.answer.text, outcome.confidence, texts(outcome)) == ("4", 1.0, ["5"])
    assert outcome.written.sample.text == "It is 4."


@pytest.mark.parametrize("value", ["o", "o.candidate", "o.candidates"])
async def test_the_whole_text_of_a_program_inside_is_handed_on(value):
    inner = Steps(steps=(Sample(), Return(value="problem.text + ' It is 4'")))
    steps = Run(id="o", program=inner), Return(value=value)
    outcome, _ = await made(*steps, script=["4"], outputs={"text": "o.text"})
    handed = None if value == "o.candidates" else "What is 2 + 2? It is 4"
    assert outcome.answer.text == "4"
    assert (None if outcome.written is None else outcome.written.sample.text) == handed
    assert texts(outcome) == ["4"]
    assert outcome.detail["outputs"] == {"text": "What is 2 + 2? It is 4"}


@pytest.mark.parametrize("value", ["'no number'", "1 / 0", "none if problem.text == 'x' else problem.text"])
async def test_where_there_is_neither_an_answer_nor_a_candidate_there_is_an_error(value):
    outcome, _ = await made(Return(value=value), script=[], problem=Problem(id="p", prompt="none"))
    assert (outcome.answer, outcome.stop_reason) == (None, StopReason.ERROR)
    assert outcome.error == f"{value} has no answer, and nothing was drawn"


async def test_a_value_without_an_answer_gives_way_to_the_vote():
    events = []
    steps = THREE, Return(value="a.first", confidence="0.1")
    outcome, _ = await made(*steps, script=["no number", "4", "4"], events=events)
    assert (outcome.answer.text, outcome.confidence) == ("4", 2 / 3)
    assert [one.step for one in events if isinstance(one, StepTaken)] == ["voted"]


async def test_without_any_answer_there_is_none_and_without_any_candidate_the_first_failure_is_raised():
    outcome, _ = await made(THREE, Return(value="a"), script=["a", "b", "c"])
    assert (outcome.answer, outcome.confidence, len(outcome.candidates)) == (None, 0.0, 3)
    with pytest.raises(BackendError, match="first"):
        await made(THREE, Return(value="a"), script=[BackendError(text) for text in ("first", "b", "c")])
    with pytest.raises(BudgetExceededError):
        await made(THREE, Return(value="a"), script=[], budget=Budget(total_tokens=1))


async def test_an_answer_that_was_drawn_aside_is_among_the_outcomes_candidates():
    steps = Sample(id="b", aside=True), Return(value="b.first")
    outcome, _ = await made(*steps, script=["4"])
    assert (outcome.answer.text, outcome.confidence, texts(outcome)) == ("4", 1.0, ["4"])


async def test_a_program_can_fail_with_what_it_has_drawn():
    steps = THREE, Text(id="why", template="{{ a.count }} drafts"), Fail(message="{{ why }}, none good")
    outcome, _ = await made(*steps, script=["5", "4", "4"])
    assert outcome.answer is None
    assert outcome.stop_reason is StopReason.ERROR
    assert outcome.error == "3 drafts, none good"
    assert texts(outcome) == ["5", "4", "4"]


def test_what_is_returned_must_have_an_answer():
    [(place, message)] = faults(THREE, Return(value="a.texts"))
    assert place == "steps.1.return.value"
    assert message.endswith("but `a.texts` is a list, each item a text")
    found = faults(THREE, Return(value="a", confidence="a.first"))
    assert found[0][0] == "steps.1.return.confidence"
    [(place, _)] = faults(Fail(message="{{ a }}"))
    assert place == "steps.0.fail.message"


async def test_the_trace_shows_what_is_returned_as_a_file_writes_it():
    events = []
    await made(THREE, Return(value=Vote(of="a")), script=["none", "none", "none"], events=events)
    reasons = [event.reason for event in events if isinstance(event, StepTaken) and event.step == "voted"]
    assert reasons == ["the value has no answer: vote of a"]
