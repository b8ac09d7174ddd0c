// Numbers inside prose.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "answers/reading.hpp"

namespace orchestrator {

// A number found in a text: its canonical value ("-1/2", with units kept "5 cm") and where it
// stood.
struct FoundNumber {
  std::string value;
  std::size_t begin = 0, end = 0;
};

// What the last (or first) number in prose is; `unreadable` when something like a date, a clock
// time, a version, a range ("5 to 7", "between 5 and 7") or an open bound ("less than 5") stands
// there instead.
struct NumberScan {
  std::optional<FoundNumber> found;
  bool unreadable = false;
};
enum class Which { first, last };

// Reads one line of simplified prose. `reading` says what percentages are worth and whether the
// value shows its unit: then the known unit after the number, or none.
NumberScan scan_numbers(std::string_view text, Which which, const Reading& reading = Kind::number);

}  // namespace orchestrator
