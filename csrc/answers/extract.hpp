// The final answer in what a model wrote, or nothing: an abstention.
//
// Evidence, strongest first:
//   1. only what is addressed to the reader counts (thinking.hpp); an unclosed block of thinking
//      abstains;
//   2. \boxed{...} and \fbox{...} (boxes.hpp), unless a strong mark after the box says a number, a
//      formula or a choice: the model then said its final answer once more;
//   3. a marked answer (marks.hpp): "final answer is", "#### x", <answer>x</answer>, then "the
//      answer is", "Answer:", in many languages; the last of a sort wins;
//   4. without any mark, what the kind allows (unmarked.hpp).
// Of code, the last fenced block that is closed; marks are not looked at.
// A mark whose content cannot be read as the kind wanted (statement.hpp) silences point 4: the
// model did answer, unreadably. Empty texts and refusals ("I don't know") abstain. Time is linear
// in the text, memory too; any bytes are taken.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "answers/normalize.hpp"
#include "answers/statement.hpp"

namespace orchestrator {

// `truncated`: the token limit cut the text off; then only a mark whose content is complete counts.
std::optional<Extracted> extract(std::string_view text, const Reading& reading,
                                 bool truncated = false);

// The key of each text's answer; nothing in, nothing out. Large batches are split over as
// many threads as the machine runs at once.
std::vector<std::optional<std::string>> extract_keys(
    std::span<const std::optional<std::string_view>> texts, const Reading& reading);

}  // namespace orchestrator
