"""The corpus of the loader's fuzzer and random changes of it, without the fuzzer."""

import random

from fuzz.loader import CORPUS, PROGRAMS, examine, mutated


def test_files_changed_at_random_are_refused_or_are_programs():
    rng = random.Random(6)
    accepted = sum(examine(mutated(rng.choice(files), rng)) for files in [CORPUS, PROGRAMS] * 40)
    assert 0 < accepted < 80  # both are seen


def test_bytes_at_random_are_refused():
    rng = random.Random(7)
    assert not any(examine(rng.randbytes(rng.randrange(60))) for _ in range(100))
