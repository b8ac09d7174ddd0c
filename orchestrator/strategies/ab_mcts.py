"""Adaptive branching: draws a new answer or refines a known one, as scores so far suggest. Cost: num_nodes calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from ..context import Context
from ..contracts import name_of
from ..costs import FREE, Cost, Costing, Size, Spending, counted, repeated
from ..errors import InvalidInputError
from ..prompts import Rendered, fill
from ..search import AdaptiveBranching, Child, Expansion
from ..search.adaptive_branching import Posterior
from ..types import Candidate, Outcome, Score
from .base import at_least, in_unit
from .chain import prompt_values
from .quoting import shown
from .revise import PROMPT
from .test_and_repair import bounded
from .tree_search import Growth, TreeSearch

__all__ = ["ABMCTS"]

FEEDBACK = """A check of this answer says:

{{ feedback }}

Write a new, better answer to the question.

{{ problem }}"""

NO_ANSWER = "no readable answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ABMCTS(TreeSearch):
    """Writes `num_nodes` answers, each a new one or a refinement of an earlier one, and chooses among all of them.

    A node is a whole answer; the root is the question. Every node has the options to generate one more child (GEN)
    and to continue from one of its children (CONT). An expansion goes down from the root by Thompson sampling:

        at node s draw g ~ p(mu | scores of s's children) and c ~ p(mu | scores of all nodes below them);
        g >= c, or no children:  a new child of s: an answer to the question at the root, else a refinement of s;
        else:                    on at argmax over children k of a draw from p(mu | scores of k and all below it).

    Its score then counts for all options that led to it. With several `models`, the one with the highest draw from
    p(mu | scores of all nodes it wrote) writes. The posteriors are normal-inverse-chi-squared (`gaussian`) or `beta`:
    see `orchestrator.search.AdaptiveBranching`, also for how expansions under way are kept apart. A refinement is
    asked for as in a conversation: the question, the last `memory` answers on the way to s, and after each of them
    what the verifier says is wrong with it, where it gives a reason. An answer that cannot be read is not judged and
    counts as 0, as does one that the verifier abstains on; a call that fails is an answer less.

    Source: Inoue et al., "Wider or Deeper? Scaling LLM Inference-Time Compute with Adaptive Branching Tree Search",
    arXiv 2503.04412, §3.4 and appendices A.3 (posteriors), B.2 (priors) and D.1.2 (several models, selection I).
    Differs in ending at `threshold`, in ways of at most `max_steps` answers, and in counting expansions under way.

    Cost: at most num_nodes calls, plus the verifier's for as many answers; with `unit: step` one call more, which
    ends the best partial solution where no complete one can be read.

    Args:
        num_nodes: Answers in all, failed calls included, at least 1.
        posterior: What scores are taken to be: `gaussian`, normal with a mean and variance of their own, or `beta`,
            each that much of a success.
        prior_mean: What a score is expected to be before any is known, with `beta` in (0, 1). None for the paper's:
            0 with `gaussian`, 0.5 with `beta`.
        prior_weight: How many scores that is worth, above 0.
        prior_variance: Variance of scores before any is known, above 0; only with `gaussian`.
        models: Names of the models that write; none for `model` alone.
        width: Expansions under way at a time, at least 1; with 1 each is chosen knowing all before it.
        threshold: A score in [0, 1] of an answer (with `unit: step`, of a complete solution) that is good enough to
            end at; None writes all `num_nodes`.
        memory: Answers on the way that a refinement is shown, the last ones, at least 1. The paper shows one.
        prompt: What is said after an answer of which the verifier gives no reason. Placeholders: `{{ problem }}`, as
            it was asked, and `{{ answer }}`, the text of that answer.
        feedback_prompt: What is said after one of which it does, with `{{ feedback }}` for the reason.
        feedback_chars: Characters of the reason that are shown, at least 1: its beginning and its end.
        unit: What a node is: a whole `answer`, or a `step` of a solution, as in other searches.
        verifier: Scores one answer at a time, with `unit: step` partial solutions too.
        max_steps: Answers on one way, each refining the one before (with `unit: step`, steps of a solution), at
            least 1.
        prune: Answers with a score below this, in [0, 1], are not refined; None for all.
        choose: How the answer is chosen: the best by `score`, the largest sum of scores of equal answers
            (`weighted`), or the most frequent (`vote`).
        steps: With `unit: step`, how solutions are cut into steps.
        finish_tokens: With `unit: step`, cap on the call that ends the best partial solution, in tokens, at least 1.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the models' settings.
        max_tokens: Cap on each answer, in tokens; None leaves it to the models' settings. Not for
            `unit: step`, where steps have their own.

    The outcome's `detail` has the `nodes` of the tree, how many are `complete` (whole answers all are), its `depth`,
    how many are `drawn` from the question itself, as `arms` for each model its `nodes` and their `mean` score (None
    without any), whether the answer was `forced` by ending a partial solution, and what the choice says.
    """

    key: ClassVar[str] = "ab_mcts"
    paper: ClassVar[str] = "Inoue et al., arXiv 2503.04412, §3.4"
    cost: ClassVar[str] = "num_nodes"
    pays: ClassVar[str] = "a verifier with graded scores, no telling whether to draw anew or to refine"

    num_nodes: int = 32
    posterior: Posterior = "gaussian"
    prior_mean: float | None = None
    prior_weight: float = 1.0
    prior_variance: float = 0.1
    models: tuple[str, ...] = ()
    width: int = 4
    threshold: float | None = 1.0
    memory: int = 1
    prompt: str = PROMPT
    feedback_prompt: str = FEEDBACK
    feedback_chars: int = 800
    unit: Literal["answer", "step"] = "answer"

    def __post_init__(self) -> None:
        self.check(replies=self.unit == "answer")
        at_least(1, memory=self.memory, feedback_chars=self.feedback_chars)
        for prompt, further in ((self.prompt, {}), (self.feedback_prompt, {"feedback": ""})):
            fill(prompt, {"problem": "", "answer": "", **further}, of="the refinement")
        in_unit(threshold=self.threshold)
        if self.models and self.model is not None:
            raise InvalidInputError("give either model or models, not both")
        if len(set(self.models)) < len(self.models):
            raise InvalidInputError(f"models must be different ones, not {', '.join(self.models)}")
        if self.unit not in ("answer", "step"):
            raise InvalidInputError(f"unit must be 'answer' or 'step', not {self.unit!r}")
        self.search(0)  # the other ranges are its own

    @property
    def most_calls(self) -> int:
        """num_nodes, with `unit: step` one more."""
        return self.num_nodes + self.finishes

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return self.width

    @property
    def choice(self) -> str:
        """The answer the search has found."""
        return f"the answer found among {self.num_nodes}"

    @property
    def finishes(self) -> bool:
        """Whether there are partial solutions."""
        return self.unit == "step"

    def writer(self, arm: int) -> str | None:
        """Name of the model that writes for this arm; None for the first."""
        return self.models[arm] if self.models else self.model

    def search(self, seed: int) -> AdaptiveBranching:
        """What to expand, drawn by lots of this seed."""
        return AdaptiveBranching(
            num_nodes=self.num_nodes,
            seed=seed,
            posterior=self.posterior,
            prior_mean=self.prior_mean,
            prior_weight=self.prior_weight,
            prior_variance=self.prior_variance,
            arms=max(1, len(self.models)),
            max_depth=self.max_steps,
            threshold=self.threshold,
            width=self.width,
            prune=self.prune,
        )

    async def expand(self, growth: Growth, place: Context, expansion: Expansion) -> list[Child]:
        """Write and value an answer, from scratch or in the light of a node's; with `unit: step` a further step."""
        if self.unit == "step":
            said, steps = await self.drawn(growth, place, expansion)
            return await growth.valued(place, said, steps)
        model = self.writer(expansion.arm)
        way = [growth.tree.candidates[node] for node in growth.tree.path(expansion.node)]
        ask = growth.asked_of(model)
        for earlier in way[-self.memory :]:
            ask = self._refining(growth, ask, earlier)
        sample = await growth.attempts.complete(place, self, ask, model=model, logprobs=self.logprobs)
        if sample is None:
            return []
        candidate = replace(growth.ctx.read(sample), parent=way[-1] if way else None)
        candidate, score = await self._judged(growth, place, candidate)
        growth.ctx.offer(candidate)
        value, tokens = score.value, sample.usage.completion_tokens
        return [Child(text=sample.text, value=value, tokens=tokens, candidate=candidate)]

    def outcome(self, growth: Growth, candidates: Sequence[Candidate]) -> Outcome:
        """The answer among all that were written, and who wrote how many of what worth."""
        found = TreeSearch.outcome(self, growth, candidates)
        detail = {"drawn": growth.tree.child_count(0), "arms": self._arms(growth)}
        return replace(found, detail={**found.detail, **detail})

    def _refining(self, growth: Growth, ask: Rendered, earlier: Candidate) -> Rendered:
        """The conversation going on with an answer and the request for a better one."""
        values = prompt_values(growth.ctx, growth.problem, earlier)
        reason = self._reason(earlier)
        if not reason:
            return ask.then(shown(earlier), fill(self.prompt, values, of="the refinement"))
        values["feedback"] = bounded(reason, self.feedback_chars)
        return ask.then(shown(earlier), fill(self.feedback_prompt, values, of="the refinement"))

    def _reason(self, candidate: Candidate) -> str:
        """What is known to be wrong with an answer; why nobody could judge it says nothing of it."""
        score = candidate.scores.get(name_of(self.verifier))
        if candidate.answer is None:
            return NO_ANSWER
        return "" if score is None or score.value is None else score.reason

    async def _judged(self, growth: Growth, place: Context, candidate: Candidate) -> tuple[Candidate, Score]:
        """An answer with its score; one that cannot be read has none."""
        name = name_of(self.verifier)
        if candidate.answer is None:
            score = Score(value=None, reason=NO_ANSWER, by=self.verifier, problem=growth.problem)
            return replace(candidate, scores={**candidate.scores, name: score}), score
        [candidate] = await growth.attempts.score(place, self.verifier, growth.problem, [candidate])
        return candidate, candidate.scores.get(name, Score(value=None, reason="not judged"))

    def _arms(self, growth: Growth) -> dict[str, Any]:
        """For each model its nodes and their mean score."""
        search = growth.search
        assert isinstance(search, AdaptiveBranching)
        names = self.models or (self.model or growth.ctx.models[0],)
        found = {}
        for arm, name in enumerate(names):
            nodes, total = search.scores_of_arm(arm)
            found[name] = {"nodes": nodes, "mean": total / nodes if nodes else None}
        return found

    @property
    def expansions_at_most(self) -> tuple[int, int, int]:
        """Steps of the first expansion, expansions after it, and steps of each of these."""
        return 1, self.num_nodes - 1, 1

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        if self.unit == "step":
            return await TreeSearch.worst_case(self, costing)
        tokens = int(self.longest_text(costing))
        deepest = min(self.memory, self.max_steps - 1)
        worst = FREE
        for shown_ones in range(min(deepest, self.num_nodes - 1) + 1):
            times = self.num_nodes - shown_ones if shown_ones == deepest else 1
            worst += (await self._answering(costing, tokens, shown_ones)).times(times)
        drawn = Spending(
            label="answers",
            kind="sample",
            worst=worst,
            note=f"at most {counted(self.num_nodes, 'node')}",
            on_branch=False,
        )
        judged = await costing.scoring(self.verifier, 1, Size(tokens=tokens))
        return self._spending(drawn, repeated(judged, self.num_nodes))

    async def _answering(self, costing: Costing, tokens: int, shown_ones: int) -> Cost:
        """What an answer costs at most that refines so many, by the dearest of the models."""
        earlier = costing.candidate(tokens)
        values = prompt_values(costing.ctx, costing.problem, earlier)
        # A tokenizer of bytes reads at most one token a byte, and a character has at most four.
        feedback = costing.unknown(4 * max(self.feedback_chars, len(NO_ANSWER)))
        dearest = FREE
        for model in self.writers(costing.ctx.models):
            for prompt in (self.prompt, self.feedback_prompt):
                ask = costing.ask(model)
                for _ in range(shown_ones):
                    asked = fill(prompt, {**values, "feedback": feedback}, of="the refinement")
                    ask = ask.then(shown(earlier), asked)
                drawn = await self._drawing(costing, ask, model=model, aside=True)
                dearest = dearest.or_else(drawn.worst)
        return dearest

    def writers(self, known: Sequence[str]) -> Sequence[str | None]:
        """Names of the models that write; None for the first."""
        return self.models or (self.model,)

    def longest_text(self, costing: Costing) -> float:
        """Tokens that the text of one of its candidates has at most."""
        if self.unit == "step":
            return TreeSearch.longest_text(self, costing)
        return max(self._longest(costing, model) for model in self.writers(costing.ctx.models))
