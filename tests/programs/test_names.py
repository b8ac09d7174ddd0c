import pytest

from orchestrator import BestOfN, Cascade, Problem, SelfConsistency, Single, load
from orchestrator.errors import InvalidInputError
from orchestrator.primitives import Run, Score
from orchestrator.prompts import Prompt
from orchestrator.verifiers import Judge, RequiredWords

HEAD = "version: 1\nmodels: {small: {local: gemma-3-270m}}\n"


def test_a_declared_name_stands_wherever_such_a_thing_is_expected(write):
    program = load(
        write(
            "program.yaml",
            HEAD
            + """\
programs:
  best: {best_of_n: {verifier: strict}}
  tiers:
    cascade:
      - {votes: , accept: strict >= 0.5}
      - best
  votes: {self_consistency: 4}
verifiers:
  strict: {required_words: {at_most: 9}}
check: strict
program: tiers
""",
        )
    )
    strict = RequiredWords(at_most=9)
    assert program.check == strict
    assert isinstance(program.strategy, Cascade)
    first, last = program.strategy.tiers
    assert (first.strategy, last.strategy) == (SelfConsistency(n=4), BestOfN(verifier=strict))
    assert first.accept.verifier == strict


def test_declared_names_are_actions_of_steps(write):
    program = load(
        write(
            "program.yaml",
            HEAD
            + """\
prompts: {short: {template: "{{ problem }} Be brief."}}
verifiers: {strict: {judge: {model: small}}}
programs: {votes: {self_consistency: 4}}
program:
  steps:
    - {id: a, votes: , problem: "{{ problem }}!"}
    - {id: b, strict: {of: a}}
    - {id: c, strict: b}
    - {id: d, run: votes}
    - {id: e, sample: {prompt: {use: short}}}
    - return: {vote: [c, d, e]}
""",
        )
    )
    a, b, c, d, e, _ = program.strategy.steps
    votes, strict = SelfConsistency(n=4), Judge(model="small")
    assert (a, d) == (Run(id="a", program=votes, problem="{{ problem }}!"), Run(id="d", program=votes))
    assert (b, c) == (Score(id="b", of="a", by=strict), Score(id="c", of="b", by=strict))
    assert e.prompt == Prompt(template="{{ problem }} Be brief.")


def test_a_prompt_can_be_used_for_the_whole_file(write):
    text = HEAD + "prompts: {short: {system: Be brief.}}\nprompt: {use: short}\nprogram: single\n"
    assert load(write("program.yaml", text)).prompt == Prompt(system="Be brief.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "programs: {a: b, b: {cascade: [{a: , accept: agreement}, single]}}\nprogram: a\n",
            "program.yaml:3:33: programs use each other in a circle: a -> b -> a",
        ),
        ("verifiers: {strict: judge}\nprogram: single\n", "3:13: nothing uses the verifier `strict`"),
        ("programs: {votes: single}\nprogram: single\n", "3:12: nothing uses the program `votes`"),
        ("prompts: {brief: {}}\nprogram: single\n", "3:11: nothing uses the prompt `brief`"),
        ("programs: {single: single}\nprogram: single\n", "3:12: `single` is a strategy already"),
        ("programs: {sample: single}\nprogram: sample\n", "3:12: `sample` is a step already"),
        ("programs: {then: single}\nprogram: then\n", "3:12: `then` is a key of steps already"),
        ("verifiers: {judge: judge}\nprogram: single\n", "3:13: `judge` is a verifier already"),
        (
            "verifiers: {a: judge}\nprograms: {a: single}\nprogram: a\ncheck: a\n",
            "program.yaml:4:12: `a` is declared twice: here and at program.yaml:3:13",
        ),
        (
            "programs: {a b: single}\nprogram: a b\n",
            "3:12: a program's name must be letters, digits and under",
        ),
        ("programs: {a: single}\nprogram: {a: {n: 3}}\n", "4:11: `a` is declared in `programs`"),
        ("programs: {votes: single}\nprogram: vots\n", "hint: did you mean `votes`?"),
        ("verifiers: {strict: judge}\ncheck: strct\nprogram: single\n", "hint: did you mean `strict`?"),
        ("prompts: {brief: {}}\nprompt: {use: brif}\nprogram: single\n", "4:15: no prompt `brif`"),
        ("prompt: {use: brif}\nprogram: single\n", "no prompt `brif`; the file has no `prompts`"),
        ("prompt: {use: brif, system: x}\nprogram: single\n", "unknown key `system` in `prompt`"),
        (
            "verifiers: {strict: {judge: {modl: x}}}\ncheck: strict\nprogram: single\n",
            "3:30: unknown key `modl`",
        ),
        ("outputs: {a: problem.id}\nprogram: single\n", "3:1: only a `program` made of `steps` has outputs"),
    ],
)
def test_mistakes_with_names_are_placed(refusal, text, message):
    assert message in refusal(HEAD + text)


def test_a_declared_part_that_is_wrong_is_told_once_however_often_it_is_used(refusal):
    said = refusal(
        HEAD + "programs: {a: {single: {modl: x}}}\nprogram: {cascade: [{a: , accept: agreement}, a]}\n"
    )
    assert said.count("program.yaml:") == 1


def test_a_files_fields_are_checked_in_its_template_and_in_problems(write, refusal):
    fields = "problem:\n  fields: {context: text, year: number, tags: list}\n"
    path = write(
        "program.yaml", HEAD + fields + '  template: "{{ context }} {{ problem }}"\nprogram: single\n'
    )
    program = load(path)
    assert program.prompt.template == "{{ context }} {{ problem }}"
    assert dict(program.fields) == {"context": "text", "year": "number", "tags": "list"}
    said = refusal(HEAD + fields + '  template: "{{ contxt }}"\nprogram: single\n')
    assert "program.yaml:5:17: there is no `contxt` here" in said
    assert "give one of the two" in refusal(
        HEAD
        + 'problem: {template: "{{ problem }}!"}\nprompt: {template: "{{ problem }}?"}\nprogram: single\n'
    )
    assert "3:29: `context` must be 'text', 'number' or 'list', not 'txt'" in refusal(
        HEAD + "problem: {fields: {context: txt}}\nprogram: single\n"
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "problem 'p' has no field `context`, which the program declares; its fields: none"),
        ({"context": 3}, "problem 'p': the field `context` must be a text, not 3"),
    ],
)
async def test_a_problem_without_a_declared_field_is_refused(write, fields, message):
    text = HEAD + "problem: {fields: {context: text}}\nprogram: single\n"
    program = load(write("program.yaml", text))
    with pytest.raises(InvalidInputError, match=message):
        await program(None, Problem(id="p", prompt="x", fields=fields))


def test_a_field_that_is_declared_can_be_read_in_steps(write, refusal):
    steps = """\
program:
  steps:
    - {id: a, sample: {prompt: "{{ problem.context }}"}}
    - return: a
"""
    program = load(write("program.yaml", HEAD + "problem: {fields: {context: text}}\n" + steps))
    assert program.strategy.steps[0].prompt == "{{ problem.context }}"
    assert "program.yaml:5:" in refusal(HEAD + steps)


def test_a_program_named_alone_is_made_of_its_defaults(write):
    assert load(write("program.yaml", HEAD + "programs: {a: single}\nprogram: a\n")).strategy == Single()


def test_programs_are_used_inside_each_other_as_deep_as_they_may_be_and_no_deeper(write):
    def chain(length):
        links = [
            f"  p{number}: {{cascade: [{{p{number + 1}: , accept: confident}}, single]}}"
            for number in range(length)
        ]
        return "\n".join([HEAD + "program: p0", "programs:", *links, f"  p{length}: single", ""])

    assert isinstance(load(write("program.yaml", chain(29))).strategy, Cascade)
    with pytest.raises(InvalidInputError, match="inside each other more than 30 deep"):
        load(write("program.yaml", chain(30)))


@pytest.mark.parametrize(
    "text",
    [
        "programs: {my_model: single}\nprogram: my_model\n",
        "programs: {large_models: {debate: {models: [small]}}}\n"
        "program: {steps: [{id: a, large_models: {}}, {return: a}]}\n",
        "verifiers: {reward_model: perplexity}\nprogram: {best_of_n: {verifier: reward_model}}\n",
        "verifiers: {reward_model: perplexity}\n"
        "program: {steps: [{id: a, sample: 2}, {id: b, reward_model: a}, {return: b}]}\n",
        "program: {steps: [{id: a, sample: 2}, {id: b, outcome_reward_model: a}, {return: b}]}\n",
        "program: {steps: [{id: a, sample: 2}, {let: {best_model: a.best}}, {return: best_model}]}\n",
        "program: {steps: [{id: a, sample: 2}, {return: a}], outputs: {best_model: a.best}}\n",
        "check:\n  outcome_reward_model:\n"
        "    protocol: {route: /r, body: {model: theirs, text: '{{ text }}'}, scores: '[].score'}\n"
        "program: single\n",
    ],
)
def test_what_is_called_like_a_model_and_is_none_is_no_name_of_one(write, text):
    load(write("program.yaml", HEAD + text))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("large_model: [{id: s, sample: {model: nope}}]", "5:64"),
        ("large_model: [{id: s, single: {model: nope}}]", "5:64"),
    ],
)
def test_models_are_checked_in_blocks_whatever_those_are_called(refusal, text, place):
    block = f"    - {{id: p, parallel: {{{text}, small_model: [{{id: s, text: hm}}]}}}}\n"
    steps = "program:\n  steps:\n" + block + "    - return: {vote: p.large_model.s}\n"
    assert f"program.yaml:{place}: no model `nope`; there are: small" in refusal(HEAD + steps)


def test_models_are_checked_where_an_included_file_names_them(refusal, write):
    write("parts.yaml", "programs: {tiers: {debate: {models: [small, smal]}}}\n")
    said = refusal(HEAD + "include: [parts.yaml]\nprogram: tiers\n")
    assert "parts.yaml:1:45: no model `smal`\n" in said
    assert "hint: did you mean `small`?" in said
