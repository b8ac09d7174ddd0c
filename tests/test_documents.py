"""Documents are tests: the README's code runs and prints what it says, and every example loads."""

import contextlib
import doctest
import importlib
import io
import re
import tomllib
from pathlib import Path

import pytest

import orchestrator
from orchestrator.programs.registries import STRATEGIES, VERIFIERS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
PYTHON = [number for number, (language, _) in enumerate(BLOCKS) if language == "python"]


@pytest.mark.parametrize("number", PYTHON)
def test_python_in_the_readme_prints_what_it_says(number):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(BLOCKS[number][1], f"README block {number}", "exec"), {"__name__": "__main__"})
    language, expected = BLOCKS[number + 1]
    assert language == "text", "a Python block is followed by what it prints"
    assert printed.getvalue() == expected


def test_the_readme_names_every_module_and_folder_of_the_package():
    [tree] = [text for language, text in BLOCKS if text.startswith("orchestrator/\n")]
    named = set(re.findall(r"\w+", tree))
    package = ROOT / "orchestrator"
    there = {
        path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert there - {"__init__", "__main__", "version"} <= named


def test_the_readme_names_every_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    [said] = re.findall(r"^Extras: (.*?)\. Debian", README, re.M | re.S)
    assert set(re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", said, flags=re.S))) == set(extras)


WITH_EXAMPLES = [path for path in sorted((ROOT / "orchestrator").rglob("*.py")) if ">>>" in path.read_text()]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.stem)
def test_examples_in_docstrings_print_what_they_say(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert failed == 0
    assert tried > 0


@pytest.mark.parametrize("number", [n for n, (language, _) in enumerate(BLOCKS) if language == "yaml"])
def test_program_files_in_the_readme_load(number, tmp_path):
    (tmp_path / "program.yaml").write_text(BLOCKS[number][1])
    assert orchestrator.load(str(tmp_path / "program.yaml")).models


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_loads_with_its_problems(path):
    program = orchestrator.load(str(path))
    if program.problems is not None:
        problems = list(program.problems)
        assert len(problems) >= 10
        assert all(problem.reference is not None or problem.tests is not None for problem in problems)


def test_the_examples_are_listed():
    listed = (ROOT / "examples" / "README.md").read_text()
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        assert f"| `{path.name}` |" in listed, path.name


def test_the_program_in_the_examples_is_the_one_in_the_readme():
    source = (ROOT / "examples" / "ask_until_two_agree.py").read_text()
    function = source[source.index("async def") :].strip()
    assert any(function in body for language, body in BLOCKS if language == "python")


def test_the_file_in_the_readme_is_the_one_in_the_examples():
    assert any(body == (ROOT / "examples" / "quarter.yaml").read_text() for _, body in BLOCKS)


def test_the_readme_names_the_commands_that_ci_runs():
    for name in ("job", "test"):
        [line] = re.findall(rf"<!-- ci: {name} -->\n```sh\n(python -m venv .*)\n```", README)
        assert line.startswith("python -m venv .venv && . .venv/bin/activate && pip install")


@pytest.mark.parametrize("name", STRATEGIES.parts)
def test_every_strategy_stands_in_the_readme_and_has_an_example(name):
    strategy = STRATEGIES.parts[name]
    [row] = [line for line in README.splitlines() if line.startswith(f"| `{strategy.__name__}` |")]
    *_, pays, cost, paper, _ = (cell.strip() for cell in row.split("|"))
    assert (pays, cost, paper) == (strategy.pays, strategy.cost, strategy.paper)
    assert type(orchestrator.load(str(ROOT / "examples" / f"{name}.yaml")).strategy) is strategy


@pytest.mark.parametrize("name", VERIFIERS.parts)
def test_every_verifier_stands_in_the_readme(name):
    assert f"`{name}`" in README[README.index("## Verifiers") : README.index("## Measured")]
