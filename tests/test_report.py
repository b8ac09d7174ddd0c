import io
import random

import pytest
from rich.console import Console

from orchestrator.answers import AnswerReader
from orchestrator.events import CandidatesScored
from orchestrator.report import Proportion, Tracker, money
from orchestrator.types import CallId, Candidate, Outcome, Problem, Sample, Score, StopReason, Usage

READER = AnswerReader(kind="number")


def candidate(text, *, ordinal=None, score=None):
    call = None if ordinal is None else CallId(problem="p", path="", ordinal=ordinal)
    scores = {} if score is None else {"rule": Score(value=score)}
    return Candidate(sample=Sample(text=text, call=call), answer=READER.read(text), scores=scores)


def outcome(answer, *texts, **options):
    candidates = tuple(candidate(text) for text in texts)
    usage = Usage(prompt_tokens=10, completion_tokens=5, requests=len(texts), picodollars=2_000_000)
    return Outcome(answer=READER.read(answer), candidates=candidates, usage=usage, **options)


def problem(reference="4"):
    return Problem(id="p", prompt="2 + 2?", reference=reference)


def test_wilsons_interval():
    # 10 of 20: the textbook's 0.299 to 0.701; none of 10: 0 to 0.278.
    assert Proportion(value=0.5, of=20).interval == pytest.approx((0.2993, 0.7007), abs=1e-4)
    assert Proportion(value=0.0, of=10).interval == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert str(Proportion(value=1.0, of=1)) == "100.0 % [20.7, 100.0]"


def test_vote_single_and_coverage():
    tracker = Tracker(kind="number")
    assert tracker.add(problem(), outcome("4", "4", "4", "5", "4")) is True
    assert tracker.add(problem(), outcome("5", "5", "5", "4", "no idea")) is False
    assert tracker.add(problem(), outcome("7", "7", "7", "7", "7")) is False
    summary = tracker.summary(seconds=2.0)
    assert summary.vote == Proportion(value=1 / 3, of=3)
    assert summary.single == Proportion(value=(3 / 4 + 1 / 4 + 0) / 3, of=3)
    assert summary.coverage == Proportion(value=2 / 3, of=3)
    assert (summary.samples, summary.samples_per_second) == (12, 6.0)
    assert summary.usage.total_tokens == 45


def test_where_programs_stopped_early_one_sample_is_the_first_to_arrive():
    # Best-of-n that stops at the first success: the mean over what was drawn would say 1/1 and 1/3.
    # The last to arrive is the success; what had been asked for before it may be missing.
    tracker = Tracker(kind="number")
    early = Outcome(
        answer=READER.read("4"),
        candidates=(candidate("5", ordinal=3), candidate("5", ordinal=1), candidate("4", ordinal=0)),
        stop_reason=StopReason.DECIDED,
    )
    lucky = Outcome(answer=READER.read("4"), candidates=(candidate("4", ordinal=0),))
    tracker.add(problem(), early)
    tracker.add(problem(), lucky)
    summary = tracker.summary(seconds=1.0)
    assert summary.single_is_first_draw
    assert summary.single == Proportion(value=0.5, of=2)
    assert "accuracy of the first sample" in summary.text()


def test_without_a_reference_the_check_judges():
    tracker = Tracker(check="rule")
    chosen, other = candidate("4", score=1.0), candidate("5", score=0.0)
    unknown = Problem(id="p", prompt="2 + 2?")
    assert tracker.add(unknown, Outcome(answer=chosen.answer, candidates=(other, chosen))) is True
    assert tracker.add(unknown, Outcome(answer=other.answer, candidates=(other, chosen))) is False
    assert tracker.add(unknown, Outcome(answer=None, candidates=(other, chosen))) is False
    summary = tracker.summary(seconds=1.0)
    assert summary.vote == Proportion(value=1 / 3, of=3)
    assert summary.coverage == Proportion(value=1.0, of=3)


def test_ballots_and_texts_that_a_program_has_made_are_no_samples():
    tracker = Tracker(kind="number")
    drawn = (candidate("5", ordinal=0), candidate("4", ordinal=1))
    tracker.add(
        problem(), Outcome(answer=READER.read("4"), candidates=(*drawn, candidate("4"), candidate("7")))
    )
    tracker.add(problem(), Outcome(answer=READER.read("4"), candidates=(drawn[0], drawn[0], candidate("4"))))
    summary = tracker.summary(seconds=1.0)
    assert summary.samples == 3
    assert summary.single == Proportion(value=(1 / 2 + 0) / 2, of=2)
    assert summary.coverage == Proportion(value=1 / 2, of=2)
    assert summary.vote == Proportion(value=1.0, of=2)


def test_what_a_program_has_written_is_judged_and_no_sample():
    tracker = Tracker(check="rule")
    written = {"answer": READER.read("4"), "written": candidate("4", score=1.0)}
    assert tracker.add(problem(None), Outcome(candidates=(candidate("4", score=0.0),), **written)) is True
    assert tracker.add(problem(None), Outcome(**written)) is True
    summary = tracker.summary(seconds=1.0)
    assert (summary.samples, summary.judged, summary.vote) == (1, 2, Proportion(value=1.0, of=2))
    assert summary.single == summary.coverage == Proportion(value=0.0, of=1)


def test_what_cannot_be_judged_has_no_accuracy():
    tracker = Tracker()
    assert tracker.add(Problem(id="p", prompt="?"), outcome("4", "4")) is None
    summary = tracker.summary(seconds=0.0)
    assert summary.vote is summary.single is summary.coverage is None
    assert summary.samples_per_second == 0.0
    assert "accuracy" not in summary.text()
    assert summary.as_dict()["accuracy"] is None


def test_problems_without_any_sample_are_counted_apart():
    tracker = Tracker(kind="number")
    tracker.add(problem(), outcome("4", "4"))
    tracker.add(problem(), Outcome(stop_reason=StopReason.BUDGET, error="nothing left"))
    tracker.add(problem(), Outcome(stop_reason=StopReason.BUDGET, error="nothing left"))
    summary = tracker.summary(seconds=1.0)
    assert (summary.problems, summary.answered, summary.judged) == (3, 1, 1)
    assert summary.vote == Proportion(value=1.0, of=1)
    assert summary.stop_reasons == {StopReason.BUDGET: 2, StopReason.COMPLETE: 1}
    assert summary.errors == {}  # the stop reasons tell


def test_memory_does_not_grow_with_different_errors():
    tracker = Tracker()
    for number in range(100):
        tracker.add(problem(), Outcome(stop_reason=StopReason.ERROR, error=f"error {number}"))
    errors = tracker.summary(seconds=1.0).errors
    assert sum(errors.values()) == 100
    assert errors["further errors"] == 100 - Tracker.MOST_MESSAGES


def test_the_table_fits_sixty_columns():
    tracker = Tracker(kind="number")
    tracker.add(problem(), outcome("4", "4", error="a long story " * 20))
    output = io.StringIO()
    Console(file=output, width=60).print(tracker.summary(seconds=1.0).table(chosen="the vote of 8"))
    lines = output.getvalue().splitlines()
    assert max(len(line) for line in lines) <= 60
    assert any("accuracy of the vote of 8" in line and "100.0 %" in line for line in lines)


@pytest.mark.parametrize(
    ("picodollars", "shown"),
    [
        (0, "$0"),
        (12_345 * 10**12, "$12,345.00"),
        (10**11, "$0.10"),
        (123 * 10**7, "$0.0012"),
        (1, "$0.000000000001"),
    ],
)
def test_money_has_two_digits_that_matter(picodollars, shown):
    assert money(picodollars) == shown


def test_one_sample_is_as_good_as_its_model_when_the_first_success_ends_the_drawing():
    # Samples arrive in no order of their asking; what comes after the first right one is cancelled.
    rng, tracker, right = random.Random(1), Tracker(kind="number"), 0.2
    for _ in range(2000):
        drawn = []
        for ordinal in rng.sample(range(16), 16):
            drawn.append(candidate("4" if rng.random() < right else "5", ordinal=ordinal))
            if drawn[-1].answer.key == "n:4":
                break
        tracker.add(problem(), Outcome(candidates=tuple(drawn), stop_reason=StopReason.DECIDED))
    low, high = tracker.summary(seconds=1.0).single.interval
    assert low < right < high


def test_the_summary_says_what_part_of_the_prompts_was_cached():
    tracker = Tracker()
    tracker.add(problem(), outcome("4", "4"))
    assert ("prompt tokens", "10") in tracker.summary(seconds=1.0).rows()
    usage = Usage(prompt_tokens=200, cached_tokens=150)
    assert ("prompt tokens", "200, 75 % cached") in tracker.summary(seconds=1.0, usage=usage).rows()


def judged(*values):
    reason = "unreadable verdict: no number"
    scores = tuple(Score(value=value, reason=reason if value is None else "") for value in values)
    return CandidatesScored(problem="p", path="", verifier="judge", scores=scores)


def test_a_verifier_that_is_mostly_silent_is_told_of():
    tracker = Tracker()
    for values in ((None, None, None), (None, None), (None, 1.0)):
        tracker.record(judged(*values))
    summary = tracker.summary(seconds=1.0)
    told = "6 of 7 without a verdict (unreadable verdict: no number)"
    assert dict(summary.rows())["judge"] == told
    assert summary.as_dict()["silent_verifiers"] == {"judge": told}
    tracker.record(judged(1.0, 1.0, 1.0, 0.0, 0.5))
    assert tracker.summary(seconds=1.0).silent == {}
