"""Random expressions over the names of `reference.expressions`, well typed or with slips, and values of those."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from reference.expressions import Draft, Drafts

from orchestrator.expressions import ANSWER, NUMBER, TEXT, TRUTH, Namespace, Type
from orchestrator.types import Answer

numbers = st.one_of(
    st.integers(-5, 40),
    st.floats(0, 1),
    st.floats(),
    st.integers(-(10**30), 10**30),
    st.just(10**400),
)
texts = st.one_of(st.sampled_from(["", "a", "ab", "b a"]), st.text(max_size=5))
answers = st.builds(
    Answer,
    text=st.sampled_from(["1", "1.0", "two"]),
    key=st.sampled_from(["n:1", "n:2"]),
    kind=st.just("number"),
)
drafts = st.builds(
    Draft, text=texts, score=st.none() | numbers, answer=st.none() | answers, good=st.booleans()
)
worlds: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "n": numbers,
        "m": st.none() | numbers,
        "ok": st.booleans(),
        "checked": st.none() | st.booleans(),
        "word": texts,
        "said": st.none() | texts,
        "given": answers,
        "found": st.none() | answers,
        "numbers": st.lists(numbers, max_size=3),
        "words": st.none() | st.lists(st.none() | texts, max_size=3),
        "flags": st.lists(st.none() | st.booleans(), max_size=3),
        "draft": drafts,
        "lost": st.none() | drafts,
        "drafts": st.lists(drafts, max_size=3).map(Drafts),
        "loop": st.fixed_dictionaries(
            {
                "rounds": st.integers(0, 3),
                "last": st.none() | drafts,
                "each": st.lists(st.none() | st.booleans(), max_size=2),
            }
        ).map(Namespace),
    }
)

LEAVES: dict[Type, list[str]] = {
    NUMBER: [
        *("0", "1", "2", "0.5", "1e300", "9007199254740992", "n", "m", "loop.rounds", "drafts.count"),
        *("draft.score", "lost.score", "drafts.first.score", "drafts[0].score", "numbers[1]", "numbers[-1]"),
    ],
    TRUTH: [
        *("True", "false", "ok", "checked", "draft.good", "lost.good", "loop.last.good"),
        *("flags[0]", "loop.each[-2]"),
    ],
    TEXT: [
        *("''", '"a"', "'b a'", "'1.0'", "word", "said", "draft.text", "lost.text"),
        *("drafts.texts[0]", "words[0]"),
    ],
    ANSWER: [
        *("given", "found", "draft.answer", "lost.answer", "drafts.answer"),
        *("drafts.answers[1]", "drafts.first.answer"),
    ],
}
LISTS: dict[Type, list[str]] = {
    NUMBER: ["numbers", "drafts.scores"],
    TRUTH: ["flags", "loop.each"],
    TEXT: ["words", "drafts.texts"],
    ANSWER: ["drafts.answers"],
}
KINDS = list(LEAVES)


@st.composite
def written(draw: st.DrawFn, kind: Type, depth: int, slips: bool) -> str:
    """An expression of this type; where it slips, one of another type stands in a part."""
    if slips and draw(st.integers(0, 15)) == 0:
        if draw(st.integers(0, 3)) == 0:
            return draw(
                st.sampled_from(
                    ["None", "none", "draft", "drafts", "loop", "words", "nobody", "draft.nothing"]
                )
            )
        kind = draw(st.sampled_from(KINDS))
    if depth == 0:
        return draw(st.sampled_from(LEAVES[kind]))

    def part(of: Type) -> str:
        return draw(written(of, draw(st.integers(0, depth - 1)), slips))

    def chosen(*options: str) -> str:
        return draw(st.sampled_from(options))

    def listed(of: Type) -> str:
        if draw(st.booleans()):
            return draw(st.sampled_from(LISTS[of]))
        return f"[{', '.join(part(of) for _ in range(draw(st.integers(1, 3))))}]"

    forms = [lambda: f"({part(kind)} if {part(TRUTH)} else {part(kind)})", lambda: f"{listed(kind)}[0]"]
    if kind == NUMBER:
        forms += [
            lambda: f"({part(NUMBER)} {chosen('+', '-', '*', '/', '//', '%')} {part(NUMBER)})",
            lambda: f"{part(NUMBER)} {chosen('+', '-', '*', '/', '//', '%')} {part(NUMBER)}",
            lambda: f"-{part(NUMBER)}",
            lambda: f"{chosen('min', 'max')}({listed(NUMBER)})",
            lambda: f"{chosen('min', 'max')}({part(NUMBER)}, {part(NUMBER)})",
            lambda: f"{chosen('abs', 'round')}({part(NUMBER)})",
            lambda: f"round({part(NUMBER)}, {chosen('0', '2', '15')})",
            lambda: f"len({part(TEXT)})",
            lambda: f"number({part(draw(st.sampled_from([TEXT, ANSWER])))})",
            lambda: f"len({listed(draw(st.sampled_from(KINDS)))})",
        ]
    elif kind == TRUTH:
        forms += [
            lambda: f"{part(TRUTH)} {chosen('and', 'or')} {part(TRUTH)}",
            lambda: f"{part(TRUTH)} {chosen('and', 'or')} {part(TRUTH)} {chosen('and', 'or')} {part(TRUTH)}",
            lambda: f"not {part(TRUTH)}",
            lambda: f"{part(NUMBER)} {chosen('<', '<=', '>', '>=', '==', '!=')} {part(NUMBER)}",
            lambda: f"{part(NUMBER)} {chosen('<', '>=')} {part(NUMBER)} {chosen('<=', '!=')} {part(NUMBER)}",
            lambda: f"{equals()}",
            lambda: f"{part(draw(st.sampled_from(KINDS)))} {chosen('is', 'is not', '==', '!=')} None",
            lambda: f"{part(TEXT)} {chosen('in', 'not in')} {part(TEXT)}",
            lambda: f"{contains()}",
            lambda: f"{chosen('any', 'all')}({listed(TRUTH)})",
        ]
    elif kind == TEXT:
        forms.append(lambda: f"{part(TEXT)} + {part(TEXT)}")
    else:
        forms.append(lambda: f"answer({chosen('draft', 'lost', 'drafts', 'given', part(ANSWER))})")

    def equals() -> str:
        if draw(st.integers(0, 4)) == 0:
            return f"{part(TEXT)} {chosen('==', '!=')} {part(ANSWER)}"
        of = draw(st.sampled_from(KINDS))
        return f"{part(of)} {chosen('==', '!=')} {part(of)}"

    def contains() -> str:
        if draw(st.integers(0, 4)) == 0:
            return f"{part(ANSWER)} {chosen('in', 'not in')} {listed(TEXT)}"
        of = draw(st.sampled_from(KINDS))
        return f"{part(of)} {chosen('in', 'not in')} {listed(of)}"

    text = draw(st.sampled_from(forms))()
    if kind == TRUTH and not (slips and draw(st.booleans())):
        return f"({text})"  # `a < b == c` would be something else
    return text


expressions = st.tuples(st.sampled_from(KINDS), st.integers(0, 4)).flatmap(
    lambda given: written(given[0], given[1], False)
)
careless = st.tuples(st.sampled_from(KINDS), st.integers(0, 4)).flatmap(
    lambda given: written(given[0], given[1], True)
)
