"""Fuzzes templates: `python tests/fuzz/templates.py -max_total_time=180` with atheris installed.

Whatever the text, it is refused by a `TemplateError` whose place lies in it, or it is filled; no attribute of a value
is touched, and what is measured of known values is what is filled in.
"""

import random
import sys

from orchestrator.errors import TemplateError
from orchestrator.expressions import NUMBER, TEXT, ListOf, Maybe, Namespace, Record, Size
from orchestrator.templates import Template

__all__ = ["CORPUS", "examine", "mutated"]


class Canary:
    """A value of Python that no template may look into."""

    def __getattr__(self, name):
        raise AssertionError(f"the template read `{name}`")

    @property
    def secret(self):
        raise AssertionError("the template read `secret`")

    def __str__(self):
        raise AssertionError("the template took the words of a value")

    def __call__(self, *arguments, **named):
        raise AssertionError("the template called a value")


CANDIDATE = Record("a candidate", {"text": TEXT, "score": Maybe(NUMBER)}, text=True)
TYPES = {"a": TEXT, "b": NUMBER, "xs": ListOf(TEXT), "c": CANDIDATE, "d": Record("a thing", {"secret": TEXT})}
VALUES = {
    "a": "text {{ b }}",
    "b": 2,
    "xs": ["p", "q", None, 1.5],
    "c": Namespace(text="said", score=0.5),
    "d": Canary(),
}
SIZES = {name: Size(tokens=5, count=3, item=Size(tokens=2)) for name in VALUES}

CORPUS = [
    "{{ d }} {{ c }} {{ a|indent(b) }} {{ a|truncate(xs) }} {{ xs|join(d) }} {{ a|truncate(b) }} {{ b|round(b) }}",
    "plain text\r\n with { braces } and # signs",
    "{{ a }} {{ b }} {{ xs }}",
    "{{ c.text }} {{ c.score > 0.4 }} {{ d.secret }}",
    "{% for x in xs %}{{ loop.index }}. {{ x }}{% if not loop.last %}, {% endif %}{% else %}none{% endfor %}",
    "{% if a == 'x' and b < 3 or not c %}p{% elif b in xs %}q{% else %}r{% endif %}",
    "{{ a|trim|upper|truncate(5) }} {{ xs|join(', ') }} {{ xs|first }} {{ xs|last|default('z') }}",
    "{{ (b + 1) * 2 / 3 // 4 % 5 - -6 }} {{ b|round(2) }} {{ a|indent(2) }} {{ a|length }}",
    "{{ 'yes' if b else 'no' }} {{ none }} {{ true }} {{ 1.5e3 }} {{ 0x1f }} {{ 'a\\n\\x41' }}",
    "{# comment #}{% raw %}{{ a }}{% endraw %}{{- a -}} {%- if a -%} b {%+ endif +%}",
    "{{ x.__class__ }}{{ a|attr('__class__') }}{{ ''['__class__'] }}{{ '{0.__class__}'.format(a) }}",
    "{% set x = 1 %}{% macro m() %}{% endmacro %}{% include 'a' %}{% import 'a' as b %}{% call m() %}{% endcall %}",
    "{{ range(9) }}{{ lipsum() }}{{ cycler }}{{ self }}{{ [1] }}{{ {'a': 1} }}{{ a ~ b }}{{ a ** b }}{{ a[0] }}",
    "{% block b %}{% endblock %}{% extends 'a' %}{% with %}{% endwith %}{% filter upper %}{% endfilter %}",
]

WORDS = "{{ }} {% %} {# #} - + if elif else endif for in endfor raw endraw loop a b xs c d .text .secret | ( ) ' \""
FRAGMENTS = [
    *WORDS.split(),
    " ",
    "\n",
    "\r\n",
    "__class__",
    "|upper",
    "|join(', ')",
    "|default(a)",
    "==",
    "9" * 30,
    "é",
]


def examine(text):
    """Refuse, fill and measure the template `text`; anything but that is a finding, and raised."""
    try:
        template = Template(text)
    except TemplateError as error:
        check_place(error, text)
        return False
    for name in template.names:
        assert template.place(name) <= len(text)
    tried(template.check, text, TYPES)
    values = VALUES | dict.fromkeys(template.names - VALUES.keys())
    filled = tried(template.render, text, values)
    measured = tried(template.measure, text, values, {})
    if filled is not None and measured is not None:
        assert (measured.text, measured.inserted) == (filled, 0), (measured, filled)
    tried(template.measure, text, {}, {name: SIZES.get(name, Size(tokens=3)) for name in template.names})
    return True


def tried(call, text, *arguments):
    """What `call` returns, or None where it refuses."""
    try:
        return call(*arguments)
    except TemplateError as error:
        check_place(error, text)
        return None


def check_place(error, text):
    assert error.offset is None or 0 <= error.offset <= len(text), error.offset


def mutated(text, rng):
    """`text` with a few of its parts taken out, doubled, moved or replaced."""
    for _ in range(rng.randint(1, 4)):
        start, end = sorted(rng.randint(0, len(text)) for _ in range(2))
        end = min(end, start + rng.randint(0, 12))
        middle = rng.choice(["", text[start:end] * 2, rng.choice(FRAGMENTS), rng.choice(CORPUS)[:end]])
        text = text[:start] + middle + text[end:]
    return text


def main():
    import atheris

    def one(data):
        provider = atheris.FuzzedDataProvider(data)
        if provider.ConsumeBool():
            examine(provider.ConsumeUnicodeNoSurrogates(400))
        else:
            pieces = [provider.PickValueInList(FRAGMENTS) for _ in range(provider.ConsumeIntInRange(0, 40))]
            rng = random.Random(provider.ConsumeIntInRange(0, 2**32))
            examine(mutated(rng.choice(CORPUS), rng) + "".join(pieces))

    # What Jinja2 has loaded by now is followed as well.
    examine("{% if a %}{{ b }}{% endif %}")
    atheris.instrument_all()
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
