#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "thompson.hpp"

namespace orchestrator {
namespace {

constexpr int kDraws = 200'000;

struct Found {
  double mean = 0.0;
  double variance = 0.0;
};

template <typename Draw>
Found moments(Draw draw) {
  RandomStream random(20'250'312, 1);
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double drawn = draw(random);
    sum += drawn;
    squares += drawn * drawn;
  }
  const double mean = sum / kDraws;
  return {mean, squares / kDraws - mean * mean};
}

// Tolerances are more than five standard errors at kDraws.

TEST(Thompson, UniformsAreInsideTheUnitInterval) {
  RandomStream random(7, 7);
  for (int i = 0; i < kDraws; ++i) {
    const double drawn = draw_uniform(random);
    ASSERT_GT(drawn, 0.0);
    ASSERT_LT(drawn, 1.0);
  }
}

TEST(Thompson, NormalsHaveMeanZeroAndVarianceOne) {
  const Found found = moments([](RandomStream& random) { return draw_normal(random); });
  EXPECT_NEAR(found.mean, 0.0, 0.012);
  EXPECT_NEAR(found.variance, 1.0, 0.017);
}

TEST(Thompson, GammasHaveTheirShapeAsMeanAndVariance) {
  for (const double shape : {1.0, 2.5, 40.0}) {
    const Found found = moments([=](RandomStream& random) { return draw_gamma(random, shape); });
    EXPECT_NEAR(found.mean, shape, 0.012 * std::sqrt(shape));
    EXPECT_NEAR(found.variance, shape, 0.04 * shape);
  }
  const Found small =
      moments([](RandomStream& random) { return std::exp(draw_log_gamma(random, 0.3)); });
  EXPECT_NEAR(small.mean, 0.3, 0.007);
  EXPECT_NEAR(small.variance, 0.3, 0.02);
}

TEST(Thompson, BetasHaveTheirMeanWhateverTheirShapes) {
  for (const auto& [alpha, beta] : {std::pair{0.5, 0.5}, {3.0, 1.0}, {0.2, 5.0}, {1e-5, 3e-5}}) {
    const Found found =
        moments([=, a = alpha, b = beta](RandomStream& random) { return draw_beta(random, a, b); });
    const double mean = alpha / (alpha + beta);
    EXPECT_NEAR(found.mean, mean, 0.006);
    EXPECT_NEAR(found.variance, mean * (1 - mean) / (alpha + beta + 1), 0.004);
  }
}

TEST(Thompson, InverseChiSquaresHaveTheirMean) {
  const Found found =
      moments([](RandomStream& random) { return draw_inverse_chi_square(random, 12.0, 0.5); });
  EXPECT_NEAR(found.mean, 12.0 * 0.5 / 10.0, 0.004);
}

TEST(Thompson, AGammaNeedsAShape) {
  RandomStream random(1, 1);
  EXPECT_THROW(draw_gamma(random, 0.5), std::invalid_argument);
  EXPECT_THROW(draw_gamma(random, std::numeric_limits<double>::infinity()), std::invalid_argument);
  EXPECT_THROW(draw_log_gamma(random, 0.0), std::invalid_argument);
  EXPECT_THROW(draw_log_gamma(random, std::nan("")), std::invalid_argument);
}

TEST(Thompson, APosteriorMeanLiesBetweenPriorAndScores) {
  ScoreSums scores;
  EXPECT_EQ(posterior_mean(GaussianPrior{}, scores), 0.0);
  EXPECT_EQ(posterior_mean(BetaPrior{}, scores), 0.5);
  scores.add(1.0);
  scores.add(0.5);
  EXPECT_EQ(posterior_mean(GaussianPrior{}, scores), 0.5);        // 1.5 / (1 + 2)
  EXPECT_DOUBLE_EQ(posterior_mean(BetaPrior{}, scores), 2. / 3);  // (0.5 + 1.5) / (1 + 2)
}

// kappa = 1 + 4, nu = 1 + 4, nu tau2 = 0.1 + 0.25 + 4/5 * 0.25 = 0.55, so the mean has variance
// nu tau2 / (nu - 2) / kappa = 0.55 / 3 / 5.
TEST(Thompson, DrawsOfAGaussianMeanHaveThePosteriorsVariance) {
  ScoreSums scores;
  for (const double score : {0.25, 0.75, 0.25, 0.75}) scores.add(score);
  const Found found =
      moments([&](RandomStream& random) { return draw_mean(GaussianPrior{}, scores, 0, random); });
  EXPECT_NEAR(found.mean, 0.4, 0.003);
  EXPECT_NEAR(found.variance, 0.55 / 3 / 5, 0.004);
}

TEST(Thompson, PendingScoresNarrowADrawAndLeaveItsMean) {
  ScoreSums scores;
  for (const double score : {0.25, 0.75, 0.25, 0.75}) scores.add(score);
  const Found gaussian =
      moments([&](RandomStream& random) { return draw_mean(GaussianPrior{}, scores, 5, random); });
  EXPECT_NEAR(gaussian.mean, 0.4, 0.003);
  EXPECT_NEAR(gaussian.variance, 0.55 / 3 / 10, 0.002);
  // Beta(2.5, 2.5) is Beta(5, 5) after five more that are as expected.
  const Found beta =
      moments([&](RandomStream& random) { return draw_mean(BetaPrior{}, scores, 5, random); });
  EXPECT_NEAR(beta.mean, 0.5, 0.003);
  EXPECT_NEAR(beta.variance, 0.25 / 11, 0.0007);
}

TEST(Thompson, RefusesPriorsAndScoresOutOfRange) {
  const double nothing = std::nan("");
  EXPECT_THROW(check_prior(GaussianPrior{.m = nothing}), std::invalid_argument);
  EXPECT_THROW(check_prior(GaussianPrior{.kappa = 0.0}), std::invalid_argument);
  EXPECT_THROW(check_prior(GaussianPrior{.nu = -1.0}), std::invalid_argument);
  EXPECT_THROW(check_prior(GaussianPrior{.tau2 = 1e13}), std::invalid_argument);
  EXPECT_THROW(check_prior(BetaPrior{.alpha = 0.0}), std::invalid_argument);
  EXPECT_THROW(check_prior(BetaPrior{.beta = nothing}), std::invalid_argument);
  EXPECT_NO_THROW(check_prior(GaussianPrior{.m = -3.0}));
  EXPECT_THROW(check_score(GaussianPrior{}, nothing), std::invalid_argument);
  EXPECT_THROW(check_score(BetaPrior{}, 1.5), std::invalid_argument);
  EXPECT_NO_THROW(check_score(GaussianPrior{}, 1.5));
}

}  // namespace
}  // namespace orchestrator
