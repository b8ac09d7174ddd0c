#include <gtest/gtest.h>

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

}  // namespace
}  // namespace orchestrator
