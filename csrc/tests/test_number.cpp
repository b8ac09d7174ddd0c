#include <gtest/gtest.h>

#include <string>

#include "answers/latex.hpp"
#include "answers/normalize.hpp"
#include "answers/number.hpp"
#include "answers/number_scan.hpp"
#include "answers/number_words.hpp"
#include "answers/units.hpp"

namespace orchestrator {
namespace {

struct Example {
  const char* text;
  const char* key;
};

constexpr Reading kKept{Kind::number, UnitRule::keep, PercentRule::number};

TEST(Number, SpellingsThatOnlyANumberCanHaveAreReadUnderEveryKind) {
  for (const auto& [text, key] : {Example{"1'234'567", "n:1234567"},
                                  {"1\\,234", "n:1234"},
                                  {"1.5 \\times 10^{3}", "n:1500"},
                                  {"1.5*10**3", "n:1500"},
                                  {"1.5E+3", "n:1500"},
                                  {"0.\\overline{3}", "n:1/3"},
                                  {"0.1\\overline{6}", "n:1/6"},
                                  {"0.(142857)", "n:1/7"},
                                  {"0.\\dot{1}4285\\dot{7}", "n:1/7"},
                                  {"0.3\u0304", "n:1/3"},
                                  {"0.1\u03058\u0305", "n:2/11"},
                                  {"0.333...", "n:1/3"},
                                  {"$0.1666\\ldots$", "n:1/6"},
                                  {"0.142857142857...", "n:1/7"},
                                  {"50 per cent", "n:1/2"},
                                  {"fifty percent", "n:1/2"},
                                  {"minus 5", "n:-5"},
                                  {"negative five", "n:-5"},
                                  {"\u0663\u066b\u0665", "n:7/2"},
                                  {"１２", "n:12"},
                                  {"two and a half million", "n:2500000"},
                                  {"one thousand, two hundred", "n:1200"},
                                  {"twenty-five hundred", "n:2500"},
                                  {"half a dozen", "n:6"},
                                  {"three quarters", "n:3/4"},
                                  {"5 hundredths", "n:1/20"},
                                  {"one point one four", "n:57/50"},
                                  {"Rs. 500", "n:500"}}) {
    EXPECT_EQ(normalize(text, Kind::math), key) << text;
    EXPECT_EQ(normalize(text, Kind::automatic), key) << text;
    EXPECT_EQ(normalize(text, Kind::number), key) << text;
  }
}

TEST(Number, SpellingsThatFormulasAndListsNeedAreReadUnderKindNumberOnly) {
  for (const auto& [text, key] : {Example{"1,5", "n:3/2"},
                                  {"1,23,456", "n:123456"},
                                  {"1.234.567,89", "n:123456789/100"},
                                  {"1.234,5", "n:2469/2"},
                                  {"3 and 1/2", "n:7/2"},
                                  {"2k", "n:2000"},
                                  {"1.5x10^3", "n:1500"},
                                  {"twelve apples", "n:12"},
                                  {"3rd place", "n:3"}}) {
    EXPECT_EQ(normalize(text, Kind::number), key) << text;
    EXPECT_FALSE(normalize(text, Kind::math).starts_with("n:")) << text;
    EXPECT_FALSE(normalize(text, Kind::automatic).starts_with("n:")) << text;
  }
}

TEST(Number, WhatCouldBeTwoNumbersIsNone) {
  for (const char* text :
       {"3.14...", "2.718281828...", "0.33...", "one hundredth", "twenty twenty", "five six",
        "twenty hundred", "2M", "5 squared", "half past ten", "5 or 6", "1,2,3", "one of them",
        "two hundred thousandths", "5/0", "1.2.3"}) {
    EXPECT_FALSE(normalize(text, Kind::number).starts_with("n:")) << text;
    EXPECT_FALSE(normalize(text, Kind::automatic).starts_with("n:")) << text;
  }
}

TEST(Number, OrdinalsAreNumbersOfTheirOwn) {
  for (const char* text : {"3rd", "third", "Third", "the third", "3^{\\text{rd}}"}) {
    EXPECT_EQ(normalize(text, Kind::automatic), "o:3") << text;
    EXPECT_EQ(normalize(text, Kind::number), "n:3") << text;
  }
  EXPECT_EQ(normalize("one hundred second", Kind::math), "o:102");
  EXPECT_EQ(normalize("2rd", Kind::math), "t:2rd");
  EXPECT_EQ(normalize("a third", Kind::math), "n:1/3");
}

TEST(Number, KeptUnitsHaveOneNameEach) {
  for (const auto& [text, key] : {Example{"5 cm", "n:5 cm"},
                                  {"5\\text{ cm}", "n:5 cm"},
                                  {"5cm", "n:5 cm"},
                                  {"5 centimetres", "n:5 cm"},
                                  {"5 cm^2", "n:5 cm^2"},
                                  {"5\\text{ cm}^2", "n:5 cm^2"},
                                  {"5 square centimeters", "n:5 cm^2"},
                                  {"5 sq. cm", "n:5 cm^2"},
                                  {"5 km/h", "n:5 km/h"},
                                  {"5 kilometers per hour", "n:5 km/h"},
                                  {"5 m s^{-1}", "n:5 m/s"},
                                  {"5 mph", "n:5 mi/h"},
                                  {"$5", "n:5 $"},
                                  {"5 dollars", "n:5 $"},
                                  {"$5 USD", "n:5 $"},
                                  {"$5 per hour", "n:5 $/h"},
                                  {"5 hrs", "n:5 h"},
                                  {"1 foot", "n:1 ft"},
                                  {"5 feet", "n:5 ft"},
                                  {"90^\\circ", "n:90 °"},
                                  {"90 degrees", "n:90 °"},
                                  {"20 degrees Celsius", "n:20 °C"},
                                  {"20°C", "n:20 °C"},
                                  {"5 apples", "n:5 apple"},
                                  {"five apples", "n:5 apple"},
                                  {"50%", "n:50"},
                                  {"50 percent", "n:50"},
                                  {"5", "n:5"}}) {
    EXPECT_EQ(normalize(text, kKept), key) << text;
  }
}

TEST(Number, OneLetterIsAUnitOnlyWhenUnitsAreNamedInTheReading) {
  EXPECT_EQ(normalize("5 m", Kind::math), normalize("m*5", Kind::math));
  EXPECT_EQ(normalize("5 m", Reading(Kind::math, UnitRule::drop, PercentRule::fraction)), "n:5");
  EXPECT_EQ(normalize("5 m", Reading(Kind::math, UnitRule::keep, PercentRule::fraction)), "n:5 m");
  EXPECT_EQ(normalize("5 x", Reading(Kind::math, UnitRule::drop, PercentRule::fraction)),
            normalize("x + 4x", Kind::math));
}

TEST(Number, TheWordsAfterANumberAreUnitsOrNothing) {
  EXPECT_EQ(parse_unit("", UnitScope::words), "");
  EXPECT_EQ(parse_unit(" apples", UnitScope::words), "apple");
  for (const char* tail :
       {" or", " /", " per", " square", " squared", "!", " a1", " ...", " m^9"}) {
    EXPECT_EQ(parse_unit(tail, UnitScope::any), std::nullopt) << tail;
  }
}

TEST(Number, AScanOfProseKeepsKnownUnitsToo) {
  const NumberScan scan = scan_numbers("it took 12 hours in all", Which::last, kKept);
  ASSERT_TRUE(scan.found);
  EXPECT_EQ(scan.found->value, "12 h");
  EXPECT_EQ(scan_numbers("he paid $5 for 3 apples", Which::first, kKept).found->value, "5 $");
  EXPECT_EQ(scan_numbers("12 in all", Which::last, kKept).found->value, "12");
  EXPECT_EQ(scan_numbers("it is 12 in.", Which::last, kKept).found->value, "12 in");
  EXPECT_EQ(scan_numbers("he has 3 apples left", Which::first, kKept).found->value, "3");
  EXPECT_EQ(scan_numbers("**5** apples", Which::last).found->value, "5");
  EXPECT_EQ(scan_numbers("about 3.14...", Which::last).found->value, "157/50");
  EXPECT_TRUE(scan_numbers("at 10:30", Which::last).unreadable);
}

TEST(Number, AUnitOfOneCapitalIsNotThatOfItsSmallLetter) {
  EXPECT_EQ(normalize("5 m", kKept), "n:5 m");
  EXPECT_EQ(normalize("5 M", kKept), "n:5 M");
  EXPECT_EQ(normalize("5 H", kKept), "n:5 H");
  EXPECT_EQ(normalize("300 K", kKept), normalize("300 kelvin", kKept));
  EXPECT_EQ(normalize("5 L", kKept), normalize("5 l", kKept));
  EXPECT_NE(normalize("5 cents", kKept), normalize("$5", kKept));
}

TEST(Number, RangesAndOpenBoundsInProseAreNoNumbers) {
  for (const char* text :
       {"between 5 and 7", "5 to 7", "it is $5 to $7", "less than 5", "more than **5**"}) {
    for (const Which which : {Which::first, Which::last}) {
      const NumberScan scan = scan_numbers(text, which);
      EXPECT_FALSE(scan.found) << text;
      EXPECT_TRUE(scan.unreadable) << text;
    }
  }
  EXPECT_EQ(scan_numbers("the difference between 5 and 7 is 2", Which::last).found->value, "2");
  EXPECT_EQ(scan_numbers("it fell from 10 to 7", Which::last).found->value, "7");
  EXPECT_EQ(scan_numbers("at least 5", Which::first).found->value, "5");
  EXPECT_EQ(scan_numbers("no more than 5", Which::last).found->value, "5");
  EXPECT_EQ(scan_numbers("add 5 to the 7 he had", Which::last).found->value, "7");
}

TEST(NumberWords, TheLongestNumberIsReadAndWhereItEnds) {
  const auto spoken = read_number_words("one hundred and five and six");
  ASSERT_TRUE(spoken);
  EXPECT_EQ(spoken->value.str(), "105");
  EXPECT_EQ(spoken->end, std::string("one hundred and five").size());
  EXPECT_FALSE(read_number_words("paris"));
  EXPECT_FALSE(read_number_words("and five"));
  EXPECT_FALSE(read_ordinal("five"));
}

}  // namespace
}  // namespace orchestrator
