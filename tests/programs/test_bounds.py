"""What programs in files cost at most: no run costs more, whatever models write, and one can cost as much."""

import asyncio
import dataclasses
import itertools
import json
import math
import random
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator import Budget, Controller, Model, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, Scripted, ScriptedBackend
from orchestrator.backends.scripted import prompt_text
from orchestrator.costs import limited
from orchestrator.errors import BackendError, BudgetExceededError
from orchestrator.programs import dump, loads

PROBLEM = Problem(
    id="p",
    prompt="A train goes 60 miles in 1.5 hours. How fast is it? Say so in miles an hour, and nothing else.",
    reference="40",
)
PRICES = {"small": {"input": 1, "output": 2}, "large": {"input": 5, "output": 20, "request": 0.01}}


NUMBER = AnswerReader(kind="number")


async def both(program, reply, problem=PROBLEM, limit=None, answers=NUMBER):
    """What the program can cost at most within `limit`, and what a run of it costs; no call is sent again."""
    models = {
        name: Model(backend=ScriptedBackend(reply, name=name, price=price), retry=RetryPolicy(attempts=1))
        for name, price in PRICES.items()
    }
    async with Controller(models=models, answers=answers, per_problem=limit) as controller:
        worst = limited((await controller.costing(problem).program(program)).worst, limit)
        with suppress(BudgetExceededError):  # it allows not one call
            await controller.run(program, problem)
        spent = controller.ledger.spent
    return (
        (worst.calls, worst.prompt_tokens, worst.completion_tokens, worst.total_tokens, worst.usd),
        (
            spent.requests,
            spent.prompt_tokens,
            spent.completion_tokens,
            spent.total_tokens,
            spent.picodollars / 1e12,
        ),
    )


# Never exceeded -------------------------------------------------------------------------------------------

ONES = ("a.first", "a.best", "a.last")


def asking(draw):
    return {
        "max_tokens": draw(st.integers(1, 9)),
        **draw(st.sampled_from([{}, {"model": "large"}, {"system": "Be brief."}])),
    }


VERIFIERS = [
    {"judge": {"max_tokens": 4}},
    {"judge": {"form": "json", "max_tokens": 12, "model": "large"}},
    {"judge": {"form": "yes_no", "samples": 2, "temperature": 0.5}},
    {"pairwise_judge": {"max_tokens": 4}},
    {"regex": {"pattern": "4"}},
]

PROGRAMS = [
    {"self_consistency": {"n": 3, "max_tokens": 5}},
    {"single": {"model": "large", "max_tokens": 6}},
    {"best_of_n": {"n": 2, "verifier": {"judge": {"max_tokens": 4}}, "max_tokens": 5}},
    {"critique_revise": {"rounds": 2, "max_tokens": 7}},
    {"parallel_revise": {"chains": 2, "length": 2, "max_tokens": 4}},
    {"debate": {"rounds": 1, "max_tokens": 5}},
    {"fusion": {"proposers": 2, "max_tokens": 5}},
]


ASKED = [
    "{{ problem }}",
    "{% if problem.text == '4' %}a b c d e f g{% endif %} {{ problem }}",
    "{{ problem | truncate(7) }} {{ problem.text | indent(1) }}",
]

ENDS = [
    [{"return": "c"}],
    [{"return": "c.answer"}],
    [{"return": {"vote": {"of": "c.answers"}}}],
    [{"id": "t", "text": "{{ c.texts }} {{ problem }}"}, {"return": "t"}],
    [
        {"id": "cut", "split": {"text": "problem.text", "size": 5, "most": 3}},
        {
            "id": "f",
            "for_each": {
                "in": "cut",
                "as": "one",
                "max": 3,
                "steps": [{"id": "s", "sample": {"prompt": "{{ one }}", "max_tokens": 3}}],
            },
        },
        {"return": {"vote": {"of": ["f.each.s", "c"]}}},
    ],
]


def steps_inside(draw):
    asked = {"n": draw(st.integers(1, 2)), "max_tokens": 4, "prompt": draw(st.sampled_from(ASKED))}
    return {"steps": [{"id": "c", "sample": asked}, *draw(st.sampled_from(ENDS))]}


def cascade(draw):
    """Tiers that carry, judged one by one or together."""
    tiers = []
    for number in range(draw(st.integers(2, 3))):
        one = draw(
            st.sampled_from(
                [{"single": {"max_tokens": 3}}, {"self_consistency": {"n": 2, "max_tokens": 9}}, None]
            )
        )
        judge = draw(st.sampled_from([{"judge": {"max_tokens": 4}}, {"pairwise_judge": {"max_tokens": 4}}]))
        scored = {"scored": {"verifier": judge, "at_least": 0.9}}
        accept = scored if one and "single" in one else draw(st.sampled_from(["agreement", scored]))
        carry = {"carry": draw(st.booleans())} if number else {}
        tiers.append({**(one or steps_inside(draw)), "accept": accept, **carry})
    return {"cascade": {"tiers": tiers}}


def program_inside(draw):
    if draw(st.booleans()):
        return draw(st.sampled_from([cascade(draw), {"run": {"program": steps_inside(draw)}}]))
    inside, kind = draw(st.sampled_from(PROGRAMS)), draw(st.sampled_from(["strategy", "cascade", "steps"]))
    if kind == "cascade":
        accept = {"confident": {"at_least": 0.9}} if "single" in inside else "agreement"
        tier = {**inside, "accept": accept, "budget": {"total_tokens": draw(st.integers(1, 200))}}
        return {"cascade": {"tiers": [tier, {"single": {"max_tokens": 8}}]}}
    if kind == "steps":
        steps = [{"sample": {"max_tokens": 3}}, {"id": "c", **inside}, {"return": "c"}]
        return {"run": {"program": {"steps": steps}}}
    return inside


SEVERAL = [
    lambda asked, by: [
        {"id": "v", "vote": {"of": ["a", "a.answers"]}},
        {"id": "j", "score": {"of": "v.candidates", "by": by}},
        {"sample": {"prompt": "{{ v.candidates.texts }} {{ j.best.reason }} {{ j.scores }}", **asked}},
    ],
    lambda asked, by: [
        {"id": "j", "score": {"of": "a", "by": by}},
        {"id": "s", "select": {"of": "j"}},
        {"sample": {"prompt": "{{ s }} {{ s.reason }} {{ s.score }}", **asked}},
    ],
    lambda asked, by: [
        {"let": {"x": "a.first.text"}},
        {"id": "t", "text": "{{ x | indent(2) }} {{ a.texts }}"},
        {
            "id": "r",
            "repeat": {
                "max": 3,
                "while": "x != '4'",
                "steps": [
                    {"id": "y", "sample": {"prompt": "{{ x }} {{ previous.y.texts }}", **asked}},
                    {"set": {"x": "y.first.text + ' ' + x"}},
                ],
            },
        },
        {"sample": {"prompt": "{{ t }} {{ r.each.y | length }} {{ r.y.texts }} {{ x }}", **asked}},
    ],
    lambda asked, by: [
        {
            "id": "p",
            "parallel": {
                "one": [{"id": "x", "sample": asked}],
                "two": [{"id": "x", "score": {"of": "a", "by": by}}],
            },
            "wait": "race",
        },
        {"sample": {"prompt": "{{ p.one.x.texts }} {{ p.two.x.best.reason }} {{ p.winner }}", **asked}},
    ],
    lambda asked, by: [
        {
            "id": "w",
            "switch": [{"when": "a.agreement > 0.5", "steps": [{"sample": asked}]}],
            "else": [{"score": {"of": "a", "by": by}}],
        },
        {"sample": {"prompt": "{{ w.texts }} {{ w.best.reason }}", **asked}},
    ],
    lambda asked, by: [
        {"id": "o", "best_of_n": {"n": 2, "max_tokens": 5, "verifier": by}},
        {
            "id": "j",
            "score": {"of": "o", "by": {"composite": {"parts": [by, {"word_count": {"at_most": 2}}]}}},
        },
        {
            "sample": {
                "prompt": "{{ o.candidate.reason }} {{ o.candidates.texts }} {{ j.best.reason }}",
                **asked,
            }
        },
    ],
]
"""Steps that make names and use them, each asked so and with this verifier."""


def simple(draw):
    """A step that makes calls."""
    one, kind = draw(st.sampled_from(ONES)), draw(st.integers(0, 12))
    if kind == 0:
        return {"sample": {"n": draw(st.integers(1, 3)), "per_call": draw(st.integers(1, 2)), **asking(draw)}}
    if kind == 1:
        texts = "{% for one in a.texts %}[{{ one }}]{% endfor %} {{ problem }}"
        return {"sample": {"prompt": texts, **asking(draw)}}
    if kind == 2:
        prompt = draw(st.sampled_from([{}, {"prompt": "{{ answer }} {{ answer }} {{ question }}"}]))
        return {"critique": {"of": one, **prompt, **asking(draw)}}
    if kind == 3:
        return {"revise": {"of": one, "with": f"{draw(st.sampled_from(ONES))}.text", **asking(draw)}}
    if kind == 4:
        judged = {"id": "judged", "score": {"of": "a", "by": draw(st.sampled_from(VERIFIERS))}}
        shown = {"sample": {"prompt": "{{ judged.best.text }} {{ judged.best.reason }}", **asking(draw)}}
        return {"if": "a.count > 0", "then": [judged, shown]}
    if kind > 6:
        return {
            "if": "a.count > 0",
            "then": SEVERAL[kind - 7](asking(draw), draw(st.sampled_from(VERIFIERS))),
        }
    inside = program_inside(draw)
    return inside if kind == 5 else {**inside, "problem": f"{{{{ {one}.text }}}} {{{{ problem }}}}"}


def block(draw, depth):
    return [step(draw, depth) for _ in range(draw(st.integers(1, 2)))]


def step(draw, depth):
    """A step behind `a`, which are candidates, and `parts`, which are texts."""
    kind = draw(st.integers(0, 9)) if depth else 9
    if kind == 0:
        until = draw(st.sampled_from([{}, {"until": "a.count > 9"}]))
        return {"repeat": {"max": draw(st.integers(1, 3)), **until, "steps": block(draw, depth - 1)}}
    if kind == 1:
        return {"if": "a.agreement > 0.5", "then": block(draw, depth - 1), "else": [simple(draw)]}
    if kind == 2:
        budget = draw(st.sampled_from([{"requests": 2}, {"total_tokens": 90}, {"completion_tokens": 7}]))
        return {"branch": {"budget": budget, "steps": block(draw, depth - 1)}}
    if kind == 3:
        return {"parallel": {"x": block(draw, depth - 1), "y": [simple(draw)]}}
    if kind == 4:
        name = f"piece{depth}"
        asked = {"sample": {"prompt": f"{{{{ {name} }}}}", **asking(draw)}}
        steps = [asked, *block(draw, depth - 1)]
        return {"for_each": {"in": "parts", "as": name, "max": 9, "steps": steps}}
    return simple(draw)


@st.composite
def files(draw):
    """A program in a file: of steps of all kinds, with strategies, verifiers and programs inside."""
    size = draw(st.integers(2, 30))
    made = [
        {"id": "a", "sample": {"n": 3, "max_tokens": 7}},
        {
            "id": "parts",
            "split": {"text": "problem.text", "size": size, "overlap": draw(st.integers(0, 1)), "most": 9},
        },
        *block(draw, 2),
        {"sample": {"prompt": "{% for one in parts %}{{ one }} {% endfor %}", "max_tokens": 2}},
        draw(st.sampled_from([{"return": "a"}, {"return": {"vote": {"of": "a.answers"}}}])),
    ]
    check = draw(st.sampled_from([None, *VERIFIERS]))
    checked = {} if check is None else {"check": check}
    return json.dumps({"version": 1, **checked, "program": {"steps": made}})


def writing(seed):
    """A model that writes words, marks, numbers and backticks, mostly up to its cap."""
    chance = random.Random(seed)

    def reply(request):
        if "response_format" in request.extra and chance.random() < 0.5:
            return json.dumps({"reason": "so", "score": 3})
        length = chance.choice([0, 1, request.max_tokens, request.max_tokens, request.max_tokens])
        pieces = chance.choice(
            [["!"], ["`"], ["!", " a", "`", "4", " 4", "\n", "ab", "```", "ACCEPT", "Yes"]]
        )
        return "".join(chance.choice(pieces) for _ in range(length))

    return reply


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(files(), st.integers(0, 2**32))
def test_no_run_of_a_program_in_a_file_costs_more_than_it_is_said_to(text, seed):
    program = loads(text)
    assert loads(dump(program.strategy)).strategy == program.strategy
    within(*asyncio.run(both(program, writing(seed))))


LIMITS = {
    "requests": st.integers(0, 9),
    "total_tokens": st.integers(0, 900),
    "completion_tokens": st.integers(0, 50),
    "usd": st.sampled_from([0, 0.0001, 0.011, 0.05]),
}


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(files(), st.integers(0, 2**32), st.fixed_dictionaries({}, optional=LIMITS))
def test_no_run_with_a_limit_costs_more_than_it_is_said_to(text, seed, limit):
    within(*asyncio.run(both(loads(text), writing(seed), limit=Budget(**limit))))


async def test_a_limit_of_calls_or_tokens_bounds_the_tokens_and_the_money_too():
    made = "steps: [{id: b, branch: {budget: %s, steps: [{id: s, sample: {n: 100, max_tokens: 50}}]}}, {return: b.s}]"
    one, _ = await both(loads("version: 1\nprogram: {single: {max_tokens: 50}}").strategy, marks)
    program = loads(f"version: 1\nprogram: {{{made % '{requests: 1}'}}}").strategy
    bound, spent = await both(program, marks)
    assert bound == one
    within(bound, spent)
    program = loads(f"version: 1\nprogram: {{{made % '{total_tokens: 400}'}}}").strategy
    bound, spent = await both(program, marks)
    assert bound[1:] == (400, 400, 400, 0.0008)
    within(bound, spent)


# Reached --------------------------------------------------------------------------------------------------


def marks(request):
    """As many marks as tokens are allowed, no two of which are read as one, and another text every time."""
    marks.made += 1
    return "".join("!?"[marks.made >> at & 1] for at in range(request.max_tokens))


def backticks(request):
    """As many backticks as tokens are allowed: the fences around them are longer than they are."""
    return "`" * request.max_tokens


marks.made = 0

REACHED = {
    "samples, judged and voted on": (
        marks,
        """
    - {id: a, sample: {n: 3, max_tokens: 20}}
    - {id: judged, judge: {of: a, max_tokens: 5}}
    - return: {vote: {of: judged, weight: score}}
""",
    ),
    "judged in JSON by another model": (
        marks,
        """
    - {id: a, sample: {n: 2, max_tokens: 20}}
    - {id: judged, judge: {of: a, form: json, max_tokens: 9, model: large}}
    - return: {vote: {of: judged, weight: score}}
""",
    ),
    "compared in pairs": (
        marks,
        """
    - {id: a, sample: {n: 3, max_tokens: 20}}
    - {id: ranked, pairwise_judge: {of: a, max_tokens: 5}}
    - return: {vote: {of: ranked, weight: score}}
""",
    ),
    "sampled, criticised, revised and voted on": (
        backticks,
        """
    - {id: a, sample: {n: 2, max_tokens: 20}}
    - {id: said, critique: {of: a.first, max_tokens: 18}}
    - {id: told, critique: {of: a.last, prompt: "[{{ answer }}] {{ question }}", max_tokens: 18}}
    - {id: b, revise: {of: a.first, with: said, max_tokens: 17}}
    - {id: c, revise: {of: b, with: told, prompt: "[{{ answer }}] [{{ critique }}]", max_tokens: 17}}
    - return: {vote: {of: [a, b, c]}}
""",
    ),
    "criticised, revised, judged and voted on": (
        backticks,
        """
    - {id: a, sample: {max_tokens: 20}}
    - {id: said, critique: {of: a.first, max_tokens: 18}}
    - {id: b, revise: {of: a.first, with: said, max_tokens: 17}}
    - {id: judged, judge: {of: b, max_tokens: 5, model: large}}
    - return: {vote: {of: [a, judged.candidate]}}
""",
    ),
    "the items of a list that is as long as it can be": (
        marks,
        """
    - id: each
      for_each:
        in: "['a', 'b', 'c']"
        as: piece
        steps:
          - {id: part, sample: {prompt: "[{{ piece }}]", max_tokens: 4}}
          - {id: judged, judge: {of: part.first, max_tokens: 4}}
    - return: {vote: {of: each.each.part}}
""",
    ),
}


@pytest.mark.parametrize("name", REACHED)
async def test_the_bound_is_reached_by_a_model_that_writes_all_it_may(name):
    reply, made = REACHED[name]
    program = loads(f"version: 1\nprogram:\n  steps:{made}").strategy
    bound, spent = await both(program, reply)
    assert spent[:-1] == bound[:-1]
    assert spent[-1] == pytest.approx(bound[-1])


async def test_a_critique_of_what_is_no_backticks_costs_less_by_the_fences_it_does_not_need():
    made = """
    - {id: a, sample: {max_tokens: 20}}
    - {id: said, critique: {of: a.first, max_tokens: 18}}
    - return: {value: a, confidence: "1 if said.accepted else 0"}
"""
    bound, spent = await both(loads(f"version: 1\nprogram:\n  steps:{made}").strategy, marks)
    assert bound[1] - spent[1] == 2 * (21 - 3)  # two fences of 21 backticks, and not of 3


# What was forgotten once -------------------------------------------------------------------------------------


TEXT_INSIDE = """
programs:
  inner:
    steps:
      - {id: t, text: "The answer is {{ problem }}"}
      - return: t
"""


def first(*texts, judge="9"):
    """A model that says these texts one after the other, and gives a judge always the same verdict."""
    left = list(texts)

    def reply(request):
        if "<answer-" in prompt_text(request) or "<answer-a-" in prompt_text(request):
            return judge
        return left.pop(0) if left else "7"

    return reply


NO_CALL_DREW = {
    "a text that is returned, checked": (
        1,
        first(),
        "check: {judge: {max_tokens: 5}}\nprogram:\n  steps:\n    - {id: t, text: 'It is 5'}\n    - return: t",
    ),
    "answers that are voted on, checked": (
        2 + 2,
        first("It is 4", "It is 5"),
        "check: {judge: {max_tokens: 5}}\nprogram:\n  steps:\n    - {id: d, sample: {n: 2, max_tokens: 9}}\n"
        "    - return: {vote: {of: d.answers}}",
    ),
    "a vote over answers that has a name, checked": (
        2 + 2,
        first("It is 4", "It is 5"),
        "check: {judge: {max_tokens: 5}}\nprogram:\n  steps:\n    - {id: d, sample: {n: 2, max_tokens: 9}}\n"
        "    - {id: v, vote: {of: d.answers}}\n    - return: v.candidates",
    ),
    "a text of a program inside, worked on": (
        2,
        first(),
        TEXT_INSIDE + "program:\n  steps:\n    - {id: o, inner: {}}\n"
        "    - {id: seen, score: {of: o, by: {word_count: {at_least: 1}}}}\n"
        "    - id: f\n      for_each:\n        in: seen\n        as: c\n        max: 3\n"
        "        steps: [{id: s, sample: {n: 2, max_tokens: 5, prompt: '{{ c }}'}}]\n"
        "    - return: {vote: {of: f.values}}",
    ),
    "a text of a program inside, judged": (
        1,
        first(),
        TEXT_INSIDE
        + "program:\n  steps:\n    - {id: o, inner: {}}\n    - {id: s, judge: {of: o, max_tokens: 5}}\n"
        "    - return: s.best",
    ),
    "a text of a tier, judged": (
        2,
        first(judge="1"),
        "verifiers: {j: {judge: {max_tokens: 5}}}\nprogram:\n  cascade:\n"
        "    - steps: [{id: t, text: 'It is 5'}, {return: t}]\n      accept: j >= 1\n    - single: {max_tokens: 3}",
    ),
    "a vote over answers, judged and checked": (
        2 + 2 + 3,
        first("It is 4", "It is 5"),
        "check: {judge: {max_tokens: 5}}\nprogram:\n  steps:\n    - {id: d, sample: {n: 2, max_tokens: 9}}\n"
        "    - {id: v, vote: {of: d.answers}}\n    - {id: j, judge: {of: v.candidates, max_tokens: 6}}\n"
        "    - return: j.best",
    ),
    "samples that are compared, checked": (
        2 + 1 + 2,
        first("It is 4", "It is 5"),
        "check: {judge: {max_tokens: 5}}\nprogram:\n  best_of_n:\n    n: 2\n    max_tokens: 9\n"
        "    verifier: {pairwise_judge: {max_tokens: 7, swap: false}}",
    ),
}


@pytest.mark.parametrize("name", NO_CALL_DREW)
async def test_candidates_that_no_call_has_drawn_are_counted(name):
    calls, reply, made = NO_CALL_DREW[name]
    bound, spent = await both(loads(f"version: 1\n{made}"), reply)
    assert spent[0] == calls
    within(bound, spent)
    unneeded = (
        1 if "d.answers" in made and "judge: {of" not in made else 0
    )  # the voted answer is one that was drawn
    assert bound[0] == calls + unneeded


ASIDE = "{id: p, sample: {n: 3, aside: true, max_tokens: 5}}"
ONE_MORE = "{id: s, sample: {max_tokens: 5, prompt: '{{ p.texts }}'}}"
BROUGHT = {  # what stands behind three samples aside, the calls before the check, and the outcome's candidates
    "none": ([ONE_MORE, "{return: s}"], 4, 1),
    "all": (["{return: p}"], 3, 3),
    "one": (["{return: p.first}"], 3, 1),
    "one that was judged": (["{id: j, judge: {of: p, max_tokens: 4}}", "{return: j.best}"], 6, 1),
    "one that was selected": (["{return: {select: {of: p}}}"], 3, 1),
    "those that voted": ([ONE_MORE, "{return: {vote: {of: [s, p]}}}"], 4, 4),
    "one of a list": (["{let: {l: '[p.first, p.last]'}}", "{return: 'l[0]'}"], 3, 1),
    "one of two": ([ONE_MORE, "{return: 's.first if s.count > 1 else p.first'}"], 4, 2),
    "a revision": (["{id: r, revise: {of: p.best, aside: true, max_tokens: 4}}", "{return: r}"], 4, 1),
    "a revision that is none": (["{id: r, revise: {of: p.best, max_tokens: 4}}", "{return: r}"], 4, 1),
    "what was criticised": (
        ["{id: c, critique: {of: p.best, max_tokens: 4}}", "{return: c.candidate}"],
        4,
        1,
    ),
    "those of a block": (
        [
            "{id: b, parallel: {x: [{id: y, sample: {n: 2, aside: true, max_tokens: 5}}]}}",
            "{return: b.x.y if p.count > 0 else b.x.y}",
        ],
        5,
        2,
    ),
    "one of a round": (
        [
            "{id: l, repeat: {max: 2, steps: [{id: y, sample: {aside: true, max_tokens: 5}}]}}",
            "{return: 'l.each.y[0].first if p.count > 0 else p.first'}",
        ],
        5,
        1,
    ),
    "one of a program inside": (
        [
            f"{{id: o, run: {{program: {{steps: [{ASIDE}, {{return: p.last}}]}}}}}}",
            "{return: o if p.count > 0 else o}",
        ],
        6,
        1,
    ),
}


@pytest.mark.parametrize("name", BROUGHT)
async def test_what_is_drawn_aside_is_a_candidate_only_where_it_is_returned(name):
    steps, drawn, candidates = BROUGHT[name]
    made = loads(
        f"version: 1\ncheck: {{judge: {{max_tokens: 6}}}}\nprogram: {{steps: [{', '.join([ASIDE, *steps])}]}}"
    )
    texts = itertools.count(1)

    def reply(request):
        return "9" if "<answer-" in prompt_text(request) else f"It is {next(texts)}"

    bound, spent = await both(made, reply)
    within(bound, spent)
    assert spent[0] == drawn + candidates
    twice = 1 if name == "those that voted" else 0  # that not all of them were drawn aside is not told
    assert bound[0] == spent[0] + twice


def within(bound, spent):
    """Nothing was used beyond its bound."""
    assert all(used <= most < math.inf for used, most in zip(spent[:-1], bound[:-1], strict=True)), (
        spent,
        bound,
    )
    assert spent[-1] <= bound[-1] * (1 + 1e-9)


INSIDE_OUT = """
programs:
  inner:
    steps:
      - %s
      - return: s
program:
  steps:
    - {id: d, sample: {max_tokens: 50}}
    - {id: o, inner: {}, problem: "%s"}
    - return: o
"""

LONG = "a b c d e f g h i j k l m n o p"

OF_THE_PROBLEM_INSIDE = {
    "a condition": (
        "yes",
        "{id: s, sample: {max_tokens: 5, prompt: \"{% if problem.text == 'yes' %}"
        + LONG
        + '{% endif %} {{ problem }}"}}',
        "{{ d.best }}",
    ),
    "an expression in a template": (
        "yes",
        "{id: s, sample: {max_tokens: 5, prompt: \"{{ '"
        + LONG
        + "' if problem.text == 'yes' else problem }}\"}}",
        "{{ d.best }}",
    ),
    "another case": (
        "!" * 40,
        "{id: s, sample: {max_tokens: 5, prompt: '{{ problem | trim | truncate(9) }}'}}",
        "{{ d.best }}",
    ),
    "an indent": (
        "!\n" * 20,
        "{id: s, sample: {max_tokens: 5, prompt: '{{ problem | indent(9) }}'}}",
        "{{ d.best }}",
    ),
    "pieces": (
        "word word " * 20,
        "{id: p, split: {text: problem.text, size: 20, most: 9}}\n"
        "      - id: f\n        for_each:\n          in: p\n          as: x\n          max: 9\n"
        "          steps: [{id: one, sample: {max_tokens: 5, prompt: '{{ x }}'}}]\n"
        "      - {id: s, vote: {of: f.values}}",
        "{{ d.best }}",
    ),
    "a critic's own prompt": (
        "maybe",
        "{critique_revise: {rounds: 1, max_tokens: 9, critique_prompt: "
        "\"{{ answer }} {% if 'maybe' in problem %}" + LONG + '{% endif %}"}, id: s}',
        "{{ d.best }}",
    ),
}


@pytest.mark.parametrize("name", OF_THE_PROBLEM_INSIDE)
async def test_what_the_problem_of_a_program_inside_will_say_decides_nothing_before_it_is_written(name):
    text, step, problem = OF_THE_PROBLEM_INSIDE[name]
    program = loads("version: 1\n" + INSIDE_OUT.replace("%s", step, 1).replace("%s", problem, 1)).strategy
    within(*await both(program, first(text)))


async def test_what_is_known_of_the_problem_of_a_program_inside_is_counted_as_it_is():
    template = "{% if problem.id == 'p' %}a{% else %}a b c{% endif %} {{ problem }}"
    step = f'{{id: s, sample: {{max_tokens: 5, prompt: "{template}"}}}}'
    program = loads(
        "version: 1\n" + INSIDE_OUT.replace("%s", step, 1).replace("%s", "({{ d.best }})", 1)
    ).strategy
    bound, spent = await both(program, marks)
    assert (bound[0], bound[1], bound[2]) == (spent[0], spent[1] + 1, spent[2])  # the mark ends a line


async def test_a_judge_whose_template_asks_what_an_answer_says_costs_at_most_both_ways():
    template = "{{ problem }} {% if 'maybe' in answer %}" + LONG + "{% endif %} {{ answer }}"
    judge = f'{{judge: {{max_tokens: 5, template: "{template}"}}}}'
    made = f"program: {{best_of_n: {{n: 2, max_tokens: 9, verifier: {judge}}}}}"
    within(*await both(loads(f"version: 1\n{made}").strategy, first("maybe 4", "maybe 5")))


CARRIED = {
    "the vote's representative is an earlier tier's": """
    - {self_consistency: {n: 3, max_tokens: 200, stop: fixed_size}, accept: agreement >= 1}
    - {single: {max_tokens: 3}, carry: true, accept: j >= 1}
    - single: {max_tokens: 3}
verifiers: {j: {judge: {max_tokens: 5}}}
""",
    "over a tier that carries nothing": """
    - {self_consistency: {n: 4, max_tokens: 5, stop: fixed_size}, accept: agreement >= 1}
    - {self_consistency: {n: 2, max_tokens: 5, stop: fixed_size}, accept: agreement >= 1}
    - {single: {max_tokens: 5}, carry: true, accept: j >= 1}
    - single: {max_tokens: 3}
verifiers: {j: {pairwise_judge: {max_tokens: 5}}}
""",
}


@pytest.mark.parametrize("name", CARRIED)
async def test_what_a_tier_carries_is_all_that_was_drawn_before(name):
    texts = {
        "the vote's representative is an earlier tier's": ["w " * 150 + "4", "w " * 150 + "4", "5", "6"],
        "over a tier that carries nothing": ["4", "5", "6", "7", "8", "9"],
    }[name]
    bound, spent = await both(
        loads(f"version: 1\nprogram:\n  cascade:{CARRIED[name]}"), first(*texts, judge="1")
    )
    within(bound, spent)


SMALL = {
    "commas between the items of a list": (
        marks,
        """
    - {id: a, sample: {n: 4, max_tokens: 3}}
    - {id: f, for_each: {in: a, as: one, max: 4, steps: [{let: {x: one.text}}]}}
    - {id: s, sample: {max_tokens: 5, prompt: "{{ f.each.x }}"}}
    - return: s
""",
    ),
    "what is shown for an answer that is empty": (
        first("", "", ""),
        """
    - {id: a, sample: {max_tokens: 1}}
    - {id: b, revise: {of: a.first, max_tokens: 1}}
    - {id: c, critique: {of: b, max_tokens: 1, prompt: "{{ answer }}"}}
    - return: {value: b, confidence: "1 if c.accepted else 0"}
""",
    ),
    "a vote over lists of candidates": (
        first(*map(str, range(9)), judge="8"),
        """
    - id: f
      for_each: {in: "['a', 'b', 'c']", as: one, steps: [{id: s, sample: {n: 3, max_tokens: 5, prompt: "{{ one }}"}}]}
    - {id: v, vote: {of: f.each.s}}
    - {id: j, judge: {of: v.candidates, max_tokens: 5}}
    - return: j.best
""",
    ),
}


@pytest.mark.parametrize("name", SMALL)
async def test_what_is_small_is_in_the_bound(name):
    reply, made = SMALL[name]
    within(*await both(loads(f"version: 1\nprogram:\n  steps:{made}").strategy, reply))


async def test_a_program_that_its_own_budget_ends_gives_way_to_another_of_a_router():
    cut = "steps: [{id: b, branch: {budget: {requests: 1}, steps: [{id: s, sample: {n: 3, max_tokens: 5}}]}}, %s]"
    tiers = "cascade: [{self_consistency: {n: 3, max_tokens: 5, stop: fixed_size}, budget: {requests: 1}}]"
    for inside in (cut % "{return: b.s}", tiers):
        made = f"program: {{router: {{programs: [{{{inside}}}, {{single: {{max_tokens: 9}}}}]}}}}"
        bound, spent = await both(loads(f"version: 1\n{made}").strategy, first("no idea", "4"))
        within(bound, spent)


@pytest.mark.parametrize("answer", ["{field: r}", "{field: r, kind: json}"])
async def test_an_answer_found_in_json_is_no_longer_than_the_json_was(answer):
    ask = '{id: t, sample: {max_tokens: 3, prompt: "look: {{ s.answer }}"}}'
    steps = f"steps: [{{id: s, sample: {{max_tokens: 26}}}}, {ask}, {{return: s if t.count > 0 else s}}]"
    made = loads(f"version: 1\nanswer: {answer}\nprogram: {{{steps}}}")
    bound, spent = await both(made, first('{"r": [1,2,3,4,5,6,7,8,9]}', "ok"), answers=made.answers)
    within(bound, spent)


async def test_what_a_router_falls_back_on_is_in_the_bound_after_a_failed_call_and_where_a_budget_refuses_one():
    plan = '{id: p, sample: {n: 5, aside: true, max_tokens: 5, prompt: "plan"}}'
    asked = '{id: d, sample: {max_tokens: 5, prompt: "then {{ p.count }} LONG"}}'
    vote = "self_consistency: {n: 5, max_tokens: 5, stop: fixed_size}"
    several = f"router: {{programs: [{{steps: [{plan}, {asked}, {{return: d}}]}}, {{{vote}}}]}}"
    for made, failing, limit in (
        (several, "choice0/d", None),
        (several.replace("LONG", "word " * 200), "none", Budget(total_tokens=160)),
        ("router: {models: [small, large], max_tokens: 5}", "choice0", None),
    ):

        def reply(request, failing=failing):
            return Scripted(error=BackendError("down")) if request.call.path == failing else "4"

        bound, spent = await both(loads(f"version: 1\nprogram: {{{made}}}").strategy, reply, limit=limit)
        within(bound, spent)
        assert spent[0] > 1


async def test_a_router_without_a_fallback_costs_as_much_as_its_dearest_choice():
    made = "router: {fallback: false, programs: [{single: {max_tokens: 3}}, {single: {max_tokens: 9}}]}"
    bound, _ = await both(loads(f"version: 1\nprogram: {{{made}}}").strategy, first("4"))
    assert (bound[0], bound[2]) == (1, 9)


async def test_a_text_that_a_program_inside_returns_is_bounded():
    returned = 'steps: [{id: s, sample: {max_tokens: 5}}, {id: t, text: "{{ s.first.text }}!"}, {return: t}]'
    for outer in (
        "cascade: [{%s, accept: agreement}, {single: {max_tokens: 3}}]",
        "router: {programs: [{%s}]}",
        "steps: [{id: o, run: {program: {%s}}}, {return: o}]",
    ):
        made = f"check: {{judge: {{max_tokens: 5}}}}\nprogram: {{{outer % returned}}}"
        within(*await both(loads(f"version: 1\n{made}"), first("4 4 4 4 4")))


# Reasons --------------------------------------------------------------------------------------------------

WORDS = [f"word{number}" for number in range(400)]
SHOWING = """program:
  steps:
    - {id: a, sample: {max_tokens: 5}}
    - {id: r, %s}
    - {id: s, sample: {max_tokens: 5, prompt: "{{ r.text }}"}}
    - return: s
"""
PARTS = ", ".join(f"{{word_count: {{at_least: {1000 + number}}}}}" for number in range(30))

REASONS = {
    "of one rule": (first("4"), SHOWING % "word_count: {of: a.best, at_least: 1000}"),
    "of many rules": (
        first("4"),
        SHOWING % f"score: {{of: a.best, by: {{composite: {{parts: [{PARTS}]}}}}}}",
    ),
    "of rules and a judge": (
        first(" ".join(WORDS[:3]), judge='{"reason": "%s", "score": 3}' % ("bad " * 40)),
        SHOWING % "score: {of: a.best, by: {composite: {parts: [{required_words: {}}, "
        "{judge: {form: json, max_tokens: 60, expected: false}}]}}}",
    ),
    "of a rule that quotes the problem": (first("no"), SHOWING % "required_words: {of: a.best}"),
    "of a judge": (
        first("4", judge='{"reason": "%s", "score": 3}' % ("bad " * 80)),
        SHOWING % "judge: {of: a.best, form: json, max_tokens: 90, expected: false}",
    ),
    "of a judge that fails": (
        first("4", judge=BackendError("boom " * 600)),
        SHOWING % "judge: {of: a.best, max_tokens: 5}",
    ),
    "of a candidate of a program inside": (
        first("4 a", "5 b", judge='{"reason": "%s", "score": 3}' % ("bad " * 40)),
        """program:
  steps:
    - id: o
      best_of_n:
        {n: 2, max_tokens: 5, threshold: null, verifier: {judge: {form: json, max_tokens: 90, expected: false}}}
    - {id: s, sample: {max_tokens: 5, prompt: "{{ o.candidate.reason }}"}}
    - return: s
""",
    ),
}


@pytest.mark.parametrize("name", REASONS)
async def test_reasons_are_bounded(name):
    reply, made = REASONS[name]
    problem = dataclasses.replace(PROBLEM, fields={"words": WORDS})
    within(*await both(loads(f"version: 1\n{made}").strategy, reply, problem))


async def test_the_reason_of_a_judge_is_bounded_by_what_it_may_write():
    bound, _ = await both(loads("version: 1\n" + REASONS["of a judge"][1]).strategy, first("4"))
    more, _ = await both(
        loads("version: 1\n" + REASONS["of a judge"][1].replace("90", "95")).strategy, first("4")
    )
    assert more[1] - bound[1] == 5
