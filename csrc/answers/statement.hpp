// Reading a statement that is known to be the answer: the content of a mark or a box, or a bare
// answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "answers/choice.hpp"
#include "answers/normalize.hpp"
#include "answers/number_scan.hpp"

namespace orchestrator {

struct Extracted {
  std::string text;  // as the model wrote it, without its wrapping
  std::string key;
};

// The answer a statement says, read as its kind; none when it cannot be, or when it refuses.
//
//   number   the whole of it; before its argument ("42, since 6 * 7 = 42"); after its last "=" or
//            "is"; its first number
//   choice   a letter alone or several; the letter it begins with; the first one it mentions
//   math     the whole of it; before its argument; after its last "is"; the formulas between its
//            dollar signs; for kind math its first number
//   boolean  the whole of it; its first word; the last yes or no of its last sentence
//   date     the whole of it; the last date in it
//   text     the whole of it
std::optional<Extracted> read_statement(std::string_view statement, const Reading& reading);

// Whether a text says only that the model will not or cannot answer, or is only dots and dashes.
// That the answer cannot be determined, or does not exist, is an answer.
bool is_refusal(std::string_view text);

// A boolean or a date inside prose, as `reading.kind` says.
std::optional<Extracted> read_scalar_in(std::string_view text, const Reading& reading);

// A number found in simplified prose, as an answer.
Extracted of_number(std::string_view simplified, const FoundNumber& number);

std::optional<Extracted> of_choice(std::string_view text, const std::optional<FoundChoice>& choice);

// An answer unless its key says that there is nothing in it.
std::optional<Extracted> unless_empty(std::string_view text, std::string key);

}  // namespace orchestrator
