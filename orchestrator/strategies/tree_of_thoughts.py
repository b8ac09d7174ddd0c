"""Tree of Thoughts: proposed thoughts, judged states. Cost: 2 + breadth * (max_steps - 1) calls, plus the judge's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, get_args

from ..asking import DEFAULT_MAX_TOKENS
from ..context import Context
from ..contracts import Verifier, logprobs_for, name_of
from ..costs import FREE, Costing, Size, Spending, repeated
from ..errors import InvalidInputError
from ..patterns import Pattern
from ..prompts import Rendered, fill
from ..search import BreadthFirst, Child, DepthFirst, Expansion, Search
from ..templates import Template
from ..types import Candidate, Outcome, Problem, Sample, Score, Usage
from ..verifiers.state_value import StateValue, pattern_of, state_of
from .base import at_least, in_unit
from .steps import Step
from .tree_search import Growth, TreeSearch, child_of

__all__ = ["TreeOfThoughts"]

Order = Literal["breadth_first", "depth_first"]
Generation = Literal["propose", "sample"]

PROPOSE = """{{ problem }}

Thoughts so far:
{{ thoughts }}

Propose {{ n }} different next thoughts, each a short step that goes on from the thoughts so far, and do not solve \
the problem yet. Write each on a line of its own, and nothing else."""

ANSWER = """{{ problem }}

Thoughts so far:
{{ thoughts }}

Write the answer that these thoughts lead to, on one line that begins with "Answer:", and nothing else."""

THOUGHT = r"(?m)^[^\S\n]*(?:[-*•][^\S\n]+|\(?\d{1,3}[.):][^\S\n]+)?(\S[^\n]*)"
"""A thought is a line that is not blank, without what makes it an entry of a list."""

MOST_THOUGHTS = 100
"""Thoughts taken from one reply: a model that has fallen into a loop fills its cap with them."""

NO_THOUGHTS = "(none yet)"

_FIELDS = ("problem", "thoughts", "state", "n")


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeOfThoughts(TreeSearch):
    """Goes on from the most promising states of a tree of thoughts, which it has proposed and judged by prompts.

    A state s = [x, z_1..z_i] is the problem with the thoughts so far. With the generator G (next thoughts) and the
    value V of states:

    - `breadth_first`: S_t = the `breadth` states of highest V among all G(s), s in S_(t-1), for t = 1 to `max_steps`;
    - `depth_first`: on from the child of highest V, and back to the next best where V is below `prune`, the solution
      has ended, or its children have all been tried; at most `max_expansions` states are gone on from.

    `propose` asks for the next thoughts in one call, whose reply has one a line; `sample` draws `thoughts` of them
    independently. Of equal values the state that came first is better. A state that says the same as an earlier one
    it is judged with is not judged again and has the value 0; its answer, if it has one, keeps the score.

    Values are the verifier's. The default is the paper's value prompt (`state_value`), whose sums of votes are
    divided by the largest sum there is: they are in [0, 1] and rank states as the sums do. `state_vote` compares all
    states of a level. Any other verifier of solutions will do, and `screen` with a rule spares calls: what the rule
    refuses has the value 0, so that any `prune` above 0 closes it.

    A solution ends with a thought that states its answer, one asked for by `answer_prompt`, or the last of
    `max_steps`; the run's answer reader reads its answer. The search gives the paper's last beam in `detail`, and
    chooses one answer among all complete solutions.

    Source: Yao et al. 2023, "Tree of Thoughts: Deliberate Problem Solving with Large Language Models", arXiv
    2305.10601, §3, Algorithms 1 and 2, §4.1. Differs in that blank lines of a reply are no thoughts, unless `thought`
    says so; that complete solutions are not gone on from; and that equal states of one problem alone share a value.

    Cost: at most 2 + breadth * (max_steps - 1) calls, depth-first max_expansions + 1, plus the verifier's.

    Args:
        verifier: V. One that abstains on a state gives it no value; it then ranks last.
        order: `breadth_first` or `depth_first`.
        generate: `propose` or `sample`.
        breadth: States kept at each level, at least 1.
        thoughts: Thoughts asked of a state, at least 1: as many samples, or the `{{ n }}` of the prompt, where what
            the reply has counts, up to 100.
        max_steps: Thoughts of a solution at most, its answer included, at least 1.
        max_expansions: States that `depth_first` goes on from at most, at least 1.
        width: Expansions that `depth_first` has under way at most, at least 1: above 1 it goes on with the next
            best before it knows where the best leads.
        threshold: A complete solution with at least this value, in [0, 1], ends the search; None for none.
        prompt: The prompt for next thoughts, with any of `{{ problem }}`, `{{ thoughts }}` (all so far),
            `{{ state }}` and `{{ n }}`. None for the built-in one, and with `sample` for continuing the solution by
            `steps`.
        answer_prompt: The prompt for the answer, with the same places; None for the built-in one. Not for solutions
            that are continued.
        state: A regular expression: what its first group (or all of it) last matches in the last thought is the
            state, such as the numbers left in `left: 4 6 10`; a last thought without a match is the state itself, and
            before the first thought the problem is. None for all thoughts.
        solved: A regular expression for the whole of a state: where it matches, the answer is asked for; elsewhere
            thoughts are, in the last step too. None to ask for the answer in the last step alone.
        thought: A regular expression: each match in a reply (its first group, if it has one) is a thought.
        model: Name of the model that thinks; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on a reply with thoughts, in tokens; None leaves it to the model's settings.

    The outcome's `detail` has the `nodes` of the tree, how many are `complete`, its `depth`, how many states were
    gone on from (`expansions`) and judged (`judged`), the texts of the last level's `kept` states, best first
    (breadth-first alone), and whether the answer was `forced` by one more call because no solution had one.
    """

    paper: ClassVar[str] = "Yao et al., arXiv 2305.10601"
    cost: ClassVar[str] = "2 + breadth * (max_steps - 1) calls, depth-first max_expansions + 1"
    pays: ClassVar[str] = "puzzles and plans: first steps decide, and dead ends can be seen"

    verifier: Verifier = field(default_factory=StateValue)
    order: Order = "breadth_first"
    generate: Generation = "propose"
    breadth: int = 5
    thoughts: int = 5
    max_steps: int = 4
    max_expansions: int = 100
    width: int = 1
    threshold: float | None = None
    prompt: str | None = None
    answer_prompt: str | None = None
    state: str | None = None
    solved: str | None = None
    thought: str = THOUGHT
    max_tokens: int | None = 512

    def __post_init__(self) -> None:
        self.check(replies=True, together=True)
        at_least(
            1,
            breadth=self.breadth,
            thoughts=self.thoughts,
            max_expansions=self.max_expansions,
            width=self.width,
        )
        for name, given, known in (("order", self.order, Order), ("generate", self.generate, Generation)):
            if given not in get_args(known):
                raise InvalidInputError(f"{name} must be one of {', '.join(get_args(known))}, not {given!r}")
        in_unit(threshold=self.threshold)
        pattern_of(self.state)
        for name, pattern in (("solved", self.solved), ("thought", self.thought)):
            _pattern(name, pattern)
        for name, template in (("prompt", self.prompt), ("answer_prompt", self.answer_prompt)):
            _check_places(name, template)

    @property
    def most_calls(self) -> int:
        """A call a state gone on from, and the one that writes an answer where none was found."""
        if self.order == "depth_first":
            return self.max_expansions + 1
        return 2 + self.breadth * (self.max_steps - 1)

    @property
    def calls_at_once(self) -> int:
        """Calls for thoughts one problem keeps in flight."""
        return self.width if self.order == "depth_first" else self.breadth

    @property
    def longest(self) -> int:
        """Tokens of the longest thought: a reply's cap, but for a solution that is continued by `steps`."""
        if self.generate == "sample" and self.prompt is None:
            return self.steps.tokens
        return DEFAULT_MAX_TOKENS if self.max_tokens is None else self.max_tokens

    def search(self, seed: int) -> Search:
        """A fresh search state; nothing in it is random."""
        if self.order == "depth_first":
            return DepthFirst(
                max_steps=self.max_steps,
                children=self.thoughts,
                max_expansions=self.max_expansions,
                prune=self.prune,
                threshold=self.threshold,
                width=self.width,
            )
        return BreadthFirst(
            breadth=self.breadth,
            max_steps=self.max_steps,
            children=self.thoughts,
            prune=self.prune,
            threshold=self.threshold,
        )

    async def expand(self, growth: Growth, place: Context, expansion: Expansion) -> list[Child]:
        """The next thoughts after a state, which have no value yet; or the values of states."""
        if expansion.judge:
            return await self._judge(growth, place, expansion.judge)
        last = growth.tree.depth(expansion.node) + 1 >= self.max_steps
        if self.generate == "sample" and self.prompt is None:
            said, steps = await self.drawn(growth, place, expansion)
        else:
            said = growth.tree.text(expansion.node)
            steps = await self._asked_for(growth, place, said, last=last)
        children = []
        for step in steps:
            step = replace(step, complete=step.complete or last)
            candidate = growth.complete(said + step.text, step.sample, None) if step.complete else None
            children.append(child_of(step, value=None, candidate=candidate))
        return children

    def outcome(self, growth: Growth, candidates: Sequence[Candidate]) -> Outcome:
        """The answer among complete solutions, with what the search kept to the end."""
        found = TreeSearch.outcome(self, growth, candidates)
        return replace(found, detail={**found.detail, **self._told(growth)})

    # Thoughts --------------------------------------------------------------------------------------------

    async def _asked_for(self, growth: Growth, place: Context, said: str, *, last: bool) -> list[Step]:
        """The thoughts in the replies to a prompt: one reply, or as many as thoughts are wanted."""
        question = place.prompt.question(growth.problem)
        state = state_of(pattern_of(self.state), said) if said.strip() else question
        answering = last if self.solved is None else _pattern("solved", self.solved).is_all_of(state)
        template = (self.answer_prompt or ANSWER) if answering else (self.prompt or PROPOSE)
        values = {"problem": question, "thoughts": said.rstrip() or NO_THOUGHTS, "state": state}
        text = fill(template, {**values, "n": self.thoughts}, of="a tree of thoughts")
        n = self.thoughts if self.generate == "sample" and not answering else 1
        stream = self.draw(
            place, self._ask(place, text), n=n, per_call=n, logprobs=logprobs_for(self.verifier)
        )
        samples = await stream.in_order()
        growth.attempts.limit(stream)
        return [
            replace(step, complete=answering or place.answers.stated(step.text) is not None)
            for sample in samples
            for step in self._steps(sample, whole=n > 1)
        ]

    def _ask(self, place: Context, text: str) -> Rendered:
        """`text` put as the run puts a problem, but for its template and examples, which are for whole answers."""
        plain = replace(place.prompt, template="{{ problem }}", examples=())
        return place.using(prompt=plain).ask(Problem(id=place.problem.id, prompt=text), model=self.model)

    def _steps(self, sample: Sample, *, whole: bool) -> Iterator[Step]:
        """The thoughts of a reply, each with its share of the reply's tokens; a `whole` reply is one thought.

        A reply without a thought is one that says nothing more: an empty thought, as an empty step is.
        """
        found = [sample.text.strip()] if whole else _thoughts(_pattern("thought", self.thought), sample.text)
        if sample.truncated and len(found) > 1:
            del found[-1]  # its end is missing
        found = found[:MOST_THOUGHTS] or [""]
        if len(found) == 1:
            yield Step(text=f"{found[0]}\n", complete=False, sample=replace(sample, text=found[0]))
            return
        shares = _shares(sample.usage, [len(text) for text in found])
        for text, usage in zip(found, shares, strict=True):
            part = replace(sample, text=text, usage=usage, logprobs=None, finish_reason="stop")
            yield Step(text=f"{text}\n", complete=False, sample=part)

    # Values ----------------------------------------------------------------------------------------------

    async def _judge(self, growth: Growth, place: Context, nodes: Sequence[int]) -> list[Child]:
        """The values of `nodes`, those of equal texts once."""
        tree, name = growth.tree, name_of(self.verifier)
        texts = [tree.text(node) for node in nodes]
        first: dict[str, Candidate] = {}
        for node, text in zip(nodes, texts, strict=True):
            known = tree.candidates.get(node)
            if text not in first:
                first[text] = known or Candidate(sample=Sample(text=text), answer=place.answers.stated(text))
        judged = await growth.attempts.score(place, self.verifier, growth.problem, list(first.values()))
        none = Score(value=None, reason="not judged")
        scores = {text: one.scores.get(name, none) for text, one in zip(first, judged, strict=True)}
        children, seen = [], set[str]()
        for node, text in zip(nodes, texts, strict=True):
            candidate = tree.candidates.get(node)
            if candidate is not None:
                candidate = replace(candidate, scores={**candidate.scores, name: scores[text]})
            value = scores[text].value
            children.append(
                Child(
                    text="",
                    value=0.0 if text in seen and value is not None else value,
                    candidate=candidate,
                )
            )
            seen.add(text)
        return children

    def _told(self, growth: Growth) -> dict[str, object]:
        search, tree = growth.search, growth.tree
        expanded = {tree.parent(node) for node in range(1, len(tree))}
        told: dict[str, object] = {
            "expansions": len(expanded),
            "judged": sum(tree.value(node) is not None for node in range(1, len(tree))),
        }
        if isinstance(search, BreadthFirst):
            told["kept"] = [tree.text(node) for node in (search.levels[-1] if search.levels else ())]
        return told

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        later = (
            self.max_expansions - 1 if self.order == "depth_first" else self.breadth * (self.max_steps - 1)
        )
        before = self._text_before(later)
        if self._is_continued:
            ask = costing.ask(self.model)
            first = await self._stepping(
                costing, ask, n=self.thoughts, inserted=0.0, note="first thoughts", said=False
            )
            then = await self._stepping(
                costing, ask.continued("."), n=self.thoughts, inserted=before, note="thoughts"
            )
        else:
            first, then = await self._asking(costing, 0.0), await self._asking(costing, before)
        children = self.thoughts if self.generate == "sample" else MOST_THOUGHTS
        size = Size(tokens=self.longest_path)
        if self.order == "depth_first":
            judged = [repeated(await costing.scoring(self.verifier, children, size), self.max_expansions)]
        else:
            level = await costing.scoring(self.verifier, self.breadth * children, size)
            judged = [
                await costing.scoring(self.verifier, children, size),
                repeated(level, self.max_steps - 1),
            ]
        parts = [
            first,
            repeated(then, later),
            *judged,
            await self._finishing(costing, costing.ask(self.model)),
        ]
        return self._spending(*(part for part in parts if part.worst != FREE))

    @property
    def longest_step(self) -> int:
        """Tokens that a thought adds to a solution at most, with what parts it from the next."""
        return self._step_of_search if self._is_continued else self.longest + 1

    @property
    def longest_path(self) -> int:
        """Tokens of a solution at most."""
        return self._path_of_search if self._is_continued else self.max_steps * self.longest_step

    @property
    def _is_continued(self) -> bool:
        """Whether solutions are continued, and not asked for thought by thought."""
        return self.generate == "sample" and self.prompt is None

    async def _asking(self, costing: Costing, before: float) -> Spending:
        """What a reply with thoughts, or with the answer, costs at most after so many tokens of them."""
        question = costing.question
        said = costing.unknown(before) if before else NO_THOUGHTS
        worst = FREE
        for template, n in ((self.prompt or PROPOSE, self.thoughts), (self.answer_prompt or ANSWER, 1)):
            for state in (said, question):
                values = {"problem": question, "thoughts": said, "state": state, "n": self.thoughts}
                ask = self._ask(costing.ctx, fill(template, values, of="a tree of thoughts"))
                each = n if self.generate == "sample" else 1
                drawn = await self._drawing(costing, ask, n=each, per_call=each, aside=True)
                worst = worst.or_else(drawn.worst)
        return Spending(label="thoughts", kind="sample", worst=worst, on_branch=False)


def _pattern(name: str, pattern: str | None) -> Pattern:
    return Pattern.of(pattern or "", name=name, trusted=pattern == THOUGHT)


def _thoughts(pattern: Pattern, reply: str) -> list[str]:
    """What `pattern` finds in a reply, in order, without the space around it."""
    return [(found.text or "").strip() for found in pattern.all_in(reply)]


def _shares(usage: Usage, lengths: Sequence[int]) -> Iterator[Usage]:
    """One usage each for texts of these lengths that add up to `usage`: what was read is the first one's."""
    whole, upto, given = max(1, sum(lengths)), 0, 0
    for at, length in enumerate(lengths):
        upto += length
        part = usage.completion_tokens * upto // whole - given
        given += part
        rest = usage if at == 0 else Usage(estimated=usage.estimated)
        yield replace(rest, completion_tokens=part)


def _check_places(name: str, template: str | None) -> None:
    names = Template.of(template or "").names
    if unknown := sorted(names - set(_FIELDS)):
        raise InvalidInputError(f"{name} names {{{{ {unknown[0]} }}}}; there are: {', '.join(_FIELDS)}")
