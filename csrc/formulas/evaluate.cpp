#include "formulas/evaluate.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "formulas/mixing.hpp"
#include "formulas/pointwise.hpp"

namespace orchestrator {

Evaluator::Evaluator(const Expression& expression) : expression_(expression) {}

void Evaluator::substitute(std::string_view variable, const Rational* value) {
  substituted_ = variable;
  substitute_ = value;
}

Scalar Evaluator::exact(Rational value) {
  Scalar out;
  if (!value.within_limits() || !spend(RationalField::cost(value))) return Scalar::invalid();
  out.exact = &rationals_.emplace_back(std::move(value));
  return out;
}

Scalar Evaluator::numeric(const Scalar& a) const {
  Scalar out = a;
  if (a.exact == nullptr) return out;
  out.exact = nullptr;
  out.at[0] = approximate(*a.exact);
  out.detail = detail_of(*a.exact);
  out.fragile = has_close_neighbours(out.detail);
  return out;
}

Scalar Evaluator::evaluate(NodeId node) {
  Scalar out;
  evaluate_into(node, out);
  return out;
}

void Evaluator::evaluate_into(NodeId id, Scalar& out) {
  const Node& node = expression_.nodes[id];
  out = Scalar{};
  if (!spend(1)) {
    out = Scalar::invalid();
    return;
  }
  const auto children = expression_.children_of(id);
  const auto child = [&](std::size_t i) { return evaluate(children[i]); };
  switch (node.op) {
    case Op::number:
      out.exact = &expression_.numbers[node.index];
      return;
    case Op::symbol:
      out = symbol(expression_.names[node.index]);
      return;
    case Op::pi:
      out.at[0] = Value{Complex{kPi}, 0x1p-104};
      return;
    case Op::e:
      out.at[0] = Value{Complex{kEuler}, 0x1p-104};
      return;
    case Op::imaginary:
      out.at[0] = Value{Complex{DoubleDouble{}, DoubleDouble{1.0}}};
      return;
    case Op::infinity:
      out.infinite = 1;
      return;
    case Op::add:
      return sum_into(id, out);
    case Op::multiply:
      return product_into(id, out);
    case Op::divide:
      out = divide(child(0), child(1));
      return;
    case Op::negate:
      out = negate(child(0));
      return;
    case Op::plus_minus:
      out = choice_ > 0 ? child(0) : negate(child(0));
      return;
    case Op::minus_plus:
      out = choice_ > 0 ? negate(child(0)) : child(0);
      return;
    case Op::power:
      if (expression_.nodes[children[0]].op == Op::e) {
        if (!spend(10)) break;
        const Scalar exponent = child(1);
        out = pointwise(exponent, [](const Value& v) { return exp(v); });
        out.fragile = out.fragile || is_flat(Function::exp, exponent);
        return;
      }
      out = power(child(0), child(1));
      keep_in_domain(children.first(1));
      if (hides_sign(id)) out.fragile = true;
      if (squares_size(id)) out.fragile = evaluate(expression_.children_of(children[0])[0]).fragile;
      return;
    case Op::root:
      out = root(child(0), child(1));
      keep_in_domain(children.first(1));
      if (hides_sign(id)) out.fragile = true;
      return;
    case Op::factorial:
      out = factorial(child(0));
      return;
    case Op::double_factorial:
      out = double_factorial(child(0));
      return;
    case Op::absolute:
      if (is_matrix(children[0])) {
        const auto of = matrix(children[0]);
        out = of ? determinant(*of) : Scalar::invalid();
        return;
      }
      out = absolute(child(0), is_nonnegative(children[0]));
      return;
    case Op::binomial:
      out = binomial(child(0), child(1));
      return;
    case Op::floor:
      out = floor(child(0));
      return;
    case Op::ceiling:
      out = negate(floor(negate(child(0))));
      return;
    case Op::modulo:
      out = modulo(child(0), child(1));
      return;
    case Op::function:
      out = known_function(node, id);
      keep_in_domain(children);
      return;
    case Op::apply: {
      std::vector<Scalar> arguments;
      for (const NodeId argument : children) arguments.push_back(evaluate(argument));
      out = pseudo_random(hashed(expression_.names[node.index]), arguments, true);
      return;
    }
    default:
      break;
  }
  out = Scalar::invalid();
}

Scalar Evaluator::symbol(std::string_view name) {
  Scalar out;
  if (substitute_ != nullptr && name == substituted_) {
    return exact(*substitute_);
  }
  out.constant = false;
  const std::uint64_t hash = hashed(name);
  for (std::size_t i = 0; i < kPoints; ++i) {
    out.at[i] = whole(variable_value(hash, i, is_positive(hash)));
  }
  return out;
}

void Evaluator::sum_into(NodeId id, Scalar& out) {
  const Rational* exact_part = nullptr;
  bool started = false;
  std::array<double, kPoints> smallest;  // what is told by the smallest term
  smallest.fill(std::numeric_limits<double>::infinity());
  const auto include = [&](const Scalar& term) {
    for (std::size_t i = 0; i < kPoints; ++i) {
      const double size = magnitude(term.at[term.constant ? 0 : i].z);
      if (size != 0) smallest[i] = std::min(smallest[i], term.detail * size);
    }
    if (!started) {
      out = term;
    } else {
      out = pointwise(out, term, [](const Value& a, const Value& b) { return a + b; });
    }
    started = true;
  };
  int infinite = 0;
  Scalar term;
  for (const NodeId child : expression_.children_of(id)) {
    evaluate_into(child, term);
    if (!term.valid() || (infinite != 0 && term.infinite == -infinite)) {
      out = Scalar::invalid();
      return;
    }
    if (term.infinite != 0) {
      infinite = term.infinite;
    } else if (term.exact == nullptr) {
      include(term);
    } else if (exact_part == nullptr || exact_part->is_zero()) {
      exact_part = term.exact;
    } else if (!term.exact->is_zero()) {
      const Scalar sum = exact(*exact_part + *term.exact);
      if (!sum.valid()) {
        out = sum;
        return;
      }
      exact_part = sum.exact;
    }
  }
  if (infinite != 0) {
    out = Scalar{};
    out.infinite = infinite;
    return;
  }
  if (!started) {
    out.exact = exact_part;
    if (exact_part == nullptr) out = Scalar::invalid();
    return;
  }
  if (exact_part != nullptr && !exact_part->is_zero()) {
    term = Scalar{};
    term.exact = exact_part;
    include(numeric(term));
  }
  out.detail = detail_beside(out, smallest);
  out.fragile = out.fragile || is_absorbed(out.detail);
}

void Evaluator::product_into(NodeId id, Scalar& out) {
  const Rational* exact_part = nullptr;
  bool started = false;
  Scalar factor;
  for (const NodeId child : expression_.children_of(id)) {
    evaluate_into(child, factor);
    if (!factor.valid()) {
      out = Scalar::invalid();
      return;
    }
    if (factor.exact == nullptr) {
      out = started ? multiply(out, factor) : factor;
      started = true;
    } else if (exact_part == nullptr) {
      exact_part = factor.exact;
    } else {
      const Scalar both = exact(*exact_part * *factor.exact);
      if (!both.valid()) {
        out = both;
        return;
      }
      exact_part = both.exact;
    }
  }
  if (exact_part == nullptr) {
    if (!started) out = Scalar::invalid();
    return;
  }
  factor = Scalar{};
  factor.exact = exact_part;
  out = started ? multiply(factor, out) : factor;
}

Scalar Evaluator::negate(const Scalar& a) {
  if (a.infinite != 0) {
    Scalar out = a;
    out.infinite = -a.infinite;
    return out;
  }
  if (a.exact != nullptr) return exact(a.exact->negated());
  Scalar out = a;
  for (Value& v : out.at) v = -v;
  return out;
}

Scalar Evaluator::add(const Scalar& a, const Scalar& b) {
  if (a.exact != nullptr && b.exact != nullptr) return exact(*a.exact + *b.exact);
  if (a.exact != nullptr && a.exact->is_zero()) return b;
  if (b.exact != nullptr && b.exact->is_zero()) return a;
  Scalar out = pointwise(a, b, [](const Value& x, const Value& y) { return x + y; });
  std::array<double, kPoints> smallest;
  for (std::size_t i = 0; i < kPoints; ++i) {
    const double left = told_by(a, i), right = told_by(b, i);
    smallest[i] = left == 0 || right == 0 ? std::max(left, right) : std::min(left, right);
  }
  out.detail = detail_beside(out, smallest);
  out.fragile = out.fragile || is_absorbed(out.detail);
  return out;
}

Scalar Evaluator::multiply(const Scalar& a, const Scalar& b) {
  if (a.exact != nullptr && b.exact != nullptr) return exact(*a.exact * *b.exact);
  if (a.infinite != 0 || b.infinite != 0) {
    const auto left = a.infinite != 0 ? a.infinite : sign(a);
    const auto right = b.infinite != 0 ? b.infinite : sign(b);
    if (!left || !right || *left * *right == 0) return Scalar::invalid();
    Scalar out;
    out.infinite = *left * *right;
    return out;
  }
  if (!a.valid() || !b.valid()) return Scalar::invalid();
  if (a.exact != nullptr && a.exact->is_zero()) return a;
  if (b.exact != nullptr && b.exact->is_zero()) return b;
  return pointwise(a, b, [](const Value& x, const Value& y) { return x * y; });
}

Scalar Evaluator::divide(const Scalar& a, const Scalar& b) {
  if (a.exact != nullptr && b.exact != nullptr) {
    auto quotient = *a.exact / *b.exact;
    return quotient ? exact(std::move(*quotient)) : Scalar::invalid();
  }
  if (b.infinite != 0 && a.infinite == 0 && a.valid()) return exact(Rational{0});
  return pointwise(a, b, [](const Value& x, const Value& y) { return x / y.snapped(); });
}

Scalar Evaluator::recognised(const Scalar& a) {
  if (a.exact != nullptr || !a.constant || a.infinite != 0 || a.fragile || !a.valid()) return a;
  auto value = reconstructed(a.at[0]);
  return value ? exact(std::move(*value)) : a;
}

std::optional<int> Evaluator::sign(const Scalar& a) {
  if (a.infinite != 0) return a.infinite;
  if (!a.constant || !a.valid()) return std::nullopt;
  if (a.exact != nullptr) return a.exact->is_zero() ? 0 : a.exact->negative() ? -1 : 1;
  const Value known = a.at[0].snapped();
  if (!known.valid() || !known.is_real()) return std::nullopt;
  return known.is_zero() ? 0 : known.z.re.high < 0 ? -1 : 1;
}

}  // namespace orchestrator
