import pytest
from strategies.chains import play, texts, turns

from orchestrator import Budget, Controller, Problem, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import Scripted, ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.events import StepTaken
from orchestrator.strategies import AnswerProbe
from orchestrator.types import Capabilities

PROBE = "Final answer:"


def thinking(pieces, probes):
    """A model whose chains are written in these pieces, and whose probes are answered so."""

    def reply(request):
        script = probes if request.call.path.endswith("probe") else pieces
        return script[request.call.ordinal]

    return ScriptedBackend(reply)


# Pieces of six tokens: a chain that is never done.
ON = [Scripted(text=" one and one and one and", finish_reason="length")] * 9


async def test_a_chain_ends_when_its_answer_is_stable():
    model = thinking(ON, [" 5.", " 4.", " 4.", " 4."])
    program = AnswerProbe(every=6, stable=3, max_tokens=60, probe=PROBE)
    outcome, _ = await play(program, model)
    assert outcome.answer.text == "4"
    assert (outcome.stop_reason, outcome.confidence) == (StopReason.COMPLETE, 1.0)
    [chain] = outcome.detail["chains"]
    assert chain == {
        "pieces": 4,
        "tokens": 24,
        "probes": ["5", "4", "4", "4"],
        "probe_tokens": 8,
        "ended": "stable",
        "saved": 60 - 24 - 8,
    }
    assert texts(outcome) == [" one and one and one and" * 4 + "\nFinal answer: 4."]


async def test_pieces_go_on_where_the_text_ends_and_never_see_the_probes():
    begun = Scripted(text=" one and one and one \n", finish_reason="length")
    model = thinking([begun, " two"], [" 5.", " 4."])
    outcome, _ = await play(AnswerProbe(every=6, max_tokens=60, probe=PROBE), model)
    chain = [request for request in model.requests if not request.call.path.endswith("probe")]
    probes = [request for request in model.requests if request.call.path.endswith("probe")]
    assert [turns(request)[1:] for request in chain] == [[], [("a", " one and one and one")]]
    assert turns(probes[0])[1] == ("a", " one and one and one\nFinal answer:")
    assert [(request.temperature, request.max_tokens) for request in chain + probes[:1]] == [
        (0.7, 6),
        (0.7, 6),
        (0.0, 20),
    ]
    assert {request.call.path for request in model.requests} == {"chain", "chain/probe"}
    assert all(one.sample.text != " 5." for one in outcome.candidates)


async def test_a_chain_that_the_model_ends_has_the_answer_of_its_text():
    model = thinking([*ON[:1], " it is 4."], [" 5."])
    outcome, _ = await play(AnswerProbe(every=6, max_tokens=60, probe=PROBE), model)
    assert (outcome.answer.text, model.started) == ("4", 3)
    assert outcome.detail["chains"][0]["ended"] == "stopped"
    assert outcome.detail["chains"][0]["saved"] == 0
    assert texts(outcome) == [" one and one and one and it is 4."]


async def test_a_chain_that_ends_without_an_answer_is_asked_for_it():
    model = thinking([" I wonder."], [" 4."])
    outcome, _ = await play(AnswerProbe(every=6, max_tokens=60, probe=PROBE), model)
    assert (outcome.answer.text, model.started) == ("4", 2)
    assert texts(outcome) == [" I wonder.\nFinal answer: 4."]


async def test_at_the_cap_the_last_readable_probe_is_the_answer():
    model = thinking(ON, [" 5.", " 4.", " I do not know."])
    outcome, _ = await play(AnswerProbe(every=6, max_tokens=15, probe=PROBE), model)
    assert outcome.answer.text == "4"
    assert [request.max_tokens for request in model.requests] == [6, 20, 6, 20, 3, 20]
    [chain] = outcome.detail["chains"]
    assert (chain["ended"], chain["tokens"], chain["probes"]) == ("max_tokens", 15, ["5", "4", None])


@pytest.mark.parametrize("between", [" 4. But wait", " I do not know.", " 5."])
async def test_doubted_unreadable_and_other_answers_break_the_row(between):
    model = thinking(ON, [" 4.", between, " 4.", " 4."])
    outcome, _ = await play(AnswerProbe(every=6, stable=2, max_tokens=60, probe=PROBE), model)
    assert outcome.detail["chains"][0]["pieces"] == 4
    assert outcome.answer.text == "4"


async def test_equal_answers_may_be_spelled_differently():
    model = thinking(ON, [" 0.5.", " 1/2."])
    outcome, _ = await play(AnswerProbe(every=6, stable=2, max_tokens=60, probe=PROBE), model, kind="math")
    assert outcome.detail["chains"][0]["ended"] == "stable"


async def test_chains_vote():
    def reply(request):
        if request.call.path.endswith("probe"):
            return " 4." if request.call.path.startswith("chain~2") else " 5."
        return ON[0]

    program = AnswerProbe(n=3, every=6, stable=2, max_tokens=60, probe=PROBE)
    outcome, model = await play(program, ScriptedBackend(reply))
    assert (outcome.answer.text, outcome.confidence) == ("5", pytest.approx(2 / 3))
    assert [chain["ended"] for chain in outcome.detail["chains"]] == ["stable"] * 3
    assert (model.started, outcome.detail["votes"]) == (12, [2, 1])


async def test_everything_a_chain_drew_is_in_its_candidates_usage():
    model = thinking(ON, [" 4."] * 3)
    outcome, _ = await play(AnswerProbe(every=6, max_tokens=60, probe=PROBE), model)
    assert outcome.candidates[0].sample.usage.completion_tokens == outcome.usage.completion_tokens == 24
    assert not outcome.usage.estimated


async def test_a_call_that_fails_is_a_piece_or_a_probe_less():
    model = thinking([*ON[:1], BackendError("down"), *ON[:2]], [" 4.", BackendError("down"), " 4."])
    outcome, _ = await play(AnswerProbe(every=6, stable=2, max_tokens=60, probe=PROBE), model)
    [chain] = outcome.detail["chains"]
    assert (chain["ended"], chain["pieces"], chain["probes"]) == ("stable", 3, ["4", "4"])


async def test_the_budget_ends_it_with_the_last_probes_answer():
    model = thinking(ON, [" 5.", " 4."])
    outcome, _ = await play(
        AnswerProbe(every=6, max_tokens=60, probe=PROBE), model, budget=Budget(requests=5)
    )
    assert (outcome.answer.text, outcome.stop_reason) == ("4", StopReason.BUDGET)
    assert outcome.detail["chains"][0]["ended"] == "budget"


@pytest.mark.parametrize("limit", [Budget(requests=1), Budget(completion_tokens=20)])
async def test_where_no_probe_could_be_paid_the_answer_that_the_chain_states_counts(limit):
    begun = Scripted(text=" The answer is 4. But", finish_reason="length")
    outcome, _ = await play(AnswerProbe(every=6, probe=PROBE), thinking([begun], []), budget=limit)
    assert (outcome.answer.text, outcome.stop_reason) == ("4", StopReason.BUDGET)
    outcome, _ = await play(AnswerProbe(every=6, probe=PROBE), thinking(ON, []), budget=limit)
    assert outcome.answer is None


async def test_a_text_model_goes_on_with_its_text():
    base = ScriptedBackend([ON[0], " 4.", " it is 4."], capabilities=Capabilities(chat=False))
    await play(AnswerProbe(every=6, max_tokens=60, probe=PROBE), base)
    assert [request.prompt for request in base.requests[1:]] == [
        "Question: What is 2 + 2?\nAnswer: one and one and one and\nFinal answer:",
        "Question: What is 2 + 2?\nAnswer: one and one and one and",
    ]


async def test_a_finished_chain_is_read_from_the_journal_as_it_was(tmp_path):
    program = AnswerProbe(every=6, stable=2, max_tokens=60, probe=PROBE)
    journal = str(tmp_path / "run.db")
    first, _ = await play(program, thinking(ON, [" 4."] * 2), journal=journal)
    again, model = await play(program, thinking([], []), journal=journal, resume=True)
    assert model.started == 0
    assert (texts(again), again.detail) == (texts(first), first.detail)


async def test_a_stable_answer_is_told_as_a_step():
    events = []
    program = AnswerProbe(every=6, stable=2, max_tokens=60, probe=PROBE)
    await play(program, thinking(ON, [" 4."] * 2), events=events)
    steps = [event for event in events if isinstance(event, StepTaken)]
    assert [(step.path, step.step, step.reason) for step in steps] == [
        ("chain", "stable", "4 after 12 tokens")
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 0},
        {"every": 0},
        {"stable": 0},
        {"max_tokens": 0},
        {"probe_tokens": 0},
        {"probe": " "},
        {"doubts": ("wait", "")},
    ],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        AnswerProbe(**wrong)


@pytest.mark.local_model
async def test_a_model_on_this_machine_is_asked_on_the_way():
    pytest.importorskip("xllamacpp")
    from orchestrator.backends.local import LocalBackend

    model = LocalBackend("smollm2-135m-instruct", parallel=1, context_length=512)
    problem = Problem(id="p", prompt="Count from one to twenty, in words, and say how far you came.")
    program = AnswerProbe(every=8, stable=2, max_tokens=32, probe="Final answer:", probe_tokens=6)
    async with Controller(models={"m": model}, answers=AnswerReader(kind="text")) as controller:
        outcome = await controller.run(program, problem)
    [chain], [candidate] = outcome.detail["chains"], outcome.candidates
    assert chain["pieces"] >= 1
    assert chain["tokens"] <= 32
    assert candidate.sample.usage.completion_tokens == chain["tokens"] + chain["probe_tokens"]
    assert outcome.usage.completion_tokens == candidate.sample.usage.completion_tokens
    assert not outcome.usage.estimated
