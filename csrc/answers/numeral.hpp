// Numbers in digits, as models write them, read exactly.
//
//   number    = [currency] [sign] [currency] product
//   product   = factor { "*" factor }
//   factor    = power | fraction | decimal [mixed] | decimal "/" [sign] decimal
//   power     = decimal ("^" | "**") integer | decimal "^{" integer "}"
//   fraction  = "\frac" argument argument           argument = "{" number "}" | digit
//   mixed     = ["\s"] fraction | " " digits "/" digits        (the fraction part below one)
//   decimal   is read by decimal_reader.hpp
//
// Text goes through simplify() first. Parts beyond kMaxDigits digits are kept exactly where the
// number is a plain decimal and are no number elsewhere.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "answers/decimal_reader.hpp"
#include "rational.hpp"

namespace orchestrator {

Numeral negated(Numeral value);
std::optional<Rational> rational(const Numeral& value);  // none when beyond kMaxDigits
std::string spelled(const Numeral& value);               // "-1/2": one spelling for each value

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
  char peek() const { return char_after(0); }
  char char_after(std::size_t ahead) const;
  void skip_space();
  bool skip_times();
  bool skip_currency();
  bool skip_closing_currency();
  int scale_word();

  std::string_view digits();
  std::size_t digits_at(std::size_t from) const;
  std::optional<Literal> decimal();
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
