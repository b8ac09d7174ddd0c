"""The stated probabilities hold: those of the steps, of the answers, and of the reward model's noise."""

import math
from collections import Counter
from statistics import NormalDist, correlation, fmean, pstdev

import pytest
from search.synthetic import StepwiseModel, StepwiseProblems, StepwiseRewardModel, Written

from orchestrator import BestOfN, Controller
from orchestrator.answers import AnswerReader
from orchestrator.errors import InvalidInputError
from orchestrator.strategies import BeamSearch, DiverseVerifierTreeSearch, ParticleFilter
from orchestrator.types import Request

DRAWS = 2000


def asked(number: int, said: str = "", **options) -> Request:
    messages = [{"role": "user", "content": f"Problem {number}: a value."}]
    if said:
        messages.append({"role": "assistant", "content": said})
    return Request(messages=tuple(messages), **{"seed": 1, **options})


async def drawn(problems: StepwiseProblems, number: int, said: str = "", *, n: int = DRAWS, **options):
    """The steps of `n` continuations."""
    samples = await StepwiseModel(problems).complete(asked(number, said, n=n, **options))
    return [Written.steps_of(sample.text) for sample in samples]


def solution(*values: int) -> str:
    steps = [Written(wording=at, value=value) for at, value in enumerate(values)]
    return "".join(f"{step.text(at, 99)}\n\n" for at, step in enumerate(steps))


def near(share: float, expected: float, n: int = DRAWS) -> bool:
    """Whether a share of `n` draws is within 4 standard errors of what it should be."""
    return abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / n) + 1e-9


async def test_a_step_after_right_ones_is_right_with_probability_p():
    problems = StepwiseProblems()
    for number in range(5):
        course = problems.course(number)
        for right in (0, 3):
            steps = await drawn(problems, number, solution(*course.right[:right]), stop=("\n\n",))
            assert {len(written) for written in steps} == {1}
            assert near(fmean(one[0].value == course.right[right] for one in steps), course.p[right])


async def test_a_step_after_a_mistake_makes_it_good_with_probability_r_and_else_goes_on_with_probability_p():
    problems = StepwiseProblems(recovery=0.3, solved=(5, 5), evenness=100, concentration=0)
    course = problems.course(0)
    wrong = course.right[0] + 1
    steps = await drawn(problems, 0, solution(wrong), stop=("\n\n",))
    found = Counter(one[0].value for one in steps)
    assert near(found[course.right[1]] / DRAWS, 0.3)
    assert near(found[course.follows(1, wrong)] / DRAWS, 0.7 * course.p[1])
    assert len(found) == 2 + problems.mistakes


@pytest.mark.parametrize("concentration", [0.0, 1.0, 2.0])
async def test_kinds_of_mistakes_have_weights_that_fall_as_stated(concentration):
    problems = StepwiseProblems(concentration=concentration, mistakes=3, solved=(1, 50))
    course = problems.course(0)
    steps = await drawn(problems, 0, stop=("\n\n",))
    wrong = Counter(one[0].value for one in steps if one[0].value != course.right[0])
    weights = [kind**-concentration for kind in (1, 2, 3)]
    n = wrong.total()
    assert len(wrong) == 3
    for (_, count), weight in zip(wrong.most_common(), weights, strict=True):
        # Equal weights come in any order: the largest of three counts is further out than one count is.
        assert abs(count / n - weight / sum(weights)) < 5 * math.sqrt(0.25 / n)


@pytest.mark.parametrize("recovery", [0.0, 0.2])
async def test_solutions_end_right_as_often_as_the_chain_of_steps_says(recovery):
    problems = StepwiseProblems(recovery=recovery, steps=5)
    for number in range(5):
        course = problems.course(number)
        share = fmean(written[-1].value == course.right[-1] for written in await drawn(problems, number))
        assert near(share, course.from_right[0])
        assert recovery or course.from_right[0] == pytest.approx(course.solved)


def test_the_share_of_solutions_without_a_mistake_has_the_stated_distribution():
    problems = StepwiseProblems(solved=(0.5, 1.5))
    solved = [math.prod(problems.course(number).p) for number in range(DRAWS)]
    assert fmean(solved) == pytest.approx(0.25, abs=0.025)
    assert pstdev(solved) ** 2 == pytest.approx(0.25 * 0.75 / 3, abs=0.006)


@pytest.mark.parametrize(("evenness", "largest"), [(0.01, 0.97), (1.0, 0.34), (1000.0, 0.135)])
def test_the_difficulty_of_a_problem_is_that_of_one_step_or_of_all_as_stated(evenness, largest):
    # Of 8 shares in all: nearly all of it; the largest piece of a stick broken at 7 places, H_8 / 8; and about 1/8.
    problems = StepwiseProblems(evenness=evenness)
    courses = [problems.course(number) for number in range(DRAWS)]
    shares = [min(map(math.log, course.p)) / math.log(course.solved) for course in courses]
    assert fmean(shares) == pytest.approx(largest, abs=0.02)


async def test_solutions_written_step_by_step_end_as_often_right_as_those_written_at_once():
    problems = StepwiseProblems(steps=3, solved=(4, 4))
    course, model = problems.course(1), StepwiseModel(problems)
    right = 0
    for seed in range(1000):
        said = ""
        for _ in range(3):
            [sample] = await model.complete(asked(1, said, seed=seed, stop=("\n\n",)))
            said += sample.text + "\n\n"
        right += Written.steps_of(said)[-1].value == course.right[-1]
    assert near(right / 1000, course.from_right[0], 1000)


async def test_the_same_request_gets_the_same_reply_and_another_seed_or_choice_another():
    problems = StepwiseProblems()
    one, two = [await StepwiseModel(problems).complete(asked(3, n=2)) for _ in range(2)]
    assert [sample.text for sample in one] == [sample.text for sample in two]
    assert one[0].text != one[1].text
    assert (await StepwiseModel(problems).complete(asked(3, n=2, seed=2)))[0].text != one[0].text
    assert (await StepwiseModel(StepwiseProblems(seed=1)).complete(asked(3)))[0].text != one[0].text


async def test_usage_is_the_length_of_the_steps_that_are_there_and_that_are_written():
    problems = StepwiseProblems(tokens=(30, 30), question_tokens=7, steps=4)
    model = StepwiseModel(problems)
    request = asked(0, solution(1, 2), n=3)
    samples = await model.complete(request)
    assert [sample.usage.completion_tokens for sample in samples] == [60, 60, 60]
    assert [sample.usage.prompt_tokens for sample in samples] == [67, 0, 0]
    assert await model.count_prompt_tokens(request) == 67
    lengths = [one.tokens(StepwiseProblems()) for [one, *_] in await drawn(StepwiseProblems(), 0)]
    assert (min(lengths), max(lengths)) == (20, 60)
    assert fmean(lengths) == pytest.approx(40, abs=1)


async def test_a_cap_on_tokens_cuts_a_step_and_it_is_written_again():
    problems = StepwiseProblems(tokens=(30, 30), steps=4)
    model = StepwiseModel(problems)
    [cut] = await model.complete(asked(0, max_tokens=45))
    assert (cut.finish_reason, cut.usage.completion_tokens) == ("length", 45)
    assert len(Written.steps_of(cut.text)) == 1
    [rest] = await model.complete(asked(0, cut.text))
    assert rest.usage.completion_tokens == 90
    assert len(Written.steps_of(cut.text + rest.text)) == 4


async def test_at_temperature_0_the_likeliest_step_is_written():
    problems = StepwiseProblems(solved=(50, 1))
    [greedy] = await drawn(problems, 0, n=1, temperature=0.0)
    assert [step.value for step in greedy] == problems.course(0).right
    hard = StepwiseProblems(solved=(1, 500), steps=1, mistakes=2)
    [[greedy]] = await drawn(hard, 0, n=1, temperature=0.0)
    sampled = Counter(one.value for [one] in await drawn(hard, 0))
    assert greedy.value == sampled.most_common(1)[0][0] != hard.course(0).right[0]


async def test_a_question_about_no_problem_is_refused():
    with pytest.raises(InvalidInputError, match="none of its problems"):
        await StepwiseModel(StepwiseProblems()).complete(
            Request(messages=({"role": "user", "content": "Hi"},))
        )


def seems(reward: StepwiseRewardModel, course, steps) -> list[float]:
    return [reward.seen(course, steps[: at + 1]).seems for at in range(len(steps))]


def noises(reward: StepwiseRewardModel, course, steps) -> list[float]:
    return [reward.seen(course, steps[: at + 1]).noise for at in range(len(steps))]


# The reward model ----------------------------------------------------------------------------------------------


async def test_the_noise_is_standard_normal_at_every_step_with_the_stated_correlation():
    problems = StepwiseProblems(steps=3)
    reward = StepwiseRewardModel(problems=problems, persistence=0.6)
    noise = [noises(reward, problems.course(0), written) for written in await drawn(problems, 0)]
    for at in range(3):
        column = [one[at] for one in noise]
        assert abs(fmean(column)) < 4 / math.sqrt(DRAWS)
        assert pstdev(column) == pytest.approx(1, abs=0.05)
    first, second, third = zip(*noise, strict=True)
    assert correlation(first, second) == pytest.approx(0.6, abs=0.05)
    assert correlation(first, third) == pytest.approx(0.36, abs=0.06)


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
async def test_right_solutions_outscore_wrong_ones_as_often_as_the_noise_says(noise):
    problems = StepwiseProblems(steps=2, solved=(50, 50))
    course, reward = problems.course(0), StepwiseRewardModel(problems=problems, noise=noise)
    right, wrong = [], []
    for written in await drawn(problems, 0):
        (right if written[-1].value == course.right[-1] else wrong).append(reward.rate(course, written)[-1])
    pairs = list(zip(right, wrong, strict=False))
    expected = NormalDist().cdf(math.sqrt(2) / noise)
    assert reward.auc == pytest.approx(expected)
    assert near(fmean(high > low for high, low in pairs), expected, len(pairs))


async def test_scores_are_the_shares_that_end_right():
    problems = StepwiseProblems(steps=4, solved=(4, 4), recovery=0.1)
    reward = StepwiseRewardModel(problems=problems, noise=1.5)
    scored = []
    for number in range(10):
        course = problems.course(number)
        for written in await drawn(problems, number, n=400):
            ends_right = written[-1].value == course.right[-1]
            scored += [(at, score, ends_right) for at, score in enumerate(reward.rate(course, written))]
    for step in range(4):
        by_score = sorted((score, ends_right) for at, score, ends_right in scored if at == step)
        for tenth in range(10):
            part = by_score[tenth * 400 : (tenth + 1) * 400]
            said, found = fmean(score for score, _ in part), fmean(ends_right for _, ends_right in part)
            assert abs(said - found) < 4 * math.sqrt(said * (1 - said) / 400) + 0.005


async def test_it_is_blind_to_the_stated_share_of_mistakes_whoever_makes_them():
    problems = StepwiseProblems(steps=1, mistakes=20, concentration=0.0, solved=(1, 20))
    reward = StepwiseRewardModel(problems=problems, blind=0.25, allure=0.5)
    seen: dict[tuple[int, int], set[float]] = {}
    for number in range(100):
        course = problems.course(number)
        for written in await drawn(problems, number, n=200):
            if written[0].value != course.right[0]:
                seen.setdefault((number, written[0].value), set()).update(seems(reward, course, written))
    assert all(len(one) == 1 for one in seen.values())
    assert set().union(*seen.values()) == {-1.0, 1.5}
    assert near(fmean(1.5 in one for one in seen.values()), 0.25, len(seen))


def test_a_mistake_is_seen_until_it_is_made_good():
    problems = StepwiseProblems(steps=4)
    course, reward = problems.course(0), StepwiseRewardModel(problems=problems)
    wrong = course.right[1] + 1
    values = [course.right[0], wrong, course.follows(2, wrong), course.right[3]]
    steps = [Written(wording=0, value=value) for value in values]
    assert seems(reward, course, steps) == [1.0, -1.0, -1.0, 1.0]


async def played(program, problems: StepwiseProblems, n: int):
    """The outcomes of `program` on the first `n` problems, and how many are right."""
    async with Controller(
        models={"m": StepwiseModel(problems)}, answers=AnswerReader(kind="number")
    ) as controller:
        outcomes = [one async for one in controller.map(program, problems.problems(n), ordered=True)]
    right = [str(one.answer) == problems.problem(at).reference for at, one in enumerate(outcomes)]
    return outcomes, sum(right)


@pytest.mark.parametrize("search", ["beam", "DVTS", "particles"])
async def test_a_search_of_n_solutions_writes_as_many_tokens_as_n_solutions_at_once(search):
    problems = StepwiseProblems(tokens=(10, 10), question_tokens=5)
    reward = StepwiseRewardModel(problems=problems, noise=0.3)
    steps = {"verifier": reward, "max_steps": problems.steps}
    programs = {
        "beam": BeamSearch(n=8, beam_width=4, **steps),
        "DVTS": DiverseVerifierTreeSearch(n=8, beam_width=4, **steps),
        "particles": ParticleFilter(particles=8, **steps),
    }
    sampled = BestOfN(n=8, per_call=8, verifier=reward, threshold=None)
    for program in (programs[search], sampled):
        outcomes, _ = await played(program, problems, 5)
        assert {one.usage.completion_tokens for one in outcomes} == {8 * 8 * 10}


async def test_a_search_pays_for_the_steps_it_goes_on_from():
    problems = StepwiseProblems(steps=3, tokens=(10, 10), question_tokens=5)
    reward = StepwiseRewardModel(problems=problems)
    beam = BeamSearch(n=4, beam_width=2, verifier=reward, max_steps=3)
    [outcome], _ = await played(beam, problems, 1)
    # One call for the first steps, two of 5 + 10 for the second, two of 5 + 20 for the third.
    assert outcome.usage.requests == 5
    assert outcome.usage.prompt_tokens == 5 + 2 * 15 + 2 * 25
