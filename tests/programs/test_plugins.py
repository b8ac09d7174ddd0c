import importlib
import shutil
import sys
import textwrap
import tomllib
from pathlib import Path

import jsonschema
import pytest

from orchestrator import Problem, dump, load, loads, plugins, run_sync
from orchestrator.answers import AnswerReader, cluster, equivalent, kinds, normalize
from orchestrator.backends import ScriptedBackend
from orchestrator.cli import main
from orchestrator.errors import InvalidInputError
from orchestrator.programs.document import parse
from orchestrator.programs.formatting import format_text
from orchestrator.programs.graph import sketch
from orchestrator.programs.registries import STRATEGIES, VERIFIERS
from orchestrator.programs.schema import schema
from orchestrator.programs.writing import dump_run
from orchestrator.runtime import Controller

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin"

HEAD = "version: 1\nmodels: {m: {local: gemma-3-270m}}\n"


def installed(folder, name, groups):
    """Lays out what an installer would: a package's metadata with its entry points."""
    info = folder / f"{name.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    lines = [line for group, points in groups.items() for line in (f"[{group}]", *points)]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Installs a package with one module and these entry points."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)

    def install(name, source, **points):
        (folder / f"{name}.py").write_text(source)
        groups = {
            f"orchestrator.{group}": [f"{key} = {name}:{what}" for key, what in given.items()]
            for group, given in points.items()
        }
        installed(folder, name, groups)
        plugins._points.cache_clear()

    yield install
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(folder) in str(sys.modules[name].__file__):
            del sys.modules[name]
    plugins._points.cache_clear()


@pytest.fixture
def clock(tmp_path, monkeypatch):
    """The example package, installed from its source tree by what its `pyproject.toml` says."""
    site = tmp_path / "site-packages"
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    groups = {
        group: [f"{name} = {what}" for name, what in points.items()]
        for group, points in project["entry-points"].items()
    }
    installed(site, project["name"], groups)
    shutil.copytree(EXAMPLE / "orchestrator_clock", site / "orchestrator_clock")
    monkeypatch.syspath_prepend(str(site))
    plugins._points.cache_clear()
    yield
    for name in [name for name in sys.modules if name.startswith("orchestrator_clock")]:
        del sys.modules[name]
    plugins._points.cache_clear()


def test_the_example_package_runs_with_a_part_of_each_kind(clock):
    program = load(EXAMPLE / "opening.yaml")
    [problem] = program.problems
    outcome = run_sync(program, problem)
    assert (outcome.answer.text, outcome.answer.key) == ("15:05", "u:clock_time:15:05")
    assert [candidate.answer.text for candidate in outcome.candidates] == ["15:05", "15:05"]
    assert [candidate.scores["opening_hours"].value for candidate in outcome.candidates] == [1.0, 1.0]
    assert outcome.confidence == 1.0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("check",), "program: two_of_three\n"),
        (("graph",), 'model rehearsed#58; rehearsal<br/>per problem 10 requests<br/>check opening_hours('),
        (("graph",), '["two_of_three"]:::kind_call'),
        (("explain",), "\ntwo_of_three            3 "),
        (("run", "--dry-run"), "fits the budget\n"),
    ],
)  # fmt: skip
def test_each_command_knows_the_parts_of_the_example_package(clock, capsys, words, expected):
    command, *flags = words
    assert main([command, str(EXAMPLE / "opening.yaml"), *flags]) == 0
    assert expected in capsys.readouterr().out


STEPS = """\
version: 1
models:
  rehearsed: {backend: rehearsal, file: lines.txt}
answer: {kind: clock_time}
program:
  steps:
    - {id: drafts, two_of_three: {temperature: 1}, problem: "{{ problem }} Please."}
    - {id: judged, opening_hours: {of: drafts}}
    - id: tiers
      cascade: [{two_of_three: {}, accept: opening_hours >= 0.6}, {two_of_three: {}, budget: {requests: 3}}]
    - return: {vote: [judged, tiers]}
"""


def test_what_is_written_of_a_packages_parts_is_read_as_the_same(clock, write):
    for file in (EXAMPLE / "opening.yaml", write("steps.yaml", STEPS)):
        program = load(file)
        again = loads(dump(program), file=file)
        assert (again.strategy, again.check, again.per_problem) == (
            program.strategy,
            program.check,
            program.per_problem,
        )
        assert loads(dump(program.strategy)).strategy == program.strategy


def test_the_text_in_a_journal_says_a_packages_parts_as_files_do(clock, write):
    program = load(write("steps.yaml", STEPS))
    text = dump_run(
        program.strategy, answers=program.answers, prompt=program.prompt, models={"rehearsed": {}}
    )
    assert "two_of_three: {temperature: 1}" in text
    assert "TwoOfThree" not in text


def test_a_picture_calls_a_packages_parts_as_files_do(clock, write):
    _, drafts, judged, tiers, _ = sketch(load(write("steps.yaml", STEPS))).lanes[0].parts
    assert (drafts.title, drafts.kind) == ("drafts: two_of_three", "call")
    assert judged.title == "judged: score by opening_hours"
    first, gate, last = tiers.lanes[0].parts
    assert (first.title, gate.notes) == ("two_of_three", ("opening_hours >= 0.6",))
    assert last.lanes[0].parts[0].title == "two_of_three"


def test_the_usual_form_has_what_a_step_does_before_what_stands_beside_whoever_brings_it(clock):
    mixed = STEPS.replace(
        "[{two_of_three: {}, accept: opening_hours >= 0.6}",
        "[{accept: opening_hours >= 0.6, two_of_three: {}}",
    )
    mixed = mixed.replace(
        '{id: drafts, two_of_three: {temperature: 1}, problem: "{{ problem }} Please."}',
        '{problem: "{{ problem }} Please.", two_of_three: {temperature: 1}, id: drafts}',
    )
    assert mixed != STEPS
    assert format_text(mixed) == format_text(STEPS) == STEPS


def brought_by(module, *names):
    """Classes of a package that is imported in Python, which no file has named."""
    return [getattr(importlib.import_module(module), name) for name in names]


def test_a_class_has_the_key_its_package_gives_it_whatever_its_name_is(package, write):
    source = """
        from dataclasses import dataclass
        from orchestrator.strategies import Single
        from orchestrator.verifiers import Free

        @dataclass(frozen=True, slots=True, kw_only=True)
        class Own(Single):
            pass

        @dataclass(frozen=True, slots=True, kw_only=True)
        class Judged(Free):
            async def score(self, ctx, problem, candidates, /):
                return []
    """
    package("brought", textwrap.dedent(source), strategies={"mine": "Own"}, verifiers={"theirs": "Judged"})
    own, judged = brought_by("brought", "Own", "Judged")
    assert (STRATEGIES.key_of(own), VERIFIERS.key_of(judged)) == ("mine", "theirs")
    assert (STRATEGIES.key_of(judged), VERIFIERS.key_of(own)) == (None, None)
    assert dump(own()) == "version: 1\nprogram: mine\n"
    assert dump(judged()) == "theirs\n"
    program = load(write("program.yaml", HEAD + "check: theirs\nprogram: mine\n"))
    assert (program.strategy, type(program.check)) == (own(), judged)


async def test_a_strategy_of_a_package_is_called_by_its_key_where_its_costs_are_shown(package, write):
    source = """
        from dataclasses import dataclass
        from orchestrator.strategies import Single

        @dataclass(frozen=True, slots=True, kw_only=True)
        class Own(Single):
            pass

        @dataclass(frozen=True, slots=True, kw_only=True)
        class Bare:
            async def __call__(self, ctx, problem, /):
                raise NotImplementedError
    """
    package("brought", textwrap.dedent(source), strategies={"mine": "Own", "other": "Bare"})
    async with Controller(models={"m": ScriptedBackend(["4"])}) as controller:
        for key in ("mine", "other"):
            program = load(write("program.yaml", HEAD + f"program: {key}\n"))
            found = await controller.costing(Problem(id="p", prompt="2 + 2?")).program(program.strategy)
            assert found.kind == key


def test_nothing_of_a_package_is_imported_until_its_name_is_used(clock, write):
    load(write("program.yaml", HEAD + "program: {best_of_n: {verifier: equivalent}}\n"))
    assert not any(name.startswith("orchestrator_clock") for name in sys.modules)
    load(write("program.yaml", HEAD + "program: two_of_three\n"))
    assert "orchestrator_clock.two_of_three" in sys.modules
    assert "orchestrator_clock.opening_hours" not in sys.modules


def test_parts_of_packages_are_used_like_those_that_are_built_in(clock, write):
    program = load(
        write(
            "program.yaml",
            HEAD
            + "verifiers: {shop: {opening_hours: {opens: 10}}}\n"
            + "program:\n  steps:\n"
            + "    - {id: drafts, two_of_three: {temperature: 1}}\n"
            + "    - {id: judged, opening_hours: {of: drafts}}\n"
            + "    - {id: again, score: {of: judged, by: shop}}\n"
            + "    - return: again\n",
        )
    )
    run, score, again, _ = program.strategy.steps
    assert (type(run.program).__name__, run.program.temperature) == ("TwoOfThree", 1.0)
    assert (score.by.opens, again.by.opens) == (9, 10)


def test_a_kind_of_answers_of_a_package_is_one_everywhere(clock):
    assert "clock_time" in kinds()
    assert normalize("3:05 PM", kind="clock_time") == "u:clock_time:15:05"
    assert normalize("noon", kind="clock_time") == "t:noon"
    assert equivalent("at 3:05 pm", "15.05", kind="clock_time")
    assert not equivalent("at 3:05 pm", "3:05", kind="clock_time")
    assert cluster(["12 am", "0:00", "never", "9:30"], kind="clock_time") == [0, 0, None, 1]
    reader = AnswerReader(kind="clock_time", tag="time")
    assert reader.read("8:00 <time>9:15 pm</time>").text == "9:15 pm"
    assert reader.read("8:00") is None
    assert AnswerReader(kind="clock_time").read("cut off at 8:1", truncated=True) is None


def test_a_mistake_in_the_parameters_of_a_packages_part_is_placed(clock, refusal):
    said = refusal(
        """
        version: 1
        models:
          m: {backend: rehearsal, fil: lines.txt}
          n: {backend: rehersal, file: a}
        answer: {kind: clok_time}
        check: {opening_hours: {open: 3}}
        program: {two_of_three: {n: 2}}
        """
    )
    for expected in (
        "program.yaml:4:6: `file` is missing in `m`",
        "program.yaml:4:27: `rehearsal` takes no `fil`; it takes: file",
        "  hint: did you mean `file`?",
        "program.yaml:5:16: no package brings a backend `rehersal`; there are: rehearsal",
        "  hint: did you mean `rehearsal`?",
        "  hint: did you mean `clock_time`?",
        "program.yaml:7:25: unknown key `open` in `check.opening_hours`",
        "program.yaml:8:26: unknown key `n` in `program.two_of_three`",
    ):
        assert expected in said


def test_a_packages_part_that_refuses_its_values_says_where(clock, refusal):
    said = refusal(HEAD + "check: {opening_hours: {opens: 20, closes: 8}}\nprogram: single\n")
    assert "program.yaml:3:32: opens must be before closes, in 0..24, not 20 and 8" in said


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("{dictv: {fn: x}}", "3:42: `fn` can be given in Python only"),
        ("{dictv: {fn: null}}", "3:42: `fn` can be given in Python only"),
        (
            "{dictv: {fnn: x}}",
            "3:42: unknown key `fnn` in `program.best_of_n.verifier.dictv`; expected one of: at_least",
        ),
        ("{needs: {at_least: 0.5}}", "`fn` is missing in `needs`"),
        ("needs", "hint: it can be given in Python only"),
    ],
)
def test_a_function_of_a_packages_part_cannot_be_said(package, refusal, program, message):
    source = """
        from collections.abc import Callable
        from dataclasses import dataclass
        from typing import Any

        @dataclass(frozen=True, kw_only=True)
        class Dictv:
            at_least: float = 0.5
            fn: Callable[[Any], float] | None = None

            async def score(self, ctx, problem, candidates, /):
                return []

        @dataclass(frozen=True, kw_only=True)
        class Needs:
            at_least: float = 0.5
            fn: Callable

            async def score(self, ctx, problem, candidates, /):
                return []
    """
    package("brought", textwrap.dedent(source), verifiers={"dictv": "Dictv", "needs": "Needs"})
    assert message in refusal(HEAD + f"program: {{best_of_n: {{verifier: {program}}}}}\n")


def test_a_package_that_cannot_be_imported_is_named(package, refusal):
    package("broken_parts", "import no_such_module\n", strategies={"thing": "Thing"})
    said = refusal(HEAD + "program: thing\n")
    assert "program.yaml:3:10: `thing` of broken_parts 0.1.0 cannot be imported (broken_parts:Thing)" in said
    assert "ModuleNotFoundError: No module named 'no_such_module'" in said


def test_a_package_without_the_part_it_names_is_named(package, refusal):
    package("hollow", "", verifiers={"thing": "Thing"})
    assert "`thing` of hollow 0.1.0 cannot be imported" in refusal(HEAD + "check: thing\nprogram: single\n")


@pytest.mark.parametrize(
    ("group", "text", "message"),
    [
        ("strategies", "program: thing\n", "the strategy `thing` of another package must be a dataclass"),
        ("verifiers", "check: thing\nprogram: single\n", "must be a dataclass with `score`"),
        (
            "answer_kinds",
            "answer: {kind: thing}\nprogram: single\n",
            "must be an orchestrator.answers.AnswerKind",
        ),
    ],
)
def test_what_is_no_part_of_its_kind_is_refused(package, refusal, group, text, message):
    package("wrong_kind", "THING = 3\n", **{group: {"thing": "THING"}})
    assert message in refusal(HEAD + text)


def test_a_backend_that_is_none_is_refused_when_it_is_made(package, write):
    package("no_backend", "def make(): return 3\n", backends={"thing": "make"})
    program = load(write("program.yaml", "version: 1\nmodels: {m: {backend: thing}}\nprogram: single\n"))
    with pytest.raises(InvalidInputError, match="`thing` must make a backend"):
        _ = program.models


def test_a_package_cannot_give_a_built_in_name_another_meaning(package, write, refusal):
    source = "from orchestrator.strategies import Single\nclass Mine(Single): pass\n"
    package("greedy", source, strategies={"single": "Mine", "mine": "Mine"})
    program = load(write("program.yaml", HEAD + "program: single\n"))
    assert type(program.strategy).__module__ == "orchestrator.strategies.single"
    said = refusal(HEAD + "program: mine\n")
    assert "greedy 0.1.0 brings `single` for orchestrator.strategies, which is built in" in said


@pytest.mark.parametrize(
    ("group", "built_in", "text"),
    [
        ("verifiers", "judge", "check: own\nprogram: single\n"),
        ("backends", "local", "program: single\n"),
        ("answer_kinds", "number", "answer: {kind: own}\nprogram: single\n"),
    ],
)
def test_a_built_in_name_of_each_kind_is_refused(package, write, group, built_in, text):
    package("greedy", "THING = 3\n", **{group: {built_in: "THING", "own": "THING"}})
    models = "own" if group == "backends" else "recorded"
    model = {"own": "{backend: own}", "recorded": "{local: gemma-3-270m}"}[models]
    with pytest.raises(
        ValueError, match=f"greedy 0.1.0 brings `{built_in}` for orchestrator.{group}, which is"
    ):
        _ = load(write("program.yaml", f"version: 1\nmodels: {{m: {model}}}\n{text}")).models
    if group == "answer_kinds":
        assert normalize("12", kind="number") == "n:12"


def test_two_packages_with_one_name_are_both_named(package, refusal):
    package("one", "", verifiers={"thing": "x"})
    package("two", "", verifiers={"thing": "x"})
    said = refusal(HEAD + "check: thing\nprogram: single\n")
    assert "2 packages bring `thing` for orchestrator.verifiers: one 0.1.0, two 0.1.0" in said


# The schema ----------------------------------------------------------------------------------------------


WITHOUT_HEAD = """
models: {rehearsed: {backend: rehearsal, file: lines.txt}}
answer: {kind: clock_time}
check: {opening_hours: {opens: 8, closes: 18}}
program:
  steps:
    - {id: s, sample: {n: 2}}
    - {id: o, two_of_three: {temperature: 0.5}}
    - {id: h, opening_hours: {of: s, opens: 8, closes: 18}}
    - return: {vote: [o, h]}
"""


def test_the_schema_has_the_parts_of_installed_packages(clock, capsys):
    validator, plain = (jsonschema.Draft202012Validator(schema(installed=one)) for one in (True, False))
    right = f"version: 1{WITHOUT_HEAD}"
    wrong = right.replace("temperature", "temprature")
    assert validator.is_valid(parse(right, file="x").data)
    assert not validator.is_valid(parse(wrong, file="x").data)
    assert not validator.is_valid(parse(right.replace("closes: 18}}", "closes: late}}"), file="x").data)
    assert not plain.is_valid(parse(right, file="x").data)
    assert plain.is_valid(parse(f"{HEAD}program: two_of_three", file="x").data)
    assert main(["schema"]) == 0
    assert '"two_of_three"' in capsys.readouterr().out
    assert main(["schema", "--built-in"]) == 0
    assert '"two_of_three"' not in capsys.readouterr().out


def test_the_schema_takes_anything_for_what_only_python_can_say(package):
    source = """
from collections import deque
from dataclasses import dataclass, field

@dataclass(frozen=True, kw_only=True)
class Odd:
    \"\"\"An odd one.\"\"\"

    queue: deque[int] = field(default_factory=deque)
    n: int = 3

    def __post_init__(self):
        assert self.n >= 3

    async def __call__(self, ctx, problem):
        return None
"""
    package("odd", source, strategies={"odd": "Odd"})
    properties = schema()["$defs"]["strategy.odd"]["anyOf"][0]["properties"]
    assert properties["queue"] == {}
    assert properties["n"] == {"type": "integer", "default": 3, "minimum": 3}


def test_a_package_that_cannot_be_imported_is_named_instead_of_a_schema(package, capsys):
    package("broken", "import nothing_of_this_name", strategies={"odd": "Odd"})
    assert main(["schema"]) == 1
    assert "`odd` of broken 0.1.0 cannot be imported" in capsys.readouterr().err
    assert main(["schema", "--built-in"]) == 0
