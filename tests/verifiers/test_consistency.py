import pytest

from orchestrator import Controller, Problem, load
from orchestrator.answers import AnswerReader, FuzzyClusters, ToleranceClusters
from orchestrator.backends import ScriptedBackend
from orchestrator.types import Candidate, Sample
from orchestrator.verifiers import Consistency


def candidates(*texts, kind="number"):
    reader = AnswerReader(kind=kind)
    return [Candidate(sample=Sample(text=text), answer=reader.read(text)) for text in texts]


async def values(verifier, found):
    return [score.value for score in await verifier.score(None, Problem(id="p"), found)]


async def test_a_score_is_the_share_of_all_candidates_that_agree():
    found = candidates("1/2", "0.5", "3", "no idea", "50%")
    assert await values(Consistency(), found) == [0.6, 0.6, 0.2, None, 0.6]
    [score, *_] = await Consistency().score(None, Problem(id="p"), found)
    assert score.reason == "3 of 5 agree"


async def test_nothing_agrees_with_an_abstention():
    assert await values(Consistency(), candidates("no idea", "none")) == [None, None]
    assert await values(Consistency(), []) == []


async def test_a_clustering_may_say_which_answers_are_equal():
    near = Consistency(by=lambda: ToleranceClusters(absolute=0.1))
    assert await values(near, candidates("3.14", "3.1", "2")) == pytest.approx([2 / 3, 2 / 3, 1 / 3])
    pytest.importorskip("rapidfuzz")
    alike = Consistency(by=lambda: FuzzyClusters(threshold=0.9))
    found = candidates("the Danube river", "the Danube rivers", "the Rhine", kind="text")
    assert await values(alike, found) == pytest.approx([2 / 3, 2 / 3, 1 / 3])


async def test_clusters_joined_by_a_later_answer_count_as_one():
    chain = Consistency(by=lambda: ToleranceClusters(absolute=0.1))
    found = candidates("1.0", "1.2", "1.1")
    assert await values(chain, found) == await values(chain, candidates("1.1", "1.0", "1.2"))


async def test_best_of_n_by_agreement_is_a_plurality_vote(tmp_path):
    path = tmp_path / "vote.yaml"
    path.write_text(
        "version: 1\nmodels: {m: {local: gemma-3-270m}}\nanswer: {kind: number}\n"
        "program: {best_of_n: {n: 4, verifier: consistency}}\n"
    )
    program = load(path)
    assert program.strategy.verifier == Consistency()
    script = ScriptedBackend(["3", "4", "5", "4"])
    async with Controller(models={"m": script}, answers=program.answers) as controller:
        outcome = await controller.run(program, "2 + 2?")
    assert (outcome.answer.text, outcome.confidence) == ("4", 0.5)
