// Arithmetic that a model writes down instead of doing it: "48 - 19 = 29" says 48 - 19, whatever it
// claims that is.
//
//   sum     = term { ("+" | "-") term }
//   term    = factor { ("*" | "/") factor }
//   factor  = [sign] ( "(" sum ")" | decimal ) ["%"]
//   decimal = ["$"] digits with or without groups of three ["." digits] | ["$"] "." digits
//
// × · x (between numbers) and ÷ are read as * and /, the long dashes as -. Evaluated exactly.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace orchestrator {

// Tokens and nested parentheses an expression may have; longer ones are not read.
inline constexpr std::size_t kMaxTokens = 256;
inline constexpr std::size_t kMaxNesting = 32;

// An expression found in a text: its canonical value ("29", "-1/2") and where it stood.
struct FoundExpression {
  std::string value;
  std::size_t begin = 0, end = 0;
};

// The last expression in `text` that has an operator, else the last bare number; none when there is
// neither, or when the one found divides by zero. Linear in the text's length.
std::optional<FoundExpression> find_expression(std::string_view text);

}  // namespace orchestrator
