"""What the tree searches share: the calls behind a search state, and an answer whenever they are ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import anyio

from ..budget import Budget
from ..context import Context
from ..contracts import Verifier, compares, logprobs_for, name_of
from ..costs import FREE, Costing, Size, Spending, repeated
from ..errors import BudgetExceededError, InvalidInputError, most_telling
from ..prompts import Rendered
from ..search import ROOT, Child, Expansion, Search, Tree
from ..types import Candidate, Outcome, Problem, Sample, Score, StopReason, Usage
from .attempts import Attempts
from .base import Strategy, at_least, in_unit
from .selection import by_score, by_vote
from .steps import Step, StepGenerator

__all__ = ["Choosing", "Growth", "TreeSearch", "child_of"]

Choosing = Literal["score", "weighted", "vote"]
"""How the answer is chosen among complete solutions: the best score, the largest sum of scores, the most votes."""

SECONDS_KEPT = 0.2
"""The part of the time to the deadline kept for writing an answer when the search has found none."""

END_SHOWN = 48
"""Characters of a partial solution that a trace shows: its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSearch(Strategy):
    """The root of the searches over partial solutions.

    A node is a solution up to the end of a step, its value the verifier's score of that text. The search state says
    which nodes to go on from; their steps are written and valued side by side. It can be ended at any moment: it
    answers with the best complete solution, and where none has a readable answer, the best partial one is written to
    its end by one more call. What that call may need of tokens, money, requests and time (a fifth of what is left) is
    kept back from the search.

    The searches' numbers of calls are those of a server that gives as many samples a request as are asked for, and
    goes on with a reply as it stands. Where a chat template trims the end of a reply, a step may take a second call
    (see `StepGenerator`), and so may the end of a solution that is too long for the model.

    Args:
        verifier: Scores solutions, partial ones too. One that abstains on a solution gives it no value.
        steps: How solutions are cut into steps.
        max_steps: Steps of a solution at most, at least 1; the last one is written to the end of the solution.
        prune: Solutions with a score below this, in [0, 1], are not gone on from; None for all.
        choose: How the answer is chosen among the complete solutions: the best by `score`, the largest sum of
            scores of equal answers (`weighted`), or the most frequent (`vote`).
        finish_tokens: Cap on the call that ends the best partial solution, in tokens, at least 1.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: None: steps have caps of their own.
    """

    verifier: Verifier
    steps: StepGenerator = field(default_factory=StepGenerator)
    max_steps: int = 10
    prune: float | None = None
    choose: Choosing = "score"
    finish_tokens: int = 256

    def check(self, *, replies: bool = False, together: bool = False) -> None:
        """Refuse parameters out of their range, or without a meaning here; for subclasses' `__post_init__`.

        Args:
            replies: Whether it writes whole replies, which `max_tokens` caps.
            together: Whether what is compared with each other is judged together, so that a verifier may compare.
        """
        Strategy.__post_init__(self)
        at_least(1, max_steps=self.max_steps, finish_tokens=self.finish_tokens)
        in_unit(prune=self.prune)
        if self.max_tokens is not None and not replies:
            raise InvalidInputError(
                "max_tokens does not cap the steps of a search: give steps: {tokens: ..., rest_tokens: ...}"
            )
        if not together and compares(self.verifier):
            raise InvalidInputError(
                f"the verifier {name_of(self.verifier)!r} compares candidates; this search needs one that judges each"
            )
        if self.monitors:
            cap = "max_tokens" if replies else "steps: {tokens: ...}"
            raise InvalidInputError(f"monitors do not watch what a search writes: cap it by {cap}")

    @property
    def choice(self) -> str:
        """The solution the search has found."""
        return "the solution found by search"

    @property
    def each(self) -> str:
        """A solution, which is no independent draw: the search has chosen its beginning."""
        return "one solution on the way"

    @property
    def logprobs(self) -> int | None:
        """Top log-probabilities that steps are drawn with; None for none."""
        return logprobs_for(self.verifier)

    # What a subclass says --------------------------------------------------------------------------------

    @property
    def finishes(self) -> bool:
        """Whether a partial solution is written to its end where no complete one has a readable answer."""
        return True

    @property
    def longest(self) -> int:
        """Tokens of the longest step."""
        return self.steps.tokens

    def writer(self, arm: int) -> str | None:
        """Name of the model that writes for this arm; None for the first."""
        return self.model

    def search(self, seed: int) -> Search:
        """A fresh search state; `seed` is the problem's own."""
        raise NotImplementedError

    async def expand(self, growth: Growth, place: Context, expansion: Expansion) -> list[Child]:
        """Write and value `expansion.children` continuations of a node, by calls on `place`."""
        said, steps = await self.drawn(growth, place, expansion)
        return await growth.valued(place, said, steps)

    async def drawn(self, growth: Growth, place: Context, expansion: Expansion) -> tuple[str, list[Step]]:
        """The solution up to a node, and up to `expansion.children` next steps."""
        said, model = growth.tree.text(expansion.node), self.writer(expansion.arm)
        steps = await self.steps.draw(
            place,
            self,
            growth.asked_of(model),
            said,
            attempts=growth.attempts,
            n=expansion.children,
            model=model,
            rest=growth.tree.depth(expansion.node) + 1 >= self.max_steps,
            logprobs=self.logprobs,
        )
        return said, steps

    def outcome(self, growth: Growth, candidates: Sequence[Candidate]) -> Outcome:
        """The answer among complete solutions, which are in the order of their nodes."""
        if self.choose != "vote":
            name = name_of(self.verifier)
            found = by_score(candidates, name, weighted=self.choose == "weighted")
            if found.answer is not None:
                return found
        return by_vote(candidates)

    # The search ------------------------------------------------------------------------------------------

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Search for a solution of `problem`."""
        growth = Growth(
            strategy=self,
            ctx=ctx,
            problem=problem,
            ask=ctx.ask(problem, model=self.model),
            search=self.search(ctx.rng.getrandbits(64)),
        )
        if not self.finishes:
            await growth.grow(ctx.branch(label="search", aside=True))
            return self._concluded(growth, None)
        keep = await self._finishing_call(ctx, growth.ask)
        finishing = ctx.branch(label="finish", keep=keep, aside=True)
        try:
            await growth.grow(ctx.branch(label="search", budget=_most_of_the_time(ctx), aside=True))
            answered = any(candidate.answer is not None for candidate in growth.candidates())
            finished = None if answered else await growth.finish(finishing)
        finally:
            finishing.ledger.give_up()
        return self._concluded(growth, finished)

    def _concluded(self, growth: Growth, finished: Candidate | None) -> Outcome:
        candidates = growth.candidates()
        candidates += [] if finished is None else [finished]
        attempts = growth.attempts
        if not candidates and attempts.failures:
            growth.offer_partial()
            raise attempts.failures[0]
        outcome = self.outcome(growth, candidates)
        detail = {**outcome.detail, **growth.detail(), "forced": finished is not None}
        decided = StopReason.DECIDED if growth.search.decided else StopReason.COMPLETE
        return replace(
            outcome, stop_reason=attempts.stop_reason if attempts.ended else decided, detail=detail
        )

    async def _finishing_call(self, ctx: Context, ask: Rendered) -> Usage:
        """What writing the longest partial solution to its end may take."""
        longest = self.max_steps * self.longest
        return await ctx.worst_case(
            ask, model=self.model, further_prompt_tokens=longest, max_tokens=self.finish_tokens
        )

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        ask, (first, later, children) = costing.ask(self.model), self.expansions_at_most
        before = self._text_before(later)
        parts = [
            await self._stepping(costing, ask, n=first, inserted=0.0, note="first steps", said=False),
            repeated(
                await self._stepping(costing, ask.continued("."), n=children, inserted=before, note="steps"),
                later,
            ),
            repeated(await costing.scoring(self.verifier, first, Size(tokens=self.longest_path)), 1),
            repeated(await costing.scoring(self.verifier, children, Size(tokens=self.longest_path)), later),
        ]
        if self.finishes:
            parts.append(await self._finishing(costing, ask))
        return self._spending(*(part for part in parts if part.worst != FREE))

    @property
    def expansions_at_most(self) -> tuple[int, int, int]:
        """Steps of the first expansion, expansions after it, and steps of each of these."""
        raise NotImplementedError

    @property
    def longest_step(self) -> int:
        """Tokens that a step adds to a solution at most, with what parts it from the next; the last one apart."""
        return self._step_of_search

    @property
    def _step_of_search(self) -> int:
        return self.steps.tokens + max((len(stop.encode()) for stop in self.steps.stop), default=0)

    @property
    def longest_path(self) -> int:
        """Tokens of a solution at most."""
        return self._path_of_search

    @property
    def _path_of_search(self) -> int:
        step = self._step_of_search
        return (self.max_steps - 1) * step + max(step, self.steps.rest_tokens)

    def longest_text(self, costing: Costing) -> float:
        """Tokens that the text of one of its candidates has at most."""
        return self.longest_path + self.finish_tokens

    def _text_before(self, later: int) -> float:
        """Tokens of the solution that is gone on from, at most, on average over `later` expansions after the first.

        The i-th is at most i steps down, since each step there was found by an expansion before.
        """
        if not later:
            return 0.0
        deepest = self.max_steps - 1
        rising = min(later, deepest)
        steps = rising * (rising + 1) / 2 + (later - rising) * deepest
        return steps * self.longest_step / later

    async def _stepping(
        self,
        costing: Costing,
        ask: Rendered,
        *,
        n: int,
        inserted: float,
        note: str,
        rest: bool = False,
        said: bool = True,
    ) -> Spending:
        """What `n` steps after one solution cost at most; a chat model may have to be asked twice for the first."""
        cap = self.steps.rest_tokens if rest else max(self.steps.tokens, self.steps.rest_tokens)
        dearest = None
        for model in self.writers(costing.ctx.models):
            drawn = await self._drawing(
                costing,
                ask if model == self.model else costing.ask(model).continued("."),
                n=n,
                per_call=n,
                inserted=inserted,
                model=model,
                aside=True,
                label=note,
                max_tokens=cap,
            )
            dearest = drawn if dearest is None else replace(drawn, worst=dearest.worst.or_else(drawn.worst))
        assert dearest is not None
        again = not rest and ask.messages is not None and bool(self.steps.stop) and said
        return replace(dearest, worst=dearest.worst.times(2 if again else 1))

    def writers(self, known: Sequence[str]) -> Sequence[str | None]:
        """Names of the models that write; None for the first."""
        return (self.model,)

    async def _finishing(self, costing: Costing, ask: Rendered) -> Spending:
        """What writing the best partial solution to its end costs at most."""
        begun = costing.unknown(self.max_steps * max(self.longest_step, self.longest))
        drawn = await self._drawing(
            costing, ask.continued(begun), label="finish", aside=True, max_tokens=self.finish_tokens
        )
        return replace(drawn, on_branch=True)


def _most_of_the_time(ctx: Context) -> Budget | None:
    """The time to the deadline less `SECONDS_KEPT` of it, as a limit; None without a deadline."""
    left = ctx.ledger.seconds_left()
    return None if left is None else Budget(seconds=(1.0 - SECONDS_KEPT) * max(0.0, left))


@dataclass(slots=True, kw_only=True)
class Growth:
    """A search under way: the state that decides, and the calls that are made for it.

    Attributes:
        ask: The question, as its model takes it.
        attempts: What failed, and whether budget and deadline let it go on.
    """

    strategy: TreeSearch
    ctx: Context
    problem: Problem
    ask: Rendered
    search: Search
    attempts: Attempts = field(default_factory=Attempts)
    running: int = 0
    news: anyio.Event = field(default_factory=anyio.Event)

    @property
    def tree(self) -> Tree:
        """What has been found so far."""
        return self.search.tree

    def asked_of(self, model: str | None) -> Rendered:
        """The question, as this model takes it."""
        return self.ask if model == self.strategy.model else self.ctx.ask(self.problem, model=model)

    async def grow(self, place: Context) -> None:
        """Expand what the search asks for, until it is finished or nothing allows more."""
        try:
            async with anyio.create_task_group() as tasks:
                while True:
                    asked = [] if self.attempts.ended else self.search.ask(self.search.width)
                    for expansion in asked:
                        self.running += 1
                        branch = place.branch(label=f"{expansion.number}")
                        tasks.start_soon(self._expand, branch, expansion)
                    if self.search.decided or not self.running:
                        break
                    self.news = anyio.Event()
                    await self.news.wait()
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            raise most_telling(group) from None
        self.search.settle()

    async def _expand(self, place: Context, expansion: Expansion) -> None:
        if expansion.judge:
            place.step("judging", f"nodes {', '.join(map(str, expansion.judge))}")
        else:
            place.step("on from", self._described(expansion.node))
        children: list[Child] = []
        with self.attempts.surviving():
            children = await self.strategy.expand(self, place, expansion)
        self.search.tell(expansion.number, children)
        self.running -= 1
        self.news.set()

    def _described(self, node: int) -> str:
        """Which node that is, for readers of a trace."""
        tree = self.tree
        if node == ROOT:
            return "the question"
        value = tree.value(node)
        worth = "no value" if value is None else f"value {value:.3g}"
        line = " ".join(tree.text(node).split())
        end = line if len(line) <= END_SHOWN else f"...{line[-END_SHOWN:]}"
        return f"node {node}, {worth}: {end}"

    async def valued(
        self, place: Context, said: str, steps: Sequence[Step], *, after: Sequence[str] | None = None
    ) -> list[Child]:
        """`steps` after `said` as nodes with the verifier's values; a failing verifier gives none.

        Args:
            place: Where the verifier's calls are made.
            said: The solution before the steps.
            steps: The steps.
            after: What to judge in each one's place, such as the solution some steps further; None for itself.
        """
        own = [said + step.text for step in steps]
        ends = {text for text, step in zip(own, steps, strict=True) if step.complete}
        texts = own if after is None else list(after)
        judged = await self.judged(place, texts, [step.sample for step in steps], ends)
        return [
            child_of(
                step,
                value=score.value,
                candidate=self.complete(said + step.text, step.sample, score) if step.complete else None,
            )
            for step, score in zip(steps, judged, strict=True)
        ]

    def _candidate(self, text: str, sample: Sample, *, complete: bool) -> Candidate:
        written = replace(sample, text=text)
        return (
            self.ctx.read(written)
            if complete
            else Candidate(sample=written, answer=self.ctx.answers.stated(text))
        )

    def complete(self, text: str, sample: Sample, score: Score | None) -> Candidate:
        """A complete solution as a candidate, which the outcome may be chosen from."""
        candidate = self.ctx.read(replace(sample, text=text.strip()))
        if score is not None:
            candidate = replace(candidate, scores={name_of(self.strategy.verifier): score})
        self.ctx.offer(candidate)
        return candidate

    async def judged(
        self, place: Context, texts: Sequence[str], samples: Sequence[Sample], complete: Collection[str]
    ) -> list[Score]:
        """One score per text, equal ones judged once; what those that are not `complete` answer, they must state."""
        distinct = {
            text: self._candidate(text, sample, complete=text in complete)
            for text, sample in reversed([*zip(texts, samples, strict=True)])
        }
        order = list(dict.fromkeys(texts))
        verifier = self.strategy.verifier
        candidates = await self.attempts.score(
            place, verifier, self.problem, [distinct[text] for text in order]
        )
        none = Score(value=None, reason="not judged")
        by_text = {one.sample.text: one.scores.get(name_of(verifier), none) for one in candidates}
        return [by_text[text] for text in texts]

    def candidates(self) -> list[Candidate]:
        """The complete solutions, in the order of the nodes they were found at."""
        tree = self.tree
        return [one for node in sorted({*tree.candidates, *tree.rollouts}) for one in tree.solutions(node)]

    async def finish(self, place: Context) -> Candidate | None:
        """The best partial solution written to its end, as a candidate; None when not even that could be had.

        Where the way so far is too dear it is gone back on step by step, which costs nothing; where the call
        fails, the answer is begun anew.
        """
        tree, refused = self.tree, True
        way = reversed(tree.path(self.most_promising()))
        for begun in dict.fromkeys((*map(tree.text, way), "")):
            if begun and not refused:
                continue
            last = Attempts()
            sample = await last.complete(
                place,
                self.strategy,
                self.ask.continued(begun),
                max_tokens=self.strategy.finish_tokens,
            )
            if sample is not None:
                return self.complete(begun + sample.text, sample, None)
            self.attempts.failures += last.failures
            refused = isinstance(last.failures[-1], BudgetExceededError)
        return None

    def offer_partial(self) -> None:
        """Make known the best partial solution as it stands, if there is one: it has been paid for."""
        tree, node = self.tree, self.most_promising()
        if text := tree.text(node).strip():
            # No call has all of it.
            usage = Usage(completion_tokens=sum(tree.tokens(at) for at in tree.path(node)))
            self.ctx.offer(Candidate(sample=Sample(text=text, usage=usage), answer=None))

    def most_promising(self) -> int:
        """The partial solution with the highest value; of equals the longest, then the first; else the root."""
        tree = self.tree
        known = [node for node in range(1, len(tree)) if not tree.complete(node)]
        return max(known, key=lambda node: (tree.rank(node), tree.depth(node), -node), default=0)

    def detail(self) -> dict[str, Any]:
        """What the outcome says of the search."""
        tree = self.tree
        return {
            "nodes": len(tree) - 1,
            "complete": len(tree.candidates),
            "depth": max(tree.depth(node) for node in range(len(tree))),
        }


def child_of(
    step: Step,
    *,
    value: float | None,
    candidate: Candidate | None = None,
    rollouts: Sequence[Candidate] = (),
) -> Child:
    """A step as a node, with its likelihood as its prior where its log-probabilities are known."""
    likelihood = step.likelihood
    return Child(
        text=step.text,
        value=value,
        prior=1.0 if likelihood is None else likelihood,
        tokens=step.sample.usage.completion_tokens,
        complete=step.complete,
        candidate=candidate,
        rollouts=rollouts,
    )
