// Exact numbers: natural numbers of any size, decimals as they are written, and fractions in lowest
// terms.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orchestrator {

// Decimal digits a numerator or denominator may have before arithmetic on it is declined. It bounds
// the time one hostile answer can take (a greatest common divisor is quadratic) to a fraction of a
// millisecond.
inline constexpr std::size_t kMaxDigits = 300;

// A natural number, least significant limb first in base 10^9: parsing and printing, which every
// answer needs, are linear in this base; division, which few need, is Knuth's algorithm D.
class Natural {
 public:
  Natural() = default;
  explicit Natural(std::uint64_t value);

  // Precondition: only ASCII digits (none: zero).
  static Natural parse(std::string_view digits);
  static Natural power_of_ten(std::size_t exponent);

  bool is_zero() const { return limbs_.empty(); }
  std::size_t digits() const;  // of its decimal form; 1 for zero
  std::string str() const;

  friend std::strong_ordering operator<=>(const Natural& a, const Natural& b);
  friend bool operator==(const Natural& a, const Natural& b) = default;
  friend Natural operator+(const Natural& a, const Natural& b);
  friend Natural operator-(const Natural& a,
                           const Natural& b);  // throws std::invalid_argument if a < b
  friend Natural operator*(const Natural& a, const Natural& b);

 private:
  friend std::pair<Natural, Natural> divide(const Natural& a, const Natural& b);
  friend Natural gcd(Natural a, Natural b);

  bool fits64() const { return limbs_.size() <= 2; }  // below 10^18
  std::uint64_t low64() const;
  void trim();

  std::vector<std::uint32_t> limbs_;
};

// Quotient and remainder; throws std::invalid_argument when b is zero.
std::pair<Natural, Natural> divide(const Natural& a, const Natural& b);
Natural gcd(Natural a, Natural b);

// A fraction in lowest terms with a positive denominator; zero is never negative.
class Rational {
 public:
  // Throws std::invalid_argument when the denominator is zero.
  Rational(bool negative, const Natural& numerator, const Natural& denominator);

  bool negative() const { return negative_; }
  const Natural& numerator() const { return numerator_; }
  const Natural& denominator() const { return denominator_; }
  bool within_limits() const;  // both parts have at most kMaxDigits digits

  Rational negated() const { return {!negative_, numerator_, denominator_}; }
  std::string str() const;  // "-7", "1/2"

  friend Rational operator+(const Rational& a, const Rational& b);
  friend Rational operator*(const Rational& a, const Rational& b);
  friend std::optional<Rational> operator/(const Rational& a,
                                           const Rational& b);  // none: b is zero

 private:
  bool negative_;
  Natural numerator_, denominator_;
};

// digits * 10^exponent, as written; `digits` has no zero at either end and is empty for zero, so
// equal values have equal parts.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;

  // whole "." fraction * 10^exponent; precondition: only ASCII digits in both.
  static Decimal of(std::string_view whole, std::string_view fraction, std::int64_t exponent);

  Decimal shifted(std::int64_t places) const;  // times 10^places
  bool is_integer() const { return exponent >= 0; }
  std::optional<Rational> rational() const;  // none when beyond kMaxDigits
  // As Rational::str where that exists; else "<digits>e<exponent>", still one spelling for each
  // value.
  std::string str() const;
};

}  // namespace orchestrator
