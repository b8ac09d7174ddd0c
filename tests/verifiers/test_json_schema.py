import sys

import pytest

from orchestrator import Problem, load
from orchestrator.errors import InvalidInputError, ProgramFileError
from orchestrator.types import Candidate, Sample
from orchestrator.verifiers import JsonSchema

ITEM = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "prices": {"type": "array", "items": {"$ref": "#/$defs/price"}},
    },
    "required": ["name"],
    "additionalProperties": False,
    "$defs": {"price": {"type": "number", "minimum": 0}},
}
PROBLEM = Problem(id="p", prompt="?")


def verdict(text, schema=ITEM, *, finish_reason="stop", **options):
    candidate = Candidate(sample=Sample(text=text, finish_reason=finish_reason), answer=None)
    score = JsonSchema(schema=schema, **options).judge(PROBLEM, candidate)
    return score.reason or score.value


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "tea", "prices": [1, 2.5]}',
        '  {"name": "tea"}\n',
        'Here it is:\n```json\n{"name": "tea"}\n```\nEnjoy.',
        '<think>{"name": 1}</think>{"name": "tea"}',
    ],
)
def test_a_value_that_satisfies_the_schema_is_right(text):
    assert verdict(text) == 1.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"name": 1}', "at $.name: 1 is not of type 'string'"),
        ('{"name": "tea", "prices": [1, -2]}', "at $.prices[1]: -2 is less than the minimum of 0"),
        ("{}", "at $: 'name' is a required property"),
        ('{"name": "a", "name": "b"}', "no JSON in the text"),
        ('{"name": NaN}', "no JSON in the text"),
        ('{"name": "tea"', "no JSON in the text"),
        ("tea", "no JSON in the text"),
        ("", "no JSON in the text"),
        ("[" * 100_000 + "]" * 100_000, "no JSON in the text"),
    ],
)
def test_the_reason_says_where_and_what_is_wrong(text, reason):
    assert verdict(text) == reason


def test_the_whole_text_may_have_to_be_the_json():
    assert verdict('{"name": "tea"}', whole=True) == 1.0
    assert verdict('Sure: {"name": "tea"}', whole=True) == (
        "the text is not JSON: Expecting value at line 1, column 1"
    )
    assert (
        verdict('{"name": "a", "name": "b"}', whole=True)
        == "the text is not JSON: an object has a name twice"
    )
    assert verdict("[" * 100_000, whole=True) == "the JSON is nested too deeply"
    assert verdict("9" * 5000, {"type": "integer"}, whole=True).startswith(
        "the text is not JSON: Exceeds the limit"
    )


def test_a_number_cut_off_by_the_token_cap_is_not_taken_for_whole():
    assert verdict("12", {"type": "integer"}) == 1.0
    assert verdict("12", {"type": "integer"}, finish_reason="length") == "no JSON in the text"


def test_a_value_deeper_than_a_recursive_schema_can_be_followed_is_wrong():
    nested = {"type": "array", "items": {"$ref": "#"}}
    assert verdict("[[[]]]", nested) == 1.0
    assert verdict("[" * 900 + "]" * 900, nested, whole=True) == "the JSON is nested too deeply"


def test_references_lead_to_places_inside_the_schema_and_nothing_is_fetched():
    named = {"$id": "urn:shop", "$ref": "price", "$defs": {"p": {"$id": "urn:price", "type": "number"}}}
    assert verdict("2", {**named, "$ref": "urn:price"}) == 1.0
    for reference in ("http://127.0.0.1:9/price.json", "#/$defs/absent", "urn:absent"):
        schema = {"type": "array", "items": {"$ref": reference}}
        with pytest.raises(InvalidInputError, match="which is not in it; put it under `\\$defs`"):
            JsonSchema(schema=schema)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"properties": {"a": {"type": "text"}}}, r"schema, at \$.properties.a.type: 'text' is not valid"),
        ("object", "schema must be a mapping"),
        ({"const": {1, 2}}, "schema must be JSON"),
        ({"$schema": "http://example.invalid/draft-99"}, "is no draft"),
    ],
)
def test_what_is_no_schema_is_refused_when_it_is_given(schema, message):
    with pytest.raises(InvalidInputError, match=message):
        JsonSchema(schema=schema)


def test_the_draft_is_the_one_the_schema_names():
    pair = {"items": [{"type": "string"}, {"type": "number"}]}  # a list of schemas: up to draft 2019-09
    assert verdict('["a", 1]', {"$schema": "http://json-schema.org/draft-07/schema#", **pair}) == 1.0
    with pytest.raises(InvalidInputError, match=r"at \$.items"):
        JsonSchema(schema=pair)


def test_two_of_the_same_schema_are_one():
    assert JsonSchema(schema={"type": "object", "title": "x"}) == JsonSchema(
        schema={"title": "x", "type": "object"}
    )
    assert len({JsonSchema(schema=ITEM), JsonSchema(schema=ITEM), JsonSchema(schema=ITEM, whole=True)}) == 2


def test_without_jsonschema_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(InvalidInputError, match=r'pip install "orchestrator\[schema\]"'):
        JsonSchema(schema=ITEM)


def test_a_program_file_can_have_a_schema(tmp_path):
    path = tmp_path / "shop.yaml"
    text = """
version: 1
models: {m: {local: gemma-3-270m}}
program:
  best_of_n:
    n: 2
    verifier:
      json_schema:
        whole: true
        schema: {type: object, required: [name], properties: {size: {minimum: 1.5}}}
"""
    path.write_text(text)
    verifier = load(path).strategy.verifier
    assert verifier == JsonSchema(
        schema={"type": "object", "required": ["name"], "properties": {"size": {"minimum": 1.5}}}, whole=True
    )
    path.write_text(text.replace("type: object", "type: thing"))
    with pytest.raises(ProgramFileError, match=r"shop.yaml:10:\d+: schema, at \$.type: 'thing' is not valid"):
        load(path)
