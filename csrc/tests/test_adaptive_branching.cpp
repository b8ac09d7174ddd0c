#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "adaptive_branching.hpp"

namespace orchestrator {
namespace {

constexpr std::uint32_t kDeep = UINT32_MAX;

NodeId grow(Tree& tree, AdaptiveBranching& search, AdaptiveBranching::Choice choice, double value) {
  const NodeId child = tree.add(choice.node, {.value = value, .arm = choice.arm});
  search.tell(tree, choice, std::array{child});
  return child;
}

// How often the next decision expands each node, over many seeds, when `found` has been found:
// parents and values, in the order of the nodes' numbers. Expansions of other nodes are asked for
// and fail.
std::vector<int> expanded(const std::vector<std::pair<NodeId, double>>& found,
                          std::uint32_t max_depth = kDeep) {
  std::vector<int> counts(found.size() + 1);
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Tree tree;
    AdaptiveBranching search(GaussianPrior{}, 1, seed, max_depth);
    for (const auto& [parent, value] : found) {
      auto choice = search.ask(tree);
      for (int tries = 0; choice.node != parent; ++tries) {
        if (tries > 10'000) throw std::runtime_error("the node was never chosen");
        search.tell(tree, choice, {});
        choice = search.ask(tree);
      }
      grow(tree, search, choice, value);
    }
    ++counts[search.ask(tree).node];
  }
  return counts;
}

TEST(AdaptiveBranching, TheFirstExpansionIsOfTheRoot) {
  Tree tree;
  AdaptiveBranching search(GaussianPrior{}, 1, 3, kDeep);
  EXPECT_EQ(search.ask(tree).node, kRoot);
  EXPECT_EQ(search.ask(tree).node, kRoot);  // there is still nothing else
  EXPECT_EQ(tree.pending(kRoot), 2u);
}

// GEN has seen 0.9 and CONT nothing: mean 0.45 against 0, so mostly a second answer is written.
TEST(AdaptiveBranching, AGoodFirstAnswerSpeaksForWritingAnother) {
  const auto counts = expanded({{0, 0.9}});
  EXPECT_GT(counts[0], 1200);
  EXPECT_GT(counts[1], 200);
}

// CONT has seen 1.0 twice and GEN 0.0: below the root is where scores are.
TEST(AdaptiveBranching, GoodRefinementsSpeakForGoingOn) {
  const auto counts = expanded({{0, 0.0}, {1, 1.0}, {1, 1.0}});
  EXPECT_LT(counts[0], 600);
}

TEST(AdaptiveBranching, GoesOnFromTheBetterChild) {
  const auto counts = expanded({{0, 0.1}, {0, 0.9}});
  EXPECT_GT(counts[2], 2 * counts[1]);
  EXPECT_GT(counts[1], 0);
}

TEST(AdaptiveBranching, NodesAtTheGreatestDepthAreNotGoneOnFrom) {
  const auto counts = expanded({{0, 0.1}, {0, 0.9}}, 1);
  EXPECT_EQ(counts[0], 2000);
}

TEST(AdaptiveBranching, ClosedAndCompleteNodesAreNotGoneOnFrom) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Tree tree;
    AdaptiveBranching search(BetaPrior{}, 1, seed, kDeep);
    const auto first = search.ask(tree);
    tree.add(kRoot, {.value = 1.0, .complete = true});
    tree.add(kRoot, {.value = 1.0});
    tree.close(2);
    search.tell(tree, first, std::array<NodeId, 2>{1, 2});
    EXPECT_EQ(search.ask(tree).node, kRoot);
  }
}

TEST(AdaptiveBranching, TheBetterArmWritesMoreOften) {
  Tree tree;
  AdaptiveBranching search(BetaPrior{}, 3, 5, kDeep);
  const std::array values{0.1, 0.9, 0.3};
  std::array<int, 3> written{};
  for (int i = 0; i < 300; ++i) {
    const auto choice = search.ask(tree);
    ++written[choice.arm];
    grow(tree, search, choice, values[choice.arm]);
  }
  EXPECT_GT(written[1], 250);
  EXPECT_GT(written[0], 0);
  EXPECT_GT(written[2], 0);
  EXPECT_EQ(search.scores_of_arm(1).count, static_cast<std::uint32_t>(written[1]));
  EXPECT_THROW(search.scores_of_arm(3), std::out_of_range);
}

TEST(AdaptiveBranching, AnExpansionThatFoundNothingLeavesNoTrace) {
  Tree tree;
  AdaptiveBranching search(GaussianPrior{}, 1, 3, kDeep);
  search.tell(tree, search.ask(tree), {});
  EXPECT_EQ(tree.pending(kRoot), 0u);
  EXPECT_EQ(tree.visits(kRoot), 0u);
}

TEST(AdaptiveBranching, AChildWithoutAValueCountsAsZero) {
  Tree tree;
  AdaptiveBranching search(GaussianPrior{}, 1, 3, kDeep);
  grow(tree, search, search.ask(tree), std::nan(""));
  EXPECT_EQ(tree.visits(1), 1u);
  EXPECT_EQ(tree.total(1), 0.0);
  EXPECT_EQ(search.scores_of_arm(0).count, 1u);
}

TEST(AdaptiveBranching, RefusesWhatWasNotAskedFor) {
  Tree tree;
  AdaptiveBranching search(BetaPrior{}, 1, 3, kDeep);
  EXPECT_THROW(search.tell(tree, {kRoot, 0}, {}), std::invalid_argument);
  const auto choice = search.ask(tree);
  EXPECT_THROW(search.tell(tree, {kRoot, 1}, {}), std::invalid_argument);
  EXPECT_THROW(search.tell(tree, {7, 0}, {}), std::invalid_argument);
  EXPECT_THROW(search.tell(tree, choice, std::array{kRoot}), std::invalid_argument);
  tree.add(kRoot, {.value = 1.5});
  EXPECT_THROW(search.tell(tree, choice, std::array<NodeId, 1>{1}), std::invalid_argument);
  EXPECT_EQ(tree.pending(kRoot), 1u);  // still under way
  EXPECT_THROW(AdaptiveBranching(BetaPrior{}, 0, 1, kDeep), std::invalid_argument);
  EXPECT_THROW(AdaptiveBranching(BetaPrior{}, 1, 1, 0), std::invalid_argument);
  EXPECT_THROW(AdaptiveBranching(BetaPrior{.alpha = 0.0}, 1, 1, kDeep), std::invalid_argument);
}

TEST(AdaptiveBranching, TheSameSeedGrowsTheSameTree) {
  std::vector<NodeId> parents[2];
  for (auto& found : parents) {
    Tree tree;
    AdaptiveBranching search(GaussianPrior{}, 2, 11, kDeep);
    for (int i = 0; i < 200; ++i) {
      const auto choice = search.ask(tree);
      found.push_back(choice.node);
      grow(tree, search, choice, (i * 7 % 16) / 16.0);
    }
  }
  EXPECT_EQ(parents[0], parents[1]);
}

}  // namespace
}  // namespace orchestrator
