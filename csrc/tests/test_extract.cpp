#include <gtest/gtest.h>

#include <random>
#include <string>

#include "answers/extract.hpp"
#include "answers/spans.hpp"

namespace orchestrator {
namespace {

constexpr Kind kKinds[] = {Kind::automatic, Kind::number, Kind::math, Kind::choice,
                           Kind::boolean,   Kind::date,   Kind::text, Kind::code};

std::string key(std::string_view text, Kind kind = Kind::automatic, bool truncated = false) {
  const auto answer = extract(text, kind, truncated);
  return answer ? answer->key : "none";
}

std::string repeated(std::string_view part, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += part;
  return out;
}

TEST(Extract, TheLastCompleteBoxWins) {
  EXPECT_EQ(key("\\boxed{1} then \\boxed{\\frac{1}{2}}"), "n:1/2");
  EXPECT_EQ(key("\\boxed{4} or \\boxed{5"), "n:4");
  EXPECT_EQ(key("\\boxed{5"), "none");
  EXPECT_EQ(key("put it in \\boxed{}: \\boxed 7"), "n:7");
}

std::string shown(std::string_view text, Kind kind = Kind::math) {
  const auto answer = extract(text, kind);
  return answer ? answer->text : "none";
}

TEST(Extract, BoxesThatOnlyCommasAndConjunctionsJoinAreOneAnswer) {
  EXPECT_EQ(shown("\\(\\boxed{1}\\) and \\(\\boxed{-2}\\)."), "1, -2");
  EXPECT_EQ(shown("$\\boxed{2} \\quad \\text{and} \\quad \\boxed{3}$"), "2, 3");
  EXPECT_EQ(shown("$y_1 = \\boxed{5x} \\) and \\( y_2 = \\boxed{6x} \\)"), "5x, 6x");
  EXPECT_EQ(shown("\\boxed{1} and or thus but \\boxed{2} and \\boxed{3}"), "2, 3");
  EXPECT_EQ(shown("\\boxed{1}\n\n\\boxed{2}"), "2");
}

TEST(Extract, AFinalAnswerSaidAfterTheBoxIsTheLaterWord) {
  EXPECT_EQ(key("\\boxed{255} is the interest. Final Answer: The final answer is $10,455$."),
            "n:10455");
  EXPECT_EQ(key("\\boxed{5}. I hope my final answer is correct."), "n:5");
  EXPECT_EQ(key("\\boxed{5}\n#### Notes"), "n:5");
}

TEST(Extract, FormulasJoinedInProseAreOneAnswer) {
  EXPECT_EQ(shown("The roots are $1$, $2$ and $3$."), "1, 2, 3");
  EXPECT_EQ(shown("The identity is $ \\begin{pmatrix}1 & 0\\end{pmatrix} $."),
            "\\begin{pmatrix}1 & 0\\end{pmatrix}");
  EXPECT_EQ(shown("It costs $5 and then $6 more"), "$6");
}

TEST(Extract, BooleansAndDatesAreFoundInProse) {
  EXPECT_EQ(key("Yes, because there is no water.", Kind::boolean), "b:true");
  EXPECT_EQ(key("We look at it. So it is not true.", Kind::boolean), "b:false");
  EXPECT_EQ(key("There is no way to say.", Kind::boolean), "none");
  EXPECT_EQ(key("From May 1, 2021 on, so by May 3, 2021.", Kind::date), "d:2021-05-03");
  EXPECT_EQ(key("It was in spring.", Kind::date), "none");
}

TEST(Extract, OnlyWhatFollowsThinkingCounts) {
  EXPECT_EQ(key("<think>\\boxed{3}</think> 4"), "n:4");
  EXPECT_EQ(key("<think>\\boxed{3}"), "none");
}

TEST(Extract, ATruncatedTextNeedsACompleteMark) {
  EXPECT_EQ(key("The answer is 12", Kind::automatic, true), "none");
  EXPECT_EQ(key("The answer is 12.", Kind::automatic, true), "none");
  EXPECT_EQ(key("The answer is 12.\nTo check", Kind::automatic, true), "n:12");
  EXPECT_EQ(key("\\boxed{12}", Kind::automatic, true), "n:12");
  EXPECT_EQ(key("so 3 and 4", Kind::number, true), "none");
}

TEST(Extract, HostileTextsTakeLinearTime) {
  constexpr std::size_t kTimes = 10'000;
  const std::string texts[] = {repeated("\\boxed{", kTimes),
                               repeated("{", kTimes),
                               repeated("}", kTimes),
                               repeated("answer ", kTimes),
                               repeated("answer", kTimes),
                               repeated("answer is ", kTimes),
                               repeated("\\frac{", kTimes),
                               repeated("####", kTimes),
                               repeated("#", kTimes) + repeated(")1", kTimes),
                               repeated("1,", kTimes),
                               repeated("1,234", kTimes),
                               repeated("1 hundred ", kTimes),
                               repeated("2^900*0*", kTimes),
                               repeated("$", kTimes),
                               repeated("<", kTimes),
                               repeated("</answer>", kTimes),
                               repeated("9", 4 * kTimes),
                               repeated("\\text{", kTimes),
                               repeated("(A", kTimes),
                               repeated("A ", kTimes),
                               repeated("\xc2\xbd", kTimes),
                               repeated(" ", kTimes) + "1" + repeated(" ", kTimes),
                               repeated(std::string_view("\0", 1), kTimes),
                               repeated("\xff\xed\xa0", kTimes),
                               repeated("```\n", kTimes),
                               repeated("[", kTimes) + repeated("]", kTimes),
                               repeated("\\boxed{1}, ", kTimes),
                               repeated("\\boxed{\\boxed{1}", kTimes),
                               repeated("$1$, ", kTimes),
                               repeated("\\(", kTimes) + repeated("\\)", kTimes),
                               repeated("<answer>", kTimes),
                               repeated("<answer ", kTimes),
                               repeated("<|im_end|>", kTimes),
                               repeated("KTHINK", kTimes),
                               repeated("respuesta es ", kTimes),
                               repeated("答案", kTimes),
                               repeated("答案是", kTimes),
                               repeated("A is B and ", kTimes),
                               repeated("not B, ", kTimes),
                               repeated("yes ", kTimes),
                               repeated("May 1 ", kTimes),
                               repeated("\\\\frac", kTimes),
                               repeated("\\begin{", kTimes)};
  // Linear, it is seconds in all, sanitizers included; quadratic, one text alone would take
  // minutes.
  for (const std::string& text : texts) {
    for (const Kind kind : kKinds) {
      extract(text, kind, false);
      extract(text, kind, true);
    }
    json_spans(text);
  }
}

TEST(Extract, RandomBytesAreReadOrAbstain) {
  const char* parts[] = {
      "\\boxed{", "}",    "{", "answer is ", "1",    ",",       ".",        "/",
      "\\frac",   "^",    "$", "-",          " ",    "\n",      "(A)",      "\xe2\x88\x92",
      "\xe2",     "%",    "x", "\\text{",    "####", "<think>", "</think>", "e",
      "=",        "\xc2", "*"};
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (unsigned i = random() % 24; i > 0; --i) text += parts[random() % std::size(parts)];
    for (const Kind kind : kKinds) {
      const auto answer = extract(text, kind);
      if (answer) EXPECT_GT(answer->key.size(), 2u) << text;
      EXPECT_EQ(extract(text, kind).has_value(), answer.has_value());
    }
  }
}

TEST(JsonSpans, AreOutermostAndIgnoreBracketsInStrings) {
  const auto spans = json_spans("so { \"a\": [1, \"}\"] } and [2] or }");
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0], "{ \"a\": [1, \"}\"] }");
  EXPECT_EQ(spans[1], "[2]");
}

}  // namespace
}  // namespace orchestrator
