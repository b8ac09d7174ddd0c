from __future__ import annotations

import datetime
import re
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reference import normalize as reference

from orchestrator import _core

whole = st.integers(0, 10**40)
decimals = st.builds(lambda a, b: f"{a}.{b}", whole, st.text("0123456789", min_size=1, max_size=30))
spellings = st.one_of(
    whole.map(str),
    st.builds(lambda n, mark: f"{n:,}".replace(",", mark), whole, st.sampled_from([",", " ", "'"])),
    decimals,
    st.builds(lambda a, e: f"{a}e{e}", decimals, st.integers(-40, 40)),
    st.builds(lambda a, b: f"{a}/{b}", decimals, whole),
    st.builds(
        lambda a, b: f"\\frac{{{a}}}{{{b}}}", st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30)
    ),
    st.builds(
        lambda w, f, p, command: f"{w}.{f}{command}{{{p}}}",
        st.integers(0, 10**20),
        st.text("0123456789", max_size=10),
        st.text("0123456789", min_size=1, max_size=10),
        st.sampled_from(["\\overline", "\\bar"]),
    ),
    st.builds(lambda w, a, b: f"{w} {a}/{b}", whole, st.integers(0, 99), st.integers(0, 99)),
    st.builds(lambda w, a, b: f"{w}\\frac{{{a}}}{{{b}}}", whole, st.integers(0, 99), st.integers(0, 99)),
)
KINDS = ["auto", "number", "math", "choice", "boolean", "date", "text", "code"]
WORDS = ["one", "three", "five", "twenty", "hundred", "thousand", "and", "zero"]

written = st.builds(
    lambda sign, text, mark: sign + text + mark,
    st.sampled_from(["", "-"]),
    spellings,
    st.sampled_from(["", "%", "\\%"]),
)


@pytest.mark.parametrize("kind", ["number", "math", "auto"])
@given(text=written)
def test_numbers_are_worth_what_the_definition_says(text: str, kind: str) -> None:
    value = reference.number(text)
    key = _core.normalize(text, kind=kind)
    assert key == reference.key(value) if value is not None else not key.startswith("n:")


@given(text=st.text("0123456789.,/-+%e ^x(){}\\frac'", max_size=14))
def test_whatever_the_definition_calls_a_number_is_that_number(text: str) -> None:
    value = reference.number(text)
    if value is not None:
        assert _core.normalize(text, kind="math") == reference.key(value)


@given(a=st.fractions(), b=st.fractions())
def test_two_fractions_share_a_key_exactly_when_equal(a: Fraction, b: Fraction) -> None:
    keys = [_core.normalize(str(value), kind="math") for value in (a, b)]
    assert (keys[0] == keys[1]) == (a == b)


@given(text=st.text(), kind=st.sampled_from(KINDS))
def test_any_text_gets_a_key_with_a_prefix(text: str, kind: str) -> None:
    assert _core.normalize(text, kind=kind)[:2] in {"n:", "o:", "c:", "b:", "d:", "m:", "t:", "x:"}


@pytest.mark.parametrize("conjunction", [False, True])
def test_numbers_in_words_are_worth_what_they_say(conjunction: bool) -> None:
    for n in range(10_000):
        assert _core.normalize(reference.spoken(n, conjunction=conjunction), kind="auto") == f"n:{n}"


@given(n=st.integers(0, 999_999), negative=st.booleans(), capital=st.booleans(), conjunction=st.booleans())
def test_larger_numbers_in_words_too(n: int, negative: bool, capital: bool, conjunction: bool) -> None:
    text = ("minus " if negative else "") + reference.spoken(n, conjunction=conjunction)
    text = text.capitalize() if capital else text
    assert _core.normalize(text, kind="math") == reference.key(Fraction(-n if negative else n))


def test_ordinals_in_words_and_digits_are_one_ordinal_and_under_number_a_number() -> None:
    for n in [*range(1, 1000), 1000, 1001, 9999, 12_345, 999_999]:
        suffix = "th" if n // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
        for text in (reference.ordinal(n), f"{n}{suffix}"):
            if text not in ("one hundredth", "one thousandth"):  # also parts of one
                assert _core.normalize(text, kind="auto") == f"o:{n}", text
                assert _core.normalize(text, kind="number") == f"n:{n}", text


@given(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=7), joiner=st.sampled_from([" ", "-"]))
def test_only_well_formed_numbers_in_words_are_numbers(words: list[str], joiner: str) -> None:
    assume(not re.search(r"twenty \w+ hundred", " ".join(words)))  # twenty-five hundred is well formed too
    key = _core.normalize(joiner.join(words), kind="auto")
    if key.startswith("n:"):
        said = " ".join(word for word in words if word != "and")
        said = f"one {said}" if said.startswith(("hundred", "thousand")) else said
        assert said == reference.spoken(int(key[2:])).replace("-", " ")


@given(day=st.dates(datetime.date(1000, 1, 1)))
def test_spellings_of_a_day_share_a_key(day: datetime.date) -> None:
    key = f"d:{day.isoformat()}"
    month = f"{day:%B}"
    spellings = [
        day.isoformat(),
        f"{month} {day.day}, {day.year}",
        f"{month[:3]}. {day.day} {day.year}",
        f"{day.day} {month} {day.year}",
        f"{day:%A}, {day.day:02} {month.upper()} {day.year}",
    ]
    for kind in ("auto", "date"):
        assert [_core.normalize(text, kind=kind) for text in spellings] == [key] * len(spellings)
    assert _core.normalize(f"{day:%m/%d/}{day.year}", kind="date") == key
    assert _core.normalize(f"{day.day}.{day.month}.{day.year}", kind="date") == key
    tomorrow = f"{day + datetime.timedelta(1):%A}" if day < datetime.date.max else "Monday"
    assert not _core.normalize(f"{tomorrow}, {month} {day.day}, {day.year}", kind="auto").startswith("d:")


@given(time=st.times())
def test_spellings_of_a_time_share_a_key(time: datetime.time) -> None:
    time = time.replace(microsecond=0)
    key = "d:T" + (f"{time:%H:%M:%S}" if time.second else f"{time:%H:%M}")
    hour = time.hour % 12 or 12
    half = "PM" if time.hour >= 12 else "a.m."
    for text in (f"{time:%H:%M:%S}", f"{hour}:{time:%M:%S} {half}", f"{time:%I:%M:%S}{half.lower()}"):
        assert _core.normalize(text, kind="auto") == key


@given(text=st.text("0123456789/-.:, ap m\u0303MayT", max_size=24))
def test_whatever_is_a_date_is_one_of_the_calendar(text: str) -> None:
    key = _core.normalize(text, kind="date")
    if key.startswith("d:") and len(key) == len("d:2021-05-01") and key[6] == "-":
        assert datetime.date.fromisoformat(key[2:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "piece",
    ["9", "1,", "1 234", "{", "}", "(", "one ", "twenty-", "\\frac{1}", "\\text{", "5/", "0.3...", "^{", "\0",
     "May 1 ", "10:", "sq ", "/m", "\\dot{1}", "٣", "-", "'", "and a half "],
)  # fmt: skip
def test_a_megabyte_of_anything_gets_its_key(kind: str, piece: str) -> None:
    key = _core.normalize(piece * (2**18 // len(piece)), kind=kind)
    assert key[1] == ":"


def test_bytes_that_are_no_utf_8_get_a_key() -> None:
    for text in ("\ud800", "5\udfff", "٣\udc80", "0.3\udcff"):
        assert _core.normalize(text, kind="auto")[1] == ":"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="maths"):
        _core.normalize("5", kind="maths")


def test_an_unknown_rule_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="units must be one of by_kind, drop, keep, not 'hold'"):
        _core.normalize("5", kind="number", units="hold")
    with pytest.raises(ValueError, match="percent must be one of fraction, number, not 'half'"):
        _core.normalize("5", kind="number", percent="half")
