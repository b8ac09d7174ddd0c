"""Beam search: which steps are gone on from, what they are valued by, and how a real model goes on with its reply."""

import anyio
import pytest
from search.scripted_trees import ScriptedTree, Worth, said_in

from orchestrator import BeamSearch, Budget, Controller, Model, Problem, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.backends.scripted import Scripted
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.events import CallSettled
from orchestrator.strategies import StepGenerator
from orchestrator.types import Score
from orchestrator.verifiers import RequiredWords

NUMBER = AnswerReader(kind="number")
STEPS = StepGenerator(tokens=10, rest_tokens=10)
FOUR, FIVE = "the answer is 4.", "the answer is 5."


class Marks:
    """A verifier that gives a text the mark written last in it, as in "a step (H)": from A for 0 to J for 0.9."""

    name = "marks"

    def __init__(self):
        self.seen = []

    async def score(self, ctx, problem, candidates):
        texts = [candidate.sample.text for candidate in candidates]
        self.seen += texts
        return [
            Score(value="ABCDEFGHIJ".index(text.rpartition("(")[2][0]) / 10 if "(" in text else None)
            for text in texts
        ]


class Script:
    """Replies by what has been said: a list for each beginning, used up choice by choice."""

    def __init__(self, replies):
        self.replies = {said: iter(texts) for said, texts in replies.items()}

    def __call__(self, request):
        return next(self.replies[" ".join(said_in(request).split())])


async def run(program, script, **options):
    model = script if isinstance(script, ScriptedBackend) else ScriptedBackend(Script(script))
    models = {"m": Model(backend=model, retry=RetryPolicy(attempts=1))}
    async with Controller(models=models, answers=NUMBER, **options) as controller:
        outcome = await controller.run(program, Problem(id="p", prompt="?"))
        assert controller.ledger.statistics().holds == 0
    return outcome, model


def beam(verifier=None, **options):
    return BeamSearch(
        **{
            "n": 4,
            "beam_width": 2,
            "max_steps": 3,
            "verifier": verifier or Marks(),
            "steps": STEPS,
            **options,
        }
    )


async def test_the_best_are_gone_on_from_and_the_answer_is_that_of_the_largest_sum():
    outcome, model = await run(
        beam(),
        {
            "": ["a (B)", "b (J)", "c (E)", "d (H)"],
            "b (J)": ["e (C)", "f (D)"],
            "d (H)": ["g (G)", "(I) the answer is 5."],
            "d (H) g (G)": ["(F) the answer is 4.", "(G) the answer is 4."],
        },
    )
    assert [said_in(request) for request in model.requests] == [
        *["", "b (J)\n\n", "d (H)\n\n", "d (H)\n\ng (G)\n\n"]  # the solution that ends with 5 keeps its place
    ]
    assert [request.n for request in model.requests] == [4, 2, 2, 2]
    assert outcome.answer.text == "4"
    assert outcome.confidence == pytest.approx((0.5 + 0.6) / (0.5 + 0.6 + 0.8))
    assert outcome.detail == {
        **{"score": 0.6, "totals": [0.8, pytest.approx(1.1)]},
        **{"nodes": 10, "complete": 3, "depth": 3, "forced": False},
    }


async def test_the_first_place_goes_to_sums_over_equal_answers():
    script = {"": ["the answer is 5.", "the answer is 4.", "the answer is 4.", "the answer is 3."]}
    scores = {"the answer is 5.": 0.6, "the answer is 4.": 0.4, "the answer is 3.": 0.1}

    class Table:
        name = "table"

        async def score(self, ctx, problem, candidates):
            return [Score(value=scores[candidate.sample.text]) for candidate in candidates]

    outcome, _ = await run(beam(Table()), script)
    assert outcome.answer.text == "4"
    assert outcome.confidence == pytest.approx(0.8 / 1.5)
    script = {"": ["the answer is 5.", "the answer is 4.", "the answer is 4.", "the answer is 3."]}
    outcome, _ = await run(beam(Table(), choose="score"), script)
    assert outcome.answer.text == "5"


async def test_when_all_beams_are_pruned_it_backs_up():
    outcome, model = await run(
        beam(prune=0.5, choose="score", n=2),
        {
            "": ["a (J)", "b (G)"],
            "a (J)": ["c (B)", "d (A)"],
            "b (G)": ["the answer is 4, surely (I)", "e (C)"],
        },
    )
    assert [said_in(request) for request in model.requests] == ["", "a (J)\n\n", "b (G)\n\n"]
    assert outcome.candidates[0].sample.text.startswith("b (G)")
    assert not outcome.detail["forced"]


async def test_a_level_whose_calls_fail_is_backed_up_from():
    down = BackendError("the model is down")
    outcome, model = await run(
        beam(n=2, max_steps=4),
        {"": ["a (J)", "b (G)"], "a (J)": [down, down], "b (G)": ["the answer is 4.", "c (C)"]},
    )
    assert [said_in(request) for request in model.requests] == ["", "a (J)\n\n", "b (G)\n\n"]
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_equal_steps_do_not_fill_the_beam():
    outcome, model = await run(
        beam(max_steps=2),
        {"": ["a (J)", "a (J)", "a (J)", "b (B)"], "a (J)": [FOUR, FOUR], "b (B)": [FOUR, FIVE]},
    )
    assert [said_in(request) for request in model.requests] == ["", "a (J)\n\n", "b (B)\n\n"]
    assert outcome.answer.text == "4"


async def test_looking_ahead_a_step_is_valued_by_where_it_leads_at_temperature_zero():
    verifier = Marks()
    outcome, model = await run(
        beam(verifier, n=2, beam_width=2, lookahead=2, max_steps=2, temperature=0.9),
        {
            "": ["a (J)", "b (B)"],
            "a (J)": ["worse (F)"],
            "a (J) worse (F)": ["bad (A)"],
            "b (B)": ["better (G)", "(H) the answer is 4.", "(G) the answer is 5."],
            "b (B) better (G)": ["(I) the answer is 4."],
        },
    )
    asked = {said_in(request): request.temperature for request in model.requests}
    assert asked == {
        "": 0.9,
        "a (J)\n\n": 0.0,
        "a (J)\n\nworse (F)\n\n": 0.0,
        "b (B)\n\n": 0.9,  # rolled out from first, and gone on from last
        "b (B)\n\nbetter (G)\n\n": 0.0,
    }
    assert [request.temperature for request in model.requests if said_in(request) == "b (B)\n\n"] == [
        0.0,
        0.9,
    ]
    assert verifier.seen[:2] == [
        "a (J)\n\nworse (F)\n\nbad (A)\n\n",
        "b (B)\n\nbetter (G)\n\n(I) the answer is 4.",
    ]
    # What was written ahead is in no solution.
    assert [candidate.sample.text for candidate in outcome.candidates] == [
        *["b (B)\n\n(H) the answer is 4.", "b (B)\n\n(G) the answer is 5."]
    ]
    assert {request.call.path for request in model.requests} == {
        *["search/0", "search/0/ahead0", "search/0/ahead1", "search/1"]
    }


async def test_looking_ahead_equal_steps_are_rolled_out_once_and_complete_ones_not_at_all():
    verifier = Marks()
    _, model = await run(
        beam(verifier, n=3, beam_width=3, lookahead=1, max_steps=2),
        {"": ["a (B)", "a (B)", "(D) the answer is 4."], "a (B)": ["b (C)", FOUR, FOUR, FOUR]},
    )
    assert [said_in(request) for request in model.requests] == ["", "a (B)\n\n"]
    assert verifier.seen == ["a (B)\n\nb (C)\n\n", "(D) the answer is 4."]


async def test_a_rollout_that_fails_values_the_step_by_how_far_it_got():
    verifier = Marks()
    await run(
        beam(verifier, n=1, beam_width=1, lookahead=3, max_steps=2),
        {"": ["a (B)"], "a (B)": ["b (C)", FOUR], "a (B) b (C)": [BackendError("down")]},
    )
    assert verifier.seen[0] == "a (B)\n\nb (C)\n\n"


async def test_looking_ahead_is_given_up_at_the_deadline_and_the_steps_are_kept():
    never = anyio.Event()

    def reply(request):
        if "ahead" in request.call.path:
            return Scripted(text="never", gate=never)
        return "so 4" if request.call.path == "finish" else "a (F)"

    outcome, model = await run(beam(lookahead=1), ScriptedBackend(reply), budget=Budget(seconds=0.3))
    assert outcome.candidates[-1].sample.text == "a (F)\n\nso 4"
    assert outcome.stop_reason is StopReason.DEADLINE
    assert model.in_flight == 0


@pytest.mark.parametrize("seed", range(5))
async def test_it_goes_on_from_what_the_search_state_says(seed):
    tree = ScriptedTree(seed=seed, ending=0.1, depth=5)
    program = beam(Worth(tree=tree), n=6, beam_width=3, max_steps=5)
    outcome, model = await run(program, ScriptedBackend(tree.model(places=6)))
    levels = [said_in(request).count("\n\n") for request in model.requests]
    assert levels == sorted(levels)
    assert all(levels.count(level) <= 2 for level in levels)
    assert len(model.requests) <= program.most_calls
    assert outcome.answer is not None


async def test_equal_beginnings_come_first_in_every_request():
    _, model = await run(
        beam(max_steps=2),
        {"": ["a (J)", "b (I)", "c", "d"], "a (J)": [FOUR, FIVE], "b (I)": [FOUR, FIVE]},
    )
    first, *later = model.requests
    assert all(request.messages[: len(first.messages)] == first.messages for request in later)


def test_the_number_of_calls_is_its_formula():
    assert beam(n=16, beam_width=4, max_steps=10).most_calls == 2 + 9 * 4
    assert beam(n=16, beam_width=4, max_steps=10, lookahead=2).most_calls == 2 + 9 * (4 + 32)
    assert (beam(n=16, beam_width=4).calls_at_once, beam(n=16, beam_width=4, lookahead=1).calls_at_once) == (
        4,
        16,
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"n": 5}, "n must be a multiple of beam_width"),
        ({"beam_width": 0}, "n must be a multiple of beam_width"),
        ({"lookahead": -1}, "lookahead must be at least 0"),
        ({"max_steps": 0}, "max_steps must be at least 1"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong, says):
    with pytest.raises(InvalidInputError, match=says):
        beam(**wrong)


@pytest.mark.local_model
async def test_a_model_on_this_machine_goes_on_with_its_reply_and_meets_the_servers_prefix_cache():
    pytest.importorskip("xllamacpp")
    from orchestrator.backends.local import LocalBackend

    settled = []
    model = LocalBackend("smollm2-135m-instruct", parallel=4, context_length=256)
    problem = Problem(
        id="p",
        prompt="Write one sentence of at most 15 words that uses the words hat, man and train.",
        tests=["hat", "man", "train"],
    )
    program = BeamSearch(
        n=4,
        beam_width=2,
        max_steps=3,
        verifier=RequiredWords(partial=True),
        steps=StepGenerator(stop=(), tokens=4, rest_tokens=12),
        finish_tokens=16,
    )
    async with Controller(
        models={"m": model}, answers=AnswerReader(kind="text"), recorders=(settled.append,)
    ) as controller:
        outcome = await controller.run(program, problem)
        assert controller.ledger.statistics().holds == 0
    calls = [event for event in settled if isinstance(event, CallSettled)]
    assert 3 <= len(calls) <= program.most_calls
    question = calls[0].usage.prompt_tokens
    # Every later step goes on with the reply: a longer prompt, of which the server has read the question before.
    assert all(call.usage.prompt_tokens > question for call in calls[1:])
    # One that meets a busy slot may have to read it once more.
    assert max(call.usage.cached_tokens for call in calls[1:]) >= question - 1
    assert not any(call.usage.estimated for call in calls)
    assert outcome.usage.cached_tokens == sum(call.usage.cached_tokens for call in calls) > 0
    assert outcome.answer is not None
    for candidate in outcome.candidates:
        text = candidate.sample.text
        assert text == text.strip()
        assert "\n\n" not in text
