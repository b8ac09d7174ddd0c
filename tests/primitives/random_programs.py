"""Random programs of all kinds of steps whose names and types are right, and models that say random things."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
from hypothesis import strategies as st

from orchestrator import Budget, ControlProgram
from orchestrator.backends import Scripted
from orchestrator.errors import BackendError
from orchestrator.primitives import (
    Branch,
    Case,
    Critique,
    ForEach,
    If,
    Let,
    Parallel,
    Primitive,
    Repeat,
    Return,
    Revise,
    Run,
    Sample,
    Score,
    Select,
    Set,
    Split,
    Steps,
    Switch,
    Text,
    Vote,
)
from orchestrator.strategies import Agreement, BestOfN, Cascade, Scored, SelfConsistency, Single, Tier
from orchestrator.types import Request
from orchestrator.verifiers import Composite, Judge, PairwiseJudge, WordCount

__all__ = ["programs", "saying"]

Known = list[tuple[str, str]]
"""Expressions that can be used somewhere, each with the kind of its value."""

SHOWN = {
    "candidates": "{{ %s.best.text }} {{ %s.agreement }} {{ %s.best.reason }}",
    "candidate": "{{ %s.text }} {{ %s.reason }}",
    "review": "{{ %s.text }} {{ %s.score }} {{ %s.candidate.reason }}",
    "critique": "{{ %s.text }}",
    "vote": "{{ %s.answer }} {{ %s.share }}",
    "outcome": "{{ %s.text }} {{ %s.candidate.reason }} {{ %s.stop_reason }}",
    "text": "{{ %s }}",
    "texts": "{{ %s }} {%% for one in %s %%}[{{ one }}]{%% endfor %%}",
    "number": "{{ %s }}",
    "lists": "{%% for one in %s %%}{{ one.agreement }}{%% endfor %%}",
}

CONDITIONS = {
    "candidates": ("%s.agreement > 0.5", "%s.count == 0", "%s.best.score >= 0.5"),
    "candidate": ("%s == none", "%s.truncated"),
    "review": ("%s.score > 0.4",),
    "critique": ("%s.accepted",),
    "vote": ("%s.share >= 0.6", "%s.tied"),
    "outcome": ("%s.confidence > 0.5",),
    "text": ("%s == ''", "'4' in %s"),
    "texts": ("len(%s) > 1",),
    "number": ("%s < 2", "%s % 2 == 0"),
    "lists": ("len(%s) < 2",),
}

FILTERED = (
    "%s",
    "%s | truncate(4)",
    "%s | indent(2)",
    "%s | trim | default('none')",
    "'so' if '4' in %s else %s",
)
"""What a template makes of a text."""

INSIDE = (
    "{{ problem }}",
    "{{ problem | truncate(9) }} {{ problem.id }}",
    "{% if problem.text == '7' %}a b c d e f g h{% endif %}{{ problem }}",
    "{{ 'so many words here' if '4' in problem.text else problem }}",
)
"""What programs inside ask."""

LEAVES = ("sample", "text", "let", "set", "score", "critique", "revise", "vote", "select", "run", "split")
BLOCKS = ("if", "switch", "repeat", "for_each", "parallel", "branch")


@dataclass
class _Made:
    """A block that has been made: its steps, and what its names bring."""

    steps: list[Primitive] = field(default_factory=list)
    brought: Known = field(default_factory=list)


@dataclass
class _Maker:
    """Draws steps; `left` of them may still be drawn, `races` says whether who is first may matter."""

    draw: Callable[[st.SearchStrategy], Any]
    left: int
    races: bool
    budgets: bool
    count: int = 0

    def program(self) -> Steps:
        known: Known = [("problem.text", "text"), ("problem.parts", "texts")]
        first = self.named("sample")
        steps: list[Primitive] = [
            Let(values={"total": "0", "note": "''"}),
            Sample(id=first, n=self.pick((1, 2, 3)), max_tokens=self.pick((4, 9, 17))),
        ]
        known += [("total", "number"), ("note", "text"), (first, "candidates")]
        body = self.block(known, depth=2, settable={"total": "number", "note": "text"}, least=1)
        outputs = {f"o{number}": name for number, (name, _) in enumerate(_shortest(body.brought))}
        answered = [
            name
            for name, kind in [*known, *body.brought]
            if kind in ("candidates", "candidate", "vote", "outcome", "text")
        ]
        known += body.brought
        value = self.pick(answered) if self.chance() else self.vote(None, known)
        return Steps(
            steps=(*steps, *body.steps, Return(value=value)),
            outputs={**outputs, "total": "total", "note": "note", "first": f"{first}.count"},
        )

    def pick(self, options):
        return self.draw(st.sampled_from(list(options)))

    def chance(self) -> bool:
        return self.draw(st.booleans())

    def named(self, what: str) -> str:
        self.count += 1
        return f"{what}{self.count}"

    # Blocks ----------------------------------------------------------------------------------------------

    def block(
        self, known: Known, depth: int, settable: dict[str, str], *, least: int = 1, valued: str | None = None
    ) -> _Made:
        """Steps of which each may use what those before it bring; the last has a value of kind `valued`."""
        made = _Made()
        for _ in range(self.draw(st.integers(least, 3))):
            if self.left <= 0:
                break
            self.left -= 1
            kind = self.pick(LEAVES + BLOCKS if depth else LEAVES)
            step, brings = self.step(kind, known + made.brought, depth, settable)
            made.steps.append(step)
            made.brought += brings
        if valued == "text":
            made.steps.append(Text(template=self.template(known + made.brought)))
        elif valued == "candidates":
            made.steps.append(self.sample(None, known + made.brought))
        return made

    def closed(
        self, known: Known, depth: int, settable: dict[str, str], valued: str | None = None
    ) -> tuple[Primitive, ...]:
        """A block whose names nothing outside sees, and which therefore uses all of them itself."""
        made = self.block(known, depth, settable, valued=valued)
        shown = " ".join(_show(name, kind) for name, kind in _shortest(made.brought))
        using = Sample(prompt=f"all of {shown}", max_tokens=self.pick((3, 8)))
        return (*made.steps[:-1], using, made.steps[-1]) if valued else (*made.steps, using)

    def step(self, kind: str, known: Known, depth: int, settable: dict[str, str]) -> tuple[Primitive, Known]:
        return getattr(self, f"_{kind}")(known, depth, settable)

    # Steps without blocks --------------------------------------------------------------------------------

    def of(self, known: Known, *kinds: str) -> str:
        return self.pick([name for name, kind in known if kind in kinds])

    def template(self, known: Known) -> str:
        chosen = self.draw(st.lists(st.sampled_from(known), max_size=3))
        return " ".join(["say"] + [self.shown(name, kind) for name, kind in chosen])

    def shown(self, name: str, kind: str) -> str:
        if kind != "text" or "[" in name:
            return _show(name, kind)
        return "{{ " + self.pick(FILTERED).replace("%s", name) + " }}"

    def condition(self, known: Known) -> str:
        name, kind = self.pick(known)
        text = self.pick((*CONDITIONS[kind], "true", "false"))
        return text.replace("%s", name)

    def sample(self, name: str | None, known: Known) -> Sample:
        return Sample(
            id=name,
            n=self.pick((1, 2, 3)),
            prompt=self.template(known) if self.chance() else None,
            system=self.template(known) if self.chance() else None,
            per_call=self.pick((1, 2)),
            aside=self.chance(),
            max_tokens=self.pick((3, 9, 17)),
        )

    def _sample(self, known, depth, settable):
        name = self.named("drawn")
        return self.sample(name, known), [(name, "candidates")]

    def _text(self, known, depth, settable):
        name = self.named("text")
        return Text(id=name, template=self.template(known)), [(name, "text")]

    def _let(self, known, depth, settable):
        name = self.named("let")
        kind = self.pick(("number", "text"))
        return Let(values={name: self.value(known, kind)}), [(name, kind)]

    def value(self, known: Known, kind: str) -> str:
        given = self.of(known, kind) if any(one == kind for _, one in known) else ""
        if kind == "number":
            return self.pick(["1", *([f"{given} + 1", f"{given} * 0.5"] if given else [])])
        return self.pick(["'w'", f"{given} + ' w'", f"({given} if {self.condition(known)} else 'v')"])

    def _set(self, known, depth, settable):
        if not settable:
            return self._let(known, depth, settable)
        name = self.pick(settable)
        return Set(values={name: self.value(known, settable[name])}), []

    def _score(self, known, depth, settable):
        name = self.named("scored")
        by = self.pick((WordCount(at_most=5), Judge(), Judge(samples=2, temperature=0.7)))
        kind = self.pick(["candidates", *(["candidate"] if any(k == "candidate" for _, k in known) else [])])
        of = self.of(known, kind)
        return Score(id=name, of=of, by=by), [(name, "candidates" if kind == "candidates" else "review")]

    def one(self, known: Known) -> str:
        name, kind = self.pick([pair for pair in known if pair[1] in ("candidates", "candidate", "vote")])
        return f"{name}.best" if kind == "candidates" else name

    def _critique(self, known, depth, settable):
        name = self.named("critique")
        prompt = "{{ question }} {{ answer }} " + self.template(known) if self.chance() else None
        return Critique(id=name, of=self.one(known), prompt=prompt, max_tokens=9), [(name, "critique")]

    def _revise(self, known, depth, settable):
        name = self.named("revised")
        using = self.of(known, "critique", "text", "review") if self.chance() else None
        return Revise(id=name, of=self.one(known), using=using, max_tokens=11), [(name, "candidate")]

    def _vote(self, known, depth, settable):
        name = self.named("vote")
        return self.vote(name, known), [(name, "vote"), (f"{name}.candidates", "candidates")]

    def vote(self, name: str | None, known: Known) -> Vote:
        ballots = [
            one
            for name, kind in known
            for one in {"candidates": (name, f"{name}.answers"), "lists": (name,)}.get(kind, (name,))
            if kind in ("candidates", "candidate", "outcome", "lists")
        ]
        of = self.draw(st.lists(st.sampled_from(ballots), min_size=1, max_size=2))
        return Vote(id=name, of=tuple(of), weight=self.pick(("none", "score")))

    def _select(self, known, depth, settable):
        name = self.named("chosen")
        by = self.pick(("score", "vote", "first", "last", "shortest"))
        of = self.of(known, "candidates", *(["outcome"] if self.races else []))
        return Select(id=name, of=of, by=by), [(name, "candidate")]

    def _run(self, known, depth, settable):
        name = self.named("run")
        problem = self.template(known) if self.chance() else None
        step = Run(id=name, program=self.inside(), problem=problem)
        arrived = [(f"{name}.candidates", "candidates")] if self.races else []  # in the order they arrived
        return step, [(name, "outcome"), *arrived]

    def inside(self) -> ControlProgram:
        """A program inside: a strategy, a cascade, or steps that return a text, a vote or a selection."""
        kind = self.pick(("single", "best", "cascade", "steps", "steps"))
        judge = Judge(max_tokens=self.pick((4, 12)), expected=False)
        if kind == "single":
            return Single(max_tokens=7)
        if kind == "best":
            verifier = self.pick(
                (judge, WordCount(at_least=3), Composite(parts=(judge, WordCount(at_most=3))))
            )
            return BestOfN(n=2, max_tokens=9, verifier=verifier, per_call=self.at_once)
        if kind == "cascade":
            return Cascade(
                tiers=(self.tier(carry=False), *(self.tier() for _ in range(self.pick((0, 1, 2)))))
            )
        return self.steps_inside()

    @property
    def at_once(self) -> int:
        """Samples that two are drawn by: one call for both, where none may be the first to arrive."""
        return 1 if self.races else 2

    def tier(self, carry: bool | None = None) -> Tier:
        both = SelfConsistency(n=2, max_tokens=19, per_call=self.at_once)
        program = self.pick((Single(max_tokens=3), both, None))
        compared = PairwiseJudge(max_tokens=4, swap=False)
        scored = Scored(verifier=Judge(max_tokens=4)), Scored(verifier=compared)
        return Tier(
            strategy=program or self.steps_inside(),
            accept=self.pick(scored if isinstance(program, Single) else (Agreement(), *scored)),
            carry=self.chance() if carry is None else carry,
        )

    def steps_inside(self) -> Steps:
        asked = Sample(id="s", n=self.pick((1, 2)), prompt=self.pick(INSIDE), max_tokens=self.pick((2, 11)))
        said = Text(id="t", template="{{ s.texts }} " + self.pick(INSIDE))
        pieces = Split(id="cut", text=self.pick(("problem.text", "problem.text + ' 4'")), size=5, most=3)
        each = ForEach(
            id="each",
            over="cut",
            item="piece",
            max=3,
            steps=(Sample(id="of", prompt="{{ piece }}", max_tokens=3),),
        )
        return self.pick(
            (
                Steps(steps=(asked, Return(value="s"))),
                Steps(steps=(asked, Return(value="s.answer"))),
                Steps(steps=(asked, Return(value=Vote(of="s.answers")))),
                Steps(steps=(asked, said, Return(value="t"))),
                Steps(steps=(asked, Return(value="s.count"))),
                Steps(steps=(asked, pieces, each, Return(value=Vote(of=("each.each.of", "s"))))),
            )
        )

    def _split(self, known, depth, settable):
        name = self.named("pieces")
        text = self.of(known, "text")
        return Split(id=name, text=text, size=self.pick((5, 40)), most=3), [(name, "texts")]

    # Steps with blocks -----------------------------------------------------------------------------------

    def _if(self, known, depth, settable):
        condition = self.condition(known)
        if self.chance():
            arms = [self.closed(known, depth - 1, settable) for _ in range(2)]
            return If(condition=condition, then=arms[0], otherwise=arms[1] if self.chance() else ()), []
        name, kind = self.named("if"), self.pick(("text", "candidates"))
        arms = [self.closed(known, depth - 1, settable, valued=kind) for _ in range(2)]
        return If(id=name, condition=condition, then=arms[0], otherwise=arms[1]), [(name, kind)]

    def _switch(self, known, depth, settable):
        cases = [
            Case(when=self.condition(known), steps=self.closed(known, depth - 1, settable))
            for _ in range(self.pick((1, 2)))
        ]
        otherwise = self.closed(known, depth - 1, settable) if self.chance() else ()
        return Switch(cases=tuple(cases), otherwise=otherwise), []

    def _repeat(self, known, depth, settable):
        name = self.named("loop")
        made = self.block(known, depth - 1, settable)
        steps = list(made.steps)
        own = _shortest(made.brought)
        if own and self.chance():
            shown = " ".join(_show(f"previous.{inner}", kind) for inner, kind in own)
            steps.append(Sample(prompt=f"before {shown}", max_tokens=5))
        elif not steps:
            steps.append(Sample(max_tokens=5))
        step = Repeat(
            id=name,
            max=self.pick((1, 2, 3)),
            until=self.condition(known + made.brought) if self.chance() else None,
            going=self.condition(known) if self.chance() else None,
            steps=tuple(steps),
        )
        brought = [(f"{name}.rounds", "number")]
        brought += [(f"{name}.{inner}", kind) for inner, kind in made.brought]
        brought += [
            (f"{name}.each.{inner}", "texts") for inner, kind in own if kind == "text" and "." not in inner
        ]
        return step, brought

    def _for_each(self, known, depth, settable):
        name, item = self.named("items"), self.named("item")
        over, kind = self.pick([pair for pair in known if pair[1] in ("candidates", "texts")])
        inside = [*known, (item, "candidate" if kind == "candidates" else "text")]
        made = self.block(inside, depth - 1, {}, valued="text")
        step = ForEach(
            id=name,
            over=over,
            item=item,
            max=self.pick((3, 4)),
            at_once=self.pick((None, 1, 2)),
            steps=tuple(made.steps),
        )
        return step, [(f"{name}.values", "texts"), (f"{name}.count", "number")]

    def _parallel(self, known, depth, settable):
        name = self.named("all")
        blocks = {
            self.named("side"): self.block(known, depth - 1, {}, valued="candidates")
            for _ in range(self.pick((1, 2, 3)))
        }
        waits = ["all", "race", f"first({len(blocks)})"] if self.races else ["all"]
        step = Parallel(
            id=name, branches={key: tuple(made.steps) for key, made in blocks.items()}, wait=self.pick(waits)
        )
        brought = [(f"{name}.values", "lists"), (f"{name}.values[0]", "candidates")]
        for key, made in blocks.items():
            brought += [(f"{name}.{key}.{inner}", kind) for inner, kind in made.brought]
        return step, brought

    def _branch(self, known, depth, settable):
        name = self.named("part")
        made = self.block(known, depth - 1, settable)
        limits = [{"requests": 50, "seconds": 600}]
        if self.budgets:
            limits += [
                {"requests": 1},
                {"requests": 3},
                {"total_tokens": 60},
                {"completion_tokens": 20},
                {"usd": 1e-5},
            ]
        steps = tuple(made.steps) or (Sample(max_tokens=5),)
        step = Branch(id=name, budget=Budget(**self.pick(limits)), steps=steps)
        if not made.brought:
            step = Branch(budget=step.budget, steps=steps)
        return step, [(f"{name}.{inner}", kind) for inner, kind in made.brought]


def _show(name: str, kind: str) -> str:
    text = "" if "[" in name else SHOWN[kind]  # templates have no index
    return text % ((name,) * text.replace("%%", "").count("%s"))


def _shortest(brought: Known) -> Known:
    """One expression for each name at the start of one."""
    shortest: dict[str, tuple[str, str]] = {}
    for name, kind in brought:
        shortest.setdefault(name.partition(".")[0], (name, kind))
    return list(shortest.values())


@st.composite
def programs(draw, *, most: int = 6, races: bool = True, budgets: bool = True) -> Steps:
    """A program of about `most` steps, right in its names and types.

    Args:
        most: Steps, those that use what a block brings aside.
        races: Whether blocks side by side may be cancelled once others are done.
        budgets: Whether branches have limits that can be reached.
    """
    return _Maker(draw, left=most, races=races, budgets=budgets).program()


# The empty one stands for as many tokens as are allowed, no two of which are read as one.
WORDS = (
    " ",
    "the answer is 4",
    "the answer is 5",
    "I think it is 4. ACCEPT",
    "7",
    "",
    "so many words " * 9,
    "2, 3 {{ x }}",
)


def saying(seed: int, *, failing: float = 0.1, timing: int = 0) -> Callable[[Request], Any]:
    """Models whose words and failures depend on the call and `seed` alone, and how soon they come on `timing` too."""

    def reply(request: Request) -> Any:
        number = _hash(seed, request.call, request.n)
        if number % 1000 < failing * 1000:
            return Scripted(error=BackendError("it fails"), gate=_Later(_hash(timing, request.call) % 9))
        words = WORDS[number // 1000 % len(WORDS)] or "!" * (request.max_tokens or 1)
        return Scripted(text=words, gate=_Later(_hash(timing, request.call) % 9))

    return reply


class _Later:
    """A gate that opens after so many turns of the event loop."""

    def __init__(self, turns: int) -> None:
        self.turns = turns

    async def wait(self) -> None:
        for _ in range(self.turns):
            await anyio.lowlevel.checkpoint()


def _hash(*parts: Any) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest())
