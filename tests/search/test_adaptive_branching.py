import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import ab_mcts as reference
from scipy import stats
from search.scripted_trees import ScriptedTree, grown, rows

from orchestrator import _core
from orchestrator.errors import InvalidInputError
from orchestrator.search import ROOT, AdaptiveBranching, Child, Expansion, Search, Tree

SEEDS = st.integers(0, 2**64 - 1)
LOG_GAMMA_SHAPES = (1e-3, 0.3, 0.999)
PAPER = {"gaussian": reference.Gaussian(), "beta": reference.Beta()}


# Draws -----------------------------------------------------------------------------------------------------


def drawn(method, *args, n=4000, seed=2025):
    stream = _core.RandomStream(seed, 1)
    draw = getattr(stream, method)
    return [draw(*args) for _ in range(n)]


@pytest.mark.parametrize(
    ("method", "args", "distribution"),
    [
        ("uniform", (), stats.uniform()),
        ("normal", (), stats.norm()),
        *(("gamma", (shape,), stats.gamma(shape)) for shape in (1.0, 1.5, 7.0, 300.0)),
        *(("log_gamma", (shape,), stats.loggamma(shape)) for shape in (*LOG_GAMMA_SHAPES, 1.0, 4.0)),
        *(("beta", pair, stats.beta(*pair)) for pair in ((0.5, 0.5), (1.0, 1.0), (2.5, 0.7), (40.0, 9.0))),
        ("inverse_chi_square", (1.0, 0.1), stats.invgamma(0.5, scale=0.05)),
        ("inverse_chi_square", (9.0, 0.4), stats.invgamma(4.5, scale=1.8)),
    ],
)
def test_draws_follow_their_distribution(method, args, distribution):
    assert stats.kstest(drawn(method, *args), distribution.cdf).pvalue > 0.001


def test_draws_of_one_stream_are_independent_of_each_other():
    first = drawn("normal", n=8000)
    assert abs(stats.pearsonr(first[:-1], first[1:]).statistic) < 0.05
    assert stats.kstest(drawn("normal", seed=1), drawn("normal", seed=2)).pvalue > 0.001


# After 0.25 and 0.75: kappa 1 + 2, nu 1 + 2, nu tau2 0.1 + 0.125 + 2/3 * 0.25; the mean is a Student t of 3 degrees.
def test_the_mean_of_normal_scores_is_a_students_t():
    stream, prior = _core.RandomStream(5, 5), _core.GaussianPrior()
    means = [stream.mean(prior, (2, 1.0, 0.625)) for _ in range(4000)]
    nu_tau2 = 0.1 + 0.125 + 2 / 3 * 0.25
    scale = math.sqrt(nu_tau2 / 3 / 3)
    assert stats.kstest(means, stats.t(3, loc=1 / 3, scale=scale).cdf).pvalue > 0.001


def test_the_mean_of_beta_scores_is_a_beta():
    stream, prior = _core.RandomStream(5, 5), _core.BetaPrior()
    means = [stream.mean(prior, (2, 1.25, 0.0)) for _ in range(4000)]
    assert stats.kstest(means, stats.beta(1.75, 1.25).cdf).pvalue > 0.001


@settings(max_examples=40)
@given(
    seed=SEEDS,
    at=SEEDS,
    pairs=st.lists(st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6)), max_size=10),
)
def test_every_draw_is_the_same_number_as_by_its_definition(seed, at, pairs):
    fast, plain = _core.RandomStream(seed, at), reference.Draws(seed, at)
    for shape, other in pairs:
        assert fast.uniform() == plain.uniform()
        assert fast.normal() == plain.normal()
        assert fast.log_gamma(shape) == plain.log_gamma(shape)
        assert fast.gamma(1 + shape) == plain.gamma(1 + shape)
        assert fast.beta(shape, other) == plain.beta(shape, other)
        assert fast.inverse_chi_square(shape, other) == plain.inverse_chi_square(shape, other)


SCORES = st.lists(st.integers(0, 16).map(lambda sixteenths: sixteenths / 16), max_size=30)


@settings(max_examples=100)
@given(seed=SEEDS, scores=SCORES, pending=st.integers(0, 9))
def test_a_mean_drawn_from_sums_is_that_of_the_scores(seed, scores, pending):
    sums = (len(scores), sum(scores), sum(score * score for score in scores))
    for fast, plain in ((_core.GaussianPrior(), PAPER["gaussian"]), (_core.BetaPrior(), PAPER["beta"])):
        by_sums = _core.RandomStream(seed, 0).mean(fast, sums, pending)
        assert by_sums == pytest.approx(
            plain.draw(scores, pending, reference.Draws(seed, 0)), rel=1e-9, abs=1e-9
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda: _core.GaussianPrior(kappa=0),
        lambda: _core.GaussianPrior(m=math.nan),
        lambda: _core.BetaPrior(alpha=-1),
        lambda: _core.RandomStream(0).gamma(0.5),
        lambda: _core.RandomStream(0).log_gamma(0),
        lambda: _core.RandomStream(0).beta(1, math.nan),
    ],
)
def test_parameters_out_of_range_are_refused(make):
    with pytest.raises(InvalidInputError, match="must be"):
        make()


# Small trees -----------------------------------------------------------------------------------------------


def with_tree(seed, values, **options):
    """A search that has found these values: `values` are parents and values, in the order of the nodes."""
    search = AdaptiveBranching(num_nodes=10_000, seed=seed, **options)
    for parent, value in values:
        while (asked := search.ask()[0]).node != parent:
            search.tell(asked.number, [])
        search.tell(asked.number, [Child(text="x", value=value)])
    search.settle()
    return search


def next_nodes(values, *, seeds=400, **options):
    """How often each node is expanded next, over many seeds."""
    counts = [0] * (len(values) + 1)
    for seed in range(seeds):
        counts[with_tree(seed, values, **options).ask()[0].node] += 1
    return counts


def test_the_first_expansion_is_of_the_root():
    assert next_nodes([], seeds=5) == [5]


@pytest.mark.parametrize("posterior", ["gaussian", "beta"])
def test_the_share_of_new_answers_is_the_chance_that_gen_draws_higher(posterior):
    # GEN has seen 0.5, CONT nothing: their draws' distributions are known, and so is the chance of either.
    gen, cont = {
        "gaussian": (stats.t(2, 0.25, math.sqrt((0.1 + 0.125) / 2 / 2)), stats.t(1, 0, math.sqrt(0.1))),
        "beta": (stats.beta(1, 1), stats.beta(0.5, 0.5)),
    }[posterior]
    chance = cont.cdf(gen.ppf((np.arange(2000) + 0.5) / 2000)).mean()
    root, child = next_nodes([(0, 0.5)], seeds=2000, posterior=posterior)
    assert root + child == 2000
    assert root / 2000 == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / 2000))


def test_where_refining_helped_it_goes_on():
    root, *below = next_nodes([(0, 0.0), (1, 1.0), (1, 1.0)])
    assert sum(below) > 4 * root


def test_where_refining_made_it_worse_it_draws_anew():
    root, *below = next_nodes([(0, 0.8), (0, 0.9), (1, 0.0), (2, 0.0)])
    assert root > 2 * sum(below)


def test_it_goes_on_from_the_better_of_two():
    _, worse, better = next_nodes([(0, 0.1), (0, 0.9)])
    assert better > 2 * worse > 0


def test_an_unjudged_answer_counts_as_the_lowest():
    assert next_nodes([(0, None), (0, 0.9)]) == next_nodes([(0, 0.0), (0, 0.9)])


def test_nodes_at_the_greatest_depth_and_closed_ones_are_not_gone_on_from():
    assert next_nodes([(0, 0.9), (0, 0.9)], max_depth=1) == [400, 0, 0]
    _, pruned, kept = next_nodes([(0, 0.2), (0, 0.9)], prune=0.5)
    assert pruned == 0
    assert kept > 0


def test_complete_nodes_are_not_gone_on_from():
    for seed in range(50):
        search = AdaptiveBranching(num_nodes=2, seed=seed)
        [first] = search.ask()
        search.tell(first.number, [Child(text="x", value=1.0, complete=True)])
        assert search.ask()[0].node == ROOT


def test_it_ends_with_a_value_that_is_good_enough():
    search = AdaptiveBranching(num_nodes=9, seed=1, threshold=0.9, width=2)
    first, second = search.ask(2)
    search.tell(first.number, [Child(text="x", value=0.9, complete=True)])
    assert search.ask() == []
    search.tell(second.number, [])
    search.settle()
    assert search.decided
    assert search.finished


def test_a_beginning_of_a_solution_does_not_end_it_however_good_it_is():
    search = AdaptiveBranching(num_nodes=9, seed=1, threshold=0.9)
    [first] = search.ask()
    search.tell(first.number, [Child(text="x", value=1.0)])
    assert len(search.ask()) == 1
    assert not search.decided


def test_the_better_model_writes_more():
    search, values = AdaptiveBranching(num_nodes=200, seed=4, arms=3, posterior="beta"), (0.2, 0.8, 0.3)
    while asked := search.ask():
        search.tell(asked[0].number, [Child(text="x", value=values[asked[0].arm])])
    written = [search.scores_of_arm(arm) for arm in range(3)]
    assert [round(total, 6) for _, total in written] == [
        round(n * v, 6) for (n, _), v in zip(written, values, strict=True)
    ]
    assert written[1][0] > 150
    assert sum(n for n, _ in written) == 200


def test_failing_expansions_are_asked_for_so_many_times_and_no_more():
    search, asked = AdaptiveBranching(num_nodes=30, seed=1, width=4), 0
    while expansions := search.ask(4):
        for expansion in expansions:
            asked += 1
            search.tell(expansion.number, [])
    assert asked == 30
    assert search.finished
    assert len(search.tree) == 1
    assert search.tree.pending(ROOT) == 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"num_nodes": 0}, "num_nodes"),
        ({"posterior": "cauchy"}, "posterior"),
        ({"posterior": "beta", "prior_mean": 1.0}, "prior_mean"),
        ({"prior_weight": 0.0}, "kappa"),
        ({"prior_variance": -1.0}, "tau2"),
        ({"arms": 0}, "arm"),
        ({"max_depth": 0}, "max_depth"),
        ({"width": 0}, "width"),
    ],
)
def test_parameters_of_the_search_out_of_range_are_refused(options, named):
    with pytest.raises(InvalidInputError, match=named):
        AdaptiveBranching(**{"num_nodes": 4, "seed": 0, **options})


# Against the definition ------------------------------------------------------------------------------------


def found_by(script: ScriptedTree, text: str, number: int, arm: int) -> list[Child]:
    """What expansion `number` finds: a function of the way and its number, not of when it is carried out."""
    return script.children(text, 1, first=number, arm=arm)


def tree_of(search: Search, script: ScriptedTree, order: random.Random | None = None) -> list[tuple]:
    """The nodes as (parent, arm), when results come in this order."""
    waiting: list[Expansion] = []
    while True:
        waiting += search.ask(search.width - len(waiting))
        if not waiting:
            tree = search.tree
            return [(tree.parent(node), tree.arm(node)) for node in range(1, len(tree))]
        done = waiting.pop(0 if order is None else order.randrange(len(waiting)))
        found = found_by(script, search.tree.text(done.node), done.number, done.arm)
        for _ in range(1 if order is None else 2):
            search.tell(done.number, found)


def tree_by_definition(script, *, num_nodes, width, prune, **options) -> list[tuple]:
    spans, nodes = [""], [[]]

    def expand(number, way, arm):
        children = found_by(script, "".join(spans[node] for node in way), number, arm)
        spans.extend(child.text for child in children)
        nodes.extend([*way, len(nodes)] for _ in children)
        return [
            (child.value, not child.complete and (child.value is None or child.value >= prune))
            for child in children
        ]

    state = reference.ABMCTS(**options)
    found = reference.search(state, num_nodes=num_nodes, width=width, expand=expand)
    return [(parent, arm) for parent, arm, _ in found]


@settings(max_examples=60, deadline=None)
@given(
    script=st.builds(
        ScriptedTree,
        seed=st.integers(0, 2**32),
        depth=st.integers(2, 30),
        ending=st.sampled_from([0.0, 0.1, 0.4]),
        grades=st.sampled_from([2, 5, 17]),
        unjudged=st.sampled_from([0.0, 0.2]),
        failing=st.sampled_from([0.0, 0.2]),
    ),
    seed=SEEDS,
    posterior=st.sampled_from(["gaussian", "beta"]),
    num_nodes=st.integers(1, 40),
    width=st.sampled_from([1, 2, 8]),
    arms=st.integers(1, 3),
    max_depth=st.sampled_from([None, 1, 3]),
    prune=st.sampled_from([0.0, 0.3]),
    shuffled=st.booleans(),
)
def test_the_tree_is_that_of_the_definition(
    script, seed, posterior, num_nodes, width, arms, max_depth, prune, shuffled
):
    search = AdaptiveBranching(
        num_nodes=num_nodes,
        seed=seed,
        posterior=posterior,
        arms=arms,
        max_depth=max_depth,
        width=width,
        prune=prune,
    )
    fast = tree_of(search, script, random.Random(seed) if shuffled else None)
    plain = tree_by_definition(
        script,
        num_nodes=num_nodes,
        width=width,
        prune=prune,
        prior=PAPER[posterior],
        arms=arms,
        seed=seed,
        max_depth=max_depth,
    )
    assert fast == plain


def test_an_option_knows_the_scores_of_all_that_came_of_it():
    search = AdaptiveBranching(num_nodes=60, seed=3)
    script = ScriptedTree(seed=8, depth=40, ending=0.0, grades=17)
    tree_of(search, script)
    tree: Tree = search.tree
    below = [[] for _ in range(len(tree))]
    for node in reversed(range(1, len(tree))):
        below[node].append(tree.value(node))
        below[tree.parent(node)] += below[node]
    for node in range(len(tree)):
        assert tree.visits(node) == len(below[node])
        assert tree.total(node) == sum(below[node])
        assert tree.pending(node) == 0


# Side by side ----------------------------------------------------------------------------------------------


def refined(search, rng, *, at_once):
    """The best value found where a refinement is worth a little more than what it refines, or less."""
    best, waiting = 0.0, []
    while True:
        waiting += search.ask(at_once - len(waiting))
        if not waiting:
            return best
        done = waiting.pop(0)
        before = search.tree.value(done.node)
        value = rng.random() ** 3 if before is None else before + rng.uniform(-0.3, 0.2)
        value = min(1.0, max(0.0, value))
        best = max(best, value)
        search.tell(done.number, [Child(text="x", value=value)])


def test_eight_at_once_find_nearly_what_one_after_the_other_finds():
    def average(width):
        found = []
        for seed in range(60):
            search = AdaptiveBranching(num_nodes=64, seed=seed, width=width)
            found.append(refined(search, random.Random(seed), at_once=width))
            assert len(search.tree) == 65
        return sum(found) / len(found)

    one, eight = average(1), average(8)
    assert one > 0.8
    assert eight > one - 0.05


def test_expansions_under_way_make_an_uncertain_option_less_likely_to_be_taken_again():
    # The second child is barely known, and is drawn high for that alone; under way, it counts as known better.
    values = [(0, 0.6), (0, 0.3), *[(1, 0.6)] * 3, (0, 0.2)]
    free = next_nodes(values)[-1]
    again = 0
    for seed in range(400):
        search = with_tree(seed, values)
        for _ in range(3):
            search.tree.begin(len(values))
        again += search.ask()[0].node == len(values)
    assert 0 < again < 0.8 * free


def test_the_tree_does_not_depend_on_the_order_of_results_nor_on_telling_twice():
    script = ScriptedTree(seed=1, depth=20, ending=0.1, grades=17)
    trees = []
    for order in (None, random.Random(1), random.Random(2)):
        search = AdaptiveBranching(num_nodes=50, seed=7, width=8)
        tree_of(search, script, order)
        trees.append(rows(search.tree))
    assert trees[0] == trees[1] == trees[2]


def test_another_seed_grows_another_tree():
    script = ScriptedTree(seed=1, depth=20, ending=0.0, grades=17)
    first, again, other = (AdaptiveBranching(num_nodes=30, seed=seed) for seed in (1, 1, 2))
    for search in (first, again, other):
        grown(search, script)
    assert rows(first.tree) == rows(again.tree) != rows(other.tree)


def test_memory_of_a_node_is_bounded():
    search = AdaptiveBranching(num_nodes=5000, seed=1, width=4)
    rng = random.Random(1)
    while asked := search.ask(4):
        for expansion in asked:
            search.tell(expansion.number, [Child(text="", value=rng.random())])
    assert search.bytes() / len(search.tree) < 300
