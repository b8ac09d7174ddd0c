"""Monte Carlo tree search with a prior. Cost: at most a call per simulation, and for rollouts one per new node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import ClassVar, Literal

from ..concurrently import concurrently
from ..context import Context
from ..contracts import Verifier, compares, logprobs_for, name_of
from ..costs import Costing, Size, Spending, repeated
from ..errors import InvalidInputError
from ..search import Child, Expansion
from ..search.puct import Puct
from ..types import Candidate, Outcome, Score
from ..verifiers import Consistency
from ..voting import weighted_vote
from .base import at_least
from .steps import Step
from .tree_search import Choosing, Growth, TreeSearch, child_of

__all__ = ["MCTS"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MCTS(TreeSearch):
    """Simulations that go down the tree of steps to where value, prior and few visits promise most.

    With v(s) the value of a solution up to the end of step s, N(s) the simulations through it, W(s) the sum of what
    they found, P(s) its likelihood over that of its siblings, each simulation does:

        select    from the root, while s has all the children it may have, the child c of highest
                  Q'(c) + c_puct * P(c) * sqrt(N(s)) / (1 + N(c)),  Q(c) = (v(c) + W(c)) / (1 + N(c)),
                  Q' = (Q - lowest) / (highest - lowest), over all values in the tree and all found (0 if equal)
        expand    s by new steps, at most `branching` at a time; s may have branching * N(s)^widening children
        evaluate  the new steps: the verifier's score, the mean score of `rollouts`, or their vote
        back up   the mean of these values: N + 1 and W + mean at s and all nodes above
        descend   while the best of the new steps is not complete, the next simulation expands it, from `expand` on

    A simulation that comes to a complete solution backs up its value, without a call. An unjudged node counts with
    its parent's Q until simulations have gone through it. Simulations under way count in N and not in W, and a node
    that has all its children under way is passed by, so that `width` of them keep apart; but no solution is come
    back to instead. While descents are under way, another is begun only where the simulations left are enough for
    all of them and one more, `max_steps` each. Of equal steps after the same beginning only the first is gone on
    from. A node that two calls in a row have found nothing for gets no more of them, and is closed when it has no
    children.

    The search is decided when one answer has led with at least `threshold` of the answer mass for `patience`
    simulations that ended at solutions. An answer's mass is one for every solution that gives it and one for every
    simulation that came back to such a solution: what `choose: visits` takes.

    Source: PUCT is that of Schrittwieser et al., "Mastering Atari, Go, Chess and Shogi by Planning with a Learned
    Model", arXiv 1911.08265, App. B, eq. 2, with a constant c_puct for c1 + log((N + c2 + 1) / c2): with its
    c1 = 1.25, c2 = 19652 the logarithm stays below 0.05 up to a thousand simulations. Q' is its eq. 5. Nothing is
    discounted, and no noise is added at the root. New children are valued when they are drawn, since language models
    give no prior before. `descend` is ours, a greedy playout that is kept in the tree: where siblings have nearly
    equal values, as those of right steps do, the rule alone goes through the tree in breadth, and a search with few
    simulations for its depth finds no solution. Widening: Chaslot et al. 2008, "Progressive
    Strategies for Monte-Carlo Tree Search"; Couëtoux et al. 2011, "Continuous Upper Confidence Trees". Simulations
    under way as unobserved visits: Liu et al., WU-UCT, arXiv 1810.11755, §3.1.

    Defaults: c_puct is the paper's. `descend` and `widening` were chosen, at branching 3 and 4, on the synthetic
    problems of tests/bench/search_curves.py with its seed 1 and σ = 1, and say nothing of a language model: there,
    32 simulations of 4 steps completed no solution of 8 steps without `descend` and 16 with it, and widening by 0.3
    was no better at equal tokens than none. c_puct from 0.3 to 2.5 made no difference that could be told.

    Cost: at most num_simulations * (1 + rolled_out * branching) + 1 calls, rolled_out being 1 where nodes are valued
    by rollouts and else 0; the last one ends the best partial solution where no complete one can be read. A server
    that gives one sample a request takes `branching` calls for an expansion and `rollouts` for each node's rollouts.

    Args:
        num_simulations: Simulations in all, at least 1.
        c_puct: Weight of exploration, at least 0.
        branching: Steps drawn after a node at first, and the most drawn at a time, at least 1. As many simulations
            as a solution has steps complete one, and `branching` solutions where they end in the same step.
        widening: Exponent by which further visits allow further steps, in [0, 1]; 0 for none beyond `branching`.
        prior: The `likelihood` of a step (geometric mean of its tokens' probabilities) over that of its siblings,
            where the server gives log-probabilities, or `uniform`.
        descend: Whether a simulation is followed by one that expands the best of its new steps, until that one is
            complete (of equal values the likeliest, then the first); without it each starts at the root.
        value: What a node is worth: the `verifier`'s score of the solution so far, its mean score over rollouts
            (`rollout`, for verifiers of complete solutions such as execution), or the share of them that gives the
            answer leading among all solutions when the result counts (`vote`, which asks no verifier).
        rollouts: Solutions written from a new node to value it, at least 1; they are candidates for the answer.
        patience: Simulations that must leave a lead as it is, at least 1; None to do them all.
        threshold: The share of the answer mass that makes a lead, in [0, 1].
        width: Simulations under way at a time, at least 1; with 1 each is chosen knowing all before it.
        verifier: Scores solutions, for `value: verifier` partial ones too.
        steps: How solutions are cut into steps.
        max_steps: Steps of a solution at most, at least 1; the last one is written to the end of the solution.
        prune: Solutions with a value below this, in [0, 1], are not gone on from; None for all.
        choose: How the answer is chosen among the complete solutions: the largest answer mass (`visits`), the best
            by `score`, the largest sum of scores of equal answers (`weighted`), or the most frequent (`vote`).
        finish_tokens: Cap on the call that ends the best partial solution, in tokens, at least 1.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: None: steps have caps of their own.

    The outcome's `detail` has the `simulations` begun, the `nodes` of the tree, how many of them are `complete`, its
    `depth` in steps, whether the answer was `forced` by ending a partial solution, and that of the choice (`visits`:
    the mass behind each answer, in the order they were found).
    """

    paper: ClassVar[str] = "Schrittwieser et al., arXiv 1911.08265, App. B"
    cost: ClassVar[str] = "num_simulations * (1 + rolled_out * branching) + 1"
    pays: ClassVar[str] = "deep problems where a step's value shows late, a verifier that can be trusted"

    num_simulations: int = 32
    c_puct: float = 1.25
    branching: int = 3
    widening: float = 0.0
    prior: Literal["likelihood", "uniform"] = "likelihood"
    descend: bool = True
    value: Literal["verifier", "rollout", "vote"] = "verifier"
    rollouts: int = 4
    patience: int | None = 8
    threshold: float = 0.8
    width: int = 4
    verifier: Verifier = field(default_factory=Consistency)
    choose: Choosing | Literal["visits"] = "visits"  # type: ignore[assignment]  # `outcome` knows one way more

    def __post_init__(self) -> None:
        self.check(together=True)
        at_least(1, branching=self.branching, rollouts=self.rollouts)
        self.search(0)  # the other ranges are its own
        if self.value == "verifier" and compares(self.verifier):
            raise InvalidInputError(
                "value: verifier needs a verifier that judges each solution on the way, "
                f"not {name_of(self.verifier)!r}; "
                "without one, take value: vote, which values them by how their rollouts agree"
            )

    @property
    def most_calls(self) -> int:
        """num_simulations * (1 + rolled_out * branching) + 1."""
        return self.num_simulations * (1 + (self.value != "verifier") * self.branching) + 1

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return self.width * (1 if self.value == "verifier" else self.branching)

    @property
    def logprobs(self) -> int | None:
        """Top log-probabilities that steps are drawn with; None for none."""
        wanted = logprobs_for(self.verifier)
        return wanted if wanted is not None or self.prior == "uniform" else 0

    def search(self, seed: int) -> Puct:
        """The simulations, which draw no lots."""
        return Puct(
            num_simulations=self.num_simulations,
            c_puct=self.c_puct,
            branching=self.branching,
            widening=self.widening,
            uniform=self.prior == "uniform",
            descend=self.descend,
            steps=self.max_steps,
            vote=self.value == "vote",
            patience=self.patience,
            threshold=self.threshold,
            width=self.width,
            prune=self.prune,
        )

    async def expand(self, growth: Growth, place: Context, expansion: Expansion) -> list[Child]:
        """Write new steps after a node, and value them by themselves or by what follows them."""
        said, steps = await self.drawn(growth, place, expansion)
        if self.value == "verifier":
            return await growth.valued(place, said, steps)
        places = [place.branch(label=f"rollout{number}") for number in range(len(steps))]
        return await concurrently(
            self._rolled_out(growth, branch, said, step) for branch, step in zip(places, steps, strict=True)
        )

    async def _rolled_out(self, growth: Growth, place: Context, said: str, step: Step) -> Child:
        """A step with its solutions, as far as they could be had: itself where it is complete, else its rollouts."""
        text, ends = said + step.text, [step] if step.complete else []
        with growth.attempts.surviving():
            ends = ends or await self.steps.draw(
                place,
                self,
                growth.ask,
                text,
                attempts=growth.attempts,
                n=self.rollouts,
                rest=True,
                logprobs=logprobs_for(self.verifier),
            )
        texts = [text if step.complete else text + end.text for end in ends]
        samples = [end.sample for end in ends]
        scores: Sequence[Score | None] = [None] * len(ends)
        if self.value == "rollout":
            scores = await growth.judged(place, texts, samples, texts)
        found = [growth.complete(*solution) for solution in zip(texts, samples, scores, strict=True)]
        values = [score.value for score in scores if score is not None and score.value is not None]
        value = fmean(values) if values else None
        if step.complete:
            return child_of(step, value=value, candidate=found[0])
        return child_of(step, value=value, rollouts=found)

    def outcome(self, growth: Growth, candidates: Sequence[Candidate]) -> Outcome:
        """The answer among complete solutions, which are in the order of their nodes."""
        choosing = self._by_visits if self.choose == "visits" else super(MCTS, self).outcome
        found = choosing(growth, candidates)
        assert isinstance(growth.search, Puct)
        return replace(found, detail={**found.detail, "simulations": growth.search.simulations})

    def _by_visits(self, growth: Growth, candidates: Sequence[Candidate]) -> Outcome:
        """The answer with the largest mass; its confidence is its share of all."""
        tree = growth.tree
        came_back = {id(found): tree.visits(node) for node, found in tree.candidates.items()}
        mass = [1 + came_back.get(id(candidate), 0) for candidate in candidates]
        vote = weighted_vote([candidate.answer for candidate in candidates], mass)
        return Outcome(
            answer=vote.answer,
            confidence=vote.confidence,
            tied=vote.tied,
            candidates=tuple(candidates),
            detail={"visits": [round(total) for total in vote.totals]},
        )

    @property
    def expansions_at_most(self) -> tuple[int, int, int]:
        """Steps of the first expansion, expansions after it, and steps of each of these."""
        return self.branching, self.num_simulations - 1, self.branching

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        if self.value == "verifier":
            return await TreeSearch.worst_case(self, costing)
        unjudged = await TreeSearch.worst_case(replace(self, verifier=Consistency()), costing)
        first, later, children = self.expansions_at_most
        steps = first + later * children
        ask = costing.ask(self.model).continued(".")
        before = self._text_before(later) + self.longest_step
        rollout = await self._stepping(
            costing, ask, n=self.rollouts, inserted=before, note="rollouts", rest=True
        )
        parts = [*unjudged.parts, repeated(replace(rollout, label="rollout", on_branch=True), steps)]
        if self.value == "rollout":
            judged = await costing.scoring(self.verifier, self.rollouts, Size(tokens=self.longest_path))
            parts.append(repeated(judged, steps))
        return self._spending(*parts)
