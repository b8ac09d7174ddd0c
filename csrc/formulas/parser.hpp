// Formulas as models write them, LaTeX and plain, into expression trees.
#pragma once

#include <optional>
#include <string_view>

#include "formulas/expression.hpp"

namespace orchestrator {

// The tree of `text` when the whole of it is one formula; none when it is not, when it is ambiguous
// beyond convention, or when it passes the limits of expression.hpp. Linear in the text's length.
// `text` is what a model wrote between its dollar signs or in a box; it need not be simplified.
std::optional<Expression> parse(std::string_view text);

}  // namespace orchestrator
