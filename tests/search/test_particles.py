"""The particle filter and particle Gibbs as search states: weights, resampling, references, the exact posterior."""

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import particles as plain
from search.scripted_trees import ScriptedTree, all_texts, grown, rows

from orchestrator.errors import InvalidInputError
from orchestrator.search import Child, Particles, ParticleSweeps
from orchestrator.search.particles import log_likelihood


def told(search, *found):
    """The nodes that were asked for, round by round, each expansion told what `found` has for it."""
    asked = []
    for values in found:
        new = search.ask(100)
        asked.append([(expansion.node, expansion.children) for expansion in new])
        for expansion, children in zip(new, values, strict=True):
            search.tell(expansion.number, children)
    search.settle()
    return asked


def steps(*values, complete=False):
    return [Child(text=f"{value} ", value=value, complete=complete) for value in values]


def weights(search):
    return {one.node: round(math.exp(one.log_weight), 6) for one in search.cloud}


# What a score says -----------------------------------------------------------------------------------------


def test_the_likelihood_is_the_odds_or_the_probability_to_the_power_of_one_over_the_temperature():
    assert math.exp(log_likelihood(0.8)) == pytest.approx(4)
    assert math.exp(log_likelihood(0.8, "probability")) == pytest.approx(0.8)
    assert math.exp(log_likelihood(0.8, temperature=0.5)) == pytest.approx(16)
    assert math.exp(log_likelihood(0.64, "probability", temperature=2)) == pytest.approx(0.8)


@pytest.mark.parametrize("likelihood", ["odds", "probability"])
def test_scores_of_zero_and_one_are_finite(likelihood):
    assert math.exp(log_likelihood(0.0, likelihood)) == pytest.approx(1e-7, rel=1e-6)
    top = math.exp(log_likelihood(1.0, likelihood))
    assert top == pytest.approx(1e7 if likelihood == "odds" else 1, rel=1e-6)


# Hand-checked ----------------------------------------------------------------------------------------------


def test_the_first_steps_are_one_expansion_and_so_are_the_copies_of_a_node():
    search = Particles(particles=4, max_steps=3)
    # odds 3, 1, 1/3, 1/3: shares .643 .214 .071 .071 of 4: 2.57, .86, .29, .29
    first, second = told(search, [steps(0.75, 0.5, 0.25, 0.25)], [steps(0.5), steps(0.5), steps(0.5)])
    assert first == [(0, 4)]
    assert sum(children for _, children in second) == 4
    assert dict(second)[1] in (2, 3)


def test_weights_since_the_last_resampling_multiply():
    search = Particles(particles=2, max_steps=3, ess_threshold=0)
    told(search, [steps(0.75, 0.5)], [steps(0.5), steps(0.8)], [steps(0.2, complete=True), steps(0.6)])
    # odds 3 * 1 * 1/4 against 1 * 4 * 3/2
    assert weights(search) == {5: round(0.75 / 6.75, 6), 6: round(6 / 6.75, 6)}
    assert math.exp(search.log_normalizer) == pytest.approx(6.75 / 2)
    assert search.resampled == 0


def test_with_the_target_solution_the_last_score_stands_for_all():
    search = Particles(particles=2, max_steps=3, ess_threshold=0, target="solution")
    told(search, [steps(0.75, 0.5)], [steps(0.5), steps(0.8)], [steps(0.2, complete=True), steps(0.6)])
    # odds 1/4 against 3/2, whatever was before
    assert weights(search) == {5: round(0.25 / 1.75, 6), 6: round(1.5 / 1.75, 6)}
    assert math.exp(search.log_normalizer) == pytest.approx(1.75 / 2)


def test_resampling_waits_for_the_effective_sample_size_and_forgets_the_weights():
    search = Particles(particles=4, max_steps=3, ess_threshold=0.6, likelihood="probability")
    kept = [steps(0.5), steps(0.5), steps(0.5), steps(0.125)]
    asked = told(search, [steps(0.8, 0.8, 0.8, 0.4)], kept, [steps(0.5)] * 4)
    # .8 .8 .8 .4: size 3.77, not below 2.4; then .4 .4 .4 .05: size 3.24
    assert asked[1:] == [[(1, 1), (2, 1), (3, 1), (4, 1)], [(5, 1), (6, 1), (7, 1), (8, 1)]]
    assert search.resampled == 0

    search = Particles(particles=4, max_steps=2, ess_threshold=0.6, likelihood="probability")
    told(search, [steps(0.8, 0.1, 0.1, 0.1)])
    asked = search.ask(4)  # size 1.21 / .67 = 1.81: 2.9 copies of the first, .36 of each other
    assert search.resampled == 1
    assert asked[0].node == 1
    assert asked[0].children in (2, 3)
    for expansion in asked:
        search.tell(expansion.number, steps(*[0.5] * expansion.children))
    search.settle()
    assert list(weights(search).values()) == [0.25] * 4  # .8 and .1 have had their effect


def test_a_finished_solution_takes_part_in_resampling_but_takes_no_step():
    search = Particles(particles=2, max_steps=3)
    done = Child(text="done", value=1.0, complete=True)
    assert told(search, [[done, *steps(0.5)]], []) == [[(0, 2)], []]  # both are copies of it
    assert search.finished
    assert search.shares() == {1: pytest.approx(1.0)}


def test_a_finished_solution_is_weighed_again_in_every_round_it_waits():
    done = Child(text="done", value=0.75, complete=True)
    rounds = ([[done, *steps(0.75)]], [steps(0.75)], [steps(0.5, complete=True)])
    search = Particles(particles=2, max_steps=4, ess_threshold=0)
    told(search, *rounds)
    assert weights(search) == {1: 0.75, 4: 0.25}  # 3 * 3 * 3 against 3 * 3 * 1
    search = Particles(particles=2, max_steps=4, ess_threshold=0, target="solution")
    told(search, *rounds)
    assert weights(search) == {1: 0.75, 4: 0.25}  # 3 against 1


def test_a_particle_without_a_score_keeps_its_share():
    search = Particles(particles=4, max_steps=2, ess_threshold=0)
    told(search, [steps(0.75, 0.5, 0.25, None)])
    assert weights(search)[4] == 0.25
    assert [weights(search)[node] for node in (1, 2, 3)] == [
        round(0.75 * odds / (3 + 1 + 1 / 3), 6) for odds in (3, 1, 1 / 3)
    ]


def test_with_the_target_solution_a_later_score_makes_up_for_a_missing_one():
    search = Particles(particles=2, max_steps=2, ess_threshold=0, target="solution")
    told(search, [steps(0.75, None)], [steps(0.5), steps(0.8)])
    assert weights(search) == {3: 0.2, 4: 0.8}  # odds 1 against 4


def test_where_nobody_has_a_score_nothing_changes():
    search = Particles(particles=3, max_steps=2)
    asked = told(search, [steps(None, None, None)], [steps(None)] * 3)
    assert asked[1] == [(1, 1), (2, 1), (3, 1)]
    assert set(weights(search).values()) == {round(1 / 3, 6)}
    assert search.log_normalizer == 0


def test_scores_that_are_all_zero_leave_all_particles_alike():
    search = Particles(particles=3, max_steps=2)
    asked = told(search, [steps(0.0, 0.0, 0.0)], [steps(0.0)] * 3)
    assert asked[1] == [(1, 1), (2, 1), (3, 1)]
    assert set(weights(search).values()) == {round(1 / 3, 6)}


def test_a_score_of_one_among_zeros_takes_all():
    search = Particles(particles=5, max_steps=2)
    assert told(search, [steps(0.0, 0.0, 1.0, 0.0, 0.0)], [steps(*[0.0] * 5)])[1] == [(3, 5)]


# What fails ------------------------------------------------------------------------------------------------


def test_a_lost_particle_leaves_its_weight_to_those_from_the_same_node():
    search = Particles(particles=4, max_steps=3, ess_threshold=0, likelihood="probability")
    told(search, [steps(0.5, 0.25)])
    assert weights(search) == {1: round(2 / 3, 6), 2: round(1 / 3, 6)}
    assert math.exp(search.log_normalizer) == pytest.approx(0.375)


def test_a_lost_particle_that_was_alone_dies_and_resampling_makes_up_for_it():
    search = Particles(particles=4, max_steps=3)
    asked = told(search, [steps(*[0.5] * 4)], [steps(0.5), [], steps(0.5), []], [steps(0.5, 0.5)] * 2)
    assert asked[2] == [(5, 2), (6, 2)]
    assert len(search.cloud) == 4


def test_when_all_die_the_particles_are_drawn_again_from_where_they_were():
    search = Particles(particles=2, max_steps=4)
    lost = [[], []]
    asked = told(search, [steps(0.5, 0.5)], lost, [steps(0.75), steps(0.5)])
    assert asked[1] == asked[2] == [(1, 1), (2, 1)]
    assert weights(search) == {3: 0.75, 4: 0.25}


def test_when_all_die_that_were_resampled_the_particles_before_that_are_resampled_again():
    search = Particles(particles=2, max_steps=4)
    asked = told(search, [steps(0.9, 0.1)], [[]])
    assert asked[1] == [(1, 2)]  # both copies are of the first
    assert weights(search) == {1: round(81 / 82, 6), 2: round(1 / 82, 6)}


def test_a_search_whose_calls_all_fail_ends():
    search = Particles(particles=3, max_steps=4)
    assert told(search, [[]], [[]], [[]], [[]], []) == [[(0, 3)]] * 4 + [[]]
    assert search.finished
    assert search.shares() == {}


def test_pruned_nodes_die_and_are_counted_as_worth_nothing():
    search = Particles(particles=3, max_steps=2, prune=0.3, likelihood="probability", ess_threshold=0)
    told(search, [steps(0.2, 0.5, 0.5)])
    assert weights(search) == {2: 0.5, 3: 0.5}
    assert math.exp(search.log_normalizer) == pytest.approx(1 / 3)


def test_where_all_are_pruned_the_particles_are_drawn_again():
    search = Particles(particles=2, max_steps=3, prune=0.3)
    assert told(search, [steps(0.2, 0.1)], [steps(0.5, 0.5)], [steps(0.5)] * 2)[1:] == [
        [(0, 2)],
        [(3, 1), (4, 1)],
    ]


def test_a_search_that_is_stopped_in_a_round_keeps_what_came():
    search = Particles(particles=2, max_steps=3)
    told(search, [steps(0.5, 0.5)])
    one, _ = search.ask(2)
    search.tell(one.number, steps(0.9, complete=True))
    search.settle()
    assert search.shares() == {3: 1.0}


def test_a_search_that_is_stopped_before_its_first_result_has_its_particles_at_the_root():
    search = Particles(particles=2, max_steps=3)
    search.ask(2)
    search.settle()
    assert [one.node for one in search.cloud] == [0, 0]
    assert search.shares() == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"particles": 0},
        {"max_steps": 0},
        {"ess_threshold": 1.1},
        {"weight_temperature": 0.0},
        {"weight_temperature": math.inf},
        {"resampling": "cunning"},
        {"likelihood": "none"},
        {"target": "moon"},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        Particles(**{"particles": 2, "max_steps": 2, **wrong})


@pytest.mark.parametrize("wrong", [{"particles": 1}, {"iterations": 0}])
def test_sweeps_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        ParticleSweeps(**{"particles": 2, "max_steps": 2, "iterations": 2, **wrong})


# Against the plain definition ------------------------------------------------------------------------------


@dataclass
class Scripted:
    """A scripted tree as the reference sees it: paths of places among siblings."""

    tree: ScriptedTree
    prune: float | None = None
    children: dict[plain.Path, list[Child]] = field(default_factory=dict)
    asked: Counter[plain.Path] = field(default_factory=Counter)

    def child(self, path):
        return self.children[path[:-1]][path[-1]]

    def text(self, path):
        return "".join(self.child(path[: end + 1]).text for end in range(len(path)))

    def write(self, path, n):
        known = self.children.setdefault(path, [])
        before = len(known)
        known.extend(self.tree.children(self.text(path), n, first=self.asked[path]))
        self.asked[path] += n
        return [(*path, place) for place in range(before, len(known))]

    def ends(self, path):
        return bool(path) and self.child(path).complete

    def score(self, path):
        return self.child(path).value if path else None

    def pruned(self, path):
        score = self.score(path)
        return self.prune is not None and score is not None and score < self.prune


scripts = st.builds(
    ScriptedTree,
    seed=st.integers(0, 10**6),
    depth=st.integers(1, 4),
    ending=st.sampled_from([0.0, 0.25, 0.6]),
    grades=st.sampled_from([None, 2, 5]),
    unjudged=st.sampled_from([0.0, 0.2, 1.0]),
    failing=st.sampled_from([0.0, 0.0, 0.3]),
)
setups = st.fixed_dictionaries(
    {
        "particles": st.integers(2, 8),
        "max_steps": st.integers(1, 5),
        "resampling": st.sampled_from(["systematic", "stratified", "multinomial"]),
        "ess_threshold": st.sampled_from([0.0, 0.33, 0.61, 1.0]),
        "likelihood": st.sampled_from(["odds", "probability"]),
        "target": st.sampled_from(["steps", "solution"]),
        "weight_temperature": st.sampled_from([0.7, 1.0, 3.0]),
        "seed": st.integers(0, 10**6),
        "prune": st.sampled_from([None, None, 0.2]),
    }
)


def rules_of(setup):
    def likelihood(score):
        r = min(max(score, 1e-7), 1 - 1e-7)
        return (r / (1 - r) if setup["likelihood"] == "odds" else r) ** (1 / setup["weight_temperature"])

    return plain.Rules(
        size=setup["particles"],
        rounds=setup["max_steps"],
        scheme=setup["resampling"],
        threshold=setup["ess_threshold"],
        likelihood=likelihood,
        telescoping=setup["target"] == "solution",
    )


def path_of(tree, node):
    return tuple(tree.children(tree.parent(at)).index(at) for at in tree.path(node))


def same_cloud(search, sweep):
    assert [path_of(search.tree, one.node) for one in search.cloud] == [one.path for one in sweep.cloud]
    for one, other in zip(search.cloud, sweep.cloud, strict=True):
        assert math.exp(one.log_weight) == pytest.approx(other.weight, rel=1e-6)
    assert math.exp(search.log_normalizer) == pytest.approx(sweep.z, rel=1e-6)


@settings(max_examples=150)
@given(script=scripts, setup=setups)
def test_the_filter_does_what_its_plain_definition_does(script, setup):
    search = Particles(**setup)
    grown(search, script)
    world = Scripted(script, setup["prune"])
    sweep = plain.sweep(world, rules_of(setup), setup["particles"], random.Random(setup["seed"]), None)
    same_cloud(search, sweep)
    assert search.resampled == sweep.resampled
    assert len(search.tree) == 1 + sum(len(found) for found in world.children.values())


@settings(max_examples=120)
@given(script=scripts, setup=setups, iterations=st.integers(1, 4))
def test_the_sweeps_do_what_their_plain_definition_does(script, setup, iterations):
    search = ParticleSweeps(iterations=iterations, **setup)
    grown(search, script)
    world = Scripted(script, setup["prune"])
    sweeps = plain.gibbs(world, rules_of(setup), iterations, random.Random(setup["seed"]))
    same_cloud(search, sweeps[-1][0])
    assert search.resampled == sum(sweep.resampled for sweep, _ in sweeps)
    references = [None if node is None else path_of(search.tree, node) for node in search.references]
    assert references == [reference for _, reference in sweeps]
    expected = Counter()
    for sweep, _ in sweeps:
        for path, share in plain.finished(world, sweep.cloud).items():
            expected[path] += share / iterations
    shares = {path_of(search.tree, node): share for node, share in search.shares().items()}
    assert shares == pytest.approx(expected)


@settings(max_examples=60)
@given(script=scripts, setup=setups, iterations=st.integers(1, 3), order=st.randoms(use_true_random=False))
def test_eight_at_once_in_any_order_grow_the_tree_that_one_at_a_time_does(script, setup, iterations, order):
    serial = ParticleSweeps(iterations=iterations, **setup)
    wide = ParticleSweeps(iterations=iterations, **setup)
    assert grown(serial, script) == grown(wide, script, at_once=8, order=order)
    assert rows(serial.tree) == rows(wide.tree)
    assert serial.cloud == wide.cloud


@settings(max_examples=60)
@given(script=scripts, setup=setups, iterations=st.integers(1, 3))
def test_a_search_asks_for_no_more_than_it_says(script, setup, iterations):
    n, rounds = setup["particles"], setup["max_steps"]
    filtering = Particles(**setup)
    assert len(grown(filtering, script)) <= 1 + n * (rounds - 1)
    sweeps = ParticleSweeps(iterations=iterations, **setup)
    most = iterations * ((n - 1) * (rounds - 1) + 1) + rounds - 1
    assert len(grown(sweeps, script)) <= most


def test_told_twice_is_told_once():
    once, twice = Particles(particles=3, max_steps=2), Particles(particles=3, max_steps=2)
    for search in (once, twice):
        [first] = search.ask(5)
        search.tell(first.number, steps(0.75, 0.5, 0.25))
        if search is twice:
            search.tell(first.number, steps(0.1, 0.1, 0.1))
        second = search.ask(5)
        for expansion in second:
            search.tell(expansion.number, steps(*[0.5] * expansion.children))
        search.tell(first.number, steps(0.9)) if search is twice else None
        search.settle()
    assert rows(once.tree) == rows(twice.tree)
    assert once.cloud == twice.cloud


def test_another_seed_is_another_search():
    script = ScriptedTree(seed=3)
    searches = [Particles(particles=4, max_steps=4, seed=seed) for seed in range(8)]
    for search in searches:
        grown(search, script)
    assert len({tuple(all_texts(search.tree)) for search in searches}) > 1


# The exact posterior ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chain:
    """A model with known probabilities of steps, and scores of what it writes: all can be worked out.

    Attributes:
        options: After each text, the next steps with their probabilities; a text that is not there is complete.
        score: By text.
    """

    options: dict[str, dict[str, float]]
    score: Callable[[str], float]

    def solutions(self, text="", p=1.0):
        """Every complete text with its probability."""
        if text not in self.options:
            return {text: p}
        found = {}
        for step, chance in self.options[text].items():
            found |= self.solutions(text + step, p * chance)
        return found

    def likelihood(self, text, target):
        """G_1 ... G_T, or G_T."""
        beginnings = range(1, len(text) + 1) if target == "steps" else [len(text)]
        return math.prod(math.exp(log_likelihood(self.score(text[:end]))) for end in beginnings)

    def exact(self, target):
        """Z, and the posterior by text."""
        parts = {text: p * self.likelihood(text, target) for text, p in self.solutions().items()}
        z = math.fsum(parts.values())
        return z, {text: part / z for text, part in parts.items()}

    def child(self, text):
        """The last step of a text."""
        return Child(text=text[-1], value=self.score(text), complete=text not in self.options)

    def put(self, search, text):
        """The nodes of a solution put into the tree by hand."""
        nodes = [0]
        for end in range(1, len(text) + 1):
            nodes += search.tree.grow(nodes[-1], [self.child(text[:end])])
        return nodes[1:]

    def play(self, search, rng):
        """Let `search` end, its model drawing from the steps' probabilities."""
        while new := search.ask(1000):
            for expansion in new:
                text = search.tree.text(expansion.node)
                steps, chances = zip(*self.options[text].items(), strict=True)
                drawn = rng.choices(steps, chances, k=expansion.children)
                search.tell(expansion.number, [self.child(text + step) for step in drawn])
        return search


EVEN_CHAIN = Chain(
    options={
        "": {"a": 0.7, "b": 0.3},
        "a": {"a": 0.5, "b": 0.5},
        "b": {"a": 0.2, "b": 0.8},
        "aa": {"a": 0.5, "b": 0.5},
        "ab": {"a": 0.9, "b": 0.1},
        "ba": {"a": 0.5, "b": 0.5},
        "bb": {"a": 0.4, "b": 0.6},
    },
    score=lambda text: 0.8 if text.endswith(("bb", "aba")) else 0.35,
)
UNEVEN_CHAIN = Chain(
    options={
        "": {"a": 0.6, "b": 0.4},
        "b": {"a": 0.5, "b": 0.5},
        "ba": {"a": 0.5, "b": 0.5},
    },
    score=lambda text: {"a": 0.6, "b": 0.3, "bb": 0.9, "ba": 0.4, "baa": 0.2, "bab": 0.85}[text],
)
POSTERIORS = pytest.mark.parametrize(
    ("chain", "target"), [(EVEN_CHAIN, "steps"), (EVEN_CHAIN, "solution"), (UNEVEN_CHAIN, "solution")]
)
THRESHOLDS = pytest.mark.parametrize("threshold", [0.0, 0.7, 1.0])


def by_text(search):
    found = Counter()
    for node, share in search.shares().items():
        found[search.tree.text(node)] += share
    return found


@POSTERIORS
@THRESHOLDS
def test_many_particles_have_the_exact_posterior(chain, target, threshold):
    search = Particles(particles=4000, max_steps=3, ess_threshold=threshold, target=target, seed=1)
    found = by_text(chain.play(search, random.Random(2)))
    z, exact = chain.exact(target)
    assert math.exp(search.log_normalizer) == pytest.approx(z, rel=0.05)
    for text, part in exact.items():
        assert found[text] == pytest.approx(part, abs=0.03)


@POSTERIORS
@THRESHOLDS
def test_the_estimate_of_the_normalizer_is_unbiased_for_few_particles(chain, target, threshold):
    runs = 1000
    rng = random.Random(4)
    estimates = []
    for seed in range(runs):
        search = Particles(particles=3, max_steps=3, ess_threshold=threshold, target=target, seed=seed)
        estimates.append(math.exp(chain.play(search, rng).log_normalizer))
    z, _ = chain.exact(target)
    mean = math.fsum(estimates) / runs
    error = math.sqrt(math.fsum((one - mean) ** 2 for one in estimates) / runs / runs)
    assert error < 0.06 * z
    assert mean == pytest.approx(z, abs=4 * error)


@pytest.mark.parametrize(("chain", "target"), [(EVEN_CHAIN, "steps"), (UNEVEN_CHAIN, "solution")])
@pytest.mark.parametrize("resampling", ["systematic", "stratified", "multinomial", "residual"])
def test_a_sweep_beside_a_solution_drawn_from_the_posterior_draws_from_the_posterior(
    chain, target, resampling
):
    rng, runs = random.Random(11), 1500
    _, exact = chain.exact(target)
    total, squares = Counter(), Counter()
    for _ in range(runs):
        [reference] = rng.choices(list(exact), list(exact.values()))
        search = Particles(
            particles=2,
            max_steps=3,
            resampling=resampling,
            ess_threshold=rng.choice([0.0, 0.9, 1.0]),
            target=target,
            seed=rng.getrandbits(32),
        )
        search.begin(2, chain.put(search, reference))
        off = by_text(chain.play(search, rng))
        off[reference] -= 1  # zero in the mean over the references; less noisy than the shares alone
        for text, share in off.items():
            total[text] += share / runs
            squares[text] += share**2 / runs
    for text in exact:
        assert total[text] == pytest.approx(0, abs=4 * math.sqrt(squares[text] / runs))


def test_sweeps_of_few_particles_come_to_the_posterior_that_as_many_filters_miss():
    _, exact = EVEN_CHAIN.exact("steps")
    sweeps = ParticleSweeps(iterations=2000, particles=2, max_steps=3, seed=7)
    rng = random.Random(8)
    found = by_text(EVEN_CHAIN.play(sweeps, rng))
    assert all(found[text] == pytest.approx(part, abs=0.05) for text, part in exact.items())
    filters = Counter()
    for seed in range(600):
        search = Particles(particles=2, max_steps=3, seed=seed)
        for text, share in by_text(EVEN_CHAIN.play(search, rng)).items():
            filters[text] += share / 600
    assert max(abs(filters[text] - part) for text, part in exact.items()) > 0.15


def test_a_reference_follows_its_steps_and_others_branch_off_from_it():
    search = ParticleSweeps(particles=2, max_steps=3, iterations=60, seed=3)
    EVEN_CHAIN.play(search, random.Random(1))
    assert len(search.references) == 60
    assert all(search.tree.complete(node) for node in search.references[1:])
    assert search.cloud[0].node == search.references[-1]
    branched = [node for node in set(search.references[1:]) if search.tree.depth(node) == 3]
    parents = [search.tree.path(node)[1] for node in branched]
    assert any(search.tree.child_count(parent) > 1 for parent in parents)


def test_a_sweep_without_a_solution_leaves_the_next_without_a_reference():
    search = ParticleSweeps(particles=3, max_steps=1, iterations=2)
    assert told(search, [[]], [steps(0.5, 0.5, complete=True)]) == [[(0, 3)], [(0, 2)]]
    assert search.references == [None, None]
    assert sum(search.shares().values()) == pytest.approx(0.5)


def test_a_sweep_that_is_broken_off_does_not_count_beside_others():
    search = ParticleSweeps(particles=2, max_steps=2, iterations=3)
    done = steps(0.5, 0.5, complete=True)
    told(search, [done])
    whole = search.shares()
    [begun] = search.ask(2)
    search.tell(begun.number, steps(0.9))
    search.settle()
    assert search.sweep == 1
    assert search.shares() == whole == {1: pytest.approx(0.5), 2: pytest.approx(0.5)}


def test_the_reference_may_lie_anywhere_among_the_particles_that_are_resampled(monkeypatch):
    # First of them, stratified resampling would not leave the target as it is.
    places = set()

    def resampled(weights, n, scheme, *, rng, kept):
        places.add((kept, weights[kept]))
        return [kept, *range(1, n)]

    monkeypatch.setattr("orchestrator.search.particles.resample", resampled)
    for seed in range(40):
        search = ParticleSweeps(iterations=1, particles=3, max_steps=2, resampling="stratified", seed=seed)
        first = search.tree.grow(0, [Child(text="a", value=0.9)])
        path = first + search.tree.grow(first[0], [Child(text="b", value=0.9, complete=True)])
        search.begin(3, path)
        [expansion] = search.ask()
        search.tell(expansion.number, [Child(text="c", value=0.5), Child(text="d", value=0.5)])
        search.ask()
    assert {place for place, _ in places} == {0, 1, 2}
    assert {round(weight, 9) for _, weight in places} == {round(9 / 11, 9)}
