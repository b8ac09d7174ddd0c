"""The page on the language is held to the code: its files load, its tables are what there is."""

import contextlib
import dataclasses
import io
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.main import get_command

from orchestrator import Budget, plugins, run_sync
from orchestrator.answers import KINDS, AnswerReader, normalize
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.backends.recordings import Columns, read_recordings
from orchestrator.cli import main
from orchestrator.cli.app import app
from orchestrator.errors import ProgramFileError
from orchestrator.expressions import ANSWER, NUMBER, TEXT, TRUTH, ListOf, Maybe, Record
from orchestrator.expressions.functions import FUNCTIONS
from orchestrator.primitives import PRIMITIVES
from orchestrator.primitives import values as kinds
from orchestrator.primitives.asking import Asking
from orchestrator.programs import load
from orchestrator.programs.document import parse
from orchestrator.programs.models import LONGEST_ATTEMPT, USUAL_KEY_VARIABLE
from orchestrator.programs.problems import ID_COLUMNS, PROMPT_COLUMNS, REFERENCE_COLUMNS, TESTS_COLUMNS
from orchestrator.programs.registries import ACCEPTANCES
from orchestrator.programs.spec import (
    AnswerSpec,
    BackendSpec,
    EndpointSpec,
    LocalSpec,
    PriceSpec,
    ProblemsSpec,
    ProgramSpec,
    ReplaySpec,
    SamplingSpec,
)
from orchestrator.templates.filters import FILTERS
from orchestrator.verifiers import Judge

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
PAGE = (EXAMPLES / "LANGUAGE.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

HEAD = "version: 1\n"
MODELS = """\
models:
  small: {local: smollm2-135m-instruct}
  large: {local: gemma-3-270m}
"""


def whole(block):
    """A block as a file: what the page says it leaves out is put before it."""
    if block.startswith("version:"):
        return block
    if block.startswith("- "):
        block = "program:\n  steps:\n" + re.sub(r"^(?=.)", "    ", block, flags=re.MULTILINE)
    if not block.startswith("program:") and "\nprogram:" not in block:
        block += "program: single\n"
    used = "prompts:" in block or "use:" in block
    assert used or "prompts" not in block
    return HEAD + ("" if "models:" in block else MODELS) + block


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_every_file_on_the_page_loads(number, tmp_path):
    examples = shutil.copytree(EXAMPLES, tmp_path / "examples")
    (examples / "page.yaml").write_text(whole(BLOCKS[number]))
    assert load(examples / "page.yaml").specs


def section(title, level=3):
    """What stands under a heading, up to the next of its level or above."""
    marks = "#" * level
    [(_, text)] = re.findall(
        rf"^{marks} ({re.escape(title)})\n(.*?)(?=^#{{1,{level}}} |\Z)", PAGE, re.M | re.S
    )
    return text


def rows(text, heading):
    """The cells of a table with this first heading."""
    table = text[text.index(f"| {heading} |") :].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def default_of(parameter):
    if parameter.default is dataclasses.MISSING and parameter.default_factory is dataclasses.MISSING:
        return "-"
    value = parameter.default_factory() if parameter.default is dataclasses.MISSING else parameter.default
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"`{value}`" if isinstance(value, str) else f"{value}"


def parameters_of(step, shared=()):
    """The keys of a step in files, with their defaults."""
    return {
        f"`{step.spelled.get(one.name, one.name)}`": default_of(one)
        for one in dataclasses.fields(step)
        if one.init and one.name not in ("id", *shared)
    }


@pytest.mark.parametrize("key", PRIMITIVES)
def test_every_step_has_a_table_of_its_keys_with_their_defaults(key):
    step = PRIMITIVES[key]
    title = "`let` and `set`" if key in ("let", "set") else f"`{key}`"
    shared = [one.name for one in dataclasses.fields(Asking)] if issubclass(step, Asking) else []
    said = {name: default for name, default, _ in rows(section(title), "key")}
    assert said == parameters_of(step, shared)


def test_the_keys_of_steps_that_ask_a_model_are_said_once():
    said = {name: default for name, default, _ in rows(section("Steps that ask a model"), "key")}
    assert said == parameters_of(Asking)


@pytest.mark.parametrize("key", PRIMITIVES)
def test_a_key_is_said_to_be_an_expression_or_a_template_where_it_is_one(key):
    step = PRIMITIVES[key]
    title = "`let` and `set`" if key in ("let", "set") else f"`{key}`"
    said = {name: text for name, _, text in rows(section(title), "key")}
    for one in dataclasses.fields(step):
        text = said.get(f"`{step.spelled.get(one.name, one.name)}`", "")
        for annotation, word in (("ExpressionText", "*expression*"), ("TemplateText", "*template*")):
            if text and one.name != "cases":  # which have both a condition and steps
                assert (annotation in str(one.type)) == (word in text), (one.name, text)


def in_words(kind):
    if isinstance(kind, Maybe):
        return in_words(kind.of) + "?"
    if isinstance(kind, ListOf):
        return f"list of {in_words(kind.item)}"
    plain = {NUMBER: "number", TEXT: "text", TRUTH: "true or false", ANSWER: "answer"}
    if kind in plain.values() or not isinstance(kind, Record):
        return plain[kind]
    return str(kind).removeprefix("an ").removeprefix("a ")


RECORDS = [
    kinds.CANDIDATE,
    kinds.CANDIDATES,
    kinds.REVIEW,
    kinds.CRITIQUE,
    kinds.VOTE,
    kinds.OUTCOME,
    kinds.problem_type({}),
]


@pytest.mark.parametrize("record", RECORDS, ids=str)
def test_every_type_of_value_has_a_table_of_its_fields(record):
    said = {name.strip("`"): kind for name, kind in rows(section(str(record)), "field")}
    assert said == {name: in_words(kind) for name, kind in record.fields.items()}


def test_the_sections_are_those_a_file_can_have():
    said = [name.strip("`") for name, _ in rows(PAGE, "section")]
    assert set(said) == set(ProgramSpec.model_fields)
    assert len(said) == len(set(said))


def test_the_filters_of_templates_are_all_named():
    [line] = [line for line in section("Templates", 2).splitlines() if line.startswith("- Filters:")]
    assert {name.split("(")[0] for name in re.findall(r"`([^`]+)`", line)} == set(FILTERS)


def test_every_command_on_program_files_is_on_the_page():
    said = section("Tools", 2)
    for name in {*get_command(app).commands} - {"strategies", "version", "model"}:
        assert f"`orchestrator {name}" in said, name


def test_the_error_on_the_page_is_what_is_said(tmp_path, monkeypatch):
    [shown] = re.findall(r"```text\n(.*?)```", section("Errors", 2), re.DOTALL)
    wrong = BLOCKS[0].replace("if: review.score", "if: reviw.score")
    (tmp_path / "first.yaml").write_text(wrong)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProgramFileError) as raised:
        load("first.yaml")
    assert f"{raised.value}\n" == shown


def test_the_python_on_the_page_prints_what_it_says():
    [(code, printed)] = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)
    assert PAGE.count("```python\n") == 1
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    assert out.getvalue() == printed


def test_the_keys_with_another_name_in_python_are_those_that_have_one():
    said = {
        (step, key, name)
        for key, steps, name in rows(section("The same in Python", 2), "key")
        for step in steps.split(", ")
    }
    assert said == {
        (f"`{step.key}`", f"`{key}`", f"`{name}`")
        for step in PRIMITIVES.values()
        for name, key in step.spelled.items()
    }


def in_code(cell):
    """What stands in a cell as code; ⏎ is the end of a line there."""
    return cell.removeprefix("`").removesuffix("`").strip().replace("⏎", "\n")


def read_as(written):
    return parse(written, file="page").data


@pytest.mark.parametrize("row", rows(section("`answer`"), "kind"), ids=lambda row: row[0])
def test_a_kind_of_answers_reads_its_example_as_said(row):
    kind, _, text, answer = map(in_code, row)
    found = AnswerReader(kind=kind).read(text)
    assert found.key == normalize(answer, kind=kind)


@pytest.mark.parametrize("row", rows(section("`answer`"), "`answer:`"), ids=lambda row: row[0])
def test_a_key_of_the_section_on_answers_reads_its_example_as_said(row):
    written, _, text, answer = map(in_code, row)
    found = AnswerReader(**read_as(written)).read(text)
    assert found.text.strip() == answer or found.key == AnswerReader(**read_as(written)).read(answer).key


def test_all_kinds_and_keys_of_answers_are_said():
    assert [in_code(row[0]) for row in rows(section("`answer`"), "kind")] == list(KINDS)
    keys = {key for row in rows(section("`answer`"), "`answer:`") for key in read_as(in_code(row[0]))}
    assert keys == set(AnswerSpec.model_fields)


def fields_of(spec):
    """The keys of a part of a file, with their defaults."""
    found = {}
    for name, field in spec.model_fields.items():
        default = "-" if field.is_required() else field.get_default(call_default_factory=True)
        empty = default in ({}, SamplingSpec())
        found[f"`{name}`"] = "none" if default is None else "`{}`" if empty else f"{default}"
    return found


def test_all_keys_of_models_are_said_with_their_defaults_and_the_models_that_have_them():
    kinds = {"local": LocalSpec, "base_url": EndpointSpec, "replay": ReplaySpec, "backend": BackendSpec}
    said = {kind: {} for kind in kinds}
    for key, of, default, _ in rows(section("`models`"), "key"):
        for kind in kinds if of == "all" else of.replace("`", "").split(", "):
            said[kind][key] = default
    assert said == {kind: fields_of(spec) for kind, spec in kinds.items()}


@pytest.mark.parametrize(
    ("title", "heading", "spec"),
    [
        ("`models`", "in `price`", PriceSpec),
        ("`models`", "in `sampling`", SamplingSpec),
        ("`problem` and `problems`", "in `problems`", ProblemsSpec),
    ],
)
def test_all_keys_of_a_part_of_a_file_are_said_with_their_defaults(title, heading, spec):
    assert {key: default for key, default, _ in rows(section(title), heading)} == fields_of(spec)


def test_what_is_said_of_columns_and_numbers_beside_models_is_so():
    said = {key: what for key, _, what in rows(section("`problem` and `problems`"), "in `problems`")}
    for key, columns in {
        "`id`": ID_COLUMNS, "`prompt`": PROMPT_COLUMNS, "`reference`": REFERENCE_COLUMNS, "`tests`": TESTS_COLUMNS,
    }.items():  # fmt: skip
        names = re.findall(r"`(\w+)`", said[key].partition("none: ")[2])
        assert [name for name in names if name != "messages"] == list(columns)
    said = {key: what for key, _, _, what in rows(section("`models`"), "key")}
    assert said["`retries`"].endswith(f"none: {RetryPolicy().attempts - 1}")
    assert said["`timeout`"].endswith(f"none: {LONGEST_ATTEMPT:g}")
    assert f"none: `{USUAL_KEY_VARIABLE}`" in said["`api_key_env`"]
    for group in (plugins.BACKENDS, plugins.STRATEGIES, plugins.VERIFIERS, plugins.ANSWER_KINDS):
        assert f"`{group}`" in section("`models`")


def test_the_recorded_file_on_the_page_is_one(tmp_path):
    [lines] = re.findall(r"```text\n(\{.*?)```", section("`models`"), re.S)
    (tmp_path / "recorded.jsonl").write_text(lines)
    found = read_recordings(tmp_path / "recorded.jsonl", columns=Columns())
    assert [len(one.samples) for one in found.values()] == [2, 1, 1]
    assert [one.problem.prompt for one in found.values()] == ["2 + 2?", "3 + 3?", "4 + 4?"]


def test_the_rules_by_which_a_tier_accepts_are_those_there_are():
    said = section("`programs` and `program`")
    for form in ("agreement >= 0.75", "confidence >= 0.75", "taste >= 0.8"):
        assert f"`{form}`" in said
    assert list(ACCEPTANCES.parts) == ["agreement", "confident", "scored"]


def test_what_is_said_of_the_judge_is_so():
    judge = Judge()
    assert (judge.form, judge.lowest, judge.highest) == ("number", 1, 10)
    said = section("`verifiers` and `check`")
    assert "`form` is `number` by default, a number from `lowest` (1) to `highest` (10)" in said


def test_the_first_program_is_refused_by_a_dry_run_unless_it_may_end_early(tmp_path, capsys):
    (tmp_path / "first.yaml").write_text(BLOCKS[0])
    words = ["run", str(tmp_path / "first.yaml"), "-p", "Write one sentence about a lighthouse.", "--dry-run"]
    assert main(words) == 1
    assert "each problem's budget has 3,000 tokens, and it can take " in capsys.readouterr().out
    assert main([*words, "--allow-over-budget"]) == 0


PATHS = """\
version: 1
models:
  small: {local: smollm2-135m-instruct}
program:
  steps:
    - sample: {aside: true}
    - id: sides
      parallel:
        calm:
          - id: said
            sample: {}
    - id: read
      for_each:
        in: "[1, 2]"
        as: number
        steps:
          - id: notes
            sample: {prompt: "{{ number }}"}
    - id: cheap
      branch:
        budget: {requests: 5}
        steps:
          - id: drafts
            sample: {}
    - id: rounds
      repeat:
        max: 2
        steps:
          - id: next
            sample: {}
          - id: review
            judge: {of: next, form: json}
    - return:
        vote: {of: [sides.calm.said, read.each.notes, cheap.drafts, rounds.next, rounds.review.best]}
"""


def test_calls_stand_in_the_journal_under_the_paths_on_the_page(tmp_path):
    (tmp_path / "paths.yaml").write_text(PATHS)
    model = ScriptedBackend(lambda request: "4")
    strategy = load(tmp_path / "paths.yaml").strategy
    run_sync(strategy, "?", models={"small": model}, journal=tmp_path / "run.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db")) as journal:
        paths = {path for (path,) in journal.execute("select path from calls")}
    judged = {path for path in paths if path.startswith("judge-")}
    plain = {"sample", "calm/said", "read-1/notes", "read-2/notes", "cheap/drafts", "next", "next~2"}
    assert paths - judged == plain
    assert all(re.fullmatch(r"judge-[0-9a-f]{12}(~2)?/[0-9a-f]{10}", path) for path in judged)
    table = section("Budgets, failures, missing values", 2)
    for path in ("sample", "next~2", "calm/said", "read-2/notes", "cheap/drafts"):
        assert f"`{path}`" in table
    [shown] = re.findall(r"`(judge-[^`]*)`", table)
    assert re.fullmatch(r"judge-[0-9a-f]{12}/[0-9a-f]{10}", shown)


SPENT = """\
version: 1
models:
  small: {local: smollm2-135m-instruct}
program:
  steps:
    - id: drafts
      sample: {max_tokens: 5}
    - id: long
      sample: {max_tokens: 5, prompt: "LONG"}
    - id: short
      sample: {max_tokens: 5}
    - id: judged
      judge: {of: drafts, max_tokens: 5}
    - return:
        vote: {of: [judged, long, short]}
"""


def test_after_a_call_that_does_not_fit_only_verifiers_are_asked(tmp_path):
    (tmp_path / "spent.yaml").write_text(SPENT.replace("LONG", "word " * 4000))
    asked = []
    model = ScriptedBackend(lambda request: asked.append(request.messages[-1]["content"]) or "4")
    strategy = load(tmp_path / "spent.yaml").strategy
    outcome = run_sync(strategy, "?", models={"small": model}, budget=Budget(total_tokens=2000))
    assert (outcome.stop_reason, len(asked)) == ("budget", 2)
    assert asked[0] == "?"
    assert "You judge an answer" in asked[1]


def test_the_functions_are_those_that_there_are():
    [row] = re.findall(r"^\| functions \| (.*) \|$", PAGE, re.MULTILINE)
    plain, *called = re.findall(r"`([^`]*)`", row)
    assert {*plain.split(), *(one.partition("(")[0] for one in called)} == set(FUNCTIONS)
