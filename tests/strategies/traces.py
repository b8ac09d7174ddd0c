"""Scripted traces whose tokens have confidences that can be read off."""

from orchestrator.backends.scripted import tokens_of
from orchestrator.types import Sample, TokenLogprob


def trace(text, *nats):
    """A text of as many tokens as there are confidences, each token's one top log-probability being minus its."""
    tokens = tokens_of(text)
    assert len(tokens) == len(nats), tokens
    logprobs = tuple(
        TokenLogprob(token=token, logprob=-1.0, top=((token, -value),))
        for token, value in zip(tokens, nats, strict=True)
    )
    return Sample(text=text, logprobs=logprobs, finish_reason="stop")
