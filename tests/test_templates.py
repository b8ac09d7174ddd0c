"""Templates: what they are filled with, what they refuse and where, and what they measure."""

import math
import tracemalloc

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.errors import InvalidInputError, TemplateError
from orchestrator.expressions import (
    ANSWER,
    NUMBER,
    TEXT,
    TRUTH,
    UNKNOWN,
    ListOf,
    Maybe,
    Namespace,
    Record,
    Size,
    as_text,
)
from orchestrator.prompts import fill
from orchestrator.templates import Template, measuring
from orchestrator.types import Answer

CANDIDATE = Record("a candidate", {"text": TEXT, "score": Maybe(NUMBER)}, text=True)
DRAFTS = Record("candidates", {"best": Maybe(CANDIDATE), "texts": ListOf(TEXT)}, CANDIDATE)
TYPES = {
    "name": TEXT,
    "count": NUMBER,
    "done": TRUTH,
    "given": Maybe(ANSWER),
    "words": ListOf(TEXT),
    "draft": CANDIDATE,
    "drafts": DRAFTS,
    "hidden": UNKNOWN,
    "shown": Record("a loop", {"each": ListOf(Maybe(UNKNOWN))}),
}


def one(text, score=None):
    return Namespace(text=text, score=score)


def refusal(call, *arguments):
    with pytest.raises(TemplateError) as caught:
        call(*arguments)
    return caught.value


# --- filling -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ("no tag at all\n", {}, "no tag at all\n"),
        ("{{ a }} and {{b}}", {"a": "x", "b": 2}, "x and 2"),
        ("{{ a }}", {"a": None}, ""),
        ("{{ a }}", {"a": True}, "true"),
        ("{{ a }}", {"a": ["p", 1.5, None]}, "p, 1.5, "),
        ("{{ a.text }}/{{ a.score }}/{{ a.score.more }}", {"a": one("t")}, "t//"),
        ("{% if a > 1 %}many{% elif a == 1 %}one{% else %}none{% endif %}", {"a": 1}, "one"),
        ("{% for x in a %}{{ loop.index }}.{{ x }} {% endfor %}", {"a": ["p", "q"]}, "1.p 2.q "),
        ("{% for x in a %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}", {"a": ["p", "q"]}, "p, q"),
        ("{% for x in a %}{% if loop.first %}first {% endif %}{{ x }} {% endfor %}", {"a": [1, 2]}, "first 1 2 "),
        ("{% for x in a %}{{ x }}{% else %}empty{% endfor %}", {"a": []}, "empty"),
        ("{% for x in a %}{{ x }}{% else %}empty{% endfor %}", {"a": None}, "empty"),
        ("{% for x in x %}{{ x }}{% endfor %}{{ x|length }}", {"x": ["p", "q"]}, "pq2"),
        ("{% for r in a %}{% for x in r %}{{ loop.index }}{% endfor %};{{ loop.index }} {% endfor %}",
         {"a": [["p", "q"], ["r"]]}, "12;1 1;2 "),
        ("{{ 'yes' if a else 'no' }} {{ 'yes' if not a }}", {"a": True}, "yes "),
        ("{{ a + 1 }} {{ a - 1 }} {{ a * 3 }} {{ a / 2 }} {{ a // 2 }} {{ a % 2 }} {{ -a }}", {"a": 3},
         "4 2 9 1.5 1 1 -3"),
        ("[{{ a / 0 }}{{ a % 0 }}{{ 1 + b }}{{ -b }}]", {"a": 3, "b": None}, "[]"),
        ("{{ a + '!' }}", {"a": "hi"}, "hi!"),
        ("{{ a == 'no' }} {{ 'FALSE' == a }} {{ a != 'yes' }} {{ a in words }} {{ 'yes' in b }}",
         {"a": Answer(text="No", key="b:false", kind="boolean"), "words": ["maybe", "no"],
          "b": [Answer(text="true", key="b:true", kind="boolean")]}, "true true true true true"),
        ("{{ 1 < a < 3 }} {{ 1 < a < 2 }} {{ b > 1 }} {{ b == none }}", {"a": 2, "b": None},
         "true false false true"),
        ("{{ 'b' in a }} {{ 'b' in w }} {{ 'c' not in w }}", {"a": "abc", "w": ["b"]}, "true true true"),
        ("{{ a|upper }} {{ a|lower }} {{ a|trim }}|", {"a": " Ab "}, " AB   ab  Ab|"),
        ("{{ a|first }} {{ a|last }} {{ a|length }} {{ a|join(' + ') }}", {"a": ["p", "q", "r"]}, "p r 3 p + q + r"),
        ("[{{ a|first }}{{ a|last }}{{ b|length }}{{ b|join('-') }}]", {"a": [], "b": None}, "[]"),
        ("{{ a|default('none') }} {{ b|default('none') }}", {"a": None, "b": ""}, "none "),
        ("{{ a|round }} {{ a|round(2) }} {{ b|round }}.", {"a": 2.675, "b": None}, "3 2.67 ."),
        ("{{ a|truncate(5) }} {{ a|truncate(6) }} {{ a|truncate(0) }}.", {"a": "abcdef"}, "abcd… abcdef ."),
        ("{{ a|indent }} {{ a|indent(1) }}", {"a": "p\n\nq"}, "p\n\n    q p\n\n q"),
        ("a{# nothing #}b", {}, "ab"),
        ("{% raw %}{{ a }}{% endraw %}", {}, "{{ a }}"),
        ("{{ '{' }}{{ a }}{{ '}' }}", {"a": 1}, "{1}"),
        ("a \n {{- a -}} \n b", {"a": 1}, "a1b"),
        ("a\r\nb\r{{ a\r\n}}\r\n", {"a": 1}, "a\r\nb\r1\r\n"),
        ("{{ __index_0__ }} {{ loop }}", {"__index_0__": 1, "loop": 2}, "1 2"),
    ],
)  # fmt: skip
def test_a_template_is_filled(template, values, expected):
    assert Template.of(template).render(values) == expected


def test_equal_answers_are_those_of_one_key():
    half, other = Answer(text="0.5", key="1/2", kind="number"), Answer(text="1/2", key="1/2", kind="number")
    assert Template.of("{{ a == b }} {{ a in c }} {{ a != b }}").render(
        {"a": half, "b": other, "c": [other]}
    ) == ("true true false")


def test_the_names_of_a_template_are_those_it_does_not_give_itself():
    template = Template.of(
        "{{ a.b }}{% for x in xs %}{{ x }}{{ loop.index }}{{ y }}{% endfor %}{{ x|join(z) }}"
    )
    assert template.names == {"a", "xs", "y", "x", "z"}
    assert template.place("y") == 52


def test_equal_texts_are_one_template():
    assert Template.of("{{ a }}") is Template.of("{{ a }}")
    assert repr(Template.of("{{ a }}")) == "Template.of('{{ a }}')"


TAGS = ("{{", "{%", "{#")


@given(st.text(alphabet=st.sampled_from("{}%# \r\n\tab\x1f\u2028é"), max_size=40))
def test_a_text_without_tags_is_its_own_rendering(text):
    if not any(tag in text for tag in TAGS):
        assert Template.of(text).render({}) == text
        # Beside a tag it is Jinja that reads it, whose tags a brace before them would change.
        if not text.endswith("{"):
            assert Template.of(text + "{{ 1 }}{% if a %}{% endif %}").render({"a": 1}) == text + "1"


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**60), 2**60),
        st.floats(),
        st.text(),
        st.sampled_from(["{{ b }}", "{% raw %}", "{# x", "}}", "{"]),
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(VALUES)
def test_a_value_is_inserted_as_its_text_and_never_read_again(value):
    assert Template.of("{{ a }}").render({"a": value}) == as_text(value)
    assert Template.of("<{{ (a) }}>").render({"a": value}) == f"<{as_text(value)}>"
    assert Template.of("{% for a in xs %}{{ a }}{% endfor %}").render({"xs": [value]}) == as_text(value)


@given(st.text(alphabet="ab {\n", max_size=20), st.text(max_size=9), st.integers())
def test_the_quick_way_for_placeholders_alone_fills_in_what_jinja_does(text, first, second):
    assume("{{" not in text and not text.endswith("{"))
    expected, values = f"{text}{first} {second}", {"p": first, "q": second}
    assert Template.of(text + "{{ p }} {{q}}").render(values) == expected
    assert Template.of(text + "{{ p }} {{q}}{% if 0 %}{% endif %}").render(values) == expected


# --- what is not in the language ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "place", "message", "hint"),
    [
        ("{{ a", 3, "the template ends inside a tag", "close it, or end its block by {% endif %} or {% endfor %}"),
        ("ab {# c", 3, "a comment that begins with {# does not end", "a literal one is written {{ '{#' }}"),
        ("ab {#", 3, "a comment that begins with {# does not end", "a literal one is written {{ '{#' }}"),
        ("ab {% raw %}x", 3, "a {% raw %} without its {% endraw %}", None),
        ("ab {% raw %}", 3, "a {% raw %} without its {% endraw %}", None),
        ("{{ a b }}", 5, "expected token 'end of print statement', got 'b'", None),
        ("{{ $ }}", 3, "unexpected char '$'", None),
        ("\n\n  {{ a | uper }}", 11, "there is no filter `uper`", "did you mean `upper`?"),
        ("{% fro x in y %}", 3, "there is no tag `fro`", "did you mean `for`?"),
        ("{% do x %}", 3, "there is no tag `do`", "the tags are if, elif, else, for and raw"),
        ("x{% endif %}", 4, "`endif` has no open block", None),
        ("{% set x = 1 %}", 3, "a template sets no names", "set it in a step before, and name it here"),
        ("{{ a[0] }}", 4, "there is no index", "lists have the filters `first` and `last`, and {% for %}"),
        ("{{ a is defined }}", 5, "`is` is not in the language", "compare by `==`; what is missing is `none`"),
        ("{{ a ~ b }}", 3, "`~` is not in the language", "write one {{ }} after the other, or `+` between texts"),
        ("{{ a ** 2 }}", 3, "there is no power", None),
        ("{{ a, b }}", 3, "several values in one place", "write one {{ }} for each"),
        ("{{ [1] }}", 3, "lists are not written in a template", None),
        ("{{ {} }}", 3, "mappings are not in the language", "a literal brace is written {{ '{' }}"),
        ("{{{ a }}}", 6, "expected token ':', got '}'", "a brace before a value is written {{ '{' }}"),
        ("{% for a, b in c %}{% endfor %}", 7, "a loop gives one name to its items", None),
        ("{% for a in b if a %}{% endfor %}", 17, "a condition on a loop", "write {% if %} inside the loop"),
        ("{% for loop in b %}{% endfor %}", 7, "`loop` is the name of the loop itself", None),
        ("{% for a in b recursive %}{% endfor %}", 3, "a loop that calls itself", None),
        ("{{ a|default }}", 5, "`default` needs its text", "write `default(text)`"),
        ("{{ a|upper(1) }}", 5, "`upper` has too many arguments", "write `upper`"),
        ("{{ a|truncate(length=3) }}", 21, "`truncate` takes no argument `length`", "write `truncate(length)`"),
        ("{{ a|join(*b) }}", 5, "`join` takes no * arguments", None),
        ("{{ 1e999 }}", 3, "a number too large", None),
        ("{{ 123456789012345678901 }}", 3, "a number of more than 20 digits", None),
        ("{% filter upper %}{% endfilter %}", 3, "filters stand inside {{ }} only", None),
        ("{% with a = 1 %}{% endwith %}", 3, "a template sets no names", "set it in a step before, and name it here"),
        ("{% block a %}{% endblock %}", 3, "there are no blocks", "the tags are if, elif, else, for and raw"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_language_is_refused_with_its_place(template, place, message, hint):
    error = refusal(Template.of, template)
    assert (error.offset, error.message, error.hint) == (place, message, hint)
    assert isinstance(error, InvalidInputError)
    assert str(error) == (message if hint is None else f"{message}\n  hint: {hint}")


HOSTILE = {
    "dunder": "{{ x.__class__ }}",
    "dunder chain": "{{ x.__class__.__mro__ }}",
    "attr": '{{ x|attr("__class__") }}',
    "item": '{{ ""["__class__"] }}',
    "format": '{{ "{0.__class__}".format(x) }}',
    "format filter": '{{ "%s"|format(x) }}',
    "percent": '{{ "%s" % x }}',
    "wide percent": '{{ "%999999999d" % 1 }}',
    "range": "{{ range(10**9) }}",
    "repeated text": '{{ "a"*10**9 }}',
    "repeated text, plainly": '{{ "a"*1000000000 }}',
    "power": "{{ 9**9**9**9 }}",
    "loop over range": "{% for a in range(10) %}{% for b in range(10) %}{% endfor %}{% endfor %}",
    "lipsum": "{{ lipsum() }}",
    "cycler": "{{ cycler(1, 2) }}",
    "joiner": "{{ joiner() }}",
    "namespace": "{{ namespace(a=1) }}",
    "dict": "{{ dict(a=1) }}",
    "self": "{{ self }}",
    "self inside": "{{ self.__init__ }}",
    "caller": "{{ caller }}",
    "include": "{% include 'a' %}",
    "import": "{% import 'a' as b %}",
    "from": "{% from 'a' import b %}",
    "extends": "{% extends 'a' %}",
    "macro": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "call": "{% call a() %}{% endcall %}",
    "method": "{{ [].append }}",
    "parentheses": "{{" + "(" * 30_000 + "a" + ")" * 30_000 + "}}",
    "lists": "{{" + "[" * 30_000,
    "nots": "{{" + "not " * 15_000 + "a}}",
    "minuses": "{{" + "- " * 30_000 + "a}}",
    "conditions": "{{" + "a if a else " * 5_000 + "a}}",
    "sums": "{{" + "+".join("a" * 4_000) + "}}",
    "fields": "{{ a" + ".a" * 4_000 + "}}",
    "filters": "{{ a" + "|trim" * 4_000 + "}}",
    "blocks": "{% if a %}" * 6_000,
    "loops": "{% for a in a %}" * 4_000,
    "elses": "{% if a %}" + "{% else %}{% if a %}" * 3_000,
    "comparisons": "{{" + "(a<" * 40 + "a" + ")" * 40 + "}}",
    "large": "a" * 70_000,
    "many tags": "{{a}}{{a+1}}" * 5_000,
    "raw": "{% raw %}" * 7_000,
    "raw with spaces": "{% raw" + " " * 60_000,
    "comments": "{#" * 30_000,
    "braces": "{" * 60_000,
    "look-alike": "{{ \u0430 }}",
    "ligature": "{{ \ufb01 }}",
    "look-alike field": "{{ a.\u0435 }}",
    "undefined with a default": "{{ x.y is defined }}",
    "undefined test": "{{ x if x is undefined }}",
    "long number": "{{ " + "9" * 5_000 + " }}",
    "hexadecimal": "{{ 0x" + "f" * 5_000 + " }}",
    "name of a character": '{{ "\\N{' + "A" * 1_000 + '}" }}',
    "autoescape": "{% autoescape true %}{{ a }}{% endautoescape %}",
    "trans": "{% trans %}a{% endtrans %}",
    "debug": "{% debug %}",
}


@pytest.mark.parametrize("template", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_hostile_is_refused_when_it_is_read(template):
    tracemalloc.start()
    try:
        refusal(Template.of, template)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["cycler", "namespace", "range", "lipsum", "dict", "joiner", "x"])
def test_a_global_of_jinja_is_a_name_without_a_value(name):
    template = Template.of(f"{{{{ {name} }}}}{{{{ {name}|default('') }}}}")
    assert refusal(template.check, {}).message == f"there is no `{name}` here"
    assert refusal(template.render, {}).message == f"there is no value for `{name}`, only: nothing"


def test_line_statements_and_line_comments_are_plain_text():
    assert (
        Template.of("# for x in y\n## note\n% if a\n{{ b }}").render({"b": 1})
        == "# for x in y\n## note\n% if a\n1"
    )


class Python:
    secret = "s"

    def method(self):
        return self.secret


@pytest.mark.parametrize("template", ["{{ a.secret }}", "{{ a.method }}", "{{ b.append }}", "{{ c.upper }}"])
def test_attributes_of_python_are_no_fields(template):
    values = {"a": Python(), "b": [1], "c": "t"}
    assert refusal(Template.of(template).render, values).message.endswith(f"has no field `{template[5:-3]}`")


def test_a_value_of_python_is_not_inserted():
    error = refusal(Template.of("ab {{ a }}").render, {"a": Python()})
    assert (error.message, error.offset) == ("a Python cannot be put into a text", 6)
    places = {
        "{{ a|trim }}": 5,
        "{{ 'x' if b else a }}": 3,
        "{% if 1 %}{{ a }}{% endif %}": 13,
        "{{ l|join('') }}": 5,
    }
    for template, place in places.items():
        error = refusal(Template.of(template).render, {"a": Python(), "b": 0, "l": [Python()]})
        assert (error.message, error.offset) == ("a Python cannot be put into a text", place)


def test_loops_take_as_many_turns_as_they_may_and_no_more():
    template = Template.of("{% for a in xs %}{% for b in ys %}{% endfor %}{% endfor %}.")
    assert template.render({"xs": list(range(100)), "ys": list(range(99))}) == "."
    assert (
        "10,000 turns" in refusal(template.render, {"xs": list(range(100)), "ys": list(range(100))}).message
    )


@pytest.mark.parametrize("template", ["{{ a }}", "{{ a|default('') }}"])
def test_a_filled_text_is_as_long_as_it_may_be_and_no_longer(template):
    most = 4 * 1024 * 1024
    assert len(Template.of(template).render({"a": "x" * most})) == most
    assert "longer than 4,194,304" in refusal(Template.of(template).render, {"a": "x" * (most + 1)}).message


BIG = list(range(3_000))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for a in xs %}{% for b in xs %}{% endfor %}{% endfor %}", "its loops take more than 10,000 turns"),
        ("{% for a in xs %}" * 10 + "{% endfor %}" * 10, "its loops take more than 10,000 turns"),
        ("{% for a in xs %}{{ t }}{% endfor %}", "filled in, it is longer than 4,194,304 characters"),
        ("{{ t }}" * 100, "filled in, it is longer than 4,194,304 characters"),
        ("{{ t }} {{ t }} {{ a }}" * 50, "filled in, it is longer than 4,194,304 characters"),
        ("{{ xs|join(t) }}", "filling it takes too much work"),
        ("{% for a in xs %}{{ t|upper == '' }}{% endfor %}", "filling it takes too much work"),
        ("{% for a in xs %}{{ 'zz' in t }}{% endfor %}", "filling it takes too much work"),
        ("{% for a in xs %}{{ (t + t + t) == t }}{% endfor %}", "filling it takes too much work"),
        ("{% for a in xs %}" + "{% if n.text %}{% endif %}" * 200 + "{% endfor %}", "filling it takes too much work"),
        ("{{ t|indent(101) }}", "`indent` takes a whole number from 0 to 100"),
        ("{{ t|truncate(-1) }}", "`truncate` takes a whole number from 0 to 4,194,304"),
        ("{{ t * 1000 }}", "`*` needs a number, and this is a text"),
        ("{{ xs * 1000 }}", "`*` needs a number, and this is a list, each item a number"),
    ],
)  # fmt: skip
def test_filling_stays_within_its_bounds(template, message):
    values = {"xs": BIG, "t": "t" * 90_000, "a": "", "n": one("x")}
    values = {name: values[name] for name in Template.of(template).names}
    tracemalloc.start()
    try:
        assert refusal(Template.of(template).render, values).message == message
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_products_beyond_whole_numbers_are_rounded_and_those_beyond_all_are_missing():
    assert Template.of("{{ a * a * a * a }}").render({"a": 2**53}) == repr(float(2**53) ** 4)
    assert Template.of("[{{ a * a }}]").render({"a": 1e308}) == "[]"


PIECES = st.lists(
    st.sampled_from(
        [*"{}%#ab.|()'\" \n[]+-*,0", "{{", "}}", "{%", "%}", "if ", "for ", "in ", "{% endif %}"]
    ),
    max_size=30,
)


@settings(max_examples=100)
@given(PIECES.map("".join))
def test_any_text_is_a_template_or_refused(text):
    error = None
    try:
        template = Template.of(text)
        template.render(dict.fromkeys(template.names, "v"))
    except TemplateError as caught:
        error = caught
    assert error is None or (error.message and 0 <= (error.offset or 0) <= len(text))


# --- types ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [
        "{{ name }} {{ count }} {{ done }} {{ given }} {{ words }} {{ draft }} {{ none }}",
        "{{ draft.text }} {{ drafts.best.score }} {{ drafts.texts }}",
        "{% for one in drafts %}{{ loop.index }} {{ one.text }}{% endfor %}",
        "{% if drafts %}{% if given %}{{ given == none }}{% endif %}{% endif %}",
        "{{ count + 1 }} {{ name + '!' }} {{ drafts.best.score > 0.5 }} {{ drafts.best.text|upper }}",
        "{{ words|first|upper }} {{ words|length }} {{ drafts|length }} {{ drafts.texts|join(', ') }}",
        "{{ given|default('none') }} {{ done or given == none }} {{ draft if done else 'none' }} {{ count if done }}",
        "{{ 'a' in name }} {{ name in words }} {{ words|join(name) }} {{ name|truncate(count) }}",
        "{% for name in words %}{{ name|trim }}{% endfor %}{{ (drafts|last).text }}",
        "{{ given == name }} {{ 'yes' != given }} {{ given in words }}",
        "{{ hidden.field + 1 }} {{ name if hidden else count }} {% if hidden > 1 %}{{ hidden }}{% endif %}",
        "{% for one in shown.each %}{{ one.anything }}{% endfor %}",
        "{{ drafts.best.score|round(count) }} {{ -count }} {{ not done }}",
        "{% if not name and (given or words) %}{% endif %}{{ 'there' if name or count }}",
    ],
)
def test_what_fits_is_let_through(template):
    assert Template.of(template).check(TYPES) is None


@pytest.mark.parametrize(
    ("template", "place", "message", "hint"),
    [
        ("{{ nam }}", 3, "there is no `nam` here", "did you mean `name`?"),
        ("{{ a }}", 3, "there is no `a` here",
         "there is: count, done, draft, drafts, given, hidden, name, shown, words"),
        ("{{ draft.txt }}", 9, "a candidate has no field `txt`", "did you mean `text`?"),
        ("{{ draft . zzz }}", 11, "a candidate has no field `zzz`", "its fields: score, text"),
        ("{{ name.text }}", 8, "a text has no fields", None),
        ("{{ hidden + 1 }}{{ name.text }}", 24, "a text has no fields", None),
        ("{% for one in hidden %}{{ one.any }}{{ name.text }}{% endfor %}", 44, "a text has no fields", None),
        ("{{ drafts }}", 3, "candidates has no text to be put in here", "name a field: best, texts"),
        ("{{ drafts|upper }}", 3, "candidates has no text to be put in here", "name a field: best, texts"),
        ("{% for a in drafts %}{{ loop }}{% endfor %}", 24, "the loop has no text to be put in here",
         "name a field: first, index, last"),
        ("{% for a in name %}{% endfor %}", 12, "`for` needs a list, and this is a text", None),
        ("{% for a in words %}{{ a.text }}{% endfor %}", 25, "a text has no fields", None),
        ("{% for a in words %}{% endfor %}{{ a }}", 35, "there is no `a` here",
         "there is: count, done, draft, drafts, given, hidden, name, shown, words"),
        ("{{ name + 1 }}", 10, "`+` needs a text, and this is a number", None),
        ("{{ count + name }}", 11, "`+` needs a number, and this is a text", None),
        ("{{ count * name }}", 11, "`*` needs a number, and this is a text", None),
        ("{{ -name }}", 4, "`-` needs a number, and this is a text", None),
        ("{{ name < name }}", 3, "`<` needs a number, and this is a text", None),
        ("{{ given == count }}", 12, "`==` needs an answer, and this is a number", None),
        ("{{ count in words }}", 3, "`in` needs a text, and this is a number", None),
        ("{{ words == words }}", 3,
         "`==` needs a number, a text, an answer or true or false, and this is a list, each item a text", None),
        ("{{ name or 'nobody' }}", 3, "`or` needs true or false, and this is a text",
         "what stands for a missing value is written `|default('...')`"),
        ("{{ not name }}", 7, "`not` needs true or false, and this is a text", None),
        ("{{ (count if done else name) + '!' }}", 4,
         "`+` needs a number or a text, and this is a number or a text", None),
        ("{{ name|first }}", 3, "`first` needs a list, and this is a text", None),
        ("{{ count|length }}", 3, "`length` needs a list, and this is a number", None),
        ("{{ name|round }}", 3, "`round` needs a number, and this is a text", None),
        ("{{ words|join(1) }}", 14, "`join` needs a text, and this is a number", None),
        ("{{ name|truncate('a') }}", 17, "`truncate` needs a number, and this is a text", None),
        ("{{ drafts|join(', ') }}{{ drafts if done else name }}", 26, "this is either candidates or a text", None),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(template, place, message, hint):
    error = refusal(Template.of(template).check, TYPES)
    assert (error.offset, error.message, error.hint) == (place, message, hint)


# --- measuring -----------------------------------------------------------------------------------------------

DRAFT = Size(tokens=10)
THREE = Size(tokens=30, count=3, item=DRAFT)


@pytest.mark.parametrize(
    ("template", "text", "inserted"),
    [
        ("{{ known }}: {{ draft }}", "two words: ", 10),
        ("{{ draft.text }}{{ draft }}", "", 20),
        ("{{ known|upper }} {{ known|length + 1 }}", "TWO WORDS 10", 0),
        ("{% for d in drafts %}- {{ d.text }}\n{% endfor %}", "- \n- \n- \n", 30),
        ("{% for d in drafts %}{{ loop.index }}{% endfor %}", "", 15),
        ("{% for k in list %}{{ k }}{{ loop.index }}{{ draft }}{% endfor %}", "p1q2", 20),
        ("{% for k in list %}{% for d in drafts %}{{ k }}{{ d }}{% endfor %}{% endfor %}", "pppqqq", 60),
        ("{% for draft in list %}{{ draft }}{% endfor %}", "pq", 0),
        ("{% for known in drafts %}{{ known }}{% endfor %}{{ known }}", "two words", 30),
        ("{% if draft %}yes {{ draft }}{% else %}no {{ draft }}{% endif %}", "yes no ", 20),
        ("{% if known %}yes{{ draft }}{% else %}no{% endif %}", "yes", 10),
        ("{% if draft %}a{% elif known %}b{% else %}c{% endif %}", "ab", 0),
        ("{{ drafts.texts }}", ", , ", 30),
        ("{{ drafts|join('--') }}", "", 34),
        ("{{ drafts|first }}{{ draft|truncate(2) }}", "", 18),
        ("{{ draft + known }}", "", 24),
        ("{{ draft|default('twelve bytes') }}", "", 12),
        ("{{ draft.score > 1 }}", "", 5),
        ("{{ draft|indent }}{{ drafts|trim }}", "", 84),
        ("{{ draft|indent(draft) }}{{ known|indent(draft) }}", "", 1919),
        ("{{ draft|upper }}", "", math.inf),
        ("{{ endless }}", "", math.inf),
    ],
)
def test_what_is_not_known_is_left_out_and_counted(template, text, inserted):
    sizes = {"draft": DRAFT, "drafts": THREE, "endless": Size(tokens=math.inf)}
    measured = Template.of(template).measure({"known": "two words", "list": ["p", "q"]}, sizes)
    assert (measured.text, measured.inserted) == (text, inserted)


def test_a_condition_asks_of_any_value_whether_it_is_there():
    template = Template.of("{% if a and not (b or c) %}there{% else %}not there{% endif %}")
    for a, b, c, said in [("x", "", None, "there"), ("x", "y", None, "not there"), ([1], [], 0, "there")]:
        values = {"a": a, "b": b, "c": c}
        assert template.render(values) == template.measure(values, {}).text == said


def test_any_name_can_be_measured():
    measured = Template.of("{{ result|upper }}{% if result %}!{% endif %}").measure({"result": "a"}, {})
    assert (measured.text, measured.inserted) == ("A!", 0)


def test_a_field_can_have_a_size_of_its_own():
    draft = Size(tokens=10, fields={"answer": Size(tokens=2)})
    assert Template.of("{{ d.answer }}").measure({}, {"d": draft}).inserted == 2
    assert (
        Template.of("{{ (d if x else e).answer }}").measure({}, {"d": draft, "e": DRAFT, "x": DRAFT}).inserted
        == 10
    )


def test_loops_of_unknown_length_have_no_bound():
    drafts = Size(tokens=math.inf, count=math.inf, item=DRAFT)
    assert (
        Template.of("{% for d in ds %}{{ d }}{% endfor %}").measure({}, {"ds": drafts}).inserted == math.inf
    )
    assert Template.of("{{ ds }}").measure({}, {"ds": drafts}).inserted == math.inf


def test_nothing_is_measured_of_what_nothing_is_known_of():
    assert refusal(Template.of("a {{ b }}").measure, {}, {}).message == "nothing is known of `b`"


PARTS = st.sampled_from(
    [
        "{{ a }}",
        "{{ b }}",
        "{{ b|upper }}",
        "{{ xs|join('-') }}",
        "{% for x in xs %}{{ x }}{{ loop.index }},{% endfor %}",
        "{% if a %}p{% else %}q{% endif %}",
        "{{ a|default('z') }}",
        " text ",
    ]
)


@given(st.lists(PARTS, max_size=6), st.text(max_size=9), st.lists(st.text(max_size=5), max_size=4))
def test_when_all_is_known_what_is_measured_is_the_text(parts, word, words):
    values = {"a": word or None, "b": word, "xs": words}
    template = Template.of("".join(parts))
    measured = template.measure(values, {})
    assert (measured.text, measured.inserted) == (template.render(values), 0)


@given(
    st.lists(PARTS.filter(lambda part: "upper" not in part), max_size=6),
    st.text(max_size=9),
    st.lists(st.text()),
)
def test_what_is_filled_in_has_at_most_the_bytes_that_were_measured(parts, word, words):
    # With a tokenizer that has a token for each byte.
    values = {"a": word or None, "b": word, "xs": words}
    size = Size(tokens=len(word.encode()))
    many = Size(tokens=sum(len(part.encode()) for part in words), count=len(words),
                item=Size(tokens=max((len(part.encode()) for part in words), default=0)))  # fmt: skip
    template = Template.of("".join(parts))
    measured = template.measure({}, {"a": size, "b": size, "xs": many})
    assert len(template.render(values).encode()) <= len(measured.text.encode()) + measured.inserted


# --- prompts -------------------------------------------------------------------------------------------------


def test_prompts_are_templates():
    assert fill("{% for w in words %}{{ w }};{% endfor %}", {"words": ("a", 1), "more": 2}) == "a;1;"


def test_what_a_record_has_of_no_kind_of_the_language_is_inserted_in_its_words():
    assert fill("{{ a }} {{ b }}", {"a": {"k": 1}, "b": [{"k": 2}]}) == "{'k': 1} {'k': 2}"
    assert fill("{{ a.text }}", {"a": one("said")}) == "said"


def test_the_first_name_that_there_is_not_is_told():
    with pytest.raises(
        InvalidInputError, match=r"^the template names \{\{ z \}\}, but the judge has only: a$"
    ):
        fill("{{ a }} {{ z }} {{ b }}", {"a": 1}, of="the judge")


def test_nothing_is_known_of_what_a_filter_makes_that_does_not_say(monkeypatch):
    monkeypatch.setattr(measuring, "FILTERS", {})
    assert Template.of("{{ draft | trim }}").measure({}, {"draft": DRAFT}).inserted == math.inf
