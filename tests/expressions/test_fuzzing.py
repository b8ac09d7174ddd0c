"""The fuzzer's seeds and random changes of them, without the fuzzer."""

from __future__ import annotations

import random

import pytest
from fuzz.expressions import CORPUS, IN_WORDS, WORDS, examine

SEEDS = {path.name: path.read_bytes() for path in sorted(CORPUS.iterdir())}


@pytest.mark.parametrize("name", SEEDS)
def test_each_seed_is_refused_or_is_what_its_definition_says(name: str) -> None:
    examine(SEEDS[name])


def changed(data: bytes, rng: random.Random) -> bytes:
    """The bytes with a part left out, doubled, exchanged for a word, or followed by another seed's end."""
    start = rng.randrange(len(data) + 1)
    end = min(len(data), start + rng.randrange(8))
    word = rng.choice(WORDS).encode()
    other = rng.choice(list(SEEDS.values()))
    middle = rng.choice([b"", data[start:end] * 2, word, b" " + word + b" ", rng.randbytes(1)])
    tail = data[end:] if rng.random() < 0.8 else other[rng.randrange(len(other) + 1) :]
    return data[:start] + middle + tail


def test_random_changes_of_the_seeds_are_refused_or_are_what_their_definition_says() -> None:
    rng = random.Random(6)
    pool = list(SEEDS.values())
    accepted = 0
    for _ in range(2000):
        data = changed(rng.choice(pool), rng)
        if examine(data):
            accepted += 1
            pool.append(data)
    assert accepted > 100


def test_random_words_are_refused_or_are_what_their_definition_says() -> None:
    rng = random.Random(7)
    accepted = sum(examine(bytes([IN_WORDS]) + rng.randbytes(rng.randrange(1, 6))) for _ in range(2000))
    assert accepted > 20
