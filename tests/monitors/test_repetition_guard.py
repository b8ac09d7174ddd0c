"""A loop in a text ends the sample; a table, a list or code does not."""

import inspect
import json
from pathlib import Path

import pytest

from orchestrator import Controller, SelfConsistency
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend, scripted
from orchestrator.errors import InvalidInputError
from orchestrator.monitors import RepetitionGuard
from orchestrator.stopping import FixedSize
from orchestrator.types import Chunk

WRITTEN = Path(__file__).parent.parent / "data" / "smollm2_greedy.jsonl"


def cut_at(text, guard=None, *, size=5, hidden=False):
    """How much of `text` is written when the guard ends it, and why; None where it does not."""
    watch = (guard or RepetitionGuard()).watch()
    for at in range(0, len(text), size):
        piece = text[at : at + size]
        chunk = Chunk(text="", reasoning=piece) if hidden else Chunk(text=piece)
        if (reason := watch.feed(chunk)) is not None:
            return at + len(piece), reason
    return None


PARAGRAPH = (
    "The quick brown fox jumps over the lazy dog, and then it goes home. There it sits down by the fire, reads a "
    "book about foxes, and thinks of the dog that did not even wake up.\n\n"
)

LOOPS = {
    "a token": (" the", 600),
    "a character": ("3", 600),
    "a phrase": ("I cannot do that. ", 600),
    "a line": ("Step: we add the numbers and we get 12.\n", 600),
    "a paragraph": (PARAGRAPH, 4 * len(PARAGRAPH)),
    "letters of three bytes": ("答案是四。", 200),
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("hidden", [False, True], ids=["text", "reasoning"])
def test_a_loop_is_cut_as_soon_as_it_is_one(name, hidden):
    block, length = LOOPS[name]
    before = "Let us think about it, one step after the other. "
    written, reason = cut_at(before + block * 2000, hidden=hidden, size=1)
    assert len(before) + length - len(block) <= written <= len(before) + length
    assert reason.startswith(f"the same {len(block.encode())} bytes ")


TABLE = "| n | square | even |\n|---|---|---|\n" + "".join(f"| {n} | {n * n} | no |\n" for n in range(200))
ZEROS = json.dumps([[0] * 10] * 10)
FINE = {
    "a long decimal": "1/3 = 0." + "3" * 200,
    "digits that repeat": "1/7 = 0." + "142857" * 40,
    "a ruler": "=" * 120 + "\nTitle\n" + "-" * 120,
    "a table": TABLE,
    "a matrix of zeros": ZEROS,
    "a list": "".join(f"{n}. The number {n} is a number.\n" for n in range(300)),
    "counting": " ".join(str(n) for n in range(2000)),
    "code": inspect.getsource(scripted) + inspect.getsource(json),
    "laughter": "ha" * 100,
    "a refrain": (PARAGRAPH + "And so it was.\n\n") * 3 + "The end.",
    "indented code": ("\n" + " " * 24 + "pass") * 15,
    "a board": ("+---" * 8 + "+\n" + "|   " * 8 + "|\n") * 8,
}


@pytest.mark.parametrize("name", FINE)
def test_what_repeats_its_form_is_no_loop(name):
    assert cut_at(FINE[name]) is None


def test_a_guard_of_fewer_characters_ends_sooner():
    guard = RepetitionGuard(repeats=3, characters=30)
    assert cut_at("no " * 10, guard, size=1) == (30, "the same 3 bytes 10 times over")
    assert cut_at("never again " * 3, guard, size=1) == (36, "the same 12 bytes 3 times over")


def test_a_block_longer_than_the_longest_is_not_seen():
    assert cut_at(PARAGRAPH * 20, RepetitionGuard(longest=len(PARAGRAPH) - 1)) is None
    assert cut_at(PARAGRAPH * 20, RepetitionGuard(longest=len(PARAGRAPH))) is not None


@pytest.mark.parametrize(
    "wrong", [{"repeats": 1}, {"repeats": -1}, {"characters": 0}, {"longest": 0}, {"longest": 10**6}]
)
def test_a_guard_that_cannot_be_is_refused_by_name(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        RepetitionGuard(**wrong)


async def test_a_sample_in_a_loop_is_ended_charged_to_there_and_read_as_cut_off():
    model = ScriptedBackend(["The answer is 4. " + "So " * 500, "4", "4"])
    program = SelfConsistency(n=3, stop=FixedSize(), monitors=(RepetitionGuard(),))
    async with Controller(models={"m": model}, answers=AnswerReader(kind="number")) as controller:
        outcome = await controller.run(program, "2 + 2?")
    cut = next(c.sample for c in outcome.candidates if c.sample.cut)
    assert cut.cut == "repetition_guard: the same 3 bytes 200 times over"
    assert cut.usage.completion_tokens == 5 + 200
    assert outcome.detail["votes"] == [3]


WRITTEN_BY_A_MODEL = [json.loads(line) for line in WRITTEN.read_text().splitlines()]


@pytest.mark.parametrize("entry", WRITTEN_BY_A_MODEL, ids=lambda entry: entry["prompt"][:40])
def test_on_what_a_small_model_wrote_loops_are_cut_and_nothing_else(entry):
    found = cut_at(entry["text"])
    if entry["loop"] is None:
        assert found is None
    else:
        written, _ = found
        assert entry["text"][written - len(entry["loop"]) * 3 : written].count(entry["loop"]) >= 2
