"""Programs inside others: a strategy of another package, with a program in a parameter of any name, and a file."""

import math
from dataclasses import dataclass

import pytest

from orchestrator import ControlProgram, Outcome, loads
from orchestrator.costs import Costing
from orchestrator.primitives import Run
from orchestrator.strategies import Agreement, Cascade, SelfConsistency, Single, Strategy, Tier
from orchestrator.strategies.nested import longest_text_of, most_calls_of
from orchestrator.voting import majority_vote


class _Twice(Strategy):
    """Runs the program in it two times, and votes over all."""

    @property
    def inside(self):
        raise NotImplementedError

    @property
    def most_calls(self):
        return 2 * self.inside.most_calls

    def longest_text(self, costing):
        return 1000.0

    async def __call__(self, ctx, problem, /):
        outcomes = [await self.inside(ctx.branch(label=f"go{number}"), problem) for number in range(2)]
        candidates = tuple(one for outcome in outcomes for one in outcome.candidates)
        vote = majority_vote([one.answer for one in candidates])
        return Outcome(answer=vote.answer, confidence=vote.share, candidates=candidates)


@dataclass(frozen=True, kw_only=True)
class TwiceStrategy(_Twice):
    strategy: ControlProgram

    @property
    def inside(self):
        return self.strategy


@dataclass(frozen=True, kw_only=True)
class TwiceProgram(_Twice):
    program: ControlProgram

    @property
    def inside(self):
        return self.program


FILE = "version: 1\nprogram: {self_consistency: {n: 5}}\n"


@pytest.mark.parametrize("inside", [SelfConsistency(n=5), SelfConsistency(n=20, per_call=4)])
def test_what_a_strategy_calls_its_program_changes_nothing(inside):
    by_strategy, by_program = TwiceStrategy(strategy=inside), TwiceProgram(program=inside)
    assert most_calls_of(by_strategy) == most_calls_of(by_program) == 10
    assert Run(program=by_strategy).most_calls == Run(program=by_program).most_calls == 10
    assert Cascade(tiers=(Tier(strategy=by_strategy),)).most_calls == 10
    costing = Costing.__new__(Costing)  # not asked: the strategy says it
    assert longest_text_of(by_strategy, costing) == longest_text_of(by_program, costing) == 1000.0


@pytest.mark.parametrize("kind", [TwiceStrategy, TwiceProgram])
def test_a_tier_of_two_samples_may_be_accepted_by_their_agreement(kind):
    [inside] = kind.__annotations__
    tier = Tier(strategy=kind(**{inside: Single()}), accept=Agreement(at_least=0.6))
    assert Cascade(tiers=(tier, Tier(strategy=Single()))).most_calls == 3


def test_a_file_is_what_it_does():
    file = loads(FILE)
    assert most_calls_of(file) == 5
    assert (
        Cascade(
            tiers=(Tier(strategy=file, accept=Agreement(at_least=0.6)), Tier(strategy=Single()))
        ).most_calls
        == 6
    )
    assert most_calls_of(TwiceStrategy(strategy=file.strategy)) == 10


def test_a_function_does_not_say_how_long_its_texts_are():
    async def own(ctx, problem):
        return Outcome()

    assert longest_text_of(own, Costing.__new__(Costing)) == math.inf
