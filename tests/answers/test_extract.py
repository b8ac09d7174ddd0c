from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.answers import AnswerReader, Kind, cluster, equivalent, extract, normalize
from orchestrator.errors import InvalidInputError


def key(text: str, kind: Kind = "auto", truncated: bool = False) -> str | None:
    answer = extract(text, kind=kind, truncated=truncated)
    return None if answer is None else answer.key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"Thus \boxed{\frac{1}{2}}.", "n:1/2"),
        (r"\boxed{1}, no: \fbox{2}", "n:2"),
        (r"\boxed{3} or \boxed{4", "n:3"),
        (r"\boxed{4", None),
        (r"It is \boxed 5", "n:5"),
        ("The answer is 42.", "n:42"),
        ("The answer is 42, since 6 * 7 = 42.", "n:42"),
        ("The answer is: 7\nThe final answer is 8\nSo the answer is 7", "n:8"),
        ("**Answer:** 42", "n:42"),
        ("### Final Answer\n\n$$\n42\n$$", "n:42"),
        ("Answer (in dollars): $1,234.50", "n:2469/2"),
        ("5 + 5 = 10\n#### 10", "n:10"),
        ("<answer> 12 </answer>", "n:12"),
        ("<think>The answer is 3</think>The answer is 4", "n:4"),
        ("<think>The answer is 3", None),
        ("He has 3 apples and buys 4, so 7 apples", "n:7"),
        ("The temperature fell to -5 degrees overnight", "n:-5"),
        ("In all that makes 10-5=5 of them", "n:5"),
        ("The answer is Paris. It is the capital.", "t:paris"),
        ("The answer is St. Louis.", "t:st. louis"),
        ("Therefore $x \\geq 5$ is the solution.", "m:[5,oo)"),
        ("x-1", normalize("x - 1", kind="math")),
        ("(B) Paris", "c:B"),
        ("We compare them all.\n\n**B**", "c:B"),
        ("Yes.", "t:yes"),
        ("", None),
        (" \n\t", None),
        ("I cannot answer this question.", None),
        ("I don’t know", None),
        ("Answer: I don't know", None),
        ("I'm not sure, but I think it is 42", "n:42"),
    ],
)
def test_auto_finds_the_answer(text: str, expected: str | None) -> None:
    assert key(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so 3 and then 1,234.5 dollars", "n:2469/2"),
        ("the number is 10 which is 1,000.99m²", "n:100099/100"),
        ("3. That leaves 12 eggs.\n4. Done, as shown.", "n:12"),
        ("3 trains leave at 10:30", None),
        ("on 05/01/2021", None),
        ("It is H2O", None),
        ("that is 10 AM", None),
        ("about 2x of it", None),
        ("x-1", None),
        ("it costs 5 million", "n:5000000"),
        ("that is 50 percent", "n:1/2"),
        ("which gives x = 7", "n:7"),
        (r"\boxed{x}", None),
        ("Answer: none of 3", "n:3"),
    ],
)
def test_number_reads_the_last_number_or_abstains(text: str, expected: str | None) -> None:
    assert key(text, "number") == expected


@pytest.mark.parametrize(
    "text",
    [
        "B", "(B)", "**B.**", "B.", "b)", "option b", "Option B", "B) because it is", "B. Paris",
        r"\boxed{\text{B}}",
        r"\boxed{(B)}", "The answer is B", "The correct answer is (b) Paris.",
        "The best choice is option B, not A.",
        "It's not A because it is red, so I think it's B", "Answer: B: Paris", "so the answer is\nB Paris",
        "A and C are wrong.\nB", "<think>A</think>B",
    ],
)  # fmt: skip
def test_choice_letters_are_read_as_models_write_them(text: str) -> None:
    assert key(text, "choice") == "c:B"


@pytest.mark.parametrize(
    "text",
    [
        "The correct choice is (B). (A) is wrong because it is red.", "B: 42", "**Answer**: B", "Answer choice: B",
        "The answer is for sure B, it can't be A or C", "I would go with B.", "My final answer is **B**",
        "Options A and C are wrong, so B is correct. Note that D is incorrect.",
        "I'd choose option B over A", "B\n\nExplanation: A is wrong", r"\boxed{\textbf{(B) }5}",
        "A) Paris\nB) London\nC) Rome\n\nSo the correct option is B.",
        "The answer to this question is B.",
    ],
)  # fmt: skip
def test_the_choice_said_to_be_it_outweighs_others_mentioned(text: str) -> None:
    assert key(text, "choice") == "c:B"


@pytest.mark.parametrize(
    "text",
    [
        "La réponse est B", "La réponse correcte est (B).", "Réponse : B", "La respuesta correcta es la B.",
        "Respuesta: B) 42", "La risposta corretta è B", "A resposta correta é a letra B.",
        "Die richtige Antwort ist B.", "Die Antwort lautet: B", "Het antwoord is B", "Rätt svar är B.",
        "Правильный ответ: B", "Ответ — B", "Odpowiedź: B", "Απάντηση: B",
        "答案是B。", "正确答案为 B", "因此，答案选B。", "故选：B", "答案：（B）", "答えはBです。", "正解は B です",
        "정답은 B입니다.", "답은 (B)입니다", "उत्तर: B", "सही उत्तर B है।", "উত্তর: B",
        "الإجابة الصحيحة هي B", "الجواب هو (B).", "התשובה הנכונה היא B",
        "Doğru cevap B'dir.", "Đáp án đúng là B.", "คำตอบที่ถูกต้องคือ B", "Jawaban yang benar adalah B.",
    ],
)  # fmt: skip
def test_choices_are_read_in_many_languages(text: str) -> None:
    assert key(text, "choice") == "c:B"
    assert key(text + " C is not.", "choice") == "c:B"


@pytest.mark.parametrize(
    "text", ["La réponse est 42.", "答案是42。", "정답은 42입니다.", "उत्तर 42 है।", "答えは42です"]
)
def test_numbers_are_read_in_many_languages(text: str) -> None:
    assert key(text) == key(text, "number") == "n:42"


@pytest.mark.parametrize("text", ["Die Antwort ist nicht B", "答案不是B", "P(A) is small", "f(B) = 3"])
def test_letters_that_are_turned_down_or_operands_are_no_choices(text: str) -> None:
    assert key(text, "choice") is None


def test_several_letters_are_another_choice_than_one() -> None:
    assert key("The correct answers are C and A", "choice") == key(r"\boxed{A, C}", "choice") == "c:AC"
    assert key("Answer: K", "choice") == "c:K"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[THINK]5[/THINK]6", "n:6"),
        ("[THINK]5", None),
        ("◁think▷5◁/think▷6", "n:6"),
        ("<thinking>5</thinking>6", "n:6"),
        (
            "<|channel|>analysis<|message|>5<|end|><|start|>assistant<|channel|>final<|message|>6<|return|>",
            "n:6",
        ),
        ("<|channel|>analysis<|message|>5", None),
        ("so it is 6.<|im_end|>\n<|im_start|>user\nAnd 7?", "n:6"),
        ("<think>5</think><answer>6</answer>", "n:6"),
        ("I think <answer>6", "n:6"),
    ],
)
def test_only_what_is_addressed_to_the_reader_counts(text: str, expected: str | None) -> None:
    assert key(text) == expected


@pytest.mark.parametrize(
    "text", ["A", "(A)", "A.", "The answer is A.", "Answer: A", "A because it is", r"\boxed{A}", "a)"]
)
def test_the_letter_a_is_a_choice(text: str) -> None:
    assert key(text, "choice") == "c:A"


@pytest.mark.parametrize(
    "text", ["A dog barks at night", "I think so", "The answer is a dog", "I like a walk", "So A + B = 5"]
)
def test_articles_pronouns_and_formulas_are_no_choices(text: str) -> None:
    assert key(text, "choice") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The answer is 12", None),
        ("The answer is 12.", None),
        ("The answer is 12. To check", "n:12"),
        ("Answer: 12\n", None),
        ("Answer: 12\nTo", "n:12"),
        (r"so \boxed{12} and", "n:12"),
        ("so 12", None),
    ],
)
def test_a_truncated_text_needs_a_complete_mark(text: str, expected: str | None) -> None:
    assert key(text, truncated=True) == expected


def test_text_takes_the_last_line() -> None:
    assert key("First this.\n\nThen Mount Everest.\n", "text") == "t:then mount everest"
    assert key("A dog", "text") == "t:a dog"
    assert key("5 apples", "text") == "t:5 apples"


def test_code_is_the_last_closed_block() -> None:
    text = "```python\nx = 1\n```\nbetter:\n```python\nx = 2   \n```\nand\n```\nx = 3"
    answer = extract(text, kind="code")
    assert answer is not None
    assert (answer.text, answer.key, answer.kind) == ("x = 2   \n", "x:x = 2", "code")
    assert extract("x = 1", kind="code") is None


def test_code_can_be_of_a_language() -> None:
    reader = AnswerReader(kind="code", language="python")
    answer = reader.read("```py\nx = 1\n```\n```sh\nls\n```\n```python\nx = 2")
    assert answer is not None
    assert answer.text == "x = 1\n"
    fenced = AnswerReader(kind="code", language="Markdown").read("````markdown\n```\nx\n```\n````")
    assert fenced is not None
    assert fenced.text == "```\nx\n```\n"


def test_a_tag_holds_the_bare_answer() -> None:
    reader = AnswerReader(kind="number", tag="result")
    assert str(reader.read('<result>1</result> no, <Result unit="cm"> 2 </Result> of 3')) == "2"
    assert str(reader.read("<result>1</result> <result>2")) == "2"
    assert str(reader.read("<result>1</result> <result>2", truncated=True)) == "1"
    assert reader.read("<result>none</result>") is None
    assert reader.read("<results>1</results>") is None


def test_units_and_percentages_are_read_as_the_task_says() -> None:
    assert extract("That is 50%.", kind="number", percent="number") == extract("50%", percent="number")
    assert AnswerReader(kind="number", percent="number").read("The answer is 50%.") is not None
    kept = [extract(text, kind="number", units="keep") for text in ("Answer: 5 cm", "so 5 m")]
    assert kept[0] is not None
    assert kept[1] is not None
    assert kept[0].key != kept[1].key


def test_json_values_compare_by_content() -> None:
    first = extract('Here: {"b": [1, 2.50], "a": "x"} as asked', kind="json")
    second = extract('{"a":"x","b":[1.0,25e-1]}', kind="json")
    assert first is not None
    assert second is not None
    assert first.key == second.key
    assert extract('{"a": 1} {"a": ', kind="json", truncated=True) == extract('{"a": 1}', kind="json")
    assert extract("no json", kind="json") is None
    assert extract("[" * 100_000 + "]" * 100_000, kind="json") is None
    assert extract('{"a": NaN}', kind="json") is None


def test_a_field_is_read_as_the_kind_says() -> None:
    reader = AnswerReader(kind="number", field="result.value")
    answer = reader.read('I think {"result": {"value": "1,234.0 apples"}} and {"other": 3}')
    assert answer is not None
    assert (answer.text, answer.key) == ("1,234.0 apples", "n:1234")
    assert reader.read('{"result": {"value": 1234}}') is not None
    assert reader.read('{"result": {"value": null}}') is None
    assert reader.read('{"result": {"value": "many"}}') is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('{"name": "Zoé", "n": [1, 2.50]}', '{"name":"Zoé","n":[1,2.50]}'),
        (r'["\u00e9", "\ud83d\ude00", "\ud800", "a\n\"\/"]', r'["é","😀","\ud800","a\n\"/"]'),
        ("[1E+2, -0.0, 123456789012345678901234567890.10]", "[1E+2,-0.0,123456789012345678901234567890.10]"),
        ("[ ]", "[]"),
        ("[true, null]", "[true,null]"),
        ("false", "false"),
        ("2.50", "2.50"),
        ('"2.50"', "2.50"),
    ],
)
def test_a_field_is_shown_as_it_was_written_but_for_spaces(written: str, expected: str) -> None:
    answer = AnswerReader(kind="json", field="r").read(f'{{"r": {written}}}')
    assert answer is not None
    assert answer.text == expected
    assert answer.key == normalize(written, kind="json")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(JSON_VALUES) | st.dictionaries(st.text(), JSON_VALUES), st.booleans(), st.sampled_from([None, 2])
)
def test_a_field_that_holds_a_list_or_an_object_is_shown_as_json_no_longer_than_written(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    written = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    answer = AnswerReader(kind="json", field="r").read(f'{{"r": {written}}}')
    assert answer is not None
    assert json.loads(answer.text) == value
    assert len(answer.text.encode()) <= len(written.encode("utf-8", "surrogatepass"))
    assert answer.key == normalize(answer.text, kind="json")


def test_a_field_of_another_kind_that_holds_json_is_the_same_whatever_the_order_of_names() -> None:
    reader = AnswerReader(field="r")
    one, other = reader.read('{"r": {"b": [1, 2.50], "a": "x"}}'), reader.read('{"r":{"a":"x","b":[1,2.50]}}')
    assert one is not None
    assert one == other
    assert one.text == '{"a":"x","b":[1,2.50]}'
    assert reader.read('{"r": [1, 2.50]}') == extract("[1,2.50]")


def test_a_pattern_takes_its_last_match() -> None:
    assert str(AnswerReader(pattern=r"got (\d+)").read("got 1, got 2")) == "2"
    assert str(AnswerReader(pattern=r"(x)=(?P<answer>\d+)").read("x=1 x=3")) == "3"
    assert AnswerReader(pattern=r"got (\d+)").read("got 12", truncated=True) is None
    assert AnswerReader(pattern=r"got (\d+)").read("<think>got 1") is None


def test_a_function_reads_what_it_likes() -> None:
    reader = AnswerReader(kind="text", function=lambda text: text.split()[0] if text else None)
    assert str(reader.read("<think>..</think>Paris it is")) == "Paris"
    assert reader.read("") is None


def test_a_function_that_returns_no_text_is_told_so() -> None:
    reader = AnswerReader(function=len)  # type: ignore[arg-type]
    with pytest.raises(
        InvalidInputError, match=r"what `function` returns must be a text, not int: try str\(4\)"
    ):
        reader.read("four")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "maths"}, {"pattern": "("}, {"pattern": "a", "field": "b"}, {"field": ""}, {"field": "a..b"},
        {"tag": "a b"}, {"tag": ""}, {"language": " "}, {"tag": "a", "language": "b"}, {"units": "none"},
        {"percent": "half"}, {"pattern": 5}, {"field": 5}, {"tag": 5}, {"language": 5}, {"function": 5},
    ],
)  # fmt: skip
def test_a_reader_that_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        AnswerReader(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "The answer is **12**.",
        "**Answer**: **12**",
        "Answer: **12**",
        "#### **12**",
        "**Final answer: 12**",
        "**Answer: $12$**",
        "The answer is `12`.",
        "The answer is *12*.",
        "The answer is __12__.",
        "The answer is **12.**",
        "The answer is 12!",
    ],
)
@pytest.mark.parametrize("kind", ["number", "math", "auto"])
def test_emphasis_around_a_marked_answer_is_no_part_of_it(text: str, kind: Kind) -> None:
    answer = extract(text, kind=kind)
    assert answer is not None
    assert answer.key == "n:12"


def test_emphasis_inside_a_marked_answer_stays_with_what_it_closes() -> None:
    for text in ("The answer is **Paris**.", "Answer: `Paris`", "The answer is Paris"):
        assert key(text, "text") == "t:paris"
    for text in (r"The answer is **$-\sqrt{3}$**.", r"Answer: $-\sqrt3$"):
        assert key(text, "math") == normalize(r"-\sqrt{3}", kind="math")
    assert key("Answer: $4!$", "math") == "n:24"


def test_comparison_signs_of_every_shape_say_which_way() -> None:
    assert not equivalent("x≧5", "x≦5", kind="math")
    assert not equivalent("x⩾5", "x⩽5", kind="math")
    assert equivalent("x≧5", r"x \geq 5", kind="math")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(A) is wrong, so (B)", "c:B"),
        ("(A) is incorrect, therefore (B).", "c:B"),
        ("Option A is not correct.", None),
        ("(B) is right because (A) is wrong", "c:B"),
        ("D. Do not enter", "c:D"),
    ],
)
def test_an_option_that_is_turned_down_first_is_not_chosen(text: str, expected: str | None) -> None:
    assert key(text, "choice") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This answer is wrong. A new, ...", "This answer is wrong. A new, ..."),
        ("<think>Hm.</think>\n\nDear all,\n\n\\boxed{5}, Answer: 7\n", "Dear all,\n\n\\boxed{5}, Answer: 7"),
        ("...", "..."),
        ("<think>not finished", None),
        (" \n", None),
    ],
)
def test_a_whole_text_is_the_answer_as_it_was_written(text: str, expected: str | None) -> None:
    for truncated in (False, True):  # one that was cut off is still a text
        answer = extract(text, kind="whole", truncated=truncated)
        assert (answer and answer.text) == expected


def test_whole_texts_are_equal_up_to_case_and_white_space() -> None:
    assert equivalent("Ein  Straßenname.\n", "ein STRASSENNAME.", kind="whole")
    assert not equivalent("Paris.", "Paris", kind="whole")
    assert cluster(["A  b", "a\nB", "ab"], kind="whole") == [0, 0, 1]
    assert normalize(" A  b", kind="whole") == "t:a b"
    assert AnswerReader(kind="whole").stated("The answer is 7.") is None


TOPICS = ("Billing", "technical", "technical support", "account")


@pytest.mark.parametrize(
    ("text", "expected", "cut_off"),
    [
        ("billing", "Billing", "Billing"),
        ("This one is about BILLING.", "Billing", None),
        ("It could be account. No: the category is billing.", "Billing", None),
        ("Answer: billing. It is not technical.", "Billing", "Billing"),
        ("Answer: billing or account. So account.", None, None),
        ("The answer is about money.\nCategory: **Technical**", "technical", "technical"),
        ("Category: technical", "technical", None),
        ("Billing. They also say that something technical failed.", "Billing", "Billing"),
        ("I think it is billing, not technical.", None, None),
        ("It is a question for technical\nsupport, then", "technical", None),
        ("They need technical  support.", "technical support", None),
        ("a non-technical matter, biotechnical", None, None),
        ("<think>billing</think>_account_", "account", "account"),
        ("<think>billing", None, None),
        ("nothing of that kind", None, None),
    ],
)
def test_the_last_label_stated_is_the_answer(text: str, expected: str | None, cut_off: str | None) -> None:
    reader = AnswerReader(labels=TOPICS)
    for truncated, wanted in ((False, expected), (True, cut_off)):
        answer = reader.read(text, truncated=truncated)
        assert (answer and answer.text) == wanted
        assert answer is None or answer.key == f"t:{answer.text.lower()}"


def test_labels_are_looked_for_in_what_a_tag_holds_and_only_marks_state_one() -> None:
    tagged = extract("<label>It is billing</label> or account", labels=TOPICS, tag="label")
    assert tagged is not None
    assert tagged.text == "Billing"
    reader = AnswerReader(labels=TOPICS)
    assert reader.stated("billing") is None
    assert reader.stated("Answer: billing") == reader.read("billing")
    assert reader.kind == "whole"
    assert reader == AnswerReader(labels=list(TOPICS), kind="whole")


@pytest.mark.parametrize(
    ("labels", "kind", "said"),
    [
        (["a"], "auto", "labels must be two or more"),
        (["a", " "], "auto", "each of the labels must be a text"),
        (["a b", "A  B"], "auto", "'a b' is there twice"),
        ("ab", "auto", "labels must be a list of texts"),
        (["a", "b"], "choice", "leave kind out"),
    ],
)
def test_labels_that_are_none_are_refused(labels: list[str], kind: Kind, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        AnswerReader(labels=labels, kind=kind)
