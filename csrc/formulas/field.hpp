// The fields that rational functions are evaluated over when doubles do not suffice.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "formulas/mixing.hpp"
#include "rational.hpp"

namespace orchestrator {

// Integers modulo the Mersenne prime 2^61 - 1; variables have residues derived from their names.
struct PrimeField {
  using Element = std::uint64_t;
  static constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;

  std::size_t point;
  bool opaque = false;  // whether what is no rational function is a variable of its own

  static Element reduced(const Natural& a) {
    Element out = 0;
    const auto limbs = a.limbs();
    for (std::size_t i = limbs.size(); i-- > 0;) {
      out = (product(out, 1'000'000'000) + limbs[i]) % kPrime;
    }
    return out;
  }
  std::optional<Element> number(const Rational& a) const {
    const auto under = inverse(reduced(a.denominator()));
    if (!under) return std::nullopt;
    const Element size = product(reduced(a.numerator()), *under);
    return a.negative() ? negated(size) : size;
  }
  std::optional<Element> variable(std::uint64_t name) const {
    return mixed(name ^ mixed(point + 1)) % kPrime;
  }
  // A function that is not looked into, by what it is a function of.
  Element function_of(std::uint64_t name, std::span<const Element> arguments) const {
    Element out = mixed(name ^ mixed(point + 1));
    for (const Element argument : arguments) out = mixed(out ^ argument);
    return out % kPrime;
  }
  std::optional<Element> add(Element a, Element b) const { return (a + b) % kPrime; }
  std::optional<Element> multiply(Element a, Element b) const { return product(a, b); }
  std::optional<Element> inverse(Element a) const {
    if (a == 0) return std::nullopt;
    return raised(a, kPrime - 2);
  }
  std::optional<Element> power(Element a, std::uint64_t exponent) const {
    return raised(a, exponent);
  }
  static bool is_square(Element a) { return a == 0 || raised(a, (kPrime - 1) / 2) == 1; }
  static Element negated(Element a) { return a == 0 ? 0 : kPrime - a; }

  // What computing an element took, in operations on values.
  static int cost(Element) { return 1; }

  static Element product(Element a, Element b) {
    // a b = h 2^61 + l, and 2^61 is 1.
    __extension__ using Wide = unsigned __int128;
    const Wide wide = static_cast<Wide>(a) * b;
    const Element sum = static_cast<Element>(wide & kPrime) + static_cast<Element>(wide >> 61);
    return sum >= kPrime ? sum - kPrime : sum;
  }
  static Element raised(Element a, std::uint64_t exponent) {
    Element out = 1;
    for (; exponent != 0; exponent >>= 1) {
      if (exponent & 1) out = product(out, a);
      a = product(a, a);
    }
    return out;
  }
};

// Fractions within kMaxDigits; variables have their values at a point.
struct RationalField {
  using Element = Rational;

  std::size_t point;
  std::span<const std::uint64_t> positive;  // names of variables that are

  static std::optional<Rational> bounded(Rational a) {
    if (!a.within_limits()) return std::nullopt;
    return a;
  }
  std::optional<Rational> number(const Rational& a) const { return bounded(a); }
  std::optional<Rational> variable(std::uint64_t name) const {
    const bool sized = std::find(positive.begin(), positive.end(), name) != positive.end();
    const double value = variable_value(name, point, sized);
    const auto numerator = static_cast<std::uint64_t>(std::ldexp(std::fabs(value), 54));
    return Rational{value < 0, Natural{numerator}, Natural{std::uint64_t{1} << 54}};
  }
  std::optional<Rational> add(const Rational& a, const Rational& b) const { return bounded(a + b); }
  std::optional<Rational> multiply(const Rational& a, const Rational& b) const {
    return bounded(a * b);
  }
  std::optional<Rational> inverse(const Rational& a) const { return Rational{1} / a; }
  std::optional<Rational> power(const Rational& a, std::uint64_t exponent) const {
    if (exponent > 4 * kMaxDigits) return std::nullopt;
    return orchestrator::raised(a, static_cast<std::int64_t>(exponent));
  }
  // The reduction to lowest terms takes the product of the lengths.
  static int cost(const Rational& a) {
    return static_cast<int>(2 * a.numerator().limbs().size() * a.denominator().limbs().size());
  }
  static Rational negated(const Rational& a) { return a.negated(); }
};

}  // namespace orchestrator
