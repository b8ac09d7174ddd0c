// Formulas over the fields of field.hpp.
#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <vector>

#include "formulas/evaluate.hpp"
#include "formulas/field.hpp"
#include "formulas/mixing.hpp"

namespace orchestrator {

template <typename Field>
std::optional<typename Field::Element> Evaluator::field_value(NodeId id, const Field& field) {
  using Element = std::optional<typename Field::Element>;
  const Node& node = expression_.nodes[id];
  const auto children = expression_.children_of(id);
  if (!spend(1)) return std::nullopt;
  const auto paid = [&](Element value) {
    return value && spend(Field::cost(*value)) ? value : std::nullopt;
  };
  switch (node.op) {
    case Op::symbol:
      return field.variable(hashed(expression_.names[node.index]));
    case Op::add:
    case Op::multiply: {
      Element out;
      for (const NodeId child : children) {
        const Element next = field_value(child, field);
        if (!next) return std::nullopt;
        out = !out                 ? next
              : node.op == Op::add ? field.add(*out, *next)
                                   : field.multiply(*out, *next);
        if (!out) return std::nullopt;
      }
      return out;
    }
    case Op::divide: {
      const Element over = field_value(children[0], field), under = field_value(children[1], field);
      const Element inverse = over && under ? field.inverse(*under) : std::nullopt;
      return inverse ? paid(field.multiply(*over, *inverse)) : std::nullopt;
    }
    case Op::negate:
    case Op::plus_minus:
    case Op::minus_plus: {
      const Element value = field_value(children[0], field);
      const bool flip = node.op == Op::negate || (node.op == Op::plus_minus) == (choice_ < 0);
      return value && flip ? Element{Field::negated(*value)} : value;
    }
    case Op::power: {
      const Scalar exponent = recognised(evaluate(children[1]));
      const auto n = exponent.exact != nullptr ? exponent.exact->small_integer() : std::nullopt;
      if (!n || *n == 0 || !exponent.exact->is_integer()) return other_value(id, field);
      const Element base = field_value(children[0], field);
      if (!base) return std::nullopt;
      const Element raised =
          paid(field.power(*base, static_cast<std::uint64_t>(*n < 0 ? -*n : *n)));
      return raised && *n < 0 ? field.inverse(*raised) : raised;
    }
    default:
      return other_value(id, field);
  }
}

// What is no sum, product or power: the number it is, or a function by its arguments.
template <typename Field>
std::optional<typename Field::Element> Evaluator::other_value(NodeId id, const Field& field) {
  const Scalar value = recognised(evaluate(id));
  if (value.exact != nullptr) return field.number(*value.exact);
  if constexpr (std::is_same_v<Field, PrimeField>) {
    if (field.opaque && value.valid()) return opaque_residue(id, field);
  }
  return std::nullopt;
}

// Powers are one function of base and exponent, however they are written.
std::optional<std::uint64_t> Evaluator::opaque_residue(NodeId id, const PrimeField& field) {
  const Node& node = expression_.nodes[id];
  if (node.op == Op::infinity || node.op == Op::empty_set || node.op >= Op::tuple) {
    return std::nullopt;
  }
  const auto named = [](Op op, std::uint64_t which = 0) {
    return mixed(static_cast<std::uint64_t>(op)) ^ which;
  };
  if (node.op == Op::absolute) return size_residue(expression_.children_of(id)[0], field);
  if (node.op == Op::root || node.op == Op::power) {
    const auto children = expression_.children_of(id);
    const Scalar index = recognised(evaluate(children[1]));
    const Rational half{false, Natural{1}, Natural{2}};
    const bool square_root =
        index.exact != nullptr && *index.exact == (node.op == Op::root ? Rational{2} : half);
    if (square_root) {
      if (const auto root = root_residue(children[0], field)) return root;
    }
  }
  std::vector<std::uint64_t> arguments;
  const bool exponential =
      node.op == Op::function && static_cast<Function>(node.index) == Function::exp;
  if (exponential) arguments.push_back(field.function_of(named(Op::e), {}));
  for (const NodeId child : expression_.children_of(id)) {
    const auto argument = field_value(child, field);
    if (!argument) return std::nullopt;
    arguments.push_back(*argument);
  }
  if (node.op == Op::root) {
    const auto exponent = field.inverse(arguments[1]);
    if (!exponent) return std::nullopt;
    arguments[1] = *exponent;
  }
  if (node.op == Op::root || exponential) return field.function_of(named(Op::power), arguments);
  const std::uint64_t which =
      node.op == Op::apply ? hashed(expression_.names[node.index]) : node.index;
  return field.function_of(named(node.op, which), arguments);
}

std::optional<std::array<std::uint64_t, 2>> Evaluator::residues(NodeId node, bool opaque) {
  const auto first = field_value(node, PrimeField{0, opaque});
  if (!first) return std::nullopt;
  const auto second = field_value(node, PrimeField{1, opaque});
  if (!second) return std::nullopt;
  return std::array{*first, *second};
}

// The absolute value: of products the product of those of the factors.
std::optional<std::uint64_t> Evaluator::size_residue(NodeId id, const PrimeField& field) {
  const Node& node = expression_.nodes[id];
  const auto children = expression_.children_of(id);
  if (node.op == Op::negate) return size_residue(children[0], field);
  if (node.op == Op::multiply || node.op == Op::divide) {
    std::uint64_t out = 1;
    for (std::size_t i = 0; i < children.size(); ++i) {
      auto part = size_residue(children[i], field);
      if (part && node.op == Op::divide && i == 1) part = field.inverse(*part);
      if (!part) return std::nullopt;
      out = PrimeField::product(out, *part);
    }
    return out;
  }
  if (node.op == Op::power) {
    const Scalar exponent = recognised(evaluate(children[1]));
    const auto n = exponent.exact != nullptr ? exponent.exact->small_integer() : std::nullopt;
    if (n && exponent.exact->is_integer() && *n != 0) {
      auto base = *n % 2 == 0 ? field_value(children[0], field) : size_residue(children[0], field);
      if (base && *n < 0) base = field.inverse(*base);
      if (!base) return std::nullopt;
      return field.power(*base, static_cast<std::uint64_t>(*n < 0 ? -*n : *n));
    }
  }
  const Scalar known = recognised(evaluate(id));
  if (const auto sign = this->sign(known)) {
    const auto value = field_value(id, field);
    return value && *sign < 0 ? std::optional{PrimeField::negated(*value)} : value;
  }
  const auto value = field_value(id, field);
  if (!value) return std::nullopt;
  const std::uint64_t either = std::min(*value, PrimeField::negated(*value));
  return field.function_of(mixed(static_cast<std::uint64_t>(Op::absolute)), std::array{either});
}

// The square root of what is written as a product of squares; none for others.
std::optional<std::uint64_t> Evaluator::root_residue(NodeId id, const PrimeField& field) {
  const Node& node = expression_.nodes[id];
  const auto children = expression_.children_of(id);
  if (node.op == Op::multiply || node.op == Op::divide) {
    std::uint64_t out = 1;
    for (std::size_t i = 0; i < children.size(); ++i) {
      auto part = root_residue(children[i], field);
      if (part && node.op == Op::divide && i == 1) part = field.inverse(*part);
      if (!part) return std::nullopt;
      out = PrimeField::product(out, *part);
    }
    return out;
  }
  const Scalar known = recognised(evaluate(id));
  if (known.exact != nullptr) {
    const auto root = exact_root(*known.exact, 2);
    return root ? field.number(*root) : std::nullopt;
  }
  if (node.op != Op::power) return std::nullopt;
  const Scalar exponent = recognised(evaluate(children[1]));
  const auto n = exponent.exact != nullptr ? exponent.exact->small_integer() : std::nullopt;
  if (!n || *n <= 0 || *n % 2 != 0) return std::nullopt;
  const auto base =
      *n % 4 == 0 ? field_value(children[0], field) : size_residue(children[0], field);
  return base ? field.power(*base, static_cast<std::uint64_t>(*n / 2)) : std::nullopt;
}

// A square is one everywhere; half of all residues are.
bool Evaluator::is_square(NodeId node) {
  constexpr std::size_t kTrials = 12;
  for (std::size_t point = 0; point < kTrials; ++point) {
    const auto residue = field_value(node, PrimeField{point, true});
    if (!residue || !spend(30) || !PrimeField::is_square(*residue)) return false;
  }
  return true;
}

std::optional<std::array<Rational, kPoints>> Evaluator::exact_values(NodeId node) {
  auto first = field_value(node, RationalField{0, positive_});
  if (!first) return std::nullopt;
  auto second = field_value(node, RationalField{1, positive_});
  if (!second) return std::nullopt;
  auto third = field_value(node, RationalField{2, positive_});
  if (!third) return std::nullopt;
  return std::array{std::move(*first), std::move(*second), std::move(*third)};
}

}  // namespace orchestrator
