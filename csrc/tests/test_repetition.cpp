#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "repetition.hpp"

namespace orchestrator {
namespace {

std::string times(const std::string& block, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += block;
  return text;
}

TEST(LoopDetector, FindsTheSmallestPeriodAtTheByteThatCompletesIt) {
  LoopDetector detector(3, 6, 8);
  EXPECT_EQ(detector.add("xabab"), std::nullopt);
  EXPECT_EQ(detector.add("ab"), (Loop{2, 6}));
}

TEST(LoopDetector, WantsBothTheRepeatsAndTheLength) {
  EXPECT_EQ(LoopDetector(3, 7, 8).add("ababab"), std::nullopt);
  EXPECT_EQ(LoopDetector(3, 7, 8).add("abababa"), (Loop{2, 7}));
  EXPECT_EQ(LoopDetector(4, 1, 8).add("ababab"), std::nullopt);
  EXPECT_EQ(LoopDetector(2, 1, 8).add("aa"), (Loop{1, 2}));
}

TEST(LoopDetector, ReadsNoFurtherThanTheLoop) {
  LoopDetector detector(2, 2, 4);
  EXPECT_EQ(detector.add("xyzzy"), (Loop{1, 2}));
}

TEST(LoopDetector, SeesPeriodsUpToTheLongestAndNoneAbove) {
  const std::string block = "0123456789";
  EXPECT_EQ(LoopDetector(3, 1, 10).add(times(block, 3)), (Loop{10, 30}));
  EXPECT_EQ(LoopDetector(3, 1, 9).add(times(block, 30)), std::nullopt);
}

TEST(LoopDetector, StartsAnewAfterADifferentByte) {
  LoopDetector detector(4, 8, 4);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(detector.add("abababa."), std::nullopt);
}

TEST(LoopDetector, TakesALongTextInPiecesOfAnySize) {
  const std::string text = times("no loop here, " + times("x", 5), 3) + times("abc", 20);
  LoopDetector whole(10, 30, 32), byte_by_byte(10, 30, 32);
  const auto found = whole.add(text);
  std::optional<Loop> piecewise;
  for (const char byte : text) {
    if ((piecewise = byte_by_byte.add(std::string_view(&byte, 1)))) break;
  }
  EXPECT_EQ(found, (Loop{3, 30}));
  EXPECT_EQ(found, piecewise);
}

TEST(LoopDetector, RefusesWhatCannotBe) {
  EXPECT_THROW(LoopDetector(1, 1, 1), std::invalid_argument);
  EXPECT_THROW(LoopDetector(2, 0, 1), std::invalid_argument);
  EXPECT_THROW(LoopDetector(2, 1, 0), std::invalid_argument);
  EXPECT_THROW(LoopDetector(2, 1, LoopDetector::kLargest + 1), std::invalid_argument);
}

TEST(LoopDetector, ManyRepeatsOfALongBlockNeedNoMoreThanARunCanCount) {
  LoopDetector detector(LoopDetector::kLargest, 1, LoopDetector::kLargest);
  EXPECT_EQ(detector.add(times("ab", 1000)), std::nullopt);
}

}  // namespace
}  // namespace orchestrator
