// Numbers as models write them, read exactly.
//
//   number   = [filler] [currency] [sign] [currency] product ["%"] [magnitude] [unit]
//   product  = factor { "*" factor }
//   factor   = power | fraction | decimal [mixed] | decimal "/" [sign] decimal
//   power    = decimal "^" integer | decimal "^{" integer "}"
//   fraction = "\frac" argument argument           argument = "{" number "}" | digit
//   mixed    = ["\s"] fraction | " " digits "/" digits         (the fraction part below one)
//   decimal  = digits with or without groups of three ["." digits] ["e" integer] | "." digits
//
// Text goes through simplify() first. Parts beyond kMaxDigits digits are kept exactly where the
// number is a plain decimal and are no number elsewhere.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace orchestrator {

// What a trailing word means: `strict` allows none; `words` drops units that cannot be variables
// (two or more lower-case letters, or marked by \text); `any` drops whatever word follows the
// number.
enum class Units { strict, words, any };

// A number found in a text: its canonical value ("-1/2") and where it stood.
struct FoundNumber {
  std::string value;
  std::size_t begin = 0, end = 0;
};

// The value of `text` when the whole of it is one number. `decimal_comma` reads 1,5 as 1.5.
std::optional<std::string> parse_number(std::string_view text, Units units, bool decimal_comma);

// What the last (or first) number in prose is; `unreadable` when something like a date, a clock
// time or a version stands there instead.
struct NumberScan {
  std::optional<FoundNumber> found;
  bool unreadable = false;
};
enum class Which { first, last };
NumberScan scan_numbers(std::string_view text, Which which);

}  // namespace orchestrator
