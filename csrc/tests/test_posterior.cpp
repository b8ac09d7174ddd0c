#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

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
  // The normal distribution with continuity correction, whose error is of the order of 1e-11 here.
  const auto normal = [](double first, double second) {
    return std::erfc(-(first - second) / std::sqrt(2 * (first + second + 1))) / 2;
  };
  EXPECT_NEAR(beta_posterior(1'000'000'000, 999'990'000), normal(1e9, 999'990'000), 1e-10);
}

TEST(PairPosterior, IsTheSameWithinItsTableAndBeyond) {
  // 63 votes are in the table, 64 are not: one step on the recurrence connects them.
  for (const double prior : {0.5, 1.0, 2.0, 1.7}) {
    const PairPosterior pair(prior);
    EXPECT_NEAR(pair(64, 60), (pair(63, 60) + pair(64, 59)) / 2, 1e-10) << prior;
    EXPECT_NEAR(pair(60, 64) + pair(64, 60), 1, 1e-12) << prior;
  }
}

TEST(PairPosterior, RefusesPriorsOutsideTheirRange) {
  EXPECT_THROW(PairPosterior(0), std::invalid_argument);
  EXPECT_THROW(PairPosterior(101), std::invalid_argument);
  EXPECT_THROW(PairPosterior(std::nan("")), std::invalid_argument);
}

double mode_of(std::vector<std::uint64_t> counts, double prior, std::int64_t unseen) {
  return ModePosterior(prior, unseen)(Tally::of(counts, 0, {}));
}

TEST(ModePosterior, GivesEqualAnswersEqualChances) {
  for (const double prior : {0.1, 1.0, 2.5}) {
    EXPECT_NEAR(mode_of({7, 7, 7}, prior, 0), 1.0 / 3, 1e-9) << prior;
    EXPECT_NEAR(mode_of({300, 300, 300, 300}, prior, 0), 0.25, 1e-9) << prior;
    EXPECT_NEAR(mode_of(std::vector<std::uint64_t>(500, 1), prior, 0), 1.0 / 500, 1e-9) << prior;
  }
}

TEST(ModePosterior, MatchesClosedCases) {
  // Of Gamma(2) and two Gamma(1), by integrating x e^-x (1 - e^-x)^2: 1 - 2/4 + 1/9.
  EXPECT_NEAR(mode_of({1, 0, 0}, 1, 0), 11.0 / 18, 1e-9);
  EXPECT_NEAR(mode_of({1, 0}, 1, 1), 11.0 / 18, 1e-9);
  EXPECT_DOUBLE_EQ(mode_of({4}, 1, 1), 0.96875);
  EXPECT_DOUBLE_EQ(mode_of({4}, 1, 0), 0.96875);  // always one rival
  EXPECT_DOUBLE_EQ(mode_of({5, 1}, 1, 0), 0.9375);
}

TEST(ModePosterior, DecidesAsItsValueDoes) {
  const ModePosterior posterior(1, 1);
  for (std::uint64_t first = 1; first < 24; ++first) {
    for (std::uint64_t second = 0; second <= first; ++second) {
      const Tally tally = Tally::of(std::vector<std::uint64_t>{first, second, second / 2}, 0, {});
      const double value = posterior(tally);
      for (const double confidence : {0.5, 0.9, 0.95, value - 1e-8, value + 1e-8}) {
        EXPECT_EQ(posterior.reaches(tally, confidence), value >= confidence)
            << first << " " << second;
      }
    }
  }
}

TEST(GammaDistribution, MatchesClosedForms) {
  EXPECT_NEAR(gamma_distribution(1, 2), 1 - std::exp(-2.0), 1e-14);
  EXPECT_NEAR(gamma_distribution(0.5, 0.49), std::erf(0.7), 1e-14);
  EXPECT_NEAR(gamma_distribution(0.5, 4), std::erf(2.0), 1e-14);
  EXPECT_NEAR(gamma_distribution(3, 5), 1 - std::exp(-5.0) * 18.5, 1e-13);
  EXPECT_EQ(gamma_distribution(2, 0), 0);
}

}  // namespace
}  // namespace orchestrator
