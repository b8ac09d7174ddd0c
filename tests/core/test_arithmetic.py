import ast
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from reference.arithmetic import Number, Operation

from orchestrator import _core
from orchestrator.answers import cluster, equivalent, extract

NUMBERS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,2})?", fullmatch=True).map(Number)
TREES = st.recursive(
    NUMBERS, lambda inner: st.builds(Operation, st.sampled_from("+-*/"), inner, inner), max_leaves=12
)


@given(TREES)
def test_a_calculation_has_the_value_python_gives_it(tree):
    try:
        expected = str(tree.value())
    except ZeroDivisionError:
        assert _core.find_expression(tree.write()) is None
    else:
        assert _core.find_expression(tree.write())[1] == expected


@given(
    st.lists(st.tuples(st.sampled_from("+-*/"), st.integers(0, 99)), min_size=1, max_size=8),
    st.integers(0, 99),
)
def test_operators_bind_as_they_do_in_python(rest, first):
    text = str(first) + "".join(f" {sign} {number}" for sign, number in rest)
    tree = ast.parse(text, mode="eval")

    def value(node):
        if isinstance(node, ast.Constant):
            return Fraction(node.value)
        left, right = value(node.left), value(node.right)
        match node.op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
        return left / right

    try:
        expected = (text, str(value(tree.body)))
    except ZeroDivisionError:
        expected = None
    assert _core.find_expression(text) == expected


@given(st.text())
def test_no_text_is_too_strange_to_be_read(text):
    found = _core.find_expression(text)
    assert found is None or Fraction(found[1]) is not None


def test_answers_that_are_calculations_compare_by_value():
    assert extract("48 - 19 = 31", kind="expression").key == "n:29"
    assert extract("48 - 19 = 31", kind="expression").text == "48 - 19"
    assert equivalent("29", "He has 48 - 19", kind="expression")
    assert cluster(["2 * 3", "it is 6", "7 - 1 = 5", "1 + 1", "no idea"], kind="expression") == [
        0,
        0,
        0,
        1,
        None,
    ]
    assert extract("<think>1 + 1</think> 2 * 5", kind="expression").key == "n:10"
    assert extract("48 - 1", kind="expression", truncated=True) is None
