// What commands, words and signs of a formula stand for.
#pragma once

#include <cstdint>
#include <string_view>

#include "formulas/expression.hpp"

namespace orchestrator {

enum class TokenKind : std::uint8_t {
  end,
  // Operands.
  numeral,
  symbol,    // a variable; its text is a letter or a command ("\\theta")
  constant,  // detail: an Op without children
  word,      // \text{odd}
  set_name,  // \mathbb{R}
  function,  // detail: a Function
  call,      // detail: an Op of one child written as a function is: abs(x), floor(x)
  root,      // detail: 2 or 3
  fraction,
  binomial,
  matrix_begin,  // \begin{...}: its text is the name between the braces
  matrix_end,
  // Brackets.
  paren_open,
  paren_close,
  bracket_open,
  bracket_close,
  brace_open,  // a bare brace: an argument, a group or a set
  brace_close,
  group_open,  // \boxed{, \mathrm{: a brace that only groups
  set_open,
  set_close,
  angle_open,
  angle_close,
  floor_open,
  floor_close,
  ceiling_open,
  ceiling_close,
  bar,
  bar_open,
  bar_close,
  norm,
  // Operators.
  plus,
  minus,
  plus_minus,
  minus_plus,
  times,  // detail: kCross where it was \times
  slash,
  power,
  low,  // the sign before a subscript that is no part of a name: \log_2
  factorial,
  double_factorial,
  percent,
  degree,
  over,          // {a \over b}
  choose,        // {n \choose k}
  modulo,        // a \bmod m
  pmodulo,       // \pmod{m}
  set_operator,  // detail: set_union, set_intersection or set_difference
  relation,      // detail: a Relation
  conjunction,   // \land
  disjunction,   // \lor
  // Separators.
  comma,
  semicolon,
  colon,
  mid,
  ampersand,
  row_break,
  both,    // the word "and"
  either,  // the word "or"
  // Handled by the lexer and never in its output.
  space,   // \quad, \displaystyle
  sized,   // \left, \bigl: detail says which side
  styled,  // \text{...}, \mathrm{...}
  accent,  // \hat{x}: part of a name
  negated  // \not
};

struct Notation {
  std::string_view name;
  TokenKind kind;
  std::uint8_t detail = 0;
};

// The sides of TokenKind::sized.
inline constexpr std::uint8_t kNoSide = 0, kLeftSide = 1, kRightSide = 2;
// The ways of TokenKind::styled: a word, an upright or bold symbol, nothing but a box around.
inline constexpr std::uint8_t kTextStyle = 0, kMathStyle = 1, kBoxStyle = 2;

// TokenKind::times: \times between vectors is another product than \cdot.
inline constexpr std::uint8_t kCross = 1;

// What \name says; nullptr for an unknown command.
const Notation* command_notation(std::string_view name);

// What a word written without a backslash says; nullptr when it is none of a formula's words.
const Notation* word_notation(std::string_view word);

// A sign beyond ASCII: the command it stands for and the bytes it takes.
struct Sign {
  std::string_view sign, command;
};

// The sign `text` begins with; nullptr for another character.
const Sign* sign_notation(std::string_view text);

struct Mark {
  TokenKind kind = TokenKind::end;  // end: no mark of a formula
  std::uint8_t detail = 0;
};

// What one ASCII character says.
Mark mark_notation(char sign);
// What two say together; kind end when they are two marks.
Mark pair_notation(char first, char second);

// dx, dy: names, for \frac{dy}{dx} is not y/x.
bool is_differential(std::string_view run);

// Whether two or more letters in a row are a product of variables ("xy", "AB", "abc") rather than a
// word or a unit ("odd", "cm"):
//   - two capitals, or a lower-case letter with a capital;
//   - two or three lower-case letters without e, i and o, in which a, u and y stand only beside
//     letters that make no word of them, and which are no unit;
//   - up to four letters in alphabetical order out of a, b, c, d, w, x, y, z.
bool is_product_of_letters(std::string_view run);

}  // namespace orchestrator
