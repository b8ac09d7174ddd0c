"""What every search state promises: asking and telling in any order, a second time, and with results missing."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search.scripted_trees import ScriptedTree, all_texts, grown, rows

from orchestrator.errors import InvalidInputError
from orchestrator.search import Child, Search, Wanted


class Breadth(Search):
    """Goes on from every node in turn, at most `most` times, and writes down what it knew at each choice."""

    def __init__(self, *, most=20, stop_at=None, **options):
        super().__init__(**options)
        self.open, self.left, self.stop_at = [0], most, stop_at
        self.applied, self.knew = [], []

    def _next(self):
        if not self.open or not self.left:
            return None
        self.left -= 1
        self.knew.append(len(self.applied))
        return Wanted(node=self.open.pop(0), children=2, arm=self.left % 2)

    def _applied(self, expansion, nodes):
        self.applied.append(expansion.number)
        self.open += [node for node in nodes if not self.tree.complete(node) and not self.tree.closed(node)]
        self.decided = any(self.tree.spans[node] == self.stop_at for node in nodes)


def two(name, **options):
    return [Child(text=f"{name}{index}", **options) for index in range(2)]


def test_expansions_are_numbered_and_results_count_in_that_order():
    search = Breadth(width=2)
    [first] = search.ask(5)
    assert (first.number, first.node, first.children, first.arm) == (0, 0, 2, 1)
    assert search.ask(5) == []  # there is nothing to go on from yet
    search.tell(0, two("a"))
    second, third = search.ask(5)
    assert (second.node, third.node) == (1, 2)
    search.tell(2, two("c"))
    assert search.ask(5) == []  # what came last does not count before the one before it
    assert len(search.tree) == 3
    search.tell(1, two("b"))
    assert [expansion.node for expansion in search.ask(5)] == [3, 4]
    assert search.applied == [0, 1, 2]
    assert all_texts(search.tree) == ["a0", "a1", "a0b0", "a0b1", "a1c0", "a1c1"]


def test_it_asks_for_no_more_than_is_wanted_of_it():
    search = Breadth(width=8)
    assert len(search.ask(1)) == 1
    search.tell(0, two("a"))
    assert [expansion.number for expansion in search.ask(1)] == [1]
    assert [expansion.number for expansion in search.ask(1)] == [2]
    assert search.ask(1) == []
    assert not search.finished


@given(
    script=st.builds(
        ScriptedTree, seed=st.integers(0, 999), depth=st.just(5), failing=st.sampled_from([0.0, 0.4])
    ),
    width=st.integers(1, 8),
    order=st.randoms(use_true_random=False),
)
def test_the_tree_depends_on_the_results_alone_and_not_on_when_they_come(script, width, order):
    one, other = Breadth(width=width), Breadth(width=width)
    assert grown(one, script, at_once=width) == grown(other, script, at_once=width, order=order)
    assert rows(one.tree) == rows(other.tree)
    assert one.knew == other.knew
    # Every choice knows the results of all but the width - 1 expansions before it.
    assert all(knew >= number - width + 1 for number, knew in enumerate(one.knew))


def test_one_at_a_time_every_choice_knows_all_results():
    search = Breadth()
    grown(search, ScriptedTree(ending=0.0, depth=9), at_once=8)
    assert search.knew == list(range(20))


def test_telling_twice_is_telling_once():
    search = Breadth(width=2)
    search.ask()
    search.tell(0, two("a"))
    search.tell(0, two("b"))
    search.ask(2)
    search.tell(0, two("c"))  # it counts already
    search.tell(1, [])
    search.tell(1, two("d"))
    search.settle()
    assert all_texts(search.tree) == ["a0", "a1"]


@pytest.mark.parametrize("number", [-1, 1])
def test_what_was_not_asked_for_cannot_be_told(number):
    search = Breadth()
    search.ask()
    with pytest.raises(InvalidInputError, match=f"expansion {number} was not asked for; there were 1"):
        search.tell(number, [])


def test_a_search_whose_expansions_find_nothing_ends():
    search = Breadth(width=4)
    assert len(grown(search, ScriptedTree(failing=1.0), at_once=4)) == 1
    assert search.finished


def test_it_is_finished_only_when_nothing_under_way_can_change_that():
    search = Breadth(width=2)
    search.ask(2)
    assert not search.finished  # nothing can be chosen, but a result is to come
    search.tell(0, [])
    assert not search.finished  # it is told, and has not been looked at
    assert search.ask(2) == []
    assert search.finished


def test_once_decided_it_asks_for_nothing_more():
    search = Breadth(width=4, stop_at="a1")
    search.ask(4)
    search.tell(0, two("a"))
    assert search.ask(4) == []
    assert search.decided
    assert search.finished


def test_settling_counts_what_was_told_and_takes_the_rest_as_failed():
    search = Breadth(width=4)
    search.ask(4)
    search.tell(0, two("a"))
    search.ask(4)
    search.tell(2, two("c"))
    search.settle()
    assert search.applied == [0, 1, 2]
    assert all_texts(search.tree) == ["a0", "a1", "a1c0", "a1c1"]


def test_settling_a_decided_search_counts_nothing_more():
    search = Breadth(width=4, stop_at="a1")
    search.ask(4)
    search.tell(0, two("b"))
    search.ask(4)
    search.tell(1, two("a"))
    search.tell(2, two("c"))  # came early enough to be told, and would not be in the tree had it come later
    search.settle()
    assert search.decided
    assert all_texts(search.tree) == ["b0", "b1", "b0a0", "b0a1"]


def test_new_nodes_below_the_limit_are_closed_and_those_without_a_value_are_not():
    search = Breadth(prune=0.5)
    search.ask()
    values = [0.49, 0.5, None, 0.0]
    search.tell(0, [Child(text=f"{at}", value=value) for at, value in enumerate(values)])
    assert [expansion.node for expansion in search.ask()] == [2]
    assert [search.tree.closed(node) for node in range(5)] == [False, True, False, False, True]


def test_a_width_below_one_is_refused():
    with pytest.raises(InvalidInputError, match="width must be at least 1, not 0"):
        Breadth(width=0)


def test_it_says_where_it_is():
    search = Breadth(width=4)
    search.ask()
    assert repr(search) == "Breadth(asked=1, counted=0, tree=Tree(nodes=1, complete=0))"


def test_thousands_of_expansions_are_asked_and_told_in_any_order():
    search = Breadth(most=4_000, width=64)
    grown(search, ScriptedTree(depth=99, ending=0.0), at_once=64, order=random.Random(1))
    assert len(search.tree) == 8_001
