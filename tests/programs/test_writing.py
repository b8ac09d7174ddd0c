import dataclasses
import random
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs.instances import TEXTS, instance, saved_files

from orchestrator import (
    BestOfN,
    Budget,
    Cascade,
    Problem,
    Prompt,
    SelfConsistency,
    Single,
    Steps,
    Tier,
    dump,
    load,
    loads,
)
from orchestrator.answers import AnswerReader
from orchestrator.errors import InvalidInputError, ProgramFileError
from orchestrator.monitors import RepetitionGuard
from orchestrator.primitives import (
    Branch,
    Critique,
    Fail,
    ForEach,
    If,
    Let,
    Parallel,
    Repeat,
    Return,
    Revise,
    Run,
    Sample,
    Score,
    Select,
    Set,
    Split,
    Switch,
    Text,
    Vote,
)
from orchestrator.primitives.switch import Case
from orchestrator.programs import Program
from orchestrator.programs.document import parse
from orchestrator.programs.formatting import format_text
from orchestrator.programs.mistakes import Mistakes
from orchestrator.programs.names import FILLED
from orchestrator.programs.parts import build
from orchestrator.programs.registries import REGISTRIES, STRATEGIES
from orchestrator.prompts import Example
from orchestrator.runtime.identity import program_hash
from orchestrator.stopping import AnyOf, LeadStop, MajorityStop
from orchestrator.strategies import MCTS, Agreement, Debate, FunctionScorer, Router, StepGenerator, Strategy
from orchestrator.verifiers import (
    Composite,
    Consistency,
    ForbiddenWords,
    JsonSchema,
    Judge,
    Predicate,
    Regex,
    StateValue,
)

ALL = [(registry, key) for registry in REGISTRIES for key in registry.parts]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return saved_files(tmp_path_factory.mktemp("saved"))


def read_part(registry, text):
    document = parse(text, file="<text>")
    mistakes = Mistakes(document)
    made = build(registry, document.data, (), mistakes)
    mistakes.raise_any()
    return made


@pytest.mark.parametrize(("registry", "key"), ALL, ids=[f"{registry.what}-{key}" for registry, key in ALL])
def test_what_is_written_is_read_as_the_same(registry, key, files):
    @settings(max_examples=20, deadline=None)
    @given(st.integers(0, 2**32))
    def check(seed):
        part = instance(
            random.Random(seed), registry.parts[key], {key: files[key]} if key in files else files
        )
        text = dump(part)
        again = loads(text).strategy if registry is STRATEGIES else read_part(registry, text)
        assert again == part
        assert dump(again) == text
        assert program_hash(again) == program_hash(part)

    check()


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_any_text_can_be_written(label, system, fields):
    prompt = Prompt(
        system=system, template="{{ problem }} " + label, examples=(Example(question=label, answer=system),)
    )
    program = Program(strategy=Single(), prompt=prompt)
    if not label or not system:
        return
    if FILLED.search(system):
        with pytest.raises(InvalidInputError, match="`system` looks like a template"):
            dump(program)
    else:
        assert loads(dump(program)).prompt == prompt
    if "<<" not in fields:
        verifier = JsonSchema(schema={"enum": [fields, label]})
        assert read_part(REGISTRIES[1], dump(verifier)) == verifier


def test_a_program_is_a_file_without_the_defaults():
    tiers = (
        Tier(
            strategy=SelfConsistency(
                model="small", n=4, stop=AnyOf(rules=(LeadStop(), MajorityStop(threshold=0.9)))
            )
        ),
        Tier(strategy=Single(), budget=Budget(requests=2)),
    )
    tiers = (Tier(strategy=tiers[0].strategy, accept=Agreement(at_least=0.5)), tiers[1])
    assert dump(Cascade(tiers=tiers)) == textwrap.dedent("""\
        version: 1
        program:
          cascade:
            tiers:
              - self_consistency:
                  n: 4
                  stop:
                    any:
                      rules:
                        - lead
                        - majority: {threshold: 0.9}
                  model: small
                accept:
                  agreement: {at_least: 0.5}
              - single: {}
                budget: {requests: 2}
        """)
    assert dump(LeadStop()) == "lead\n"
    assert dump(Regex(pattern="a: (b)\n")) == "regex:\n  pattern: |\n    a: (b)\n"


def test_texts_are_written_to_be_read():
    judge = Judge(rubric="Right?\nReally?", template="no: {{ problem }} {{ answer }}", model="on")
    assert dump(judge) == textwrap.dedent("""\
        judge:
          model: "on"
          rubric: |-
            Right?
            Really?
          template: "no: {{ problem }} {{ answer }}"
        """)
    long = "Is this answer to the problem right, complete, and written so that a reader can follow each of its steps?"
    assert dump(Judge(rubric=long)) == textwrap.dedent("""\
        judge:
          rubric: >-
            Is this answer to the problem right, complete, and written so that a reader can follow
            each of its steps?
        """)


WHOLE = """\
version: 1
models:
  tiny: {local: gemma-3-270m, parallel: 8, sampling: {temperature: 0.7, extra: {seed: 1.0}}}
  large:
    base_url: http://127.0.0.1:8000/v1
    model: qwen
    price: {input: 0.1, output: 0.3}
budget: {usd: 0.5, seconds: 60, per_problem: {requests: 16}}
problem: {fields: {context: text}}
problems: {file: svamp.jsonl, limit: 24, prompt: question}
prompt: {system: Be brief., examples: [{question: "1 + 1?", answer: "2"}]}
answer: {kind: number, pattern: 'is (\\d+)'}
check: {required_words: {at_most: 20}}
program: {best_of_n: {n: 4}}
"""


def test_a_loaded_file_is_written_with_all_its_sections(tmp_path):
    (tmp_path / "program.yaml").write_text(WHOLE)
    program = load(tmp_path / "program.yaml")
    (tmp_path / "again.yaml").write_text(dump(program))
    again = load(tmp_path / "again.yaml")
    assert again == program
    assert (again.specs, again.budget, again.per_problem) == (
        program.specs,
        program.budget,
        program.per_problem,
    )
    assert again.problems == program.problems
    assert "limit: 24" in dump(program)


def test_a_parameter_that_the_check_would_fill_is_written_where_they_differ(tmp_path):
    text = "version: 1\nmodels: {a: {local: x}}\ncheck: stated_confidence\n"
    for given_ in ("tree_of_thoughts", "{best_of_n: {verifier: perplexity}}", "{revise: {verifier: null}}"):
        program = loads(text + f"program: {given_}\n")
        assert loads(dump(program)) == program
    own = Program(strategy=loads("version: 1\nprogram: tree_of_thoughts").strategy, check=program.check)
    assert own.strategy.verifier == StateValue()
    assert loads(dump(own)) == own


def test_models_of_an_included_file_are_written_with_paths_from_the_program(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "samples.jsonl").write_text("")
    (tmp_path / "shared" / "models.yaml").write_text("models: {old: {replay: samples.jsonl}}\n")
    (tmp_path / "program.yaml").write_text("version: 1\ninclude: [shared/models.yaml]\nprogram: single\n")
    assert "old: {replay: shared/samples.jsonl}" in dump(load(tmp_path / "program.yaml"))


async def own(ctx, problem):
    return None


@pytest.mark.parametrize(
    ("part", "where"),
    [
        (Consistency(by=lambda: None), "`consistency.by`"),
        (BestOfN(verifier=Predicate(function=bool)), "`best_of_n.verifier`"),
        (Router(programs=(Single(), own), thresholds=(0.5,)), "`router.programs[1]`"),
        (Router(scorer=FunctionScorer(function=len)), "`router.scorer`"),
        (Program(strategy=own), "`program`"),
        (Program(strategy=Single(), answers=AnswerReader(function=str.strip)), "`answer.function`"),
        (Steps(steps=(Run(id="a", program=own), Return(value="a"))), "`steps[0].run.program`"),
        (JsonSchema(schema={"<<": {}}), "`json_schema.schema`"),
        (own, "function"),
    ],
)
def test_what_no_file_can_say_is_refused_by_its_place(part, where):
    with pytest.raises(InvalidInputError) as caught:
        dump(part)
    assert where in str(caught.value)


# Steps ---------------------------------------------------------------------------------------------------

JUDGE = Judge(rubric="Good?")
EVERY = Steps(
    steps=(
        Let(values={"best": "0"}),
        Sample(id="drafts", n=4, prompt=Prompt(system="Be brief."), stop=("\n",), top_p=0.5),
        Score(id="judged", of="drafts", by=JUDGE),
        Vote(id="first", of=("drafts", "judged"), weight="score"),
        Select(id="one", of="judged", by="shortest"),
        Critique(id="said", of="one", mark="OK"),
        Repeat(
            id="loop",
            max=3,
            going="best < 0.9",
            until="best >= 1",
            steps=(
                Revise(id="better", of="one", using="said", temperature=0.0),
                Score(id="again", of="better", by=JUDGE),
                If(condition="again.score > best", then=(Set(values={"best": "again.score"}),)),
            ),
        ),
        Text(
            id="summary", template="{{ problem }}:\n{% for text in drafts.texts %}- {{ text }}\n{% endfor %}"
        ),
        Split(id="pieces", text="summary", size=10, most=5),
        ForEach(
            id="each",
            over="pieces",
            item="piece",
            max=5,
            at_once=2,
            steps=(Sample(id="s", prompt="{{ piece }}"),),
        ),
        Parallel(
            id="sides",
            branches={
                "left": (Sample(),),
                "right": (Run(id="r", program=SelfConsistency(n=2), problem="{{ summary }}"),),
            },
            wait="race",
        ),
        Branch(budget=Budget(requests=3), steps=(Sample(aside=True),)),
        Switch(
            cases=(Case(when="best > 0.5", steps=(Return(value=Vote(of="drafts")),)),),
            otherwise=(
                If(
                    condition="sides.winner == 'left'",
                    then=(Return(value=Select(of="drafts"), confidence="first.share"),),
                    otherwise=(Fail(message="no answer to {{ problem }}"),),
                ),
            ),
        ),
    ),
    outputs={"score": "best", "loops": "loop.rounds", "many": "each.count"},
)


def test_every_step_is_written_and_read_as_the_same():
    text = dump(EVERY)
    again = loads(text)
    assert again.strategy == EVERY
    assert dump(again) == text.replace("version: 1\n", "version: 1\n")
    assert format_text(text) == text
    assert "  prompt_1: {system: Be brief.}" in text
    assert '    - let: {best: "0"}\n    - id: drafts\n      sample:\n' in text
    assert program_hash(again.strategy) == program_hash(EVERY)


def test_steps_stand_where_a_strategy_can():
    inside = Steps(steps=(Sample(id="a"), Return(value="a")))
    cascade = Cascade(tiers=(Tier(strategy=inside, accept=Agreement()), Tier(strategy=Single(), carry=True)))
    assert loads(dump(cascade)).strategy == cascade


NAMED = {
    "sample": "count",
    "score": "count",
    "vote": "share",
    "select": "text",
    "text": "",
    "critique": "text",
}


@st.composite
def composed(draw):
    """Programs of steps that use what earlier ones have named."""
    steps, named = [Sample(id="s0", n=draw(st.integers(1, 3)))], {"s0": "sample"}
    several = draw(st.sampled_from([tuple, list]))  # in Python either is given
    for number in range(draw(st.integers(0, 5))):
        many = draw(st.sampled_from([name for name, key in named.items() if key in ("sample", "score")]))
        id = f"s{number + 1}"
        step = draw(
            st.sampled_from(
                [
                    Sample(
                        id=id,
                        temperature=draw(st.sampled_from([None, 0.0, 1.5])),
                        prompt=draw(st.sampled_from(["a\nb", None])),
                    ),
                    Score(id=id, of=many, by=draw(st.sampled_from([JUDGE, Regex(pattern="- (a): #")]))),
                    Vote(id=id, of=draw(st.sampled_from([many, several([many, "s0"])]))),
                    Select(id=id, of=many, by="last"),
                    Text(
                        id=id,
                        template=draw(
                            st.sampled_from(["yes", "{{ problem }}", "a: {{ " + many + ".count }}\n", "# no"])
                        ),
                    ),
                    Critique(id=id, of=f"{many}.best"),
                    Repeat(max=2, until=f"{many}.count > 3", steps=several([Sample()])),
                    If(
                        condition=f"{many}.agreement >= 0.5",
                        then=several([Sample(stop=several(["x"]))]),
                        otherwise=several([Sample(n=2)]),
                    ),
                    Switch(cases=several([Case(when=f"{many}.count > 1", steps=several([Sample()]))])),
                    Parallel(branches={"a": several([Sample()]), "b": several([Sample(n=2)])}),
                ]
            )
        )
        steps.append(step)
        if step.id is not None:
            named[id] = step.key
    outputs = {name: f"{name}.{NAMED[key]}" if NAMED[key] else name for name, key in named.items()}
    return Steps(steps=several([*steps, Return(value="s0")]), outputs=outputs)


@settings(max_examples=60, deadline=None)
@given(composed())
def test_composed_programs_are_read_as_they_were_written(program):
    text = dump(program)
    assert loads(text).strategy == program
    assert format_text(text) == text


def test_a_text_without_models_is_for_those_the_caller_gives(tmp_path):
    assert loads("version: 1\nprogram: single").strategy == Single()
    (tmp_path / "program.yaml").write_text("version: 1\nprogram: single")
    with pytest.raises(ProgramFileError, match="`models` is missing"):
        load(tmp_path / "program.yaml")
    with pytest.raises(ProgramFileError, match="<text>:1:1"):
        loads("versoin: 1\nprogram: single")


def test_the_hash_is_of_what_a_file_means(tmp_path):
    short = loads("version: 1\nprogram: {cascade: [{single: , accept: confidence >= 0.5}, single]}")
    long = loads(
        "# a comment\nprogram:\n  cascade:\n    tiers:\n      - accept: {confident: {at_least: 0.5}}\n"
        "        single: {}\n      - single: {model: null}\nversion: 1\n"
    )
    other = loads("version: 1\nprogram: {cascade: [{single: , accept: confidence >= 0.6}, single]}")
    assert program_hash(short) == program_hash(long) != program_hash(other)
    assert Problem(id="1", prompt="x") != short


AGREED = Agreement(at_least=0.5)


@pytest.mark.parametrize(
    ("given", "same"),
    [
        (Cascade(tiers=[Tier(strategy=SelfConsistency(n=4), accept=AGREED), Tier(strategy=Single())]),
         Cascade(tiers=(Tier(strategy=SelfConsistency(n=4), accept=AGREED), Tier(strategy=Single())))),
        (Router(models=["a", "b"], thresholds=[0.5]), Router(models=("a", "b"), thresholds=(0.5,))),
        (Router(programs=[Single(), Single(model="b")]), Router(programs=(Single(), Single(model="b")))),
        (Debate(models=["a", "b"]), Debate(models=("a", "b"))),
        (Single(monitors=[RepetitionGuard()]), Single(monitors=(RepetitionGuard(),))),
        (MCTS(verifier=JUDGE, steps=StepGenerator(stop=["x"])),
         MCTS(verifier=JUDGE, steps=StepGenerator(stop=("x",)))),
        (BestOfN(verifier=Composite(parts=[JUDGE, JUDGE], weights=[1.0, 2.0])),
         BestOfN(verifier=Composite(parts=(JUDGE, JUDGE), weights=(1.0, 2.0)))),
        (BestOfN(verifier=ForbiddenWords(words=["a"])), BestOfN(verifier=ForbiddenWords(words=("a",)))),
        (SelfConsistency(stop=AnyOf(rules=[LeadStop()])), SelfConsistency(stop=AnyOf(rules=(LeadStop(),)))),
        (Steps(steps=[Sample(id="a", n=3), If(condition="a.agreement == 1", then=[Return(value="a")],
                                              otherwise=[Return(value=Vote(of=["a", "a"]))])]),
         Steps(steps=(Sample(id="a", n=3), If(condition="a.agreement == 1", then=(Return(value="a"),),
                                              otherwise=(Return(value=Vote(of=("a", "a"))),))))),
    ],
    ids=lambda program: type(program).__name__,
)  # fmt: skip
def test_a_list_in_python_is_the_list_of_a_file(given, same):
    assert given == same == loads(dump(given)).strategy
    assert hash(given) == hash(same)
    assert program_hash(given) == program_hash(same)


def test_a_list_that_is_no_tuple_stays_one():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Own(Strategy):
        notes: list[str] = dataclasses.field(default_factory=list)
        names: tuple[str, ...] = ()

    own = Own(notes=["a"], names=["b"])
    assert (own.notes, own.names) == (["a"], ("b",))
