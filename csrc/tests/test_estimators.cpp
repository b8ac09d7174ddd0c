#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "bootstrap.hpp"
#include "estimators.hpp"

using namespace orchestrator;

namespace {

constexpr double kEnough = 1e15;

double majority(const std::vector<std::uint64_t>& counts, const std::vector<double>& correct,
                std::uint64_t abstentions, std::uint64_t k) {
  return exact_maj_at_k({counts, correct, abstentions}, k, kEnough).value();
}

}  // namespace

TEST(PassAtK, IsOneMinusTheChanceToDrawOnlyWrongSamples) {
  EXPECT_DOUBLE_EQ(pass_at_k(10, 3, 1), 0.3);
  EXPECT_DOUBLE_EQ(pass_at_k(10, 3, 5), 1 - 21.0 / 252);  // C(7, 5) / C(10, 5)
  EXPECT_EQ(pass_at_k(10, 0, 10), 0);
  EXPECT_FALSE(std::signbit(pass_at_k(10, 0, 1)));  // or it is written as "-0"
  EXPECT_EQ(pass_at_k(10, 1, 10), 1);
  EXPECT_EQ(pass_at_k(10, 6, 5), 1);
}

TEST(PassAtK, KeepsItsDigitsForAMillionSamples) {
  EXPECT_DOUBLE_EQ(pass_at_k(1'000'000, 1, 10), 1e-5);
  EXPECT_DOUBLE_EQ(pass_at_k(1'000'000, 500'000, 1), 0.5);
  EXPECT_DOUBLE_EQ(pass_at_k(1'000'000, 500'000, 500'000), 1);
}

TEST(PassAtK, RefusesMoreDrawnOrCorrectThanThereAre) {
  EXPECT_THROW(pass_at_k(10, 3, 11), std::invalid_argument);
  EXPECT_THROW(pass_at_k(10, 3, 0), std::invalid_argument);
  EXPECT_THROW(pass_at_k(10, 11, 1), std::invalid_argument);
}

TEST(BestOfK, FollowsTheBestScoreDrawn) {
  const std::vector<double> scores{0.1, 0.9, 0.5}, correct{1, 0, 1};
  EXPECT_DOUBLE_EQ(best_of_k(scores, correct, 1), 2.0 / 3);
  EXPECT_DOUBLE_EQ(best_of_k(scores, correct, 2), 1.0 / 3);  // only {0.1, 0.5} leaves out 0.9
  EXPECT_DOUBLE_EQ(best_of_k(scores, correct, 3), 0);
}

TEST(BestOfK, SharesATieEvenly) {
  EXPECT_DOUBLE_EQ(best_of_k(std::vector{1.0, 1.0, 1.0}, std::vector{1.0, 0.0, 0.0}, 2), 1.0 / 3);
}

TEST(BestOfK, RefusesScoresThatAreNoNumbers) {
  const std::vector<double> correct{1, 0};
  EXPECT_THROW(best_of_k(std::vector{1.0, std::nan("")}, correct, 1), std::invalid_argument);
  EXPECT_THROW(best_of_k(std::vector{1.0}, correct, 1), std::invalid_argument);
  EXPECT_THROW(best_of_k(std::vector{1.0, 2.0}, std::vector{1.0, 2.0}, 1), std::invalid_argument);
  EXPECT_THROW(best_of_k({}, {}, 1), std::invalid_argument);
}

TEST(MajAtK, OfOneIsTheShareOfCorrectSamples) {
  EXPECT_NEAR(majority({3, 5}, {1, 0}, 2, 1), 0.3, 1e-14);
}

TEST(MajAtK, OfAllIsTheVoteAndATieIsShared) {
  EXPECT_EQ(majority({3, 5}, {1, 0}, 2, 10), 0);
  EXPECT_EQ(majority({5, 5}, {1, 0}, 2, 12), 0.5);
}

TEST(MajAtK, CountsEveryDrawOfTwoOfThree) {
  // {a, a}: a wins; {a, b} twice: a tie.
  EXPECT_NEAR(majority({2, 1}, {1, 0}, 0, 2), (1 + 2 * 0.5) / 3, 1e-14);
}

TEST(MajAtK, IsWrongWhenNothingReadableIsDrawn) {
  EXPECT_NEAR(majority({1}, {1}, 1, 1), 0.5, 1e-14);
  EXPECT_EQ(exact_maj_at_k({{}, {}, 3}, 2, kEnough), 0);
  EXPECT_EQ(majority({0, 0}, {1, 1}, 3, 3), 0);
}

TEST(MajAtK, OfLikelyCorrectAnswersRisesToCertainty) {
  double last = 0;
  for (std::uint64_t k = 1; k <= 255; k += 2) {
    const double now = majority({160, 96}, {1, 0}, 0, k);
    EXPECT_GE(now, last - 1e-12);
    last = now;
  }
  EXPECT_GT(last, 0.999999);
}

TEST(MajAtK, SaysWhenItWouldTakeTooLongAndTakesNoMemoryForIt) {
  const std::vector<std::uint64_t> counts(1000, 1000);
  const std::vector<double> correct(1000, 0.5);
  EXPECT_EQ(exact_maj_at_k({counts, correct, 0}, 500'000, 1e8), std::nullopt);
}

TEST(MajAtK, RefusesWhatDoesNotFit) {
  EXPECT_THROW(majority({3}, {1, 0}, 0, 1), std::invalid_argument);
  EXPECT_THROW(majority({3}, {1}, 0, 4), std::invalid_argument);
  EXPECT_THROW(majority({3}, {-1}, 0, 1), std::invalid_argument);
}

TEST(Bootstrap, OfEqualValuesIsThatValue) {
  const std::vector<std::uint64_t> sizes{2, 3};
  const std::vector<double> values(5, 0.25);
  for (const double mean : bootstrap_means(sizes, values, 1, {true, true}, 50, 1, 2)) {
    EXPECT_EQ(mean, 0.25);
  }
}

TEST(Bootstrap, DoesNotDependOnTheThreads) {
  const std::vector<std::uint64_t> sizes{2, 3, 4};
  const std::vector<double> values{0, 1, 1, 0, 0, 1, 1, 1, 0};
  const auto alone = bootstrap_means(sizes, values, 2, {true, true}, 200, 7, 1);
  EXPECT_EQ(alone, bootstrap_means(sizes, values, 2, {true, true}, 200, 7, 4));
  EXPECT_NE(alone, bootstrap_means(sizes, values, 2, {true, true}, 200, 8, 4));
}

TEST(Bootstrap, RefusesWhatDoesNotFit) {
  const std::vector<double> values{0, 1, 0.5};
  const std::vector<std::uint64_t> all{3}, fewer{2}, more{4}, none{3, 0};
  EXPECT_THROW(bootstrap_means(fewer, values, 1, {}, 1, 0, 1), std::invalid_argument);
  EXPECT_THROW(bootstrap_means(more, values, 1, {}, 1, 0, 1), std::invalid_argument);
  EXPECT_THROW(bootstrap_means(none, values, 1, {}, 1, 0, 1), std::invalid_argument);
  EXPECT_THROW(bootstrap_means(all, values, 2, {}, 1, 0, 1), std::invalid_argument);
  EXPECT_THROW(bootstrap_means(all, values, 4, {}, 1, 0, 1), std::invalid_argument);
  EXPECT_THROW(bootstrap_means(all, values, 1, {false, false}, 1, 0, 1), std::invalid_argument);
  EXPECT_THROW(bootstrap_means({}, {}, 1, {}, 1, 0, 1), std::invalid_argument);
}
