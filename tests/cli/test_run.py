import json
import sqlite3
import subprocess
from contextlib import closing

import pytest
from faulty_server import Fault, FaultyServer

from orchestrator.errors import EndpointError


def answering(text="The answer is 4."):
    return FaultyServer(answer=lambda body, choice: text)


def test_a_program_file_over_recorded_samples_gives_a_line_per_problem_and_the_figures(cli, recorded):
    result = cli("run", recorded, "--ordered")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == "a  7  right  (0.75, complete)"
    assert lines[1] == "b  7  wrong  (0.50, complete)"
    figures = {label: figure.strip() for label, figure in (line.split("  ", 1) for line in lines[2:])}
    assert figures["problems"] == "2, 2 answered"
    assert figures["accuracy of one sample"].startswith("50.0 %")
    assert figures["accuracy of the vote of 4"].startswith("50.0 %")
    assert figures["coverage"].startswith("100.0 %")
    assert "\x1b" not in result.out + result.err


def test_json_is_an_object_per_problem_and_a_summary(cli, recorded):
    result = cli("run", recorded, "--json", "--ordered")
    first, second, last = result.objects
    assert (first["id"], first["answer"], first["reference"], first["correct"]) == ("a", "7", "7", True)
    assert (second["id"], second["confidence"], second["correct"]) == ("b", 0.5, False)
    assert first["stop_reason"] == "complete"
    assert first["usage"]["requests"] == 4
    assert first["error"] is None
    assert first["detail"]["votes"]
    assert last["summary"]["accuracy"]["value"] == 0.5
    assert last["summary"]["usage"]["requests"] == 8
    assert last["summary"]["stop_reasons"] == {"complete": 2}


def test_flags_override_the_file(cli, recorded):
    result = cli("run", recorded, "--json", "--n", 2, "--limit", 1)
    [first, _] = result.objects
    assert first["samples"] == 2
    assert result.summary["problems"] == 1


def test_a_named_strategy_runs_on_an_endpoint(cli, questions):
    with answering().in_thread() as server:
        result = cli(
            "run", "self_consistency", "--problems", questions, "--base-url", server.base_url, "--model", "m",
            "--n", 3, "--temperature", 0.5, "--max-tokens", 20, "--kind", "number", "--json",
        )  # fmt: skip
    assert result.code == 0
    assert result.summary["accuracy"]["value"] == 1.0
    assert len(server.seen) >= 12
    body = server.seen[0].body
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0.5, 20)
    assert "authorization" not in {name.lower() for name in server.seen[0].headers}


def test_the_usual_key_is_sent_when_it_is_set_and_never_shown(cli, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with FaultyServer(api_key="sk-secret").in_thread() as server:
        result = cli("run", "single", "-p", "x", "--base-url", server.base_url, "--model", "m", "-v")
    assert result.code == 0
    assert "sk-secret" not in result.out + result.err


def test_questions_can_be_given_as_flags(cli):
    with answering().in_thread() as server:
        where = ("--base-url", server.base_url, "--model", "m")
        result = cli("run", "single", "-p", "2 + 2?", "-p", "1 + 3?", "--ordered", *where)
    assert result.code == 0
    assert [line.split("  ")[:2] for line in result.out.splitlines()[:2]] == [["1", "4"], ["2", "4"]]


PROGRAM = """
from orchestrator import Outcome

async def twice(ctx, problem):
    for _ in range(2):
        sample = await ctx.complete(ctx.ask(problem))
    return Outcome(answer=ctx.read(sample).answer, confidence=0.25)

def broken(:
"""


def test_a_function_of_ones_own_is_a_program(cli, tmp_path):
    (tmp_path / "mine_ok.py").write_text(PROGRAM.replace("def broken(:", ""))
    with answering().in_thread() as server:
        where = ("--base-url", server.base_url, "--model", "m", "--max-tokens", 9)
        result = cli("run", f"{tmp_path}/mine_ok.py:twice", "-p", "2 + 2?", "--json", *where)
    assert result.code == 0
    assert (result.objects[0]["answer"], result.objects[0]["confidence"]) == ("4", 0.25)
    assert [seen.body["max_tokens"] for seen in server.seen] == [9, 9]


def test_the_budget_is_kept_and_said_to_have_ended_the_run(cli, questions, tmp_path):
    journal = tmp_path / "run.db"
    with answering().in_thread() as server:
        result = cli(
            "run", "self_consistency", "--problems", questions, "--base-url", server.base_url, "--model", "m",
            "--n", 2, "--max-tokens", 20, "--budget-tokens", 200, "--journal", journal, "--json",
        )  # fmt: skip
    assert result.code == 0
    assert "ended early: " in result.err
    assert "cut short by the budget" in result.err
    assert result.summary["stop_reasons"]["budget"] >= 1
    with closing(sqlite3.connect(journal)) as connection:
        spent = connection.execute("SELECT sum(prompt_tokens + completion_tokens) FROM results").fetchone()[0]
    assert spent == result.summary["usage"]["total_tokens"] <= 200


def test_a_budget_for_each_problem(cli, questions):
    with answering().in_thread() as server:
        result = cli(
            "run", "self_consistency", "--problems", questions, "--base-url", server.base_url, "--model", "m",
            "--n", 5, "--per-problem-requests", 2, "--json",
        )  # fmt: skip
    assert {found["samples"] for found in result.objects[:-1]} == {2}


def test_a_price_makes_a_limit_on_money_possible(cli, questions):
    where = ["--problems", questions, "--model", "m", "--max-tokens", 5, "--budget-usd", 1, "--json"]
    with answering().in_thread() as server:
        unknown = cli("run", "single", "--base-url", server.base_url, *where)
        priced = cli(
            "run", "single", "--base-url", server.base_url, *where, "--price-in", 10, "--price-out", 20
        )
    assert unknown.code == 1
    assert "price of model 'm' is not known" in unknown.err
    assert priced.code == 0
    usage = priced.summary["usage"]
    assert usage["usd"] == pytest.approx(10e-6 * usage["prompt_tokens"] + 20e-6 * usage["completion_tokens"])


def test_a_finished_run_is_resumed_without_a_call(cli, questions, tmp_path):
    journal = tmp_path / "run.db"
    with answering().in_thread() as server:
        words = (
            "run",
            "single",
            "--problems",
            questions,
            "--base-url",
            server.base_url,
            "--model",
            "m",
            "--json",
        )
        first = cli(*words, "--journal", journal)
        calls = len(server.seen)
        again = cli(*words, "--journal", journal, "--resume")
        assert len(server.seen) == calls == 6
        refused = cli(*words, "--journal", journal)
        other = cli(*words, "--journal", journal, "--resume", "--temperature", 1)
    assert first.code == again.code == 0
    assert again.summary["usage"]["total_tokens"] == first.summary["usage"]["total_tokens"]
    assert refused.code == other.code == 1
    assert refused.err.startswith("error: ")
    assert len(server.seen) == 6


def test_without_an_endpoint_there_is_one_message(cli, monkeypatch):
    monkeypatch.setattr("orchestrator.backends.retry.RetryPolicy.delay", lambda *_: None)
    result = cli("run", "single", "-p", "x", "-p", "y", "--base-url", "http://127.0.0.1:9/v1", "--model", "m")
    assert result.code == 1
    assert result.out == ""
    assert len([line for line in result.err.splitlines() if line.startswith("error: ")]) == 1
    assert "cannot connect to 127.0.0.1:9" in result.err


def test_a_wrong_key_ends_the_run_at_the_first_problem(cli, questions):
    with FaultyServer(api_key="right").in_thread() as server:
        result = cli(
            "run", "single", "--problems", questions, "--base-url", server.base_url, "--model", "m",
            "--concurrency", 1,
        )  # fmt: skip
    assert result.code == 1
    assert "every problem failed" in result.err
    assert len(server.seen) <= 3


def test_a_budget_too_small_for_one_call_is_a_failure(cli):
    with answering().in_thread() as server:
        result = cli(
            "run", "single", "-p", "x", "--base-url", server.base_url, "--model", "m", "--budget-tokens", 3
        )
    assert result.code == 1
    assert "the budget is too small for one call" in result.err
    assert len(server.seen) == 0


def test_failures_of_some_problems_are_not_failures_of_the_run(cli, questions):
    with FaultyServer(script=[Fault.BAD_REQUEST]).in_thread() as server:
        result = cli(
            "run", "single", "--problems", questions, "--base-url", server.base_url, "--model", "m", "--json"
        )
    assert result.code == 0
    assert result.summary["stop_reasons"] == {"complete": 5, "error": 1}
    assert [found["error"] is not None for found in result.objects[:-1]].count(True) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing.yaml"], "nothing.yaml: cannot be read"),
        (["self_consistancy"], "did you mean `self_consistency`?"),
        (["odd"], "strategies: ab_mcts, adaptive, "),
        (["single", "-p", "x"], "which model?"),
        (["single", "-p", "x", "--base-url", "http://127.0.0.1:9/v1"], "--base-url needs --model"),
        (
            ["single", "--model", "m", "--base-url", "http://127.0.0.1:9/v1"],
            "no problems: give --problems FILE",
        ),
        (["single", "-p", "x", "--n", "3", "--model", "m"], "single has no parameter for --n"),
        (["best_of_n", "-p", "x", "--model", "m"], "or write a program file"),
        (["single", "-p", "x", "--model", "m", "--base-url", "ftp://h"], "http://"),
        (["single", "-p", "x", "--model", "m", "--price-in", "1", "--price-out", "1"], "costs nothing"),
        (
            ["single", "-p", "x", "--model", "m", "--base-url", "http://h/v1", "--price-in", "1"],
            "go together",
        ),
        (["single", "-p", "x", "--problems", "f", "--model", "m"], "either with --problems or with -p"),
        (["single", "--problems", "none.csv", "--model", "m"], "none.csv"),
        (["none.py:f", "-p", "x", "--model", "m"], "there is no file 'none.py'"),
        (["single", "-p", "x", "--model", "gema-3-270m"], "gemma-3-270m"),
        (
            ["single", "-p", "x", "--model", "m", "--base-url", "http://h/v1", "--api-key-env", "NOPE_1"],
            "NOPE_1",
        ),
    ],
)
def test_expected_failures_are_one_message_and_exit_code_1(cli, words, message):
    result = cli("run", *words)
    assert result.code == 1
    assert result.out == ""
    assert message in result.err
    assert "Traceback" not in result.err


def test_python_files_with_mistakes_are_expected_failures(cli, tmp_path):
    (tmp_path / "mine_bad.py").write_text(PROGRAM)
    (tmp_path / "mine_odd.py").write_text(PROGRAM.replace("def broken(:", ""))
    broken = cli("run", f"{tmp_path}/mine_bad.py:twice", "-p", "x", "--model", "m")
    assert broken.code == 1
    assert "SyntaxError" in broken.err
    missing = cli("run", f"{tmp_path}/mine_odd.py:twise", "-p", "x", "--model", "m")
    assert "did you mean `twice`?" in missing.err
    unnamed = cli("run", f"{tmp_path}/mine_odd.py", "-p", "x", "--model", "m")
    assert "mine_odd.py:NAME" in unnamed.err


@pytest.mark.parametrize(
    "words",
    [
        ["runn"],
        ["run"],
        ["run", "single", "--n", "x"],
        ["run", "single", "--n", "0"],
        ["run", "single", "--resume"],
        ["run", "single", "--nope"],
        ["run", "single", "--kind", "nope"],
    ],
)
def test_wrong_usage_is_exit_code_2(cli, words):
    result = cli(*words)
    assert result.code == 2
    assert "Usage" in result.err


def test_a_bug_is_exit_code_3_and_says_how_to_see_more(cli, recorded, monkeypatch):
    def explode(*args, **kwargs):
        raise ZeroDivisionError("oh no")

    monkeypatch.setattr("orchestrator.cli.run.Tracker.add", explode)
    result = cli("run", recorded)
    assert result.code == 3
    assert "ZeroDivisionError: oh no" in result.err
    assert "--debug" in result.err
    assert "Traceback" not in result.err
    debugged = cli("run", recorded, "--debug")
    assert debugged.code == 3
    assert "Traceback" in debugged.err
    assert "Traceback" not in cli("run", recorded).err


def test_verbose_tells_about_retries(cli, monkeypatch):
    with FaultyServer(script=[Fault.SERVER_ERROR]).in_thread() as server:
        result = cli(
            "run", "single", "-p", "x", "--base-url", server.base_url, "--model", "m", "-v", "--json"
        )
    assert result.code == 0
    assert "attempt 2 in" in result.err
    assert json.loads(result.out.splitlines()[0])["stop_reason"] == "complete"


def test_what_a_model_writes_cannot_drive_the_terminal_or_break_the_output(cli):
    with answering("\x1b[31mred\udc80").in_thread() as server:
        where = ("-p", "x", "--base-url", server.base_url, "--model", "m", "--kind", "text")
        text, as_json = cli("run", "single", *where), cli("run", "single", *where, "--json")
    assert text.code == as_json.code == 0
    assert "\x1b" not in text.out
    assert "[31mred" in text.out
    assert as_json.objects[0]["id"] == "1"


def test_a_local_models_progress_is_told(cli, monkeypatch):
    class Endpoint:
        def __init__(self, model, *, progress, **options):
            self.progress = progress

        async def __aenter__(self):
            self.progress(40_000_000, 98_000_000)
            self.progress(98_000_000, 98_000_000)
            raise EndpointError("the model server ended with exit code 1", log_tail="out of memory")

    monkeypatch.setattr("orchestrator.serving.Endpoint", Endpoint)
    result = cli("run", "single", "-p", "x", "--model", "tiny")
    assert result.code == 1
    assert "fetching tiny 40/98 MB" in result.err
    assert "exit code 1" in result.err
    assert "out of memory" in result.err


def test_a_model_flag_replaces_the_files_model_and_keeps_its_sampling(cli, tmp_path, questions):
    path = tmp_path / "program.yaml"
    path.write_text(
        "version: 1\n"
        "models:\n"
        "  first: {local: gemma-3-270m}\n"
        "  used: {local: gemma-3-270m, sampling: {top_p: 0.5, max_tokens: 7}}\n"
        "budget: {requests: 100, total_tokens: 100000}\n"
        "problems: {file: questions.csv, limit: 2}\n"
        "answer: {kind: number}\n"
        "program: {self_consistency: {model: used, n: 2, stop: fixed_size}}\n"
    )
    with answering().in_thread() as server:
        where = ("--base-url", server.base_url, "--model", "other")
        result = cli("run", path, *where, "--budget-requests", 3, "--json")
    assert result.code == 0
    assert {seen.body["model"] for seen in server.seen} == {"other"}
    assert {(seen.body["top_p"], seen.body["max_tokens"]) for seen in server.seen} == {(0.5, 7)}
    assert result.summary["problems"] == 2
    assert len(server.seen) == 3


def test_a_file_of_problems_replaces_the_programs_own(cli, recorded, questions, tmp_path):
    recorded.write_text(recorded.read_text() + "problems: {file: none.csv, limit: 1, prompt: question}\n")
    with answering().in_thread() as server:
        where = ("--base-url", server.base_url, "--model", "m")
        result = cli("run", recorded, "--problems", questions, *where, "--json")
    assert result.summary["problems"] == 6
    assert cli("run", recorded).code == 1


@pytest.mark.parametrize("file", ["-", "/dev/stdin"])
def test_problems_can_come_from_a_pipe_and_are_read_once(start, recorded, file):
    recorded.write_text(recorded.read_text() + "problems: {file: none.csv, limit: 1}\n")
    problems = '{"id": "a", "question": "3 + 4?"}\n{"id": "b", "question": "3 + 5?"}\n'
    for command, said in (
        (("run", recorded, "--ordered"), "a  7  (0.75, complete)\nb  7  (0.50, complete)\n"),
        (("explain", recorded), "2 problems, at most: 8 calls"),
        (("run", recorded, "--dry-run"), "2 problems, at most: 8 calls"),
        (("check", recorded), "problems: 2 in "),
    ):
        out, err = start(*command, "--problems", file, stdin=subprocess.PIPE).communicate(
            problems, timeout=60
        )
        assert said in out, err


def test_a_problem_from_a_pipe_that_is_wrong_is_told_before_anything_is_sent(start, recorded):
    process = start("run", recorded, "--problems", "-", stdin=subprocess.PIPE)
    out, err = process.communicate('{"id": "a", "question": "3 + 4?"}\n{', timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "standard input:2: not JSON" in err


def test_a_program_that_reads_further_fields_needs_a_file_of_problems(cli, tmp_path):
    file = tmp_path / "program.yaml"
    file.write_text(
        "version: 1\nmodels: {m: {base_url: 'http://127.0.0.1:9/v1', model: m}}\nproblem: {fields: {topic: text}}\n"
        "program: {steps: [{id: s, sample: {prompt: '{{ problem.topic }}'}}, {return: s}]}\n"
    )
    for command in (("explain", file), ("run", file, "--dry-run"), ("run", file)):
        result = cli(*command)
        assert result.code == 1
        assert "no problems, and the program reads `topic` of each: give" in result.err
        result = cli(*command, "-p", "x")
        assert "-p gives a problem no `topic`, which the program reads: give problems" in result.err
        assert "--problems FILE" in result.err


def test_recorded_problems_without_a_declared_field_are_refused_before_the_run(cli, recorded):
    recorded.write_text(recorded.read_text() + "problem: {fields: {topic: text}}\n")
    for command in ("run", "explain"):
        result = cli(command, recorded)
        assert result.code == 1
        assert result.err.startswith("error: problem 'a' has no field `topic`, which the program declares")


@pytest.mark.parametrize(
    ("section", "program", "said"),
    [
        ("prompt: {template: 'Say: {{ problm }}'}", "single", ":2:29: problem 'a' has no"),
        ("prompts: {p: {template: '{{ problm }}'}}\nprompt: {use: p}", "single", ":3:15: problem 'a' has no"),
        ("problem: {template: '{{ problm }}'}", "single", ":2:25: problem 'a' has no"),
        (
            "check: {generated_tests: {template: '{{ problm }} {{ count }} {{ entry_point }}'}}",
            "single",
            "problem 'a' has no field `problm`, which the template of `generated_tests` names",
        ),
    ],
)
def test_a_template_that_names_what_problems_lack_is_refused_before_the_run(
    cli, tmp_path, section, program, said
):
    file, problems = tmp_path / "program.yaml", tmp_path / "p.jsonl"
    problems.write_text('{"id": "a", "question": "?"}\n')
    model = "models: {m: {base_url: 'http://127.0.0.1:9/v1', model: m}}"
    file.write_text(f"version: 1\n{section}\n{model}\nproblems: {{file: p.jsonl}}\nprogram: {program}\n")
    for command in (("check", file), ("explain", file), ("run", file, "--dry-run"), ("run", file)):
        result = cli(*command)
        assert result.code == 1
        assert said in result.err
    result = cli("run", file, "-p", "x")
    assert result.code == 1
    assert said.replace("'a'", "'1'") in result.err


def test_more_samples_than_memory_holds_are_refused_at_once(cli, questions):
    with answering().in_thread() as server:
        result = cli(
            "run", "self_consistency", "--problems", questions, "--base-url", server.base_url, "--model", "m",
            "--n", 10**12,
        )  # fmt: skip
    assert result.code == 1
    assert "more than 10,000 calls in one round" in result.err
    assert not server.seen


@pytest.mark.parametrize(
    ("fault", "hint"), [(Fault.UNAUTHORIZED, "OPENAI_API_KEY"), (Fault.NOT_FOUND, "usually ends in /v1")]
)
def test_a_refused_key_or_model_says_where_they_come_from(cli, fault, hint):
    with FaultyServer(rates={fault: 1.0}).in_thread() as server:
        result = cli("run", "single", "-p", "2+2?", "--base-url", server.base_url, "--model", "m")
    assert result.code == 1
    assert hint in result.err.splitlines()[-1]


def test_an_unknown_price_names_the_flags_that_give_it(cli):
    result = cli("run", "single", "-p", "2+2?", "--base-url", "http://127.0.0.1:9/v1", "--model", "m",
                 "--budget-usd", 1)  # fmt: skip
    assert result.code == 1
    assert "--price-in and --price-out" in result.err


def test_an_endpoint_without_a_price_is_not_said_to_cost_nothing(cli):
    with answering().in_thread() as server:
        flags = ["run", "single", "-p", "2+2?", "--base-url", server.base_url, "--model", "m"]
        assert "unknown: no price was given" in cli(*flags).out
        assert cli(*flags, "--json").summary["priced"] is False
        assert "$0\n" in cli(*flags, "--price-in", 0, "--price-out", 0).out


def test_trouble_before_the_first_sample_is_told_once(cli):
    script = [Fault.SERVER_ERROR, Fault.SERVER_ERROR, None, Fault.SERVER_ERROR]
    with FaultyServer(script=script).in_thread() as server:
        result = cli("run", "single", "-p", "a?", "-p", "b?", "--base-url", server.base_url, "--model", "m",
                     "--concurrency", 1)  # fmt: skip
    assert result.code == 0
    assert result.err.count("trying again") == 1
    assert "HTTP 500: it broke; trying again" in result.err


def test_a_mistake_in_a_program_of_ones_own_is_told_with_its_line(cli, tmp_path):
    program = tmp_path / "mine.py"
    program.write_text("async def ask(ctx, problem):\n    seen = {}\n    return seen['x']\n")
    result = cli("run", f"{program}:ask", "-p", "2+2?", "--base-url", "http://127.0.0.1:9/v1", "--model", "m")
    assert result.code == 1
    assert "KeyError: 'x' (mine.py:3)" in result.err


def test_resuming_from_a_journal_that_is_not_there_is_said(cli, tmp_path):
    with answering().in_thread() as server:
        flags = [
            "-p",
            "2+2?",
            "--base-url",
            server.base_url,
            "--model",
            "m",
            "--journal",
            tmp_path / "run.db",
        ]
        assert "nothing is resumed" in cli("run", "single", *flags, "--resume").err
        assert "nothing is resumed" not in cli("run", "single", *flags, "--resume").err


def test_a_trace_shows_each_problem_as_a_tree(cli, recorded):
    result = cli("run", recorded, "--trace", "--ordered")
    assert result.code == 0
    trees = [line for line in result.err.splitlines() if "samples: 4 calls" in line]
    assert [tree.split("  ")[:2] for tree in trees] == [
        ["a", "7 (0.75, complete)"],
        ["b", "7 (0.50, complete)"],
    ]


def test_a_journal_that_does_not_fit_is_refused_before_a_model_is_started(
    cli, recorded, tmp_path, monkeypatch
):
    started = []
    monkeypatch.setattr("orchestrator.serving.Endpoint", lambda *given, **options: started.append(given))
    journal = tmp_path / "journal.db"
    assert cli("run", recorded, "--journal", journal).code == 0
    local = ("run", "single", "-p", "x", "--model", "gemma-3-270m", "--journal")
    for words in (
        (journal,),
        (journal, "--resume"),
        (journal, "--resume", "--seed", 5),
        (tmp_path / "no" / "j",),
    ):
        result = cli(*local, *words)
        assert result.code == 1
        assert "the journal" in result.err
        assert "starting" not in result.err
    assert not started
