import pytest

from orchestrator import Problem, load
from orchestrator.errors import InvalidInputError
from orchestrator.types import Candidate, Sample
from orchestrator.verifiers import ForbiddenWords, RequiredWords, WordCount

TEXT = "It's a well-known fact. Is it?\n\nYes, at 3.5 per cent"


def candidate(text):
    return Candidate(sample=Sample(text=text), answer=None)


def verdict(rule, text, tests=None):
    score = rule.judge(Problem(id="p", tests=tests), candidate(text))
    return score.reason or score.value


@pytest.mark.parametrize(
    ("unit", "count"),
    [("words", 12), ("sentences", 3), ("characters", 52), ("lines", 2), ("paragraphs", 2)],
)
def test_a_text_is_counted_in_units(unit, count):
    assert verdict(WordCount(unit=unit, at_least=count, at_most=count), TEXT) == 1.0
    assert verdict(WordCount(unit=unit, at_least=count + 1), TEXT) == f"{count} {unit}, at least {count + 1}"
    assert verdict(WordCount(unit=unit, at_most=count - 1), TEXT) == f"{count} {unit}, at most {count - 1}"


@pytest.mark.parametrize("unit", ["words", "sentences", "characters", "lines", "paragraphs"])
def test_a_blank_text_has_none_of_any_unit(unit):
    assert verdict(WordCount(unit=unit, at_most=0), " \n\n ") == 1.0


def test_hidden_thinking_does_not_count():
    assert verdict(WordCount(at_most=2), "<think>one two three four</think>just this") == 1.0
    assert verdict(ForbiddenWords(words=("maybe",)), "<think>maybe</think>surely") == 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat sat.", 1.0),
        ("The Dog sat.", "has dog"),
        ("dogs and hotdog", 1.0),
        ("as an AI, I ...", 1.0),
        ("As an AI model I ...", "has as an AI model"),
        ("dog: as an  ai\nmodel", "has dog, as an AI model"),
    ],
)
def test_forbidden_words_are_whole_words_in_any_case(text, expected):
    assert verdict(ForbiddenWords(words=("dog", "as an AI model")), text) == expected


def test_a_problem_may_require_and_forbid_words_of_its_own():
    tests = {"required": ["river"], "forbidden": "stone, rock"}
    assert verdict(ForbiddenWords(), "A river runs over a rock.", tests) == "has rock"
    assert verdict(ForbiddenWords(words=("runs",)), "A river runs over a rock.", tests) == "has runs, rock"
    assert verdict(RequiredWords(), "A river runs by.", tests) == 1.0
    assert verdict(RequiredWords(), "A brook runs by.", tests) == "without river"
    assert verdict(ForbiddenWords(), "anything", ["river"]) == "no word is forbidden"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WordCount(), "give at_least, at_most or both"),
        (lambda: WordCount(at_most=-1), "at_most must be at least 0, not -1"),
        (lambda: WordCount(at_least=3, at_most=2), "at_least 3 is more than at_most 2"),
        (lambda: WordCount(at_most=2, unit="tokens"), "unit must be one of words, sentences"),
        (lambda: ForbiddenWords(words=("ok", "!")), "'!' has none"),
        (lambda: ForbiddenWords(words="dog"), "a list of words, not the text 'dog'"),
    ],
)
def test_constraints_that_make_no_sense_are_refused(make, message):
    with pytest.raises(InvalidInputError, match=message):
        make()


def test_a_program_file_can_have_constraints(tmp_path):
    path = tmp_path / "file.yaml"
    head = "version: 1\nmodels: {m: {local: gemma-3-270m}}\nprogram: {best_of_n: {n: 2}}\ncheck: "
    path.write_text(head + "{word_count: {at_most: 3, unit: sentences}}\n")
    assert load(path).check == WordCount(at_most=3, unit="sentences")
    path.write_text(head + "{forbidden_words: [dog, cat]}\n")
    assert load(path).check == ForbiddenWords(words=("dog", "cat"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", 0.0),
        ("The man in a", 0.25),
        ("The man in a hat missed his train", 0.75),
        ("The man in a hat missed his train.", 1.0),
        ("The man in a hat sat.", 0.0),  # it has ended without the train
        ("The man in a hat. He", 0.0),
        ("One two three four five six man", 0.0),  # no room for hat and train in eight words
        ("One two three four five man", 0.25),
    ],
)
def test_a_sentence_on_the_way_is_scored_by_its_words(text, value):
    rule = RequiredWords(at_most=8, partial=True)
    assert rule.judge(Problem(id="p", tests=["hat", "man", "train"]), candidate(text)).value == value


def test_a_word_that_is_required_twice_takes_one_place():
    rule = RequiredWords(at_most=2, partial=True)
    assert rule.judge(Problem(id="p", tests=["hat", "Hat", "man"]), candidate("hat")).value == 1 / 3
