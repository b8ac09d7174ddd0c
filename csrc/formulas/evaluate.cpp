#include "formulas/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "formulas/field.hpp"
#include "formulas/mixing.hpp"

namespace orchestrator {
namespace {

// A term this much smaller than its sum leaves it kValueBits - 40 = 20 bits to show in.
constexpr double kAbsorbed = 0x1p-40;

// Constants closer than this to others as short are told apart by more than their value.
constexpr double kCloseNumbers = 0x1p-50;
constexpr std::uint64_t kFewDigits = std::uint64_t{1} << 10;

// Steps the recurrence of n! may take, and rows a determinant may have.
constexpr double kMaxFactorialSteps = 64;
constexpr std::size_t kMaxDeterminant = 8;

constexpr std::int64_t kMaxExactFactorial = 170;  // 171! has more than kMaxDigits digits
constexpr std::int64_t kMaxBinomialFactors = 32;

const Value kOne{Complex{1.0}};

Value whole(double value) { return Value{Complex{value}}; }

Value small_value(std::int64_t value) { return approximate(Rational{value}); }

DoubleDouble approximate(const Natural& a) {
  DoubleDouble out;
  const auto limbs = a.limbs();
  for (std::size_t i = limbs.size(); i-- > 0;) {
    out = out * DoubleDouble{1e9} + DoubleDouble{static_cast<double>(limbs[i])};
  }
  return out;
}

// A number without its factors of two and five, as far as it is large.
double significant(Natural a) {
  for (const std::uint64_t factor :
       {std::uint64_t{1'000'000'000}, std::uint64_t{5}, std::uint64_t{2}}) {
    while (true) {
      const auto value = a.small();
      if (value && *value < kFewDigits) return static_cast<double>(*value);
      auto [quotient, rest] = orchestrator::divide(a, Natural{factor});
      if (!rest.is_zero()) break;
      a = std::move(quotient);
    }
  }
  return approximate(a).high;
}

// How far the next number that is as short is from this one, as a share of it.
double detail_of(const Rational& a) {
  if (a.is_zero()) return 1;
  return 1 / (significant(a.numerator()) * significant(a.denominator()));
}

// A value's rounded parts as one number; none when they are not known.
std::optional<std::uint64_t> fingerprint_of(const Value& value) {
  const auto parts = rounded(value);
  if (!parts) return std::nullopt;
  std::uint64_t out = mixed(static_cast<std::uint64_t>(parts->re));
  out = mixed(out ^ static_cast<std::uint64_t>(parts->im));
  out = mixed(out ^ static_cast<std::uint64_t>(parts->re_exponent));
  return mixed(out ^ static_cast<std::uint64_t>(parts->im_exponent));
}

Value random_value(std::uint64_t hash, bool positive) {
  const double size = random_magnitude(hash);
  return whole(positive || (hash & 1) == 0 ? size : -size);
}

// n! by its recurrence, down to a pseudo-random function on [0, 1).
Value generalised_factorial(const Value& n, std::uint64_t seed, bool positive) {
  const Value v = n.snapped();
  if (!v.valid() || !v.is_real()) return Value::invalid();
  const double steps = std::floor(v.z.re.high);
  if (!(std::fabs(steps) <= kMaxFactorialSteps)) return Value::invalid();
  const auto at_fraction = fingerprint_of(v - whole(steps));
  if (!at_fraction) return Value::invalid();
  Value out = random_value(mixed(seed ^ *at_fraction), positive);
  for (double j = 0; j < steps; ++j) out = out * (v - whole(j));
  for (double j = 1; j <= -steps; ++j) out = out / (v + whole(j));
  return out;
}

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
  return exp(small_value(p) / small_value(static_cast<std::int64_t>(q)) * log(v));
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

// The size of the smallest thing that tells a term at a point.
double told_by(const Scalar& term, std::size_t i) {
  if (term.exact != nullptr) {
    return detail_of(*term.exact) * magnitude(approximate(*term.exact).z);
  }
  return term.detail * magnitude(term.at[term.constant ? 0 : i].z);
}

// The share of a sum that its smallest terms have where it is largest.
double detail_beside(const Scalar& sum, const std::array<double, kPoints>& smallest) {
  if (!sum.valid()) return 1;
  double out = 0;
  for (std::size_t i = 0; i < (sum.constant ? 1 : kPoints); ++i) {
    const double size = magnitude(sum.at[i].z);
    out = std::max(out, size == 0 ? 1 : std::min(1.0, smallest[i] / size));
  }
  return out;
}

// Whether a function is all but constant or all but its argument wherever it is taken.
bool is_flat(Function function, const Scalar& a) {
  constexpr double kSmall = 0x1p-20, kLarge = 0x1p20, kSaturated = 8;
  const bool saturates = function == Function::tanh || function == Function::coth;
  const bool levels = function >= Function::arcsin && function <= Function::arccsc;
  const double large = saturates ? kSaturated : levels ? kLarge : kLargestValue;
  for (std::size_t i = 0; i < (a.constant ? 1 : kPoints); ++i) {
    const double size = told_by(a, i);
    if (size >= kSmall && size <= large) return false;
  }
  return a.exact == nullptr || !a.exact->is_zero();
}

}  // namespace

Value approximate(const Rational& exact) {
  const DoubleDouble numerator = approximate(exact.numerator());
  const DoubleDouble size =
      exact.is_integer() ? numerator : numerator / approximate(exact.denominator());
  const bool short_integer = exact.is_integer() && exact.numerator().limbs().size() <= 3;
  return {Complex{exact.negative() ? -size : size},
          short_integer ? 0 : 0x1p-98 * std::fabs(size.high)};
}

std::optional<Rounded> rounded(const Value& value) {
  const Value known = value.snapped();
  if (!known.valid()) return std::nullopt;
  Rounded out;
  const auto round = [&](const DoubleDouble& part, std::int64_t& mantissa, int& exponent) {
    if (part.high == 0) return true;
    // Neither the exponent nor the last bit may change at numbers that formulas produce: both
    // boundaries are irrational shares, so that short binary fractions are far from them.
    constexpr double kExponentBoundary = 0.7390851332151607, kBitBoundary = 0.2718281828459045;
    std::frexp(part.high * kExponentBoundary, &exponent);
    exponent -= kValueBits - 1;
    const double scale = std::ldexp(1.0, -exponent);
    if (!(value.error * scale <= std::ldexp(1.0, -kGuardBits))) return false;
    const double high = part.high * scale, whole_part = std::floor(high);
    mantissa = static_cast<std::int64_t>(whole_part) +
               static_cast<std::int64_t>(
                   std::floor((high - whole_part) + part.low * scale + kBitBoundary));
    return true;
  };
  if (!round(known.z.re, out.re, out.re_exponent) || !round(known.z.im, out.im, out.im_exponent)) {
    return std::nullopt;
  }
  return out;
}

std::optional<Rational> reconstructed(const Value& value) {
  constexpr double kMaxProduct = 0x1p40;
  const Value known = value.snapped();
  if (!known.valid() || !known.is_real()) return std::nullopt;
  if (known.is_zero()) return Rational{0};
  const DoubleDouble size = abs(known.z.re);
  const double tolerance = 0x1p-85 * size.high;
  if (!(value.error <= tolerance) || size.high >= kMaxProduct || size.high * kMaxProduct <= 1) {
    return std::nullopt;
  }
  // Such a fraction is a convergent of the double next to it (Legendre).
  double p = 1, q = 0, last_p = 0, last_q = 1, rest = size.high;
  while (true) {
    const double term = std::floor(rest);
    const double next_p = term * p + last_p, next_q = term * q + last_q;
    if (!(next_p * next_q < kMaxProduct) || !(next_q < kMaxProduct)) return std::nullopt;
    last_p = std::exchange(p, next_p);
    last_q = std::exchange(q, next_q);
    const DoubleDouble off = size * DoubleDouble{q} - DoubleDouble{p};
    if (p > 0 && std::fabs(off.high) <= tolerance * q) {
      return Rational{known.z.re.high < 0, Natural{static_cast<std::uint64_t>(p)},
                      Natural{static_cast<std::uint64_t>(q)}};
    }
    if (rest == term) return std::nullopt;
    rest = 1 / (rest - term);
  }
}

bool Scalar::valid() const {
  if (exact != nullptr || infinite != 0) return true;
  if (constant) return at[0].valid();
  return std::all_of(at.begin(), at.end(), [](const Value& v) { return v.valid(); });
}

Scalar Scalar::invalid() {
  Scalar out;
  out.at[0] = Value::invalid();
  return out;
}

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
  out.fragile = out.detail < kCloseNumbers;
  return out;
}

template <typename Operation>
Scalar Evaluator::pointwise(const Scalar& a, Operation operation) {
  if (a.infinite != 0 || !a.valid() || !spend(1)) return Scalar::invalid();
  Scalar out = numeric(a);
  for (std::size_t i = 0; i < (out.constant ? 1 : kPoints); ++i) out.at[i] = operation(out.at[i]);
  return out.valid() ? out : Scalar::invalid();
}

template <typename Operation>
Scalar Evaluator::pointwise(const Scalar& a, const Scalar& b, Operation operation) {
  if (a.infinite != 0 || b.infinite != 0 || !a.valid() || !b.valid() || !spend(1)) {
    return Scalar::invalid();
  }
  Scalar number;
  if (a.exact != nullptr || b.exact != nullptr) number = numeric(a.exact != nullptr ? a : b);
  const Scalar& left = a.exact != nullptr ? number : a;
  const Scalar other = a.exact != nullptr && b.exact != nullptr ? numeric(b) : Scalar{};
  const Scalar& right = b.exact == nullptr ? b : a.exact != nullptr ? other : number;
  Scalar out;
  out.constant = left.constant && right.constant;
  out.fragile = left.fragile || right.fragile;
  out.detail = std::min(left.detail, right.detail);
  bool valid = true;
  for (std::size_t i = 0; i < (out.constant ? 1 : kPoints); ++i) {
    out.at[i] = operation(left.at[left.constant ? 0 : i], right.at[right.constant ? 0 : i]);
    valid = valid && out.at[i].valid();
  }
  return valid ? out : Scalar::invalid();
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
  out.fragile = out.fragile || out.detail < kAbsorbed;
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
  out.fragile = out.fragile || out.detail < kAbsorbed;
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
  if (function && !positive_functions_) positive_functions_ = left_domain_ = true;
  for (const NodeId child : expression_.children_of(id)) make_positive(child);
}

bool Evaluator::is_positive(std::uint64_t name) const {
  return std::find(positive_.begin(), positive_.end(), name) != positive_.end();
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

Scalar Evaluator::factorial(const Scalar& a) {
  const Scalar n = recognised(a);
  if (n.exact == nullptr) {
    if (!spend(10)) return Scalar::invalid();
    return pointwise(
        n, [this](const Value& v) { return generalised_factorial(v, hashed("!"), positive_functions_); });
  }
  const auto value = n.exact->small_integer();
  if (n.exact->is_integer() && (!value || *value < 0 || *value > kMaxExactFactorial)) {
    return Scalar::invalid();
  }
  if (!value) {
    return pointwise(
        n, [this](const Value& v) { return generalised_factorial(v, hashed("!"), positive_functions_); });
  }
  if (!spend(static_cast<int>(2 * *value))) return Scalar::invalid();
  Natural product{1};
  for (std::int64_t i = 2; i <= *value; ++i)
    product = product * Natural{static_cast<std::uint64_t>(i)};
  return exact(Rational{false, product, Natural{1}});
}

Scalar Evaluator::double_factorial(const Scalar& a) {
  const Scalar n = recognised(a);
  if (n.exact == nullptr) return pseudo_random(hashed("!!"), {n}, true);
  const auto value = n.exact->small_integer();
  if (!value || *value < -1 || *value > 2 * kMaxExactFactorial || !spend(400)) {
    return Scalar::invalid();
  }
  Natural product{1};
  for (std::int64_t i = *value; i >= 2; i -= 2) {
    product = product * Natural{static_cast<std::uint64_t>(i)};
  }
  return exact(Rational{false, product, Natural{1}});
}

Scalar Evaluator::binomial(const Scalar& n, const Scalar& k) {
  const Scalar below = recognised(k);
  const auto factors = below.exact != nullptr ? below.exact->small_integer() : std::nullopt;
  if (factors && *factors < 0) return exact(Rational{0});
  if (factors && *factors <= kMaxBinomialFactors) {
    // n (n-1) ... (n-k+1) / k!, for any n.
    Scalar product = exact(Rational{1});
    for (std::int64_t i = 0; i < *factors; ++i) {
      const Scalar factor = divide(subtract(n, exact(Rational{i})), exact(Rational{i + 1}));
      product = multiply(product, factor);
    }
    return product;
  }
  const Scalar above = recognised(n);
  if (factors && above.exact != nullptr) {
    const auto size = above.exact->small_integer();
    if (!size || *size < 0 || *size > 4 * static_cast<std::int64_t>(kMaxDigits)) {
      return Scalar::invalid();
    }
    if (*factors > *size) return exact(Rational{0});
    if (!spend(1000)) return Scalar::invalid();
    const std::int64_t smaller = std::min(*factors, *size - *factors);
    Scalar product = exact(Rational{1});
    for (std::int64_t i = 0; i < smaller && product.exact != nullptr; ++i) {
      product = exact(*product.exact * Rational{*size - i});
      if (product.exact != nullptr) product = divide(product, exact(Rational{i + 1}));
    }
    return product;
  }
  return divide(factorial(n), multiply(factorial(k), factorial(subtract(n, k))));
}

Scalar Evaluator::floor(const Scalar& a) {
  const Scalar u = recognised(a);
  if (u.exact != nullptr) return exact(orchestrator::floor(*u.exact));
  constexpr double kLargest = 0x1p52;
  const bool real = std::all_of(u.at.begin(), u.at.begin() + (u.constant ? 1 : kPoints),
                                [](const Value& v) { return v.snapped().is_real(); });
  if (!real) return pseudo_random(hashed("floor"), {u}, true);
  if (u.constant) {
    if (!u.valid() || u.infinite != 0) return Scalar::invalid();
    const Value& v = u.at[0];
    const DoubleDouble below = orchestrator::floor(v.z.re);
    // Recognition has tried whole numbers; what is this close to one is left open.
    const DoubleDouble over = v.z.re - below;
    if (!(std::fabs(v.z.re.high) < kLargest) || !(over.high > v.error) ||
        !(1 - over.high > v.error)) {
      return Scalar::invalid();
    }
    return exact(Rational{static_cast<std::int64_t>(below.high)});
  }
  // u - h(u mod 1): a step function of so few values would meet many others.
  return pointwise(u, [this](const Value& v) {
    const Value known = v.snapped();
    if (!known.valid() || !(std::fabs(known.z.re.high) < kLargest)) return Value::invalid();
    Value over = (known - Value{Complex{orchestrator::floor(known.z.re)}}).snapped();
    const auto hash = fingerprint_of(over);
    if (!hash) return Value::invalid();
    if (over.is_zero()) return known;
    return known - random_value(mixed(hashed("floor") ^ *hash), positive_functions_);
  });
}

Scalar Evaluator::modulo(const Scalar& a, const Scalar& m) {
  return subtract(a, multiply(m, floor(divide(a, m))));
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

Scalar Evaluator::common(Function function, const std::vector<Scalar>& arguments) {
  if (arguments.empty()) return Scalar::invalid();
  std::optional<Natural> out;
  for (const Scalar& argument : arguments) {
    const Scalar whole_number = recognised(argument);
    if (whole_number.exact == nullptr || !whole_number.exact->is_integer()) {
      return pseudo_random(static_cast<std::uint64_t>(function), arguments, false);
    }
    const Natural& size = whole_number.exact->numerator();
    if (!spend(20)) return Scalar::invalid();
    if (!out) {
      out = size;
      continue;
    }
    const Natural divisor = orchestrator::gcd(*out, size);
    if (function == Function::gcd) {
      out = divisor;
    } else {
      out = divisor.is_zero() ? divisor : orchestrator::divide(*out * size, divisor).first;
    }
    if (out->digits() > kMaxDigits) return Scalar::invalid();
  }
  return exact(Rational{false, *out, Natural{1}});
}

Scalar Evaluator::logarithm(const Scalar& a) {
  if (!spend(20)) return Scalar::invalid();
  leave_domain_if_negative(a);
  return pointwise(a, [](const Value& v) { return orchestrator::log(v); });
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

// Matrices.

bool Evaluator::is_matrix(NodeId id) const {
  const Node& node = expression_.nodes[id];
  const auto children = expression_.children_of(id);
  switch (node.op) {
    case Op::matrix:
      return true;
    case Op::add:
    case Op::multiply:
    case Op::negate:
    case Op::plus_minus:
    case Op::minus_plus:
      return std::any_of(children.begin(), children.end(), [&](NodeId c) { return is_matrix(c); });
    case Op::divide:
    case Op::power:
      return is_matrix(children[0]);
    case Op::function:
      return static_cast<Function>(node.index) == Function::transpose && !children.empty() &&
             is_matrix(children[0]);
    default:
      return false;
  }
}

std::optional<Matrix> Evaluator::matrix_product(const Matrix& a, const Matrix& b) {
  const auto scale = [&](const Scalar& by, Matrix of) {
    for (Scalar& entry : of.entries) entry = multiply(by, entry);
    return of;
  };
  if (a.entries.size() == 1) return scale(a.entries[0], b);
  if (b.entries.size() == 1) return scale(b.entries[0], a);
  const std::size_t rows = a.rows();
  if (a.columns != b.rows() || !spend(static_cast<int>(rows * b.columns))) return std::nullopt;
  Matrix out{b.columns, {}};
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < b.columns; ++column) {
      Scalar sum = exact(Rational{0});
      for (std::size_t k = 0; k < a.columns && sum.valid(); ++k) {
        sum = add(sum, multiply(a.entries[row * a.columns + k], b.entries[k * b.columns + column]));
      }
      if (!sum.valid()) return std::nullopt;
      out.entries.push_back(sum);
    }
  }
  return out;
}

std::optional<Matrix> Evaluator::matrix(NodeId id) {
  const Node& node = expression_.nodes[id];
  const auto children = expression_.children_of(id);
  if (!spend(1)) return std::nullopt;
  if (!is_matrix(id)) {
    Matrix scalar{1, {evaluate(id)}};
    if (!scalar.entries[0].valid()) return std::nullopt;
    return scalar;
  }
  switch (node.op) {
    case Op::matrix: {
      Matrix out{node.index, {}};
      if (node.index == 0 || children.size() % node.index != 0) return std::nullopt;
      for (const NodeId child : children) {
        out.entries.push_back(evaluate(child));
        if (!out.entries.back().valid()) return std::nullopt;
      }
      return out;
    }
    case Op::add: {
      auto out = matrix(children[0]);
      for (std::size_t i = 1; i < children.size() && out; ++i) {
        const auto term = matrix(children[i]);
        if (!term || term->columns != out->columns || term->entries.size() != out->entries.size()) {
          return std::nullopt;
        }
        for (std::size_t k = 0; k < out->entries.size(); ++k) {
          out->entries[k] = add(out->entries[k], term->entries[k]);
        }
      }
      return out;
    }
    case Op::multiply: {
      auto out = matrix(children[0]);
      for (std::size_t i = 1; i < children.size() && out; ++i) {
        const auto factor = matrix(children[i]);
        out = factor ? matrix_product(*out, *factor) : std::nullopt;
      }
      return out;
    }
    case Op::divide: {
      auto out = matrix(children[0]);
      if (!out || is_matrix(children[1])) return std::nullopt;
      const Scalar by = evaluate(children[1]);
      for (Scalar& entry : out->entries) entry = divide(entry, by);
      return out;
    }
    case Op::negate:
    case Op::plus_minus:
    case Op::minus_plus: {
      auto out = matrix(children[0]);
      const bool flip = node.op == Op::negate || (node.op == Op::plus_minus) == (choice_ < 0);
      if (out && flip) {
        for (Scalar& entry : out->entries) entry = negate(entry);
      }
      return out;
    }
    case Op::power: {
      const auto base = matrix(children[0]);
      const Scalar exponent = evaluate(children[1]);
      if (!base || exponent.exact == nullptr || base->rows() != base->columns) return std::nullopt;
      const auto n = exponent.exact->small_integer();
      if (!n || *n < 1 || *n > 64) return std::nullopt;
      std::optional<Matrix> out = base;
      for (std::int64_t i = 1; i < *n && out; ++i) out = matrix_product(*out, *base);
      return out;
    }
    case Op::function: {
      const auto of = matrix(children[0]);
      if (!of) return std::nullopt;
      Matrix out{of->rows(), {}};
      for (std::size_t column = 0; column < of->columns; ++column) {
        for (std::size_t row = 0; row < of->rows(); ++row) {
          out.entries.push_back(of->entries[row * of->columns + column]);
        }
      }
      return out;
    }
    default:
      return std::nullopt;
  }
}

// By minors of the first rows and each set of columns, without divisions.
Scalar Evaluator::determinant(const Matrix& of) {
  const std::size_t n = of.columns;
  if (of.rows() != n || n > kMaxDeterminant) return Scalar::invalid();
  std::vector<Scalar> minors(std::size_t{1} << n);
  minors[0] = exact(Rational{1});
  for (std::size_t set = 1; set < minors.size(); ++set) {
    const auto row = static_cast<std::size_t>(__builtin_popcountll(set)) - 1;
    Scalar sum = exact(Rational{0});
    bool negative = row % 2 == 1;
    for (std::size_t column = 0; column < n; ++column) {
      if ((set >> column & 1) == 0) continue;
      Scalar term =
          multiply(of.entries[row * n + column], minors[set ^ (std::size_t{1} << column)]);
      sum = add(sum, negative ? negate(term) : term);
      negative = !negative;
    }
    if (!sum.valid()) return sum;
    minors[set] = sum;
  }
  return minors.back();
}

// Rational functions over other fields.

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
    const bool square_root = index.exact != nullptr &&
                             *index.exact == (node.op == Op::root ? Rational{2} : half);
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
  const auto base = *n % 4 == 0 ? field_value(children[0], field) : size_residue(children[0], field);
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
