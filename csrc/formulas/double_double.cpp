#include "formulas/double_double.hpp"

#include <array>
#include <cmath>

namespace orchestrator {
namespace {

constexpr int kTerms = 30;  // (pi/4)^30 / 30! < 2^-117

constexpr std::array<DoubleDouble, kTerms> inverse_factorials() {
  std::array<DoubleDouble, kTerms> out{};
  DoubleDouble factorial{1.0};
  for (int n = 0; n < kTerms; ++n) {
    if (n > 0) factorial = factorial * DoubleDouble{static_cast<double>(n)};
    out[static_cast<std::size_t>(n)] = DoubleDouble{1.0} / factorial;
  }
  return out;
}

// 1/n!. The factorials are exact up to 27!, whose odd part has 83 bits.
constexpr auto kInverseFactorials = inverse_factorials();

// Taylor's series of the sine (first = 1) or cosine (first = 0), for |x| <= pi/4.
DoubleDouble series(const DoubleDouble& x, std::size_t first) {
  const DoubleDouble square = x * x;
  // Terms below 2^-110 of the first do not count; small arguments need few.
  std::size_t last = first;
  for (double term = 1; last + 2 < kTerms && term > 0x1p-112; last += 2) {
    term *= square.high / static_cast<double>((last + 1) * (last + 2));
  }
  DoubleDouble sum;
  for (std::size_t n = last;; n -= 2) {
    const DoubleDouble coefficient = kInverseFactorials[n];
    sum = ((n - first) / 2) % 2 == 0 ? coefficient + sum * square : -coefficient + sum * square;
    if (n == first) break;
  }
  return first == 1 ? sum * x : sum;
}

}  // namespace

DoubleDouble abs(const DoubleDouble& x) { return x.high < 0 ? -x : x; }

DoubleDouble floor(const DoubleDouble& x) {
  const double high = std::floor(x.high);
  if (high != x.high) return {high};
  return double_double_detail::fast_two_sum(high, std::floor(x.low));
}

DoubleDouble sqrt(const DoubleDouble& x) {
  if (x.high == 0) return {};
  // Karp and Markstein: one Newton step from the double's root.
  const double root = std::sqrt(x.high);
  if (!(x.high > 0) || std::isinf(x.high)) return {root};
  const DoubleDouble rest = x - double_double_detail::two_product(root, root);
  return double_double_detail::fast_two_sum(root, rest.high / (2 * root));
}

DoubleDouble exp(const DoubleDouble& x) {
  if (!(std::fabs(x.high) < 709)) return {std::exp(x.high)};
  if (x == DoubleDouble{}) return {1.0};
  // e^x = 2^k (e^r)^512 with |r| < 2^-10; e^r - 1 is squared as p -> 2p + p^2, which keeps the bits
  // that adding the 1 would lose.
  const double k = std::floor(x.high / kLogTwo.high + 0.5);
  constexpr int kSquarings = 9;
  const DoubleDouble r = scaled(x - kLogTwo * DoubleDouble{k}, 1.0 / (1 << kSquarings));
  DoubleDouble p;
  for (std::size_t n = 9; n >= 1; --n) p = (p + kInverseFactorials[n]) * r;
  for (int i = 0; i < kSquarings; ++i) p = scaled(p, 2) + p * p;
  p = p + DoubleDouble{1.0};
  return {std::ldexp(p.high, static_cast<int>(k)), std::ldexp(p.low, static_cast<int>(k))};
}

DoubleDouble log(const DoubleDouble& x) {
  if (x == DoubleDouble{1.0}) return {};
  const double start = std::log(x.high);
  if (!std::isfinite(start)) return {start};
  // One Newton step on exp(y) = x doubles the bits; the scaling keeps exp(-y) in range.
  int exponent = 0;
  const double mantissa = std::frexp(x.high, &exponent);
  const double scale = std::ldexp(1.0, -exponent);
  const DoubleDouble reduced{mantissa, x.low * scale};
  const DoubleDouble y{std::log(mantissa)};
  const DoubleDouble fraction = y + (reduced * exp(-y) - DoubleDouble{1.0});
  return fraction + kLogTwo * DoubleDouble{static_cast<double>(exponent)};
}

SineCosine sine_cosine(const DoubleDouble& x) {
  if (!std::isfinite(x.high)) return {{std::nan("")}, {std::nan("")}};
  const double quarter = std::floor(x.high / kHalfPi.high + 0.5);
  const DoubleDouble rest = quarter == 0 ? x : x - kHalfPi * DoubleDouble{quarter};
  const DoubleDouble sine = series(rest, 1), cosine = series(rest, 0);
  switch (static_cast<int>(quarter - 4 * std::floor(quarter / 4))) {
    case 0:
      return {sine, cosine};
    case 1:
      return {cosine, -sine};
    case 2:
      return {-sine, -cosine};
    default:
      return {-cosine, sine};
  }
}

DoubleDouble atan2(const DoubleDouble& y, const DoubleDouble& x) {
  if (y.high == 0) return x.high < 0 ? kPi : DoubleDouble{};
  if (x.high == 0) return y.high < 0 ? -kHalfPi : kHalfPi;
  // One Newton step on sin or cos, whichever is steeper at the double's value.
  const DoubleDouble radius = hypot(x, y);
  const DoubleDouble start{std::atan2(y.high, x.high)};
  const SineCosine at = sine_cosine(start);
  if (std::fabs(x.high) > std::fabs(y.high)) return start + (y / radius - at.sine) / at.cosine;
  return start - (x / radius - at.cosine) / at.sine;
}

DoubleDouble hypot(const DoubleDouble& x, const DoubleDouble& y) {
  if (x.high == 0) return abs(y);
  if (y.high == 0) return abs(x);
  return sqrt(x * x + y * y);
}

Complex operator*(const Complex& a, const Complex& b) {
  if (a.is_real()) return b.is_real() ? Complex{a.re * b.re} : Complex{a.re * b.re, a.re * b.im};
  if (b.is_real()) return {a.re * b.re, a.im * b.re};
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

Complex operator/(const Complex& a, const Complex& b) {
  if (b.is_real()) {
    return a.is_real() ? Complex{a.re / b.re} : Complex{a.re / b.re, a.im / b.re};
  }
  const DoubleDouble norm = b.re * b.re + b.im * b.im;
  const Complex product = a * Complex{b.re, -b.im};
  return {product.re / norm, product.im / norm};
}

Complex sqrt(const Complex& z) {
  if (z.is_real()) {
    return z.re.high < 0 ? Complex{DoubleDouble{}, sqrt(-z.re)} : Complex{sqrt(z.re)};
  }
  // The part without cancellation first, the other from their product im/2.
  const DoubleDouble larger = sqrt(scaled(hypot(z.re, z.im) + abs(z.re), 0.5));
  const DoubleDouble smaller = scaled(z.im, 0.5) / larger;
  if (z.re.high >= 0) return {larger, smaller};
  return z.im.high < 0 ? Complex{-smaller, -larger} : Complex{smaller, larger};
}

Complex exp(const Complex& z) {
  const DoubleDouble size = exp(z.re);
  if (z.is_real()) return {size};
  const SineCosine turn = sine_cosine(z.im);
  return {size * turn.cosine, size * turn.sine};
}

Complex log(const Complex& z) {
  if (z.is_real() && z.re.high > 0) return {log(z.re)};
  return {log(hypot(z.re, z.im)), atan2(z.im, z.re)};
}

ComplexSineCosine sine_cosine(const Complex& z) {
  const SineCosine turn = sine_cosine(z.re);
  if (z.is_real()) return {{turn.sine}, {turn.cosine}};
  const DoubleDouble up = exp(z.im), down = exp(-z.im);
  const DoubleDouble cosh = scaled(up + down, 0.5), sinh = scaled(up - down, 0.5);
  return {{turn.sine * cosh, turn.cosine * sinh}, {turn.cosine * cosh, -(turn.sine * sinh)}};
}

Complex pow(const Complex& base, const Complex& exponent) { return exp(exponent * log(base)); }

}  // namespace orchestrator
