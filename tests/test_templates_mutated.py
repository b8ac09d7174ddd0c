"""Templates that were changed at random: refused or filled, never anything else."""

import random

import pytest
from fuzz.templates import CORPUS, FRAGMENTS, examine, mutated


@pytest.mark.parametrize("text", CORPUS)
def test_the_corpus_is_refused_or_filled(text):
    assert examine(text) in (True, False)


def test_changed_templates_are_refused_or_filled():
    rng = random.Random(6)
    filled = sum(examine(mutated(rng.choice(CORPUS), rng)) for _ in range(300))
    assert 20 < filled < 280  # both are seen


def test_words_in_any_order_are_refused_or_filled():
    rng = random.Random(7)
    texts = ["".join(rng.choices(FRAGMENTS, k=rng.randint(1, 12))) for _ in range(500)]
    assert 0 < sum(map(examine, texts)) < 500
