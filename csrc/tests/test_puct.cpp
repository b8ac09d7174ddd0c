#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "puct.hpp"

namespace orchestrator {
namespace {

using Nodes = std::vector<NodeId>;

// Children of `parent` with these values, as an expansion finds them.
Nodes grow(Tree& tree, NodeId parent, const std::vector<double>& values, bool complete = false) {
  Nodes found;
  for (const double value : values)
    found.push_back(tree.add(parent, {.value = value, .complete = complete}));
  return found;
}

// One simulation that finds these values; the node it expanded.
NodeId simulate(Puct& puct, Tree& tree, const std::vector<double>& values, bool complete = false) {
  const auto simulation = puct.ask(tree);
  if (!simulation) throw std::logic_error("there is nothing to expand");
  puct.tell(tree, simulation->node, grow(tree, simulation->node, values, complete));
  return simulation->node;
}

TEST(Puct, GoesToTheBestSumOfValueAndExploration) {
  Tree tree;
  Puct puct({.c_puct = 1.0, .branching = 2, .widening = 0.0});
  EXPECT_EQ(simulate(puct, tree, {0.5, 0.4}), kRoot);
  EXPECT_EQ(simulate(puct, tree, {0.1, 0.1}), 1u);
  EXPECT_DOUBLE_EQ(puct.estimate(tree, 1), 0.3);
  EXPECT_EQ(simulate(puct, tree, {0.9, 0.7}), 2u);
  EXPECT_EQ(simulate(puct, tree, {0.5}), 5u);
  EXPECT_EQ(tree.visits(kRoot), 4u);
  EXPECT_DOUBLE_EQ(tree.total(kRoot), 0.45 + 0.1 + 0.8 + 0.5);
}

TEST(Puct, WeighsExplorationByPriors) {
  Tree tree;
  Puct by_prior({.branching = 2, .widening = 0.0});
  const auto root = by_prior.ask(tree);
  const Nodes found{tree.add(kRoot, {.value = 0.5, .prior = 0.25}),
                    tree.add(kRoot, {.value = 0.5, .prior = 0.75})};
  by_prior.tell(tree, root->node, found);
  EXPECT_EQ(by_prior.ask(tree)->node, 2u);
}

TEST(Puct, RescalesValuesByTheExtremesSeen) {
  Tree tree;
  Puct puct({.branching = 2});
  EXPECT_EQ(puct.normalised(0.5), 0.0);
  simulate(puct, tree, {0.5, 0.5});
  EXPECT_EQ(puct.normalised(0.5), 0.0);
  EXPECT_EQ(simulate(puct, tree, {0.25, 0.75}), 1u);
  EXPECT_EQ(puct.normalised(0.25), 0.0);
  EXPECT_EQ(puct.normalised(0.5), 0.5);
  EXPECT_EQ(puct.normalised(0.75), 1.0);
}

TEST(Puct, FollowsSmallDifferencesWhereThereAreNoLargerOnes) {
  Tree tree;
  Puct puct({.branching = 2});
  simulate(puct, tree, {0.500, 0.504});
  EXPECT_EQ(simulate(puct, tree, {0.504, 0.504}), 2u);
  EXPECT_EQ(simulate(puct, tree, {0.504, 0.504}), 3u);
}

TEST(Puct, DescendsToACompleteNodeBeforeItStartsAgainFromTheRoot) {
  Tree tree;
  Puct puct({.branching = 2, .descend = true});
  EXPECT_EQ(simulate(puct, tree, {0.5, 0.4}), kRoot);
  EXPECT_EQ(simulate(puct, tree, {0.1, 0.2}), 1u);
  EXPECT_EQ(simulate(puct, tree, {0.9, 0.8}, true), 4u);
  EXPECT_FALSE(puct.ask(tree, true));  // no descent is left
  EXPECT_EQ(simulate(puct, tree, {0.3, 0.3}), 2u);
  EXPECT_EQ(puct.ask(tree, true)->node, 7u);
}

TEST(Puct, DescendsToTheLikeliestOfEqualsAndToUnjudgedOnesLast) {
  for (const bool uniform : {false, true}) {
    Tree tree;
    Puct puct({.branching = 3, .uniform = uniform, .descend = true});
    puct.ask(tree);
    const Nodes found{tree.add(kRoot, {.value = std::nan(""), .prior = 0.9}),
                      tree.add(kRoot, {.value = 0.5, .prior = 0.3}),
                      tree.add(kRoot, {.value = 0.5, .prior = 0.6})};
    puct.tell(tree, kRoot, found);
    EXPECT_EQ(puct.ask(tree, true)->node, uniform ? 2u : 3u);
  }
}

TEST(Puct, DoesNotDescendToWhatIsClosed) {
  Tree tree;
  Puct puct({.branching = 2, .descend = true});
  puct.ask(tree);
  const Nodes found = grow(tree, kRoot, {0.9, 0.1});
  tree.close(1);
  puct.tell(tree, kRoot, found, 1);
  EXPECT_EQ(puct.ask(tree, true)->node, 2u);
}

TEST(Puct, ComesBackToCompleteNodesAtOnce) {
  Tree tree;
  Puct puct({.branching = 1, .widening = 0.0});
  simulate(puct, tree, {0.7}, true);
  const auto again = puct.ask(tree);
  EXPECT_EQ(again->node, 1u);
  EXPECT_EQ(again->children, 0u);
  EXPECT_EQ(tree.visits(1), 1u);
  EXPECT_EQ(tree.pending(kRoot), 0u);
}

TEST(Puct, PassesByWhatIsUnderWay) {
  Tree tree;
  Puct puct({.branching = 2, .widening = 0.0});
  EXPECT_EQ(puct.ask(tree)->node, kRoot);
  EXPECT_FALSE(puct.ask(tree));
  puct.tell(tree, kRoot, grow(tree, kRoot, {0.9, 0.1}));
  EXPECT_EQ(puct.ask(tree)->node, 1u);
  EXPECT_EQ(puct.ask(tree)->node, 2u);
  EXPECT_FALSE(puct.ask(tree));
  EXPECT_EQ(tree.pending(kRoot), 2u);
}

TEST(Puct, WidensWithTheVisits) {
  Tree tree;
  Puct puct({.c_puct = 0.0, .branching = 1, .widening = 0.5});
  for (int i = 0; i < 100; ++i) {
    const auto simulation = puct.ask(tree);
    const bool first =
        i == 0 || simulation->node != kRoot;  // further children of the root are worth nothing
    puct.tell(tree, simulation->node, grow(tree, simulation->node, {first ? 1.0 : 0.0}));
  }
  EXPECT_EQ(tree.visits(kRoot), 100u);
  EXPECT_EQ(tree.child_count(kRoot),
            9u);  // the tenth when the root has been visited a hundred times
}

TEST(Puct, LeavesRepeatsTheirPlacesAndGivesAwayThoseOfOtherClosedChildren) {
  for (const std::uint32_t repeats : {0u, 1u}) {
    Tree tree;
    Puct puct({.branching = 2, .widening = 0.0});
    puct.ask(tree);
    const Nodes found = grow(tree, kRoot, {0.5, 0.5});
    tree.close(2);
    puct.tell(tree, kRoot, found, repeats);
    EXPECT_EQ(puct.ask(tree)->node, repeats == 1 ? 1u : kRoot);
  }
}

TEST(Puct, GivesUpANodeThatGetsNoChildren) {
  Tree tree;
  Puct puct({.branching = 2, .widening = 0.0});
  simulate(puct, tree, {0.9, 0.1});
  EXPECT_EQ(simulate(puct, tree, {}), 1u);
  EXPECT_EQ(simulate(puct, tree, {}), 1u);
  EXPECT_TRUE(tree.closed(1));
  EXPECT_EQ(puct.ask(tree)->node, kRoot);  // which has room for another in its place
}

TEST(Puct, ClosesWhatHasNothingLeft) {
  Tree tree;
  Puct puct({.branching = 1, .widening = 0.0});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(simulate(puct, tree, {}), kRoot);
  EXPECT_TRUE(tree.closed(kRoot));
  EXPECT_FALSE(puct.ask(tree));
}

TEST(Puct, EstimatesUnjudgedNodesByTheirParents) {
  Tree tree;
  Puct puct({.c_puct = 0.0, .branching = 2, .widening = 0.0});
  EXPECT_EQ(puct.estimate(tree, kRoot), 0.0);
  simulate(puct, tree, {0.25, std::nan("")});
  EXPECT_EQ(puct.estimate(tree, 2), 0.25);
  simulate(puct, tree, {std::nan(""), std::nan("")});
  EXPECT_EQ(tree.total(kRoot), 0.5);
}

TEST(Puct, RefusesWhatCannotBe) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_THROW(Puct({.c_puct = -1.0}), std::invalid_argument);
  EXPECT_THROW(Puct({.c_puct = infinity}), std::invalid_argument);
  EXPECT_THROW(Puct({.c_puct = std::nan("")}), std::invalid_argument);
  EXPECT_THROW(Puct({.branching = 0}), std::invalid_argument);
  EXPECT_THROW(Puct({.widening = -0.1}), std::invalid_argument);
  EXPECT_THROW(Puct({.widening = 1.1}), std::invalid_argument);
  Tree tree;
  Puct puct({});
  EXPECT_THROW(puct.tell(tree, kRoot, {}), std::invalid_argument);  // nothing is under way there
  EXPECT_THROW(puct.tell(tree, 7, {}), std::invalid_argument);
  EXPECT_THROW(puct.estimate(tree, 7), std::invalid_argument);
  puct.ask(tree);
  const std::array<NodeId, 1> missing{5};
  EXPECT_THROW(puct.tell(tree, kRoot, missing), std::invalid_argument);
  EXPECT_EQ(tree.pending(kRoot), 1u);
}

TEST(Puct, IsBoundedByTheLargestNumberOfChildren) {
  Tree tree;
  Puct puct({.branching = std::numeric_limits<std::uint32_t>::max(), .widening = 1.0});
  EXPECT_GT(puct.ask(tree)->children, 1'000'000u);
}

}  // namespace
}  // namespace orchestrator
