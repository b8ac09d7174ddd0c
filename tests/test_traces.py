"""Traces: a run as a tree."""

import anyio
import pytest

from orchestrator import Controller, Model
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, Scripted, ScriptedBackend
from orchestrator.errors import BackendError
from orchestrator.events import CandidatesScored
from orchestrator.stopping import WindowStop
from orchestrator.strategies import Adaptive, Agreement, BestOfN, SelfConsistency
from orchestrator.traces import Trace
from orchestrator.types import Score
from orchestrator.verifiers import Regex


async def traced(texts, program):
    trace = Trace()
    model = Model(backend=ScriptedBackend(texts), retry=RetryPolicy(attempts=1))
    async with Controller(
        models={"m": model}, answers=AnswerReader(kind="number"), recorders=[trace]
    ) as controller:
        outcome = await controller.run(program, "2 + 2?")
    return outcome, trace.take("0"), trace


async def test_a_tree_shows_calls_scores_and_decisions():
    texts = ["4", BackendError("down"), "5", "5"]
    outcome, tree, _ = await traced(texts, Adaptive(n=4, start=2, accept=Agreement(at_least=0.9)))
    assert str(tree).splitlines() == [
        "0  5 (0.67, complete)  scripted: 3 calls, 1 failed, 15 tokens",
        "  - enlarged: agreement cannot be told",
    ]
    assert tree.total.total_tokens == outcome.usage.total_tokens == 15


async def test_what_a_verifier_does_has_a_branch_of_its_own():
    _, tree, _ = await traced(["4", "5"], BestOfN(n=2, verifier=Regex(pattern="5"), threshold=None))
    assert [node.notes for node in tree.branches] == [["regex: 0 (the pattern is not found)"], ["regex: 1"]]
    assert all(node.label.startswith("regex-") for node in tree.branches)
    assert [node.path for node in tree.walk()] == ["", *(node.path for node in tree.branches)]


async def test_a_tree_is_taken_once():
    *_, trace = await traced(["4", "4"], Adaptive(n=2, start=2))
    with pytest.raises(KeyError):
        trace.take("0")
    assert repr(trace) == "Trace(problems=0)"


async def test_why_a_verifier_abstains_is_told_once():
    scores = (Score(value=None, reason="unreadable verdict"),) * 2 + (Score(value=1.0, reason="fine"),)
    trace = Trace()
    trace(CandidatesScored(problem="0", path="", verifier="judge", scores=scores))
    assert trace.take("0").notes == ["judge: abstains, abstains, 1 (unreadable verdict)"]


async def test_a_cancelled_call_is_not_a_failed_one():
    never = anyio.Event()
    texts = ["4", "4", Scripted(text="4", gate=never), Scripted(text="4", gate=never)]
    _, tree, _ = await traced(texts, SelfConsistency(n=4, stop=WindowStop(size=2)))
    assert (tree.failed, tree.cancelled) == (0, 2)
    assert "2 calls, 2 cancelled" in tree.headline()
