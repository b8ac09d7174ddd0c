// The answer in a text that marks none.
#pragma once

#include <optional>
#include <string_view>

#include "answers/normalize.hpp"
#include "answers/statement.hpp"

namespace orchestrator {

//   number   the last number, unless a date, a time or a formula stands there
//   choice   a letter alone on the last line; the letter the text settles on ("so I think it's D");
//            a letter the text or its last line begins with; the last one mentioned
//   math     the whole text when it is a formula or a number; the last formula in math delimiters,
//            unless a number follows; the last number; the last line
//   auto     the whole text when it is a formula, a number, a letter or at most three words; a lone
//            letter; then as for math
//   boolean  its first word; the last yes or no of its last sentence
//   date     the last date, near the end
//   text     the last line that is not empty
std::optional<Extracted> read_unmarked(std::string_view text, const Reading& reading);

}  // namespace orchestrator
