#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "answers/normalize.hpp"
#include "rational.hpp"

namespace orchestrator {
namespace {

struct Example {
  const char* text;
  const char* key;
};

TEST(Normalize, SpellingsOfANumberShareAKey) {
  for (const auto& [text, key] : {Example{"1/2", "n:1/2"},
                                  {"0.5", "n:1/2"},
                                  {"\\frac12", "n:1/2"},
                                  {"\\dfrac{1}{2}", "n:1/2"},
                                  {"50\\%", "n:1/2"},
                                  {"½", "n:1/2"},
                                  {"3\\frac{1}{2}", "n:7/2"},
                                  {"3 1/2", "n:7/2"},
                                  {"-5", "n:-5"},
                                  {"−5", "n:-5"},
                                  {"1,234", "n:1234"},
                                  {"1{,}234", "n:1234"},
                                  {"10^{-3}", "n:1/1000"},
                                  {"2 \\times 10^3", "n:2000"},
                                  {"$1,000.99", "n:100099/100"},
                                  {"-0", "n:0"},
                                  {"5\\text{ cm}", "n:5"}}) {
    EXPECT_EQ(normalize(text, Kind::math), key) << text;
    EXPECT_EQ(normalize(text, Kind::number), key) << text;
  }
}

TEST(Normalize, DifferentAnswersNeverShareAKey) {
  const char* texts[] = {"5",   "-5",    "15", "1.5",   "x-1",   "x+1", "80", "81",
                         "1/3", "0.333", "A",  "(1,2)", "(2,1)", "5x",  "5!"};
  for (const char* a : texts) {
    for (const char* b : texts)
      EXPECT_EQ(normalize(a, Kind::math) == normalize(b, Kind::math), a == b) << a << " " << b;
  }
}

TEST(Normalize, AnUnknownNameIsRefused) {
  EXPECT_THROW(kind_of("maths"), std::invalid_argument);
  EXPECT_THROW(unit_rule_of("hold"), std::invalid_argument);
  EXPECT_THROW(percent_rule_of("half"), std::invalid_argument);
  for (const char* name : {"auto", "number", "math", "choice", "boolean", "date", "text", "code"})
    EXPECT_EQ(name_of(kind_of(name)), name);
}

TEST(Normalize, NestedFractionsBeyondTheLimitAreNoNumber) {
  std::string open;
  for (int i = 0; i < 200'000; ++i) open += "\\frac{";
  EXPECT_TRUE(normalize(open, Kind::math).starts_with("m:"));
}

TEST(Rational, DivisionAgreesWithMultiplicationOnManyLimbs) {
  Natural a{1}, b{1};
  for (std::uint64_t i = 1; i <= 60; ++i) {
    a = a * Natural{999'999'937 + i};
    b = i % 3 == 0 ? b * Natural{999'999'999'999'999'989u} : b + Natural{i};
    const auto [quotient, remainder] = divide(a, b);
    EXPECT_EQ(quotient * b + remainder, a);
    EXPECT_LT(remainder, b);
  }
}

TEST(Rational, AZeroDenominatorIsRefused) {
  EXPECT_THROW((Rational{false, Natural{1}, Natural{}}), std::invalid_argument);
  EXPECT_THROW(divide(Natural{1}, Natural{}), std::invalid_argument);
  EXPECT_THROW(Natural{1} - Natural{2}, std::invalid_argument);
}

TEST(Rational, HugeDecimalsKeepEveryDigit) {
  const std::string digits(5000, '7');
  EXPECT_EQ(Decimal::of(digits, "", 0).str(), digits + "e0");
  EXPECT_EQ(Decimal::of("0" + digits, "000", 0).str(), digits + "e0");
  EXPECT_EQ(Decimal::of("1", "", 999'999'999).str(), "1e999999999");
}

}  // namespace
}  // namespace orchestrator
