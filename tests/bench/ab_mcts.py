"""What AB-MCTS's decisions cost with instant scripted values: `python tests/bench/ab_mcts.py`.

Prints, in one run, the median processor time of searches to trees of 1,000 and 10,000 nodes, what a node takes, the
most children a node has (a decision draws once for each child on its way) and the bytes per node besides texts and
Python objects. The task is that of treequest's own profile of this algorithm: two models, of which one makes an
answer better by up to 0.3 and the other worse. Where `treequest` is installed (`pip install treequest==0.3.3`) its
`ABMCTSA` is given the same task of 1,000 nodes, one at a time and in batches; that is run once, for its time.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import platform
import random
import statistics
import time

from orchestrator.search import AdaptiveBranching, Child
from orchestrator.search.adaptive_branching import Posterior

REPEATS = 5
SIZES = (1_000, 10_000)
CHANGES = ((-0.1, 0.3), (-0.3, 0.1))  # what the two models add to a score, at least and at most
WIDTHS = (1, 8)


def refined(rng: random.Random, before: float | None, arm: int) -> float:
    """The score of an answer that this model writes in the light of one with the score `before`."""
    start = 0.5 if before is None else before
    return min(1.0, max(0.0, start + rng.uniform(*CHANGES[arm])))


def seconds(nodes: int, posterior: Posterior, width: int) -> tuple[float, AdaptiveBranching]:
    """Processor time of one search, and the search."""
    rng = random.Random(42)
    gc.collect()
    start = time.process_time()
    search = AdaptiveBranching(num_nodes=nodes, seed=1, posterior=posterior, arms=2, width=width)
    while asked := search.ask(width):
        for one in asked:
            value = refined(rng, search.tree.value(one.node), one.arm)
            search.tell(one.number, (Child(text="", value=value),))
    search.settle()
    return time.process_time() - start, search


def treequest_seconds(nodes: int, posterior: Posterior, width: int) -> float:
    """The peer's time, asked for batches of `width`, its state changed in place."""
    import treequest

    rng = random.Random(42)
    algorithm = treequest.ABMCTSA(dist_type=posterior)
    arms = ["0", "1"]
    start = time.process_time()
    state = algorithm.init_tree()
    for _ in range(-(-nodes // width)):
        state, trials = algorithm.ask_batch(state, width, arms)
        for trial in trials:
            value = refined(rng, trial.parent_state, int(trial.action))
            state = algorithm.tell(state, trial.trial_id, (value, value))
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alone", action="store_true", help="leave treequest out")
    compared = not parser.parse_args().alone and importlib.util.find_spec("treequest") is not None
    print(f"Python {platform.python_version()}, median of {REPEATS}\n")
    print(f"{'search':<24}{'nodes':>8}{'time':>12}{'a node':>12}{'most children':>15}{'bytes a node':>14}")
    for posterior in ("gaussian", "beta"):
        for width in WIDTHS:
            for nodes in SIZES:
                runs = [seconds(nodes, posterior, width) for _ in range(REPEATS)]
                taken, search = statistics.median(run[0] for run in runs), runs[0][1]
                most = max(search.tree.child_count(node) for node in range(len(search.tree)))
                print(
                    f"{f'{posterior}, width {width}':<24}{nodes:>8,}{taken * 1e3:>9.1f} ms"
                    f"{taken / nodes * 1e6:>9.1f} µs{most:>15,}{search.bytes() / nodes:>14.0f}"
                )
    if not compared:
        print("\ntreequest is not installed, or left out: no comparison")
        return
    for posterior in ("gaussian", "beta"):
        for width in WIDTHS:
            taken, nodes = treequest_seconds(SIZES[0], posterior, width), SIZES[0]
            label = f"treequest {posterior}, {width}"
            print(f"{label:<24}{nodes:>8,}{taken * 1e3:>9.1f} ms{taken / nodes * 1e6:>9.1f} µs")


if __name__ == "__main__":
    main()
