import anyio
import pytest
from strategies.chains import is_a_chain, play, texts, turns

from orchestrator import Budget, Problem, StopReason
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.strategies import TestAndRepair
from orchestrator.strategies.test_and_repair import bounded
from orchestrator.types import Score
from orchestrator.verifiers import RequiredWords

SENTENCE = Problem(id="p", prompt="Use cat and hat.", tests=["cat", "hat"])
REPAIR = "{{ feedback }}! {{ problem }}"


class Table:
    """A verifier that looks score and reason up by text, and counts what it was asked."""

    name = "table"

    def __init__(self, table):
        self.table, self.asked = table, []

    async def score(self, ctx, problem, candidates, /):
        self.asked += [candidate.sample.text for candidate in candidates]
        return [
            Score(value=v, reason=f"{t} fails")
            for t in (c.sample.text for c in candidates)
            for v in [self.table[t]]
        ]


async def test_a_sentence_is_repaired_by_what_the_rule_says_is_wrong():
    script = ["The cat.", "The cat sat. A hat.", "The cat has a hat."]
    program = TestAndRepair(rounds=3, verifier=RequiredWords(), prompt=REPAIR)
    outcome, model = await play(program, script, problem=SENTENCE, kind="text")
    assert outcome.answer.text == "The cat has a hat"
    assert outcome.confidence == 1.0
    assert outcome.stop_reason is StopReason.DECIDED
    assert outcome.detail == {"score": 1.0, "rounds": 2, "ended": "passed"}
    assert is_a_chain(outcome)
    assert [turns(request)[1:] for request in model.requests] == [
        [],
        [("a", "The cat."), ("u", "without hat! Use cat and hat.")],
        [("a", "The cat sat. A hat."), ("u", "not one whole sentence! Use cat and hat.")],
    ]


async def test_a_draft_that_passes_is_not_repaired():
    outcome, model = await play(TestAndRepair(rounds=3, verifier=Table({"4": 1.0})), ["4"])
    assert (outcome.answer.text, model.started) == ("4", 1)
    assert outcome.detail == {"score": 1.0, "rounds": 0, "ended": "passed"}


async def test_the_best_answer_so_far_is_repaired_and_the_latest_of_equals():
    table = Table({"1": 0.5, "2": 0.2, "3": 0.5, "5": 0.1})
    program = TestAndRepair(rounds=3, verifier=table, prompt=REPAIR)
    outcome, model = await play(program, ["1", "2", "3", "5"])
    assert [turns(request)[1] for request in model.requests[1:]] == [("a", "1"), ("a", "1"), ("a", "3")]
    assert outcome.answer.text == "3"
    assert outcome.detail == {"score": 0.5, "rounds": 3, "ended": "rounds"}
    assert outcome.stop_reason is StopReason.COMPLETE
    first, second, third, fourth = outcome.candidates
    assert (second.parent, third.parent) == (first, first)
    assert fourth.parent is third


async def test_several_drafts_are_drawn_and_the_best_is_repaired():
    table = Table({"1": 0.2, "2": 0.6, "3": 0.4, "4": 1.0})
    program = TestAndRepair(rounds=2, n=3, verifier=table, prompt=REPAIR)
    outcome, model = await play(program, ["1", "2", "3", "4"])
    assert turns(model.requests[3])[1:] == [("a", "2"), ("u", "2 fails! What is 2 + 2?")]
    assert outcome.answer.text == "4"
    assert outcome.candidates[3].parent is outcome.candidates[1]


async def test_a_draft_that_passes_calls_off_the_tests_of_the_others_for_good():
    class Slow(Table):
        async def score(self, ctx, problem, candidates, /):
            scores = await super().score(ctx, problem, candidates)
            if self.table[candidates[0].sample.text] < 1.0:
                await anyio.sleep_forever()
            return scores

    table = Slow({"1": 0.2, "2": 0.6, "3": 1.0})
    outcome, _ = await play(TestAndRepair(n=3, verifier=table), ["1", "2", "3"], budget=Budget(seconds=5))
    assert outcome.answer.text == "3"
    assert outcome.stop_reason is StopReason.DECIDED
    assert sorted(table.asked) == ["1", "2", "3"]


async def test_a_threshold_below_one_is_enough():
    outcome, _ = await play(TestAndRepair(threshold=0.6, verifier=Table({"3": 0.5, "4": 0.6})), ["3", "4"])
    assert outcome.answer.text == "4"
    assert outcome.detail["ended"] == "passed"


async def test_an_answer_that_cannot_be_read_is_not_tested_and_the_model_is_told():
    table = Table({"4": 1.0})
    outcome, model = await play(TestAndRepair(verifier=table, prompt=REPAIR), ["no idea", "4"])
    assert table.asked == ["4"]
    assert turns(model.requests[1])[2] == ("u", "no readable answer! What is 2 + 2?")
    assert outcome.answer.text == "4"


async def test_a_text_that_was_tested_is_not_tested_again():
    table = Table({"3": 0.0, "4": 1.0})
    outcome, _ = await play(TestAndRepair(rounds=3, verifier=table), ["3", "3", "3", "4"])
    assert table.asked == ["3", "4"]
    assert outcome.detail["rounds"] == 3
    assert outcome.stop_reason is StopReason.COMPLETE  # it passed with its last round


async def test_where_the_verifier_judges_none_it_is_the_vote():
    table = Table({"3": None, "4": None})
    outcome, _ = await play(TestAndRepair(rounds=2, verifier=table), ["3", "4", "4"])
    assert outcome.answer.text == "4"
    assert outcome.detail["votes"] == [2, 1]


async def test_a_failed_draft_is_drafted_again_and_a_failed_repair_is_a_round_less():
    down = BackendError("down")
    table = Table({"3": 0.0, "4": 0.5})
    outcome, model = await play(TestAndRepair(rounds=3, verifier=table), [down, "3", down, "4"])
    assert texts(outcome) == ["3", "4"]
    assert len(turns(model.requests[1])) == 1
    assert outcome.answer.text == "4"


async def test_the_budget_ends_it_with_the_best():
    table = Table({"3": 0.3, "5": 0.2})
    program = TestAndRepair(rounds=4, verifier=table)
    outcome, _ = await play(program, ["3", "5", "4"], budget=Budget(requests=2))
    assert outcome.answer.text == "3"
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.detail["ended"] == "budget"


async def test_a_long_reason_is_shown_with_its_beginning_and_end():
    class Verbose:
        async def score(self, ctx, problem, candidates, /):
            return [Score(value=0.0, reason="begin" + "x" * 1000 + "end") for _ in candidates]

    program = TestAndRepair(rounds=1, verifier=Verbose(), prompt="{{ feedback }}", feedback_chars=21)
    _, model = await play(program, ScriptedBackend(["3", "4"]))
    assert turns(model.requests[1])[2] == ("u", "beginxxx\n...\nxxxxxend")


@pytest.mark.parametrize(
    ("limit", "shown"), [(3, "012"), (6, "012345"), (7, "0\n...\n9"), (10, "0123456789")]
)
def test_a_text_is_bounded_by_any_limit(limit, shown):
    assert bounded("0123456789", limit) == shown


@pytest.mark.parametrize(
    "wrong",
    [{"rounds": 0}, {"n": 0}, {"feedback_chars": 0}, {"threshold": 1.1}, {"prompt": "{{ feedbck }}"}],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        TestAndRepair(verifier=Table({}), **wrong)


def test_a_verifier_that_compares_candidates_is_refused():
    verifier = Table({})
    verifier.comparative = True
    with pytest.raises(InvalidInputError, match="'table' compares candidates"):
        TestAndRepair(verifier=verifier)
