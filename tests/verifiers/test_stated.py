import pytest

from orchestrator import Problem
from orchestrator.types import Candidate, Sample
from orchestrator.verifiers import StatedConfidence, stated_confidence


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Confidence: 0.85", 0.85),
        ("The answer is 12. confidence: 85 %.", 0.85),
        ("**Confidence:** **85%**", 0.85),
        ('{"answer": 12, "confidence": 0.7}', 0.7),
        ("Confidence level: about 0.9.", 0.9),
        ("Confidence (0-100): 85", 0.85),
        ("Confidence (from 0 to 10): 7", 0.7),
        ("confidence = 8/10", 0.8),
        ("Confidence in my answer: 0,85", 0.85),
        ("Certainty is 0.5", 0.5),
        ("The probability that the answer is correct is 70 percent.", 0.7),
        ("P(correct) = .25", 0.25),
        ("I am 90% confident that it is 12.", 0.9),
        ("Confidence: 1", 1.0),
        ("Confidence: 0", 0.0),
        (r"Confidence: $0.9$ and Confidence: 90\%", 0.9),
    ],
)
def test_a_mark_and_a_number_state_a_confidence(text, value):
    assert stated_confidence(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The answer is 0.85",
        "Confidence: high",
        "Confidence: 85",
        "Confidence: 1.5",
        "Confidence: 120%",
        "Confidence: -0.5",
        "Confidence: 0.8-0.9",
        "Confidence: 1% to 5%",
        "Confidence: 1 out of 12",
        "Confidence: 1/12",
        "Confidence: 0.8.5",
        "a 95% confidence interval",
        "the confidence interval is 0.95",
        "a confidence level 95%",
        "overconfidence: 0.3",
        "I'm not 100% sure",
        "<think>Confidence: 0.1</think>It is 4.",
        "confidence:" + " " * 200_000,
        "confidence " * 50_000,
    ],
)
def test_what_is_no_clear_statement_is_none(text):
    assert stated_confidence(text) is None


def test_the_last_statement_counts_even_when_it_cannot_be_read():
    assert stated_confidence("Confidence: 0.2. On reflection I am 90% sure.") == pytest.approx(0.9)
    assert stated_confidence("I am 90% sure. Confidence: 0.2") == pytest.approx(0.2)
    assert stated_confidence("Confidence: 0.9. Confidence: 7") is None


def test_the_verifier_abstains_without_a_statement():
    def score(text):
        candidate = Candidate(sample=Sample(text=text), answer=None)
        return StatedConfidence().judge(Problem(id="p"), candidate)

    assert score("4. Confidence: 75%").value == 0.75
    assert (score("4").value, score("4").reason) == (None, "no confidence stated")
