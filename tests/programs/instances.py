"""Parts of programs of any kind, made at random by the types of their parameters."""

import random
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st

from orchestrator.answers import AnswerReader
from orchestrator.errors import InvalidInputError
from orchestrator.programs.annotations import hint_of, is_required, parameters, python_only, without_none
from orchestrator.programs.registries import Registry, kind_of
from orchestrator.scaling import fit_router
from orchestrator.types import Candidate, Sample, Score
from orchestrator.verifiers import CorrectnessModel, Graded

NASTY = [
    "",
    "n",
    "yes",
    "~",
    "1e-3",
    "0x1f",
    "12:30:45",
    "2001-12-14",
    "- a",
    "a: b",
    "a #b",
    "# a",
    "'",
    '"',
    "{{ problem }}",
    "a\n",
    "a\n\nb",
    " a\nb",
    "a \nb",
    "\n",
    "\ta\n\tb",
    "|",
    ">-",
    "&a",
    "*a",
    "!t",
    "%y",
    "@",
    "a\x85b",
    "é\u2028x",
    "\ufeffa",
    "left: ([^)]*)",
    "\\d+",
    "it's",
    "...",
    "---",
    "=",
    "<<",
    "a\\n\"'",
    "long " * 40,
    "long\nlines " * 30,
    "null",
    "True",
    "Rate {{ problem }} and {{ answer }}:\n\n    indented\nend",
    "a\r\nb",
    "\x00",
    "🙂",
    "-",
    "-1",
    ".5",
    "+.inf",
    "[a]",
    "{a}",
]
"""Texts that YAML would take for something else, or that need care to be written."""

TEXTS = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))

PLAIN: dict[Any, list[Any]] = {
    bool: [False, True],
    int: [0, 1, 2, 3, 5, 8, 40, 100_000],
    float: [0.0, 1e-6, 0.25, 0.5, 0.9, 1.0, 1.5, 20.0, 1e22],
    str: NASTY,
    type(None): [None],
    Decimal: [Decimal("0.25"), Decimal(3)],
}

MAPPINGS = {
    "schema": [
        {"type": "object", "properties": {"n": {"type": "integer"}, "on": {}}},
        {"enum": [1, "1", None, [1.5]]},
        {},
    ],
    "protocol": [{"route": "/predict", "body": {"inputs": "{{ text }}"}, "scores": "[].score"}],
}


def saved_files(folder):
    """Files for the parts that were fitted and saved: by their keys, their paths."""
    prompts = [f"{'long ' * n}{n} + {n}?" for n in range(60)]
    fit_router(prompts, [n % 30 < 15 for n in range(60)], [n % 7 > 0 for n in range(60)]).save(
        folder / "router.json"
    )
    rng = random.Random(0)
    CorrectnessModel.fit(
        [_graded(number, rng.random() < 0.6, rng.random()) for number in range(60)],
        features=["score:judge", "consistency"],
    ).save(folder / "model.json")
    return {"fitted": str(folder / "router.json"), "learned": str(folder / "model.json")}


def _graded(number, right, score):
    answer = AnswerReader(kind="number").read("4")
    candidate = Candidate(sample=Sample(text="4"), answer=answer, scores={"judge": Score(value=score)})
    return Graded(problem=str(number), candidates=(candidate,), right=(right,))


def instance(rng, part, files, depth=2):
    """A part with some of its parameters set: those values that it takes beside the others."""
    fields = parameters(part)
    required = [name for name in fields if is_required(fields[name])]
    free = [name for name in fields if name not in required and _is_free(part, name, depth)]
    more, made, tries = [], None, 0
    while made is None:  # some parts need one of several that have no value by default
        assert (tries := tries + 1) < 1000, f"no values were found for {part}"
        values = {name: value(rng, part, name, files, depth) for name in dict.fromkeys([*required, *more])}
        made = _made(part, values)
        more = rng.sample(free, rng.randint(0, min(4, len(free))))
    for name in rng.sample(free, min(len(free), rng.randint(0, 4))):
        tried = _made(part, {**values, name: value(rng, part, name, files, depth)})
        if tried is not None:
            made, values = tried, {**values, name: getattr(tried, name)}
    return made


def _made(part, values):
    try:
        return part(**values)
    except InvalidInputError:
        return None


def _is_free(part, name, depth):
    if kind_of(part, name) is not None:
        return depth > 0
    return not python_only(hint_of(part, name))


def value(rng, part, name, files, depth):
    """A value of a parameter."""
    hint = hint_of(part, name)
    if name == "file":
        return rng.choice(sorted(files.values()))
    kind = kind_of(part, name)
    if kind is None:
        return plain(rng, hint, name)
    if hint != without_none(hint) and rng.random() < 0.5:
        return None
    several = get_origin(without_none(hint)) is tuple
    made = [one(rng, kind, files, depth) for _ in range(rng.randint(0, 3) if several else 1)]
    return tuple(made) if several else made[0]


def one(rng, kind, files, depth):
    """A part of a kind; simple ones where they are deep inside."""
    if not isinstance(kind, Registry):
        return instance(rng, kind, files, depth - 1)
    simple = {
        key: cls
        for key, cls in kind.parts.items()
        if not any(is_required(f) for f in parameters(cls).values())
    }
    parts = kind.parts if depth > 0 else simple
    part = parts[rng.choice(sorted(parts))]
    return instance(rng, part, files, depth - 1)


def plain(rng, hint, name):
    """A value of an annotation."""
    if hint in PLAIN:
        return rng.choice(PLAIN[hint])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return plain(rng, arguments[0], name)
    if origin is Literal:
        return rng.choice(arguments)
    if origin is tuple:
        return tuple(plain(rng, arguments[0], name) for _ in range(rng.randint(0, 3)))
    if origin in (Union, UnionType):
        # Files have decimals as numbers, which the others stand for.
        return plain(rng, rng.choice([one for one in arguments if one is not Decimal]), name)
    return rng.choice(MAPPINGS[name])
