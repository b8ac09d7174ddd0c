import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from programs.instances import instance, saved_files
from programs.test_language import BLOCKS, whole
from programs.test_writing import EVERY, composed

from orchestrator import dump, loads
from orchestrator.cli import main
from orchestrator.errors import ProgramFileError
from orchestrator.primitives import PRIMITIVES
from orchestrator.programs.document import parse
from orchestrator.programs.registries import REGISTRIES, STRATEGIES
from orchestrator.programs.schema import DIALECT, schema

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
FILES = sorted([*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("composed/**/*.yaml")])
README = re.findall(r"```yaml\n(.*?)```", (EXAMPLES.parent / "README.md").read_text(), re.DOTALL)
INVALID = Path(__file__).parent / "invalid"
SHAPE = re.compile(
    r"unknown key|is missing in|must be (a |one of|exactly|true)|expected (one|a mapping|a list\b(?!,))"
)
OPEN = {
    "answer_kind_unknown",  # other packages have kinds of answers
    "for_each_of_a_number",  # an expression is a text like any other
}
HEAD = "version: 1\nmodels: {tiny: {local: gemma-3-270m}}\n"


@pytest.fixture(scope="module")
def validator():
    made = schema(installed=False)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return saved_files(tmp_path_factory.mktemp("saved"))


def takes(validator, text):
    return validator.is_valid(parse(text, file="<text>").data)


def test_the_schema_beside_the_examples_is_the_one_that_is_made():
    committed = json.loads((EXAMPLES / "program.schema.json").read_text())
    assert committed == json.loads(json.dumps(schema(installed=False))), (
        "write it: orchestrator schema --built-in -o FILE"
    )
    assert committed["$schema"] == DIALECT
    assert "$id" not in committed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_example_names_the_schema_and_follows_it(path, validator):
    text = path.read_text()
    way = "../" * len(path.parent.relative_to(EXAMPLES).parts)
    assert text.splitlines()[0] == f"# yaml-language-server: $schema={way}program.schema.json"
    assert takes(validator, text)


@pytest.mark.parametrize("block", [*BLOCKS, *README])
def test_every_file_in_the_documents_follows_the_schema(block, validator):
    assert takes(validator, block if "version: 1" in block else whole(block))


@settings(max_examples=30, deadline=None)
@given(program=composed())
def test_composed_programs_follow_the_schema(validator, program):
    assert takes(validator, HEAD + dump(program).removeprefix("version: 1\n"))
    assert takes(validator, HEAD + dump(EVERY).removeprefix("version: 1\n"))


@pytest.mark.parametrize("key", STRATEGIES.parts)
def test_strategies_of_any_parameters_follow_the_schema(key, validator, files):
    import random

    for seed in range(5):
        text = dump(instance(random.Random(seed), STRATEGIES.parts[key], files))
        assert takes(validator, HEAD + text.removeprefix("version: 1\n")), text


GOOD = [
    "program: single",
    "program: {single: }",
    "program: {self_consistency: 8}",
    "program: {cascade: [{self_consistency: 4, accept: agreement >= 0.5}, single]}",
    "program: {cascade: [{mine: , accept: judge >= 1}, {steps: [{return: problem.text}], carry: true}, mine]}",
    "program: {adaptive: {accept: {scored: strict}}}",
    "check: stated_confidence\nprogram: best_of_n",
    "check: {required_words: }\nprogram: {best_of_n: 4}",
    "program: mine\nprograms: {mine: {revise: }}\nverifiers: {strict: {regex: a}}",
    "program: {steps: [{id: a, self_consistency: 4, problem: 'x'}, {strict: {of: a}}, {mine: , problem: x}]}",
    "program: {steps: [{id: a, sample: }, {judge: {of: a, model: b}}, {perplexity: a}, {return: {vote: a}}]}",
    "program: {steps: [{repeat: {max: 2, until: true, steps: [{set: {a: 1}}]}}, {fail: 'no'}], outputs: {a: 1}}",
    "program: {steps: [{id: a, sample: {prompt: {use: brief}}}, {return: {value: a, confidence: 0.5}}]}",
    "program: {cascade: [{mine: {}, accept: agreement >= 0.5}, {mine: {}}]}",
    "program: {steps: [{id: a, mine: {}}, {id: b, mine: {}, problem: 'x'}, {return: b}]}",
    "program: {mine: {}}",
    "program: {best_of_n: {verifier: {strict: {}}}}",
    "program: {steps: [{if: true, then: [{return: 1}], else: []}, {return: 2}]}",
    "program: {steps: [{parallel: {a: [{fail: x}], b: [{fail: x}]}, wait: first(2)}]}",
    "program: {steps: [{repeat: {max: 1000, steps: [{fail: x}]}}]}",
    "program: {adaptive: {n: 2, start: 2}}",
    "program: {self_consistency: {n: 10000, temperature: 0}}",
    "program: {adaptive: {n: 20000}}",
    "program: {steps: [{id: a, sample: {n: 20000, per_call: 2}}, {return: a}]}",
    "program: {steps: [{let: {}}, {return: 1}]}",
    "program: {steps: [{id: a, sample: {prompt: null, temperature: null}}, {return: a}]}",
    "program: {steps: [{fail: x}]}\noutputs: {}",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_can_be_written_is_taken(text, validator):
    assert takes(validator, HEAD + text)


BAD = [
    "program: {self_consistency: {n: eight}}",
    "program: {self_consistency: {n: 8, m: 1}}",
    "program: {self_consistency: {n: 8}, single: {}}",
    "program: {self_consistncy: {n: 8}}",
    "program: {mcts: {prior: best}}",
    "program: {best_of_n: {n: 4}}",
    "program: best_of_n",
    "check: null\nprogram: best_of_n",
    "program: {best_of_n: {verifier: {consistency: {by: x}}}}",
    "program: {debate: {until_agreed: 1}}",
    "program: []",
    "program: 3",
    "program: {cascade: [{single: , self_consistency: }]}",
    "program: {cascade: [{single: , carry: 1}]}",
    "program: {cascade: [{single: , caryr: true}]}",
    "program: {cascade: [{accept: agreement}]}",
    "program: {adaptive: {accept: agreement > 0.5}}",
    "program: {self_consistency: {stop: leed}}",
    "program: {self_consistency: {stop: {after: {n: 3}}}}",
    "program: {steps: [{sample: {}, vote: a}]}",
    "program: {steps: [{sample: {}, strict: {of: a}}]}",
    "program: {steps: [{sample: {n: 1.5}}]}",
    "program: {steps: [{smaple: {n: 4}}]}",
    "program: {steps: [{id: a}]}",
    "program: {steps: [{id: 3, sample: }]}",
    "program: {steps: [{sample: {n: 4}, wait: all}]}",
    "program: {steps: [{vote: {}}]}",
    "program: {steps: [{repeat: {until: a, steps: []}}]}",
    "program: {steps: [{if: a}]}",
    "program: {steps: [{if: a, then: {sample: }}]}",
    "program: {steps: [{judge: {model: tiny}}]}",
    "program: {steps: [{return: {value: a, vote: b}}]}",
    "program: {steps: [{return: }]}",
    "program: {steps: [{let: {a: [1]}}]}",
    "program: {steps: [], single: }",
    "program: {outputs: {a: b}}",
    "program: single\nbudget: {tokens: 5}",
    "program: single\nbudget: {requests: 1.5}",
    "program: single\nmodel: x",
    "program: single\nprompt: {template: 3}",
    "program: single\nproblem: {fields: {a: date}}",
    "program: single\nanswer: {units: metres}",
    "program: single\nprograms: {my program: single}",
    "program: single\ninclude: models.yaml",
    "program: {steps: []}",
    "program: {steps: [{id: a, parallel: {b: [{fail: x}], c: [{fail: x}]}, wait: first 2}]}",
    "program: {steps: [{parallel: {b: [{fail: x}]}, wait: any}]}",
    "program: {steps: [{parallel: {b: []}}]}",
    "program: {steps: [{parallel: {}}]}",
    "program: {steps: [{repeat: {max: 0, steps: [{fail: x}]}}]}",
    "program: {steps: [{repeat: {max: 1001, steps: [{fail: x}]}}]}",
    "program: {steps: [{repeat: {max: 2, steps: []}}]}",
    "program: {steps: [{if: true, then: []}, {return: 1}]}",
    "program: {steps: [{switch: []}, {return: 1}]}",
    "program: {steps: [{branch: {budget: {requests: -1}, steps: [{fail: x}]}}]}",
    "program: {steps: [{id: a, sample: {n: 0}}, {return: a}]}",
    "program: {steps: [{id: a, sample: {temperature: -1}}, {return: a}]}",
    "program: {steps: [{id: a, sample: {top_p: 1.5}}, {return: a}]}",
    "program: {steps: [{id: a, sample: 0}, {return: a}]}",
    "program: {steps: [{id: a, sample: }, {id: v, vote: []}, {return: v}]}",
    "program: {steps: [{id: and, sample: }, {return: 1}]}",
    "program: {steps: [{let: {none: 1}}, {return: 1}]}",
    "program: {steps: [{let: {a: ''}}, {return: a}]}",
    "program: {steps: [{for_each: {in: '[1]', as: a b, steps: [{fail: x}]}}]}",
    "program: {steps: [{id: a, sample: }, {id: b, mine: {of: a, n: 4}}]}\nverifiers: {mine: {regex: a}}",
    "program: {self_consistency: 0}",
    "program: {self_consistency: {stop: {any: []}}}",
    "program: {self_consistency: {stop: {beta: 1}}}",
    "program: {self_consistency: {stop: {majority: {threshold: 1.1}}}}",
    "program: {adaptive: {factor: 1}}",
    "program: {debate: {agents: 1}}",
    "program: {fusion: {proposers: 1001}}",
    "program: {best_of_n: {verifier: {composite: []}}}",
    "program: {cascade: [{single: , budget: {usd: -1}}]}",
    "program: {branch: {}}",
    "program: judge",
    "program: single\nverifiers: {judge: {regex: a}}",
    "program: single\nprograms: {wait: single}",
    "program: single\noutputs: {a: 1}",
    "program: single\nanswer: {labels: []}",
    "program: single\nanswer: {labels: [yes-no]}",
    "program: single\nanswer: {labels: [a, a]}",
    "program: {self_consistency: {n: 4, stop: {any: [lead, null]}}}",
    "program: {best_of_n: {verifier: {composite: [null]}}}",
    "program: {router: {programs: [single, null], thresholds: [0.5]}}",
    "program: {cascade: [null, single]}",
    "program: {steps: [{switch: [null]}, {return: problem.text}]}",
    "program: {adaptive: {accept: null}}",
    "program: {tree_of_thoughts: {verifier: null}}",
    "program: {router: {models: [tiny, tiny], scorer: null}}",
    "program: {self_consistency: {n: null}}",
    "program: {self_consistency: {n: true}}",
    "program: {steps: [{if: true, then: null, else: [{return: 1}]}]}",
    "program: {steps: [{id: a, sample: }, {id: v, vote: [a, [a]]}, {return: v}]}",
    "program: {steps: [{id: a, sample: }, {id: v, vote: {of: null}}, {return: v}]}",
    "program: single\nbudget: {requests: 4.5}",
    "program: {steps: [{id: a, sample: {stop: ['']}}, {return: a}]}",
    "check: {judge: {samples: 10001, temperature: 1}}\nprogram: single",
    "check: {regex: a}\nprogram: {test_and_repair: {n: 10001}}",
]


@pytest.mark.parametrize("text", BAD)
def test_what_the_loader_refuses_for_its_shape_the_schema_refuses(text, validator):
    with pytest.raises(ProgramFileError):
        loads(HEAD + text)
    assert not takes(validator, HEAD + text)


@pytest.mark.parametrize(
    ("text", "same"),
    [("program: {steps: [{if: true, then: [{return: 1}], else: null}, {return: 2}]}",
      "program: {steps: [{if: true, then: [{return: 1}]}, {return: 2}]}"),
     ("program: {steps: [{switch: [{when: true, steps: [{return: 1}]}], else: null}, {return: 2}]}",
      "program: {steps: [{switch: [{when: true, steps: [{return: 1}]}]}, {return: 2}]}"),
     ("program: {steps: [{id: a, sample: {n: 4.0, stop: null}}, {return: a}]}",
      "program: {steps: [{id: a, sample: {n: 4}}, {return: a}]}"),
     ("program: {self_consistency: {n: 4.0, monitors: null, stop: null}}", "program: {self_consistency: {n: 4}}"),
     ("program: {cascade: {tiers: null}}", "program: cascade"),
     ("program: single\nbudget: {requests: 4.0}", "program: single\nbudget: {requests: 4}"),
     ("program: {revise: null}", "program: revise")],
)  # fmt: skip
def test_what_is_written_in_another_way_is_taken_as_the_same(text, same, validator):
    written, usual = loads(HEAD + text), loads(HEAD + same)
    assert written == usual
    assert written.budget == usual.budget
    assert dump(written) == dump(usual)
    assert takes(validator, HEAD + text)
    assert takes(validator, HEAD + same)


@pytest.mark.parametrize("version", ["true", "2", "1.5", "'1'", "null"])
def test_no_other_version_is_taken(version, validator):
    text = f"{HEAD.replace('version: 1', f'version: {version}')}program: single"
    with pytest.raises(ProgramFileError, match=r"`version` must be 1, not"):
        loads(text)
    assert not takes(validator, text)


def test_the_schema_refuses_every_invalid_file_whose_shape_is_wrong(validator):
    passed, refused = set(), set()
    for path in sorted(INVALID.glob("*.yaml")):
        message = path.with_suffix(".txt").read_text().splitlines()[0]
        if not SHAPE.search(message) or "not valid YAML" in message:
            continue
        try:
            document = parse(path.read_text(), file=path.name)
        except ProgramFileError:
            continue  # no document, so that it has no shape
        (passed if validator.is_valid(document.data) else refused).add(path.stem)
    assert passed <= OPEN
    assert len(refused) >= 30


@pytest.mark.parametrize(
    "models",
    ["", "models: {}", "models: {m: {}}", "models: {m: {local: a, replay: b}}", "models: {m: {backend: a, local: b}}",
     "models: {m: {base_url: 'http://h', model: m, api_key: x}}", "models: {m: {base_url: 'ftp://h', model: m}}",
     "models: {m: {local: a, sampling: {temprature: 1}}}"],
)  # fmt: skip
def test_models_that_are_wrong_are_refused(models, validator, tmp_path):
    from orchestrator import load

    (tmp_path / "program.yaml").write_text(f"version: 1\n{models}\nprogram: single\n")
    with pytest.raises(ProgramFileError):
        load(tmp_path / "program.yaml")
    assert not takes(validator, f"version: 1\n{models}\nprogram: single\n")


def test_a_file_that_others_include_follows_the_schema(validator):
    assert takes(validator, "verifiers: {taste: {judge: {model: small}}}\ninclude: [more.yaml]")
    assert takes(validator, "version: 1\nmodels: {m: {local: a}}\nprompts: {short: {template: x}}")
    assert not takes(validator, "version: 1")
    assert not takes(validator, "version: 1\nverifiers: {taste: {judge: {form: xml}}}")
    assert not takes(validator, "version: 1\nmodels: {m: {local: a}}\nbudget: {usd: 1}")


def test_every_part_and_step_is_in_the_schema_with_its_description():
    definitions = schema(installed=False)["$defs"]
    for registry in REGISTRIES:
        for key in registry.parts:
            assert definitions[f"{registry.what.replace(' ', '_')}.{key}"]["description"]
    assert set(PRIMITIVES) <= set(definitions["step"]["properties"])
    n = definitions["strategy.self_consistency"]["anyOf"][0]["properties"]["n"]
    assert n["default"] == 16
    assert re.match(r"\w+", n["description"])


def test_the_command_writes_the_schema(tmp_path, capsys):
    assert main(["schema"]) == 0
    printed = capsys.readouterr().out
    assert main(["schema", "--output", str(tmp_path / "s.json")]) == 0
    assert (tmp_path / "s.json").read_text() == printed
    assert json.loads(printed)["$schema"] == DIALECT
    assert main(["schema", "-o", str(tmp_path / "no" / "s.json")]) == 1
    assert "cannot write" in capsys.readouterr().err
