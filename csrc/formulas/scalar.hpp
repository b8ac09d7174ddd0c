// A value at the three points: exact where it is rational, else of about 100 bits.
//
// `fragile` marks values that do not tell a formula from its neighbours: one with a term that is
// absorbed at every point (x + 10^-30), with a constant of too many digits, with a function of an
// argument so small or large that it is all but constant there (cos 10^-10 x), with an absolute
// value or the even root of a square (x^2 - 20x + 100), whose signs at three points are those of
// many others, or with an arc function of a circular one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "formulas/value.hpp"
#include "rational.hpp"

namespace orchestrator {

inline constexpr std::size_t kPoints = 3;

// Significant bits that values are compared in, and how many more must be right: two computations
// of one value then round apart with a probability of at most 2^-(kGuardBits - 2), and about 2^-38
// for the usual error of 2^-100.
inline constexpr int kValueBits = 60;
inline constexpr int kGuardBits = 12;

struct Scalar {
  const Rational* exact = nullptr;  // its value, when it is rational and known exactly
  int infinite = 0;                 // 1 or -1: plus or minus infinity
  bool constant = true;             // has one value, at[0]
  bool fragile = false;
  double detail = 1;              // how large the smallest term of its sums is beside it
  std::array<Value, kPoints> at;  // not set when exact

  bool valid() const;
  static Scalar invalid();
};

// The parts of a value rounded to kValueBits bits; none when its error leaves that open.
struct Rounded {
  std::int64_t re = 0, im = 0;
  int re_exponent = 0, im_exponent = 0;

  friend bool operator==(const Rounded&, const Rounded&) = default;
};
std::optional<Rounded> rounded(const Value& value);

Value approximate(const Rational& exact);

// The fraction p/q with |p| q < 2^40 that a constant is equal to within 2^-85: there are so few
// that a value that is none of them meets one with a probability of about 2^-44.
std::optional<Rational> reconstructed(const Value& value);

// A value's rounded parts as one number; none when they are not known.
std::optional<std::uint64_t> fingerprint_of(const Value& value);

// A pseudo-random number, of the size of a variable.
Value random_value(std::uint64_t hash, bool positive);

// How far the next number that is as short is from this one, as a share of it.
double detail_of(const Rational& a);
// The size of the smallest thing that tells a term at a point.
double told_by(const Scalar& term, std::size_t point);
// The share of a sum that its smallest terms have where it is largest.
double detail_beside(const Scalar& sum, const std::array<double, kPoints>& smallest);
// Whether a term of this size is too small beside its sum to show in it.
inline bool is_absorbed(double detail) { return detail < 0x1p-40; }
// Whether constants as short as this one are too close to it to be told apart by value.
inline bool has_close_neighbours(double detail) { return detail < 0x1p-50; }

}  // namespace orchestrator
