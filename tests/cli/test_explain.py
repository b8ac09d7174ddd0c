"""`orchestrator explain` and `run --dry-run`: costs before anything is sent, without keys and servers."""

import json

import pytest

ENDPOINT = """\
version: 1
models:
  dear: {base_url: "https://127.0.0.1:9/v1", model: m, api_key_env: NO_SUCH_KEY, price: {input: 1, output: 2}}
budget: {requests: 3, per_problem: {completion_tokens: 25}}
program: {self_consistency: {n: 4, max_tokens: 10}}
"""


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
    assert "  answers (sample)" in result.out


def test_without_a_problem_it_is_worked_out_for_an_empty_one_and_says_so(cli, priced):
    result = cli("explain", priced, "--json")
    [found] = result.objects
    assert found["per_problem"]["prompt_tokens"] == 4 * 80
    assert found["notes"] == ["there are no problems: worked out for an empty one"]
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
