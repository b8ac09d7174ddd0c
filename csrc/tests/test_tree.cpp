#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "tree.hpp"

namespace orchestrator {
namespace {

using Nodes = std::vector<NodeId>;

//   0
//   ├── 1
//   │   └── 3 (complete)
//   └── 2
Tree small_tree() {
  Tree tree;
  tree.add(kRoot, {.value = 0.5, .prior = 0.25, .tokens = 7, .arm = 2});
  tree.add(kRoot, {.value = std::nan("")});
  tree.add(1, {.value = 1.0, .complete = true});
  return tree;
}

TEST(Tree, NumbersNodesAsTheyAreAdded) {
  const Tree tree = small_tree();
  EXPECT_EQ(tree.size(), 4u);
  EXPECT_EQ(tree.children(kRoot), (Nodes{1, 2}));
  EXPECT_EQ(tree.children(1), (Nodes{3}));
  EXPECT_EQ(tree.child_count(2), 0u);
  EXPECT_EQ(tree.path(3), (Nodes{1, 3}));
  EXPECT_TRUE(tree.path(kRoot).empty());
  EXPECT_EQ(tree.depth(3), 2u);
  EXPECT_EQ(tree.parent(kRoot), kNoNode);
  EXPECT_EQ(tree.prior(1), 0.25);
  EXPECT_EQ(tree.tokens(1), 7u);
  EXPECT_EQ(tree.arm(1), 2u);
  EXPECT_TRUE(std::isnan(tree.value(2)));
}

TEST(Tree, VisitsGoThroughAllNodesAbove) {
  Tree tree = small_tree();
  tree.begin(3);
  tree.begin(2);
  EXPECT_EQ(tree.pending(kRoot), 2u);
  EXPECT_EQ(tree.pending(1), 1u);
  tree.abandon(3);
  tree.backup(3, 1.0);
  tree.backup(1, 0.5);
  EXPECT_EQ(tree.pending(1), 0u);
  EXPECT_EQ(tree.visits(kRoot), 2u);
  EXPECT_EQ(tree.visits(1), 2u);
  EXPECT_EQ(tree.mean(1), 0.75);
  EXPECT_TRUE(std::isnan(tree.mean(2)));
}

TEST(Tree, RefusesWhatCannotBeAndStaysAsItWas) {
  Tree tree = small_tree();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_THROW(tree.add(9, {.value = 0.0}), std::invalid_argument);
  EXPECT_THROW(tree.add(3, {.value = 0.0}), std::invalid_argument);  // complete
  EXPECT_THROW(tree.add(1, {.value = infinity}), std::invalid_argument);
  EXPECT_THROW(tree.add(1, {.value = 0.0, .prior = -1.0}), std::invalid_argument);
  EXPECT_THROW(tree.add(1, {.value = 0.0, .prior = std::nan("")}), std::invalid_argument);
  EXPECT_THROW(tree.abandon(1), std::invalid_argument);  // nothing is under way there
  EXPECT_THROW(tree.backup(1, std::nan("")), std::invalid_argument);
  EXPECT_THROW(tree.path(4), std::invalid_argument);
  EXPECT_EQ(tree.size(), 4u);
  EXPECT_EQ(tree.visits(kRoot), 0u);
}

TEST(Tree, TakesFewBytesANode) {
  Tree tree;
  constexpr std::size_t kNodes = 100'000;
  for (std::size_t i = 1; i < kNodes; ++i)
    tree.add(static_cast<NodeId>((i - 1) / 2), {.value = 0.0});
  EXPECT_LT(tree.bytes() / kNodes, 150u);
}

}  // namespace
}  // namespace orchestrator
