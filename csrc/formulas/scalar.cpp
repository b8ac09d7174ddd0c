#include "formulas/scalar.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "formulas/mixing.hpp"

namespace orchestrator {
namespace {

constexpr std::uint64_t kFewDigits = std::uint64_t{1} << 10;

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
  return Value{Complex{positive || (hash & 1) == 0 ? size : -size}};
}

double detail_of(const Rational& a) {
  if (a.is_zero()) return 1;
  return 1 / (significant(a.numerator()) * significant(a.denominator()));
}

double told_by(const Scalar& term, std::size_t i) {
  if (term.exact != nullptr) {
    return detail_of(*term.exact) * magnitude(approximate(*term.exact).z);
  }
  return term.detail * magnitude(term.at[term.constant ? 0 : i].z);
}

double detail_beside(const Scalar& sum, const std::array<double, kPoints>& smallest) {
  if (!sum.valid()) return 1;
  double out = 0;
  for (std::size_t i = 0; i < (sum.constant ? 1 : kPoints); ++i) {
    const double size = magnitude(sum.at[i].z);
    out = std::max(out, size == 0 ? 1 : std::min(1.0, smallest[i] / size));
  }
  return out;
}

}  // namespace orchestrator
