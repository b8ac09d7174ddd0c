// A formula cut into tokens, LaTeX and plain alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "formulas/expression.hpp"
#include "formulas/notation.hpp"

namespace orchestrator {

// A text of more tokens is no formula within kMaxNodes.
inline constexpr std::size_t kMaxTokens = 4 * kMaxNodes;

struct Token {
  TokenKind kind = TokenKind::end;
  std::uint8_t detail = 0;       // what Notation::detail says of the kind
  std::uint8_t primes = 0;       // of a symbol: f''
  bool spaced = false;           // white space stands before it
  bool bold = false;             // a symbol set in bold: a vector or a matrix
  std::string_view text = {};    // as written; a symbol's canonical spelling
  std::string_view accent = {};  // of a symbol: "hat"
  std::string_view script = {};  // what stands below a symbol or a number: x_{12}

  bool is(TokenKind wanted) const { return kind == wanted; }
};

// The tokens of `text` and one of kind `end`; the views point into `text` or into constants. False
// when it holds something that no formula does: an unknown command or sign, a word, an ellipsis, or
// more than kMaxTokens tokens.
//
// Taken out: white space, sizes (\left, \bigl), styles (\mathrm, \displaystyle), degree and
// currency signs. \text{...} is read as the word, function or letter in it.
bool tokenize(std::string_view text, std::vector<Token>& tokens);

}  // namespace orchestrator
