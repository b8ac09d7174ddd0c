import subprocess
import sys

import pytest

from orchestrator import __version__
from orchestrator.programs.annotations import parameters
from orchestrator.programs.registries import STRATEGIES, VERIFIERS


def test_the_version(cli):
    for words in (["version"], ["--version"]):
        result = cli(*words)
        assert (result.code, result.out) == (0, f"orchestrator {__version__}\n")


def test_help_fits_the_terminal(cli):
    for words in (["--help"], ["run", "--help"], ["model", "--help"], ["run", "-h"]):
        result = cli(*words)
        assert result.code == 0
        assert max(len(line) for line in result.out.splitlines()) <= 60


def test_help_loads_nothing_heavy():
    heavy = (
        "('openai', 'aiohttp', 'numpy', 'pydantic', 'ruamel', 'xllamacpp', 'sqlite3', 'orchestrator.context')"
    )
    code = (
        "import sys; from orchestrator.cli import main; main(['--help']); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_check_says_what_a_file_does(cli, recorded, tmp_path):
    (tmp_path / "more.csv").write_text("question\nx\ny\n")
    recorded.write_text(recorded.read_text() + "problems: {file: more.csv}\n")
    result = cli("check", recorded)
    assert result.code == 0
    assert "no mistakes" in result.out
    assert "program:\n  self_consistency: {n: 4, stop: fixed_size}\n" in result.out
    assert "problems: 2 in" in result.out


def test_check_reports_mistakes_with_their_place(cli, recorded):
    recorded.write_text(recorded.read_text() + "promt: {}\n")
    result = cli("check", recorded)
    assert result.code == 1
    assert f"{recorded}:5:1: unknown key `promt`" in result.err
    assert "did you mean `prompt`?" in result.err


def test_strategies_are_listed_with_their_parameters(cli):
    result = cli("strategies")
    assert result.code == 0
    assert "self_consistency: Self-consistency" in result.out
    assert "    calls: ceil(n / per_call)\n    source: Wang et al., arXiv 2203.11171" in result.out
    listed = result.out[result.out.index("\nself_consistency: ") : result.out.index("\nsingle: ")]
    assert "        stop: stopping rule = none\n" in listed
    assert "        per_call: whole number = 1\n        model: text | none = none\n" in listed


def test_verifiers_are_listed_with_types_and_defaults_of_their_parameters(cli):
    result = cli("verifiers")
    assert result.code == 0
    names = [line.split(":")[0] for line in result.out.splitlines() if not line.startswith(" ")]
    assert names == list(VERIFIERS.parts)
    assert "judge: Scores each candidate by a rubric that a model applies to it.\n" in result.out
    assert "        lowest: whole number = 1\n        highest: whole number = 10\n" in result.out
    assert "        form: number | json | yes_no = number\n" in result.out
    assert "        pattern: text, required\n        ignore_case: true or false = false\n" in result.out
    assert "        parts: list of verifier, required\n" in result.out


@pytest.mark.parametrize(("command", "registry"), [("strategies", STRATEGIES), ("verifiers", VERIFIERS)])
def test_every_part_is_shown_in_full_with_what_each_parameter_means(cli, command, registry):
    for name, part in registry.parts.items():
        result = cli(command, name)
        assert result.code == 0, result.err
        lines = result.out.splitlines()
        for one in parameters(part):
            found = [at for at, line in enumerate(lines) if line.startswith(f"    {one}: ")]
            if found:  # else it takes an object of Python's
                assert lines[found[0] + 1].startswith("        "), (name, one)


def test_what_a_part_takes_as_a_mapping_is_shown_below_it(cli):
    result = cli("strategies", "cascade")
    assert "    tiers: list of tier = none\n" in result.out
    assert "        carry: true or false = false\n            Vote over the samples" in result.out


def test_a_part_nobody_knows(cli):
    result = cli("verifiers", "juge")
    assert result.code == 1
    assert "no verifier 'juge'; did you mean `judge`?" in result.err


def test_models_are_listed_and_not_fetched(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = cli("model", "list")
    assert result.code == 0
    assert "smollm2-135m-instruct  (chat, 135M, 98 MB, not fetched)" in result.out
    path = cli("model", "path", "gemma-3-270m")
    assert path.code == 1
    assert "orchestrator model pull gemma-3-270m" in path.err


def test_a_model_nobody_knows(cli):
    for command in ("pull", "path"):
        result = cli("model", command, "gema-3-270m")
        assert result.code == 1
        assert "did you mean 'gemma-3-270m'?" in result.err


def test_pulling_shows_progress_and_prints_the_path(cli, monkeypatch, tmp_path):
    def pull(name, *, progress):
        progress(50_000_000, 100_000_000)
        progress(100_000_000, 100_000_000)
        return tmp_path / name

    monkeypatch.setattr("orchestrator.cli.models.pull", pull)
    result = cli("model", "pull", "tiny")
    assert result.out == f"{tmp_path}/tiny\n"
    assert "tiny: 50/100 MB" in result.err
    assert "tiny: 100/100 MB" in result.err


def test_check_writes_a_program_of_steps_in_its_one_form(cli, tmp_path):
    file = tmp_path / "steps.yaml"
    file.write_text(
        "version: 1\n"
        "models: {m: {local: smollm2-135m-instruct}}\n"
        "verifiers: {strict: {judge: {max_tokens: 4}}}\n"
        "program: {steps: [{sample: {n: 1}, id: a}, {score: {by: strict, of: a}, id: b}, {return: b}]}\n"
    )
    result = cli("check", file)
    assert result.code == 0, result.err
    assert result.out.endswith(
        "program:\n"
        "  steps:\n"
        "    - id: a\n"
        "      sample: {}\n"
        "    - id: b\n"
        "      score:\n"
        "        of: a\n"
        "        by:\n"
        "          judge: {max_tokens: 4}\n"
        "    - return: b\n"
    )


def test_models_on_this_machine_that_there_are_not_are_mistakes_of_the_file(cli, tmp_path):
    file = tmp_path / "program.yaml"
    head = "version: 1\nmodels: {{small: {{local: {}}}}}\nprogram: single\n"
    for command in (["check", file], ["explain", file, "-p", "x"], ["run", file, "-p", "x", "--dry-run"]):
        file.write_text(head.format("smollm2"))
        result = cli(*command)
        assert result.code == 1
        assert f"{file}:2:25: no model on this machine is called `smollm2`" in result.err
        assert "hint: did you mean `smollm2-135m-instruct`?" in result.err
        file.write_text(head.format("gone/weights.gguf"))
        assert ":2:25: there is no model file `gone/weights.gguf`" in cli(*command).err
    file.write_text(head.format("someone/some-model"))
    assert cli("check", file).code == 0


def test_recordings_that_are_not_there_or_are_none_are_mistakes_of_the_file(cli, tmp_path):
    file = tmp_path / "program.yaml"
    file.write_text("version: 1\nmodels: {a: {replay: samples.jsonl}}\nprogram: single\n")
    for data, said in (
        (None, "there is no file of recorded samples `samples.jsonl`"),
        (
            b"SQLite format 3\0\xff",
            "`replay`: samples.jsonl: a journal or another database; recorded",
        ),
        (b'{"id": 1}\n', "`replay`: samples.jsonl:1: field 'samples': no column with samples"),
    ):
        if data is not None:
            (tmp_path / "samples.jsonl").write_bytes(data)
        for command in (["check", file], ["explain", file, "-p", "x"], ["run", file]):
            result = cli(*command)
            assert result.code == 1
            assert f"{file}:2:22: {said}" in result.err


def test_check_reads_all_recordings(cli, recorded, tmp_path):
    assert cli("check", recorded).code == 0
    with (tmp_path / "samples.jsonl").open("a") as stream:
        stream.write("{\n")
    result = cli("check", recorded)
    assert result.code == 1
    assert "samples.jsonl:3: not JSON" in result.err


def test_check_says_which_problem_lacks_a_declared_field(cli, recorded, tmp_path):
    said = "problem: {fields: {topic: text}}\nproblems: {file: more.jsonl}\n"
    recorded.write_text(recorded.read_text() + said)
    problems = tmp_path / "more.jsonl"
    first = '{"question": "a", "topic": "x"}\n\n'
    for second, wrong in (
        ('{"question": "b"}', "has no field `topic`"),
        ('{"question": "b", "topic": 3}', "a text"),
    ):
        problems.write_text(first + second + "\n")
        for command in (["check"], ["run"]):
            result = cli(*command, recorded)
            assert result.code == 1
            assert f"{problems}:3: problem '3'" in result.err
            assert wrong in result.err


def test_what_is_inside_a_parameter_that_is_a_mapping_is_explained_as_well(cli):
    shown = cli("strategies", "cascade").out.splitlines()
    [at] = [number for number, line in enumerate(shown) if line.strip().startswith("usd: ")]
    assert shown[at + 1].strip().startswith("US dollars, as it was given")
