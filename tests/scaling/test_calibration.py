from __future__ import annotations

import gzip
import json
import math
import random
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.answers import equivalent
from orchestrator.errors import InvalidInputError
from orchestrator.scaling.calibration import Calibrator, brier_score, expected_calibration_error
from orchestrator.voting import majority_vote

STEPS = Calibrator(method="isotonic", outcomes=4, knots=((0.2, 0.1), (0.6, 0.5), (1.0, 0.9)))


def test_isotonic_is_straight_between_its_knots_and_constant_outside() -> None:
    predicted = [STEPS.predict(x) for x in (0.0, 0.2, 0.4, 0.6, 0.7, 1.0, 5.0)]
    assert predicted == pytest.approx([0.1, 0.1, 0.3, 0.5, 0.6, 0.9, 0.9])


def test_logistic_is_platts_curve_and_does_not_overflow() -> None:
    curve = Calibrator(method="logistic", outcomes=4, intercept=-1, coefficients=(2.0,))
    assert curve.predict(0.5) == 0.5
    assert curve.predict(1.0) == pytest.approx(1 / (1 + math.exp(-1)))
    assert (curve.predict(-1e6), curve.predict(1e6)) == (0, 1)


def test_isotonic_pools_what_is_out_of_order() -> None:
    pytest.importorskip("sklearn")
    fit = Calibrator.fit([0.1, 0.2, 0.3, 0.4, 0.5], [False, True, False, True, True])
    assert [fit.predict(x) for x in (0.1, 0.2, 0.3, 0.4)] == pytest.approx([0, 0.5, 0.5, 1])
    assert (fit.method, fit.features, fit.outcomes) == ("isotonic", ("share",), 5)


def test_platts_targets_keep_separable_outcomes_off_the_ends() -> None:
    pytest.importorskip("sklearn")
    fit = Calibrator.fit([0.0] * 8 + [1.0] * 3, [False] * 8 + [True] * 3, method="logistic")
    # Two places can be fitted exactly: the targets are 1 / (8 + 2) and (3 + 1) / (3 + 2).
    assert (fit.predict(0.0), fit.predict(1.0)) == (
        pytest.approx(0.1, abs=1e-4),
        pytest.approx(0.8, abs=1e-4),
    )


def test_logistic_weighs_several_figures_whatever_their_units() -> None:
    pytest.importorskip("sklearn")
    rng = random.Random(1)
    rows = [(rng.random(), 1000 * rng.random(), 7.0) for _ in range(4000)]
    right = [rng.random() < 1 / (1 + math.exp(1 - 4 * share + samples / 500)) for share, samples, _ in rows]
    fit = Calibrator.fit(rows, right, method="logistic", features=("share", "samples", "constant"))
    assert fit.coefficients[0] == pytest.approx(4, abs=0.5)
    assert 500 * fit.coefficients[1] == pytest.approx(-1, abs=0.2)
    assert fit.predict((0.25, 0.0, 7.0)) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("method", ["isotonic", "logistic"])
def test_a_saved_calibrator_predicts_the_same_without_scikit_learn(method: str, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    fit = Calibrator.fit([0.1, 0.3, 0.4, 0.9], [False, True, False, True], method=method)
    fit.save(tmp_path / "calibration.json")
    assert Calibrator.load(tmp_path / "calibration.json") == fit
    code = (
        "import sys; sys.modules['sklearn'] = None; from orchestrator.scaling.calibration import Calibrator; "
        f"print(repr(Calibrator.load({str(tmp_path / 'calibration.json')!r}).predict(0.35)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(said) == fit.predict(0.35)


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({**STEPS.to_json(), "version": 2}))
    with pytest.raises(
        InvalidInputError, match=r"calibration\.json': .*version 2, this release reads version 1"
    ):
        Calibrator.load(path)
    with pytest.raises(InvalidInputError, match="No such file"):
        Calibrator.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "scores"}, "not a calibration"),
        ({"knots": None}, "damaged"),
        ({"knots": []}, "at least one"),
        ({"knots": [[0.5, 0.1], [0.5, 0.2]]}, "increasing"),
        ({"knots": [[0.5, 1.1]]}, "probabilities"),
        ({"knots": [[math.nan, 0.1]]}, "finite"),
        ({"method": "logistic"}, "coefficient"),
        ({"method": "magic"}, "isotonic, logistic"),
        ({"features": ["share", "margin"]}, "one feature"),
    ],
)
def test_a_damaged_file_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        Calibrator.from_json({**STEPS.to_json(), **change})


@pytest.mark.parametrize(
    ("confidences", "outcomes", "options", "said"),
    [
        ([], [], {}, "no outcomes"),
        ([0.5, 0.6], [True, True], {}, "right answers only"),
        ([0.5, 0.6], [False, False], {}, "wrong answers only"),
        ([0.5], [True, False], {}, "1 confidences for 2 outcomes"),
        ([0.5, math.nan], [True, False], {}, "problem 1 needs a finite number"),
        ([(0.5, 1), (0.6,)], [True, False], {"features": ("a", "b"), "method": "logistic"}, "problem 1"),
        ([(0.5, 1)], [True], {"features": ("a", "b")}, "use logistic"),
        ([0.5, 0.6], [True, False], {"method": "magic"}, "isotonic, logistic"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(confidences, outcomes, options, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        Calibrator.fit(confidences, outcomes, **options)


def test_fitting_without_scikit_learn_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sklearn", "sklearn.isotonic", "sklearn.linear_model"):
        monkeypatch.setitem(sys.modules, module, None)
    for method in ("isotonic", "logistic"):
        with pytest.raises(InvalidInputError, match=r"pip install 'orchestrator\[learn\]'"):
            Calibrator.fit([0.1, 0.9], [False, True], method=method)


def test_a_prediction_needs_a_number_for_each_feature() -> None:
    for bad in ((0.1, 0.2), math.nan, math.inf, ()):
        with pytest.raises(InvalidInputError, match="share"):
            STEPS.predict(bad)


def test_errors_of_confidence_by_hand() -> None:
    confidences, outcomes = [0.9, 0.9, 0.3, 1.0], [True, False, False, True]
    # Bins: two at 0.9 of which half are right, with 1.0 in the same; one at 0.3.
    assert expected_calibration_error(confidences, outcomes) == pytest.approx((abs(2 - 2.8) + 0.3) / 4)
    assert expected_calibration_error(confidences, outcomes, bins=1) == pytest.approx(abs(2 - 3.1) / 4)
    # 0.29 is in the bin from 0.29 to 0.30, though 0.29 * 100 is less than 29.
    apart = expected_calibration_error([0.28, 0.29], [False, True], bins=100)
    assert apart == pytest.approx((0.28 + 0.71) / 2)
    assert brier_score(confidences, outcomes) == pytest.approx((0.01 + 0.81 + 0.09 + 0) / 4)
    assert (
        brier_score([1.0, 0.0], [True, False]) == expected_calibration_error([1.0, 0.0], [True, False]) == 0
    )


@pytest.mark.parametrize("measure", [expected_calibration_error, brier_score])
@pytest.mark.parametrize(
    ("confidences", "outcomes"), [([], []), ([0.5], []), ([1.1], [True]), ([math.nan], [True])]
)
def test_errors_of_what_is_no_probability_are_refused(measure, confidences, outcomes) -> None:
    with pytest.raises(InvalidInputError, match="confidence"):
        measure(confidences, outcomes)
    with pytest.raises(InvalidInputError, match="bins"):
        expected_calibration_error([0.5], [True], bins=0)


@pytest.mark.parametrize("method", ["isotonic", "logistic"])
def test_votes_on_date_are_better_calibrated_after_learning_from_half(method: str) -> None:
    pytest.importorskip("sklearn")
    with gzip.open(Path(__file__).parents[1] / "data" / "date_samples.jsonl.gz", "rt") as lines:
        problems = [json.loads(line) for line in lines]
    random.Random(0).shuffle(problems)
    # Ten samples of the forty: the vote is then far surer than it is right.
    votes = [majority_vote(problem["answers"][:10], kind="text") for problem in problems]
    right = [
        vote.answer is not None and equivalent(vote.answer, problem["gold"], kind="text")
        for vote, problem in zip(votes, problems, strict=True)
    ]
    half = len(votes) // 2
    calibrator = Calibrator.fit([vote.share for vote in votes[:half]], right[:half], method=method)
    before = [vote.confidence for vote in votes[half:]]
    after = [vote.calibrated(calibrator).confidence for vote in votes[half:]]
    assert expected_calibration_error(after, right[half:]) < expected_calibration_error(before, right[half:])
    assert brier_score(after, right[half:]) < brier_score(before, right[half:])
