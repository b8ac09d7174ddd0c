// Booleans and dates inside prose.
#pragma once

#include <optional>
#include <string_view>

namespace orchestrator {

// The part of `text` that says yes or no: its first word when the sentence could end there ("Yes,
// because", "No. It"), else the last one said in its last sentence ("which is false", "so: no").
std::optional<std::string_view> boolean_in(std::string_view text);

// The last date, time or both, as long as it is written: "May 1, 2021" and not its "2021".
std::optional<std::string_view> date_in(std::string_view text);

}  // namespace orchestrator
