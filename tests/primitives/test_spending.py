"""What steps cost at most: reached by a model that writes all it may, exceeded by none."""

import asyncio
import math
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from primitives.playing import PROBLEM as ANYTHING
from primitives.random_programs import programs, saying

from orchestrator import Budget, Controller, Model, Problem, Prompt, Steps
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.costs import costing_of
from orchestrator.errors import BackendError
from orchestrator.primitives import (
    Critique,
    Let,
    Return,
    Revise,
    Run,
    Sample,
    Score,
    Select,
    Set,
    Split,
    Text,
    Vote,
)
from orchestrator.prompts import Example
from orchestrator.strategies import SelfConsistency
from orchestrator.types import Score as Verdict

PROBLEM = Problem(id="p", prompt="What is 2 + 2?", fields={"unit": "metres", "parts": ["one", "two three"]})
PRICE = {"input": 1.0, "output": 2.0}


class Liking:
    """Scores by length, with a reason that quotes the answer; makes no calls."""

    async def score(self, ctx, problem, candidates, /):
        return [
            Verdict(value=len(one.sample.text) % 7 / 7, reason=f"Because of {one.sample.text}")
            for one in candidates
        ]

    async def worst_case(self, costing, count, size):
        from orchestrator.costs import FREE, Spending

        return Spending(label="liking", kind="liking", worst=FREE)


def all_it_may(request):
    """As many marks as tokens are allowed, no two of which are read as one."""
    return "!" * request.max_tokens


def program(*steps, **options):
    return Steps(steps=steps, **options)


async def bound_of(steps, *, prompt=None, problem=PROBLEM):
    models = {"m": ScriptedBackend([], price=PRICE)}
    return (await steps.worst_case(costing_of(problem, models=models, prompt=prompt))).worst


async def spent_by(steps, reply, *, prompt=None, problem=PROBLEM, budget=None):
    model = ScriptedBackend(reply, price=PRICE)
    async with Controller(
        models={"m": Model(backend=model, retry=RetryPolicy(attempts=1))},
        answers=AnswerReader(kind="number"),
        prompt=prompt or Prompt(),
        budget=budget,
    ) as controller:
        return (await controller.run(steps, problem)).usage


INSIDE = program(Sample(max_tokens=4), Return(value="'4'"))
THREE = SelfConsistency(n=3, max_tokens=5)

STRAIGHT = {
    "sample": (Sample(n=3, max_tokens=5), Return(value="'4'")),
    "a request for several": (Sample(n=5, per_call=2, max_tokens=5), Return(value="'4'")),
    "prompt": (
        Sample(id="a", n=2, max_tokens=5, prompt="[{{ problem }} ({{ problem.unit }})]", system="Be brief!"),
        Sample(
            max_tokens=3,
            prompt="<{% for one in a.texts %}({{ one }}){% endfor %}>",
            system="[{{ a.best.text }}]",
        ),
        Return(value="'4'"),
    ),
    "prompt object": (
        Sample(id="a", max_tokens=5),
        Sample(
            prompt=Prompt(
                system="Add!",
                template="{{ problem }} ({{ unit }}) [{{ a.first.text }}]",
                examples=(Example(question="1 + 1?", answer="2"),),
            ),
            max_tokens=4,
        ),
        Return(value="'4'"),
    ),
    "revise": (
        Sample(id="a", max_tokens=16),
        Revise(id="b", of="a.first", max_tokens=17, prompt="[{{ answer }}] is wrong: {{ question }}"),
        Revise(of="b", max_tokens=2),
        Return(value="'4'"),
    ),
    "run": (
        Sample(id="a", max_tokens=9, aside=True),
        Run(id="b", program=THREE, problem="{{ problem }} ({{ a.first.text }})"),
        Sample(prompt="[{{ b.answer }}{{ b.text }}]", max_tokens=2),
        Return(value="'4'"),
    ),
    "text": (
        Sample(id="a", n=2, max_tokens=14),
        Text(id="b", template="({{ a.first.text }})"),
        Let(values={"c": "b"}),
        Set(values={"c": "c + c"}),
        Sample(prompt="[{{ c }}]", max_tokens=3),
        Return(value="'4'"),
    ),
    "vote": (
        Sample(id="a", n=2, max_tokens=4),
        Sample(id="b", max_tokens=7),
        Vote(id="v", of=("a", "b")),
        Select(id="s", of="v.candidates", by="last"),
        Sample(prompt="[{{ s.text }}]", max_tokens=3),
        Return(value="'4'", confidence="v.share"),
    ),
}


@pytest.mark.parametrize(
    "name", ["sample", "a request for several", "prompt", "prompt object", "revise", "text"]
)
async def test_a_straight_line_reaches_its_bound(name):
    steps = program(*STRAIGHT[name])
    bound, spent = await bound_of(steps), await spent_by(steps, all_it_may)
    assert (spent.requests, spent.prompt_tokens, spent.completion_tokens) == (
        bound.calls,
        bound.prompt_tokens,
        bound.completion_tokens,
    )
    assert spent.usd == pytest.approx(bound.usd)


def writing(seed):
    """A model that writes words, marks, numbers and backticks, up to its cap and sometimes nothing."""
    chance = random.Random(seed)

    def reply(request):
        length = chance.choice([0, 1, request.max_tokens, request.max_tokens])
        return "".join(chance.choice(["!", " a", "`", "4", " 4", "\n", "ab", "```"]) for _ in range(length))

    return reply


EVERY = [
    Sample(id="x", n=2, max_tokens=6, prompt="{{ problem.parts }} {{ problem }}"),
    Score(id="judged", of="a", by=Liking()),
    Score(id="review", of="a.best", by=Liking()),
    Critique(id="said", of="a.last", max_tokens=8),
    Critique(
        id="told",
        of="a.last",
        max_tokens=8,
        prompt="{{ question }}{{ answer }}{{ mark }}",
        system="{{ a.answer }}",
    ),
    Revise(id="better", of="a.best", max_tokens=5),
    Vote(id="v", of="a"),
    Select(id="s", of="a", by="vote"),
    Text(
        id="t",
        template="{{ a.texts }}{{ a.scores }}{{ a.agreement }}{% if a.answer %}{{ a.answer }}{% endif %}",
    ),
    Split(id="parts", text="problem.text", size=5, overlap=2),
    Run(id="ran", program=THREE, problem="{{ a.first.text }}{{ problem }}"),
]
USES = {
    "x": "{{ x.texts }}",
    "judged": "{{ judged.best.reason }}{{ judged.scores }}",
    "review": "{{ review.text }}{{ review.score }}",
    "said": "{{ said }}{{ said.accepted }}",
    "told": "{{ told.text }}{{ told.candidate.text }}",
    "better": "{{ better }}{{ better.tokens }}",
    "v": "{{ v.answer }}{{ v.share }}{{ v.margin }}{{ v.tied }}{{ v.candidate }}{{ v.candidates.texts }}",
    "s": "{{ s.text }}{{ s.truncated }}",
    "t": "{{ t }}{{ t }}",
    "parts": "{% for one in parts %}{{ loop.index }} {{ one }}{% endfor %}",
    "ran": "{{ ran.answer }}{{ ran.candidates.texts }}{{ ran.confidence }}{{ ran.stop_reason }}",
}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(EVERY), max_size=4, unique_by=lambda step: step.id), st.integers(0, 10_000))
def test_no_program_exceeds_its_bound(chosen, seed):
    uses = "".join(USES[step.id] for step in chosen)
    steps = program(
        Sample(id="a", n=3, max_tokens=7),
        *chosen,
        Revise(id="last", of="a.first", using=f"'{'-'.join(step.id for step in chosen)}'", max_tokens=4),
        Sample(prompt=f"{{{{ last.text }}}}{uses}", max_tokens=3),
        Return(value="a"),
    )

    async def both():
        return await bound_of(steps), await spent_by(steps, writing(seed))

    bound, spent = asyncio.run(both())
    assert spent.requests <= bound.calls
    assert spent.prompt_tokens <= bound.prompt_tokens < math.inf
    assert spent.completion_tokens <= bound.completion_tokens
    assert spent.usd <= bound.usd


async def test_fences_around_backticks_are_in_the_bound():
    steps = program(
        Sample(id="a", max_tokens=200),
        Critique(id="b", of="a.first", max_tokens=3),
        Return(value="'4'"),
        outputs={"b": "b.text"},
    )
    for reply in ("`" * 200, "```\n" * 50, "`" * 16 + "a" + "`" * 16):
        spent = await spent_by(steps, lambda request, reply=reply: reply)
        assert spent.prompt_tokens <= (await bound_of(steps)).prompt_tokens


async def test_the_parts_are_the_steps_and_add_up():
    steps = program(
        Sample(id="a", n=2, max_tokens=5),
        Score(of="a", by=Liking(), id="b"),
        Run(program=INSIDE),
        Return(value="b"),
    )
    models = {"m": ScriptedBackend([], price=PRICE)}
    spending = await steps.worst_case(costing_of(PROBLEM, models=models))
    assert [(part.label, part.kind) for part in spending.parts] == [
        ("a", "sample"),
        ("b", "score"),
        ("run", "steps"),
        ("return", "return"),
    ]
    assert spending.worst.calls == 3
    assert (
        spending.worst.completion_tokens == sum(part.worst.completion_tokens for part in spending.parts) == 14
    )


async def test_what_is_not_known_has_no_bound():
    async def own(ctx, problem, /):
        raise NotImplementedError

    class Unknown:
        async def score(self, ctx, problem, candidates, /):
            raise NotImplementedError

    for step in (Run(program=own), Score(id="b", of="a", by=Unknown())):
        steps = program(Sample(id="a"), step, Return(value="a"), outputs={"b": "b.count"} if step.id else {})
        assert (await bound_of(steps)).calls == math.inf


async def test_a_budget_below_the_bound_is_kept():
    steps = program(*STRAIGHT["revise"])
    bound = await bound_of(steps)
    spent = await spent_by(steps, all_it_may, budget=Budget(total_tokens=int(bound.total_tokens) // 2))
    assert spent.total_tokens <= bound.total_tokens // 2


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.integers(0, 2**32))
def test_no_program_of_all_kinds_of_steps_exceeds_its_bound(steps, seed):
    async def both():
        try:
            spent = await spent_by(steps, saying(seed, failing=0.0), problem=ANYTHING)
        except BackendError:
            return None
        return await bound_of(steps, problem=ANYTHING), spent

    if (found := asyncio.run(both())) is not None:
        bound, spent = found
        assert spent.requests <= bound.calls
        assert spent.prompt_tokens <= bound.prompt_tokens
        assert spent.completion_tokens <= bound.completion_tokens
