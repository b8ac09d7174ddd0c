// Answers that are one number: digits or words, a sign, a percentage, a currency, a unit.
//
//   answer = [filler] ["minus" | "negative"] (number | words) ["%"] [magnitude] [unit]
//
// `number` is the grammar of numeral.hpp, `words` that of number_words.hpp, `unit` that of
// units.hpp. Under the kinds math and automatic a number in words takes known units only: "one
// direction" is no 1.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "answers/reading.hpp"

namespace orchestrator {

// The value of simplified `text` when the whole of it is one number, "-1/2"; with units kept the
// unit follows, "5 cm". Digits of other scripts are digits.
std::optional<std::string> parse_number(std::string_view text, const Reading& reading);

// The number of an ordinal, "3" of "third", "3rd" and "3^{rd}"; under kind number a word may follow
// ("3rd place").
std::optional<std::string> parse_ordinal(std::string_view text, const Reading& reading);

}  // namespace orchestrator
