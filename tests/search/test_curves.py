import numpy as np
import pytest
from search.curves import Curve, ahead, by_difficulty, crossings, shared_range

from orchestrator.errors import InvalidInputError


def curve(*accuracies: float, tokens=(100.0, 1000.0, 10000.0), problems: int = 10) -> Curve:
    """One that answers the first problems right, as many as the accuracies say."""
    right = np.array([[float(at < share * problems) for at in range(problems)] for share in accuracies])
    return Curve(right=right, tokens=np.array(tokens))


def test_between_two_budgets_accuracy_is_linear_in_the_logarithm_of_the_tokens():
    rising = curve(0.2, 0.4, 0.8)
    assert rising.at(1000).mean() == pytest.approx(0.4)
    assert rising.at(1000 * 10**0.5).mean() == pytest.approx(0.6)
    assert [rising.at(tokens).mean() for tokens in (10, 10**6)] == pytest.approx([0.2, 0.8])


def test_a_curve_crosses_where_it_passes_the_other_and_not_where_they_meet():
    falling, rising = curve(0.6, 0.4, 0.2), curve(0.2, 0.4, 0.6)
    [crossing] = crossings(falling, rising)
    assert crossing.tokens == pytest.approx(1000)
    assert not crossing.upwards
    assert [one.upwards for one in crossings(rising, falling)] == [True]
    assert crossings(curve(0.6, 0.4, 0.6), rising) == []
    assert crossings(rising, rising) == []


def test_curves_are_compared_over_the_tokens_both_cover():
    early, late = curve(0.9, 0.1, 0.1), curve(0.2, 0.2, 0.2, tokens=(500.0, 1000.0, 2000.0))
    assert shared_range(early, late) == (500, 2000)
    [crossing] = crossings(early, late)
    # From 0.9 at 100 to 0.1 at 1000, it is at 0.2 after seven eighths of the way.
    assert crossing.tokens == pytest.approx(10 ** (2 + 7 / 8), rel=0.01)
    assert crossings(curve(0.9, 0.1, 0.1), curve(0.2, 0.2, 0.2, tokens=(900.0, 1000.0, 2000.0))) == []


def test_the_lead_is_paired_and_may_be_that_among_some_problems():
    one, other = curve(0.5, 0.5, 0.5), curve(0.3, 0.3, 0.3)
    lead = ahead(one, other, 1000)
    assert lead.value == pytest.approx(0.2)
    assert lead.low >= 0  # one is right wherever the other is
    assert ahead(one, other, 1000, np.array([3, 4])).value == 1
    assert ahead(one, other, 1000, np.array([0, 9])).value == 0


def test_problems_are_parted_by_their_chance_from_the_easiest_to_the_hardest():
    parts = by_difficulty([0.1, 0.9, 0.5, 0.7, 0.3], 2)
    assert [part.tolist() for part in parts] == [[1, 3, 2], [4, 0]]


@pytest.mark.parametrize(
    ("right", "tokens"),
    [
        (np.zeros((2, 3)), [1, 2, 3]),
        (np.zeros((1, 3)), [1]),
        (np.zeros((2, 3)), [2, 2]),
        (np.zeros((2, 3)), [0, 2]),
    ],
)
def test_a_curve_that_is_none_is_refused(right, tokens):
    with pytest.raises(InvalidInputError):
        Curve(right=right, tokens=np.array(tokens, dtype=float))
