import anyio
import pytest
from primitives.programs import faults, made
from strategies.chains import texts, turns

from orchestrator import Budget, Problem, Prompt, StopReason
from orchestrator.backends import Scripted, ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.expressions import TEXT
from orchestrator.primitives import Return, Sample, Score, Text
from orchestrator.prompts import Example
from orchestrator.types import Capabilities
from orchestrator.verifiers import SelfCertainty

BASE = Capabilities(chat=False, n=True, logprobs=True, seed=True, streaming=True, usage_is_exact=True)


async def test_it_draws_n_samples_on_a_branch_of_its_id():
    outcome, model = await made(Sample(id="drafts", n=3), Return(value="drafts"), script=["4", "5", "4"])
    assert outcome.answer.text == "4"
    assert [(one.call.path, one.call.ordinal) for one in model.requests] == [("drafts", n) for n in range(3)]
    assert [turns(one) for one in model.requests] == [[("u", "What is 2 + 2?")]] * 3


async def test_its_candidates_are_in_the_order_they_were_asked_for():
    def reply(request):
        number = request.call.ordinal
        return Scripted(text=str(number), delay=3.0 - number)

    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        for _ in range(int(seconds * 10)):
            await anyio.lowlevel.checkpoint()

    outcome, _ = await made(
        Sample(id="drafts", n=3),
        Return(value="drafts"),
        script=ScriptedBackend(reply, sleep=sleep),
        outputs={"texts": "drafts.texts"},
    )
    assert outcome.detail["outputs"] == {"texts": ["0", "1", "2"]}
    assert texts(outcome) == ["2", "1", "0"]  # as they arrived
    assert slept == [3.0, 2.0, 1.0]


async def test_what_it_is_asked_with_are_its_settings():
    step = Sample(id="a", temperature=0.2, max_tokens=7, stop=("END",), top_p=0.9, logprobs=2)
    _, model = await made(step, Return(value="a"), script=["4"])
    [request] = model.requests
    assert (request.temperature, request.max_tokens, request.top_p) == (0.2, 7, 0.9)
    assert (request.stop, request.logprobs) == (("END",), 2)


async def test_a_prompt_is_one_user_message_without_the_programs_system_message_and_examples():
    prompt = Prompt(system="Be brief.", examples=(Example(question="1 + 1?", answer="2"),))
    steps = (
        Sample(id="plan", prompt="Plan for: {{ problem }} ({{ problem.unit }})", aside=True),
        Sample(
            id="a", prompt="{{ problem }} Plan: {{ plan.first.text }}", system="Follow {{ plan.first.text }}."
        ),
        Return(value="a"),
    )
    problem = Problem(id="p", prompt="2 + 2?", fields={"unit": "m"})
    outcome, model = await made(*steps, script=["the plan", "4"], problem=problem, prompt=prompt)
    assert [turns(one) for one in model.requests] == [
        [("u", "Plan for: 2 + 2? (m)")],
        [("s", "Follow the plan."), ("u", "2 + 2? Plan: the plan")],
    ]
    assert texts(outcome) == ["4"]  # what is drawn aside is no candidate


async def test_without_a_prompt_the_problem_goes_through_the_programs_with_its_own_system_message():
    prompt = Prompt(system="Be brief.", template="Q: {{ problem }}")
    steps = (
        Sample(id="a"),
        Sample(id="b", system="Be long."),
        Return(value="a.first"),
    )
    _, model = await made(*steps, script=["4", "5"], prompt=prompt, outputs={"b": "b.first"})
    assert [turns(one) for one in model.requests] == [
        [("s", "Be brief."), ("u", "Q: What is 2 + 2?")],
        [("s", "Be long."), ("u", "Q: What is 2 + 2?")],
    ]


async def test_a_base_model_gets_the_text_as_it_is_after_the_system_message():
    steps = (
        Sample(id="a", prompt="Two and two is"),
        Sample(id="b", prompt="Two and two is", system="Sums."),
        Return(value="a"),
    )
    model = ScriptedBackend(["4", "5"], capabilities=BASE)
    await made(*steps, script=model, outputs={"b": "b.count"})
    assert [one.prompt for one in model.requests] == ["Two and two is", "Sums.\n\nTwo and two is"]
    assert [one.stop for one in model.requests] == [(), ()]


async def test_several_samples_a_request_cost_fewer_requests():
    step = Sample(id="drafts", n=5, per_call=2)
    assert step.most_calls == 3
    outcome, model = await made(step, Return(value="drafts"), script=["4"] * 5)
    assert [one.n for one in model.requests] == [2, 2, 1]
    assert len(outcome.candidates) == 5


async def test_failing_calls_leave_fewer_candidates_and_all_failing_none():
    outcome, _ = await made(
        Sample(id="drafts", n=3),
        Return(value="drafts"),
        script=["4", BackendError("no"), "4"],
        outputs={"n": "drafts.count"},
    )
    assert (outcome.answer.text, outcome.confidence, outcome.detail["outputs"]) == ("4", 1.0, {"n": 2})
    with pytest.raises(BackendError, match="no"):
        await made(Sample(id="a"), Return(value="a"), script=[BackendError("no")])


async def test_a_spent_budget_leaves_fewer_and_later_steps_ask_nothing():
    steps = Sample(n=4), Sample(id="b", n=4), Return(value="b")
    outcome, model = await made(*steps, script=["4"] * 8, budget=Budget(requests=3))
    assert model.started == 3
    assert outcome.answer.text == "4"  # the vote over all there is, because `b` is empty
    assert outcome.stop_reason is StopReason.BUDGET


async def test_samples_are_drawn_with_the_log_probabilities_that_a_verifier_needs():
    steps = (
        Sample(id="a"),
        Score(id="b", of="a", by=SelfCertainty()),
        Return(value="b.best"),
    )
    _, model = await made(*steps, script=["4"])
    assert model.requests[0].logprobs == SelfCertainty().logprobs


def test_names_models_and_templates_are_checked():
    steps = (
        Sample(id="a", model="larg", system="{{ nobody }}"),
        Sample(id="b", prompt="{{ a.frist.text }}"),
        Text(id="t", template="{{ a }}"),
        Return(value="b"),
    )
    found = dict(faults(*steps, models=["small", "large"]))
    assert found["steps.0.sample.model"] == "no model `larg`; there are: small, large"
    assert "nobody" in found["steps.0.sample.system"]
    assert "frist" in found["steps.1.sample.prompt"]
    assert set(found) == {
        "steps.0.sample.model",
        "steps.0.sample.system",
        "steps.1.sample.prompt",
        "steps.2.text.template",
    }


def test_a_prompt_object_names_the_fields_of_the_problem_and_the_values_of_steps():
    plan = Sample(id="plan", aside=True)
    prompt = Prompt(template="{{ problem }} {{ context }} {{ plan.first.text }}")
    steps = plan, Sample(id="a", prompt=prompt), Return(value="a")
    assert faults(*steps, fields={"context": TEXT}) == []
    [(place, message)] = faults(*steps)
    assert place == "steps.1.sample.prompt"
    assert "context" in message


async def test_a_prompt_object_is_asked_with_its_examples():
    prompt = Prompt(
        system="Add.",
        template="{{ problem }} in {{ unit }}",
        examples=(Example(question="1 + 1?", answer="2"),),
    )
    problem = Problem(id="p", prompt="2 + 2?", fields={"unit": "m"})
    _, model = await made(Sample(id="a", prompt=prompt), Return(value="a"), script=["4"], problem=problem)
    assert turns(model.requests[0]) == [("s", "Add."), ("u", "1 + 1? in m"), ("a", "2"), ("u", "2 + 2? in m")]


@pytest.mark.parametrize(
    "parameters",
    [{"n": 0}, {"per_call": 0}, {"temperature": -1.0}, {"top_p": 0.0}, {"max_tokens": 0}, {"logprobs": -1}],
)
def test_numbers_out_of_range_are_refused(parameters):
    with pytest.raises(InvalidInputError, match=next(iter(parameters))):
        Sample(**parameters)
