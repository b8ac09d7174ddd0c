// Numbers in digits, as models write them, read exactly.
//
//   number    = [currency] [sign] [currency] product
//   product   = factor { "*" factor }
//   factor    = power | fraction | decimal [mixed] | decimal "/" [sign] decimal
//   power     = decimal ("^" | "**") integer | decimal "^{" integer "}"
//   fraction  = "\frac" argument argument           argument = "{" number "}" | digit
//   mixed     = ["\s"] fraction | " " digits "/" digits        (the fraction part below one)
//   decimal   = digits, grouped or not ["." digits [repeating]] ["e" integer] | "." digits
//   repeating = "\overline{" digits "}" | "\bar{" digits "}" | "(" digits ")" | digits under dots
//               or a line | "..." after a period written out three times
//   grouped   = 1,234,567 | 1 234 567 | 1'234'567
//
// Text goes through simplify() first. Parts beyond kMaxDigits digits are kept exactly where the
// number is a plain decimal and are no number elsewhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "rational.hpp"
#include "reading.hpp"

namespace orchestrator {

// A number as it was read: decimals stay as they are written until arithmetic is done on them.
using Numeral = std::variant<Decimal, Rational>;

Numeral negated(Numeral value);
std::optional<Rational> rational(const Numeral& value);  // none when beyond kMaxDigits
std::string spelled(const Numeral& value);               // "-1/2": one spelling for each value

struct NumeralStyle {
  // 1,5 is 1.5, 1,23,456 and 1.234.567 are grouped, 3 and 1/2 is mixed, 0.1(6) repeats, 2k is
  // 2000: spellings that formulas and lists need for something else.
  bool regional = false;
  // Prose around the number: a space ends it, and an ellipsis after it may be the sentence's.
  bool prose = false;
  PercentRule percent = PercentRule::fraction;
};

// A reader over simplified text. Each method consumes what it reads and consumes nothing when it
// declines.
class NumeralReader {
 public:
  NumeralReader(std::string_view text, std::size_t at, const NumeralStyle& style, int depth = 0)
      : text_(text), at_(at), style_(style), depth_(depth) {}

  std::size_t at() const { return at_; }
  std::string_view rest() const { return text_.substr(at_); }
  // The sign of the currency before or after the number ("$", "€"); empty without one.
  std::string_view currency() const { return currency_; }

  // "about", "exactly", ... before a number.
  bool skip_filler();

  std::optional<Numeral> number();
  std::optional<Numeral> product();

  // `value` with the percent sign or the words for powers of ten that follow; none when a letter
  // there has no one meaning.
  std::optional<Numeral> scaled(const Numeral& value);

 private:
  struct Literal {
    Numeral value;
    bool plain;  // digits only, without point or exponent
  };

  char peek() const { return char_after(0); }
  char char_after(std::size_t ahead) const;
  void skip_space();
  bool skip_times();
  bool skip_currency();
  bool skip_closing_currency();
  int scale_word();

  std::string_view digits();
  std::size_t digits_at(std::size_t from) const;
  std::string whole_part();
  std::optional<std::string> grouped(std::string_view first, char separator);
  std::optional<std::string> indian_groups(std::string_view first);
  std::optional<std::string> dotted_groups(std::string_view first);
  std::optional<Literal> decimal();
  std::int64_t scientific_exponent();

  std::optional<Numeral> repeating(std::string_view whole, std::string_view fraction);
  std::optional<std::string> period_after(std::string_view fraction);
  std::optional<std::string> dotted_period();
  bool skip_ellipsis();

  std::optional<Numeral> factor();
  bool fraction_follows() const;
  std::optional<Numeral> mixed(const Rational& whole);
  std::optional<Numeral> over(const Numeral& value);
  bool skip_power();
  std::optional<Numeral> power(const Decimal& base);
  std::optional<Numeral> fraction();
  std::optional<Numeral> argument();

  std::string_view text_;
  std::size_t at_;
  NumeralStyle style_;
  int depth_;
  std::string_view currency_;
};

}  // namespace orchestrator
