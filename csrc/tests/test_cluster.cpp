#include <gtest/gtest.h>

#include <stdexcept>

#include "answers/cluster.hpp"

namespace orchestrator {
namespace {

TEST(Clusters, AreNumberedInFirstSeenOrder) {
  Clusters clusters;
  EXPECT_EQ(clusters.add("n:2"), 0);
  EXPECT_EQ(clusters.add(std::nullopt), kAbstains);
  EXPECT_EQ(clusters.add("n:1"), 1);
  EXPECT_EQ(clusters.add("n:2"), 0);
  EXPECT_EQ(clusters.samples(), 4u);
  EXPECT_EQ(clusters.abstentions(), 1u);
  EXPECT_EQ(clusters.sizes(), (std::vector<std::size_t>{2, 1}));
  EXPECT_EQ(clusters.members(), (std::vector<std::vector<std::size_t>>{{0, 3}, {2}}));
}

TEST(Clusters, WeightsAddUpByClusterAndAbstentionsToTheTotal) {
  Clusters clusters;
  clusters.add("a", 0.5);
  clusters.add("b", 0.25);
  clusters.add("a", 0.25);
  clusters.add(std::nullopt, 2.0);
  EXPECT_EQ(clusters.weights(), (std::vector<double>{0.75, 0.25}));
  EXPECT_EQ(clusters.weight(), 3.0);
  EXPECT_THROW(clusters.add("c", -0.5), std::invalid_argument);
  EXPECT_EQ(clusters.samples(), 4u);
}

TEST(Clusters, OneAtATimeAndAllAtOnceAgree) {
  const std::vector<std::optional<std::string_view>> keys{"b", "a", std::nullopt, "b", "c", "a"};
  EXPECT_EQ(cluster(keys), (std::vector<ClusterId>{0, 1, kAbstains, 0, 2, 1}));
}

}  // namespace
}  // namespace orchestrator
