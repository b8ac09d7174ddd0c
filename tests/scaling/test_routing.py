from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import InvalidInputError
from orchestrator.scaling import RouterScorer, fit_router, routing_curve
from orchestrator.scaling.prompt_features import BUCKETS, FIGURES, prompt_features
from orchestrator.scaling.routing import RightHead

DATA = Path(__file__).parents[1] / "data"

NO_WORDS = (0.0,) * BUCKETS


def by_figures(**weights: float) -> tuple[float, ...]:
    return tuple(weights.get(name, 0.0) for name in FIGURES)


SCORER = RouterScorer(
    means=(0.0,) * len(FIGURES),
    scales=(1.0,) * len(FIGURES),
    weak=RightHead(intercept=0.0, figures=by_figures(percent=-1.0), words=NO_WORDS),
    strong=RightHead(intercept=0.0, figures=by_figures(dollar=2.0), words=NO_WORDS),
    thresholds=tuple(1 - step / 100 for step in range(101)),
    accuracy=tuple(0.5 + step / 250 for step in range(101)),
    prompts=100,
)
"""A percent sign is hard for the weak model, a dollar sign is easy for the strong one."""


def figure(prompt: str, name: str) -> float:
    return prompt_features(prompt).figures[FIGURES.index(name)]


def test_figures_are_what_their_names_say() -> None:
    prompt = 'Tom buys 3 "red" apples for $1,200.50 (each). How much is NOT 20% of it?\nA. 12\nB. none of the above'
    counts = {"numbers": 4, "decimals": 1, "largest_number": 1200, "lines": 3, "brackets": 1, "quotes": 2}
    for name, count in counts.items():
        assert figure(prompt, name) == pytest.approx(np.log1p(count)), name
    tests = ("percent", "dollar", "question_mark", "negation", "of_the_above", "numeric_option")
    assert [figure(prompt, name) for name in tests] == [1] * 6
    assert [figure("Who was he?", name) for name in tests] == [0, 0, 1, 0, 0, 0]
    assert len(prompt_features(prompt).figures) == len(FIGURES)


def test_words_hash_alike_on_every_machine_and_numbers_are_one_word() -> None:
    # CRC-32 of "two", "apples" and "two apples", modulo 8192.
    assert prompt_features("Two apples").buckets == tuple(sorted((2662, 4143, 6543)))
    assert prompt_features("12 apples").buckets == prompt_features("7 apples").buckets
    assert prompt_features("").buckets == ()


def test_only_the_end_of_a_long_prompt_is_read() -> None:
    question = "What is 2 + 2?".rjust(20_000)
    assert prompt_features("An example. " * 1000 + question) == prompt_features(question)


@given(st.text(max_size=200))
def test_any_text_has_finite_features(text: str) -> None:
    features = prompt_features(text)
    assert np.isfinite(features.figures).all()
    assert all(0 <= bucket < BUCKETS for bucket in features.buckets)
    assert 0 <= SCORER.score(text) <= 1


def test_the_score_is_the_difference_of_the_two_chances_moved_into_0_to_1() -> None:
    logistic = 1 / (1 + np.exp(-2.0))
    assert SCORER.probabilities("plain") == (0.5, 0.5)
    assert SCORER.score("plain") == 0.5
    assert SCORER.score("$") == pytest.approx((1 + logistic - 0.5) / 2)
    assert SCORER.score("%") > 0.5
    with pytest.raises(InvalidInputError, match="must be a string, not int"):
        SCORER.score(3)  # type: ignore[arg-type]


def test_thresholds_for_a_share_and_for_an_accuracy() -> None:
    assert [SCORER.threshold_for(share=share) for share in (0, 0.25, 1)] == pytest.approx([1, 0.75, 0])
    assert SCORER.threshold_for(accuracy=0.7) == pytest.approx(0.5)  # 0.5 + 50 / 250
    assert SCORER.threshold_for(accuracy=0) == 1.0
    for bad in ({}, {"share": 0.5, "accuracy": 0.5}, {"share": 1.5}, {"accuracy": 0.95}):
        with pytest.raises(InvalidInputError, match="share"):
            SCORER.threshold_for(**bad)


WEAK, STRONG = [1, 0, 0, 1], [1, 1, 0, 0]
"""Both right, only the strong one, neither, only the weak one."""


def test_a_curve_sends_the_highest_scores_first() -> None:
    curve = routing_curve([0.2, 0.9, 0.5, 0.1], [1, 0, 0, 1], [1, 1, 0, 1])
    assert curve.share.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.accuracy.tolist() == [0.5, 0.75, 0.75, 0.75, 0.75]
    assert curve.random.tolist() == [0.5, 0.5625, 0.625, 0.6875, 0.75]
    assert curve.recovered(0.25) == 1
    assert curve.average_recovered == pytest.approx(0.875)  # half a step is lost
    assert (curve.share_for(0.5), curve.share_for(1.0), curve.share_for(0.0)) == (0.25, 0.25, 0)
    assert curve.accuracy_at(0.125) == 0.625


def test_the_oracle_sends_first_what_only_the_strong_model_answers_and_last_what_only_the_weak_one_does() -> (
    None
):
    curve = routing_curve([0, 0, 0, 0], WEAK, STRONG)
    assert curve.oracle.tolist() == [0.5, 0.75, 0.75, 0.75, 0.5]
    with pytest.raises(InvalidInputError, match="strong model must be the better one, but its gain is 0"):
        curve.average_recovered  # noqa: B018


def test_equal_scores_go_in_random_order_so_that_a_constant_score_is_the_random_router() -> None:
    curve = routing_curve([7, 7, 7, 7], [0, 0, 0, 1], [1, 1, 1, 1])
    assert curve.accuracy.tolist() == curve.random.tolist()
    assert curve.average_recovered == 0.5


OUTCOMES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=8
)


@settings(max_examples=60, deadline=None)
@given(OUTCOMES)
def test_a_curve_is_the_mean_over_orders_of_equal_scores(table: list[tuple[int, int, int]]) -> None:
    scores, weak, strong = (np.array(column, dtype=float) for column in zip(*table, strict=True))
    rng = np.random.default_rng(0)
    runs = []
    for _ in range(400):
        order = np.lexsort((rng.random(len(table)), -scores))
        runs.append(
            [(strong[order[:k]].sum() + weak[order[k:]].sum()) / len(table) for k in range(len(table) + 1)]
        )
    curve = routing_curve(scores, weak, strong)
    assert np.abs(np.mean(runs, axis=0) - curve.accuracy).max() < 0.12
    assert (curve.oracle >= curve.accuracy - 1e-12).all()


@pytest.mark.parametrize(
    ("scores", "weak", "message"),
    [
        ([1, 2], [1], r"not of shapes \(2,\), \(1,\)"),
        ([], [], "one a prompt"),
        ([np.nan], [1], "scores must be finite"),
        ([1], [2], r"weak must be in \[0, 1\]"),
    ],
)
def test_a_curve_of_what_does_not_fit_is_refused(
    scores: list[float], weak: list[float], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        routing_curve(scores, weak, [1] * len(weak))


def recorded() -> tuple[list[str], np.ndarray, np.ndarray]:
    with gzip.open(DATA / "gsm8k_routing.jsonl.gz", "rt", encoding="utf-8") as file:
        table = [json.loads(line) for line in file]
    weak, strong = (np.array([row[key] for row in table]) for key in ("weak", "strong"))
    return [row["prompt"] for row in table], weak, strong


@pytest.fixture(scope="module")
def fitted() -> tuple[RouterScorer, list[str], np.ndarray, np.ndarray]:
    """A scorer fitted on one half of GSM8K, and the other half."""
    pytest.importorskip("sklearn")
    prompts, weak, strong = recorded()
    order = np.random.default_rng(0).permutation(len(prompts))
    half = len(prompts) // 2
    scorer = fit_router([prompts[i] for i in order[:half]], weak[order[:half]], strong[order[:half]])
    rest = order[half:]
    return scorer, [prompts[i] for i in rest], weak[rest], strong[rest]


def test_recorded_answers_give_the_figures_of_both_models_and_of_the_oracle() -> None:
    prompts, weak, strong = recorded()
    curve = routing_curve([len(prompt) for prompt in prompts], weak, strong)
    assert [
        round(100 * value, 2) for value in (curve.accuracy[0], curve.accuracy[-1], max(curve.oracle))
    ] == [
        63.84,
        85.67,
        92.87,
    ]
    assert 100 * curve.accuracy_at(0.5) == pytest.approx(77.86, abs=0.1)  # prompt length


def test_a_router_fitted_on_half_beats_prompt_length_and_chance_on_the_other_half(
    fitted: tuple[RouterScorer, list[str], np.ndarray, np.ndarray],
) -> None:
    scorer, prompts, weak, strong = fitted
    curve = routing_curve([scorer.score(prompt) for prompt in prompts], weak, strong)
    by_length = routing_curve([len(prompt) for prompt in prompts], weak, strong)
    assert curve.average_recovered > by_length.average_recovered + 0.02 > 0.55
    assert curve.share_for(0.5) < by_length.share_for(0.5) < 0.5


def test_the_threshold_for_a_share_sends_about_that_share_of_new_prompts(
    fitted: tuple[RouterScorer, list[str], np.ndarray, np.ndarray],
) -> None:
    scorer, prompts, _, _ = fitted
    scores = np.array([scorer.score(prompt) for prompt in prompts])
    for share in (0.25, 0.5, 0.75):
        assert np.mean(scores >= scorer.threshold_for(share=share)) == pytest.approx(share, abs=0.06)


def test_a_saved_scorer_scores_the_same_without_scikit_learn(
    fitted: tuple[RouterScorer, list[str], np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    scorer, prompts, _, _ = fitted
    path = tmp_path / "router.json"
    scorer.save(path)
    loaded = RouterScorer.load(path)
    assert loaded == scorer
    assert loaded.digest == scorer.digest != SCORER.digest
    code = (
        "import sys; sys.modules['sklearn'] = sys.modules['scipy'] = None; "
        "from orchestrator.scaling import RouterScorer; "
        f"print(repr(RouterScorer.load({str(path)!r}).score({prompts[0]!r})))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(said) == scorer.score(prompts[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 2, this release reads version 1"),
        ({"format": "calibration"}, "not a router"),
        ({"features": 2}, "fitted on version 2 of the prompt features, this release computes version 1"),
        ({"means": [0.0]}, f"a number for each of the {len(FIGURES)} figures"),
        ({"weak": {"intercept": 0, "figures": [0.0] * len(FIGURES), "words": [1.0]}}, "each of 8192 buckets"),
        ({"scales": [0.0] * len(FIGURES)}, "scales must be positive"),
        ({"thresholds": [1.0]}, "101 thresholds"),
        ({"strong": 3}, "damaged"),
    ],
)
def test_a_router_of_another_version_or_other_features_is_refused(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "router.json"
    path.write_text(json.dumps({**SCORER.to_json(), **change}))
    with pytest.raises(InvalidInputError, match=message):
        RouterScorer.load(path)


@pytest.mark.parametrize(
    ("prompts", "weak", "message"),
    [
        (["a"] * 60, [1, 0], "weak must be 0 or 1 for each of 60 prompts"),
        (["a"] * 4, [1, 0, 1, 0], "at least 50 prompts, not 4"),
        (["a"] * 60, [1] * 60, "weak must have right and wrong answers"),
    ],
)
def test_a_router_is_not_fitted_on_what_teaches_nothing(
    prompts: list[str], weak: list[int], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        fit_router(prompts, weak, [1, 0] * (len(prompts) // 2))
