"""Best-first search on trees that can be checked by eye, and against its plain definition on random ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.best_first_search import best_first_search
from search.scripted_trees import WrittenTree, all_texts, grown, rows, scripts, texts_of

from orchestrator.errors import InvalidInputError
from orchestrator.search import Child
from orchestrator.search.best_first import BestFirst
from orchestrator.types import Answer, Candidate, Sample

TREE = WrittenTree(
    steps={
        "": [("a", 0.6), ("b", 0.5)],
        "a": [("c", 0.4), ("d", 0.3)],
        "b": [("e", 0.55), ("f.", 0.7)],
        "be": [("g.", 0.9), ("h.", 0.2)],
        "ac": [("i.", 1.0), ("j.", 1.0)],
    }
)


def test_the_best_open_node_is_gone_on_from_wherever_it_is():
    search = BestFirst(expansions=5, branching=2, max_steps=3)
    assert texts_of(search.tree, grown(search, TREE)) == ["", "a", "b", "be", "ac"]
    assert not search.decided


def test_a_complete_solution_that_is_good_enough_ends_it():
    search = BestFirst(expansions=5, branching=2, max_steps=3, threshold=0.9)
    assert texts_of(search.tree, grown(search, TREE)) == ["", "a", "b", "be"]
    assert search.decided


def test_a_partial_one_does_not():
    search = BestFirst(expansions=2, branching=2, max_steps=3, threshold=0.6)
    assert len(grown(search, TREE)) == 2
    assert not search.decided


def test_one_whose_answer_cannot_be_read_does_not():
    search = BestFirst(expansions=2, branching=1, max_steps=3, threshold=0.6)
    for answer, decided in ((None, False), (Answer(text="4", key="4", kind="number"), True)):
        [expansion] = search.ask()
        candidate = Candidate(sample=Sample(text=""), answer=answer)
        found = [Child(text="a.", value=1.0, complete=True, candidate=candidate), Child(text="b", value=0.5)]
        search.tell(expansion.number, found)
        search.settle()
        assert search.decided is decided


def test_of_equals_the_deepest_goes_first_and_those_without_a_value_last():
    tree = WrittenTree(
        steps={
            "": [("a", None), ("b", 0.5), ("c", 0.5)],
            "b": [("d", 0.5), ("e", None)],
            "bd": [("f.", 0.5)],
        }
    )
    search = BestFirst(expansions=9, branching=3, max_steps=3)
    assert texts_of(search.tree, grown(search, tree)) == ["", "b", "bd", "c", "be", "a"]


def test_equal_siblings_are_gone_on_from_once():
    tree = WrittenTree(steps={"": [("a", 0.5), ("a", 0.5), ("b", 0.1)], "a": [("c.", 0.2)]})
    search = BestFirst(expansions=9, branching=3, max_steps=3)
    assert texts_of(search.tree, grown(search, tree)) == ["", "a", "b"]
    assert search.tree.closed(2)


def test_two_at_once_choose_without_knowing_what_the_other_finds():
    search = BestFirst(expansions=5, branching=2, max_steps=3, width=2)
    asked = grown(search, TREE, at_once=2)
    # b is chosen beside a, and so are ac and be, which a search of one at a time meets in another order
    assert texts_of(search.tree, asked) == ["", "a", "b", "ac", "be"]


@given(
    script=scripts(),
    expansions=st.integers(1, 12),
    branching=st.integers(1, 3),
    max_steps=st.integers(1, 5),
    threshold=st.sampled_from([None, 0.6, 1.0]),
    prune=st.sampled_from([None, 0.4]),
)
def test_it_grows_as_its_plain_definition(script, expansions, branching, max_steps, threshold, prune):
    given_to_both = {
        "expansions": expansions,
        "branching": branching,
        "max_steps": max_steps,
        "threshold": threshold,
        "prune": prune,
    }
    search = BestFirst(**given_to_both)
    asked = grown(search, script)
    expected = best_first_search(lambda text, n, again: script.children(text, n), **given_to_both)
    assert texts_of(search.tree, asked) == expected.expanded
    assert all_texts(search.tree) == [one.text for one in expected.texts]


@given(
    script=scripts(),
    order=st.randoms(use_true_random=False),
    width=st.sampled_from([1, 3, 8]),
    threshold=st.sampled_from([None, 0.5]),
)
def test_the_tree_does_not_depend_on_the_order_of_results(script, order, width, threshold):
    one, other = (
        BestFirst(expansions=20, branching=2, max_steps=5, width=width, threshold=threshold) for _ in range(2)
    )
    grown(one, script)
    grown(other, script, at_once=width, order=order)
    one.settle()
    other.settle()
    assert rows(one.tree) == rows(other.tree)


@given(script=scripts(failing=0.0, ending=0.2, unjudged=0.0, grades=None, alike=0.0))
def test_eight_at_once_choose_the_best_of_what_all_but_the_last_seven_found(script):
    search = BestFirst(expansions=40, branching=2, max_steps=5, width=8)
    asked = grown(search, script, at_once=8)
    tree = search.tree
    found_by = {node: expansion.number for expansion in asked for node in tree.children(expansion.node)}
    chosen = {expansion.node: expansion.number for expansion in asked}
    for expansion in asked[1:]:
        known = [
            node
            for node, number in found_by.items()
            if number < expansion.number - 7
            and not tree.complete(node)
            and tree.depth(node) < 5
            and chosen.get(node, len(asked)) >= expansion.number
        ]
        assert all(tree.value(expansion.node) >= tree.value(node) for node in known)


@given(script=scripts(failing=0.0, depth=5))
def test_eight_at_once_exhaust_the_same_tree_as_one(script):
    serial, parallel = (BestFirst(expansions=400, branching=2, max_steps=5, width=width) for width in (1, 8))
    assert len(grown(serial, script)) == len(grown(parallel, script, at_once=8))
    assert sorted(all_texts(serial.tree)) == sorted(all_texts(parallel.tree))


def test_a_width_below_one_is_refused():
    with pytest.raises(InvalidInputError, match="width must be at least 1, not 0"):
        BestFirst(expansions=1, branching=1, max_steps=1, width=0)
