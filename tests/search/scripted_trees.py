"""Random trees to search in: what a step may be, and what it is worth, as a pure function of a seed and a path.

A step is a letter for the arm that wrote it and the place among its siblings (`a0`, `a1`, `b0`), so the text of a
node says where it is: after "a1\n\na0\n\n" came the second child of the root and then its first. The same tree is
there for a search state (`expanded`, `grown`), for a plain reference (`child`, `children`), and for a whole strategy
(`model` plays a model that writes it, `Worth` is a verifier that knows its values).
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies

from orchestrator.search import Child, Expansion, Search, Tree
from orchestrator.types import Request, Sample, Score, TokenLogprob

END = "\n\n"


@dataclass(frozen=True, kw_only=True)
class ScriptedTree:
    """A tree of steps that nobody has to write down.

    Attributes:
        seed: Another seed, another tree.
        depth: Steps of the longest solutions: all nodes there are complete.
        ending: Chance of a node above that to be complete.
        grades: Values are one of so many evenly spaced numbers in [0, 1] (2: zero or one), so that there are ties;
            None for all of [0, 1).
        unjudged: Chance of a node to have no value.
        alike: Chance of a step to be the same as its first sibling of that arm, in text and in all that follows.
        failing: Chance of a child to be lost each time it is asked for.
        answers: Complete nodes state one of so many answers, from 0.
    """

    seed: int = 0
    depth: int = 4
    ending: float = 0.25
    grades: int | None = None
    unjudged: float = 0.0
    alike: float = 0.0
    failing: float = 0.0
    answers: int = 5

    def chance(self, what: str, text: str) -> float:
        """A number in [0, 1) for this kind of question about this text."""
        asked = f"{self.seed}\x00{what}\x00{' '.join(text.split())}".encode()
        return int.from_bytes(hashlib.blake2b(asked, digest_size=6).digest()) / 2**48

    def span(self, said: str, index: int, *, arm: int = 0) -> str:
        """The step at this place after `said`, as a model would write it."""
        letter = chr(ord("a") + arm)
        if self.chance("alike", f"{said} {letter}{index}") < self.alike:
            index = 0
        name = f"{letter}{index}"
        text = said + name
        deep = len(text.split(END)) >= self.depth
        if not deep and self.chance("ending", text) >= self.ending:
            return name + END
        return f"{name}: the answer is {int(self.chance('answer', text) * self.answers)}."

    def value(self, text: str) -> float | None:
        """What a solution up to here is worth; None where nobody can say."""
        if self.chance("unjudged", text) < self.unjudged:
            return None
        value = self.chance("value", text)
        return value if self.grades is None else int(value * self.grades) / max(1, self.grades - 1)

    def prior(self, text: str) -> float:
        """The weight of a node among its siblings, in (0, 1]."""
        return 1.0 - self.chance("prior", text)

    def tokens(self, text: str) -> int:
        """Tokens of the last step of `text`, from 1 to 20."""
        return 1 + int(self.chance("tokens", text) * 20)

    def child(self, said: str, index: int, *, arm: int = 0) -> Child:
        """The child at this place after `said`."""
        span = self.span(said, index, arm=arm)
        text = said + span
        return Child(
            text=span,
            value=self.value(text),
            prior=self.prior(text),
            tokens=self.tokens(text),
            complete=not span.endswith(END),
        )

    def children(self, said: str, n: int, *, first: int = 0, arm: int = 0) -> list[Child]:
        """The children at the places from `first` on, less those that are lost."""
        places = range(first, first + n)
        kept = [i for i in places if self.chance("failing", f"{said} {arm} {i}") >= self.failing]
        return [self.child(said, i, arm=arm) for i in kept]

    def expanded(self, tree: Tree, expansion: Expansion, *, first: int = 0) -> list[Child]:
        """What an expansion finds: the children of its node from the place `first` on."""
        return self.children(tree.text(expansion.node), expansion.children, first=first, arm=expansion.arm)

    def model(self, *, arm: int = 0, places: int = 1000) -> Callable[[Request], Sample]:
        """A script for `ScriptedBackend`: the model that writes this tree, with log-probabilities.

        Which of `places` children a choice is depends on the request's identity and the choice's number alone, so
        a resumed run meets what it would have met. A reply is cut at the first of the request's stop texts, and a
        request without them gets a solution to its end.
        """
        choices: dict[tuple[object, int], int] = {}

        def reply(request: Request) -> Sample:
            key = (request.call, request.attempt)
            choice = choices[key] = choices.get(key, -1) + 1
            said, place = said_in(request), f"{request.call} {choice % request.n}"
            written = self.span(said, int(self.chance("place", place) * places), arm=arm)
            while not request.stop and written.endswith(END):
                written += self.span(said + written, 0, arm=arm)
            logprob = math.log(self.prior(said + written))
            return Sample(
                text=written.removesuffix(END),
                logprobs=(TokenLogprob(token=written, logprob=logprob),)
                if request.logprobs is not None
                else None,
                finish_reason="stop",
            )

        return reply


@dataclass(frozen=True, kw_only=True)
class WrittenTree:
    """A tree that is written down: for each text its next steps with their values; a step ending in "." is the last.

    What is asked for beyond them, or after a text that is not there, is what a failing call gives: nothing.
    """

    steps: Mapping[str, Sequence[tuple[str, float | None]]]

    def expanded(self, tree: Tree, expansion: Expansion, *, first: int = 0) -> list[Child]:
        """What an expansion finds: the steps after its node's text, from the place `first` on."""
        after = self.steps.get(tree.text(expansion.node), ())[first : first + expansion.children]
        return [Child(text=step, value=value, complete=step.endswith(".")) for step, value in after]


def said_in(request: Request) -> str:
    """The beginning of a reply that a request asks to be continued."""
    last = (request.messages or ())[-1]
    return str(last["content"]) if last["role"] == "assistant" else ""


@dataclass(frozen=True, kw_only=True)
class Worth:
    """The verifier that knows the values of a scripted tree."""

    tree: ScriptedTree
    name = "worth"

    async def score(self, ctx, problem, candidates):
        return [Score(value=self.tree.value(candidate.sample.text)) for candidate in candidates]


def grown(
    search: Search,
    script: ScriptedTree | WrittenTree,
    *,
    at_once: int = 1,
    order: random.Random | None = None,
    most: int = 10_000,
) -> list[Expansion]:
    """Let `search` find the tree until it is finished; the expansions it asked for, in order.

    Args:
        search: A fresh search state.
        script: The tree.
        at_once: Expansions asked for at a time, and under way at most.
        order: In which the results come; None for the order of asking.
        most: A search that asks for more never ends, and the test fails.
    """
    asked: list[Expansion] = []
    waiting: list[tuple[Expansion, int]] = []
    places: dict[
        tuple[int, int], int
    ] = {}  # asked for by node and arm, so that results do not depend on their order
    while True:
        new = search.ask(at_once - len(waiting)) if len(waiting) < at_once else []
        for expansion in new:
            of = expansion.node, expansion.arm
            waiting.append((expansion, places.get(of, 0)))
            places[of] = places.get(of, 0) + expansion.children
        asked += new
        assert len(asked) <= most, "the search does not end"
        if not waiting:
            assert search.finished
            return asked
        if not new or len(waiting) == at_once:
            done, first = waiting.pop(0 if order is None else order.randrange(len(waiting)))
            search.tell(done.number, script.expanded(search.tree, done, first=first))


def rows(tree: Tree) -> list[tuple[object, ...]]:
    """All that a tree holds, to compare two."""
    return [
        (
            tree.parent(node),
            tree.spans[node],
            tree.value(node),
            tree.arm(node),
            tree.tokens(node),
            tree.complete(node),
            tree.closed(node),
            tree.visits(node),
            tree.total(node),
            tree.pending(node),
        )
        for node in range(len(tree))
    ]


def texts_of(tree: Tree, asked: Sequence[Expansion]) -> list[str]:
    """The texts that were gone on from, in order."""
    return [tree.text(expansion.node) for expansion in asked]


def all_texts(tree: Tree) -> list[str]:
    """The texts of all nodes but the root, in the order of being found."""
    return [tree.text(node) for node in range(1, len(tree))]


def scripts(**fixed: object) -> strategies.SearchStrategy[ScriptedTree]:
    """Scripted trees of all kinds, for Hypothesis."""
    kinds: dict[str, strategies.SearchStrategy[object]] = {
        "seed": strategies.integers(0, 10_000),
        "depth": strategies.sampled_from([1, 3, 5]),
        "ending": strategies.sampled_from([0.0, 0.2, 0.6]),
        "grades": strategies.sampled_from([None, 2, 3]),
        "unjudged": strategies.sampled_from([0.0, 0.2, 1.0]),
        "alike": strategies.sampled_from([0.0, 0.4]),
        "failing": strategies.sampled_from([0.0, 0.3, 0.6]),
    }
    return strategies.builds(ScriptedTree, **{**kinds, **{k: strategies.just(v) for k, v in fixed.items()}})
