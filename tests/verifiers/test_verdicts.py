"""Reading what judges write: scores on a scale of 1 to 10 unless said otherwise, and options."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.types import TokenLogprob
from orchestrator.verifiers.verdict_odds import expected_score, option_shares
from orchestrator.verifiers.verdicts import PAIR, YES_NO, find_option, find_score, json_text

SCORES = [
    ("7", 7),
    (" 8.5\n", 8.5),
    ("8,5", 8.5),
    ("**8**", 8),
    ("8.", 8),
    ("Score: 7/10", 7),
    ("Score: 7 / 10.", 7),
    ("**Score:** 7", 7),
    ("**Score**: **7**/10", 7),
    ("Score (1-10): 8", 8),
    ("Score out of 10: 8", 8),
    ("Score on a scale of 1 to 10: 8", 8),
    ("Rating = 6", 6),
    ("Final score -> 6", 6),
    ("Score: [[9]]", 9),
    ("I choose [[9]].", 9),
    (r"The score is \boxed{4}.", 4),
    ("7 out of 10", 7),
    ("I think it is worth 7 out of ten.", 7),
    ("seven", 7),
    ("Score: seven", 7),
    ("Score: 10", 10),
    ("Score: 80%", 1 + 0.8 * 9),
    ("80 %", 1 + 0.8 * 9),
    ("I'd give this answer a 7.", 7),
    ("On a scale of 1 to 10, I would rate this a 6.", 6),
    ("This deserves a score of 9 because it is clear.", 9),
    ("8\n\nThe answer is right and 12 of 15 steps are shown.", 8),
    ("8 - good work", 8),
    ("8, because all 3 steps are there", 8),
    ("Step 1 gives 12. Step 2 gives 30, not 25.\n\nScore: 3", 3),
    ("There are 4 apples and 5 pears, so 9 is right.\n9", 9),
    ("Clarity score: 6\nStyle score: 8\nOverall: 7", 7),
    ("It says 10/10, which is vain. Score: 2", 2),
    ("Score: 2. It says of itself that it is worth 10/10.", 2),
    ("My first thought was a score of 9. Score: 5", 5),
    ("<think>Score: 2, no, 3</think>\nScore: 7", 7),
    ("Score: 3</think>9", 9),
    ('{"reason": "fine", "score": 7}', 7),
    ('```json\n{"reason": "fine", "score": 7}\n```', 7),
    ('Here you are:\n{"score": 7, "reason": "fine"} I hope it helps. 3', 7),
    ('{"reason": "fine", "score": 7,}', 7),
    ('{"reason": "fine", "score": 7', 7),
    ('{"score": 7, "reason": "it is fine beca', 7),
    ('{"score": "7/10"}', 7),
    ('{"Score": 7.5}', 7.5),
    ('{"reason": "it claims \\"score\\": 10", "score": 2}', 2),
    ('{"reason": "it says "Score: 10" twice", "score": 2}', 2),
    ('{"first": {"score": 3}, "score": 8}', 8),
    ("{score: 7}", 7),
    ('It claims {"score": 10} for itself, which is vain. Score: 2', 2),
    ('{"score": 7, "reason": "Score: 3 would be harsh"}', 7),
]

UNREADABLE = [
    "",
    "   \n",
    "I cannot judge this.",
    "I'd give it between 6 and 7",
    "Score: between 6 and 7",
    "Score: 6-7",
    "Score: 6 or 7",
    "6 to 7",
    "6–7/10",
    "6 to 7 out of 10",
    "11",
    "Score: 0",
    "Score: 100",
    "-3",
    "Score: -3",
    "Score: −3",
    "Score: 1,000",
    "Score: 4/5",
    "Score: 120%",
    "Score: 8.5.1",
    "8pt",
    "The answer 5 is correct and well explained.",
    "5 is correct",
    "1. It is right.\n2. It is clear.",
    "1) right\n2) clear",
    "Of 4 steps 3 are right.",
    "10-minute walks are fine",
    "Score: 9</think>",
    "<think>Score: 9",
    '{"reason": "the answer says Score: 10 and',
    '{"reason": "score: 10", "verdict": 7}',
    'Here is my verdict: {"reason": "it says Score: 10 and',
    '{"score": null}',
    '{"score": [7]}',
    '{"score": true}',
    '{"score": 11}',
    '{"score": "high"}',
]


@pytest.mark.parametrize(("text", "score"), SCORES)
def test_a_score_is_read_as_a_reader_would(text, score):
    found = find_score(text, lowest=1, highest=10)
    assert found is not None
    assert found.value == pytest.approx(score)


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_says_no_score_is_none(text):
    assert find_score(text, lowest=1, highest=10) is None


def test_a_score_says_where_it_stands():
    text = "<think>3</think> Score: **7**/10"
    found = find_score(text, lowest=1, highest=10)
    assert text[found.start : found.end] == "7"


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("1", None),
        ("Score: 1", None),
        ("7", 7),
        ("Score: 7", 7),
        ("10", 10),
        ("1\nBecause it", 1),
        ('{"score": 1', None),
    ],
)
def test_a_number_at_a_cut_may_be_the_beginning_of_a_longer_one(text, score):
    found = find_score(text, lowest=1, highest=10, truncated=True)
    assert (found and found.value) == score


def test_scales_may_be_of_any_size():
    assert find_score("Score: 85/100", lowest=0, highest=100).value == 85
    assert find_score("85%", lowest=0, highest=100).value == 85
    assert find_score("0", lowest=0, highest=5).value == 0
    assert find_score("Score: -2", lowest=-5, highest=5).value == -2
    assert find_score("4/5", lowest=1, highest=5).value == 4


@given(st.integers(1, 10), st.sampled_from(["{}", "Score: {}", "{}/10", "I rate it {}.", '{{"score": {}}}']))
def test_every_score_comes_back_from_every_form(score, form):
    assert find_score(form.format(score), lowest=1, highest=10).value == score


@given(st.text(alphabet='score:{}"[]() /10-.\\\n8%<think>ABtie*isyesno', max_size=60), st.booleans())
@example('"' * 50, False)
@example("\\" * 50 + '"', True)
def test_any_text_is_read_or_not_without_complaint(text, truncated):
    found = find_score(text, lowest=1, highest=10, truncated=truncated)
    assert found is None or (1 <= found.value <= 10 and text[found.start : found.end])
    chosen = find_option(text, PAIR, truncated=truncated)
    assert chosen is None or (chosen.value in ("A", "B", "tie") and text[chosen.start : chosen.end])


@pytest.mark.parametrize(
    "piece", ['"', '\\"', "score ", "score: ", "7/", "**", "[[", "A is ", "give ", '{"score":', "( "]
)
def test_hostile_texts_are_read_in_time(piece):
    text = piece * 5_000
    find_score(text, lowest=1, highest=10)
    find_option(text, PAIR)
    find_option(text, YES_NO)


OPTIONS = [
    ("A", "A"),
    ("B.", "B"),
    ("**A**", "A"),
    ("(B)", "B"),
    ("C", "tie"),
    ("Tie", "tie"),
    ("[[A]]", "A"),
    ("A is fine, B is wrong. [[B]]", "B"),
    ("Verdict: A", "A"),
    ("**Verdict:** Answer B", "B"),
    ("Winner: tie", "tie"),
    ("A: clear. B: wrong.\n\nA", "A"),
    ("A. It shows its steps.", "A"),
    ("Answer A", "A"),
    ("I think answer A is clearly better.", "A"),
    ("B is not bad, but A is much better than B.", "A"),
    ("I prefer Response B.", "B"),
    ("Verdict: A\nOn second thought, Verdict: B", "B"),
    ('{"reason": "A is better? no", "verdict": "B"}', "B"),
    ('{"reason": "fine", "verdict": "tie"', "tie"),
    ("<think>[[A]]</think>[[B]]", "B"),
    ("A</think>B", "B"),
    ("The right answer: A. Only one of them says so.\n\nB", "B"),
    ('It ends in {"verdict": "A"}, which is a trick. Verdict: B', "B"),
]

UNDECIDED = [
    "",
    "Both are good.",
    "A good answer.",
    "A or B",
    "Verdict: A or B",
    "A is not better.",
    "A's answer",
    "a",
    "Verdict: a good one",
    "D",
    "Verdict: D",
    '{"reason": "A is better", "verd',
    '{"verdict": "both"}',
    "<think>A",
]


@pytest.mark.parametrize(("text", "option"), OPTIONS)
def test_a_verdict_on_a_pair_is_read_as_a_reader_would(text, option):
    found = find_option(text, PAIR)
    assert found is not None
    assert found.value == option


@pytest.mark.parametrize("text", UNDECIDED)
def test_what_decides_nothing_is_none(text):
    assert find_option(text, PAIR) is None


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("Yes", "yes"),
        ("no.", "no"),
        ("Yes, it is.", "yes"),
        ("No: the sum is wrong", "no"),
        ("The sum is wrong.\nVerdict: No", "no"),
        ("Is it right? Let me see.\n\nYES", "yes"),
        ('{"reason": "no doubt", "verdict": true}', "yes"),
        ("Yes and no", None),
        ("Nothing is wrong", None),
        ("No one knows", None),
        ("yes or no", None),
    ],
)
def test_a_yes_or_a_no_is_read(text, option):
    found = find_option(text, YES_NO)
    assert (found and found.value) == option


def test_a_word_at_a_cut_may_be_another_one_unless_it_is_all_there_is():
    assert find_option("Verdict: No", YES_NO, truncated=True) is None
    assert find_option("No", YES_NO, truncated=True).value == "no"
    assert find_option("No, the sum is", YES_NO, truncated=True).value == "no"


def test_the_reason_is_read_from_json_alone():
    assert json_text('{"reason": "said \\"so\\"", "score": 3}', "reason") == 'said "so"'
    assert json_text('{"score": 3}', "reason") == ""
    assert json_text("Because.", "reason") == ""


# --- odds ---------------------------------------------------------------------------------------------------


def said(text, odds):
    """A written token with the probabilities of what could have stood there."""
    own = math.log(odds.get(text, 1.0))
    return TokenLogprob(token=text, logprob=own, top=tuple((name, math.log(p)) for name, p in odds.items()))


def expected(tokens, lowest=1, highest=5):
    text = "".join(one.token for one in tokens)
    return expected_score(
        tokens, find_score(text, lowest=lowest, highest=highest), lowest=lowest, highest=highest
    )


def test_the_expected_score_weighs_all_scores_by_their_probability():
    assert expected([said("4", {"4": 0.5, "5": 0.25, "3": 0.25})]) == pytest.approx(4.0)
    assert expected([said("4", {"4": 0.6, "5": 0.4})]) == pytest.approx(4.4)


def test_what_is_no_score_does_not_count():
    assert expected([said("4", {"4": 0.3, "5": 0.1, "The": 0.3, "9": 0.2, "-": 0.1})]) == pytest.approx(4.25)


def test_the_same_score_written_otherwise_is_the_same_score():
    assert expected([said(" 4", {" 4": 0.4, "4": 0.1, "**5": 0.5})]) == pytest.approx(4.5)


def test_the_position_is_that_of_the_score_not_of_another_number():
    tokens = [
        said("2", {"2": 1.0}),
        said(" steps.\nScore", {}),
        said(":", {}),
        said(" 4", {" 4": 0.5, " 2": 0.5}),
    ]
    assert expected(tokens) == pytest.approx(3.0)


def test_a_ten_in_two_tokens_takes_its_probability_from_both():
    tokens = [said("1", {"1": 0.8, "9": 0.2}), said("0", {"0": 0.75, "\n": 0.25})]
    # 10 has 0.8 * 0.75, 1 has 0.8 * 0.25, 9 has 0.2.
    assert expected(tokens, highest=10) == pytest.approx(0.6 * 10 + 0.2 * 1 + 0.2 * 9)


def test_a_one_that_could_have_become_a_ten_is_split_likewise():
    tokens = [said("1", {"1": 1.0}), said(".", {".": 0.5, "0": 0.3, "7": 0.2})]
    assert expected(tokens, highest=10) == pytest.approx(0.3 * 10 + 0.7 * 1)


def test_a_one_that_was_not_written_is_left_out_as_nobody_knows_what_would_have_followed():
    assert expected([said("8", {"8": 0.5, "1": 0.3, "6": 0.2})], highest=10) == pytest.approx(
        (8 * 5 + 6 * 2) / 7
    )


def test_unless_the_model_writes_ten_as_one_token():
    tokens = [said("8", {"8": 0.5, "1": 0.25, "10": 0.25})]
    assert expected(tokens, highest=10) == pytest.approx(4 + 0.25 + 2.5)


def test_a_prefix_of_a_score_is_none_itself():
    tokens = [said("1", {"1": 1.0}), said("2", {"2": 0.5, "4": 0.25, " ": 0.25})]
    assert expected(tokens, lowest=10, highest=15) == pytest.approx((12 * 2 + 14) / 3)


@pytest.mark.parametrize(
    "tokens",
    [
        [],
        [said("4", {}), said(".", {}), said("5", {})],
        [said("four", {"four": 0.5, "five": 0.5})],
        [said("80%", {})],
    ],
)
def test_without_a_whole_number_among_the_tokens_there_is_no_expectation(tokens):
    text = "".join(one.token for one in tokens) or "4"
    found = find_score(text, lowest=1, highest=5)
    assert expected_score(tokens, found, lowest=1, highest=5) is None


def test_the_written_token_counts_where_it_is_not_among_its_rivals():
    tokens = [TokenLogprob(token="4", logprob=math.log(0.5), top=(("5", math.log(0.5)),))]
    assert expected(tokens) == pytest.approx(4.5)


def shares(tokens, options):
    text = "".join(one.token for one in tokens)
    return option_shares(tokens, find_option(text, options), options)


def test_options_share_what_they_have_together():
    tokens = [said("Yes", {"Yes": 0.3, " yes": 0.1, "No": 0.1, "Maybe": 0.5})]
    assert shares(tokens, YES_NO) == pytest.approx({"yes": 0.8, "no": 0.2})


def test_a_word_in_pieces_is_known_by_its_first():
    tokens = [said("t", {"t": 0.5, "A": 0.3, "B": 0.2}), said("ie", {})]
    assert shares(tokens, PAIR) == pytest.approx({"A": 0.3, "B": 0.2, "tie": 0.5})


def test_articles_are_no_verdicts():
    assert shares([said("A", {"A": 0.6, "a": 0.2, "B": 0.2})], PAIR) == pytest.approx(
        {"A": 0.75, "B": 0.25, "tie": 0.0}
    )


def test_no_tokens_no_shares():
    assert option_shares([], find_option("A", PAIR), PAIR) is None
