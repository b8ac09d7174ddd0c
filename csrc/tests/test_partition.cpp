#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

#include "answers/partition.hpp"

namespace orchestrator {
namespace {

using Nodes = std::vector<Partition::NodeId>;

TEST(Partition, ANodeEqualToTwoClustersMakesThemOneUnderTheSmallerLabel) {
  Partition partition;
  EXPECT_EQ(partition.add(partition.add_node({})), 0);           // 1.00
  EXPECT_EQ(partition.add(partition.add_node({})), 1);           // 1.02
  EXPECT_EQ(partition.add(partition.add_node({})), 2);           // 7
  EXPECT_EQ(partition.add(partition.add_node(Nodes{0, 1})), 0);  // 1.01 bridges
  EXPECT_EQ(partition.add(1), 0);
  EXPECT_EQ(partition.add(2), 2);  // labels are stable ...
  EXPECT_EQ(partition.merges(), (std::vector<std::pair<ClusterId, ClusterId>>{{1, 0}}));
  EXPECT_EQ(partition.labels(), (std::vector<ClusterId>{0, 2}));
  EXPECT_EQ(partition.ids(), (std::vector<ClusterId>{0, 0, 1, 0, 0, 1}));  // ... numbers are dense
  EXPECT_EQ(partition.nodes(), (std::vector<Nodes>{{0, 1, 3}, {2}}));
  EXPECT_EQ(partition.sizes(), (std::vector<std::size_t>{4, 2}));
  EXPECT_EQ(partition.members(), (std::vector<std::vector<std::size_t>>{{0, 1, 3, 4}, {2, 5}}));
}

TEST(Partition, ARetiredLabelIsNotGivenOutAgain) {
  Partition partition;
  partition.add_node({});
  partition.add_node({});
  partition.add_node(Nodes{0, 1});
  EXPECT_EQ(partition.add(partition.add_node({})), 2);
}

TEST(Partition, WeightsAndAbstentionsAreCounted) {
  Partition partition;
  const Partition::NodeId node = partition.add_node({});
  partition.add(node, 0.25);
  partition.add(std::nullopt, 0.5);
  partition.add(node, 0.5);
  EXPECT_EQ(partition.weights(), (std::vector<double>{0.75}));
  EXPECT_EQ(partition.weight(), 1.25);
  EXPECT_EQ(partition.samples(), 3u);
  EXPECT_EQ(partition.abstentions(), 1u);
  EXPECT_EQ(partition.counts(), (std::vector<std::size_t>{2}));
}

TEST(Partition, WhatDoesNotExistIsRefusedAndNothingIsAdded) {
  Partition partition;
  EXPECT_THROW(partition.add_node(Nodes{0}), std::invalid_argument);
  EXPECT_THROW(partition.add(0), std::invalid_argument);
  EXPECT_THROW(partition.together(0, 0), std::invalid_argument);
  EXPECT_EQ(partition.add(partition.add_node({})), 0);
  EXPECT_THROW(partition.add(0, -1.0), std::invalid_argument);
  EXPECT_THROW(partition.add(0, std::numeric_limits<double>::quiet_NaN()), std::invalid_argument);
  EXPECT_EQ(partition.samples(), 1u);
}

}  // namespace
}  // namespace orchestrator
