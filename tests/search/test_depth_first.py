"""Depth-first search: into the best, back from what is not worth it, by hand and against the paper's algorithm."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.tree_of_thoughts import dfs
from search.late_values import LateValues, gone_on_from, solutions
from search.scripted_trees import ScriptedTree, grown, rows
from search.test_breadth_first import scripts, thoughts, values

from orchestrator.errors import InvalidInputError
from orchestrator.search import ROOT, Child, DepthFirst, Expansion

settings = st.fixed_dictionaries(
    {
        "max_steps": st.integers(1, 4),
        "children": st.integers(1, 4),
        "prune": st.sampled_from([None, 0.4]),
    }
)


def test_the_best_child_comes_first_and_then_the_next_best():
    search = DepthFirst(max_steps=3, prune=0.3)
    assert search.ask() == [Expansion(number=0, node=ROOT)]
    search.tell(0, thoughts("a", "b", "c"))
    assert search.ask() == [Expansion(number=1, node=ROOT, judge=(1, 2, 3))]
    search.tell(1, values(0.4, 0.9, 0.2))
    [into] = search.ask()
    assert search.tree.text(into.node) == "b"
    search.tell(2, thoughts("x", "y"))
    [judged] = search.ask()
    assert judged.judge == (4, 5)
    search.tell(3, values(0.1, 0.2))  # both below 0.3: back to a, the next best
    [back] = search.ask()
    assert search.tree.text(back.node) == "a"
    search.tell(4, [])  # c was pruned: nothing is left
    assert search.ask() == []
    assert search.finished
    assert search.expanded == 3


def test_it_ends_with_the_last_expansion_it_may_make():
    search = DepthFirst(max_steps=9, max_expansions=1)
    search.ask()
    search.tell(0, thoughts("a"))
    search.ask()
    search.tell(1, values(1.0))
    assert search.ask() == []
    assert search.finished


def test_the_last_level_is_not_gone_on_from():
    search = DepthFirst(max_steps=1)
    search.ask()
    search.tell(0, thoughts("a"))
    search.ask()
    search.tell(1, values(1.0))
    assert search.ask() == []


def test_a_good_solution_ends_the_search():
    search = DepthFirst(max_steps=3, threshold=0.5)
    search.ask()
    search.tell(0, [*thoughts("a"), *thoughts("done", complete=True)])
    search.ask()
    search.tell(1, values(0.9, 0.5))
    assert search.ask() == []
    assert search.decided


def test_side_by_side_it_goes_on_with_the_next_best_meanwhile():
    search = DepthFirst(max_steps=3, width=2)
    search.ask()
    search.tell(0, thoughts("a", "b"))
    search.ask()
    search.tell(1, values(0.4, 0.9))
    assert [search.tree.text(expansion.node) for expansion in search.ask(2)] == ["b", "a"]


@given(script=scripts, options=settings, most=st.sampled_from([1, 3, 1000]))
def test_it_goes_on_from_what_the_papers_algorithm_goes_on_from(script, options, most):
    late = LateValues(tree=script, children=options["children"])
    search = DepthFirst(**options, max_expansions=most)
    asked = grown(search, late)
    expected = dfs(late.thoughts, steps=options["max_steps"], most=most, prune=options["prune"])
    assert gone_on_from(asked, search.tree) == expected.expanded
    assert solutions(search.tree) == expected.solutions


@given(script=scripts, options=settings, seed=st.integers(0, 1000))
def test_eight_side_by_side_go_on_from_the_same_states_when_nothing_ends_the_search_early(
    script, options, seed
):
    late = LateValues(tree=script, children=options["children"])
    serial, parallel = (
        DepthFirst(**options, max_expansions=1000),
        DepthFirst(**options, max_expansions=1000, width=8),
    )
    one_by_one = grown(serial, late)
    side_by_side = grown(parallel, late, at_once=8, order=random.Random(seed))
    assert sorted(gone_on_from(side_by_side, parallel.tree)) == sorted(gone_on_from(one_by_one, serial.tree))
    assert sorted(solutions(parallel.tree)) == sorted(solutions(serial.tree))


@given(script=scripts, options=settings, threshold=st.sampled_from([0.3, 0.6, 0.9]), width=st.integers(2, 8))
def test_side_by_side_a_good_solution_takes_at_most_twice_the_width_as_many_expansions(
    script, options, threshold, width
):
    late = LateValues(tree=script, children=options["children"])
    serial = DepthFirst(**options, max_expansions=1000, threshold=threshold)
    one_by_one = grown(serial, late)
    parallel = DepthFirst(**options, max_expansions=1000, threshold=threshold, width=width)
    side_by_side = grown(parallel, late, at_once=width)
    assert parallel.decided == serial.decided
    assert len(side_by_side) <= 2 * width * len(one_by_one)


@given(script=scripts, options=settings, seed=st.integers(0, 1000))
def test_results_told_in_any_order_and_twice_give_the_same_tree(script, options, seed):
    late = LateValues(tree=script, children=options["children"])
    in_order, shuffled, twice = (DepthFirst(**options, width=4) for _ in range(3))
    grown(in_order, late, at_once=4)
    grown(shuffled, late, at_once=4, order=random.Random(seed))
    while asked := twice.ask(4):
        for expansion in asked:
            twice.tell(expansion.number, late.expanded(twice.tree, expansion))
            twice.tell(expansion.number, [])
    assert rows(shuffled.tree) == rows(in_order.tree) == rows(twice.tree)


@pytest.mark.parametrize("wrong", [{"max_expansions": 0}, {"max_steps": 0}, {"children": 0}, {"width": 0}])
def test_parameters_below_one_are_refused(wrong):
    [name] = wrong
    with pytest.raises(InvalidInputError, match=name):
        DepthFirst(**wrong)


def test_a_tree_without_values_is_searched_in_its_order():
    late = LateValues(tree=ScriptedTree(seed=1, depth=3, ending=0.0, unjudged=1.0), children=2)
    search = DepthFirst(max_steps=3, children=2)
    asked = grown(search, late)
    said = [" ".join(text.split()) for text in gone_on_from(asked, search.tree)]
    assert said == ["", "a0", "a0 a0", "a0 a1", "a1", "a1 a0", "a1 a1"]


def test_a_search_that_has_decided_stays_decided_by_what_was_under_way():
    search = DepthFirst(max_steps=2, threshold=0.9, width=2)
    search.ask()
    search.tell(0, thoughts("a", "b"))
    search.ask()
    search.tell(1, values(0.6, 0.5))
    assert [one.number for one in search.ask(2)] == [2, 3]
    search.tell(2, [Child(text="x", complete=True)])
    search.tell(3, [Child(text="y", complete=True)])
    assert [one.judge for one in search.ask(2)] == [(3,), (4,)]
    search.tell(4, values(1.0))
    search.tell(5, values(0.1))
    assert search.ask() == []
    assert search.decided
    search.settle()
    assert search.decided
