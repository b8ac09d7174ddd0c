"""Breadth-first search with a beam: a level at a time, by hand, against the paper's algorithm, and in any order."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.tree_of_thoughts import bfs
from search.late_values import LateValues, gone_on_from, solutions
from search.scripted_trees import ScriptedTree, grown, rows

from orchestrator.errors import InvalidInputError
from orchestrator.search import ROOT, BreadthFirst, Child, Expansion

scripts = st.builds(
    ScriptedTree,
    seed=st.integers(0, 10_000),
    depth=st.integers(1, 4),
    ending=st.sampled_from([0.0, 0.3]),
    grades=st.sampled_from([2, 3, None]),
    unjudged=st.sampled_from([0.0, 0.3]),
    alike=st.sampled_from([0.0, 0.3]),
    failing=st.sampled_from([0.0, 0.2]),
)
settings = st.fixed_dictionaries(
    {
        "breadth": st.integers(1, 4),
        "max_steps": st.integers(1, 4),
        "children": st.integers(1, 4),
        "prune": st.sampled_from([None, 0.4]),
    }
)


def values(*numbers):
    return [Child(text="", value=number) for number in numbers]


def thoughts(*texts, complete=False):
    return [Child(text=text, complete=complete) for text in texts]


def test_a_level_is_written_then_judged_together_and_its_best_gone_on_from():
    search = BreadthFirst(breadth=2, max_steps=2)
    assert search.ask(5) == [Expansion(number=0, node=ROOT)]
    search.tell(0, thoughts("a", "b", "c"))
    assert search.ask(5) == [Expansion(number=1, node=ROOT, judge=(1, 2, 3))]
    search.tell(1, values(0.2, 0.9, 0.5))
    assert search.ask(5) == [Expansion(number=2, node=2), Expansion(number=3, node=3)]
    search.tell(3, thoughts("x"))
    assert search.ask(5) == []
    search.tell(2, thoughts("y", "z"))
    [judged] = search.ask(5)
    assert [search.tree.text(node) for node in judged.judge] == ["by", "bz", "cx"]  # by their parents' rank
    search.tell(4, values(0.1, 0.1, 0.3))
    assert search.ask(5) == []
    assert search.finished
    assert [[search.tree.text(node) for node in level] for level in search.levels] == [
        ["b", "c"],
        ["cx", "by"],
    ]


def test_of_equal_values_the_first_is_kept_and_states_without_one_rank_last():
    search = BreadthFirst(breadth=3, max_steps=1)
    search.ask()
    search.tell(0, thoughts("a", "b", "c", "d", "e"))
    search.ask()
    search.tell(1, values(None, 0.0, 0.5, 0.0, 0.5))
    search.ask()
    assert [search.tree.text(node) for node in search.levels[0]] == ["c", "e", "b"]


def test_complete_states_are_kept_but_not_gone_on_from():
    search = BreadthFirst(breadth=2, max_steps=3)
    search.ask()
    search.tell(0, [*thoughts("done", complete=True), *thoughts("on")])
    search.ask()
    search.tell(1, values(0.9, 0.1))
    [expansion] = search.ask(5)
    assert search.levels == [[1, 2]]
    assert expansion.node == 2


def test_pruned_states_are_not_kept():
    search = BreadthFirst(breadth=2, max_steps=3, prune=0.5)
    search.ask()
    search.tell(0, thoughts("a", "b"))
    search.ask()
    search.tell(1, values(0.4, 0.49))
    assert search.ask(5) == []
    assert search.finished
    assert search.levels == [[]]


def test_a_judgement_that_failed_leaves_a_level_in_its_order():
    search = BreadthFirst(breadth=1, max_steps=2)
    search.ask()
    search.tell(0, thoughts("a", "b"))
    search.ask()
    search.tell(1, [])
    [expansion] = search.ask(5)
    assert search.tree.text(expansion.node) == "a"


def test_a_good_solution_ends_the_search():
    search = BreadthFirst(breadth=2, max_steps=3, threshold=0.9)
    search.ask()
    search.tell(0, [*thoughts("done", complete=True), *thoughts("on")])
    search.ask()
    search.tell(1, values(0.9, 0.95))
    assert search.ask(5) == []
    assert search.decided


@given(script=scripts, options=settings)
def test_it_goes_on_from_what_the_papers_algorithm_goes_on_from(script, options):
    late = LateValues(tree=script, children=options["children"])
    search = BreadthFirst(**options)
    asked = grown(search, late)
    expected = bfs(
        late.thoughts, breadth=options["breadth"], steps=options["max_steps"], prune=options["prune"]
    )
    assert gone_on_from(asked, search.tree) == expected.expanded
    assert [[search.tree.text(node) for node in level] for level in search.levels] == expected.kept
    assert sorted(solutions(search.tree)) == sorted(expected.solutions)
    assert len(expected.expanded) <= 1 + options["breadth"] * (options["max_steps"] - 1)


@given(script=scripts, options=settings, seed=st.integers(0, 1000))
def test_eight_asked_for_at_a_time_and_told_in_any_order_give_the_same_tree(script, options, seed):
    late = LateValues(tree=script, children=options["children"])
    one_by_one, side_by_side = BreadthFirst(**options), BreadthFirst(**options)
    grown(one_by_one, late)
    grown(side_by_side, late, at_once=8, order=random.Random(seed))
    assert rows(side_by_side.tree) == rows(one_by_one.tree)
    assert side_by_side.levels == one_by_one.levels


@given(script=scripts, options=settings)
def test_what_is_told_twice_counts_once(script, options):
    late = LateValues(tree=script, children=options["children"])
    once, twice = BreadthFirst(**options), BreadthFirst(**options)
    grown(once, late)
    while asked := twice.ask(8):
        for expansion in asked:
            found = late.expanded(twice.tree, expansion)
            twice.tell(expansion.number, found)
            twice.tell(expansion.number, [])
            twice.tell(expansion.number, found)
    assert rows(twice.tree) == rows(once.tree)


@pytest.mark.parametrize("wrong", [{"breadth": 0}, {"max_steps": 0}, {"children": 0}])
def test_parameters_below_one_are_refused(wrong):
    [name] = wrong
    with pytest.raises(InvalidInputError, match=name):
        BreadthFirst(**wrong)


def test_more_values_than_nodes_are_refused():
    search = BreadthFirst()
    search.ask()
    search.tell(0, thoughts("a"))
    search.ask()
    search.tell(1, values(0.1, 0.2))
    with pytest.raises(InvalidInputError, match="2 values for 1 nodes"):
        search.ask()
