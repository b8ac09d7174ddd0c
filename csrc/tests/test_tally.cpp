#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "tally.hpp"

namespace orchestrator {
namespace {

using Ids = std::vector<ClusterId>;
using Counts = std::vector<std::uint64_t>;

TEST(Tally, GrowsToWhatItsCountsSay) {
  const Ids ids{0, 1, kAbstains, 1, 2, 1, 0, 0};
  Tally tally(10);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    tally.add(ids[i]);
    EXPECT_EQ(tally, Tally::of_clusters(std::span(ids).first(i + 1), 10));
    const Tally counted = Tally::of(tally.counts(), tally.abstentions(), 10);
    EXPECT_EQ(tally.leader(), counted.leader());
    EXPECT_EQ(tally.second(), counted.second());
  }
  EXPECT_EQ(tally.leader(), 0u);  // 3 votes each: the first seen leads
  EXPECT_EQ(tally.second(), 3u);
  EXPECT_EQ(tally.remaining(), 2u);
}

TEST(Tally, RefusesWhatCannotBeAndStaysAsItWas) {
  Tally tally;
  EXPECT_THROW(tally.add(1), std::invalid_argument);
  EXPECT_THROW(tally.add(-2), std::invalid_argument);
  EXPECT_THROW(tally.add(0, std::nan("")), std::invalid_argument);
  EXPECT_EQ(tally, Tally());
  EXPECT_THROW(Tally::of(Counts{Tally::kLargest, 1}, 0, {}), std::invalid_argument);
}

TEST(Tally, IsUsedAgainAfterItIsCleared) {
  Tally tally(3);
  tally.add(0, 0.5);
  tally.clear();
  EXPECT_EQ(tally, Tally(3));
}

TEST(Tally, KeepsTheBestScoreOfAnAnswer) {
  Tally tally;
  tally.add(kAbstains, 1.0);
  EXPECT_FALSE(tally.best_score().has_value());
  tally.add(0, 0.25);
  tally.add(1, 0.75);
  tally.add(0, 0.5);
  EXPECT_EQ(tally.best_score(), 0.75);
}

}  // namespace
}  // namespace orchestrator
