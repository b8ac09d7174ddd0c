"""A composed program and the same program written in Python by hand leave the same journal."""

import asyncio
import hashlib
import json
import sqlite3

import pytest

from orchestrator import Budget, Controller, Model, Outcome, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.backends.scripted import prompt_text
from orchestrator.expressions import as_text
from orchestrator.programs import loads
from orchestrator.strategies import Cascade, SelfConsistency, Single, Tier
from orchestrator.strategies.acceptance import Agreement
from orchestrator.verifiers import Judge
from orchestrator.voting import majority_vote

PROBLEMS = [Problem(id=f"p{number}", prompt=f"What is {number} + 2?") for number in range(4)]
DRAWN = {"temperature": 0.7}

LOOP = """\
version: 1
program:
  steps:
    - id: loop
      repeat:
        max: 5
        until: draft.first.answer == previous.draft.first.answer
        steps:
          - id: draft
            sample: {prompt: "{{ problem }} Said before: {{ previous.draft.first.text }}", max_tokens: 6}
          - id: review
            judge: {of: draft.first, max_tokens: 5}
          - id: better
            revise:
              of: draft.first
              prompt: "{{ question }} Not {{ answer }}. {% if review.score %}Judged {{ review.score }}.{% endif %}"
              max_tokens: 7
    - return: loop.better
"""


async def loop(ctx, problem):
    before, better = None, None
    for _ in range(5):
        shown = "" if before is None else before.sample.text
        prompt = f"{problem.prompt} Said before: {shown}"
        draft = ctx.read(await ctx.branch(label="draft").complete(prompt, max_tokens=6, **DRAWN))
        [score] = await ctx.score(Judge(max_tokens=5), problem, [draft])
        judged = f"Judged {as_text(score.value)}." if score.value else ""
        asked = f"{problem.prompt} Not {draft.sample.text}. {judged}"
        ask = ctx.ask(problem).then(draft.sample.text, asked)
        better = ctx.read(await ctx.branch(label="better").complete(ask, max_tokens=7, **DRAWN))
        if before is not None and key(draft) == key(before):
            break
        before = draft
    return Outcome(answer=better.answer)


SIDES = """\
version: 1
program:
  steps:
    - id: sides
      parallel:
        left:
          - {id: one, sample: {n: 2, max_tokens: 5}}
          - {id: said, critique: {of: one.first, prompt: "{{ question }} {{ answer }}", max_tokens: 4}}
        right:
          - {id: two, sample: {n: 3, per_call: 2, prompt: "Briefly: {{ problem }}", max_tokens: 5}}
    - id: each
      for_each:
        in: sides.right.two
        as: draft
        max: 3
        steps:
          - {id: again, sample: {prompt: "{{ sides.left.said }} {{ draft.text }}", system: "Count.", max_tokens: 4}}
          - {id: last, sample: {prompt: "{{ again.first.text }}", temperature: 0, max_tokens: 4}}
    - return: {vote: {of: [sides.left.one, sides.right.two, each.each.last]}}
"""


async def sides(ctx, problem):
    async def left(branch):
        one = [ctx.read(sample) for sample in await drawn(branch.branch(label="one"), ctx.ask(problem), n=2)]
        critic = branch.branch(label="said", aside=True)
        fenced = f"```\n{one[0].sample.text}\n```"
        said = await critic.complete(f"{problem.prompt} {fenced}", max_tokens=4, **DRAWN)
        return one, said.text

    async def right(branch):
        return await drawn(branch.branch(label="two"), f"Briefly: {problem.prompt}", n=3, per_call=2)

    async def again(branch, text):
        ask = [{"role": "system", "content": "Count."}, {"role": "user", "content": text}]
        first = await branch.branch(label="again").complete(ask, max_tokens=4, **DRAWN)
        last = branch.branch(label="last")
        return await last.complete(first.text, max_tokens=4, temperature=0.0)

    places = [ctx.branch(label=label) for label in ("left", "right")]
    (one, said), two = await asyncio.gather(left(places[0]), right(places[1]))
    items = [ctx.branch(label=f"each-{number}") for number in range(1, len(two) + 1)]
    lasts = await asyncio.gather(
        *(again(item, f"{said} {sample.text}") for item, sample in zip(items, two, strict=True))
    )
    candidates = [*one, *(ctx.read(sample) for sample in (*two, *lasts))]
    return Outcome(answer=majority_vote([each.answer for each in candidates]).answer)


TIERS = """\
version: 1
program:
  steps:
    - id: cheap
      branch:
        budget: {requests: 2}
        steps:
          - {id: drafts, sample: {n: 2, max_tokens: 5}}
          - {id: more, sample: {n: 2, max_tokens: 5}}
    - id: tiers
      cascade:
        tiers:
          - {self_consistency: {n: 3, stop: fixed_size, max_tokens: 5}, accept: agreement >= 0.6}
          - {single: {model: large, max_tokens: 8}, budget: {total_tokens: 500}}
    - if: tiers.answer == cheap.drafts.answer
      then:
        - return: tiers
      else:
        - {id: third, sample: {n: 3, model: large, max_tokens: 5}}
        - return: {vote: {of: [cheap.drafts, third]}}
"""


async def tiers(ctx, problem):
    cheap = ctx.branch(label="cheap", budget=Budget(requests=2))
    drafts = [ctx.read(sample) for sample in await drawn(cheap.branch(label="drafts"), ctx.ask(problem), n=2)]
    cascade = Cascade(
        tiers=(
            Tier(strategy=SelfConsistency(n=3, max_tokens=5), accept=Agreement(at_least=0.6)),
            Tier(strategy=Single(model="large", max_tokens=8), budget=Budget(total_tokens=500)),
        )
    )
    outcome = await cascade(ctx.branch(label="tiers"), problem)
    voted = majority_vote([one.answer for one in drafts]).answer
    if (outcome.answer and outcome.answer.key) == (voted and voted.key):
        return outcome
    third = await drawn(ctx.branch(label="third"), ctx.ask(problem), n=3, model="large")
    candidates = [*drafts, *map(ctx.read, third)]
    return Outcome(answer=majority_vote([each.answer for each in candidates]).answer)


async def drawn(ctx, ask, *, n, **more):
    """`n` samples in the order they were asked for."""
    return await ctx.sample(ask, n=n, max_tokens=5, **DRAWN, **more).in_order()


def key(candidate):
    return None if candidate.answer is None else candidate.answer.key


def reply(request):
    """The same to the same request, seed included; mostly one of three numbers."""
    text = f"{request.seed} {request.temperature} {prompt_text(request)}"
    number = hashlib.blake2b(text.encode(), digest_size=2).digest()[0]
    return f"{number % 3}" if number > 20 else "who knows"


async def journal_of(program, path):
    """The rows of a run, but for times; and the answers."""
    models = {
        name: Model(
            backend=ScriptedBackend(reply, name=name, price={"input": 1, "output": 2}),
            retry=RetryPolicy(attempts=1),
        )
        for name in ("small", "large")
    }
    async with Controller(
        models=models, answers=AnswerReader(kind="number"), journal=path, seed=7
    ) as controller:
        stream = controller.map(program, PROBLEMS)
        answers = {outcome.problem: outcome.answer and outcome.answer.key async for outcome in stream}
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(
            "SELECT c.problem, c.path, c.ordinal, c.attempt, c.model, q.body, c.seed, c.n, c.max_tokens, "
            "c.worst_prompt_tokens, c.worst_completion_tokens, c.worst_picodollars, c.price, r.status, r.error, "
            "r.prompt_tokens, r.completion_tokens, r.requests, r.picodollars, r.samples "
            "FROM calls c JOIN requests q ON q.digest = c.digest JOIN results r ON r.call = c.id "
            "ORDER BY c.problem, c.path, c.ordinal, c.attempt"
        ).fetchall()
        [(calls,)] = connection.execute("SELECT COUNT(*) FROM calls").fetchall()
    finally:
        connection.close()
    assert calls == len(rows)
    return [(*row[:-1], untimed(row[-1])) for row in rows], answers


def untimed(samples):
    """Samples as a journal has them, but for the seconds they took."""
    found = json.loads(samples)
    for sample in found:
        sample["usage"].pop("seconds", None)
    return found


def paths(rows, problem):
    return [path for one, path, *_ in rows if one == problem]


SAME = {
    "a loop that looks back": (LOOP, loop),
    "blocks and items side by side": (SIDES, sides),
    "tiers": (TIERS, tiers),
}


@pytest.mark.parametrize("name", SAME)
async def test_a_composed_program_and_the_same_in_python_leave_the_same_journal(name, tmp_path):
    composed, by_hand = SAME[name]
    program = loads(composed).strategy
    rows, answers = await journal_of(program, tmp_path / "composed.db")
    others, same = await journal_of(by_hand, tmp_path / "by_hand.db")
    assert len(rows) > 3 * len(PROBLEMS)
    assert paths(rows, "p0") == paths(others, "p0")
    assert rows == others
    assert answers == same
