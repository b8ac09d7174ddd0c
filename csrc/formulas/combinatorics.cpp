// Factorials, binomials, floors and common divisors.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "formulas/mixing.hpp"
#include "formulas/pointwise.hpp"

namespace orchestrator {
namespace {

// Steps the recurrence of n! may take.
constexpr double kMaxFactorialSteps = 64;

constexpr std::int64_t kMaxExactFactorial = 170;  // 171! has more than kMaxDigits digits
constexpr std::int64_t kMaxBinomialFactors = 32;

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

}  // namespace

Scalar Evaluator::factorial(const Scalar& a) {
  const Scalar n = recognised(a);
  if (n.exact == nullptr) {
    if (!spend(10)) return Scalar::invalid();
    return pointwise(n, [this](const Value& v) {
      return generalised_factorial(v, hashed("!"), positive_functions_);
    });
  }
  const auto value = n.exact->small_integer();
  if (n.exact->is_integer() && (!value || *value < 0 || *value > kMaxExactFactorial)) {
    return Scalar::invalid();
  }
  if (!value) {
    return pointwise(n, [this](const Value& v) {
      return generalised_factorial(v, hashed("!"), positive_functions_);
    });
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

}  // namespace orchestrator
