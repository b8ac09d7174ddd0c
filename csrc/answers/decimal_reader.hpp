// Decimals in digits: grouped, with an exponent, or repeating for ever.
//
//   decimal   = digits, grouped or not ["." digits [repeating]] ["e" integer] | "." digits
//   repeating = "\overline{" digits "}" | "\bar{" digits "}" | "(" digits ")" | digits under dots
//               or a line | "..." after a period written out three times
//   grouped   = 1,234,567 | 1 234 567 | 1'234'567
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "answers/reading.hpp"
#include "rational.hpp"

namespace orchestrator {

// A number as it was read: decimals stay as they are written until arithmetic is done on them.
using Numeral = std::variant<Decimal, Rational>;

struct NumeralStyle {
  // 1,5 is 1.5, 1,23,456 and 1.234.567 are grouped, 3 and 1/2 is mixed, 0.1(6) repeats, 2k is
  // 2000: spellings that formulas and lists need for something else.
  bool regional = false;
  // Prose around the number: a space ends it, and an ellipsis after it may be the sentence's.
  bool prose = false;
  PercentRule percent = PercentRule::fraction;
};

// A decimal as it stands in a text.
struct Literal {
  Numeral value;
  bool plain;  // digits only, without point or exponent
};

// Reads the decimal that stands at `at` in simplified text; consumes nothing when there is none.
class DecimalReader {
 public:
  DecimalReader(std::string_view text, std::size_t at, const NumeralStyle& style)
      : text_(text), at_(at), style_(style) {}

  std::size_t at() const { return at_; }
  std::optional<Literal> read();

 private:
  char peek() const { return char_after(0); }
  char char_after(std::size_t ahead) const;
  std::string_view rest() const { return text_.substr(at_); }

  std::string_view digits();
  std::size_t digits_at(std::size_t from) const;
  std::string whole_part();
  std::optional<std::string> grouped(std::string_view first, char separator);
  std::optional<std::string> indian_groups(std::string_view first);
  std::optional<std::string> dotted_groups(std::string_view first);
  std::int64_t scientific_exponent();

  std::optional<Rational> repeating(std::string_view whole, std::string_view fraction);
  std::optional<std::string> period_after(std::string_view fraction);
  std::optional<std::string> dotted_period();
  bool skip_ellipsis();

  std::string_view text_;
  std::size_t at_;
  NumeralStyle style_;
};

}  // namespace orchestrator
