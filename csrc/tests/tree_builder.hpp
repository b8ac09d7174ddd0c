// Expression trees written in C++: `build(power(x, 2) + 1)`.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "formulas/expression.hpp"

namespace orchestrator::trees {

struct Tree {
  Op op;
  std::uint32_t index = 0;
  std::vector<Tree> children;
  std::string name;               // symbol, word, apply
  std::vector<Relation> chain;    // relation
  Rational number = Rational{0};  // number

  Tree(std::int64_t value) : op(Op::number), number(value) {}  // NOLINT: 2 is a tree
  Tree(int value) : Tree(std::int64_t{value}) {}               // NOLINT
  Tree(Op kind, std::vector<Tree> parts, std::uint32_t payload = 0)
      : op(kind), index(payload), children(std::move(parts)) {}
};

inline Tree variable(std::string name) {
  Tree out{Op::symbol, {}};
  out.name = std::move(name);
  return out;
}
inline Tree word(std::string text) {
  Tree out{Op::word, {}};
  out.name = std::move(text);
  return out;
}
inline Tree apply(std::string name, std::vector<Tree> arguments) {
  Tree out{Op::apply, std::move(arguments)};
  out.name = std::move(name);
  return out;
}
// "0.25", "-3", "123456789012345678901234567890"
inline Tree decimal(const std::string& text) {
  const bool negative = text.starts_with("-");
  const std::string digits = negative ? text.substr(1) : text;
  const auto dot = digits.find('.');
  Tree out{0};
  const std::string fraction = dot == std::string::npos ? "" : digits.substr(dot + 1);
  out.number = Rational{negative, Natural::parse(digits.substr(0, dot) + fraction),
                        Natural::power_of_ten(fraction.size())};
  return out;
}

inline Tree operator+(Tree a, Tree b) { return {Op::add, {std::move(a), std::move(b)}}; }
inline Tree operator-(Tree a) { return {Op::negate, {std::move(a)}}; }
inline Tree operator-(Tree a, Tree b) { return {Op::add, {std::move(a), -std::move(b)}}; }
inline Tree operator*(Tree a, Tree b) { return {Op::multiply, {std::move(a), std::move(b)}}; }
inline Tree operator/(Tree a, Tree b) { return {Op::divide, {std::move(a), std::move(b)}}; }
inline Tree power(Tree a, Tree b) { return {Op::power, {std::move(a), std::move(b)}}; }
inline Tree root(Tree a, Tree n) { return {Op::root, {std::move(a), std::move(n)}}; }
inline Tree sqrt(Tree a) { return root(std::move(a), 2); }
inline Tree abs(Tree a) { return {Op::absolute, {std::move(a)}}; }
inline Tree factorial(Tree a) { return {Op::factorial, {std::move(a)}}; }
inline Tree plus_minus(Tree a) { return {Op::plus_minus, {std::move(a)}}; }
inline Tree minus_plus(Tree a) { return {Op::minus_plus, {std::move(a)}}; }
inline Tree call(Function f, std::vector<Tree> arguments) {
  return {Op::function, std::move(arguments), static_cast<std::uint32_t>(f)};
}
inline Tree sin(Tree a) { return call(Function::sin, {std::move(a)}); }
inline Tree cos(Tree a) { return call(Function::cos, {std::move(a)}); }
inline Tree tan(Tree a) { return call(Function::tan, {std::move(a)}); }
inline Tree ln(Tree a) { return call(Function::ln, {std::move(a)}); }
inline Tree log(Tree a) { return call(Function::log, {std::move(a)}); }
inline Tree log(Tree base, Tree a) { return call(Function::log, {std::move(a), std::move(base)}); }

inline Tree tuple(std::vector<Tree> parts) { return {Op::tuple, std::move(parts)}; }
inline Tree list(std::vector<Tree> parts) { return {Op::list, std::move(parts)}; }
inline Tree set(std::vector<Tree> parts) { return {Op::set, std::move(parts)}; }
inline Tree unite(std::vector<Tree> parts) { return {Op::set_union, std::move(parts)}; }
inline Tree ratio(std::vector<Tree> parts) { return {Op::ratio, std::move(parts)}; }
inline Tree matrix(std::uint32_t columns, std::vector<Tree> entries) {
  return {Op::matrix, std::move(entries), columns};
}
// "[)" and so on.
inline Tree interval(const char* ends, Tree low, Tree high) {
  const std::uint32_t closed = (ends[0] == '[' ? 1U : 0U) | (ends[1] == ']' ? 2U : 0U);
  return {Op::interval, {std::move(low), std::move(high)}, closed};
}
inline Tree chain(std::vector<Tree> sides, std::vector<Relation> relations) {
  Tree out{Op::relation, std::move(sides)};
  out.chain = std::move(relations);
  return out;
}
inline Tree equal(Tree a, Tree b) { return chain({std::move(a), std::move(b)}, {Relation::equal}); }

inline const Tree x = variable("x"), y = variable("y"), z = variable("z"), a = variable("a"),
                  b = variable("b"), n = variable("n");
inline const Tree pi{Op::pi, {}}, e{Op::e, {}}, i{Op::imaginary, {}}, infinity{Op::infinity, {}};

inline NodeId append(const Tree& tree, Expression& out) {
  std::vector<NodeId> ids;
  for (const Tree& child : tree.children) ids.push_back(append(child, out));
  Node node{tree.op, tree.index, static_cast<std::uint32_t>(out.children.size()),
            static_cast<std::uint32_t>(ids.size())};
  out.children.insert(out.children.end(), ids.begin(), ids.end());
  if (tree.op == Op::number) {
    node.index = static_cast<std::uint32_t>(out.numbers.size());
    out.numbers.push_back(tree.number);
  } else if (!tree.name.empty()) {
    node.index = static_cast<std::uint32_t>(out.names.size());
    out.names.push_back(tree.name);
  } else if (tree.op == Op::relation) {
    node.index = static_cast<std::uint32_t>(out.chains.size());
    out.chains.push_back(tree.chain);
  }
  out.nodes.push_back(node);
  return static_cast<NodeId>(out.nodes.size() - 1);
}

inline Expression build(const Tree& tree) {
  Expression out;
  out.root = append(tree, out);
  return out;
}

}  // namespace orchestrator::trees
