#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "group_confidence.hpp"

namespace orchestrator {
namespace {

using Numbers = std::vector<double>;

const double kInfinity = std::numeric_limits<double>::infinity();

GroupConfidence fed(const Numbers& confidences, std::size_t window) {
  GroupConfidence groups(window);
  groups.feed(confidences);
  return groups;
}

TEST(TokenConfidence, IsMinusTheMeanOfTheTopLogProbabilities) {
  EXPECT_EQ(token_confidence(Numbers{-1, -2, -6}), 3.0);
  EXPECT_EQ(token_confidence(Numbers{-1, -2, -6, -kInfinity}), 3.0);
  EXPECT_EQ(token_confidence(Numbers{0.5e-6}), 0.0);  // rounding
}

TEST(TokenConfidence, IsNoneWithoutLogarithmsOfProbabilities) {
  for (const Numbers& top : {Numbers{}, Numbers{-kInfinity}, Numbers{-1, std::nan("")},
                             Numbers{-1, 0.5}, Numbers{-1, kInfinity}, Numbers{-1e300}}) {
    EXPECT_FALSE(token_confidence(top).has_value());
  }
}

TEST(GroupConfidence, IsTheMeanOfAWindow) {
  const Numbers confidences{4, 1, 3, 8};
  EXPECT_EQ(group_confidences(confidences, 2), (Numbers{2.5, 2, 5.5}));
  EXPECT_EQ(group_confidences(confidences, 3), (Numbers{8.0 / 3, 4}));
  EXPECT_EQ(group_confidences(confidences, 1), confidences);
  EXPECT_EQ(group_confidences(confidences, 9), Numbers{4});
  const GroupConfidence groups = fed(confidences, 2);
  EXPECT_EQ(groups.lowest(), 2.0);
  EXPECT_EQ(groups.current(), 5.5);
  EXPECT_EQ(groups.mean(), 4.0);
  EXPECT_EQ(groups.tokens(), 4u);
}

TEST(GroupConfidence, OfATextShorterThanTheWindowIsThatOfTheText) {
  GroupConfidence groups(4);
  EXPECT_FALSE(groups.full());
  EXPECT_EQ(groups.lowest(), 0.0);
  groups.feed(Numbers{1});
  EXPECT_EQ(groups.lowest(), 1.0);
  groups.feed(Numbers{2, 6});
  EXPECT_EQ(groups.lowest(), 3.0);  // the beginning is no group of its own
  EXPECT_FALSE(groups.full());
  groups.feed(Numbers{15});
  EXPECT_TRUE(groups.full());
  EXPECT_EQ(groups.lowest(), 6.0);
}

TEST(GroupConfidence, DoesNotDriftOverALongText) {
  // Tenths are not exact, and every seventh token is of another magnitude.
  constexpr std::size_t kTokens = 100'000, kWindow = 2048;
  Numbers confidences(kTokens);
  for (std::size_t i = 0; i < kTokens; ++i)
    confidences[i] = i % 7 == 0 ? 1e6 * static_cast<double>(i % 13) : 0.1;
  const Numbers groups = group_confidences(confidences, kWindow);
  for (std::size_t first : {std::size_t{0}, std::size_t{50'001}, kTokens - kWindow}) {
    long double sum = 0;
    for (std::size_t i = first; i < first + kWindow; ++i) sum += confidences[i];
    EXPECT_DOUBLE_EQ(groups[first], static_cast<double>(sum / kWindow));
  }
}

TEST(GroupConfidence, ForgetsWhatHasLeftTheWindow) {
  GroupConfidence groups = fed({1e290, 1e38, 0.1, 0.2}, 2);
  EXPECT_DOUBLE_EQ(groups.current(), 0.15);
  EXPECT_DOUBLE_EQ(groups.lowest(), 0.15);
}

TEST(GroupConfidence, RefusesWhatIsNoConfidenceAndStaysAsItWas) {
  EXPECT_THROW(GroupConfidence(0), std::invalid_argument);
  GroupConfidence groups = fed({2}, 2);
  for (const double wrong : {-1.0, std::nan(""), kInfinity, 1e300})
    EXPECT_THROW(groups.feed(Numbers{4, wrong}), std::invalid_argument);
  EXPECT_EQ(groups.tokens(), 1u);
  EXPECT_EQ(groups.mean(), 2.0);
  EXPECT_THROW(group_confidences(Numbers{}, 2), std::invalid_argument);
}

TEST(BottomConfidence, IsTheMeanOfTheLowestGroups) {
  const Numbers confidences{4, 1, 3, 8};  // groups of two: 2.5, 2, 5.5
  EXPECT_EQ(bottom_confidence(confidences, 2, 0.1), 2.0);
  EXPECT_EQ(bottom_confidence(confidences, 2, 0.67), 2.25);
  EXPECT_DOUBLE_EQ(bottom_confidence(confidences, 2, 1), 10.0 / 3);
  EXPECT_EQ(bottom_confidence(Numbers{5, 4, 3, 2, 1, 9, 9, 9, 9, 9}, 1, 0.3), 2.0);
  for (const double share : {0.0, -0.1, 1.1, std::nan("")})
    EXPECT_THROW(bottom_confidence(confidences, 2, share), std::invalid_argument);
}

}  // namespace
}  // namespace orchestrator
