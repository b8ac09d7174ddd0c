// Mathematics that was parsed: a small expression tree, kept flat.
//
// `parse` makes trees, `fingerprint` evaluates them; nothing is simplified in between, so that a
// tree still shows what was written.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rational.hpp"

namespace orchestrator {

// Limits a tree keeps: what is larger is not read as mathematics. They bound the time and memory a
// hostile answer can take, recursion included.
inline constexpr std::size_t kMaxNodes = 2048;
inline constexpr std::size_t kMaxTreeDepth = 64;

enum class Op : std::uint8_t {
  // Leaves.
  number,  // an exact rational: `index` into numbers
  symbol,  // a variable, with its subscript if it has one: `index` into names ("x", "x_1",
           // "\\theta")
  pi,
  e,
  imaginary,
  infinity,
  empty_set,
  word,  // a text that is an element by itself ("odd", "\\mathbb{R}"): `index` into names

  // Arithmetic. Children in order.
  add,               // 1 or more
  multiply,          // 1 or more
  divide,            // numerator, denominator
  negate,            // 1
  power,             // base, exponent
  root,              // radicand, index: \sqrt[index]{radicand}; sqrt has the number 2 as its index
  factorial,         // 1
  double_factorial,  // 1
  absolute,          // 1: |x|; of a matrix its determinant
  binomial,          // n, k
  floor,             // 1
  ceiling,           // 1
  modulo,            // a, m; `index` is 1 for a class of residues: a \pmod{m}
  plus_minus,        // 1: stands for both of +child and -child; "a \pm b" is add(a, plus_minus(b))
  minus_plus,        // 1: the opposite choice of sign of the plus_minus in the same expression
  function,          // a known function: `index` is a Function; children are its arguments
  apply,             // an unknown one, "f(x)": `index` into names; children are its arguments

  // Values with parts.
  tuple,        // (a, b, ...): order counts; two entries may also be an open interval
  list,         // a, b, ... without brackets; "a and b", "a or b", "x = 1, y = 2"
  set,          // {a, b, ...}: order and repetition do not count
  set_builder,  // {x | condition}: element, condition
  interval,     // low, high; `index`: bit 0 closed at low, bit 1 closed at high. (a, b) is a tuple
  matrix,       // row by row; `index`: columns. Vectors are matrices of one column or one row
  ratio,        // a : b : ...
  set_union,    // 2 or more
  set_intersection,  // 2 or more
  set_difference,    // 2

  // Statements.
  relation,  // a chain: children are the sides, `index` into chains: the relation between each two
  logical_and,  // 2 or more conditions that all hold
  logical_or,   // 2 or more
};

enum class Function : std::uint8_t {
  sin,
  cos,
  tan,
  cot,
  sec,
  csc,
  arcsin,
  arccos,
  arctan,
  arccot,
  arcsec,
  arccsc,
  sinh,
  cosh,
  tanh,
  coth,
  sech,
  csch,
  arcsinh,
  arccosh,
  arctanh,
  ln,
  log,  // \log_b a has two children, a and b; without b the base is not known
  exp,
  gcd,
  lcm,
  min,
  max,
  sign,
  real_part,
  imaginary_part,
  conjugate,
  argument,
  determinant,
  transpose,
};

enum class Relation : std::uint8_t {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  approximately,  // \approx
  congruent,      // \equiv ... \pmod{m}
  member,         // \in
  not_member,
  subset,
  similar,  // \sim, \cong, \parallel, \perp and others that are only compared as written
};

using NodeId = std::uint32_t;

struct Node {
  Op op;
  std::uint32_t index = 0;  // what it means is said at each Op
  std::uint32_t first = 0;  // its children: `count` entries of Expression::children from `first`
  std::uint32_t count = 0;
};

struct Expression {
  std::vector<Node> nodes;  // children come before their parents
  std::vector<NodeId> children;
  std::vector<Rational> numbers;
  std::vector<std::string> names;
  std::vector<std::vector<Relation>> chains;
  NodeId root = 0;

  std::span<const NodeId> children_of(NodeId id) const {
    const Node& node = nodes[id];
    return {children.data() + node.first, node.count};
  }
};

// The tree as infix text, fully bracketed: what a comparison shows a reader ("add(power(x, 2), 1)"
// is written "x^2 + 1").
std::string format(const Expression& expression);

}  // namespace orchestrator
