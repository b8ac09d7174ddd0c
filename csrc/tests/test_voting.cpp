#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "voting.hpp"

namespace orchestrator {
namespace {

using Ids = std::vector<ClusterId>;

TEST(MajorityVote, AbstentionsCountInTheDenominator) {
  const auto vote = majority_vote(Ids{kAbstains, 0, kAbstains, 0, kAbstains});
  EXPECT_EQ(vote.leader, 0u);
  EXPECT_DOUBLE_EQ(vote.share, 0.4);
  EXPECT_EQ(vote.abstentions, 3u);
}

TEST(MajorityVote, ATieGoesToTheFirstSeenAndIsReported) {
  const auto vote = majority_vote(Ids{0, 1, 1, 0});
  EXPECT_EQ(vote.leader, 0u);
  EXPECT_TRUE(vote.tied);
  EXPECT_DOUBLE_EQ(vote.margin, 0);
}

TEST(MajorityVote, IdsMustComeInFirstSeenOrder) {
  EXPECT_THROW(majority_vote(Ids{1, 0}), std::invalid_argument);
  EXPECT_THROW(majority_vote(Ids{-2}), std::invalid_argument);
}

TEST(WeightedVote, SumsNeitherOverflowNorSplitTies) {
  const double huge = std::numeric_limits<double>::max();
  EXPECT_DOUBLE_EQ(weighted_vote(Ids{0, 0, 1}, std::vector<double>{huge, huge, huge}).share,
                   2.0 / 3);
  EXPECT_TRUE(weighted_vote(Ids{0, 0, 1}, std::vector<double>{0.1, 0.2, 0.3}).tied);
  EXPECT_FALSE(weighted_vote(Ids{0, 1}, std::vector<double>{0, 0}).leader.has_value());
}

TEST(WeightedVote, BadWeightsAreRefused) {
  EXPECT_THROW(weighted_vote(Ids{0}, std::vector<double>{-1}), std::invalid_argument);
  EXPECT_THROW(weighted_vote(Ids{0}, std::vector<double>{std::nan("")}), std::invalid_argument);
  EXPECT_THROW(weighted_vote(Ids{0}, std::vector<double>{}), std::invalid_argument);
}

TEST(WeightedVote, NeitherAHeavyAbstentionNorAnOverflowHidesTheLeader) {
  const auto light = weighted_vote(Ids{kAbstains, 0}, std::vector<double>{1e300, 1e-300});
  EXPECT_EQ(light.leader, 0u);
  EXPECT_DOUBLE_EQ(light.share, 0);
  const auto heavy = weighted_vote(Ids{0, 1, 1}, std::vector<double>(3, 1e308));
  EXPECT_EQ(heavy.leader, 1u);
  EXPECT_DOUBLE_EQ(heavy.share, 2.0 / 3);
  EXPECT_TRUE(std::isfinite(heavy.totals[1]));
}

TEST(LogWeightedVote, WeightsOutOfADoublesRangeStillVote) {
  const auto vote = log_weighted_vote(Ids{0, 1, 1}, std::vector<double>{-3000, -3001, -3000.5});
  EXPECT_EQ(vote.leader, 0u);
  EXPECT_NEAR(vote.share, 1 / (1 + std::exp(-1.0) + std::exp(-0.5)), 1e-12);
  EXPECT_EQ(log_weighted_vote(Ids{0}, std::vector<double>{5000}).leader, 0u);
}

TEST(LogWeightedVote, AHeavyAbstentionTakesTheShareAndNotTheLead) {
  const auto vote = log_weighted_vote(Ids{kAbstains, 0, 1}, std::vector<double>{-1, -3000, -3001});
  EXPECT_EQ(vote.leader, 0u);
  EXPECT_EQ(vote.sample, 1u);
  EXPECT_DOUBLE_EQ(vote.share, 0);
}

TEST(LogWeightedVote, WeightsOfZeroHaveNoLeaderAndBadOnesAreRefused) {
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(log_weighted_vote(Ids{0}, std::vector<double>{-infinite}).leader.has_value());
  EXPECT_FALSE(log_weighted_vote(Ids{kAbstains}, std::vector<double>{0}).leader.has_value());
  EXPECT_THROW(log_weighted_vote(Ids{0}, std::vector<double>{infinite}), std::invalid_argument);
  EXPECT_THROW(log_weighted_vote(Ids{0}, std::vector<double>{std::nan("")}), std::invalid_argument);
  EXPECT_THROW(log_weighted_vote(Ids{0}, std::vector<double>{}), std::invalid_argument);
}

TEST(BestOfClusters, SumMeanAndMaxCanDisagree) {
  using Scores = std::vector<std::optional<double>>;
  const Ids ids{0, 0, 0, 1, 1, 2};
  const Scores scores{0.4, 0.5, 0.3, 0.9, 0.1, 0.7};
  EXPECT_EQ(best_of_clusters(ids, scores, Aggregate::sum).sample, 1u);   // 1.2 against 1.0, 0.7
  EXPECT_EQ(best_of_clusters(ids, scores, Aggregate::mean).sample, 5u);  // 0.7 against 0.4, 0.5
  EXPECT_EQ(best_of_clusters(ids, scores, Aggregate::max).sample, 3u);
}

TEST(BestOfClusters, SumsDoNotOverflowAndBadScoresAreRefused) {
  using Scores = std::vector<std::optional<double>>;
  const double huge = std::numeric_limits<double>::max();
  EXPECT_DOUBLE_EQ(best_of_clusters(Ids{0, 0, 1}, Scores{huge, huge, huge}, Aggregate::sum).share,
                   2.0 / 3);
  EXPECT_FALSE(best_of_clusters(Ids{0}, Scores{std::nullopt}, Aggregate::mean).leader.has_value());
  EXPECT_THROW(best_of_clusters(Ids{0}, Scores{-1}, Aggregate::sum), std::invalid_argument);
  EXPECT_THROW(best_of_clusters(Ids{0}, Scores{std::nan("")}, Aggregate::sum),
               std::invalid_argument);
  EXPECT_THROW(best_of_clusters(Ids{0}, Scores{}, Aggregate::sum), std::invalid_argument);
}

}  // namespace
}  // namespace orchestrator
