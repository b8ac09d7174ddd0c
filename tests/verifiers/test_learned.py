import gzip
import json
import math
import random
from dataclasses import replace

import pytest

from orchestrator import BestOfN, Budget, Controller, Outcome, Problem, SelfConsistency, load
from orchestrator.answers import AnswerReader
from orchestrator.backends import FunctionBackend, ScriptedBackend
from orchestrator.errors import BudgetExceededError, InvalidInputError, JournalError, ProgramFileError
from orchestrator.runtime import graded_from_journal, graded_from_jsonl
from orchestrator.runtime.identity import program_hash
from orchestrator.stopping import FixedSize
from orchestrator.types import Candidate, Sample, Score, TokenLogprob, Usage
from orchestrator.verifiers import CorrectnessModel, Equivalent, Graded, Learned, Predicate
from orchestrator.verifiers import features as features_module
from orchestrator.verifiers.features import FEATURES, feature_named

NUMBER = AnswerReader(kind="number")


def candidate(text, *, tokens=10, scores=None, logprobs=None, finish_reason="stop"):
    sample = Sample(
        text=text, usage=Usage(completion_tokens=tokens), logprobs=logprobs, finish_reason=finish_reason
    )
    return Candidate(
        sample=sample,
        answer=NUMBER.read(text),
        scores={name: Score(value=value) for name, value in (scores or {}).items()},
    )


def graded(*rows):
    """Problems from rows of (text, right, score by `judge`)."""
    return [
        Graded(
            problem=str(number),
            candidates=tuple(candidate(text, scores={"judge": score}) for text, _, score in row),
            right=tuple(right for _, right, _ in row),
        )
        for number, row in enumerate(rows)
    ]


def judged(problems=60, seed=0):
    """One sample a problem, right with the probability that the judge said."""
    rng = random.Random(seed)
    scores = [rng.random() for _ in range(problems)]
    return graded(*([("4", rng.random() < score, score)] for score in scores))


# What is measured ----------------------------------------------------------------------------------------


def measured(name, *candidates):
    return feature_named(name).measure(candidates)


def test_features_are_figures_of_the_candidates():
    sure = (TokenLogprob(token="4", logprob=math.log(0.5), top=(("4", -1.0),)),)
    found = [
        candidate("The answer is 4. Confidence: 0.9", logprobs=sure, scores={"judge": 0.3}),
        candidate("4", tokens=0, finish_reason="length"),
        candidate("5", tokens=20),
        candidate("no idea"),
    ]
    assert measured("perplexity", *found) == [pytest.approx(0.5), None, None, None]
    assert measured("group_confidence", *found) == [0.5, None, None, None]
    assert measured("self_certainty", *found) == [0.5, None, None, None]
    assert measured("stated_confidence", *found) == [0.9, None, None, None]
    assert measured("consistency", *found) == [0.5, 0.5, 0.25, None]
    assert measured("abstentions", *found) == [0.25] * 4
    assert measured("log_tokens", *found) == pytest.approx([math.log(11), None, math.log(21), math.log(11)])
    assert measured("truncated", *found) == [0.0, 1.0, 0.0, 0.0]
    assert measured("score:judge", *found) == [0.3, None, None, None]


@pytest.mark.parametrize("name", ["certainty", "score:", ""])
def test_an_unknown_feature_is_refused(name):
    with pytest.raises(InvalidInputError, match=r"no feature .* there are: perplexity"):
        feature_named(name)


# Fitting -------------------------------------------------------------------------------------------------


def test_isotonic_learns_the_share_that_was_right():
    low, high = [("4", False, 0.2)] * 3 + [("4", True, 0.2)], [("4", True, 0.8)] * 3 + [("4", False, 0.8)]
    model = Learned.fit(graded(low, high, low, high), features=["score:judge"], method="isotonic")
    asked = [candidate("4", scores={"judge": score}) for score in (0.2, 0.5, 0.8)]
    assert [score.value for score in model.predict(asked)] == pytest.approx([0.25, 0.5, 0.75])
    assert (model.problems, model.right, model.calibrator.outcomes) == (4, 8, 16)


def test_logistic_finds_which_feature_tells():
    rng = random.Random(1)
    rows = graded(*([("4" * rng.randint(1, 3), (score := rng.random()) > 0.5, score)] for _ in range(80)))
    model = Learned.fit(rows, features=["score:judge", "truncated"])
    low, high = (model.predict([candidate("4", scores={"judge": score})])[0].value for score in (0.1, 0.9))
    assert low < 0.1
    assert high > 0.9


def test_agreement_within_a_problem_is_learned_from_all_its_candidates():
    rows = graded(*([("4", True, 0.5), ("4", True, 0.5), ("5", False, 0.5)] for _ in range(10)))
    model = Learned.fit(rows, features=["consistency"])
    values = [
        score.value for score in model.predict([candidate(text) for text in ("7", "8", "7", "no idea")])
    ]
    assert values[0] == values[2] > values[1]
    assert values[3] is None
    assert model.comparative


def test_a_figure_that_was_missing_in_the_fit_may_be_missing_later():
    rows = [*judged(40), *graded(*([("4", number % 4 == 0, None)] for number in range(40)))]
    model = Learned.fit(rows, features=["score:judge"])
    assert model.columns == ("score:judge", "missing:score:judge")
    scores = [row.candidates[0].scores["judge"].value for row in rows[:40]]
    assert model.fills == (pytest.approx(sum(scores) / 40),)
    [without] = model.predict([candidate("4")])
    assert without.value == pytest.approx(0.25, abs=0.05)


def test_a_figure_that_was_never_missing_in_the_fit_is_needed():
    model = Learned.fit(judged(), features=["score:judge"])
    [score] = model.predict([candidate("4")])
    assert (score.value, score.reason) == (None, "without score:judge, which no candidate of the fit lacked")


def test_the_model_says_how_good_it_was_on_problems_held_out():
    model = Learned.fit(judged(400), features=["score:judge"])
    found = model.cross_validation
    assert found.folds == 5
    assert found.brier < found.baseline == pytest.approx(0.25, abs=0.01)
    assert found.brier == pytest.approx(1 / 6, abs=0.03)  # the mean of p * (1 - p) for p uniform on [0, 1]
    assert found.expected_calibration_error < 0.1
    again = Learned.fit(judged(400), features=["score:judge"])
    assert again == model
    noise = Learned.fit(judged(400), features=["truncated"])
    assert noise.cross_validation.brier == pytest.approx(noise.cross_validation.baseline, abs=0.001)


def test_whole_problems_are_held_out():
    # Each problem has a score of its own, by which a fit that has seen any of its candidates knows the rest.
    problems, names = 20, [f"own{number}" for number in range(20)]
    rows = [
        Graded(
            problem=str(number),
            candidates=(candidate("4", scores={name: float(at == number) for at, name in enumerate(names)}),)
            * 10,
            right=(number % 2 == 0,) * 10,
        )
        for number in range(problems)
    ]
    model = Learned.fit(rows, features=[f"score:{name}" for name in names])
    predicted = [model.predict(row.candidates)[0].value for row in rows]
    assert all((value > 0.7) is row.right[0] for value, row in zip(predicted, rows, strict=True))
    assert model.cross_validation.brier > 0.2  # of those that were right and wrong it cannot tell


def test_too_few_problems_are_fitted_without_a_cross_validation():
    [both] = graded([("4", True, 0.9), ("5", False, 0.1)])
    assert Learned.fit([both], features=["score:judge"]).cross_validation is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": []}, "features must be named"),
        ({"features": ["truncated", "truncated"]}, "each once"),
        ({"features": ["mood"]}, "no feature 'mood'"),
        ({"features": ["truncated", "log_tokens"], "method": "isotonic"}, "isotonic takes one feature"),
        ({"features": ["truncated"], "folds": 1}, "folds must be at least 2"),
    ],
)
def test_a_fit_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(InvalidInputError, match=message):
        Learned.fit(judged(), **options)


def test_nothing_to_learn_from_is_said():
    with pytest.raises(InvalidInputError, match="right answers only"):
        Learned.fit(graded([("4", True, 0.5)]), features=["score:judge"])
    with pytest.raises(InvalidInputError, match="no outcomes"):
        Learned.fit(graded([("no idea", False, 0.5), ("4", None, 0.5)]), features=["score:judge"])
    with pytest.raises(InvalidInputError, match="1 verdicts for 2 candidates"):
        Graded(problem="p", candidates=(candidate("4"), candidate("5")), right=(True,))


# Files ---------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.json"
    Learned.fit(judged(), features=["score:judge", "consistency"]).save(path)
    return path


def edited(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return str(path)


def test_a_model_is_saved_and_read_again(saved):
    model = Learned.fit(judged(), features=["score:judge", "consistency"])
    assert Learned(file=str(saved)).model == model == CorrectnessModel.load(saved)
    document = json.loads(saved.read_text())
    assert document["features"] == [
        {"name": "score:judge", "version": 1},
        {"name": "consistency", "version": 1},
    ]
    assert set(document["cross_validation"]) == {"folds", "brier", "baseline", "expected_calibration_error"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(version=2), "of version 2, this release reads version 1: fit it again"),
        (lambda d: d.update(format="calibration"), "this is not a fitted model"),
        (
            lambda d: d["features"][1].update(version=3),
            "version 3 of the feature 'consistency', .* version 1",
        ),
        (lambda d: d["features"][1].update(name="mood"), "no feature 'mood'; there are: perplexity"),
        (lambda d: d["features"].pop(), "2 fills for 1 features"),
        (
            lambda d: d["features"][1].update(name="truncated"),
            "for a calibration of score:judge, consistency",
        ),
        (lambda d: d.pop("calibrator"), "that is damaged: KeyError"),
        (lambda d: d["calibrator"].update(coefficients=[1.0]), "a coefficient for each of 2 features"),
        (lambda d: d["cross_validation"].update(more=1), "that is damaged"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(saved, change, message):
    with pytest.raises(InvalidInputError, match=message):
        Learned(file=edited(saved, change))


def test_a_feature_whose_definition_has_changed_is_refused(saved, monkeypatch):
    newer = dict(FEATURES)
    newer["consistency"] = features_module.Feature(name="consistency", version=2, measure=lambda given: [])
    monkeypatch.setattr(features_module, "FEATURES", newer)
    with pytest.raises(
        InvalidInputError, match=r"fitted on version 1 of the feature 'consistency', .* version 2"
    ):
        Learned(file=str(saved))


def test_no_file_and_no_json_are_told_by_name(tmp_path):
    with pytest.raises(InvalidInputError, match=r"file '.*absent.json'"):
        Learned(file=str(tmp_path / "absent.json"))
    (tmp_path / "text.json").write_text("{")
    with pytest.raises(InvalidInputError, match=r"file '.*text.json'"):
        Learned(file=str(tmp_path / "text.json"))


def test_a_program_file_names_the_model(saved, tmp_path):
    path = tmp_path / "program.yaml"
    head = "version: 1\nmodels: {m: {local: gemma-3-270m}}\nprogram: {best_of_n: {n: 2}}\ncheck: "
    path.write_text(head + f"{{learned: {saved}}}\n")
    assert load(path).check == Learned(file=str(saved))
    path.write_text(head + f"{{learned: {{file: {tmp_path}/absent.json}}}}\n")
    with pytest.raises(ProgramFileError, match=r"program.yaml:4:\d+: file '.*absent.json'"):
        load(path)


def test_another_model_in_the_same_file_is_another_program(saved):
    before = program_hash(Learned(file=str(saved)))
    assert program_hash(Learned(file=str(saved))) == before
    Learned.fit(judged(seed=5), features=["score:judge", "consistency"]).save(saved)
    assert program_hash(Learned(file=str(saved))) != before


# As a verifier -------------------------------------------------------------------------------------------


def test_it_asks_for_what_its_features_need():
    rows = [
        Graded(
            problem=str(number),
            candidates=(
                candidate(
                    "4", logprobs=(TokenLogprob(token="4", logprob=-1.0 * (number % 2), top=(("4", -1.0),)),)
                ),
            ),
            right=(number % 3 == 0,),
        )
        for number in range(12)
    ]
    assert Learned.of(Learned.fit(rows, features=["perplexity"])).logprobs == 0
    assert Learned.of(Learned.fit(rows, features=["perplexity", "self_certainty"])).logprobs == 20
    assert Learned.of(Learned.fit(rows, features=["truncated"])).logprobs is None
    assert not Learned.of(Learned.fit(rows, features=["perplexity"])).comparative


async def test_best_of_n_takes_the_most_probable_answer():
    rows = graded(*([("4", True, 0.5), ("4", True, 0.5), ("5", False, 0.5)] for _ in range(10)))
    verifier = Learned.of(Learned.fit(rows, features=["consistency"]))
    async with Controller(models={"m": ScriptedBackend(["7", "8", "8"])}, answers=NUMBER) as controller:
        outcome = await controller.run(BestOfN(n=3, verifier=verifier, threshold=None), "?")
    assert outcome.answer.text == "8"
    assert 0.5 < outcome.confidence < 1.0


class Asks:
    """A verifier that asks the model for each candidate's score."""

    name = "judge"

    async def score(self, ctx, problem, candidates):
        samples = [await ctx.complete("how sure?", max_tokens=5) for _ in candidates]
        return [Score(value=float(sample.text)) for sample in samples]


async def test_verifiers_among_its_features_are_asked_and_charged():
    verifier = Learned.of(Learned.fit(judged(), features=["score:judge"]), parts=(Asks(),))
    asked = []

    async def answer(request):
        asked.append(request)
        return Sample(
            text="0.9" if "sure" in str(request.messages) else "4",
            usage=Usage(prompt_tokens=1, completion_tokens=1, requests=1),
        )

    async with Controller(models={"m": FunctionBackend(answer)}, answers=NUMBER) as controller:
        outcome = await controller.run(BestOfN(n=1, verifier=verifier), "?")
    assert outcome.answer.text == "4"
    assert outcome.confidence > 0.5
    assert outcome.usage.requests == len(asked) == 2
    # A score by the part itself that a candidate brings along is not asked for again; one by another of its name is.
    problem, [part] = Problem(id="p"), verifier.parts
    given = Score(value=0.9, by=part, problem=problem)
    [score] = await verifier.score(None, problem, [replace(candidate("4"), scores={"judge": given})])
    assert score.value == outcome.confidence
    async with Controller(models={"m": FunctionBackend(answer)}) as controller:
        stranger = candidate("4", scores={"judge": 0.1})

        async def program(ctx, problem):
            [score] = await ctx.score(verifier, problem, [stranger])
            return Outcome(confidence=score.value)

        assert (await controller.run(program, "?")).confidence == score.value
    assert len(asked) == 3


async def test_a_part_that_a_limit_keeps_from_scoring_is_told():
    verifier = Learned.of(Learned.fit(judged(), features=["score:judge"]), parts=(Asks(),))
    caught = []

    async def program(ctx, problem):
        try:
            await ctx.score(verifier, problem, [candidate("4")])
        except BudgetExceededError as error:
            caught.append(error)
        return Outcome()

    async with Controller(
        models={"m": ScriptedBackend(["0.9"])}, budget=Budget(total_tokens=1)
    ) as controller:
        await controller.run(program, "?")
    assert len(caught) == 1


def test_a_part_the_model_was_not_fitted_on_is_refused():
    model = Learned.fit(judged(), features=["score:judge"])
    with pytest.raises(
        InvalidInputError, match="not fitted on scores by equivalent; its features are: score:judge"
    ):
        Learned.of(model, parts=(Equivalent(),))


# Where graded candidates come from -----------------------------------------------------------------------

PROBLEMS = [
    Problem(id=str(number), prompt=f"{number} + 1?", reference=str(number + 1)) for number in range(4)
]


async def recorded_run(path, program):
    async def answer(request):
        number = int(request.call.problem)
        text = str(number + 1) if (number + request.call.ordinal) % 2 else str(number)
        return Sample(text=text, usage=Usage(prompt_tokens=1, completion_tokens=1, requests=1))

    async with Controller(
        models={"m": FunctionBackend(answer)}, answers=NUMBER, journal=str(path)
    ) as controller:
        async for _ in controller.map(program, PROBLEMS):
            pass


async def test_a_journal_gives_the_candidates_of_a_run_and_what_was_right(tmp_path):
    path = tmp_path / "run.db"
    await recorded_run(path, SelfConsistency(n=3, stop=FixedSize()))
    rows = graded_from_journal(path, problems=PROBLEMS)
    assert [row.problem for row in rows] == ["0", "1", "2", "3"]
    assert all(len(row.candidates) == 3 for row in rows)
    for row in rows:
        number = int(row.problem)
        assert row.right == tuple(one.answer.text == str(number + 1) for one in row.candidates)
    model = Learned.fit(rows, features=["consistency", "log_tokens"])
    assert (model.problems, model.calibrator.outcomes) == (4, 12)


async def test_a_journal_can_be_graded_by_a_check(tmp_path):
    path = tmp_path / "run.db"
    small = Predicate(function=lambda problem, one: int(one.answer.text) < 3, name="small")
    await recorded_run(path, BestOfN(n=2, verifier=small, threshold=None))
    rows = graded_from_journal(path, check="small")
    assert sorted(row.problem for row in rows) == ["0", "1", "2", "3"]
    verdicts = {
        one.answer.text: right for row in rows for one, right in zip(row.candidates, row.right, strict=True)
    }
    assert verdicts == {"0": True, "1": True, "2": True, "3": False, "4": False}
    with pytest.raises(InvalidInputError, match="not one candidate"):
        graded_from_journal(path, check="other")


async def test_a_journal_that_cannot_be_used_is_refused(tmp_path):
    path = tmp_path / "run.db"
    with pytest.raises(InvalidInputError, match="no journal"):
        graded_from_journal(path, check="c")
    assert not path.exists()
    path.write_text("not a database, though long enough to be looked at as if it were one " * 20)
    with pytest.raises(JournalError):
        graded_from_journal(path, check="c")
    for options in ({}, {"problems": PROBLEMS, "check": "c"}):
        with pytest.raises(InvalidInputError, match="one of problems"):
            graded_from_journal(path, **options)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_a_file_of_json_lines_gives_graded_candidates(tmp_path, name):
    lines = [
        {
            "id": "a",
            "reference": "18",
            "samples": [
                {"text": "It is 18", "scores": {"judge": 0.9}, "completion_tokens": 7},
                {"text": "It is 1", "finish_reason": "length"},
                {"text": "17", "right": True, "logprobs": [["17", -0.5, [["17", -0.5], ["18", -1.5]]]]},
                "18",
                None,
            ],
        },
        {"answers": ["18", "20"], "correct": [1, 0]},
        {"gold": "5", "answers": ["5", "six"]},
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    first, second, third = graded_from_jsonl(path, answers=NUMBER)
    assert (first.problem, second.problem, third.problem) == ("a", "2", "3")
    assert first.right == (True, False, True, True, False)
    assert [one.answer is None for one in first.candidates] == [False, True, False, False, True]
    assert first.candidates[0].scores["judge"].value == 0.9
    assert first.candidates[0].sample.usage.completion_tokens == 7
    assert first.candidates[2].sample.logprobs[0].top == (("17", -0.5), ("18", -1.5))
    assert second.right == (True, False)
    assert third.right == (True, False)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1]", r"rows.jsonl:1: not a problem with graded samples"),
        ("{", r"rows.jsonl:1: not a problem with graded samples: Expecting"),
        ('{"id": 1}', "no 'answers'"),
        ('{"answers": ["1", "2"], "correct": [1]}', "rows.jsonl:1"),
        ('{"answers": ["1"], "correct": ["yes"]}', "say true or false, or 1 or 0, not 'yes'"),
        ('{"samples": [{"text": "1", "right": true, "scores": {"j": 2}}]}', r"a score is in \[0, 1\], not 2"),
        ('{"samples": [{"words": "1"}]}', "rows.jsonl:1"),
        ('{"answers": ["1"]}', "not one candidate"),
    ],
)
def test_a_line_that_is_something_else_is_told_with_its_number(tmp_path, line, message):
    path = tmp_path / "rows.jsonl"
    path.write_text(line)
    with pytest.raises(InvalidInputError, match=message):
        graded_from_jsonl(path)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(InvalidInputError, match="cannot be read"):
        graded_from_jsonl(tmp_path / "absent.jsonl")
