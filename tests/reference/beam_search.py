"""Beam search and diverse verifier tree search, plainly: on texts, in lists that are sorted anew each time."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from orchestrator.search import Child


class Text(NamedTuple):
    """A solution up to the end of a step."""

    text: str
    steps: int
    value: float | None
    complete: bool
    number: int  # in the order of being found

    def merit(self) -> tuple[bool, float]:
        return self.value is not None, self.value or 0.0


Children = Callable[[str, int, int], Sequence[Child]]
"""The children of a text: how many, and which of the expansions of this text it is, from 0."""


class Found:
    """What a search has found, and in what order it went on."""

    def __init__(self, children: Children, prune: float | None) -> None:
        self.children, self.prune = children, prune
        self.expanded: list[str] = []
        self.texts: list[Text] = []

    def expand(self, parent: Text, n: int) -> list[Text]:
        """Those of the children that are neither pruned nor said before."""
        again = self.expanded.count(parent.text)
        self.expanded.append(parent.text)
        new = []
        for child in self.children(parent.text, n, again):
            one = Text(
                parent.text + child.text, parent.steps + 1, child.value, child.complete, len(self.texts)
            )
            self.texts.append(one)
            weak = self.prune is not None and child.value is not None and child.value < self.prune
            if not weak and one.text not in [other.text for other in new]:
                new.append(one)
        return new


START = Text("", 0, None, False, -1)


def best_first(texts: Sequence[Text]) -> list[Text]:
    """From the highest value to none at all; of equals the one found first."""
    return sorted(texts, key=lambda one: one.merit(), reverse=True)


def to_back_up_to(texts: Sequence[Text]) -> list[Text]:
    """The same, but of equals the longest first, and then the one found first."""
    return sorted(texts, key=lambda one: (*one.merit(), one.steps, -one.number), reverse=True)


def beam_search(
    children: Children, *, n: int, beam_width: int, max_steps: int, prune: float | None = None
) -> Found:
    found = Found(children, prune)
    size = n // beam_width
    allowed = 1 + size * (max_steps - 1)
    candidates = found.expand(START, n)
    finished: list[Text] = []
    aside: list[Text] = []
    while True:
        ranked = best_first(candidates)
        kept = ranked[: size - len(finished)]
        aside += ranked[len(kept) :]
        finished += [one for one in kept if one.complete]
        beam = [one for one in kept if not one.complete and one.steps < max_steps]
        if not beam:
            aside = to_back_up_to([one for one in aside if not one.complete and one.steps < max_steps])
            free = size - len(finished)
            beam, aside = aside[:free], aside[free:]
        beam = beam[: allowed - len(found.expanded)]
        if not beam:
            return found
        candidates = [new for one in beam for new in found.expand(one, beam_width)]


def diverse_verifier_tree_search(
    children: Children, *, n: int, beam_width: int, max_steps: int, prune: float | None = None
) -> list[Found]:
    """What each subtree has found."""
    subtrees = []
    for subtree in range(n // beam_width):
        found = Found(lambda text, n, again, of=subtree: children(text, n, of if not text else again), prune)
        at, aside = START, []
        while len(found.expanded) < max_steps:
            new = best_first(found.expand(at, beam_width))
            aside = to_back_up_to(aside + [one for one in new[1:] if not one.complete])
            if not new:
                new, aside = aside[:1], aside[1:]
            if not new or new[0].complete or new[0].steps == max_steps:
                break
            at = new[0]
        subtrees.append(found)
    return subtrees
