"""The union-find against a slow transitive closure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.clustering import transitive_closure

from orchestrator import _core

pairs = st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=12)


@given(size=st.integers(0, 9), equal=pairs)
def test_a_partition_is_the_transitive_closure_of_its_pairs(size: int, equal: set[tuple[int, int]]) -> None:
    partition, closure = (
        _core.Partition(),
        transitive_closure(range(size), lambda a, b: (a, b) in equal),
    )
    for node in range(size):
        earlier = [other for other in range(node) if {(node, other), (other, node)} & equal]
        assert partition.add_node(earlier) == node
        partition.add(node)
    assert partition.ids == closure
    assert partition.nodes == [
        [node for node in range(size) if closure[node] == number] for number in range(len(partition.nodes))
    ]
    assert all(
        partition.together(a, b) == (closure[a] == closure[b]) for a in range(size) for b in range(size)
    )


@given(size=st.integers(0, 9), equal=pairs)
def test_a_label_that_add_returned_leads_to_the_final_cluster_by_the_merges(
    size: int, equal: set[tuple[int, int]]
) -> None:
    partition, returned = _core.Partition(), []
    for node in range(size):
        partition.add_node([other for other in range(node) if {(node, other), (other, node)} & equal])
        returned.append(partition.add(node))
    became = dict(partition.merges)
    assert len(became) == len(partition.merges)  # a label is retired once
    for sample, label in enumerate(returned):
        while label in became:
            assert became[label] < label
            label = became[label]
        assert partition.labels[partition.ids[sample]] == label


@given(
    samples=st.lists(st.tuples(st.none() | st.integers(0, 4), st.integers(0, 8)), max_size=12),
    equal=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=4),
)
def test_sizes_weights_and_members_add_up_over_the_final_clusters(
    samples: list[tuple[int | None, int]], equal: set[tuple[int, int]]
) -> None:
    partition = _core.Partition()
    for node in range(5):
        partition.add_node([other for other in range(node) if {(node, other), (other, node)} & equal])
    for node, eighths in samples:
        partition.add(node, eighths / 8)
    ids, clusters = partition.ids, range(len(partition.sizes))
    assert partition.members == [[at for at, own in enumerate(ids) if own == c] for c in clusters]
    assert partition.sizes == [ids.count(c) for c in clusters]
    assert partition.weights == [sum(samples[at][1] for at in own) / 8 for own in partition.members]
    assert partition.abstentions == ids.count(None)
    assert partition.weight == sum(eighths for _, eighths in samples) / 8
    assert partition.counts == [[node for node, _ in samples].count(node) for node in range(5)]


def test_labels_are_stable_and_numbers_are_dense() -> None:
    partition = _core.Partition()
    assert [partition.add(partition.add_node(equal)) for equal in ([], [], [], [0, 1])] == [0, 1, 2, 0]
    assert partition.add(2) == 2
    assert (partition.labels, partition.merges) == ([0, 2], [(1, 0)])
    assert partition.ids == [0, 0, 1, 0, 1]


def test_a_node_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no node 3"):
        _core.Partition().add_node([3])
