// Numbers of about 106 significant bits as unevaluated sums of two doubles, real and complex.
//
// Dekker 1971, "A floating-point technique for extending the available precision"; Hida, Li and
// Bailey 2001, "Algorithms for quad-double precision floating point arithmetic". All of it rests on
// sums and products of doubles being rounded to nearest one by one: compile without -ffast-math.
//
// Relative errors, as long as no part leaves the range of doubles (magnitudes of 1e-230 to 1e290
// are safe): sums and products 2^-104, quotients and square roots 2^-102, exp 2^-100 for |x| < 700.
// log, atan2 and, for |x| < 1e6, sin and cos have absolute errors below 2^-100 (log: times 1 +
// |log x|; sin, cos: times 1 + |x|). Nothing here throws; NaN and infinities come out as they do
// for doubles.
#pragma once

#include <cmath>
#include <type_traits>

namespace orchestrator {

struct DoubleDouble {
  double high = 0;  // the sum rounded to nearest
  double low = 0;   // |low| <= ulp(high) / 2

  constexpr DoubleDouble() = default;
  constexpr DoubleDouble(double value) : high(value) {}  // NOLINT: every double is one
  constexpr DoubleDouble(double h, double l) : high(h), low(l) {}

  constexpr DoubleDouble operator-() const { return {-high, -low}; }
  friend constexpr bool operator==(const DoubleDouble& a, const DoubleDouble& b) = default;
};

namespace double_double_detail {

// s + err == a + b exactly. Precondition: |a| >= |b| or a == 0.
constexpr DoubleDouble fast_two_sum(double a, double b) {
  const double s = a + b;
  return {s, b - (s - a)};
}

// s + err == a + b exactly.
constexpr DoubleDouble two_sum(double a, double b) {
  const double s = a + b;
  const double t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}

// p + err == a * b exactly.
constexpr DoubleDouble two_product(double a, double b) {
  const double p = a * b;
#if defined(FP_FAST_FMA)
  if (!std::is_constant_evaluated()) return {p, std::fma(a, b, -p)};
#endif
  constexpr double kSplitter = 134217729;  // 2^27 + 1: halves of 26 bits
  const double ta = kSplitter * a, tb = kSplitter * b;
  const double ah = ta - (ta - a), bh = tb - (tb - b);
  const double al = a - ah, bl = b - bh;
  return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

}  // namespace double_double_detail

constexpr DoubleDouble operator+(const DoubleDouble& a, const DoubleDouble& b) {
  using namespace double_double_detail;
  DoubleDouble s = two_sum(a.high, b.high);
  const DoubleDouble t = two_sum(a.low, b.low);
  s = fast_two_sum(s.high, s.low + t.high);
  return fast_two_sum(s.high, s.low + t.low);
}

constexpr DoubleDouble operator-(const DoubleDouble& a, const DoubleDouble& b) { return a + -b; }

constexpr DoubleDouble operator*(const DoubleDouble& a, const DoubleDouble& b) {
  using namespace double_double_detail;
  const DoubleDouble p = two_product(a.high, b.high);
  return fast_two_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

constexpr DoubleDouble operator/(const DoubleDouble& a, const DoubleDouble& b) {
  // Long division, a double's worth of the quotient at a time.
  using namespace double_double_detail;
  const double first = a.high / b.high;
  DoubleDouble rest = a - b * DoubleDouble{first};
  const double second = rest.high / b.high;
  rest = rest - b * DoubleDouble{second};
  const double third = rest.high / b.high;
  return fast_two_sum(first, second) + DoubleDouble{third};
}

constexpr bool operator<(const DoubleDouble& a, const DoubleDouble& b) {
  return a.high < b.high || (a.high == b.high && a.low < b.low);
}

// Times a power of two, exactly.
constexpr DoubleDouble scaled(const DoubleDouble& a, double power_of_two) {
  return {a.high * power_of_two, a.low * power_of_two};
}

inline constexpr DoubleDouble kPi{3.141592653589793116e+00, 1.224646799147353207e-16};
inline constexpr DoubleDouble kHalfPi{1.570796326794896558e+00, 6.123233995736766036e-17};
inline constexpr DoubleDouble kEuler{2.718281828459045091e+00, 1.445646891729250158e-16};
inline constexpr DoubleDouble kLogTwo{6.931471805599452862e-01, 2.319046813846299558e-17};

struct SineCosine {
  DoubleDouble sine, cosine;
};

DoubleDouble abs(const DoubleDouble& x);
DoubleDouble floor(const DoubleDouble& x);
DoubleDouble sqrt(const DoubleDouble& x);  // NaN below 0
DoubleDouble exp(const DoubleDouble& x);
DoubleDouble log(const DoubleDouble& x);  // NaN below 0, -infinity at 0
SineCosine sine_cosine(const DoubleDouble& x);
DoubleDouble atan2(const DoubleDouble& y, const DoubleDouble& x);  // in [-pi, pi]; 0 at the origin
DoubleDouble hypot(const DoubleDouble& x, const DoubleDouble& y);

// A complex number. Functions take their principal values: arguments in (-pi, pi].
struct Complex {
  DoubleDouble re, im;

  constexpr Complex() = default;
  constexpr Complex(const DoubleDouble& real) : re(real) {}  // NOLINT: every real is one
  constexpr Complex(double real) : re(real) {}               // NOLINT
  constexpr Complex(const DoubleDouble& real, const DoubleDouble& imaginary)
      : re(real), im(imaginary) {}

  constexpr bool is_real() const { return im.high == 0; }
  constexpr Complex operator-() const { return {-re, -im}; }
};

constexpr Complex operator+(const Complex& a, const Complex& b) {
  if (a.is_real() && b.is_real()) return {a.re + b.re};
  return {a.re + b.re, a.im + b.im};
}
constexpr Complex operator-(const Complex& a, const Complex& b) { return a + -b; }
Complex operator*(const Complex& a, const Complex& b);
Complex operator/(const Complex& a, const Complex& b);

// The larger of |re| and |im|, as a double: within a factor of sqrt(2) of the modulus.
inline double magnitude(const Complex& z) {
  return std::fmax(std::fabs(z.re.high), std::fabs(z.im.high));
}

Complex sqrt(const Complex& z);
Complex exp(const Complex& z);
Complex log(const Complex& z);  // z != 0
struct ComplexSineCosine {
  Complex sine, cosine;
};
ComplexSineCosine sine_cosine(const Complex& z);
// base^exponent as exp(exponent log base); base != 0.
Complex pow(const Complex& base, const Complex& exponent);

}  // namespace orchestrator
