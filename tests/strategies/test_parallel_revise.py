import pytest
from strategies.chains import play, texts

from orchestrator import Budget, StopReason
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.strategies import ParallelRevise
from orchestrator.types import Score


def chains_of(*chains):
    """A model whose answers are those of the chain that asks, in turn."""

    def reply(request):
        number = int(request.call.path.removeprefix("chain-")) - 1
        return chains[number][request.call.ordinal]

    return ScriptedBackend(reply)


class Scores:
    """A verifier that looks scores up by text."""

    name = "table"

    def __init__(self, table):
        self.table = table

    async def score(self, ctx, problem, candidates, /):
        return [Score(value=self.table.get(candidate.sample.text)) for candidate in candidates]


async def test_the_vote_is_over_all_chains_together():
    # 4 has three of six votes, though two of three chains chose another answer.
    model = chains_of(["4", "4"], ["4", "5"], ["6", "7"])
    outcome, _ = await play(ParallelRevise(chains=3, length=2), model)
    assert outcome.answer.text == "4"
    assert outcome.confidence == 0.5
    assert outcome.detail["choices"] == ["4", "5", "7"]
    assert outcome.detail["lengths"] == [2, 2, 2]
    assert texts(outcome) == ["4", "4", "4", "5", "6", "7"]


async def test_with_hierarchical_each_chain_has_one_vote():
    # Five votes for 4 in one chain, against two chains that chose 5.
    model = chains_of(["4", "4", "4"], ["4", "5", "5"], ["4", "5", "5"])
    flat, _ = await play(ParallelRevise(chains=3, length=3), model)
    assert flat.answer.text == "4"
    model = chains_of(["4", "4", "4"], ["4", "5", "5"], ["4", "5", "5"])
    outcome, _ = await play(ParallelRevise(chains=3, length=3, hierarchical=True), model)
    assert outcome.answer.text == "5"
    assert outcome.confidence == pytest.approx(2 / 3)


async def test_a_verifier_chooses_in_each_chain_and_then_among_the_chains():
    # Flat, 4 has 0.3 + 0.3 + 0.3 = 0.9 against 0.8 of 5; by chains it is 0.3 (of the second) against 0.8.
    table = {"4": 0.3, "5": 0.8}
    chains = ["4", "5", "4"], ["4", "6", "7"]
    outcome, _ = await play(ParallelRevise(chains=2, length=3, verifier=Scores(table)), chains_of(*chains))
    assert outcome.detail["choices"] == ["5", "4"]
    assert outcome.answer.text == "5"
    flat = ParallelRevise(chains=2, length=3, verifier=Scores(table), hierarchical=False)
    outcome, _ = await play(flat, chains_of(*chains))
    assert outcome.answer.text == "4"


async def test_without_weights_the_single_best_candidate_wins():
    table = {"4": 0.5, "5": 0.8}
    program = ParallelRevise(chains=1, length=3, verifier=Scores(table), weighted=False)
    outcome, _ = await play(program, chains_of(["4", "5", "4"]))
    assert outcome.answer.text == "5"
    assert outcome.confidence == 0.8


async def test_a_verifier_that_abstains_on_all_leaves_the_vote():
    program = ParallelRevise(chains=2, length=2, verifier=Scores({}))
    outcome, _ = await play(program, chains_of(["4", "4"], ["4", "5"]))
    assert outcome.answer.text == "4"


async def test_parents_stay_inside_their_chain():
    outcome, _ = await play(ParallelRevise(chains=2, length=2), chains_of(["1", "2"], ["3", "4"]))
    first, second, third, fourth = outcome.candidates
    assert (first.parent, third.parent) == (None, None)
    assert second.parent is first
    assert fourth.parent is third


async def test_a_chain_of_which_every_call_fails_leaves_the_others():
    down = BackendError("down")
    outcome, _ = await play(ParallelRevise(chains=2, length=2), chains_of([down, down], ["4", "4"]))
    assert outcome.answer.text == "4"
    assert outcome.detail["lengths"] == [0, 2]
    assert outcome.detail["choices"] == [None, "4"]
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_one_budget_holds_for_all_chains():
    model = chains_of(["4", "4", "4"], ["4", "4", "4"])
    outcome, _ = await play(ParallelRevise(chains=2, length=3), model, budget=Budget(requests=4))
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.detail["lengths"] == [2, 2]
    assert outcome.answer.text == "4"


def test_chains_below_one_are_refused():
    with pytest.raises(InvalidInputError, match="chains"):
        ParallelRevise(chains=0)


def test_a_prompt_that_names_what_does_not_exist_is_refused():
    with pytest.raises(InvalidInputError, match="`prompt` has only: answer, problem"):
        ParallelRevise(prompt="{{ anwer }}")
