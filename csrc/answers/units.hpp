// Units after a number, and one name for each of the common ones.
//
//   unit   = term { ("/" | "per" | "*" | "-" | " ") term }
//   term   = ["square" | "sq" | "cubic" | "cu"] name [power | "squared" | "cubed"]
//   power  = "^" digits in braces or not, negative ones too
//
// "km/h", "kilometers per hour" and "kph" are "km/h"; "cm^2", "square centimeters" and "sq cm" are
// "cm^2". A word that is in no table is a unit under its own name ("apples"), where the scope
// allows such words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orchestrator {

// Which words after a number are units, beside those in \text, which always are: `words`, two or
// more lower-case letters or a known symbol of two letters or more (nothing that could be a
// variable); `symbols`, those and known symbols of one letter (m, s, h); `any`, every word.
enum class UnitScope { words, symbols, any };

// The unit that all of `tail` is, what follows a number in simplified text: its one name, empty
// when nothing follows; none when `tail` is something else. Words that change what a number says
// ("am", "or", "squared" by itself) are no units.
std::optional<std::string> parse_unit(std::string_view tail, UnitScope scope);

// Whether all of `tail` is nothing, or units that the table knows: the only words that may be
// dropped after a number in words, where "one direction" is no 1.
bool only_known_units(std::string_view tail, UnitScope scope);

}  // namespace orchestrator
