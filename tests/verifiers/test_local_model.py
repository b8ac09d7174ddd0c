"""Verifiers that read log-probabilities, on those of a real model."""

import pytest

from orchestrator import BestOfN, Controller, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends.local import LocalBackend
from orchestrator.verifiers import Composite, Consistency, GroupConfidence, Perplexity, SelfCertainty

pytest.importorskip("xllamacpp")
pytestmark = pytest.mark.local_model


async def test_samples_are_drawn_with_the_log_probabilities_their_verifier_reads():
    verifier = Composite(parts=(Perplexity(), SelfCertainty(), GroupConfidence(window=4), Consistency()))
    program = BestOfN(n=3, verifier=verifier, max_tokens=40, threshold=None)
    problem = Problem(id="p", prompt="What is the capital of France? Answer in one word.")
    model = LocalBackend("smollm2-135m-instruct", parallel=3, context_length=256)
    async with Controller(models={"m": model}, answers=AnswerReader(kind="text")) as controller:
        outcome = await controller.run(program, problem)
    assert len(outcome.candidates) == 3
    readable = [candidate for candidate in outcome.candidates if candidate.answer is not None]
    assert readable
    for candidate in readable:
        tokens, sample = candidate.sample.logprobs, candidate.sample
        # The token that ends a turn is written, and has no log-probability.
        assert len(tokens) == sample.usage.completion_tokens - (sample.finish_reason == "stop")
        assert all(len(token.top) == 20 for token in tokens)
        score = candidate.scores["composite"]
        assert 0.0 < score.value < 1.0
        assert "abstains" not in score.reason
