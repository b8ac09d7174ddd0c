// Keys of formulas by evaluation: equal expressions get equal keys, in one pass and without
// comparing pairs.
#pragma once

#include <optional>
#include <string>

#include "expression.hpp"

namespace orchestrator {

// The canonical key of a formula: "n:1/2" when its value is one exact rational number, else "m:"
// and the fingerprint of its structure and values. None when that cannot be decided (a division by
// zero, a value out of range, too much cancellation): the formula is then compared as it was
// written.
std::optional<std::string> fingerprint(const Expression& expression);

}  // namespace orchestrator
