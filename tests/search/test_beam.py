"""Beams and subtrees on trees that can be checked by eye, and against the plain definitions on random ones."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.beam_search import beam_search, diverse_verifier_tree_search
from search.scripted_trees import ScriptedTree, WrittenTree, all_texts, grown, rows, scripts, texts_of

from orchestrator.errors import InvalidInputError
from orchestrator.search.beam import Beam, Subtrees

SIZES = st.sampled_from([(1, 1), (4, 1), (4, 4), (4, 2), (8, 2), (12, 3), (12, 4)])
PRUNE = st.sampled_from([None, 0.4, 0.6])


def children_of(script):
    return lambda text, n, again: script.children(text, n, first=again * n)


# The beam ------------------------------------------------------------------------------------------------


def test_after_each_step_the_best_are_gone_on_from():
    tree = WrittenTree(
        steps={
            "": [("a", 0.2), ("b", 0.9), ("c", 0.4), ("d", 0.7)],
            "b": [("e", 0.1), ("f", 0.3)],
            "d": [("g", 0.6), ("h", 0.5)],
            "dg": [("i.", 0.8), ("j.", 0.9)],
            "dh": [("k.", 0.1), ("l.", 0.2)],
        }
    )
    search = Beam(n=4, beam_width=2, max_steps=3)
    assert texts_of(search.tree, grown(search, tree)) == ["", "b", "d", "dg", "dh"]
    assert all_texts(search.tree) == [
        *["a", "b", "c", "d"],
        *["be", "bf", "dg", "dh"],
        *["dgi.", "dgj.", "dhk.", "dhl."],
    ]


def test_of_equal_values_the_first_is_kept_and_one_without_a_value_is_the_last():
    tree = WrittenTree(steps={"": [("a", None), ("b", 0.0), ("c", 0.5), ("d", 0.5)]})
    search = Beam(n=4, beam_width=2, max_steps=2)
    assert texts_of(search.tree, grown(search, tree))[:3] == ["", "c", "d"]
    search = Beam(n=4, beam_width=1, max_steps=2)
    assert texts_of(search.tree, grown(search, tree)) == ["", "c", "d", "b", "a"]


def test_a_complete_solution_keeps_its_place():
    tree = WrittenTree(
        steps={
            "": [("a.", 0.5), ("b", 0.4), ("c", 0.3), ("d", 0.2)],
            "b": [("e", 0.9), ("f", 0.8)],
            "be": [("g.", 0.1), ("h.", 0.1)],
        }
    )
    search = Beam(n=4, beam_width=2, max_steps=3)
    assert texts_of(search.tree, grown(search, tree)) == ["", "b", "be"]


def test_equal_siblings_take_one_place_together():
    tree = WrittenTree(
        steps={
            "": [("a", 0.9), ("a", 0.9), ("a", 0.9), ("b", 0.1)],
            "a": [("c.", 0.5), ("d.", 0.5)],
            "b": [("c.", 0.5), ("d.", 0.5)],
        }
    )
    search = Beam(n=4, beam_width=2, max_steps=2)
    assert texts_of(search.tree, grown(search, tree)) == ["", "a", "b"]
    assert [search.tree.closed(node) for node in range(1, 5)] == [False, True, True, False]


def test_when_all_beams_are_pruned_the_search_backs_up_to_the_best_step_passed_over():
    tree = WrittenTree(
        steps={
            "": [("a", 0.9), ("b", 0.8), ("c", 0.7), ("d", 0.6)],
            "a": [("e", 0.1), ("f", 0.1)],
            "b": [("g", 0.2), ("h", 0.75)],
            "bh": [("i", 0.0), ("j", 0.0)],
            "c": [("k.", 0.9), ("l.", 0.6)],
        }
    )
    search = Beam(n=4, beam_width=2, max_steps=4, prune=0.5)
    assert texts_of(search.tree, grown(search, tree)) == ["", "a", "b", "bh", "c", "d"]
    assert search.tree.closed(5)  # be: below `prune`


def test_when_all_calls_of_a_level_fail_the_search_backs_up_and_ends():
    tree = WrittenTree(steps={"": [("a", 0.9), ("b", 0.8), ("c", 0.7)]})
    search = Beam(n=3, beam_width=1, max_steps=2)
    assert texts_of(search.tree, grown(search, tree)) == ["", "a", "b", "c"]
    search = Beam(n=4, beam_width=4, max_steps=2)
    assert texts_of(search.tree, grown(search, tree)) == ["", "a"]  # as many as one beam of two steps has
    search = Beam(n=4, beam_width=4, max_steps=4)
    assert texts_of(search.tree, grown(search, tree)) == ["", "a", "b", "c"]
    search = Beam(n=4, beam_width=2, max_steps=9)
    assert texts_of(search.tree, grown(search, WrittenTree(steps={}))) == [""]


def test_a_beam_of_one_step_is_the_first_step_alone():
    search = Beam(n=4, beam_width=2, max_steps=1)
    [only] = grown(search, ScriptedTree(depth=9, ending=0.0))
    assert only.children == 4
    assert len(search.tree) == 5


@given(script=scripts(), sizes=SIZES, max_steps=st.integers(1, 5), prune=PRUNE)
def test_a_beam_grows_as_its_plain_definition(script, sizes, max_steps, prune):
    n, beam_width = sizes
    given_to_both = {"n": n, "beam_width": beam_width, "max_steps": max_steps, "prune": prune}
    search = Beam(**given_to_both)
    asked = grown(search, script)
    expected = beam_search(children_of(script), **given_to_both)
    assert texts_of(search.tree, asked) == expected.expanded
    assert all_texts(search.tree) == [one.text for one in expected.texts]
    assert len(asked) <= 1 + n // beam_width * (max_steps - 1)


@given(
    script=scripts(),
    sizes=SIZES,
    prune=PRUNE,
    at_once=st.sampled_from([2, 8]),
    order=st.randoms(use_true_random=False),
    kind=st.sampled_from([Beam, Subtrees]),
)
def test_side_by_side_and_in_any_order_it_is_the_same_tree(script, sizes, prune, at_once, order, kind):
    n, beam_width = sizes
    serial, parallel = (kind(n=n, beam_width=beam_width, max_steps=4, prune=prune) for _ in range(2))
    assert grown(serial, script) == grown(parallel, script, at_once=at_once, order=order)
    assert rows(serial.tree) == rows(parallel.tree)


# Subtrees ------------------------------------------------------------------------------------------------


def test_each_subtree_goes_on_with_its_own_best_step():
    tree = WrittenTree(
        steps={
            "": [("a", 0.9), ("b", 0.8), ("c", 0.2), ("d", 0.1)],
            "a": [("e.", 0.1), ("f", 0.4)],
            "c": [("g", 0.3), ("h.", 0.3)],
            "af": [("i.", 0.5), ("j.", 0.6)],
            "cg": [("k.", 0.5), ("l.", 0.5)],
        }
    )
    search = Subtrees(n=4, beam_width=2, max_steps=3)
    assert texts_of(search.tree, grown(search, tree)) == ["", "", "a", "c", "af", "cg"]
    assert all_texts(search.tree)[:4] == ["a", "b", "c", "d"]  # of which a beam would have kept a and b


def test_subtrees_that_begin_alike_go_on_separately():
    tree = WrittenTree(
        steps={"": [("a", 0.9), ("a", 0.9), ("a", 0.9), ("b", 0.1)], "a": [("c.", 0.2), ("d.", 0.3)]}
    )
    search = Subtrees(n=4, beam_width=2, max_steps=2)
    assert [expansion.node for expansion in grown(search, tree)] == [0, 0, 1, 3]
    assert [search.tree.closed(node) for node in range(1, 5)] == [False, True, False, False]


def test_a_subtree_backs_up_within_itself():
    tree = WrittenTree(
        steps={
            "": [("a", 0.9), ("b", 0.8), ("c", 0.9), ("d", 0.95)],
            "a": [("e", 0.1), ("f", 0.2)],
            "b": [("g.", 0.7), ("h.", 0.6)],
            "d": [("i.", 0.7), ("j.", 0.8)],
        }
    )
    search = Subtrees(n=4, beam_width=2, max_steps=4, prune=0.5)
    assert texts_of(search.tree, grown(search, tree)) == ["", "", "a", "d", "b"]


@given(script=scripts(), sizes=SIZES, max_steps=st.integers(1, 5), prune=PRUNE)
def test_subtrees_grow_as_their_plain_definition(script, sizes, max_steps, prune):
    n, beam_width = sizes
    given_to_both = {"n": n, "beam_width": beam_width, "max_steps": max_steps, "prune": prune}
    search = Subtrees(**given_to_both)
    asked = grown(search, script)
    expected = diverse_verifier_tree_search(children_of(script), **given_to_both)
    assert Counter(all_texts(search.tree)) == Counter(one.text for found in expected for one in found.texts)
    assert Counter(texts_of(search.tree, asked)) == Counter(
        one for found in expected for one in found.expanded
    )
    assert len(asked) <= n // beam_width * max_steps


@pytest.mark.parametrize("kind", [Beam, Subtrees])
@pytest.mark.parametrize(("n", "beam_width"), [(5, 2), (0, 1), (4, 0), (2, 4)])
def test_sizes_that_do_not_fit_are_refused(kind, n, beam_width):
    with pytest.raises(InvalidInputError, match=f"n={n} and beam_width={beam_width}"):
        kind(n=n, beam_width=beam_width, max_steps=3)


def test_a_thousand_beams_are_kept():
    search = Beam(n=1000, beam_width=4, max_steps=6)
    asked = grown(search, ScriptedTree(depth=6, ending=0.0), at_once=250, order=random.Random(0))
    assert len(asked) == 1 + 5 * 250
    assert len(search.tree) == 1 + 6 * 1000
