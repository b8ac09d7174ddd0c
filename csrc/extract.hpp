// The final answer in what a model wrote, or nothing: an abstention.
//
// Evidence, strongest first:
//   1. only what follows the last </think> counts; an unclosed <think> abstains;
//   2. \boxed{...} and \fbox{...}: the last one that closes; empty ones are placeholders and do not
//   count;
//   3. a marked answer: "final answer is", "#### x", <answer>x</answer>, then "the answer is",
//   "Answer:"; the
//      last of a sort wins;
//   4. without any mark, by kind:
//        number   the last number, unless a date, a time or a formula stands there
//        choice   a letter alone on the last line; a letter the text begins with; the last letter
//        named math     the whole text when it is a formula or a number; the last $...$; the last
//        number; the last line text     the last non-empty line auto     the whole text when it is
//        a formula, a number, a letter or at most three words; a lone letter;
//                 then as for math
//        code     the last fenced block (marks are not looked at)
// A mark whose content cannot be read as the kind wanted silences point 4: the model did answer,
// unreadably. Empty texts and refusals ("I don't know") abstain. Time is linear in the text, memory
// too; any bytes are taken.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "normalize.hpp"

namespace orchestrator {

struct Extracted {
  std::string text;  // as the model wrote it, without its wrapping
  std::string key;
};

// `truncated`: the token limit cut the text off; then only a mark whose content is complete counts.
std::optional<Extracted> extract(std::string_view text, const Reading& reading,
                                 bool truncated = false);

// The key of each text's answer; nothing in, nothing out.
std::vector<std::optional<std::string>> extract_keys(
    std::span<const std::optional<std::string_view>> texts, const Reading& reading);

// What follows the last </think> (or </thinking>); none when a block is still open.
std::optional<std::string_view> after_thinking(std::string_view text);

// The contents of the last fenced block that is closed.
std::optional<std::string_view> last_code_block(std::string_view text);

// The outermost balanced {...} and [...] spans, in order, at most `limit` of the last ones.
// Brackets inside JSON strings do not count.
std::vector<std::string_view> json_spans(std::string_view text, std::size_t limit = 8);

}  // namespace orchestrator
