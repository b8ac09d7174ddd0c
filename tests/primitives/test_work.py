"""Programs that do much without a call end soon, with little memory."""

import pytest
from primitives.playing import play

from orchestrator.errors import InvalidInputError
from orchestrator.expressions import as_text, bounded, made_step, spend
from orchestrator.expressions import work as module
from orchestrator.programs import loads
from orchestrator.types import CallId, Candidate, Sample


@pytest.fixture(autouse=True)
def little_work(monkeypatch):
    """A sixteenth of what is allowed, so that tests end soon."""
    monkeypatch.setattr(module, "MOST_WORK", module.MOST_WORK // 16)


LONG = "{let: {a: '\"x\"', n: '0'}}, {repeat: {max: 20, steps: [{set: {a: 'a + a'}}]}}"
"""Makes `a` a text of a million characters."""

LISTS = [
    '{let: {b: \'["x", "x", "x"]\'}}',
    *(f"{{let: {{{new}: '[{', '.join([old] * 60)}]'}}}}" for old, new in ("bc", "cd", "de", "ef", "fg")),
]
"""Makes `g` a list of lists of lists: two thousand million texts, in 300 places of memory."""


def repeated(steps):
    return f"{{repeat: {{max: 1000, steps: [{steps}]}}}}"


PROGRAMS = {
    "a text joined again and again": [LONG, repeated("{set: {n: 'len(a + a)'}}")],
    "long texts that are kept": [LONG, repeated("{id: k, text: '{{ a }}!'}, {set: {n: 'len(k)'}}")],
    "texts looked for in texts": [LONG, repeated("{if: 'a + \"y\" in a + a', then: [{set: {n: '1'}}]}")],
    "texts that are equal": [
        LONG,
        "{let: {b: 'a + \"y\"', c: 'a + \"y\"'}}",
        repeated("{if: 'b == c', then: [{set: {n: '1'}}]}"),
    ],
    "a long text cut into many pieces": [
        LONG,
        repeated("{id: p, split: {text: a, size: 1, most: 9000}}, {set: {n: 'len(p)'}}"),
    ],
    "a template that loops": [
        LONG,
        "{id: p, split: {text: a, size: 1, most: 9000}}",
        repeated("{id: k, text: '{% for x in p %}{{ x|length }}{% endfor %}'}, {set: {n: 'len(k)'}}"),
    ],
    "lists of lists as a text": ["{let: {n: '0'}}", *LISTS, "{id: k, text: '{{ g }}'}, {set: {n: 'len(k)'}}"],
    "votes of many": [
        "{id: a, sample: {n: 100}}",
        f"{{let: {{b: '[{', '.join(['a'] * 100)}]', n: '0'}}}}",
        repeated("{id: v, vote: {of: b}}, {set: {n: 'v.share'}}"),
    ],
}


@pytest.mark.parametrize("name", PROGRAMS)
async def test_what_makes_no_call_is_bounded(name):
    program = loads(f"version: 1\nprogram: {{steps: [{', '.join(PROGRAMS[name])}, {{return: n}}]}}\n")
    with pytest.raises(InvalidInputError, match="does too much between its calls"):
        await play(program.strategy, lambda request: "1")


async def test_what_programs_do_that_are_called_counts_as_well():
    """Five loops of a thousand rounds, each in the program that the one before calls."""
    levels = [
        f"  p{n}: {{steps: [{{id: r, repeat: {{max: 1000, steps: [{{id: x, run: p{n + 1}}}]}}}}, {{return: r.x}}]}}"
        for n in range(5)
    ]
    text = "\n".join(
        ["version: 1", "programs:", *levels, "  p5: {steps: [{return: '\"1\"'}]}", "program: p0"]
    )
    with pytest.raises(InvalidInputError, match="does too much between its calls"):
        await play(loads(text).strategy, lambda request: "1")


async def test_lists_of_lists_are_no_outputs_beyond_the_bound():
    steps = ", ".join([*LISTS, "{return: '\"1\"'}"])
    program = loads(f"version: 1\nprogram: {{steps: [{steps}]}}\noutputs: {{all: g}}\n")
    with pytest.raises(InvalidInputError, match="does too much between its calls"):
        await play(program.strategy, lambda request: "1")


CALL = CallId(problem="1", path="main", ordinal=0)


def answered(*, call):
    return Candidate(sample=Sample(text="1", call=call), answer=None)


def test_what_is_done_one_after_the_other_is_bounded_apart(monkeypatch):
    monkeypatch.setattr(module, "MOST_WORK", 100)
    for _ in range(2):
        with bounded():
            spend(60)
            with bounded(), pytest.raises(InvalidInputError, match="100 characters"):
                spend(41)
    with bounded():
        spend(90)
        made_step([answered(call=None)], steps=0)
        with pytest.raises(InvalidInputError):
            spend(90)
        made_step([answered(call=None), answered(call=CALL)], steps=0)  # one that a model has given
        spend(90)
    spend(1000)  # outside, nothing is counted
    assert as_text(["x"] * 100).count("x") == 100
