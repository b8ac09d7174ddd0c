import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.strategies import BestOfN, Cascade, Scored, Single, Tier
from orchestrator.verifiers import Regex

THREE, FOUR = Regex(pattern="3"), Regex(pattern="4")


def cascade(first, second, *, carry=False):
    middle = Tier(strategy=Single(), accept=Scored(verifier=second), carry=carry)
    return Cascade(tiers=(first, middle, Tier(strategy=Single())))


def test_two_verifiers_of_one_name_do_not_look_at_the_same_candidates():
    best, asked = BestOfN(verifier=THREE), Tier(strategy=Single(), accept=Scored(verifier=THREE))
    cascade(asked, FOUR)
    cascade(asked, THREE, carry=True)
    cascade(Tier(strategy=best, accept=Scored(verifier=THREE)), FOUR)
    with pytest.raises(InvalidInputError, match=r"tier 1 of 3 .* of one name, 'regex'"):
        cascade(Tier(strategy=best, accept=Scored(verifier=FOUR)), THREE)
    with pytest.raises(InvalidInputError, match=r"tier 2 of 3 .* of one name, 'regex'"):
        cascade(asked, FOUR, carry=True)
