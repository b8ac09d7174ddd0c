// Signs: which variables are positive, and where an absolute value hides one.
#include <algorithm>
#include <utility>

#include "formulas/mixing.hpp"
#include "formulas/pointwise.hpp"

namespace orchestrator {

void Evaluator::leave_domain_if_negative(const Scalar& a) {
  if (a.constant) return;
  for (const Value& v : a.at) {
    const Value known = v.snapped();
    if (known.valid() && known.is_real() && known.z.re.high < 0) outside_ = true;
  }
}

// What varies in the argument of a root or logarithm that took a negative value is positive from
// now on.
void Evaluator::keep_in_domain(std::span<const NodeId> arguments) {
  if (!std::exchange(outside_, false)) return;
  for (const NodeId argument : arguments) make_positive(argument);
}

void Evaluator::make_positive(NodeId id) {
  const Node& node = expression_.nodes[id];
  if (node.op == Op::symbol) {
    const std::uint64_t name = hashed(expression_.names[node.index]);
    if (!is_positive(name)) {
      positive_.push_back(name);
      left_domain_ = true;
    }
    return;
  }
  const bool function = node.op == Op::apply || node.op == Op::function || node.op == Op::floor ||
                        node.op == Op::ceiling || node.op == Op::modulo ||
                        node.op == Op::factorial || node.op == Op::double_factorial;
  if (function) {
    // Its sign says nothing of its arguments': sqrt((n + 2)!) + |n| keeps both signs of n.
    left_domain_ = left_domain_ || !positive_functions_;
    positive_functions_ = true;
    return;
  }
  for (const NodeId child : expression_.children_of(id)) make_positive(child);
}

bool Evaluator::is_positive(std::uint64_t name) const {
  return std::find(positive_.begin(), positive_.end(), name) != positive_.end();
}

// Whether a tree is a product of constants and of variables that are positive.
bool Evaluator::is_positive_monomial(NodeId id) const {
  const Op op = expression_.nodes[id].op;
  if (op == Op::symbol) return is_positive(hashed(expression_.names[expression_.nodes[id].index]));
  if (op == Op::number || op == Op::pi || op == Op::e) return true;
  if (op != Op::multiply && op != Op::divide && op != Op::power && op != Op::root) return false;
  const auto children = expression_.children_of(id);
  return std::all_of(children.begin(), children.end(),
                     [&](NodeId child) { return is_positive_monomial(child); });
}

bool Evaluator::is_even_power(NodeId id) {
  if (expression_.nodes[id].op != Op::power) return false;
  const Scalar exponent = recognised(evaluate(expression_.children_of(id)[1]));
  if (exponent.exact == nullptr || !exponent.exact->is_integer()) return false;
  const auto n = exponent.exact->small_integer();
  return n && *n % 2 == 0;
}

// |x|^2 is x^2.
bool Evaluator::squares_size(NodeId power) {
  const NodeId base = expression_.children_of(power)[0];
  return expression_.nodes[base].op == Op::absolute && is_even_power(power);
}

// Whether a real value is positive or zero by the way it is written.
bool Evaluator::is_nonnegative(NodeId id) {
  const auto children = expression_.children_of(id);
  const auto all = [&] {
    return std::all_of(children.begin(), children.end(),
                       [&](NodeId child) { return is_nonnegative(child); });
  };
  switch (expression_.nodes[id].op) {
    case Op::add:
    case Op::multiply:
    case Op::divide:
      return all();
    case Op::absolute:
      return true;
    case Op::power:
      return expression_.nodes[children[0]].op == Op::e || is_even_power(id) || all();
    default:
      return is_positive_monomial(id);
  }
}

// Whether an even root is an absolute value: of (x - 10)^2, of x^2 - 20x + 100, of x x y y.
bool Evaluator::hides_sign(NodeId id) {
  const NodeId radicand = expression_.children_of(id)[0], index = expression_.children_of(id)[1];
  const Op inner = expression_.nodes[radicand].op;
  const bool product = inner == Op::multiply || inner == Op::divide;
  if ((!product && inner != Op::add && inner != Op::power) || !has_even_degree(id, index) ||
      !varies(radicand) || is_positive_monomial(radicand)) {
    return false;
  }
  const auto is_even = [&](NodeId part) {
    return varies(part) && is_even_power(part) &&
           !is_positive_monomial(expression_.children_of(part)[0]);
  };
  const auto parts = expression_.children_of(radicand);
  if (inner == Op::power) return is_even(radicand);
  return (product && std::any_of(parts.begin(), parts.end(), is_even)) || is_square(radicand);
}

// Whether a root or power takes a square root, a fourth root and so on.
bool Evaluator::has_even_degree(NodeId id, NodeId index) {
  const Scalar degree = recognised(evaluate(index));
  if (degree.exact == nullptr) return false;
  const Natural& n = expression_.nodes[id].op == Op::root ? degree.exact->numerator()
                                                          : degree.exact->denominator();
  const auto small = n.small();
  return small && *small % 2 == 0;
}

bool Evaluator::varies(NodeId id) const {
  if (expression_.nodes[id].op == Op::symbol) return true;
  const auto children = expression_.children_of(id);
  return std::any_of(children.begin(), children.end(), [&](NodeId child) { return varies(child); });
}

Scalar Evaluator::absolute(const Scalar& a, bool positive) {
  if (a.infinite != 0) {
    Scalar out = a;
    out.infinite = 1;
    return out;
  }
  if (a.exact != nullptr) return a.exact->negative() ? exact(a.exact->negated()) : a;
  Scalar out = pointwise(a, [](const Value& v) { return orchestrator::absolute(v.snapped()); });
  if (!a.constant && out.valid() && !positive) {
    const bool moves = magnitude((out.at[0] - out.at[1]).z) > out.at[0].error + out.at[1].error ||
                       magnitude((out.at[0] - out.at[2]).z) > out.at[0].error + out.at[2].error;
    if (moves) out.fragile = true;
  }
  return out;
}

}  // namespace orchestrator
