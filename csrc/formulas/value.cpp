#include "formulas/value.hpp"

#include <cmath>

namespace orchestrator {
namespace {

// Bounds of the relative errors that double_double.hpp states, with room for the complex forms.
constexpr double kSumError = 0x1p-102;
constexpr double kProductError = 0x1p-101;
constexpr double kFunctionError = 0x1p-97;

// A part within its error is zero if that error is at most this share of the whole value; 1 stands
// for the whole where all of it is within its error.
constexpr double kSnap = 0x1p-64;

double modulus_bound(const Complex& z) {
  return z.is_real() ? std::fabs(z.re.high) : std::fabs(z.re.high) + std::fabs(z.im.high);
}

// The sine or cosine. Reduction by pi leaves nothing of a large argument.
Value turned(const Value& a, Complex ComplexSineCosine::*part) {
  if (!a.valid() || !(magnitude(a.z) < 0x1p30) || !(std::fabs(a.z.im.high) < 300) ||
      !(a.error < 0x1p-20)) {
    return Value::invalid();
  }
  const ComplexSineCosine at = sine_cosine(a.z);
  const double scale = modulus_bound(at.sine) + modulus_bound(at.cosine);
  return {at.*part, scale * (2 * a.error + kFunctionError * (1 + magnitude(a.z)))};
}

}  // namespace

Value::Value(const Complex& computed, double bound) : z(computed), error(bound) {
  const double size = magnitude(z);
  const bool in_range = size <= kLargestValue && (size >= kSmallestValue || size == 0);
  if (!in_range || !(bound <= kLargestValue)) *this = invalid();
}

Value Value::invalid() {
  Value out;
  out.error = std::numeric_limits<double>::infinity();
  return out;
}

Value Value::snapped() const {
  if (error == 0 || !valid()) return *this;
  Value out = *this;
  const double size = magnitude(z);
  if (size <= error) return error <= kSnap ? Value{} : invalid();
  const auto snap = [&](DoubleDouble& part) {
    if (part.high == 0 || std::fabs(part.high) > error) return true;
    part = {};
    return error <= kSnap * size;
  };
  return snap(out.z.re) && snap(out.z.im) ? out : invalid();
}

Value operator-(const Value& a) {
  Value out = a;
  out.z = -a.z;
  return out;
}

Value operator+(const Value& a, const Value& b) {
  const Complex z = a.z + b.z;
  return {z, a.error + b.error + kSumError * modulus_bound(z)};
}

Value operator-(const Value& a, const Value& b) { return a + -b; }

Value operator*(const Value& a, const Value& b) {
  if (!a.valid() || !b.valid()) return Value::invalid();
  const double na = modulus_bound(a.z), nb = modulus_bound(b.z);
  return {a.z * b.z, na * b.error + nb * a.error + a.error * b.error + kProductError * na * nb};
}

Value operator/(const Value& a, const Value& b) {
  const double nb = magnitude(b.z);
  if (!a.valid() || !b.valid() || !(nb > 2 * b.error)) return Value::invalid();
  const Complex z = a.z / b.z;
  const double nz = modulus_bound(z);
  return {z, (a.error + nz * b.error) / (nb - b.error) + 2 * kProductError * nz};
}

Value absolute(const Value& a) {
  if (a.is_real()) return {Complex{abs(a.z.re)}, a.error};
  return {Complex{hypot(a.z.re, a.z.im)}, a.error + kProductError * modulus_bound(a.z)};
}

Value power(const Value& base, long exponent) {
  if (exponent == 0) {
    const Value known = base.snapped();
    return !known.valid() || known.is_zero() ? Value::invalid() : Value{Complex{1.0}};
  }
  if (exponent < 0) return Value{Complex{1.0}} / power(base, -exponent);
  Value square = base;
  for (; exponent % 2 == 0; exponent /= 2) square = square * square;
  Value out = square;
  while ((exponent /= 2) > 0) {
    square = square * square;
    if (exponent % 2 == 1) out = out * square;
    if (!square.valid()) return square;
  }
  return out;
}

Value sqrt(const Value& a) {
  const Value known = a.snapped();
  if (!known.valid() || known.is_zero()) return known;
  const double size = magnitude(known.z);
  if (!(size > 4 * a.error)) return Value::invalid();
  const Complex root = orchestrator::sqrt(known.z);
  return {root, a.error / std::sqrt(size) + kProductError * modulus_bound(root)};
}

Value exp(const Value& a) {
  if (!a.valid() || !(std::fabs(a.z.re.high) < 300) || !(a.error < 0x1p-20)) {
    return Value::invalid();
  }
  const Complex z = orchestrator::exp(a.z);
  return {z, modulus_bound(z) * (2 * a.error + kFunctionError * (1 + modulus_bound(a.z)))};
}

Value log(const Value& a) {
  const Value known = a.snapped();
  const double size = magnitude(known.z);
  if (!known.valid() || !(size > 4 * a.error)) return Value::invalid();
  const Complex z = orchestrator::log(known.z);
  return {z, 2 * a.error / size + kFunctionError * (1 + modulus_bound(z))};
}

Value sin(const Value& a) { return turned(a, &ComplexSineCosine::sine); }
Value cos(const Value& a) { return turned(a, &ComplexSineCosine::cosine); }

Value arctan(const Value& a) {
  const Value known = a.snapped();
  if (!known.valid()) return known;
  if (known.is_real()) {
    return {Complex{atan2(known.z.re, DoubleDouble{1.0})}, a.error + kFunctionError};
  }
  const Value one{Complex{1.0}}, i{Complex{DoubleDouble{}, DoubleDouble{1.0}}};
  return i * (log(one - i * known) - log(one + i * known)) / Value{Complex{2.0}};
}

Value arcsin(const Value& a) {
  const Value known = a.snapped();
  if (!known.valid()) return known;
  const Value one{Complex{1.0}}, i{Complex{DoubleDouble{}, DoubleDouble{1.0}}};
  const Value cosine = sqrt((one - known) * (one + known));
  if (known.is_real() && cosine.valid() && cosine.is_real()) {
    const double size = std::fmax(magnitude(cosine.z), magnitude(known.z));
    return {Complex{atan2(known.z.re, cosine.z.re)},
            2 * (a.error + cosine.error) / size + kFunctionError};
  }
  return -(i * log(i * known + cosine));
}

}  // namespace orchestrator
