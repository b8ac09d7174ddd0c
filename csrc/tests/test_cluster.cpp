#include <gtest/gtest.h>

#include "cluster.hpp"

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

TEST(Clusters, OneAtATimeAndAllAtOnceAgree) {
  const std::vector<std::optional<std::string_view>> keys{"b", "a", std::nullopt, "b", "c", "a"};
  EXPECT_EQ(cluster(keys), (std::vector<ClusterId>{0, 1, kAbstains, 0, 2, 1}));
}

}  // namespace
}  // namespace orchestrator
