// Numerals as formulas hold them: 12, .5, 5., 1.5E3, 1{,}234, 1\,234, "1 234", 0.\overline{3},
// 0.1(6), 0.\dot{3}. Signs, units and currencies are not part of them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "rational.hpp"

namespace orchestrator {

// How many characters of `text` the numeral it begins with takes; 0 when it begins with none.
//
// Thousands set apart by a space are one numeral: groups of exactly three digits after one to three
// that do not begin with zero. 0.1(6) repeats the six; only after "0." are brackets read so, since
// 2.5(3) is a product. Commas are left to the reader, who knows whether they separate entries.
std::size_t numeral_length(std::string_view text);

// Its exact value, also with commas between the groups; none beyond kMaxDigits digits.
std::optional<Rational> numeral_value(std::string_view numeral);

}  // namespace orchestrator
