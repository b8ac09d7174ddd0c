import math

import pytest

from orchestrator import Budget, Controller, Outcome, Problem, StopReason, load
from orchestrator.answers import AnswerReader
from orchestrator.backends import FunctionBackend
from orchestrator.errors import (
    BackendError,
    BudgetExceededError,
    DeadlineExceededError,
    InvalidInputError,
    ProgramFileError,
)
from orchestrator.types import Candidate, Sample, Score, Usage
from orchestrator.verifiers import Composite, Consistency, GroupConfidence, Perplexity, Regex, RequiredWords

PROBLEM = Problem(id="p", prompt="?")
TEXTS = ("a", "b", "c")


class Table:
    """A verifier with a fixed score by text, or an error to raise."""

    def __init__(self, *values, name="table", error=None):
        self.values, self.name, self.error = dict(zip(TEXTS, values, strict=False)), name, error

    async def score(self, ctx, problem, candidates):
        if self.error is not None:
            raise self.error
        return [Score(value=self.values[candidate.sample.text], reason="seen") for candidate in candidates]


class Asks:
    """A verifier that asks the model about each candidate, each in a branch of its own."""

    name = "asks"

    async def score(self, ctx, problem, candidates):
        scores = []
        for number, candidate in enumerate(candidates):
            sample = await ctx.branch(label=str(number)).complete(candidate.sample.text, max_tokens=5)
            scores.append(Score(value=float(sample.text)))
        return scores


async def half(request):
    return Sample(text="0.5", usage=Usage(prompt_tokens=1, completion_tokens=1, requests=1))


async def judged(verifier, texts=TEXTS, *, problem=PROBLEM, **options):
    """The scores and the controller's spending; an error of the verifier is raised."""
    found, caught = [], []

    async def program(ctx, problem):
        reader = AnswerReader(kind="text")
        candidates = [Candidate(sample=Sample(text=text), answer=reader.read(text)) for text in texts]
        try:
            found.extend(await ctx.score(verifier, problem, candidates))
        except Exception as error:
            caught.append(error)
        return Outcome()

    async with Controller(models={"m": FunctionBackend(half)}, **options) as controller:
        outcome = await controller.run(program, problem)
    if caught:
        raise caught[0]
    return found, outcome.usage


async def values(verifier, texts=TEXTS):
    scores, _ = await judged(verifier, texts)
    return [score.value for score in scores]


HIGH, LOW = Table(1.0, 0.8, 0.0, name="high"), Table(0.5, 0.2, 0.4, name="low")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.75, 0.5, 0.2]),
        ({"weights": (1, 3)}, [0.625, 0.35, 0.3]),
        ({"weights": (1, 0)}, [1.0, 0.8, 0.0]),
        ({"combine": "product"}, [0.5, 0.16, 0.0]),
        ({"combine": "product", "weights": (1, 2)}, [0.25, 0.032, 0.0]),
        ({"combine": "min"}, [0.5, 0.2, 0.0]),
    ],
)
async def test_scores_are_combined_by_weight(options, expected):
    assert await values(Composite(parts=(HIGH, LOW), **options)) == pytest.approx(expected)


async def test_a_part_that_abstains_is_left_out_and_the_others_weigh_more():
    unsure = Table(None, 0.6, None, name="unsure")
    assert await values(Composite(parts=(HIGH, LOW, unsure), weights=(1, 3, 4))) == pytest.approx(
        [0.625, (0.8 + 3 * 0.2 + 4 * 0.6) / 8, 0.3]
    )
    product = Composite(parts=(HIGH, LOW, unsure), combine="product")
    assert await values(product) == pytest.approx([0.5**1.5, 0.8 * 0.2 * 0.6, 0.0])
    assert await values(Composite(parts=(HIGH, unsure), combine="min")) == [1.0, 0.6, 0.0]
    assert await values(Composite(parts=(HIGH, unsure), require_all=True)) == [None, 0.7, None]
    assert await values(Composite(parts=(unsure,))) == [None, 0.6, None]


async def test_the_reason_says_what_each_part_said():
    scores, _ = await judged(
        Composite(parts=(HIGH, Table(None, None, None, name="unsure"), Regex(pattern="^a$")))
    )
    assert scores[1].reason == "high 0.8 (seen); unsure abstains (seen); regex 0 (the pattern is not found)"


async def test_the_calls_of_its_parts_are_charged():
    scores, usage = await judged(Composite(parts=(Asks(), Asks(), HIGH)))
    assert [score.value for score in scores] == pytest.approx([2 / 3, 0.6, 1 / 3])
    assert usage.requests == 6


async def test_a_resumed_run_meets_its_parts_calls_again(tmp_path):
    verifier = Composite(parts=(Asks(), Asks()))
    sent = []

    async def counted(request):
        sent.append(request.call)
        return await half(request)

    async def program(ctx, problem):
        candidates = [Candidate(sample=Sample(text=text), answer=None) for text in TEXTS]
        scores = await ctx.score(verifier, problem, candidates)
        return Outcome(confidence=scores[0].value, stop_reason=StopReason.BUDGET)  # so that it is done again

    for resume, calls in ((False, 6), (True, 6)):
        options = {"journal": str(tmp_path / "run.db"), "resume": resume}
        async with Controller(models={"m": FunctionBackend(counted)}, **options) as controller:
            outcome = await controller.run(program, PROBLEM)
        assert (outcome.confidence, len(sent)) == (0.5, calls)
    assert len({str(call) for call in sent}) == 6


async def test_a_part_whose_calls_fail_abstains():
    broken = Table(name="broken", error=BackendError("it is down"))
    scores, _ = await judged(Composite(parts=(HIGH, broken)))
    assert [score.value for score in scores] == [1.0, 0.8, 0.0]
    assert scores[0].reason == "high 1 (seen); broken abstains (failed: it is down)"


async def test_a_limit_is_raised_only_when_no_candidate_has_a_score():
    spent = BudgetExceededError(account="run", resource="requests", requested=1, remaining=0)
    late = DeadlineExceededError(account="run")
    scores, _ = await judged(Composite(parts=(Table(error=spent), HIGH)))
    assert [score.value for score in scores] == [1.0, 0.8, 0.0]
    assert "requests asked for" in scores[0].reason
    with pytest.raises(BudgetExceededError):
        await judged(Composite(parts=(Table(error=spent), HIGH), require_all=True))
    with pytest.raises(DeadlineExceededError):
        await judged(Composite(parts=(Table(error=late),)))
    with pytest.raises(BudgetExceededError):
        await judged(Composite(parts=(Asks(),)), budget=Budget(requests=1))


async def test_a_mistake_of_the_caller_is_told_as_it_is():
    with pytest.raises(InvalidInputError, match="no model"):
        await judged(Composite(parts=(HIGH, Table(error=InvalidInputError("no model")))))


def test_it_compares_and_reads_log_probabilities_when_a_part_does():
    assert not Composite(parts=(Regex(pattern="a"), Perplexity())).comparative
    assert Composite(parts=(Regex(pattern="a"), Consistency())).comparative
    assert Composite(parts=(Composite(parts=(Consistency(),)),)).comparative
    assert Composite(parts=(Regex(pattern="a"),)).logprobs is None
    assert Composite(parts=(Regex(pattern="a"), Perplexity())).logprobs == 0
    assert Composite(parts=(Perplexity(), GroupConfidence())).logprobs == 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parts": ()}, "at least 1 verifier"),
        ({"combine": "max"}, "combine must be one of mean, product, min, not 'max'"),
        ({"weights": (1.0,)}, "weights: 1 of them for 2 parts"),
        ({"weights": (0.0, 0.0)}, "not all 0"),
        ({"weights": (1.0, -1.0)}, "at least 0"),
        ({"weights": (1.0, math.inf)}, "finite"),
        ({"weights": (1.0, math.nan)}, "at least 0"),
        ({"weights": (1e308, 1e308)}, "of a finite sum"),
        ({"weights": (1.0, 2.0), "combine": "min"}, "leave them out with min"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(options, message):
    with pytest.raises(InvalidInputError, match=message):
        Composite(**{"parts": (HIGH, LOW), **options})


HEAD = """version: 1
models: {m: {local: gemma-3-270m}}
program:
  best_of_n:
    n: 2
    verifier:
      composite:
"""


def test_a_program_file_can_combine_verifiers(tmp_path):
    path = tmp_path / "both.yaml"
    path.write_text(
        HEAD
        + "        parts: [{regex: {pattern: a}}, consistency, {required_words: {at_most: 9}}]\n"
        + "        weights: [1, 2, 0.5]\n        combine: product\n"
    )
    assert load(path).strategy.verifier == Composite(
        parts=(Regex(pattern="a"), Consistency(), RequiredWords(at_most=9)),
        weights=(1, 2, 0.5),
        combine="product",
    )
    path.write_text(HEAD + "        parts: [{regex: {pattern: a}}, consistent]\n")
    with pytest.raises(ProgramFileError, match=r"both.yaml:8:\d+: no verifier `consistent`"):
        load(path)
    path.write_text(HEAD + "        parts: [consistency]\n        weights: [1, 2]\n")
    with pytest.raises(ProgramFileError, match=r"both.yaml:9:\d+: weights: 2 of them for 1 parts"):
        load(path)
