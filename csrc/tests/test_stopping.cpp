#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "stopping.hpp"

namespace orchestrator {
namespace {

using Ids = std::vector<ClusterId>;
using Counts = std::vector<std::uint64_t>;

TEST(LeadIsSafe, DependsOnWhoWasSeenFirst) {
  EXPECT_TRUE(lead_is_safe(Counts{3, 1}, 2));   // a tie at 3 goes to the leader
  EXPECT_FALSE(lead_is_safe(Counts{1, 3}, 2));  // a tie at 3 goes to the challenger
  EXPECT_TRUE(lead_is_safe(Counts{1, 4}, 2));
  EXPECT_FALSE(lead_is_safe(Counts{2}, 3));  // a cluster not seen yet could get 3
  EXPECT_TRUE(lead_is_safe(Counts{3}, 3));
  EXPECT_FALSE(lead_is_safe(Counts{}, 0));
}

TEST(WindowAgrees, LooksAtDisjointWholeWindows) {
  EXPECT_TRUE(window_agrees(Ids{0, 1, 1, 1}, 2));
  EXPECT_FALSE(window_agrees(Ids{0, 1, 1, 0}, 2));
  EXPECT_FALSE(window_agrees(Ids{kAbstains, kAbstains}, 2));
  EXPECT_FALSE(window_agrees(Ids{0}, 2));
  EXPECT_THROW(window_agrees(Ids{0}, 0), std::invalid_argument);
}

TEST(NormalizedEntropy, IsOneForEqualClusters) {
  EXPECT_DOUBLE_EQ(normalized_entropy(Counts{20, 20}), 1);
  EXPECT_DOUBLE_EQ(normalized_entropy(Counts{3, 0, 3, 3}), 1);
  EXPECT_DOUBLE_EQ(normalized_entropy(Counts{5}), 0);
  EXPECT_NEAR(normalized_entropy(Counts{3, 1}), 2 - 0.75 * std::log2(3), 1e-15);
}

TEST(ConvergenceStop, LooksAtTheVoteOfEachOfTheLastSamples) {
  const ConvergenceStop rule(2, 0.1);
  EXPECT_FALSE(rule.should_stop(Tally::of_clusters(Ids{0, 0}, {})));
  EXPECT_TRUE(rule.should_stop(Tally::of_clusters(Ids{0, 0, 0}, {})));
  EXPECT_FALSE(rule.should_stop(Tally::of_clusters(Ids{0, 0, 1}, {})));     // 1 to 2/3
  EXPECT_FALSE(rule.should_stop(Tally::of_clusters(Ids{0, 1, 1, 1}, {})));  // another led
  EXPECT_THROW(rule.should_stop(Tally::of(Counts{3}, 0, {})), std::invalid_argument);
}

TEST(ValueOfSample, WeighsOneVoteThatMayTurnATie) {
  // At one vote each, of one more vote: half goes to each, and P becomes 11/16 from 1/2.
  const Tally tie = Tally::of(Counts{1, 1}, 0, 3);
  EXPECT_NEAR(ValueOfSample(0.1, 1, 32).net_gain(tie), 0.1875 - 0.1, 1e-12);
  EXPECT_FALSE(ValueOfSample(0.18, 1, 32).should_stop(tie));
  EXPECT_TRUE(ValueOfSample(0.19, 1, 32).should_stop(tie));
  EXPECT_TRUE(
      ValueOfSample(0.18, 1, 32).should_stop(Tally::of(Counts{1, 1}, 0, 2)));  // none to come
}

TEST(Combinators, CombineAndCheck) {
  const auto four = std::make_shared<BetaStop>(0.95);
  const auto lead = std::make_shared<LeadStop>();
  const Tally tally = Tally::of(Counts{4}, 0, 40);
  EXPECT_TRUE(AnyOf(Rules{lead, four}).should_stop(tally));
  EXPECT_FALSE(AllOf(Rules{lead, four}).should_stop(tally));
  EXPECT_FALSE(After(5, four).should_stop(tally));
  EXPECT_TRUE(After(4, four).should_stop(tally));
  EXPECT_THROW(AnyOf(Rules{}), std::invalid_argument);
  EXPECT_THROW(After(0, four), std::invalid_argument);
}

}  // namespace
}  // namespace orchestrator
