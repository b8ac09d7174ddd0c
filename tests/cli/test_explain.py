"""`orchestrator explain` and `run --dry-run`: costs before anything is sent, without keys and servers."""

import json

import pytest
from faulty_server import FaultyServer
from rich.console import Console

from orchestrator.cli.costs_table import plain_table, terminal_table
from orchestrator.costs import UNKNOWN, Cost, Spending
from orchestrator.programs.explaining import rows

ENDPOINT = """\
version: 1
models:
  dear: {base_url: "https://127.0.0.1:9/v1", model: m, api_key_env: NO_SUCH_KEY, price: {input: 1, output: 2}}
budget: {requests: 3, per_problem: {completion_tokens: 25}}
program: {self_consistency: {n: 4, max_tokens: 10}}
"""

AGAIN = "not in these figures: requests that are sent again after failures, up to 6 attempts each"


@pytest.fixture
def priced(tmp_path):
    path = tmp_path / "priced.yaml"
    path.write_text(ENDPOINT)
    return path


def test_a_program_is_shown_with_what_it_costs_at_most(cli, priced):
    result = cli("explain", priced, "-p", "ab")
    assert result.code == 0, result.err
    # 64 around a chat, 16 around its message, 2 for the text; 4 answers of 10 tokens.
    assert (
        "each problem, at most: 4 calls, 328 prompt + 40 completion tokens, 0.000408 US dollars" in result.out
    )
    assert "within its budget: 4 calls, 328 prompt + 25 completion tokens" in result.out
    assert "the run's budget has 3 requests, and it can take 4" in result.out
    assert "budget: 3 requests; each problem: 25 completion tokens" in result.out
    assert "  answers (sample)" in result.out


def test_without_a_problem_it_is_worked_out_for_an_empty_one_and_says_so(cli, priced):
    result = cli("explain", priced, "--json")
    [found] = result.objects
    assert found["per_problem"]["prompt_tokens"] == 4 * 80
    first, second, third = found["notes"]
    assert first == "there are no problems: worked out for an empty one"
    assert second.startswith("prompts are bounded by their bytes: --exact-prompts")
    assert third == AGAIN
    assert [(part["path"], part["depth"]) for part in found["parts"]] == [("", 0), ("#answers", 1)]


def test_several_problems_are_added_up_and_the_largest_is_shown(cli, priced):
    [found] = cli("explain", priced, "--json", "-p", "ab", "-p", "abcdef").objects
    assert found["problems"] == 2
    assert found["per_problem"]["prompt_tokens"] == 4 * 86
    assert found["run"]["prompt_tokens"] == 4 * 82 + 4 * 86
    assert found["run_within_budgets_of_problems"]["completion_tokens"] == 50


def test_a_dry_run_beyond_the_budget_is_refused_unless_it_is_allowed(cli, priced):
    refused = cli("run", priced, "--dry-run", "-p", "ab")
    assert refused.code == 1
    assert "--allow-over-budget" in refused.err
    allowed = cli("run", priced, "--dry-run", "-p", "ab", "--allow-over-budget")
    assert allowed.code == 0
    assert "may end early" in allowed.err
    fits = cli("run", priced, "--dry-run", "-p", "ab", "--n", "2", "--budget-requests", "2")
    assert fits.code == 0, fits.err
    assert "fits the budget" in fits.out


def test_expected_figures_stand_beside_the_parts_they_are_given_for(cli, priced, tmp_path):
    stats = tmp_path / "stats.json"
    stats.write_text(json.dumps({"": {"calls": 2.5, "prompt_tokens": 100, "completion_tokens": 20}}))
    [found] = cli("explain", priced, "--json", "-p", "ab", "--expect", stats).objects
    assert [part["expected"] and part["expected"]["calls"] for part in found["parts"]] == [2.5, None]
    stats.write_text('{"": {"cals": 1}}')
    result = cli("explain", priced, "-p", "ab", "--expect", stats)
    assert result.code == 1
    assert "unknown key 'cals'" in result.err


def test_expected_figures_come_from_a_journal(cli, recorded, tmp_path):
    journal = tmp_path / "run.db"
    assert cli("run", recorded, "--journal", journal).code == 0
    result = cli("explain", recorded, "--from", journal, "--json")
    assert result.code == 0, result.err
    [found] = result.objects
    root = found["parts"][0]
    assert 0 < root["expected"]["calls"] <= root["worst"]["calls"]
    assert 0 < root["expected"]["completion_tokens"] <= root["worst"]["completion_tokens"]
    assert cli("explain", recorded, "--from", recorded).code == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            '{"#answer": {"calls": 1}}',
            "no part has the path '#answer' that figures are expected for; did you mean `#answers`?",
        ),
        ('{"elsewhere": {}}', "there are: '', '#answers'"),
        ('{"": {"calls": -5}}', "calls must be a finite number of at least 0, not -5"),
        ('{"": {"usd": "nan"}}', "usd must be a finite number of at least 0, not 'nan'"),
        ('{"": {"usd": NaN}}', "usd must be a finite number of at least 0, not nan"),
        ('{"": {"calls": 1' + "0" * 400 + "}}", "too large"),
        ("[1]", "[1] is no mapping"),
        ('{"": {"calls": true}}', "calls must be a finite number of at least 0, not True"),
        ('{"": {"prompt_tokens": 1e999}}', "prompt_tokens must be a finite number of at least 0, not inf"),
    ],
)
def test_expected_figures_of_no_part_or_that_are_no_amounts_are_refused(cli, priced, tmp_path, given, said):
    stats = tmp_path / "stats.json"
    stats.write_text(given)
    result = cli("explain", priced, "-p", "ab", "--expect", stats)
    assert result.code == 1
    assert said in result.err


SERVED = """\
version: 1
models: {{m: {{base_url: "{url}", model: test, price: {{input: 1, output: 2}}}}}}
budget: {{per_problem: {{prompt_tokens: 12}}}}
program: {{self_consistency: {{n: 4, max_tokens: 10}}}}
"""


@pytest.mark.parametrize("question", ['"question": "3 + 4?", ', ""])
def test_a_program_on_recorded_samples_is_explained(cli, tmp_path, question):
    (tmp_path / "samples.jsonl").write_text(f'{{"id": "a", {question}"samples": ["It is 7.", "8"]}}\n')
    path = tmp_path / "program.yaml"
    path.write_text(
        "version: 1\nmodels: {recorded: {replay: samples.jsonl}}\n"
        "program: {steps: [{id: s, sample: {n: 2, max_tokens: 9}}, {return: s}]}\n"
    )
    assert cli("run", path).code == 0
    result = cli("explain", path)
    assert result.code == 0
    assert "each problem, at most: 2 calls" in result.out
    assert cli("run", path, "--dry-run").code == 0


@pytest.mark.parametrize("flavour", ["llama.cpp", "vllm"])
def test_a_server_with_a_tokenizer_is_asked_to_count_prompts_and_nothing_else(cli, tmp_path, flavour):
    path = tmp_path / "served.yaml"
    with FaultyServer(flavour=flavour).in_thread() as server:
        path.write_text(SERVED.format(url=server.base_url))
        bounded = cli("run", path, "--dry-run", "-p", "a b c", "--json")
        assert (bounded.code, server.connections) == (1, 0)
        exact = cli("run", path, "--dry-run", "--exact-prompts", "-p", "a b c", "--json")
        [found] = exact.objects
        assert exact.code == 0, exact.err
        assert found["per_problem"]["prompt_tokens"] == 4 * 3
        assert found["notes"] == ["prompts are counted exactly", AGAIN]
        shown = cli("explain", path, "--exact-prompts", "-p", "a b c")
        assert "12 prompt + 40 completion tokens" in shown.out
        assert "prompts are counted exactly" in shown.out
        assert server.seen == []


def test_a_server_without_a_tokenizer_is_said_not_to_count(cli, tmp_path):
    path = tmp_path / "served.yaml"
    with FaultyServer().in_thread() as server:
        path.write_text(SERVED.format(url=server.base_url))
        [found] = cli("explain", path, "--exact-prompts", "-p", "a b c", "--json").objects
    assert found["notes"] == [
        "prompts of m are bounded by their bytes: the server does not count them",
        AGAIN,
    ]
    assert found["per_problem"]["prompt_tokens"] == 4 * (80 + 5)


def test_exact_prompts_are_for_dry_runs(cli, priced):
    result = cli("run", priced, "-p", "a", "--exact-prompts")
    assert result.code == 2
    assert "--dry-run" in result.err


@pytest.mark.local_model
def test_a_model_on_this_machine_counts_at_most_the_bytes_and_is_given_back(cli, tmp_path):
    path = tmp_path / "local.yaml"
    path.write_text(
        "version: 1\n"
        "models: {tiny: {local: smollm2-135m-instruct, parallel: 1, context_length: 512}}\n"
        "program: {critique_revise: {rounds: 2, max_tokens: 8}}\n"
    )
    [bounded] = cli("explain", path, "-p", "What is two plus two?", "--json").objects
    [exact] = cli("explain", path, "-p", "What is two plus two?", "--json", "--exact-prompts").objects
    assert 0 < exact["per_problem"]["prompt_tokens"] < bounded["per_problem"]["prompt_tokens"] / 2
    assert exact["per_problem"]["calls"] == bounded["per_problem"]["calls"] == 5
    ran = cli("run", path, "-p", "What is two plus two?", "--json")
    assert ran.objects[0]["usage"]["prompt_tokens"] <= exact["per_problem"]["prompt_tokens"]


def test_a_budget_of_all_tokens_counts_once_for_prompts_and_answers(cli, tmp_path):
    path = tmp_path / "together.yaml"
    path.write_text(
        ENDPOINT.replace(
            "{requests: 3, per_problem: {completion_tokens: 25}}",
            "{total_tokens: 200, per_problem: {total_tokens: 100}}",
        )
    )
    [found] = cli("explain", path, "-p", "ab", "-p", "ab", "--json").objects
    assert found["per_problem_within_budget"]["total_tokens"] == 100
    assert found["run_within_budgets_of_problems"]["total_tokens"] == 200
    assert found["over"] == ["each problem's budget has 100 tokens, and it can take 368"]


def test_words_agree_with_their_numbers(cli, priced):
    one = cli("explain", priced, "-p", "ab").out
    assert "1 problem, at most" in one
    assert "2 problems, at most" in cli("explain", priced, "-p", "ab", "-p", "b").out
    judged = priced.read_text().replace(
        "{self_consistency: {n: 4, max_tokens: 10}}", "{best_of_n: {n: 1, verifier: judge}}"
    )
    priced.write_text(judged)
    assert "1 text\n" in cli("explain", priced, "-p", "ab").out


def test_a_strategy_is_explained_on_a_model_that_is_named(cli):
    result = cli("explain", "self_consistency", "--model", "smollm2-135m-instruct", "-p", "What is 2 + 2?")
    assert result.code == 0, result.err
    assert "self_consistency" in result.out
    assert "1 problem, at most: 16 calls" in result.out


DEEP = Spending(
    label="steps",
    kind="steps",
    worst=Cost(calls=1234567, prompt_tokens=98765432, completion_tokens=1234567, usd=1234.5),
    parts=(
        Spending(
            label="a_rather_long_name_of_a_step",
            kind="self_consistency",
            worst=UNKNOWN,
            note="at most 12 rounds",
        ),
        Spending(label="b", kind="sample", worst=Cost(calls=1, prompt_tokens=7, usd=0.000408)),
    ),
)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("expected", [{}, {"": Cost(calls=12, prompt_tokens=0.25), "b": Cost(calls=1)}])
def test_the_table_fits_a_terminal_with_every_figure_whole(width, expected):
    out = Console(width=width, highlight=False)
    with out.capture() as captured:
        out.print(terminal_table(rows(DEEP, expected), width=width))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= width
    text = captured.get()
    for figure in (
        "1,234,567",
        "98,765,432",
        "1,234",
        "unknown",
        "0.000408",
        *(["0.25"] if expected else []),
    ):
        assert figure in text
    ends = [
        line.index(figure) + len(figure)
        for line in lines
        for figure in ("1,234,567", "unknown")
        if figure in line
    ]
    assert len(set(ends)) == 1  # figures of a column end at one place


def test_a_part_of_which_nothing_is_known_is_shown_so():
    assert [line.count("unknown") for line in plain_table(rows(DEEP))] == [0, 0, 0, 4, 0]


PARTS = """\
version: 1
models:
  dear: {base_url: "https://127.0.0.1:9/v1", model: m, api_key_env: NO_SUCH_KEY, price: {input: 1, output: 2}}
budget: {per_problem: {requests: 5}}
problems: {file: problems.jsonl, prompt: prompt}
problem: {fields: {parts: list}}
program:
  steps:
    - id: pieces
      for_each:
        in: problem.parts
        as: part
        max: 50
        steps: [{id: done, sample: {prompt: "{{ part }}", max_tokens: 10}}]
    - return: {vote: pieces.each.done}
"""


def test_each_limit_is_held_against_the_problem_that_needs_most_of_it(cli, tmp_path):
    path = tmp_path / "parts.yaml"
    path.write_text(PARTS)
    problems = [
        {"id": "a", "prompt": "long", "parts": ["x" * 9000] * 2},
        {"id": "b", "prompt": "short", "parts": ["y"] * 20},
    ]
    (tmp_path / "problems.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in problems))
    result = cli("run", path, "--dry-run")
    assert result.code == 1, result.out
    assert "each problem's budget has 5 requests, and it can take 20" in result.out
    [found] = cli("explain", path, "--json").objects
    assert found["per_problem"]["calls"] == 20  # b's
    assert found["per_problem"]["prompt_tokens"] == found["parts"][0]["worst"]["prompt_tokens"] > 18000  # a's
    assert found["parts"][0]["worst"]["calls"] == 2
    assert "the parts are shown for problem a, which can take most tokens" in found["notes"]


def test_requests_that_are_sent_again_are_said_not_to_be_counted(cli, tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(
        "version: 1\n"
        "models:\n"
        '  a: {base_url: "https://127.0.0.1:9/v1", model: m, retries: 0}\n'
        '  b: {base_url: "https://127.0.0.1:9/v1", model: m, retries: 2}\n'
        '  unused: {base_url: "https://127.0.0.1:9/v1", model: m}\n'
        "program: {best_of_n: {n: 2, model: a, max_tokens: 9, verifier: {judge: {model: b}}}}\n"
    )
    said = "not in these figures: requests that are sent again "
    judges = "by judges, where the server of b refuses a schema or log-probabilities"
    attempts = "after failures, up to 3 attempts of b"
    for words in (["explain", path], ["run", path, "--dry-run"]):
        assert f"{said}{attempts}; and {judges}\n" in cli(*words, "-p", "x").out
    path.write_text(path.read_text().replace("retries: 2", "retries: 0"))
    assert f"{said}{judges}\n" in cli("explain", path, "-p", "x").out
    path.write_text(path.read_text().replace("{model: b}", "{model: b, expected: false}"))
    assert said not in cli("explain", path, "-p", "x").out


IMPROVED = """\
version: 1
models: {{m: {{base_url: "{url}", model: test}}}}
budget: {{total_tokens: 9000}}
program:
  steps:
    - {{id: first, sample: {{max_tokens: 10}}}}
    - {{id: second, sample: {{prompt: "Improve: {{{{ {shown} }}}}", max_tokens: 10}}}}
    - return: {{vote: {{of: [first, second]}}}}
"""


def test_a_run_that_fits_is_said_to_be_cut_short_where_texts_of_models_are_counted_by_their_bytes(
    cli, tmp_path
):
    path = tmp_path / "improved.yaml"
    said = "a run may be cut short by its budget though the worst case fits"

    def notes(flavour, *flags, shown="first.best", budget="total_tokens"):
        with FaultyServer(**flavour).in_thread() as server:
            path.write_text(IMPROVED.format(url=server.base_url, shown=shown).replace("total_tokens", budget))
            [found] = cli("run", path, "--dry-run", "--json", "-p", "a", *flags).objects
        return [note for note in found["notes"] if note.startswith(said)]

    unsure, sure = notes({}), notes({}, "--exact-prompts")
    assert unsure[0].endswith("in prompts of m, where its server counts none")
    assert sure[0].endswith("in prompts of m, whose server counts none")
    assert notes({"flavour": "vllm"}, "--exact-prompts") == []
    assert notes({}, shown="problem") == []
    assert notes({}, budget="completion_tokens") == []


COUNTED = """\
version: 1
models: {{m: {{base_url: "{url}", model: test}}}}
budget: {{requests: 5}}
program: {{self_consistency: {{n: {n}, stop: fixed_size, max_tokens: 10}}}}
"""


@pytest.fixture
def begun(cli, tmp_path):
    """A program of 4 calls a problem, and the journal of a run that its 5 requests have cut short in the second."""
    path, journal = tmp_path / "counted.yaml", tmp_path / "run.db"
    with FaultyServer().in_thread() as server:
        path.write_text(COUNTED.format(url=server.base_url, n=4))
        assert cli("run", path, "-p", "a", "-p", "b", "--journal", journal).code == 0
    return path, journal


def test_a_dry_run_of_a_resumed_run_counts_what_is_spent_and_no_finished_problem(cli, begun):
    path, journal = begun
    going_on = ["--dry-run", "--journal", journal, "--resume"]
    words = ["run", path, "-p", "a", "-p", "b", *going_on]
    before = journal.read_bytes()
    refused = cli(*words)
    assert refused.code == 1, refused.out
    # 5 spent; the second problem, which has spent 1 of them, may ask for all of its 4 again.
    assert "the run's budget has 5 requests, and it can take 9" in refused.out
    assert "each problem, at most: 5 calls" in refused.out
    assert "  spent of it: 5 calls" in refused.out
    assert "1 problem finished" in refused.out
    [found] = cli(*words, "--budget-requests", "9", "--json").objects
    assert (found["fits"], found["spent"]["calls"], found["run"]["calls"]) == (True, 5, 9)
    assert found["notes"][0].startswith("1 problem had been begun")
    done = cli("run", path, "-p", "a", *going_on)
    assert done.code == 0, done.err
    assert "1 problem, at most: 5 calls" in done.out
    assert journal.read_bytes() == before


def test_what_a_problem_has_spent_is_held_against_its_own_budget(cli, begun, tmp_path):
    path, journal = begun
    path.write_text(path.read_text().replace("{requests: 5}", "{requests: 20, per_problem: {requests: 4}}"))
    words = ["run", path, "--dry-run", "-p", "a", "-p", "b", "--journal", journal, "--resume"]
    result = cli(*words)
    assert "each problem's budget has 4 requests, and it can take 5" in result.out
    assert "  within the problems' budgets: 8 calls" in result.out


def test_a_dry_run_goes_on_with_the_journals_program_or_says_that_it_does_not(cli, begun):
    path, journal = begun
    words = ["run", path, "--dry-run", "-p", "a", "--journal", journal, "--resume"]
    path.write_text(path.read_text().replace("n: 4", "n: 3"))
    refused = cli(*words)
    assert refused.code == 1
    assert "belongs to another program" in refused.err
    assert "n: 3" in refused.err
    allowed = cli(*words, "--allow-changed-program", "--budget-requests", "8")
    assert allowed.code == 0, allowed.err
    assert "1 problem, at most: 8 calls" in allowed.out  # 5 spent, and all 3 of the new one


def test_a_dry_run_with_a_journal_that_does_not_exist_resumes_nothing(cli, begun, tmp_path):
    path, _ = begun
    result = cli("run", path, "--dry-run", "-p", "a", "--journal", tmp_path / "new.db", "--resume")
    assert result.code == 0
    assert "there is no journal" in result.err
    assert not (tmp_path / "new.db").exists()


def test_expected_figures_are_taken_from_a_journal_of_the_same_program_alone(cli, begun):
    path, journal = begun
    flags = ["-p", "a", "--json"]
    assert cli("explain", path, "--from", journal, *flags).code == 0
    path.write_text(path.read_text().replace("n: 4", "n: 3").replace("requests: 5", "requests: 50"))
    refused = cli("explain", path, "--from", journal, *flags)
    assert refused.code == 1
    assert "belongs to another program" in refused.err
    assert "--allow-changed-program" in refused.err
    [found] = cli("explain", path, "--from", journal, "--allow-changed-program", *flags).objects
    assert "the journal is another program's" in found["notes"]
    assert found["parts"][0]["expected"]["calls"] == 2.5
    assert cli("explain", path, "--allow-changed-program").code == 2


def test_expected_figures_leave_out_problems_that_another_program_had_begun(cli, begun):
    path, journal = begun
    with FaultyServer().in_thread() as server:
        path.write_text(COUNTED.format(url=server.base_url, n=3).replace("requests: 5", "requests: 50"))
        going_on = ["--journal", journal, "--resume", "--allow-changed-program"]
        assert cli("run", path, "-p", "a", "-p", "b", *going_on).code == 0
        none = cli("explain", path, "--from", journal, "-p", "a")
        assert none.code == 1
        assert "--allow-changed-program" in none.err
        assert cli("run", path, "-p", "a", "-p", "b", "-p", "c", *going_on).code == 0
    [found] = cli("explain", path, "--from", journal, "-p", "a", "--json").objects
    assert found["parts"][0]["expected"]["calls"] == 3
    assert "left out: 2 problems, which another program had begun" in found["notes"]
