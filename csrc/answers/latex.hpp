// One plain spelling for what models write: LaTeX, Unicode signs and markdown wrapping taken away.
#pragma once

#include <string>
#include <string_view>

namespace orchestrator {

// Stands where \text{...} and its like began and ended, so that a unit in \text is told from a
// variable.
inline constexpr char kTextMark = '\x01';

// Takes wrapping off both ends: white space, $...$, \(...\), \[...\], **...**, `...`, quotes, a
// period or another sentence mark at the end. The result is a part of `text`.
std::string_view unwrap(std::string_view text);

// Rewrites LaTeX and Unicode to one spelling: \dfrac to \frac, \left and \right gone, \times to *,
// the minus sign to -, vulgar fractions to a/b, superscripts to ^{...}, \text{...} to its marked
// contents, \boxed{...} to its contents, control characters to spaces, runs of spaces to one.
// Commands it does not know stay.
std::string simplify(std::string_view text);

}  // namespace orchestrator
