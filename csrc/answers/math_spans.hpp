// Formulas between math delimiters in prose.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace orchestrator {

struct Formula {
  std::string content;  // without its delimiters; of several that are one answer, "1, 2, 3"
  std::size_t begin = 0, end = 0;  // with its delimiters
};

// The last formula of `text` in $...$, $$...$$, \(...\) or \[...\]. Formulas with nothing but
// commas, semicolons, "and", "or" and spaces between them are one, a list. Two prices in one
// sentence are no formula.
std::optional<Formula> last_formula(std::string_view text);

// Whether `text` is a formula and not prose: commands, signs, single letters, functions, capitals
// beside signs (AB = 4), "and" and "or", the names of environments and what \text holds.
bool is_formula(std::string_view text);

}  // namespace orchestrator
