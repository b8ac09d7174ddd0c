// Numbers in English words: "twelve", "one hundred and five", "two and a half", "three quarters",
// "minus one point five", "a dozen", "twenty-first".
//
//   number   = ["minus" | "negative"] size
//   size     = "half" | ("a" | "one") part | cardinal parts | cardinal "and" fraction
//            | cardinal ["point" digit-words] | [cardinal | "a" | "half a"] "dozen" | cardinal
//   fraction = ("a" | "one") part | cardinal parts
//   part     = "half" | "quarter" | "third" | "fourth" ...   parts = the same in the plural
//   cardinal = groups below a thousand before "thousand", "million", "billion", "trillion", from
//              large to small; "and" may stand after "hundred" and after these; "a" for one before
//              them; or, at the beginning only, a number in digits
//
// Words are joined by a space or a hyphen, whatever their case. What could be two numbers is none:
// "one hundredth" (1/100 or 100th), "twenty twenty", "five six".
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "rational.hpp"

namespace orchestrator {

struct SpokenNumber {
  Rational value;
  std::size_t end;  // where it stopped: the longest number that `text` begins with
};

// The number in words that simplified `text` begins with.
std::optional<SpokenNumber> read_number_words(std::string_view text);

// The ordinal that `text` begins with: "third", "twenty-first", "one hundred and fifth", "3rd",
// "21^{st}". Its value is whole.
std::optional<SpokenNumber> read_ordinal(std::string_view text);

// Whether `word`, in lower case, is one of a number's or of an ordinal's: "five", "fifth",
// "fifths", "half", "halves".
bool is_number_word(std::string_view word);

}  // namespace orchestrator
