"""What a reply is charged, and how the charge is shared out over its choices.

A usage block is believed where it can be. Cases, in this order, for completion tokens:

1. the server counted each choice: those counts;
2. the block counts all choices: its total, shared by the choices' lengths;
3. the stream was closed or broke off, or a choice was cut, so that no count came: the tokens that were streamed,
   those after a cut included; marked `estimated`;
4. the block is missing, impossible, or counts one choice of several (llama.cpp, not streamed): the tokens
   that came with log-probabilities, else the server's tokenizer, else the cap; marked `estimated`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..types import Chunk, Price, Request, Sample, Usage
from .wire import Choice, Reply

__all__ = ["apportion", "missing_counts", "reported_prompt", "settle", "tokens_in"]

LONGEST_TOKEN, BYTES_A_TOKEN = 16, 4
"""A streamed piece of more than `LONGEST_TOKEN` bytes is taken for several tokens, of `BYTES_A_TOKEN` bytes each."""


def settle(
    reply: Reply,
    request: Request,
    *,
    prompt_tokens: int,
    counts: Sequence[int | None] = (),
    price: Price | None,
    seconds: float,
) -> list[Sample]:
    """Samples of a reply, at most `request.n`; their usages add up to what the whole request is charged.

    Prompt, request and seconds are on the first sample. Choices that were lost, and those beyond `request.n`, are
    charged but not returned.

    Args:
        reply: What the server answered.
        request: What it was asked.
        prompt_tokens: Prompt tokens to charge when the reply does not say.
        counts: Tokens of each choice's text by the server's tokenizer, as far as known (see
            `missing_counts`).
        price: What the model costs, or None for free.
        seconds: How long the call took.
    """
    written, estimated = _completion_tokens(reply, request, counts)
    whole = [at for at, choice in enumerate(reply.choices) if not choice.lost][: request.n]
    kept = [reply.choices[at] for at in whole]
    if len(kept) < len(written):
        written = apportion(sum(written), [written[at] for at in whole])
    read = reported_prompt(reply, request)
    estimated = estimated or read is None
    prompt = prompt_tokens if read is None else read
    cached = reply.reported.cached_tokens if read is not None else 0
    hidden = min(reply.reported.reasoning_tokens, sum(written))
    reasoning = apportion(hidden, written) if hidden else [0] * len(written)
    samples = []
    for at, (choice, tokens, thought) in enumerate(zip(kept, written, reasoning, strict=True)):
        first = at == 0
        usage = Usage(
            prompt_tokens=prompt if first else 0,
            completion_tokens=tokens,
            requests=1 if first else 0,
            picodollars=0
            if price is None
            else price.cost(
                prompt if first else 0,
                tokens,
                cached_tokens=cached if first else 0,
                requests=1 if first else 0,
            ),
            cached_tokens=cached if first else 0,
            reasoning_tokens=thought,
            seconds=seconds if first else 0.0,
            estimated=estimated,
        )
        samples.append(
            Sample(
                text=choice.text,
                reasoning=choice.reasoning,
                usage=usage,
                finish_reason=choice.finish_reason,
                logprobs=choice.logprobs if request.logprobs is not None else None,
                seed=request.seed,
                model=reply.model,
                index=at,
                call=request.call,
            )
        )
    return samples


def tokens_in(chunk: Chunk) -> int:
    """Tokens in a piece of a stream: its log-probabilities, else one, or more where it is too long for one."""
    if chunk.logprobs:
        return len(chunk.logprobs)
    size = len((chunk.text + chunk.reasoning).encode(errors="replace"))
    if size <= LONGEST_TOKEN:
        return 1 if size else 0
    return -(-size // BYTES_A_TOKEN)


def missing_counts(reply: Reply, request: Request) -> list[int]:
    """Positions of the choices whose tokens only a tokenizer can tell; empty when the reply says enough."""
    if _is_counted(reply) or _reported_total(reply, request) is not None:
        return []
    return [
        at
        for at, choice in enumerate(reply.choices)
        if choice.tokens is None and choice.streamed is None and not choice.logprobs
    ]


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts proportional to `weights`, by largest remainder; the parts add up to `total`.

    Without any positive weight the parts are as equal as they can be, larger ones first.
    """
    if len(weights) == 1:
        return [total]
    whole = sum(weights)
    if whole <= 0:
        weights, whole = [1] * len(weights), len(weights)
    if whole == total:
        return list(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: -(total * weights[at] % whole))
    for at in by_remainder[: total - sum(parts)]:
        parts[at] += 1
    return parts


def _completion_tokens(
    reply: Reply, request: Request, counts: Sequence[int | None]
) -> tuple[list[int], bool]:
    """Tokens of each choice, and whether they are an estimate."""
    choices = reply.choices
    if _is_counted(reply):
        return [choice.tokens or 0 for choice in choices], False
    total = _reported_total(reply, request)
    if total is not None:
        return apportion(total, [_length(choice) for choice in choices]) if len(choices) > 1 else [
            total
        ], False
    known = list(counts) + [None] * (len(choices) - len(counts))
    return [_counted(choice, count, request) for choice, count in zip(choices, known, strict=True)], True


def _is_counted(reply: Reply) -> bool:
    return all(choice.tokens is not None for choice in reply.choices)


def _reported_total(reply: Reply, request: Request) -> int | None:
    """The block's count of all choices, or None when it is missing or cannot be that."""
    total = reply.reported.completion_tokens
    if total is None:
        return None
    choices = reply.choices
    if total == 0 and any(choice.text or choice.reasoning for choice in choices):
        return None
    if len(choices) == 1 and total < len(choices[0].logprobs or ()):
        return None
    if len(choices) > 1 and (reply.llama_cpp or total < sum(_at_least(c, request) for c in choices)):
        return None
    return total


def _at_least(choice: Choice, request: Request) -> int:
    """Tokens the choice shows that it has: one per log-probability, the whole cap when the cap ended it."""
    if choice.logprobs:
        return len(choice.logprobs)
    if choice.finish_reason == "length" and request.max_tokens is not None:
        return request.max_tokens
    return 1 if choice.text else 0


def _length(choice: Choice) -> int:
    if choice.streamed is not None:
        return choice.streamed
    if choice.logprobs:
        return len(choice.logprobs)
    return len(choice.text.encode(errors="replace")) + len((choice.reasoning or "").encode(errors="replace"))


def _counted(choice: Choice, count: int | None, request: Request) -> int:
    """A choice's tokens without the server's word: counted where possible, else the most it can have been."""
    if choice.tokens is not None:
        return choice.tokens
    if choice.streamed is not None:
        return choice.streamed
    if choice.logprobs:
        return len(choice.logprobs)
    if count is not None:
        # The token that ended the text is not in the text.
        return count + 1 if choice.finish_reason == "stop" else count
    if request.max_tokens is not None:
        return request.max_tokens
    return _length(choice) + 1


def reported_prompt(reply: Reply, request: Request) -> int | None:
    """The block's prompt tokens, or None when it has none or says 0 for a prompt that is not empty."""
    tokens = reply.reported.prompt_tokens
    return None if tokens == 0 and request.prompt != "" else tokens
