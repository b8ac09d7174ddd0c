"""MCTS by PUCT: hand-checked trees, the plain definition on random ones, order, width, failures, stopping."""

import itertools
import math
import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.mcts import Node, PlainMCTS
from search.scripted_trees import ScriptedTree, rows

from orchestrator.errors import InvalidInputError
from orchestrator.search import ROOT, Child
from orchestrator.search.puct import AnswerMass, Puct
from orchestrator.types import Answer, Candidate, Sample

NUMBERS = itertools.count()


def children(*values, complete=False):
    """Children with these values and texts of their own."""
    return [Child(text=f"{next(NUMBERS)} ", value=value, complete=complete) for value in values]


def told(search, *results):
    """Let a search run on these results, one for each expansion; the nodes they were for."""
    nodes = []
    for result in results:
        [expansion] = search.ask()
        nodes.append(expansion.node)
        search.tell(expansion.number, result)
    search.settle()
    return nodes


class Script:
    """A scripted tree for a search: what an expansion finds depends on what was asked for before, not on when."""

    def __init__(self, tree):
        self.tree = tree
        self.asked = {}  # by node: children asked for so far

    def run(self, search, *, at_once=1, order=None, twice=False):
        """Run a search to its end; its expansions as (text, children)."""
        waiting, done, log = [], [], []
        while True:
            for expansion in search.ask(at_once - len(waiting)):
                first = self.asked.get(expansion.node, 0)
                self.asked[expansion.node] = first + expansion.children
                said = search.tree.text(expansion.node)
                log.append((said, expansion.children))
                found = self.tree.children(said, expansion.children, first=first)
                waiting.append((expansion.number, found))
            if not waiting:
                assert search.finished
                return log
            number, found = waiting.pop(order.randrange(len(waiting)) if order else 0)
            search.tell(number, found)
            if twice:
                done.append(number)
                search.tell(random.Random(number).choice(done), [Child(text="?", value=1.0)])


def check_books(search):
    """What is true of the statistics whatever happened."""
    tree = search.tree
    ends = [tree.visits(node) for node in range(len(tree))]  # simulations that ended there
    for node in range(len(tree) - 1, ROOT, -1):
        ends[tree.parent(node)] -= tree.visits(node)
    assert all(own >= 0 for own in ends)
    assert sum(ends) == tree.visits(ROOT) <= search.simulations <= search.num_simulations
    for node in range(len(tree)):
        assert tree.pending(node) == 0
        assert 0.0 <= search.estimate(node) <= 1.0 + 1e-12
        assert tree.child_count(node) == 0 or ends[node] >= 1


# Hand-checked -----------------------------------------------------------------------------------------------


def test_the_first_simulation_expands_the_root_and_backs_up_the_mean_of_its_children():
    search = Puct(num_simulations=1, branching=3)
    [expansion] = search.ask()
    assert (expansion.node, expansion.children) == (ROOT, 3)
    assert search.tree.pending(ROOT) == 1
    search.tell(0, children(0.3, 0.6, 0.9))
    assert search.ask() == []
    assert search.finished
    assert search.tree.visits(ROOT) == 1
    assert search.tree.total(ROOT) == pytest.approx(0.6)
    assert [search.estimate(node) for node in (1, 2, 3)] == [0.3, 0.6, 0.9]


def test_a_simulation_goes_to_the_child_with_the_best_sum_of_value_and_exploration():
    search = Puct(num_simulations=4, branching=2, widening=0.0, c_puct=1.0, descend=False)
    #   Q(1) = 0.5, Q(2) = 0.4, so Q' = 1 and 0; uniform prior 1/2, N(0) = 1: 1 + 0.5 > 0 + 0.5
    # its children are worth 0.1: Q(1) = (0.5 + 0.1) / 2 = 0.3, N(0) = 2; from 0.1 to 0.5, Q' = 0.5 and 0.75
    #   0.5 + 0.5 * sqrt(2) / 2 < 0.75 + 0.5 * sqrt(2)
    # its children are worth 0.8: Q(2) = (0.4 + 0.8) / 2 = 0.6, N(0) = 3, and both have been visited once
    #   Q' = 0.25 and 0.625: 0.25 + x < 0.625 + x; below 2 the values 0.9 and 0.7 decide
    nodes = told(search, children(0.5, 0.4), children(0.1, 0.1), children(0.9, 0.7), children(0.5))
    assert nodes == [0, 1, 2, 5]
    assert search.estimate(1) == pytest.approx(0.3)
    assert [search.tree.visits(node) for node in (0, 1, 2, 5)] == [4, 1, 2, 1]


def test_priors_count_over_the_sum_of_the_siblings():
    found = [Child(text="a", value=0.5, prior=0.2), Child(text="b", value=0.5, prior=0.6)]
    by_prior = Puct(num_simulations=2, branching=2, widening=0.0)
    assert told(by_prior, found, []) == [0, 2]
    alike = Puct(num_simulations=2, branching=2, widening=0.0, uniform=True)
    assert told(alike, found, []) == [0, 1]


def test_priors_of_zero_are_a_uniform_prior():
    search = Puct(num_simulations=2, branching=2, widening=0.0)
    found = [Child(text="a", value=0.5, prior=0.0), Child(text="b", value=0.5, prior=0.0)]
    assert told(search, found, []) == [0, 1]


def test_a_node_is_widened_as_its_visits_grow():
    search = Puct(num_simulations=9, branching=2, widening=0.5, c_puct=0.0, descend=False)
    # All below node 1 is worth 1, so that every simulation at the root that does not widen it goes there.
    # floor(2 * sqrt(N)) children of the root: N = 1: 2, 3: 3, 4: 4, 7: 5
    at_root = []
    for number in range(9):
        [expansion] = search.ask()
        at_root += [number] if expansion.node == ROOT else []
        search.tell(number, children(*[float(expansion.node != ROOT or not number)] * expansion.children))
    search.settle()
    assert at_root == [0, 3, 4, 7]
    assert search.tree.child_count(ROOT) == 5
    assert search.tree.visits(ROOT) == 9


def test_without_widening_a_node_has_as_many_children_as_it_got_at_first():
    search = Puct(num_simulations=50, branching=3, widening=0.0, descend=False)
    Script(ScriptedTree(depth=9, ending=0.0)).run(search)
    counts = {search.tree.child_count(node) for node in range(len(search.tree))}
    assert counts == {0, 3}


def test_a_complete_solution_is_come_back_to_without_a_call():
    search = Puct(num_simulations=10, branching=1, widening=0.0)
    assert told(search, children(0.7, complete=True)) == [0]
    assert search.ask() == []
    assert search.finished
    assert (search.simulations, search.tree.visits(ROOT), search.tree.visits(1)) == (10, 10, 9)
    assert search.estimate(1) == pytest.approx(0.7)


def test_an_unjudged_node_counts_with_its_parents_estimate():
    search = Puct(num_simulations=3, branching=2, widening=0.0, c_puct=0.0)
    told(search, children(0.2, None))
    assert search.tree.total(ROOT) == 0.2  # the mean of those that are judged
    assert search.estimate(2) == search.estimate(ROOT) == 0.2
    told(search, children(0.0, 0.0))
    assert search.estimate(1) == 0.1
    assert search.estimate(ROOT) == search.estimate(2) == 0.1


def test_a_tree_that_nobody_judges_is_searched_by_priors_and_visits_alone():
    search = Puct(num_simulations=30, branching=2, widening=0.0)
    Script(ScriptedTree(depth=3, ending=0.2, unjudged=1.0)).run(search)
    check_books(search)
    assert search.tree.visits(ROOT) == 30
    assert search.estimate(ROOT) == 0.0
    assert all(search.tree.visits(node) > 0 for node in search.tree.children(ROOT))


# Extremes ---------------------------------------------------------------------------------------------------


def test_small_differences_count_where_there_are_no_larger_ones():
    search = Puct(num_simulations=9, branching=2, widening=0.0, descend=False)
    # After the second simulation Q(1) = 0.500 and Q(2) = 0.504, so Q' = 0 and 1; N(0) = 2, P = 1/2:
    #   0 + 0.625 * sqrt(2) < 1 + 0.625 * sqrt(2) / 2, though 0.500 + 0.884 > 0.504 + 0.442
    assert told(search, children(0.500, 0.504), children(0.504, 0.504), children(0.504, 0.504)) == [0, 2, 3]


def test_values_are_rescaled_by_the_lowest_and_the_highest_seen_so_far():
    search = Puct(num_simulations=9, branching=2, widening=0.0)
    told(search, children(0.25, 0.75))
    assert [search.normalised(q) for q in (0.25, 0.5, 0.75)] == [0.0, 0.5, 1.0]
    told(search, children(0.75, 1.25))
    assert [search.normalised(q) for q in (0.25, 0.75, 1.25)] == [0.0, 0.5, 1.0]


def test_where_all_values_are_equal_visits_and_priors_decide():
    search = Puct(num_simulations=9, branching=2, widening=0.0, descend=False)
    assert told(search, children(0.3, 0.3), children(0.3, 0.3), children(0.3, 0.3)) == [0, 1, 2]
    assert search.normalised(0.3) == 0.0


# Descents ---------------------------------------------------------------------------------------------------


def test_simulations_go_on_from_the_best_new_step_until_it_is_complete_and_then_from_the_root():
    search = Puct(num_simulations=9, branching=2, widening=0.0)
    results = [children(0.5, 0.4), children(0.1, 0.2), children(0.9, 0.8, complete=True), children(0.3, 0.3)]
    # 1: the better of 1 and 2; 4: of 3 and 4; 5 is complete. Q(1) = (0.5 + 0.15 + 0.85) / 3 = 0.5, Q(2) = 0.4,
    # from 0.1 to 0.9: Q' = 0.5 and 0.375; N(0) = 3: 0.5 + 0.625 * sqrt(3) / 3 < 0.375 + 0.625 * sqrt(3)
    assert told(search, *results) == [0, 1, 4, 2]


def test_of_equally_good_steps_the_likeliest_is_gone_on_from_and_the_unjudged_last():
    found = [
        Child(text="a", value=None, prior=0.9),
        Child(text="b", value=0.5, prior=0.3),
        Child(text="c", value=0.5, prior=0.6),
    ]
    assert told(Puct(num_simulations=2, branching=3), found, []) == [0, 3]
    assert told(Puct(num_simulations=2, branching=3, uniform=True), found, []) == [0, 2]
    assert told(Puct(num_simulations=2, branching=3, prune=0.6), found, []) == [0, 1]


def test_a_descent_ends_where_nothing_is_found():
    search = Puct(num_simulations=9, branching=2, widening=0.0, c_puct=0.0)
    assert told(search, children(0.9, 0.8), children(0.1, 0.2), [], children(0.5, 0.5)) == [0, 1, 4, 2]


def test_descents_side_by_side_go_on_in_the_order_of_asking():
    search = Puct(num_simulations=20, branching=2, widening=0.0, width=2)
    told(search, children(0.9, 0.8))
    assert [one.node for one in search.ask(2)] == [1, 2]
    search.tell(2, children(0.5, 0.4))  # nodes 5 and 6 when it counts
    assert search.ask(2) == []
    search.tell(1, children(0.3, 0.2))
    assert [one.node for one in search.ask(1)] == [3]
    assert [one.node for one in search.ask(1)] == [5]


def test_no_descent_is_begun_with_what_those_under_way_may_need():
    search = Puct(num_simulations=4, branching=2, width=2, steps=4)
    told(search, children(0.9, 0.8))
    # 3 are left: one for node 1, and up to 2 for what comes below it
    assert [one.node for one in search.ask(2)] == [1]
    search.tell(1, children(0.5, 0.4, complete=True))  # it needed none of its 2
    assert [one.node for one in search.ask(2)] == [2]
    free = Puct(num_simulations=4, branching=2, width=2)
    told(free, children(0.9, 0.8))
    assert [one.node for one in free.ask(2)] == [1, 2]


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("simulations", [8, 10, 15])
def test_as_many_simulations_as_a_solution_has_steps_complete_one(width, simulations):
    search = Puct(num_simulations=simulations, width=width, steps=8)
    Script(ScriptedTree(depth=8, ending=0.0)).run(search, at_once=width)
    tree = search.tree
    assert sum(tree.complete(node) for node in range(len(tree))) >= 3


@pytest.mark.parametrize("width", [1, 4])
def test_few_simulations_complete_solutions_of_a_deep_tree(width):
    found = {}
    for descend in (False, True):
        search = Puct(num_simulations=32, width=width, descend=descend)
        Script(ScriptedTree(seed=1, depth=8, ending=0.0)).run(search, at_once=width)
        tree = search.tree
        found[descend] = sum(tree.complete(node) for node in range(len(tree)))
    assert found[False] == 0
    assert found[True] >= 4


# Failures, closed nodes -------------------------------------------------------------------------------------


def test_an_expansion_that_finds_nothing_is_tried_once_more_and_then_its_node_is_closed():
    search = Puct(num_simulations=10, branching=2, widening=0.0, c_puct=0.0, descend=False)
    nodes = told(search, children(0.9, 0.5), [], [], children(0.4), children(0.1, 0.1))
    assert nodes == [0, 1, 1, 0, 2]  # the root gets another child for the one it has lost
    assert search.tree.closed(1)
    assert search.tree.visits(1) == 0
    assert search.tree.pending(1) == 0


def test_a_failed_expansion_that_succeeds_the_second_time_leaves_nothing_behind():
    search = Puct(num_simulations=10, branching=1, widening=0.0, descend=False)
    nodes = told(search, [], children(0.5), [], children(0.5), [], children(0.5))
    assert nodes == [0, 0, 1, 1, 2, 2]
    assert not any(search.tree.closed(node) for node in range(len(search.tree)))


def test_a_search_whose_every_call_fails_ends():
    search = Puct(num_simulations=10)
    assert told(search, [], []) == [0, 0]
    assert search.ask() == []
    assert search.finished


def test_a_node_whose_children_are_all_closed_and_that_gets_no_more_is_closed_too():
    search = Puct(num_simulations=10, branching=1, widening=0.0, descend=False)
    nodes = told(search, children(0.5), children(0.5), [], [], [], [], [], [])
    # 2 is given up; then 1 may have another child, which it does not get either; then the root
    assert nodes == [0, 1, 2, 2, 1, 1, 0, 0]
    assert search.ask() == []
    assert [search.tree.closed(node) for node in (2, 1, 0)] == [True, True, True]


def test_pruned_children_make_room_for_others():
    search = Puct(num_simulations=3, branching=2, widening=0.0, prune=0.5, descend=False)
    nodes = told(search, children(0.1, 0.6), children(0.7), children(0.9, 0.9))
    assert nodes == [0, 0, 3]
    assert [search.tree.closed(node) for node in (1, 2, 3)] == [True, False, False]


def test_of_equal_siblings_the_first_is_gone_on_from_and_the_others_keep_their_places():
    search = Puct(num_simulations=5, branching=3, widening=0.0, c_puct=0.0, descend=False)
    same = Child(text="same", value=0.6)
    nodes = told(search, [same, same, Child(text="other", value=0.5)], children(0.1), children(0.9))
    assert nodes == [0, 1, 3]
    assert [search.tree.closed(node) for node in (1, 2, 3)] == [False, True, False]
    assert search.estimate(ROOT) == pytest.approx((1.7 / 3 + 0.1 + 0.9) / 3)


def test_the_same_text_elsewhere_is_not_equal():
    search = Puct(num_simulations=3, branching=1, widening=0.0)
    same = [Child(text="same", value=0.6)]
    assert told(search, same, same, same) == [0, 1, 2]


# Side by side -----------------------------------------------------------------------------------------------


def test_simulations_under_way_keep_apart():
    search = Puct(num_simulations=9, branching=3, widening=0.0, width=4)
    assert [one.node for one in search.ask(4)] == [ROOT]  # nothing else is there yet
    search.tell(0, children(0.9, 0.5, 0.1))
    assert [one.node for one in search.ask(4)] == [1, 2, 3]
    assert search.ask(4) == []  # all there is is under way as far as it can be
    search.tell(1, children(0.9, 0.9, 0.9))
    assert [one.node for one in search.ask(4)] == [4, 5]


def test_solutions_are_not_come_back_to_instead_of_waiting_for_what_is_under_way():
    search = Puct(num_simulations=9, branching=2, width=2)
    told(search, [*children(0.9), *children(0.5, complete=True)])
    assert [one.node for one in search.ask(2)] == [1]
    assert search.simulations == 2


def test_a_node_under_way_counts_as_visited():
    search = Puct(num_simulations=9, branching=2, widening=0.0, width=2, c_puct=10.0, descend=False)
    told(search, children(0.5, 0.45), children(0.5, 0.5), children(0.45, 0.45))
    assert [one.node for one in search.ask(2)] == [3, 5]


@pytest.mark.parametrize("width", [2, 8])
def test_results_count_alike_in_whatever_order_they_come_and_only_once(width):
    for seed in range(5):
        script = ScriptedTree(seed=seed, depth=5, grades=4, unjudged=0.1, failing=0.1)
        grown = []
        for order, twice in ((None, False), (random.Random(1), False), (random.Random(2), True)):
            search = Puct(num_simulations=60, width=width)
            log = Script(script).run(search, at_once=width, order=order, twice=twice)
            grown.append((log, rows(search.tree)))
        assert grown[0] == grown[1] == grown[2]


@pytest.mark.parametrize("seed", range(6))
def test_eight_side_by_side_do_as_many_simulations_as_one_after_the_other(seed):
    script = ScriptedTree(seed=seed, depth=6, ending=0.1)
    for width in (1, 8):
        search = Puct(num_simulations=200, width=width)
        Script(script).run(search, at_once=width)
        check_books(search)
        assert search.simulations == search.tree.visits(ROOT) == 200


@pytest.mark.parametrize(
    ("descend", "simulations", "on_average", "at_worst"),
    [(False, 60, 0.05, 0.3), (False, 300, 0.01, 0.05), (True, 60, 0.1, 0.3), (True, 300, 0.01, 0.05)],
)
def test_eight_side_by_side_find_solutions_worth_nearly_as_much(descend, simulations, on_average, at_worst):
    behind = []
    for seed in range(8):
        best = {}
        for width in (1, 8):
            search = Puct(num_simulations=simulations, width=width, descend=descend)
            Script(ScriptedTree(seed=seed, depth=4, ending=0.1)).run(search, at_once=width)
            tree = search.tree
            best[width] = max(tree.value(node) for node in range(1, len(tree)) if tree.complete(node))
        behind.append(best[1] - best[8])
    assert sum(behind) / len(behind) < on_average
    assert max(behind) < at_worst


# The plain definition ---------------------------------------------------------------------------------------

shares = st.integers(0, 4).map(lambda n: n / 4)


@given(
    script=st.builds(
        ScriptedTree,
        seed=st.integers(0, 10**6),
        depth=st.integers(1, 5),
        ending=shares,
        grades=st.sampled_from([None, 2, 3]),
        unjudged=st.sampled_from([0.0, 0.3, 1.0]),
        failing=st.sampled_from([0.0, 0.3, 0.9]),
        alike=st.sampled_from([0.0, 0.5]),
    ),
    options=st.fixed_dictionaries(
        {
            "num_simulations": st.integers(1, 24),
            "c_puct": st.sampled_from([0.0, 0.5, 1.25, 5.0]),
            "branching": st.integers(1, 4),
            "widening": st.sampled_from([0.0, 0.3, 0.5, 1.0]),
            "uniform": st.booleans(),
            "descend": st.booleans(),
            "steps": st.sampled_from([None, 1, 3, 5]),
            "prune": st.sampled_from([None, 0.3]),
            "width": st.sampled_from([1, 1, 2, 8]),
        }
    ),
)
@settings(max_examples=60, deadline=None)
def test_the_same_simulations_as_the_definition(script, options):
    def found(said, first, n):
        new = script.children(said, n, first=first)
        return [Node(said + child.text, child.value, child.prior, child.complete) for child in new]

    plain = PlainMCTS(found, **options)
    plain.run()
    search = Puct(**options)
    log = Script(script).run(search, at_once=options["width"])
    assert log == [(text, children) for text, children in plain.log if children]
    assert search.simulations == len(plain.log)
    tree = search.tree
    pairs = list(in_both(tree, ROOT, plain.root))
    assert len(pairs) == len(tree)
    for node, same in pairs:
        assert tree.text(node) == same.text
        assert (tree.visits(node), tree.closed(node)) == (plain.n(same), same.closed)
        assert math.isclose(search.estimate(node), plain.q(same), abs_tol=1e-12)
    check_books(search)


def in_both(tree, node, same):
    """The nodes of a tree, each with its like in the plain one."""
    yield node, same
    for child, like in zip(tree.children(node), same.children, strict=True):
        yield from in_both(tree, child, like)


# Answers ----------------------------------------------------------------------------------------------------


def answering(text, value=None, *, complete=True, rollouts=()):
    """A complete child that answers `text`, or one on the way with rollouts that do."""
    return Child(
        text=f"{text}{rollouts}",
        value=value,
        complete=complete,
        candidate=candidate(text) if complete else None,
        rollouts=tuple(candidate(one) for one in rollouts),
    )


def candidate(text):
    answer = None if text is None else Answer(text=text, key=text, kind="text")
    return Candidate(sample=Sample(text=text or ""), answer=answer)


def test_answer_mass_knows_its_leader_and_the_share_of_it():
    mass = AnswerMass()
    assert (mass.leader, mass.share) == (None, 0.0)
    for text in (None, "4", "5", "5", "4"):
        mass.add(candidate(text))
    assert (mass.leader, mass.share) == ("5", 0.4)  # the first with two of five


def test_a_search_is_decided_when_an_answer_has_led_for_long_enough():
    search = Puct(num_simulations=100, branching=2, widening=0.0, patience=4, threshold=0.75, c_puct=0.0)
    [expansion] = search.ask()
    search.tell(expansion.number, [answering("4", 0.9), answering("5", 0.1)])
    assert search.ask() == []
    # 4 and 5 have one each; then simulations come back to 4: 2/3, 3/4, 4/5, 5/6, 6/7
    assert search.decided
    assert search.finished
    assert search.mass.by_answer == {"4": 6, "5": 1}
    assert search.simulations == 6


def test_another_answer_in_the_lead_has_to_lead_for_as_long_itself():
    search = Puct(num_simulations=100, branching=2, widening=0.0, patience=3, threshold=0.5, c_puct=20.0)
    decided = []
    for text in ("4", "5", "5", "5", "5"):
        search.mass.add(candidate(text))
        search._watch()
        decided.append(search.decided)
    # 4 leads twice (of equals it is the first), then 5 three times
    assert decided == [False, False, False, False, True]


def test_a_lead_below_the_threshold_decides_nothing():
    search = Puct(num_simulations=20, branching=2, widening=0.0, patience=2, threshold=0.95, c_puct=20.0)
    told(search, [answering("4", 0.5), answering("5", 0.5)])
    assert search.ask() == []
    assert not search.decided
    assert search.simulations == 20


def test_solutions_without_an_answer_count_against_the_lead():
    search = Puct(num_simulations=20, branching=2, widening=0.0, patience=2, threshold=0.75, c_puct=20.0)
    told(search, [answering("4", 0.5), answering(None, 0.5)])
    assert search.ask() == []
    assert not search.decided


def test_without_patience_all_simulations_are_done():
    search = Puct(num_simulations=20, branching=1, patience=None)
    told(search, [answering("4", 0.9)])
    search.ask()
    assert not search.decided


def test_a_vote_values_nodes_by_how_many_of_their_rollouts_give_the_leading_answer():
    search = Puct(num_simulations=2, branching=3, vote=True)
    result = [
        answering("a", complete=False, rollouts=("4", "4", "5", None)),
        answering("b", complete=False, rollouts=("5", "5", "5", "5")),
        answering("4"),
    ]
    told(search, result, [])
    tree = search.tree
    # 4: 3, 5: 5
    assert [tree.value(node) for node in (1, 2, 3)] == [0.25, 1.0, 0.0]
    assert tree.mean(ROOT) == pytest.approx(1.25 / 3)
    assert search.mass.by_answer == {"4": 3, "5": 5}


def test_a_vote_leaves_nodes_without_rollouts_unjudged_and_prunes_the_others():
    search = Puct(num_simulations=2, branching=3, vote=True, prune=0.5)
    told(search, [answering("a", complete=False), answering("4"), answering("5"), answering("4")])
    tree = search.tree
    assert [tree.value(node) for node in (1, 2, 3, 4)] == [None, 1.0, 0.0, 1.0]
    assert [tree.closed(node) for node in (1, 2, 3, 4)] == [False, False, True, True]  # the last is a repeat


# Refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_simulations": 0},
        {"c_puct": -1.0},
        {"c_puct": math.inf},
        {"branching": 0},
        {"branching": -1},
        {"widening": 1.5},
        {"widening": math.nan},
        {"patience": 0},
        {"threshold": 1.1},
        {"steps": 0},
        {"width": 0},
    ],
)
def test_parameters_out_of_their_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        Puct(**{"num_simulations": 8, **wrong})


# Memory -----------------------------------------------------------------------------------------------------


def test_a_node_takes_few_bytes_besides_its_text():
    steps = [[Child(text=f"step {number}", value=number % 7 / 7)] for number in range(20_000)]
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    search = Puct(num_simulations=len(steps), branching=1, widening=0.3, descend=False)
    while found := search.ask():
        search.tell(found[0].number, steps[found[0].number])
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before + search.bytes()) / len(search.tree) < 300
    assert search.bytes() > 80 * len(search.tree)
