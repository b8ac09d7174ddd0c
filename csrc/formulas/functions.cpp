// Powers, roots and functions.
#include <algorithm>
#include <utility>
#include <vector>

#include "formulas/mixing.hpp"
#include "formulas/pointwise.hpp"

namespace orchestrator {
namespace {

// base^(p/q) over the reals where q is odd, else principal.
Value rational_power(const Value& base, std::int64_t p, std::uint64_t q) {
  const Value v = base.snapped();
  if (!v.valid()) return v;
  if (v.is_zero()) return p > 0 ? v : Value::invalid();
  if (q % 2 == 1 && v.is_real() && v.z.re.high < 0) {
    const Value size = rational_power(-v, p, q);
    return p % 2 == 0 ? size : -size;
  }
  if (q == 2) return power(sqrt(v), p);
  return exp(approximate(Rational{p}) / approximate(Rational{static_cast<std::int64_t>(q)}) *
             log(v));
}

Value elementary(Function function, const Value& a) {
  const Value two = whole(2), half_pi{Complex{kHalfPi}, 0x1p-105};
  switch (function) {
    case Function::sin:
      return sin(a);
    case Function::cos:
      return cos(a);
    case Function::tan:
      return sin(a) / cos(a).snapped();
    case Function::cot:
      return cos(a) / sin(a).snapped();
    case Function::sec:
      return kOne / cos(a).snapped();
    case Function::csc:
      return kOne / sin(a).snapped();
    case Function::arcsin:
      return arcsin(a);
    case Function::arccos:
      return half_pi - arcsin(a);
    case Function::arctan:
      return arctan(a);
    case Function::arccot:
      return half_pi - arctan(a);
    case Function::arcsec:
      return half_pi - arcsin(kOne / a);
    case Function::arccsc:
      return arcsin(kOne / a);
    case Function::sinh:
      return (exp(a) - exp(-a)) / two;
    case Function::cosh:
      return (exp(a) + exp(-a)) / two;
    case Function::tanh:
      return kOne - two / (exp(two * a) + kOne);
    case Function::coth:
      return kOne + two / (exp(two * a) - kOne);
    case Function::sech:
      return two / (exp(a) + exp(-a));
    case Function::csch:
      return two / (exp(a) - exp(-a));
    case Function::arcsinh:
      return log(a + sqrt(a * a + kOne));
    case Function::arccosh:
      return log(a + sqrt(a - kOne) * sqrt(a + kOne));
    case Function::arctanh:
      return (log(kOne + a) - log(kOne - a)) / two;
    case Function::exp:
      return exp(a);
    default:
      return Value::invalid();
  }
}

// arctan(tan x) is x only near 0.
bool undoes(Function outer, const Node& argument) {
  return outer >= Function::arcsin && outer <= Function::arccsc && argument.op == Op::function &&
         static_cast<Function>(argument.index) <= Function::csc;
}

}  // namespace

bool is_flat(Function function, const Scalar& a) {
  constexpr double kSmall = 0x1p-20, kLarge = 0x1p20, kSaturated = 8;
  const bool saturates = function == Function::tanh || function == Function::coth;
  const bool levels = function >= Function::arcsin && function <= Function::arccsc;
  const double large = saturates ? kSaturated : levels ? kLarge : kLargestValue;
  for (std::size_t i = 0; i < (a.constant ? 1 : kPoints); ++i) {
    const Value at = a.exact != nullptr ? approximate(*a.exact) : a.at[i];
    const double size = magnitude(at.z);
    if (size >= kSmall && size <= large) return false;
  }
  return a.exact == nullptr || !a.exact->is_zero();
}

Scalar Evaluator::power(const Scalar& base, const Scalar& exponent) {
  if (!base.valid() || !exponent.valid()) return Scalar::invalid();
  const Scalar index = recognised(exponent);
  if (index.exact != nullptr) {
    const auto numerator = index.exact->numerator().small();
    const auto denominator = index.exact->denominator().small();
    if (!numerator || !denominator || *numerator > (1U << 30) || *denominator > (1U << 30)) {
      return Scalar::invalid();
    }
    const auto size = static_cast<std::int64_t>(*numerator);
    const std::int64_t p = index.exact->negative() ? -size : size;
    if (*denominator != 1) return fractional_power(base, p, *denominator);
    if (base.exact != nullptr) {
      if (!spend(static_cast<int>(std::min<std::int64_t>(size, 20)))) return Scalar::invalid();
      if (auto value = raised(*base.exact, p)) return exact(std::move(*value));
      if (base.exact->is_zero()) return Scalar::invalid();
    }
    return pointwise(base, [p](const Value& v) { return orchestrator::power(v, p); });
  }
  if (!spend(30)) return Scalar::invalid();
  leave_domain_if_negative(base);
  Scalar out =
      pointwise(base, index, [](const Value& b, const Value& e) { return exp(e * log(b)); });
  out.fragile = out.fragile || is_flat(Function::exp, index);
  return out;
}

Scalar Evaluator::fractional_power(const Scalar& base, std::int64_t p, std::uint64_t q) {
  if (base.exact != nullptr) {
    if (!spend(base.exact->numerator().limbs().size() > 2 ? 500 : 5)) return Scalar::invalid();
    if (const auto of = exact_root(*base.exact, q)) {
      if (auto value = raised(*of, p)) return exact(std::move(*value));
    }
  }
  if (!spend(q == 2 ? 5 : 30)) return Scalar::invalid();
  if (q % 2 == 0) leave_domain_if_negative(base);
  return pointwise(base, [p, q](const Value& v) { return rational_power(v, p, q); });
}

Scalar Evaluator::root(const Scalar& radicand, const Scalar& index) {
  if (index.exact != nullptr && index.exact->is_integer() && !index.exact->negative()) {
    const auto n = index.exact->numerator().small();
    if (n && *n > 0 && *n <= (1U << 30) && radicand.valid() && radicand.infinite == 0) {
      return fractional_power(radicand, 1, *n);
    }
  }
  return power(radicand, divide(exact(Rational{1}), index));
}

Scalar Evaluator::logarithm(const Scalar& a) {
  if (!spend(20)) return Scalar::invalid();
  leave_domain_if_negative(a);
  return pointwise(a, [](const Value& v) { return orchestrator::log(v); });
}

Scalar Evaluator::pseudo_random(std::uint64_t seed, const std::vector<Scalar>& arguments,
                                bool ordered) {
  Scalar out;
  std::vector<Scalar> known;
  for (const Scalar& argument : arguments) {
    if (!argument.valid() || argument.infinite != 0 || !spend(1)) return Scalar::invalid();
    known.push_back(numeric(argument));
    out.constant = out.constant && argument.constant;
    out.fragile = out.fragile || known.back().fragile;
  }
  std::vector<std::uint64_t> hashes(known.size());
  for (std::size_t i = 0; i < (out.constant ? 1 : kPoints); ++i) {
    for (std::size_t j = 0; j < known.size(); ++j) {
      const auto hash = fingerprint_of(known[j].at[known[j].constant ? 0 : i]);
      if (!hash) return Scalar::invalid();
      hashes[j] = *hash;
    }
    if (!ordered) std::sort(hashes.begin(), hashes.end());
    std::uint64_t all = mixed(seed + hashes.size());
    for (const std::uint64_t hash : hashes) all = mixed(all ^ hash);
    out.at[i] = random_value(all, positive_functions_);
  }
  return out;
}

Scalar Evaluator::extremum(Function function, const std::vector<Scalar>& arguments) {
  if (arguments.empty()) return Scalar::invalid();
  const bool constant =
      std::all_of(arguments.begin(), arguments.end(), [](const Scalar& a) { return a.constant; });
  if (!constant) return pseudo_random(static_cast<std::uint64_t>(function), arguments, false);
  Scalar best = arguments[0];
  for (const Scalar& other : arguments) {
    const auto order = sign(subtract(other, best));
    if (!order) return Scalar::invalid();
    if (*order == (function == Function::max ? 1 : -1)) best = other;
  }
  return best;
}

Scalar Evaluator::known_function(const Node& node, NodeId id) {
  const auto function = static_cast<Function>(node.index);
  const auto children = expression_.children_of(id);
  if (children.empty() || node.index > static_cast<std::uint32_t>(Function::transpose)) {
    return Scalar::invalid();
  }
  const std::uint64_t seed = mixed(node.index);
  if (function == Function::determinant && is_matrix(children[0])) {
    const auto of = matrix(children[0]);
    return of ? determinant(*of) : Scalar::invalid();
  }
  std::vector<Scalar> arguments;
  for (const NodeId child : children) arguments.push_back(evaluate(child));
  const Scalar& a = arguments[0];
  switch (function) {
    case Function::gcd:
    case Function::lcm:
      return common(function, arguments);
    case Function::min:
    case Function::max:
      return extremum(function, arguments);
    case Function::log:
      if (arguments.size() == 2) return divide(logarithm(a), logarithm(arguments[1]));
      // 1/c for the unknown base.
      return multiply(logarithm(a), pseudo_random(hashed("log"), {}, true));
    default:
      break;
  }
  if (arguments.size() != 1) return Scalar::invalid();
  switch (function) {
    case Function::ln:
      return logarithm(a);
    case Function::sign:
      if (const auto known = sign(a)) return exact(Rational{*known});
      return a.constant ? Scalar::invalid() : pseudo_random(seed, arguments, true);
    case Function::real_part:
    case Function::imaginary_part:
    case Function::conjugate:
    case Function::argument:
      if (!a.constant) return pseudo_random(seed, arguments, true);
      return pointwise(a, [function](const Value& v) {
        const Value known = v.snapped();
        Value out = known;
        if (function == Function::argument)
          return Value{Complex{orchestrator::log(known).z.im}, orchestrator::log(known).error};
        if (function == Function::conjugate) out.z.im = -known.z.im;
        if (function == Function::real_part) out.z = Complex{known.z.re};
        if (function == Function::imaginary_part) out.z = Complex{known.z.im};
        return out;
      });
    case Function::determinant:
    case Function::transpose:
      return pseudo_random(seed, arguments, true);
    default:
      break;
  }
  if (!spend(30)) return Scalar::invalid();
  Scalar out = pointwise(a, [function](const Value& v) {
    const Value of = elementary(function, v);
    return of.snapped().valid() ? of.snapped() : of;
  });
  if (undoes(function, expression_.nodes[children[0]]) || is_flat(function, a)) out.fragile = true;
  return out;
}

}  // namespace orchestrator
