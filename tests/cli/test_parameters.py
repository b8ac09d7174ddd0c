"""Several models, and any parameter of a strategy, on the command line."""

import pytest
from faulty_server import FaultyServer

TIERS = (
    "tiers=[{self_consistency: {model: small, n: 2}, accept: agreement >= 0.75}, {single: {model: large}}]"
)


def of_two():
    """A server of two models: `weak` cannot say, `strong` says 4."""
    return FaultyServer(answer=lambda body, choice: "4" if body["model"] == "strong" else "who knows")


def test_a_cascade_runs_by_name_over_several_models(cli, questions):
    with of_two().in_thread() as server:
        result = cli(
            "run", "cascade", "--problems", questions, "--base-url", server.base_url, "--model", "small=weak",
            "--model", "large=strong", "--set", TIERS, "--max-tokens", 20, "--kind", "number", "--json",
        )  # fmt: skip
    assert result.code == 0, result.err
    assert result.summary["accuracy"]["value"] == 1.0
    assert {call.body["model"] for call in server.seen} == {"weak", "strong"}
    assert {call.body["max_tokens"] for call in server.seen} == {20}


@pytest.mark.parametrize("strategy", ["cascade", "router", "fusion", "debate"])
def test_every_strategy_over_several_models_runs_without_a_parameter(cli, strategy):
    with of_two().in_thread() as server:
        where = ("--base-url", server.base_url, "--model", "weak", "--model", "strong")
        result = cli("run", strategy, "-p", "What is 2 + 2?", *where, "--kind", "number", "--json")
    assert result.code == 0, result.err
    assert result.objects[0]["error"] is None
    assert result.objects[0]["answer"] == (None if strategy == "router" else "4")


def test_a_parameter_is_written_as_in_a_program_file(cli):
    with FaultyServer(answer=lambda body, choice: "It is 4.").in_thread() as server:
        where = ("--base-url", server.base_url, "--model", "m")
        verifier = ("--set", 'verifier={regex: {pattern: "4"}}')
        result = cli("run", "best_of_n", "-p", "?", *where, *verifier, "--set", "n=3", "--json")
    assert result.code == 0, result.err
    assert result.objects[0]["confidence"] == 1.0


def test_a_parameter_overrides_what_a_file_says(cli, recorded):
    result = cli("run", recorded, "--json", "--limit", 1, "--set", "n=2", "--set", "temperature=0.1")
    assert result.code == 0, result.err
    assert result.objects[0]["samples"] == 2


def test_a_model_takes_the_place_of_the_one_of_its_name_in_a_file(cli, tmp_path, questions):
    path = tmp_path / "two.yaml"
    path.write_text(
        "version: 1\n"
        "models:\n"
        "  small: {base_url: 'http://127.0.0.1:9/v1', model: weak, sampling: {max_tokens: 7}}\n"
        "  large: {base_url: 'http://127.0.0.1:9/v1', model: old}\n"
        "answer: {kind: number}\n"
        "program: {cascade: [{single: {model: small}, accept: confidence >= 1}, {single: {model: large}}]}\n"
    )
    with of_two().in_thread() as server:
        names = ("--model", "large=strong", "--model", "small=weak")
        result = cli("run", path, "--problems", questions, "--base-url", server.base_url, *names, "--json")
    assert result.code == 0, result.err
    assert result.summary["accuracy"]["value"] == 1.0
    assert [call.body["max_tokens"] for call in server.seen if call.body["model"] == "weak"] == [7] * 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["self_consistency", "--set", "n"], "--set takes PARAMETER=VALUE, not 'n'"),
        (
            ["beam_search", "--set", "steps.tokens=3"],
            "not 'steps.tokens=3'; for a part of a parameter, --set 'steps={tokens: ...}'",
        ),
        (["self_consistency", "--set", "n="], "--set n: a value is missing"),
        (["self_consistency", "--set", "n=[1"], "--set n: not valid YAML"),
        (["self_consistency", "--set", "n=many"], "--set n: `n` must be a whole number, not 'many'"),
        (["self_consistency", "--set", "n=0"], "--set n: n must be at least 1, not 0"),
        (["self_consistency", "--set", "n=2", "--set", "n=3"], "--set gives n twice"),
        (["self_consistency", "--set", "n=2", "--n", "3"], "n is given twice: by --set and by --n"),
        (["self_consistency", "--set", "stop={beta: 2}"], "--set stop: confidence must be in (0, 1)"),
        (
            ["self_consistency", "--set", "n=2", "--set", "stopp=lead"],
            "--set stopp: unknown key `stopp` in `self_consistency`\n  hint: did you mean `stop`?",
        ),
        (
            ["cascade", "--set", "tiers=[{single: {model: n}, accept: agrement}, single]"],
            "no model `n`; there are: m (at character 19)\n"
            "--set tiers: no rule of acceptance `agrement` (at character 31)\n  hint: did you mean `agreement`?",
        ),
        (
            ["cascade", "--set", "tiers=[single, single]"],
            "--set tiers: tiers: tier 1 of 2 has no accept",
        ),
        (["best_of_n"], "best_of_n needs verifier: give it as --set verifier=VALUE"),
        (["single", "--model", "m"], "--model gives 'm' twice"),
        (["single", "--model", "m=other"], "--model gives 'm' twice"),
        (["single", "--model", "o", "--price-in", "1", "--price-out", "1"], "are for one model"),
    ],
)
def test_a_mistake_is_one_message_that_names_the_parameter(cli, words, message):
    result = cli("run", *words, "-p", "x", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    assert result.code == 1
    assert message in result.err
    assert "Traceback" not in result.err


def test_a_program_of_ones_own_has_no_parameters_to_set(cli, tmp_path):
    (tmp_path / "mine_set.py").write_text("async def program(ctx, problem): ...\n")
    result = cli("run", f"{tmp_path}/mine_set.py:program", "-p", "x", "--model", "m", "--set", "n=2")
    assert result.code == 1
    assert "--set is for strategies" in result.err
