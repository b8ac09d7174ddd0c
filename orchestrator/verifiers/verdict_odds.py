"""How sure a judge was: the probabilities of the verdicts it could have given at the place where it gave one."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from ..types import TokenLogprob
from .verdicts import Found, canonical

__all__ = ["expected_score", "option_shares"]

_LEAD = r"[\s\"'`*_\[({:=]*"
_BEGINS = re.compile(rf"{_LEAD}(?P<digits>\d+)(?P<rest>.*)", re.DOTALL)
_GOES_ON = re.compile(r"(?P<digits>\d+)(?P<rest>.*)", re.DOTALL)
_WORD = re.compile(rf"{_LEAD}(?P<word>\w+)")


def expected_score(
    tokens: Sequence[TokenLogprob], found: Found[float], *, lowest: int, highest: int
) -> float | None:
    """The mean of the scores a judge could have given, each by its probability: sum s P(s) / sum P(s).

    The sums are over the scale's whole numbers. A score of several tokens, as the 10 of a scale up to 10 often is,
    has the product of their probabilities along what was written. A rival that is a score and might have gone on to
    be another (a 1 where an 8 was written) is left out, as nobody knows what would have followed, unless a longer
    score that begins with it is a token of its own.

    Source: Liu et al. 2023, "G-Eval", arXiv 2303.16634, §2, "Scoring Function". Differs in reading the probabilities
    from the tokens instead of drawing many samples, and in scores of several tokens.

    Args:
        tokens: What was written, with its rivals.
        found: The score read from the tokens' joined text.
        lowest: The scale's lower end.
        highest: The scale's upper end.

    Returns:
        In [lowest, highest]; None where the score is not written as a whole number of at least 0.
    """
    scores = {str(score) for score in range(max(lowest, 0), highest + 1)}
    written = "".join(token.token for token in tokens)[found.start : found.end]
    at, offset = _token_at(tokens, found.start)
    if at is None or written not in scores or int(written) != found.value:
        return None
    begun = _BEGINS.match(tokens[at].token)
    if begun is None or begun.start("digits") != offset:
        return None
    masses = _masses(tokens[at:], scores)
    mean = math.fsum(int(score) * mass for score, mass in masses.items()) / math.fsum(masses.values())
    return min(max(mean, float(lowest)), float(highest))


def option_shares(
    tokens: Sequence[TokenLogprob], found: Found[str], options: Mapping[str, str]
) -> dict[str, float] | None:
    """What share of the probability of all options each had where one was written.

    Args:
        tokens: What was written, with its rivals; a word in several tokens is known by its first.
        found: The option read from the tokens' joined text.
        options: The options by how they may be written.

    Returns:
        Shares in [0, 1] that add up to 1, by option; None where the option is not at a token's beginning.
    """
    at, _ = _token_at(tokens, found.start)
    if at is None:
        return None
    masses = dict.fromkeys(options.values(), 0.0)
    for text, mass in _rivals(tokens[at]).items():
        if (option := _begun(text, options)) is not None:
            masses[option] += mass
    total = math.fsum(masses.values())
    if not masses.get(found.value):
        return None
    return {option: mass / total for option, mass in masses.items()}


def _token_at(tokens: Sequence[TokenLogprob], position: int) -> tuple[int | None, int]:
    """The number of the token that holds a character of the joined text, and where in the token that is."""
    begins = 0
    for number, token in enumerate(tokens):
        if begins <= position < begins + len(token.token):
            return number, position - begins
        begins += len(token.token)
    return None, 0


def _rivals(token: TokenLogprob) -> dict[str, float]:
    """Probabilities of what could have stood here, the written token among them."""
    return {text: math.exp(min(logprob, 0.0)) for text, logprob in ((token.token, token.logprob), *token.top)}


def _masses(tokens: Sequence[TokenLogprob], scores: Collection[str]) -> dict[str, float]:
    """The probability of each score, along the tokens written from where the number begins."""
    masses: defaultdict[str, float] = defaultdict(float)
    prefix, mass, shape = "", 1.0, _BEGINS
    for token in tokens:
        numbers = _numbers(token, prefix, shape)
        going_on = math.fsum(p for number, p, _, _ in numbers if _may_become(number, scores))
        if prefix in scores:
            masses[prefix] += mass * max(0.0, 1.0 - going_on)
        own: tuple[str, float] | None = None
        for number, p, ends, is_own in numbers:
            unsure = not ends and any(_longer(number, score) for score in scores)
            if unsure and is_own:
                own = number, mass * p
            elif number in scores and not (
                unsure and not any(_longer(number, other) and other in scores for other, *_ in numbers)
            ):
                masses[number] += mass * p
        if own is None:
            return masses
        (prefix, mass), shape = own, _GOES_ON
    if prefix in scores:
        masses[prefix] += mass
    return masses


def _numbers(token: TokenLogprob, prefix: str, shape: re.Pattern[str]) -> list[tuple[str, float, bool, bool]]:
    """What number could stand here: its digits so far, its probability, whether it ends, whether it was written."""
    return [
        (prefix + match["digits"], mass, bool(match["rest"]), text == token.token)
        for text, mass in _rivals(token).items()
        if (match := shape.match(text))
    ]


def _longer(number: str, other: str) -> bool:
    return len(other) > len(number) and other.startswith(number)


def _may_become(number: str, scores: Collection[str]) -> bool:
    return any(score.startswith(number) for score in scores)


def _begun(text: str, options: Mapping[str, str]) -> str | None:
    """The option that a token writes, or begins to write."""
    match = _WORD.match(text)
    if match is None:
        return None
    word = match["word"]
    if (option := canonical(word, options)) is not None:
        return option
    begun = {option for name, option in options.items() if len(name) > 1 and name.startswith(word.lower())}
    return begun.pop() if len(begun) == 1 else None
