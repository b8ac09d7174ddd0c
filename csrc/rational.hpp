// Exact numbers: natural numbers of any size, decimals as they are written, and fractions in lowest
// terms.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orchestrator {

// Decimal digits a numerator or denominator may have before arithmetic on it is declined. It bounds
// the time one hostile answer can take (a greatest common divisor is quadratic) to a fraction of a
// millisecond.
inline constexpr std::size_t kMaxDigits = 300;

class Rational;

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
  bool is_one() const { return limbs_.size() == 1 && limbs_[0] == 1; }
  std::size_t digits() const;  // of its decimal form; 1 for zero
  std::string str() const;
  // Its value when that is below 10^18.
  std::optional<std::uint64_t> small() const;
  // Least significant first, in base 10^9.
  std::span<const std::uint32_t> limbs() const { return limbs_; }

  friend std::strong_ordering operator<=>(const Natural& a, const Natural& b);
  friend bool operator==(const Natural& a, const Natural& b) = default;
  friend Natural operator+(const Natural& a, const Natural& b);
  friend Natural operator-(const Natural& a,
                           const Natural& b);  // throws std::invalid_argument if a < b
  friend Natural operator*(const Natural& a, const Natural& b);

 private:
  friend class Rational;
  friend Rational operator+(const Rational& a, const Rational& b);
  friend Rational operator*(const Rational& a, const Rational& b);
  friend std::optional<Rational> operator/(const Rational& a, const Rational& b);
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

// base^exponent; none when it would pass kMaxDigits.
std::optional<Natural> raised(const Natural& base, std::uint64_t exponent);
// The n-th root if it is whole; throws std::invalid_argument when n is zero.
std::optional<Natural> exact_root(const Natural& a, std::uint64_t n);

// A fraction in lowest terms with a positive denominator; zero is never negative.
class Rational {
 public:
  // Throws std::invalid_argument when the denominator is zero.
  Rational(bool negative, const Natural& numerator, const Natural& denominator);
  explicit Rational(std::int64_t value);

  bool negative() const { return negative_; }
  const Natural& numerator() const { return numerator_; }
  const Natural& denominator() const { return denominator_; }
  bool within_limits() const;  // both parts have at most kMaxDigits digits
  bool is_zero() const { return numerator_.is_zero(); }
  bool is_integer() const { return denominator_.is_one(); }
  // Its value when it is an integer of less than 18 digits.
  std::optional<std::int64_t> small_integer() const;

  Rational negated() const;
  std::string str() const;  // "-7", "1/2"

  friend Rational operator+(const Rational& a, const Rational& b);
  friend Rational operator*(const Rational& a, const Rational& b);
  friend std::optional<Rational> operator/(const Rational& a,
                                           const Rational& b);  // none: b is zero
  friend std::strong_ordering operator<=>(const Rational& a, const Rational& b);
  friend bool operator==(const Rational& a, const Rational& b) = default;

 private:
  // Both parts are below 10^9.
  bool is_short() const {
    return numerator_.limbs().size() <= 1 && denominator_.limbs().size() <= 1;
  }
  struct Reduced {};  // says that the parts have no common factor
  Rational(Reduced, bool negative, Natural numerator, Natural denominator);
  static Rational of_small(bool negative, std::uint64_t numerator, std::uint64_t denominator);
  bool negative_;
  Natural numerator_, denominator_;
};

Rational floor(const Rational& a);
// base^exponent; none for 0 to a power of 0 or less, and when it would pass kMaxDigits.
std::optional<Rational> raised(const Rational& base, std::int64_t exponent);
// The n-th root if it is rational: of a negative number only for odd n, and then negative. Throws
// std::invalid_argument when n is zero.
std::optional<Rational> exact_root(const Rational& a, std::uint64_t n);

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
