#include <gtest/gtest.h>

#include <cmath>

#include "posterior.hpp"

namespace orchestrator {
namespace {

TEST(BetaPosterior, MatchesTheTable) {
  EXPECT_DOUBLE_EQ(beta_posterior(2, 0), 0.875);
  EXPECT_DOUBLE_EQ(beta_posterior(3, 0), 0.9375);
  EXPECT_DOUBLE_EQ(beta_posterior(4, 0), 0.96875);
  EXPECT_DOUBLE_EQ(beta_posterior(5, 0), 0.984375);
  EXPECT_DOUBLE_EQ(beta_posterior(5, 1), 0.9375);
  EXPECT_NEAR(beta_posterior(8, 2), 1 - 67.0 / 2048, 1e-15);
  EXPECT_NEAR(beta_posterior(7, 7), 0.5, 1e-14);
}

TEST(BetaPosterior, HoldsForManyVotes) {
  EXPECT_NEAR(beta_posterior(1'000'000, 1'000'000), 0.5, 1e-9);
  EXPECT_NEAR(beta_posterior(501'000, 499'000), 0.5 * std::erfc(-2000 / std::sqrt(2.0 * 1e6)),
              1e-5);
  EXPECT_DOUBLE_EQ(beta_posterior(1'000'000, 0), 1);
}

}  // namespace
}  // namespace orchestrator
