import anyio
import pytest

from orchestrator import (
    Budget,
    Cascade,
    Controller,
    Model,
    Outcome,
    Router,
    SelfConsistency,
    Single,
    StopReason,
    Tier,
)
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.backends.scripted import Scripted
from orchestrator.errors import BackendError, InvalidInputError, UnknownPriceError
from orchestrator.events import StepTaken
from orchestrator.primitives import Return, Run, Steps
from orchestrator.primitives import Sample as Draw
from orchestrator.primitives import Score as ScoreStep
from orchestrator.stopping import FixedSize, LeadStop, WindowStop
from orchestrator.strategies import Agreement, Confident, Scored
from orchestrator.types import Score, TokenLogprob
from orchestrator.verifiers import Consistency, Regex
from orchestrator.voting import LengthPenalty

NUMBER = AnswerReader(kind="number")


def votes(n, model, **options):
    return SelfConsistency(n=n, model=model, stop=FixedSize(), **options)


def two_tiers(at_least, *, n=4, carry=False, **options):
    return Cascade(
        tiers=(
            Tier(strategy=votes(n, "small"), accept=Agreement(at_least=at_least), **options),
            Tier(strategy=Single(model="large"), carry=carry),
        )
    )


async def run(program, *, steps=None, **texts):
    """The outcome of `program` over models that say these texts one after the other, and the models."""
    options = {"budget": texts.pop("budget", None)}
    backends = {name: ScriptedBackend(said, name=name) for name, said in texts.items()}
    models = {
        name: Model(backend=backend, retry=RetryPolicy(attempts=1)) for name, backend in backends.items()
    }
    recorders = () if steps is None else (steps.append,)
    async with Controller(models=models, answers=NUMBER, recorders=recorders, **options) as controller:
        outcome = await controller.run(program, "2 + 2?")
        assert controller.ledger.statistics().held.requests == 0
    return outcome, backends


async def test_what_the_first_tier_agrees_on_ends_it():
    outcome, models = await run(two_tiers(0.75), small=["4", "4", "5", "4"], large=[])
    assert (outcome.answer.text, outcome.confidence) == ("4", 0.75)
    assert outcome.stop_reason is StopReason.DECIDED
    assert models["large"].started == 0
    assert outcome.detail["tier"] == 0


async def test_what_it_does_not_agree_on_goes_on_and_its_samples_stay():
    outcome, _ = await run(two_tiers(0.8), small=["4", "4", "5", "4"], large=["7"])
    assert (outcome.answer.text, outcome.confidence) == ("7", 1.0)
    assert outcome.stop_reason is StopReason.COMPLETE
    assert [candidate.sample.text for candidate in outcome.candidates] == ["4", "4", "5", "4", "7"]


async def test_samples_that_an_earlier_tier_could_not_pay_are_missing_from_the_vote_carried_on():
    program = Cascade(
        tiers=(
            Tier(strategy=votes(8, "small"), accept=Agreement(at_least=0.75), budget=Budget(requests=2)),
            Tier(strategy=Single(model="large"), carry=True, accept=Agreement(at_least=0.75)),
            Tier(strategy=Single(model="large")),
        )
    )
    outcome, _ = await run(program, small=["4", "4"], large=["4", "5"])
    reasons = [tier["reason"] for tier in outcome.detail["tiers"]]
    assert reasons[:2] == [
        "agreement cannot be told: the vote ended after 2 of 8 samples",
        "agreement cannot be told: the vote ended after 3 of 9 samples",
    ]
    assert outcome.answer.text == "5"


async def test_detail_tells_what_each_tier_said_cost_and_why_it_was_left():
    steps = []
    outcome, _ = await run(two_tiers(0.8), steps=steps, small=["4", "4", "5", "4"], large=["7"])
    prompt = 4  # "2", " +", " 2", "?"
    assert outcome.detail == {
        "tier": 1,
        "tiers": [
            {
                "answer": "4",
                "confidence": 0.75,
                "decision": "deferred",
                "reason": "agreement 0.75 < 0.8",
                "calls": 4,
                "tokens": 4 * (prompt + 1),
            },
            {
                "answer": "7",
                "confidence": 1.0,
                "decision": "accepted",
                "reason": "it is the last",
                "calls": 1,
                "tokens": prompt + 1,
            },
        ],
        "of_program": {},
    }
    taken = [(event.step, event.reason) for event in steps if isinstance(event, StepTaken)]
    assert taken == [
        ("deferred", "tier 0: agreement 0.75 < 0.8"),
        ("accepted", "tier 1: it is the last"),
    ]


async def test_carried_samples_vote_in_the_next_tier():
    outcome, _ = await run(two_tiers(1.0, carry=True), small=["4", "4", "4", "5"], large=["5"])
    assert (outcome.answer.text, outcome.confidence) == ("4", 0.6)  # 3 of 4 + 1
    assert len(outcome.candidates) == 5


async def test_a_rule_sees_the_vote_over_what_was_carried():
    program = Cascade(
        tiers=(
            Tier(strategy=votes(2, "small"), accept=Agreement(at_least=0.75)),
            Tier(strategy=votes(2, "small"), accept=Agreement(at_least=0.75), carry=True),
            Tier(strategy=Single(model="large")),
        )
    )
    outcome, models = await run(program, small=["4", "5", "4", "4"], large=[])
    assert (outcome.answer.text, outcome.confidence) == ("4", 0.75)
    assert models["large"].started == 0
    assert [candidate.sample.text for candidate in outcome.candidates] == ["4", "5", "4", "4"]


async def test_the_samples_of_all_tiers_before_are_carried():
    never = Agreement(at_least=1.0)
    program = Cascade(
        tiers=(
            Tier(strategy=votes(3, "small"), accept=never),
            Tier(strategy=votes(2, "middle"), accept=never),
            Tier(strategy=Single(model="large"), carry=True),
        )
    )
    outcome, _ = await run(program, small=["4", "4", "5"], middle=["6", "7"], large=["8"])
    assert (outcome.answer.text, outcome.confidence) == ("4", 2 / 6)


async def test_a_tier_that_fails_altogether_is_passed_over():
    small = [BackendError("small is down")] * 2
    outcome, _ = await run(two_tiers(0.5, n=2), small=small, large=["7"])
    assert outcome.answer.text == "7"
    assert outcome.error is None
    assert outcome.detail["tiers"][0]["decision"] == "failed"
    assert "small is down" in outcome.detail["tiers"][0]["reason"]


async def test_when_the_last_tier_fails_the_answer_is_the_one_before_and_the_error_is_told():
    outcome, _ = await run(two_tiers(1.0), small=["4", "4", "5", "4"], large=[BackendError("large is down")])
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.ERROR
    assert "large is down" in outcome.error
    assert outcome.detail["tier"] == 0


async def test_when_the_last_tier_has_no_readable_answer_it_is_the_one_before():
    outcome, _ = await run(two_tiers(1.0), small=["4", "4", "5", "4"], large=["who knows"])
    assert outcome.answer.text == "4"
    assert len(outcome.candidates) == 5


async def test_a_budget_for_the_first_tier_alone_gives_its_answer():
    texts = {"small": ["4", "4", "5", "4"], "large": ["7"]}
    outcome, _ = await run(two_tiers(1.0), **texts, budget=Budget(requests=4))
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.error is None


async def test_a_tier_out_of_its_own_budget_is_asked_for_what_it_has_and_the_next_goes_on():
    small = ["4", "5", "4", "4"]
    outcome, models = await run(two_tiers(0.75, budget=Budget(requests=2)), small=small, large=["7"])
    assert models["small"].started == 2
    reason = "agreement cannot be told: the vote ended after 2 of 4 samples"
    assert outcome.detail["tiers"][0]["reason"] == reason
    assert outcome.answer.text == "7"
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_a_tier_out_of_its_own_budget_is_not_accepted_by_the_few_samples_that_it_has():
    small = ["4", "4", "5", "5"]
    outcome, _ = await run(two_tiers(0.75, budget=Budget(requests=2)), small=small, large=["7"])
    assert outcome.answer.text == "7"


def gated(vote, rule=None):
    return Cascade(
        tiers=(
            Tier(strategy=vote, accept=rule or Agreement(at_least=0.75)),
            Tier(strategy=Single(model="large")),
        )
    )


@pytest.mark.parametrize("rule", [Agreement(at_least=0.75), Confident(at_least=0.75)])
async def test_a_vote_that_stops_early_is_judged_as_the_full_one_would_be(rule):
    vote = SelfConsistency(n=4, model="small")
    outcome, _ = await run(gated(vote, rule), small=["7", "7", "8", "8"], large=["9"])
    assert outcome.answer.text == "9"  # the full draw is a tie
    assert "0.5 < 0.75" in outcome.detail["tiers"][0]["reason"]
    outcome, _ = await run(gated(vote, rule), small=["7", "7", "7", "8"], large=[])
    assert (outcome.answer.text, outcome.detail["tier"], len(outcome.candidates)) == ("7", 0, 3)
    assert "0.75 >= 0.75" in outcome.detail["tiers"][0]["reason"]


async def test_a_vote_stops_when_its_agreement_is_out_of_reach():
    small = ["7", "8", "9", "9"]
    outcome, _ = await run(gated(SelfConsistency(n=4, model="small")), small=small, large=["5"])
    assert outcome.answer.text == "5"
    assert outcome.detail["tiers"][0]["reason"] == "agreement 0.5 < 0.75"
    assert len(outcome.candidates) == 3 + 1


@pytest.mark.parametrize(
    ("stop", "small", "reason"),
    [
        (LeadStop(), ["7", "7", "8", "8"], " 1 >= 0.75"),  # its own: two were enough
        (WindowStop(size=3), ["7", "7", "7", "8"], " 1 >= 0.75"),
        (None, ["7", "7", "8", "8"], "0.5 < 0.75"),
    ],
)
@pytest.mark.parametrize("rule", [Agreement(at_least=0.75), Confident(at_least=0.75)])
@pytest.mark.parametrize("routed", [False, True])
async def test_a_vote_is_judged_in_full_but_where_its_own_rule_found_fewer_enough(
    stop, small, reason, rule, routed
):
    vote = SelfConsistency(n=4, model="small", stop=stop)
    program = gated(Router(programs=(vote,)) if routed else vote, rule)
    outcome, _ = await run(program, small=small, large=["9"])
    assert reason in outcome.detail["tiers"][0]["reason"]
    assert outcome.answer.text == ("9" if "<" in reason else "7")


def stepped(*, confidence=None):
    """A program of two steps: a vote, and its return."""
    ask = Run(id="votes", program=SelfConsistency(n=8, model="small"))
    return Steps(steps=(ask, Return(value="votes", confidence=confidence)))


@pytest.mark.parametrize("rule", [Agreement(at_least=0.75), Confident(at_least=0.75)])
async def test_a_vote_inside_another_program_is_drawn_in_full_and_judged(rule):
    outcome, models = await run(gated(stepped(), rule), small=["4"] * 8, large=[])
    assert (outcome.answer.text, models["small"].started) == ("4", 8)
    outcome, _ = await run(gated(stepped(), rule), small=["4"] * 5 + ["5"] * 3, large=["9"])
    assert outcome.answer.text == "9"
    assert "0.625 < 0.75" in outcome.detail["tiers"][0]["reason"]


async def test_a_confidence_that_a_program_works_out_is_no_share_of_its_vote():
    small = ["4"] * 6 + [BackendError("down")] * 2
    sure = Confident(at_least=0.9)
    outcome, _ = await run(gated(stepped(confidence="1"), sure), small=small, large=[])
    assert (outcome.answer.text, outcome.detail["tiers"][0]["reason"]) == ("4", "confident 1 >= 0.9")
    outcome, _ = await run(gated(stepped(confidence="1")), small=small, large=[])
    assert outcome.detail["tiers"][0]["reason"] == "agreement 0.75 >= 0.75"


@pytest.mark.parametrize("rule", [Agreement(at_least=0.75), Confident(at_least=0.75)])
async def test_failed_calls_are_missing_votes(rule):
    small = ["4", "4"] + [BackendError("down")] * 6
    outcome, _ = await run(gated(SelfConsistency(n=8, model="small"), rule), small=small, large=["9"])
    reason = "cannot be told: the vote ended after 2 of 8 samples"
    assert outcome.answer.text == "9"
    assert outcome.detail["tiers"][0]["reason"].endswith(reason)


async def test_a_vote_is_not_settled_before_there_are_the_samples_that_agreement_takes():
    vote = SelfConsistency(n=2, model="small")  # one of two is a half, whatever the other says
    outcome, _ = await run(gated(vote, Agreement(at_least=0.5)), small=["4", "5"], large=[])
    assert (outcome.answer.text, outcome.detail["tiers"][0]["reason"]) == ("4", "agreement 0.5 >= 0.5")


async def test_the_confidence_of_a_weighted_vote_that_misses_votes_cannot_be_told():
    vote = SelfConsistency(n=3, model="small", weights=LengthPenalty())
    for third, tier in (("4", 0), (BackendError("down"), 1)):
        small = ["4", "4", third]
        outcome, _ = await run(gated(vote, Confident(at_least=0.5)), small=small, large=["9"])
        assert outcome.detail["tier"] == tier
    assert "cannot be told: the vote ended after 2 of 3" in outcome.detail["tiers"][0]["reason"]


@pytest.mark.parametrize("rule", [Agreement(at_least=0.9), Confident(at_least=0.9)])
@pytest.mark.parametrize(("limit", "answer"), [(4, "9"), (8, "4")])
async def test_a_cascade_as_a_tier_is_judged_by_the_full_vote_of_its_own_tier(rule, limit, answer):
    vote = SelfConsistency(n=8, model="small")
    inner = Cascade(tiers=(Tier(strategy=vote, budget=Budget(requests=limit)),))
    outcome, models = await run(gated(inner, rule), small=["4"] * 8, large=["9"])
    assert (outcome.answer.text, models["small"].started) == (answer, limit)
    if limit == 4:
        assert outcome.detail["tiers"][0]["reason"].endswith("the vote ended after 4 of 8 samples")


async def test_votes_that_were_missing_in_a_tier_are_missing_in_the_vote_over_its_carried_samples():
    small, middle = ["4", *[BackendError("down")] * 3], ["4"] * 3 + [BackendError("down")]
    tiers = (
        Tier(strategy=votes(4, "small"), accept=Agreement(at_least=0.75)),
        Tier(strategy=votes(4, "middle"), accept=Agreement(at_least=0.75), carry=True),
        Tier(strategy=Single(model="large")),
    )
    outcome, _ = await run(Cascade(tiers=tiers), small=small, middle=middle, large=["9"])
    reason = "agreement cannot be told: the vote ended after 4 of 8 samples"
    assert outcome.detail["tiers"][1]["reason"] == reason


async def test_a_last_tier_that_votes_over_carried_samples_draws_all_its_own():
    tiers = (
        Tier(strategy=votes(2, "small"), accept=Agreement(at_least=1.0)),
        Tier(strategy=SelfConsistency(n=3, model="large"), carry=True),
    )
    outcome, _ = await run(Cascade(tiers=tiers), small=["5", "6"], large=["4", "4", "5"])
    assert (outcome.tied, len(outcome.candidates)) == (True, 5)  # 5 5, 4 4, 6


async def test_samples_that_a_later_tier_votes_over_too_are_all_drawn():
    tiers = (
        Tier(strategy=SelfConsistency(n=4, model="small"), accept=Agreement(at_least=1.0)),
        Tier(strategy=Single(model="large"), carry=True),
    )
    outcome, _ = await run(Cascade(tiers=tiers), small=["7", "8", "8", "8"], large=["7"])
    assert (outcome.answer.text, len(outcome.candidates)) == ("8", 5)


async def test_the_confidence_a_program_reports_can_decide():
    async def sure(ctx, problem):
        sample = await ctx.complete(ctx.ask(problem))
        return Outcome(answer=ctx.read(sample).answer, confidence=0.7)

    tiers = (Tier(strategy=sure, accept=Confident(at_least=0.7)), Tier(strategy=Single(model="large")))
    outcome, _ = await run(Cascade(tiers=tiers), small=["4"], large=[])
    assert (outcome.answer.text, outcome.confidence) == ("4", 0.7)
    assert [candidate.sample.text for candidate in outcome.candidates] == ["4"]


class Certainty:
    """A verifier that reads log-probabilities: e to the mean of them."""

    name, logprobs = "certainty", 2

    async def score(self, ctx, problem, candidates):
        values = [candidate.sample.logprobs for candidate in candidates]
        return [
            Score(value=None if tokens is None else 2.718281828 ** tokens[0].logprob) for tokens in values
        ]


@pytest.mark.parametrize(("logprob", "answer"), [(-0.1, "4"), (-2.0, "7")])
async def test_a_rule_that_reads_log_probabilities_has_the_tier_draw_them(logprob, answer):
    said = Scripted(text="4", logprobs=(TokenLogprob(token="4", logprob=logprob),))
    tiers = (
        Tier(strategy=Single(model="small"), accept=Scored(verifier=Certainty(), at_least=0.5)),
        Tier(strategy=Single(model="large")),
    )
    outcome, models = await run(Cascade(tiers=tiers), small=[said], large=["7"])
    assert outcome.answer.text == answer
    assert outcome.candidates[0].scores["certainty"].value == pytest.approx(2.718281828**logprob)
    assert models["small"].requests[0].logprobs == 2
    assert all(request.logprobs is None for request in models["large"].requests)


async def test_without_tiers_each_model_votes_and_the_last_is_asked_once():
    small, middle = ["4", "5"] * 4, ["4"] * 6 + ["5"] * 2
    outcome, models = await run(Cascade(), small=small, middle=middle, large=[])
    assert outcome.answer.text == "4"
    assert [step["decision"] for step in outcome.detail["tiers"]] == ["deferred", "accepted"]
    outcome, models = await run(Cascade(max_tokens=9), small=small, large=["7"])
    assert outcome.answer.text == "7"
    assert [request.max_tokens for model in models.values() for request in model.requests] == [9] * 9


async def test_a_cap_reaches_programs_that_have_none():
    program = Cascade(
        max_tokens=9,
        tiers=(
            Tier(strategy=Single(model="small", max_tokens=5), accept=Confident(at_least=1.0)),
            Tier(strategy=Single(model="large")),
        ),
    )
    _, models = await run(program, small=["who knows"], large=["4"])
    assert [model.requests[0].max_tokens for model in models.values()] == [5, 9]


async def test_a_cascade_is_a_tier_like_any_other():
    inner = two_tiers(1.0, n=2)
    program = Cascade(
        tiers=(Tier(strategy=inner, accept=Confident(at_least=2 / 3)), Tier(strategy=Single(model="large")))
    )
    outcome, _ = await run(program, small=["4", "5"], large=["7", "8"])
    assert outcome.answer.text == "7"
    assert outcome.detail["tiers"][0]["calls"] == 3


def test_the_calls_of_tiers_add_up():
    assert two_tiers(0.5).most_calls == 5
    assert two_tiers(0.5).calls_at_once == 4
    with pytest.raises(InvalidInputError, match="how many models"):
        _ = Cascade().most_calls


def test_a_tier_without_a_rule_must_be_the_last():
    with pytest.raises(InvalidInputError, match=r"tier 1 of 2 has no accept"):
        Cascade(tiers=(Tier(strategy=Single()), Tier(strategy=Single())))


def test_a_tier_of_one_sample_is_not_accepted_by_agreement():
    one, two = SelfConsistency(n=1), SelfConsistency(n=2)

    def cascade(strategy, accept, **more):
        last = Tier(strategy=Single())
        return Cascade(
            tiers=(
                Tier(strategy=two, accept=Confident()),
                Tier(strategy=strategy, accept=accept, **more),
                last,
            )
        )

    for strategy in (one, Single()):
        message = r"tier 2 of 3 draws 1 sample, and agreement takes 2: it is never accepted"
        with pytest.raises(InvalidInputError, match=message):
            cascade(strategy, Agreement(at_least=0.0))
        cascade(strategy, Agreement(samples=1))
        cascade(strategy, Agreement(), carry=True)  # there are those before
        cascade(strategy, Confident())
    cascade(two, Agreement())


async def test_a_text_that_a_program_has_put_together_is_judged_as_its_answer():
    written = Steps(steps=(Return(value="'It is 4'"),))
    outcome, _ = await run(gated(written, Scored(verifier=Regex(pattern="4"))), small=[], large=[])
    assert (outcome.answer.text, outcome.detail["tier"]) == ("4", 0)
    assert (outcome.written.sample.text, outcome.candidates) == ("It is 4", ())
    outcome, _ = await run(gated(written, Scored(verifier=Regex(pattern="5"))), small=[], large=["7"])
    assert (outcome.answer.text, outcome.detail["tiers"][0]["reason"]) == ("7", "regex 0 < 1")


async def test_a_text_that_a_program_has_put_together_is_no_sample_that_agrees():
    one = Steps(steps=(Draw(id="s", model="small"), Return(value="s.first.text + ' so'")))
    outcome, _ = await run(gated(one, Agreement(at_least=0.9)), small=["4"], large=["5"])
    assert (outcome.answer.text, outcome.detail["tiers"][0]["reason"]) == ("5", "agreement cannot be told")
    two = Steps(steps=(Draw(model="small", n=2), Return(value="'It is 9'")))
    tiers = (
        Tier(strategy=two, accept=Confident(at_least=0.9)),
        Tier(strategy=Single(model="large"), carry=True),
    )
    outcome, _ = await run(Cascade(tiers=tiers), small=["4", "5"], large=["9"])
    assert (outcome.confidence, outcome.tied, outcome.written) == (1 / 3, True, None)


async def test_a_text_of_its_own_is_judged_though_a_sample_of_its_answer_has_been():
    steps = (
        Draw(id="s", model="small"),
        ScoreStep(id="j", of="s.first", by=Regex(pattern="^4$")),
        Return(value="'It is 4'", confidence="j.score"),
    )
    outcome, _ = await run(
        gated(Steps(steps=steps), Scored(verifier=Regex(pattern="^4$"))), small=["4"], large=["7"]
    )
    assert (outcome.answer.text, outcome.detail["tiers"][0]["reason"]) == ("7", "regex 0 < 1")


async def test_what_a_tier_has_written_that_was_not_accepted_stands_for_no_answer():
    bad = Steps(steps=(Draw(id="s", model="small"), Return(value="'bad ' + s.first.text")))
    steps = (
        Run(id="c", program=gated(bad, Scored(verifier=Regex(pattern="^[0-9]")))),
        Return(value="c"),
    )
    outcome, _ = await run(Steps(steps=steps, outputs={"t": "c.text"}), small=["4"], large=["4."])
    assert outcome.detail["outputs"] == {"t": "4"}
    assert (outcome.written, [one.sample.text for one in outcome.candidates]) == (None, ["4", "4."])


def test_a_cascade_has_no_model_of_its_own():
    with pytest.raises(InvalidInputError, match="give one to each of its tiers"):
        Cascade(model="small")


async def test_a_last_tier_that_decides_early_is_the_whole_cascade():
    tiers = (
        Tier(strategy=Single(model="small"), accept=Confident(at_least=1.0)),
        Tier(strategy=SelfConsistency(n=3, model="large")),  # two alike cannot be overtaken
    )
    outcome, _ = await run(Cascade(tiers=tiers), small=["who knows"], large=["4", "4", "4"])
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.COMPLETE


@pytest.mark.parametrize("nested", [False, True])
async def test_a_budget_in_money_over_a_model_without_a_price_is_refused_before_the_first_call(nested):
    limited = Tier(strategy=Single(model="large"), budget=Budget(usd=1))
    last = Tier(strategy=Cascade(tiers=(limited,))) if nested else limited
    program = Cascade(tiers=(Tier(strategy=Single(model="small"), accept=Confident(at_least=1.0)), last))
    small = ScriptedBackend(["who knows"], name="small", price={"input": 1, "output": 1})
    async with Controller(models={"small": small, "large": ScriptedBackend([], name="large")}) as controller:
        with pytest.raises(UnknownPriceError):
            await controller.run(program, "2 + 2?")
    assert small.started == 0


async def test_detail_counts_the_calls_that_a_stopping_rule_cancelled():
    never = anyio.Event()
    rule = Agreement(at_least=1.0, samples=3)
    tiers = (
        Tier(
            strategy=SelfConsistency(n=3, model="small", stop=LeadStop()), accept=rule
        ),  # safe after two alike
        Tier(strategy=Single(model="large")),
    )
    outcome, models = await run(
        Cascade(tiers=tiers), small=["4", "4", Scripted(text="4", gate=never)], large=["7"]
    )
    assert outcome.answer.text == "7"
    assert models["small"].started == 3
    assert [step["calls"] for step in outcome.detail["tiers"]] == [3, 1]
    assert sum(step["tokens"] for step in outcome.detail["tiers"]) == outcome.usage.total_tokens


class Asks:
    """A verifier that asks a model about each candidate and believes all."""

    name = "asks"

    def __init__(self):
        self.judged = []

    async def score(self, ctx, problem, candidates):
        for candidate in candidates:
            await ctx.complete(f"Is it {candidate.sample.text}", model="judge")
            self.judged.append(candidate.sample.text)
        return [Score(value=1.0) for _ in candidates]


@pytest.mark.parametrize(("at_least", "answer"), [(0.7, "9"), (0.6, "4")])
async def test_a_verifier_that_compares_is_asked_about_all_carried_samples_together(at_least, answer):
    alike = Consistency()
    tiers = (
        Tier(strategy=votes(4, "small"), accept=Scored(verifier=alike, at_least=0.9)),
        Tier(strategy=votes(6, "middle"), accept=Scored(verifier=alike, at_least=at_least), carry=True),
        Tier(strategy=Single(model="large")),
    )
    small, middle = ["4", "4", "4", "5"], ["4", "4", "4", "5", "5", "5"]  # 3 of 4, then 6 of 10
    outcome, _ = await run(Cascade(tiers=tiers), small=small, middle=middle, large=["9"])
    assert outcome.answer.text == answer
    reasons = [tier["reason"] for tier in outcome.detail["tiers"]]
    sign = ">=" if answer == "4" else "<"
    assert reasons[:2] == ["consistency 0.75 < 0.9", f"consistency 0.6 {sign} {at_least}"]


async def test_what_a_verifier_had_no_money_for_it_is_asked_again_in_a_later_tier():
    asks = Asks()
    program = Cascade(
        tiers=(
            Tier(strategy=Single(model="small"), accept=Scored(verifier=asks), budget=Budget(requests=1)),
            Tier(strategy=Single(model="middle"), accept=Scored(verifier=asks), carry=True),
            Tier(strategy=Single(model="large")),
        )
    )
    outcome, models = await run(program, small=["4"], middle=["It is 4"], large=[], judge=["yes"])
    assert asks.judged == ["4"]
    assert outcome.answer.text == "4"
    assert models["large"].started == 0
    assert outcome.detail["tiers"][0]["reason"] == "asks cannot be told"
