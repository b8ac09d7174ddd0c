// Arithmetic that a model writes down instead of doing it: "48 - 19 = 29" says 48 - 19, whatever it
// claims that is.
//
// clang-format off
//   sum     = term { ("+" | "-") term }
//   term    = power { ["*" | "/"] power }       nothing between only before "(" and without a space;
//                                               "20% of 50" is a product
//   power   = [sign] factor [ ("^" | "**") power ]     -2^2 is -4 and 2^3^2 is 512; whole exponents,
//                                                      from -kMaxExponent to kMaxExponent
//   factor  = ( "(" sum ")" | decimal ) ["%"]
//   decimal = [currency] digits with or without groups of three ["." digits] | [currency] "." digits
// clang-format on
//
// Hundred to trillion may follow a decimal. Brackets of any kind are parentheses; × · x X (between
// numbers) and ÷ are read as * and /, the long dashes as -. Evaluated exactly. What an expression
// touches and this grammar does not know (2e3, 5cm, sqrt(2), \frac, 5! + 1, 5 + x) makes it
// unreadable: no value is better than a wrong one. Dates, times and ratios (2020-03-04, 11:30,
// 10 : 2) have no value either.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace orchestrator {

// Tokens and nested parentheses an expression may have; longer ones are not read.
inline constexpr std::size_t kMaxTokens = 256;
inline constexpr std::size_t kMaxNesting = 32;
inline constexpr int kMaxExponent = 64;

// An expression found in a text: its canonical value ("29", "-1/2") and where it stood.
struct FoundExpression {
  std::string value;
  std::size_t begin = 0, end = 0;
};

// The last expression in `text` that has an operator, else the last bare number; none when there is
// neither, or when the one found divides by zero. Linear in the text's length.
std::optional<FoundExpression> find_expression(std::string_view text);

}  // namespace orchestrator
