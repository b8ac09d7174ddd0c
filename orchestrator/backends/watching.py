"""Whole samples shown to a watch piece by piece, as a stream would have shown them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..types import CUT, Chunk, Sample, Watch

__all__ = ["cut_to", "pieces_of", "watched"]


def pieces_of(sample: Sample, *, split: Callable[[str], Sequence[str]] | None = None) -> list[Chunk]:
    """A whole sample in the smallest pieces that can be told apart; at least one, the last with how it ended.

    The pieces of the text are the tokens of its log-probabilities where these spell it, else what `split` makes of
    it. Hidden reasoning comes first. Without `split` a text is one piece.
    """

    def pieces(text: str | None) -> Sequence[str]:
        return (split(text) if split else (text,)) if text else ()

    index, logprobs = sample.index, sample.logprobs or ()
    chunks = [Chunk(text="", reasoning=piece, index=index) for piece in pieces(sample.reasoning)]
    if logprobs and "".join(token.token for token in logprobs) == sample.text:
        chunks += [Chunk(text=token.token, index=index, logprobs=(token,)) for token in logprobs]
    else:
        texts = pieces(sample.text)
        each = logprobs if len(logprobs) == len(texts) else ()
        chunks += [
            Chunk(text=piece, index=index, logprobs=each[at : at + 1] or None)
            for at, piece in enumerate(texts)
        ]
        if logprobs and not each:
            chunks.append(Chunk(text="", index=index, logprobs=logprobs))
    last = chunks.pop() if chunks else Chunk(text="", index=index)
    return [*chunks, replace(last, finish_reason=sample.finish_reason)]


def cut_to(sample: Sample, chunks: Sequence[Chunk], reason: str) -> Sample:
    """`sample` as it is when it ends after these of its chunks, for `reason`; its usage stays."""
    return replace(
        sample,
        text="".join(chunk.text for chunk in chunks),
        reasoning="".join(chunk.reasoning for chunk in chunks) or None,
        logprobs=tuple(token for chunk in chunks for token in chunk.logprobs or ()) or None,
        finish_reason=CUT + reason,
    )


def watched(sample: Sample, watch: Watch) -> Sample:
    """`sample` up to where `watch` ends it; for answers that came whole, which are charged in full."""
    chunks = pieces_of(sample)
    for seen, chunk in enumerate(chunks, start=1):
        if (reason := watch.feed(chunk)) is not None:
            return cut_to(sample, chunks[:seen], reason)
    return sample
