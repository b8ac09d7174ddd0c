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

}  // namespace
}  // namespace orchestrator
