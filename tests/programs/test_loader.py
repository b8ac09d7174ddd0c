import re
import textwrap

import pytest

from orchestrator import BestOfN, Budget, Cascade, Problem, SelfConsistency, Single, Tier, load, run_sync
from orchestrator.answers import AnswerReader
from orchestrator.backends import HttpBackend, ReplayBackend
from orchestrator.backends.local import LocalBackend
from orchestrator.errors import InvalidInputError, ProgramFileError
from orchestrator.monitors import RepetitionGuard, ThinkingBudget
from orchestrator.programs import loads
from orchestrator.programs.annotations import short_form
from orchestrator.programs.document import LARGEST_FILE
from orchestrator.programs.registries import ACCEPTANCES, STRATEGIES, VERIFIERS
from orchestrator.programs.writing import dump
from orchestrator.prompts import Example, Prompt
from orchestrator.runtime.identity import program_hash
from orchestrator.scaling import fit_router
from orchestrator.stopping import (
    After,
    AllOf,
    AnyOf,
    BetaStop,
    ConvergenceStop,
    DirichletStop,
    EntropyStop,
    FixedSize,
    LeadStop,
    LearnedStop,
    MajorityStop,
    ScoreStop,
    ValueOfSample,
    WindowStop,
)
from orchestrator.strategies import Agreement, Confident, PromptLength, Router, Scored
from orchestrator.types import Price
from orchestrator.verifiers import Equivalent, Regex, RequiredWords

TINY = "version: 1\nmodels: {tiny: {local: gemma-3-270m}}\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="program.yaml"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


def strategy(file, text):
    return load(file(TINY + f"program: {text}\n")).strategy


def mistakes(file, text):
    with pytest.raises(ProgramFileError) as caught:
        load(file(text))
    said = str(caught.value).replace(str(caught.value.file), "FILE")
    return "\n".join(
        line for line in said.splitlines() if not line.startswith("    ")
    )  # without the lines themselves


def test_a_whole_file(file, monkeypatch):
    monkeypatch.setenv("KEY", "secret")
    path = file("""
        version: 1
        models:
          tiny: {local: gemma-3-270m, parallel: 8, context_length: 512, sampling: {temperature: 0.7}}
          large:
            base_url: http://127.0.0.1:8000/v1
            model: qwen
            api_key_env: KEY
            price: {input: 0.1, output: 0.3}
            chat: true
            concurrency: 64
            requests_per_minute: 100
            tokens_per_minute: 1e5
            timeout: 20
            retries: 2
            headers: {X-Team: research}
        budget: {usd: 0.5, total_tokens: 40000, seconds: 60, per_problem: {requests: 16}}
        problems: {file: svamp.jsonl, limit: 24, offset: 3, prompt: question, reference: answer}
        prompt:
          system: Be brief.
          template: "{{ problem }} Think."
          examples: [{question: "1 + 1?", answer: "The answer is 2."}]
          question_label: "Q:"
          completion: true
        answer: {kind: number, pattern: "is (\\\\d+)"}
        check: {required_words: {at_most: 20}}
        program: {self_consistency: {model: large, n: 8, stop: lead}}
    """)
    program = load(path)
    assert program.strategy == SelfConsistency(model="large", n=8, stop=LeadStop())
    assert program.budget == Budget(usd=0.5, total_tokens=40000, seconds=60)
    assert program.per_problem == Budget(requests=16)
    assert program.answers == AnswerReader(kind="number", pattern="is (\\d+)")
    example = Example(question="1 + 1?", answer="The answer is 2.")
    assert program.prompt == Prompt(
        system="Be brief.",
        template="{{ problem }} Think.",
        examples=(example,),
        question_label="Q:",
        completion=True,
    )
    assert program.check == RequiredWords(at_most=20)
    assert program.problems.path == path.parent / "svamp.jsonl"
    assert (program.problems.limit, program.problems.offset) == (24, 3)
    assert program.calls_at_once == 8
    assert program.file == str(path)

    tiny, large = program.models.values()
    assert isinstance(tiny.backend, LocalBackend)
    assert tiny.backend.name == "gemma-3-270m"
    assert tiny.backend.capabilities.parallel == 8
    assert dict(tiny.sampling) == {"temperature": 0.7}
    assert isinstance(large.backend, HttpBackend)
    assert large.backend.price == Price(input=100_000, output=300_000)
    assert (large.concurrency, large.requests_per_minute, large.retry.attempts) == (64, 100, 3)
    assert "secret" not in repr(program)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("single", Single()),
        ("{single: {temperature: 1}}", Single(temperature=1.0)),
        ("{self_consistency: {}}", SelfConsistency()),
        ("{self_consistency: 4}", SelfConsistency(n=4)),
        (
            "{self_consistency: {stop: fixed_size, temperature: null}}",
            SelfConsistency(stop=FixedSize(), temperature=None),
        ),
        ("{self_consistency: {stop: {beta: 0.9}}}", SelfConsistency(stop=BetaStop(confidence=0.9))),
        (
            "{self_consistency: {stop: {beta: {confidence: 0.9}}}}",
            SelfConsistency(stop=BetaStop(confidence=0.9)),
        ),
        (
            "{self_consistency: {monitors: [repetition_guard, {thinking_budget: 512}]}}",
            SelfConsistency(monitors=(RepetitionGuard(), ThinkingBudget(tokens=512))),
        ),
        ("{single: {monitors: []}}", Single()),
        ("{best_of_n: {n: 3, verifier: equivalent}}", BestOfN(n=3, verifier=Equivalent())),
        (
            "{best_of_n: {verifier: {required_words: {at_most: 9}}}}",
            BestOfN(verifier=RequiredWords(at_most=9)),
        ),
    ],
)
def test_a_strategys_keys_are_its_fields(file, text, made):
    assert strategy(file, text) == made


@pytest.mark.parametrize(
    ("answer", "reader"),
    [
        ("{tag: result}", AnswerReader(tag="result")),
        ("{kind: code, language: python}", AnswerReader(kind="code", language="python")),
        ("{kind: boolean}", AnswerReader(kind="boolean")),
        ("{kind: whole}", AnswerReader(kind="whole")),
        ("{labels: [yes, No]}", AnswerReader(labels=("yes", "No"))),
        ("{tag: topic, labels: [a, b]}", AnswerReader(tag="topic", labels=("a", "b"))),
        ("{kind: date, field: due}", AnswerReader(kind="date", field="due")),
        (
            "{kind: number, units: keep, percent: number}",
            AnswerReader(kind="number", units="keep", percent="number"),
        ),
    ],
)
def test_answers_are_read_as_the_file_says(file, answer, reader):
    program = load(file(TINY + f"answer: {answer}\nprogram: single\n"))
    assert program.answers == reader
    assert loads(dump(program)).answers == reader


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            "{units: dropp}",
            ":3:17: `units` must be 'by_kind', 'drop' or 'keep', not 'dropp'\n  hint: did you mean `drop`?",
        ),
        ("{percent: 50}", ":3:19: `percent` must be 'fraction' or 'number', not 50"),
        ("{tagg: a}", ":3:10: unknown key `tagg` in `answer`\n  hint: did you mean `tag`?"),
        ("{tag: <a>}", ":3:15: tag must be the name of a tag, such as 'answer', not '<a>'"),
        ("{tag: a, field: b}", "give at most one of pattern, field, tag, language and function"),
        ("{labels: [a, A]}", ":3:18: labels must differ by more than case and white space"),
        ("{kind: choice, labels: [a, b]}", "leave kind out"),
        ("{kind: label, labels: [a, b]}", "hint: a set of labels is no kind: write `answer: {labels: ["),
        ("{kind: boolan}", ":3:16: `kind` must be one of auto, number"),
    ],
)
def test_a_mistake_in_how_answers_are_read_is_reported_with_its_place(file, answer, said):
    assert said in mistakes(file, TINY + f"answer: {answer}\nprogram: single\n")


def test_best_of_n_uses_the_files_check(file):
    program = load(file(TINY + "check: {required_words: {at_most: 9}}\nprogram: {best_of_n: {n: 4}}\n"))
    assert program.strategy == BestOfN(n=4, verifier=RequiredWords(at_most=9))


def test_loading_reads_no_key_and_starts_nothing(file, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    text = """
        version: 1
        models: {m: {base_url: "http://127.0.0.1:1/v1", model: m, api_key_env: NO_SUCH_KEY}}
        program: single
    """
    program = load(file(text))
    with pytest.raises(InvalidInputError, match="NO_SUCH_KEY"):
        _ = program.models


def test_recorded_samples_are_found_beside_the_file(file):
    file('{"id": "a", "question": "2 + 2?", "gold": "4", "answers": ["4", "5", "4"]}\n', "samples.jsonl")
    path = file("""
        version: 1
        models: {recorded: {replay: samples.jsonl}}
        answer: {kind: number}
        check: equivalent
        program: {self_consistency: {n: 3, stop: fixed_size}}
    """)
    program = load(path)
    assert isinstance(program.models["recorded"].backend, ReplayBackend)
    outcome = run_sync(program, Problem(id="a", prompt="2 + 2?", reference="4"))
    assert outcome.answer.text == "4"
    assert [c.scores["equivalent"].value for c in outcome.candidates] == [1.0, 0.0, 1.0]
    assert run_sync(program, Problem(id="a", prompt="2 + 2?", reference="4")).answer.text == "4"


def test_every_mistake_is_reported_with_its_place(file):
    said = mistakes(
        file,
        """\
        version: 2
        models:
          tiny: {local: gemma-3-270m, paralel: 8, sampling: {temperature: hot}}
          large: {base_url: "ftp://x", model: a, api_key: sk-123, price: {input: -1}}
          none: {modl: x}
        budget: {usd: 2.0, tokens: 5}
        problems: {fil: a.jsonl}
        answer: {kind: numbr}
        check: {required_word: 3}
        program: {cascade: [self_consistancy, {single: {model: tine}}]}
        promt: x
        """,
    )
    for expected in (
        "FILE:1:10: `version` must be 1, not 2",
        "FILE:3:31: unknown key `paralel` in `models.tiny`\n  hint: did you mean `parallel`?",
        "FILE:3:67: `temperature` must be a number, not 'hot'",
        "FILE:4:21: `base_url`: must start with http:// or https://",
        "FILE:4:42: unknown key `api_key` in `models.large`\n  hint: never write a key into a file",
        "FILE:4:66: `output` is missing in `models.large.price`",
        "FILE:4:74: `input` must be greater than or equal to 0, not -1",
        "FILE:5:9: `none` must have exactly one of `local`, `base_url`, `replay` and `backend`",
        "FILE:6:20: unknown key `tokens` in `budget`",
        "FILE:7:11: `file` is missing in `problems`",
        "FILE:7:12: unknown key `fil` in `problems`\n  hint: did you mean `file`?",
        "FILE:8:16: `kind` must be one of auto, number",
        "FILE:9:9: no verifier `required_word`\n  hint: did you mean `required_words`?",
        "FILE:10:21: no strategy `self_consistancy`\n  hint: did you mean `self_consistency`?",
        "FILE:10:56: no model `tine`\n  hint: did you mean `tiny`?",
        "FILE:11:1: unknown key `promt`\n  hint: did you mean `prompt`?",
    ):
        assert expected in said


@pytest.mark.parametrize(
    ("stop", "rule"),
    [
        ("fixed_size", FixedSize()),
        ("{dirichlet: 0.95}", DirichletStop(confidence=0.95)),
        ("{dirichlet: {prior: 0.5, unseen: 2}}", DirichletStop(prior=0.5, unseen=2)),
        ("{majority: 0.75}", MajorityStop(threshold=0.75)),
        ("{entropy: {threshold: 0.25, at_least: 6}}", EntropyStop(threshold=0.25, at_least=6)),
        ("{score: 0.9}", ScoreStop(threshold=0.9)),
        ("{convergence: 4}", ConvergenceStop(samples=4)),
        ("{value_of_sample: 0.002}", ValueOfSample(price=0.002)),
        (
            "{learned: {confidence: 0.98, bias: -2, evidence: 1.5, lead: 2}}",
            LearnedStop(confidence=0.98, bias=-2.0, evidence=1.5, lead=2.0),
        ),
        (
            "{any: [{beta: 0.95}, {window: 3}]}",
            AnyOf(rules=(BetaStop(confidence=0.95), WindowStop(size=3))),
        ),
        (
            "{all: [lead, {after: {n: 4, rule: {beta: 0.9}}}]}",
            AllOf(rules=(LeadStop(), After(n=4, rule=BetaStop(confidence=0.9)))),
        ),
    ],
)
def test_every_stopping_rule_can_be_written(file, stop, rule):
    path = file(TINY + f"program: {{self_consistency: {{stop: {stop}}}}}\n")
    assert load(path).strategy.stop == rule


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("{self_consistency: {n: 0}}", "3:33: n must be at least 1, not 0"),
        ('{self_consistency: {n: "8"}}', "3:33: `n` must be a whole number, not '8'"),
        ("{self_consistency: {n: true}}", "3:33: `n` must be a whole number, not True"),
        ("{self_consistency: {stop: {beta: 2}}}", "3:43: confidence must be in (0, 1)"),
        ("{self_consistency: {stop: leed}}", "hint: did you mean `lead`?"),
        ("{self_consistency: {stop: 3}}", "3:36: expected one stopping rule: "),
        ("{self_consistency: {stop: {any: [{beta: 2}]}}}", "3:50: confidence must be in (0, 1)"),
        ("{self_consistency: {stop: {any: [lead, leed]}}}", "3:49: no stopping rule `leed`"),
        ("{self_consistency: {stop: {all: beta}}}", "3:42: expected a list, each entry one stopping rule"),
        ("{self_consistency: {stop: {any: []}}}", "rules must hold at least 1 rule"),
        ("{self_consistency: {stop: {after: {n: 0, rule: lead}}}}", "n must be at least 1 sample, not 0"),
        ("{self_consistency: {stop: {after: 4}}}", "`rule` is missing in `after`"),
        (
            "{self_consistency: {stop: window}}",
            "3:36: `size` is missing in `window`\n  hint: write `{window: {size: ...}}`",
        ),
        ("{self_consistency: {stop: {window: 9999999999999999999}}}", "WindowStop cannot be made of size=9"),
        ("{self_consistency: {stop: {value_of_sample: {}}}}", "`price` is missing in `value_of_sample`"),
        ("{self_consistency: {modle: tiny}}", "3:30: unknown key `modle` in `program.self_consistency`"),
        ("{self_consistency: {stop: {lead: 3}}}", "3:43: `lead` takes no parameters"),
        (
            "{best_of_n: {n: 8}}",
            "3:22: `verifier` is missing in `best_of_n`\n  hint: give it here, or as the file's `check:`",
        ),
        ("{single: {monitors: [repetition_gard]}}", "hint: did you mean `repetition_guard`?"),
        ("{single: {monitors: thinking_budget}}", "3:30: expected a list, each entry one monitor: "),
        ("{single: {monitors: [{thinking_budget: 0}]}}", "tokens must be at least 1, not 0"),
        ("{single: {}, best_of_n: {}}", "3:10: expected one strategy: "),
        ("[single]", "3:10: expected one strategy"),
        ("{adaptive: {accept: agreement > 0.5}}", "3:30: no rule of acceptance `agreement > 0.5`"),
        ("{adaptive: {accept: agrement >= 0.5}}", "hint: did you mean `agreement >= 0.5`?"),
        ("{adaptive: {accept: agreement >= 1.5}}", "at_least must be in [0, 1], not 1.5"),
        ("{adaptive: {accept: {scored: {verifier: regx}}}}", "hint: did you mean `regex`?"),
        (
            "{self_consistency: {weights: {length_penalty: -1}}}",
            "power must be finite and at least 0, not -1",
        ),
    ],
)
def test_mistakes_in_a_strategy_are_placed(file, program, message):
    assert message in mistakes(file, TINY + f"program: {program}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "FILE: the file is empty"),
        ("- 1\n", "FILE:1:1: a program file is a mapping"),
        (TINY, "`program` is missing"),
        ("version: 1\nversion: 1\n", "FILE:2:1: 'version' is given twice (first on line 1)"),
        ("version: 1\n\tmodels: x\n", "FILE:2:1: not valid YAML"),
        ("models: {m: {local: a}}\nprogram: a: b\n", "hint: put a text that contains ': ' in quotes"),
        (
            "x: !!python/object:os.system a\n",
            "FILE:1:4: the tag tag:yaml.org,2002:python/object:os.system is not",
        ),
        ("a: &a [*a]\n", "FILE:1:4: an alias inside the value it stands for"),
        ("<<: {a: 1}\n", "FILE:1:1: merge keys"),
        ("a: 1\n---\nb: 1\n", "not valid YAML: expected a single document"),
        ("? [a]\n: 1\n", "a key must be a text"),
        ("[" * 1000, "FILE:1:65: nested deeper than 64 levels"),
        ("a: [" + "1," * 30_000 + "]", "more than 2,000 values"),
        ("#" * (LARGEST_FILE + 1), "FILE: larger than 128 KiB"),
    ],
)
def test_what_is_no_program_is_refused(file, text, message):
    assert message in mistakes(file, text)


def test_aliases_that_multiply_are_refused_before_they_do(file):
    levels = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 9)]
    assert "aliases repeat too much" in mistakes(file, "\n".join(levels))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(ProgramFileError, match="No such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"version: 1\nname: \xe9\n")
    with pytest.raises(ProgramFileError, match=re.escape("latin.yaml:2: is not UTF-8 text")):
        load(tmp_path / "latin.yaml")


def test_a_key_in_a_header_is_refused(file):
    text = """
        version: 1
        models: {m: {base_url: "http://h/v1", model: m, headers: {authorization: Bearer x}}}
        program: single
    """
    assert "name its variable with `api_key_env`" in mistakes(file, text)


@pytest.mark.parametrize(
    ("accept", "rule"),
    [
        ("agreement >= 0.5", Agreement(at_least=0.5)),
        ("confidence >= .9", Confident(at_least=0.9)),
        ("{agreement: 0.5}", Agreement(at_least=0.5)),
        ("agreement", Agreement()),
        ("required_words >= 1", Scored(verifier=RequiredWords(), at_least=1.0)),
        (
            "{scored: {verifier: {regex: {pattern: x}}, at_least: 0.5}}",
            Scored(verifier=Regex(pattern="x"), at_least=0.5),
        ),
    ],
)
def test_a_rule_of_acceptance_is_a_comparison_or_a_part(file, accept, rule):
    program = load(file(TINY + f"program: {{adaptive: {{accept: {accept}}}}}\n"))
    assert program.strategy.accept == rule


def test_a_fitted_part_lies_beside_the_file_and_counts_by_what_it_holds(file, tmp_path, monkeypatch):
    prompts = [f"{'long ' * n}{n} + {n}?" for n in range(60)]
    scorer = fit_router(prompts, [n % 30 < 15 for n in range(60)], [n % 7 > 0 for n in range(60)])
    scorer.save(tmp_path / "router.json")
    text = TINY + "program: {router: {models: [tiny, tiny], scorer: {fitted: router.json}}}\n"
    monkeypatch.chdir("/")
    router = load(file(text)).strategy
    assert router.scorer.score(prompts[39]) == scorer.score(prompts[39])
    monkeypatch.chdir(tmp_path)
    again = load("program.yaml").strategy
    assert again.scorer.file != router.scorer.file
    assert program_hash(again) == program_hash(router)
    assert "nowhere.json" in mistakes(file, text.replace("router.json", "nowhere.json"))


TWO = "version: 1\nmodels: {small: {local: gemma-3-270m}, large: {local: gemma-3-270m}}\nprogram:\n"


def test_a_cascade_is_a_list_of_programs_with_their_rules(file):
    program = load(
        file(
            TWO + "  cascade:\n"
            "    - self_consistency: {model: small, n: 4}\n"
            "      accept: agreement >= 0.75\n"
            "      budget: {requests: 9, usd: 0.5}\n"
            "    - {router: {models: [small, large], scorer: {prompt_length: {long: 50}}}, carry: true}\n"
        )
    )
    router = Router(models=("small", "large"), scorer=PromptLength(long=50))
    votes = SelfConsistency(model="small", n=4)
    first = Tier(strategy=votes, accept=Agreement(at_least=0.75), budget=Budget(requests=9, usd=0.5))
    assert program.strategy == Cascade(tiers=(first, Tier(strategy=router, carry=True)))
    assert program.strategy == load(file(TWO + WRITTEN_OUT)).strategy


WRITTEN_OUT = """  cascade:
    tiers:
      - {self_consistency: {model: small, n: 4}, accept: {agreement: 0.75}, budget: {requests: 9, usd: 0.5}}
      - {router: {models: [small, large], scorer: {prompt_length: {long: 50}}}, carry: true}
"""


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        ("[{self_consistency: {n: 4}}, single]", "4:12: tiers: tier 1 of 2 has no accept"),
        ("[{self_consistency: {n: 4, model: smal}, accept: agreement}]", "4:46: no model `smal`"),
        (
            "[{single: {}, budget: {requsts: 4}}]",
            "4:35: unknown key `requsts` in `program.cascade.tiers.0.budget`",
        ),
        ("[{single: {}, budget: 4}]", "4:34: expected a mapping with any of usd, "),
        (
            "[{single: {}, budget: {requests: -4}}]",
            "4:45: budget: requests must be a whole number of at least 0",
        ),
        ("[{single: {}, fusion: {}}]", "4:13: expected one strategy ("),
        ("{tiers: [{router: {scorer: lenght}}]}", "4:39: no scorer of prompts `lenght`"),
    ],
)
def test_mistakes_in_a_cascade_are_placed(file, tiers, message):
    assert message in mistakes(file, TWO + f"  cascade: {tiers}\n")


def test_a_part_given_by_one_parameter_is_never_given_by_a_model(file):
    program = load(file(TINY + "check: {judge: good}\nprogram: single\n"))
    assert (program.check.model, program.check.rubric) == (None, "good")
    for registry in (STRATEGIES, VERIFIERS, ACCEPTANCES):
        for key, part in registry.parts.items():
            name = short_form(part)
            assert name is None or not name.endswith(("model", "models")), key


@pytest.mark.parametrize(
    ("program", "column"),
    [
        ("check: {judge: {model: good}}\nprogram: single", "3:24"),
        ("program: {single: {model: good}}", "3:27"),
        ("program: {debate: {models: [tiny, good]}}", "3:35"),
        ("program: {best_of_n: {verifier: {judge: {model: good}}}}", "3:49"),
        ("program: {cascade: [{single: {model: good}, accept: {scored: {verifier: state_vote}}}, single]}", "3:38"),
        ("program: {steps: [{id: a, sample: {model: good}}, {return: a}]}", "3:43"),
        ("program: {steps: [{id: a, sample: 2}, {judge: {of: a, model: good}}, {return: a}]}", "3:62"),
    ],
)  # fmt: skip
def test_models_that_there_are_not_are_found_wherever_they_are_named(file, program, column):
    assert f":{column}: no model `good`; there are: tiny" in mistakes(file, f"{TINY}{program}\n")
