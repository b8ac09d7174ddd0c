#include <gtest/gtest.h>

#include <string>

#include "answers/arithmetic.hpp"

namespace orchestrator {
namespace {

std::string value_of(const std::string& text) {
  const auto found = find_expression(text);
  return found ? found->value : "none";
}

TEST(Arithmetic, WhatIsWrittenIsEvaluatedAndNotWhatIsClaimed) {
  EXPECT_EQ(value_of("48 - 19 = 29"), "29");
  EXPECT_EQ(value_of("48 - 19 = 31"), "29");
  EXPECT_EQ(value_of("76 - 25"), "51");
  EXPECT_EQ(value_of("She has 4 left: (3 + 4) * 2 = 14."), "14");
}

TEST(Arithmetic, FollowsThePrecedenceOfOperators) {
  EXPECT_EQ(value_of("2 + 3 * 4"), "14");
  EXPECT_EQ(value_of("(2 + 3) * 4"), "20");
  EXPECT_EQ(value_of("20 / 4 / 5"), "1");
  EXPECT_EQ(value_of("10 - 4 - 3"), "3");
  EXPECT_EQ(value_of("1 / 3"), "1/3");
  EXPECT_EQ(value_of("-3 + 5"), "2");
  EXPECT_EQ(value_of("2 * -3"), "-6");
  EXPECT_EQ(value_of("50% * 8"), "4");
}

TEST(Arithmetic, ReadsTheSignsModelsWrite) {
  EXPECT_EQ(value_of("12 \u00d7 7"), "84");
  EXPECT_EQ(value_of("12 x 7"), "84");
  EXPECT_EQ(value_of("56 \u00f7 8"), "7");
  EXPECT_EQ(value_of("9 \u2212 4"), "5");
  EXPECT_EQ(value_of("3 \\times 4"), "12");
  EXPECT_EQ(value_of("$1,200 + $34.50"), "2469/2");
}

TEST(Arithmetic, TheLastExpressionCountsAndABareNumberOnlyWithoutOne) {
  EXPECT_EQ(value_of("1 + 1 = 2 so 2 * 5 = 10"), "10");
  EXPECT_EQ(value_of("3 + 4 apples, that is 9"), "7");
  EXPECT_EQ(value_of("the answer is 42."), "42");
  EXPECT_EQ(value_of("-5"), "-5");
  EXPECT_EQ(value_of("no number, x2 and y"), "none");
  EXPECT_EQ(value_of(""), "none");
}

TEST(Arithmetic, AnExpressionWithoutAValueDoesNotLetAnEarlierOneSpeak) {
  EXPECT_EQ(value_of("6 / 0"), "none");
  EXPECT_EQ(value_of("1 + 1 = 2, then 6 / (3 - 3)"), "none");
}

TEST(Arithmetic, AnOperatorWithNothingBehindItEndsTheExpression) {
  EXPECT_EQ(value_of("4 + 5 -"), "9");
  EXPECT_EQ(value_of("4 + 5 * "), "9");
}

TEST(Arithmetic, KnowsPowersBracketsAndMultiplicationWithoutASign) {
  EXPECT_EQ(value_of("2(3+4)"), "14");
  EXPECT_EQ(value_of("(2)(3)"), "6");
  EXPECT_EQ(value_of("2^3 + 1"), "9");
  EXPECT_EQ(value_of("2**3"), "8");
  EXPECT_EQ(value_of("2^-1"), "1/2");
  EXPECT_EQ(value_of("[3 + 4] * 2"), "14");
  EXPECT_EQ(value_of("3 X 4"), "12");
  EXPECT_EQ(value_of("\u20ac5 + \u20ac3"), "8");
  EXPECT_EQ(value_of("\\left(3 + 4\\right) \\times 2"), "14");
  EXPECT_EQ(value_of("\\( 3 \\times 4 \\)"), "12");
}

TEST(Arithmetic, ABulletIsNoMinusAndARemarkNoCalculation) {
  EXPECT_EQ(value_of("- 48 - 19 = 29"), "29");
  EXPECT_EQ(value_of("* 48 - 19 = 29"), "29");
  EXPECT_EQ(value_of("8 - 3 = 5 (+3)"), "5");
  EXPECT_EQ(value_of("48 - 19 = 29 (-5 later)"), "29");
  EXPECT_EQ(value_of("48 - 19 = 29!"), "29");
  EXPECT_EQ(value_of("**48 - 19**"), "29");
}

TEST(Arithmetic, WhatItDoesNotKnowMakesACalculationUnreadable) {
  for (const char* text : {"sqrt(16) + 2", "5! + 1", "\\frac{3}{4} \\times 8", "1.5.2 + 1",
                           "1,00 + 1", "2e3 + 1", "12cm - 5cm", "48 apples - 19 apples",
                           "48 apples * 3", "2^(1/2)", "2^1000", "1 + 1 = 2, so 2e3 + 1"}) {
    EXPECT_EQ(value_of(text), "none") << text;
  }
  EXPECT_EQ(value_of("It took 3hrs. 4 + 5 = 9"), "9");
}

TEST(Arithmetic, MagnitudesInWordsAndATightTimesSignAreRead) {
  EXPECT_EQ(value_of("1 million"), "1000000");
  EXPECT_EQ(value_of("$2.5 million + 1"), "2500001");
  EXPECT_EQ(value_of("3 hundred thousand / 3"), "100000");
  EXPECT_EQ(value_of("5 millionaires"), "5");
  EXPECT_EQ(value_of("5x3"), "15");
  EXPECT_EQ(value_of("5x3 + 2x10"), "35");
  EXPECT_EQ(value_of("9" + std::string(299, '9') + " trillion"), "none");
}

TEST(Arithmetic, DatesTimesRatiosVariablesAndAFactorialAloneHaveNoValue) {
  for (const char* text :
       {"2020-03-04", "03/04/2020", "11:30 AM", "10:2", "10 : 2", "5 + x", "5 * n", "3!", "$3!$"}) {
    EXPECT_EQ(value_of(text), "none") << text;
  }
  EXPECT_EQ(value_of("2000-10"), "1990");
  EXPECT_EQ(value_of("1000-10-20"), "970");
  EXPECT_EQ(value_of("On 2020-03-04 he had 3 + 4"), "7");
  EXPECT_EQ(value_of("he had 3 + 4 on 2020-03-04"), "7");
  EXPECT_EQ(value_of("Step 1: 5 + 3"), "8");
  EXPECT_EQ(value_of("Step 1 : 5 + 3"), "8");
  EXPECT_EQ(value_of("3 * 45 = 1 * x, so 135 = x"), "135");
  EXPECT_EQ(value_of("3 + 4 + x"), "none");
  EXPECT_EQ(value_of("V_{1}:V_{2} = 11:21"), "none");
  EXPECT_EQ(value_of("3:2 + 5"), "none");
  EXPECT_EQ(value_of("The answer is 3!"), "3");
  EXPECT_EQ(value_of("4 + 5 - a total of 9"), "9");
}

TEST(Arithmetic, SignsAreWeakerThanPowersAndPowersGoFromTheRight) {
  EXPECT_EQ(value_of("-2^2"), "-4");
  EXPECT_EQ(value_of("-2^2 + 1"), "-3");
  EXPECT_EQ(value_of("(-2)^2"), "4");
  EXPECT_EQ(value_of("2^3^2"), "512");
  EXPECT_EQ(value_of("2^-1"), "1/2");
  EXPECT_EQ(value_of("3 * -2^2"), "-12");
  EXPECT_EQ(value_of("2**10**10**10"), "none");
  EXPECT_EQ(value_of("20% of 50"), "10");
}

TEST(Arithmetic, ABulletMayEndTheText) {
  for (const char* text : {"*", "so\n*", "-", "4 + 5\n-", "\n+ "}) {
    EXPECT_EQ(value_of(std::string(text)), std::string(text).starts_with("4") ? "9" : "none")
        << text;
  }
}

TEST(Arithmetic, HostileTextsAreBounded) {
  EXPECT_EQ(value_of(std::string(1'000'000, '(')), "none");
  EXPECT_EQ(value_of(std::string(1'000'000, '-') + "5"), "none");
  EXPECT_EQ(value_of(std::string(100'000, '9') + " * 3"), "none");
  std::string sum = "1";
  for (int i = 0; i < 100'000; ++i) sum += "+1";
  EXPECT_EQ(value_of(sum), "none");
  std::string powers = "9";
  for (int i = 0; i < 100; ++i) powers += "*" + std::string(299, '9');
  EXPECT_EQ(value_of(powers), "none");
}

}  // namespace
}  // namespace orchestrator
