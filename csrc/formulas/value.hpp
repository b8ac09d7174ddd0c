// Complex values that know how wrong they may be: each carries a running bound of its absolute
// rounding error (Higham 2002, Accuracy and Stability of Numerical Algorithms, 3.3), a little
// generous so that the bound itself can be kept in one double.
//
// A value is invalid once it cannot be known: division by zero, overflow, an error as large as the
// value where its sign or argument matters. Operations on invalid values are invalid.
//
// A true zero always lies within its error. Where it matters whether something is zero, real or
// negative (division, roots, logarithms), a part within its error is taken for zero if that error
// is far below everything else in sight, and the value is invalid if it is not.
#pragma once

#include <limits>

#include "formulas/double_double.hpp"

namespace orchestrator {

// Magnitudes a value may have. Squares of the smallest still have all bits of both doubles.
inline constexpr double kSmallestValue = 0x1p-400;
inline constexpr double kLargestValue = 0x1p400;

struct Value {
  Complex z;
  double error = 0;  // |z - true value| is at most this

  Value() = default;
  explicit Value(const Complex& exact) : z(exact) {}
  // Invalid when out of range.
  Value(const Complex& computed, double bound);

  static Value invalid();

  bool valid() const { return error < std::numeric_limits<double>::infinity(); }
  bool is_real() const { return z.is_real(); }
  bool is_zero() const { return z.re.high == 0 && z.im.high == 0; }
  // With parts that are within their error set to zero; invalid when the error is too large to
  // tell.
  Value snapped() const;
};

Value operator-(const Value& a);
Value operator+(const Value& a, const Value& b);
Value operator-(const Value& a, const Value& b);
Value operator*(const Value& a, const Value& b);
Value operator/(const Value& a, const Value& b);  // invalid when b may be zero

Value absolute(const Value& a);
Value power(const Value& base, long exponent);  // by repeated squaring; 0^0 is invalid
Value sqrt(const Value& a);                     // principal
Value exp(const Value& a);
Value log(const Value& a);  // principal; invalid at zero
Value sin(const Value& a);
Value cos(const Value& a);
Value arctan(const Value& a);
Value arcsin(const Value& a);

}  // namespace orchestrator
