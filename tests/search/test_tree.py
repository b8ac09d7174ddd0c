"""The tree: rows of numbers beside spans of text, compared with a plain one of objects."""

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InvalidInputError
from orchestrator.search import ROOT, Child, Tree
from orchestrator.types import Candidate, Sample


@dataclass
class Node:
    """A node as an object with its parent, which remembers all that happened to it."""

    parent: "Node | None"
    child: Child
    children: list["Node"] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    pending: int = 0

    def above(self):
        """Itself and all above it."""
        return [self, *([] if self.parent is None else self.parent.above())]


CHILDREN = st.builds(
    Child,
    text=st.text("ab ", max_size=3),
    value=st.none() | st.floats(0, 1),
    prior=st.floats(0, 10),
    tokens=st.integers(0, 2**40),
    complete=st.booleans(),
)
DOINGS = st.lists(
    st.tuples(st.sampled_from(["grow", "begin", "abandon", "backup", "close"]), st.integers(0, 30), CHILDREN),
    max_size=60,
)


@given(doings=DOINGS)
def test_it_holds_what_a_tree_of_objects_holds(doings):
    tree, nodes = Tree(), [Node(None, Child(text=""))]
    closed = set()
    for doing, number, child in doings:
        at = number % len(nodes)
        node = nodes[at]
        if doing == "grow" and not node.child.complete:
            assert tree.grow(at, [child], arm=3) == [len(nodes)]
            nodes.append(Node(node, child))
            node.children.append(nodes[-1])
        elif doing == "begin":
            tree.begin(at)
            for one in node.above():
                one.pending += 1
        elif doing == "abandon" and all(one.pending for one in node.above()):
            tree.abandon(at)
            for one in node.above():
                one.pending -= 1
        elif doing == "backup":
            tree.backup(at, child.prior)
            for one in node.above():
                one.found.append(child.prior)
        elif doing == "close":
            tree.close(at)
            closed.add(at)
    places = {id(node): at for at, node in enumerate(nodes)}
    assert len(tree) == len(nodes)
    for at, node in enumerate(nodes):
        way = node.above()[::-1]
        assert tree.text(at) == "".join(one.child.text for one in way)
        assert tree.path(at) == [places[id(one)] for one in way[1:]]
        assert tree.depth(at) == len(way) - 1
        assert tree.parent(at) == (None if node.parent is None else places[id(node.parent)])
        assert tree.children(at) == [places[id(one)] for one in node.children]
        assert tree.child_count(at) == len(node.children)
        assert (tree.visits(at), tree.pending(at)) == (len(node.found), node.pending)
        assert tree.total(at) == sum(node.found)
        assert tree.mean(at) == (sum(node.found) / len(node.found) if node.found else None)
        assert tree.closed(at) == (at in closed)
        if at:
            kept = tree.value(at), tree.prior(at), tree.tokens(at), tree.complete(at), tree.arm(at)
            given_as = node.child
            assert kept == (given_as.value, given_as.prior, given_as.tokens, given_as.complete, 3)


def test_abandoning_above_a_visit_under_way_takes_none_away_twice():
    tree = Tree()
    [first] = tree.grow(ROOT, [Child(text="a")])
    tree.begin(first)
    tree.abandon(ROOT)  # had not begun there, but one is under way below
    with pytest.raises(InvalidInputError, match="no visit is under way at node 0"):
        tree.abandon(first)
    assert (tree.pending(ROOT), tree.pending(first)) == (0, 1)


def test_the_candidates_of_complete_nodes_are_kept_by_number():
    tree = Tree()
    candidate = Candidate(sample=Sample(text="ab"), answer=None)
    [first] = tree.grow(ROOT, [Child(text="a", value=0.5)])
    _, last = tree.grow(first, [Child(text="c"), Child(text="b", complete=True, candidate=candidate)])
    assert tree.candidates == {last: candidate}
    assert tree.text(last) == "ab"
    assert repr(tree) == "Tree(nodes=4, complete=1)"


def test_values_can_be_given_later_and_taken_back():
    tree = Tree()
    [node] = tree.grow(ROOT, [Child(text="a")])
    assert tree.value(node) is None
    tree.set_value(node, 0.25)
    assert tree.value(node) == 0.25
    tree.set_value(node, None)
    assert tree.value(node) is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda tree: tree.grow(9, [Child(text="b")]), "no node 9 in a tree of 2"),
        (lambda tree: tree.grow(1, [Child(text="b")]), "node 1 is complete"),
        (lambda tree: tree.grow(0, [Child(text="b", value=math.inf)]), "value must be finite"),
        (
            lambda tree: tree.grow(0, [Child(text="b", prior=-1.0)]),
            "prior must be finite and at least 0, not -1",
        ),
        (lambda tree: tree.grow(0, [Child(text="b", prior=math.nan)]), "prior must be finite"),
        (lambda tree: tree.backup(0, math.nan), "must be finite"),
        (lambda tree: tree.abandon(0), "no visit is under way at node 0"),
        (lambda tree: tree.text(2), "no node 2"),
        (lambda tree: tree.value(2), "no node 2"),
        (lambda tree: tree.children(7), "no node 7"),
        (lambda tree: tree.close(7), "no node 7"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(wrong, says):
    tree = Tree()
    tree.grow(ROOT, [Child(text="a", complete=True)])
    with pytest.raises(InvalidInputError, match=says):
        wrong(tree)
    assert (len(tree), tree.spans, tree.pending(0), tree.visits(0)) == (2, ["", "a"], 0, 0)


def test_a_hundred_thousand_nodes_take_less_than_300_bytes_each_beside_their_text():
    tree = Tree()
    for parent in range(20_000):
        tree.grow(parent, [Child(text="a", value=0.5)] * 5)
    assert tree.bytes() / len(tree) < 300
    assert tree.depth(100_000) == 8  # 1 + 5 + 25 + ... + 5^7 = 97656 nodes are above the eighth level
