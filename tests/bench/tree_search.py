"""What the controller of a tree search costs with instant scripted values: `python tests/bench/tree_search.py`.

Prints, in one run, the median processor time of searches to trees of 800 to 100,000 nodes, the time per node, which
stays the same where a search is linear in its nodes, and the bytes per node besides texts (rows of the tree, lists,
dictionaries and what the search itself keeps). Where `treequest` is installed (`pip install treequest==0.3.3`) it is
given the same task of 800 nodes: in place, and copying its state at every step, as it does by default.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence

from orchestrator.search import Child, Search
from orchestrator.search.puct import Puct

REPEATS = 3
SIZES = (800, 10_000, 100_000)
Steps = Sequence[Sequence[Child]]


def steps(nodes: int, k: int) -> Steps:
    """Expansions of `k` children each, enough for a tree of `nodes`; made before the clock starts."""
    return [
        [Child(text=f"step {i} {j}", value=((i * 7919 + j * 104729) % 1009) / 1009) for j in range(k)]
        for i in range(nodes + 64)  # those under way at the end are not in the tree
    ]


def grow(search: Search, nodes: int, given: Steps, *, width: int) -> None:
    """Ask and tell until the tree has `nodes` nodes."""
    tree = search.tree
    while len(tree) <= nodes:
        for expansion in search.ask(width):
            search.tell(expansion.number, given[expansion.number][: expansion.children])


def puct(*, branching: int, widening: float, width: int = 1) -> Callable[[int], Search]:
    """A fresh MCTS for trees of so many nodes; it starts at the root each time, since no step is the last."""
    return lambda nodes: Puct(
        num_simulations=2 * nodes, branching=branching, widening=widening, width=width, descend=False
    )


SEARCHES: dict[str, tuple[Callable[[int], Search], int, int]] = {
    # what it is: how it is made, children an expansion has at most, expansions asked for at a time
    "MCTS, 1 child a simulation": (puct(branching=1, widening=0.3), 1, 1),
    "MCTS, 3 children": (puct(branching=3, widening=0.3), 3, 1),
    "MCTS, 3 children, no widening": (puct(branching=3, widening=0.0), 3, 1),
    "MCTS, 3 children, width 8": (puct(branching=3, widening=0.3, width=8), 3, 8),
    "MCTS, flat": (puct(branching=2, widening=1.0), 2, 1),
}

# Algorithms of treequest, and whether they change their state in place instead of copying it.
PEERS = [("StandardMCTS", True), ("StandardMCTS", False)]


def median_seconds(what: Callable[[], None]) -> float:
    """The median of a few runs."""
    taken = []
    for _ in range(REPEATS):
        gc.collect()
        start = time.process_time()
        what()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def seconds(name: str, nodes: int) -> float:
    """Time of one search, the making of its texts and values excluded."""
    make, k, width = SEARCHES[name]
    given = steps(nodes, k)
    return median_seconds(lambda: grow(make(nodes), nodes, given, width=width))


def bytes_per_node(name: str, nodes: int) -> float:
    """What a search keeps: by the interpreter's count, and by its own of what is beyond the interpreter."""
    make, k, width = SEARCHES[name]
    given = steps(nodes, k)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    search = make(nodes)
    grow(search, nodes, given, width=width)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    beyond = getattr(search, "bytes", search.tree.bytes)()
    return (after - before + beyond) / nodes


def treequest_seconds(algorithm: str, nodes: int, *, in_place: bool) -> float:
    """A peer's algorithm as it comes, on the same values; the copying one runs once, for its time."""
    import treequest

    sys.setrecursionlimit(100_000)  # copying goes as deep as the tree
    search = getattr(treequest, algorithm)()
    given = [(one[0].text, one[0].value) for one in steps(nodes, 1)]

    def run() -> None:
        state, left = search.init_tree(), iter(given)
        for _ in range(nodes):
            state = search.step(state, {"step": lambda _parent: next(left)}, inplace=in_place)

    if in_place:
        return median_seconds(run)
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="searches whose name contains this")
    chosen = [name for name in SEARCHES if parser.parse_args().only in name]
    print(f"Python {platform.python_version()}, median of {REPEATS}\n")
    print(f"{'search':<32}" + "".join(f"{f'{size:,} nodes':>24}" for size in SIZES) + f"{'bytes a node':>14}")
    for name in chosen:
        cells = []
        for size in SIZES:
            taken = seconds(name, size)
            cells.append(f"{taken * 1e3:>12.1f} ms {taken / size * 1e6:>5.1f} µs")
        print(
            f"{name:<32}"
            + "".join(f"{cell:>24}" for cell in cells)
            + f"{bytes_per_node(name, SIZES[1]):>14.0f}"
        )
    if importlib.util.find_spec("treequest") is None:
        print("\ntreequest is not installed: no comparison")
        return
    print(f"\n{'peer':<32}{f'{SIZES[0]:,} nodes':>24}")
    for algorithm, in_place in PEERS:
        taken = treequest_seconds(algorithm, SIZES[0], in_place=in_place)
        label = f"{algorithm}, {'in place' if in_place else 'by default'}"
        print(f"{label:<32}{taken * 1e3:>12.1f} ms {taken / SIZES[0] * 1e6:>5.0f} µs")


if __name__ == "__main__":
    main()
