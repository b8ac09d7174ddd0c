#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>

#include "extract.hpp"
#include "spans.hpp"

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
  EXPECT_EQ(key("\\boxed{\\{1,2\\}}"), "m:\\{1,2\\}");
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
  constexpr std::size_t kTimes = 30'000;
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
                               repeated("[", kTimes) + repeated("]", kTimes)};
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& text : texts) {
    for (const Kind kind : kKinds) {
      extract(text, kind, false);
      extract(text, kind, true);
    }
    json_spans(text);
  }
  // Linear, it is seconds in all, sanitizers included; quadratic, one text alone would take as
  // long.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
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
