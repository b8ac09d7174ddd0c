// Values of parsed formulas: exact where they are rational, else of about 100 bits at three fixed
// points.
//
// Points. A variable's values are derived from its name: magnitudes in [0.3, 3], half of them below
// 1; positive at the first point, negative at the second, of either sign at the third. A constant
// has one value.
//
// Conventions, those of the real numbers:
//  - Odd roots, and powers p/q with odd q, of negative reals are real: (-8)^(1/3) = -2. Even roots
//    and logarithms of negatives are principal: sqrt(-4) = 2i. 0^0 and division by zero have no
//    value.
//  - Where a root, power or logarithm takes a negative value of something that varies, the
//  variables
//    in it are understood as positive and the formula is evaluated anew, so that
//    sqrt(x/y) = sqrt(x)/sqrt(y), and ln(xy) = ln x + ln y. sqrt(x^2) = |x| differs from x, and so
//    does sqrt(x^2) + ln y from x + ln y.
//  - \log without a base is ln(x)/c with an unknown c that is the same everywhere, so that
//    \log 100 = 2 \log 10 but neither is 2.
//  - What has no value of its own is a pseudo-random function: f(u) of the rounded values of u;
//    floor(u) = u - h(u mod 1); n! = n (n-1)! down to a function of n mod 1; gcd, lcm, min, max and
//    sign of what varies.
//  - Both signs of \pm and \mp are chosen together, by `choose`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "formulas/expression.hpp"
#include "formulas/field.hpp"
#include "formulas/scalar.hpp"
#include "rational.hpp"

namespace orchestrator {

// Work one formula may take, in operations on values; past it values are invalid.
inline constexpr int kMaxWork = 20'000;

struct Matrix {
  std::size_t columns = 0;
  std::vector<Scalar> entries;  // row by row

  std::size_t rows() const { return columns == 0 ? 0 : entries.size() / columns; }
};

class Evaluator {
 public:
  explicit Evaluator(const Expression& expression);

  // The value of an arithmetic tree; invalid when it has none, is no arithmetic, or is not known
  // well enough.
  Scalar evaluate(NodeId node);
  // Of a tree of matrices: sums, products, scalar multiples, integer powers, transposes. None when
  // it is not one or its shapes do not fit.
  std::optional<Matrix> matrix(NodeId node);
  // Whether a matrix occurs in the tree outside of a determinant.
  bool is_matrix(NodeId node) const;

  // The sign that \pm stands for, 1 or -1; \mp is its opposite.
  void choose(int sign) { choice_ = sign; }
  // A variable's exact value from now on, until the next call; null: its values at the points.
  void substitute(std::string_view variable, const Rational* value);

  // What `take` evaluates, with variables of either sign; again where a root or logarithm left its
  // domain, with the variables it holds positive.
  template <typename Take>
  auto in_domain(Take take) {
    constexpr int kPasses = 3;
    positive_.clear();
    positive_functions_ = false;
    for (int pass = 1;; ++pass) {
      left_domain_ = outside_ = false;
      auto out = take();
      if (!left_domain_ || pass == kPasses) return out;
    }
  }
  // Whether the last evaluation left the domain of a root or logarithm with a variable that was not
  // positive yet.
  bool left_domain() const { return left_domain_; }

  Scalar exact(Rational value);
  Scalar negate(const Scalar& a);
  Scalar add(const Scalar& a, const Scalar& b);
  Scalar subtract(const Scalar& a, const Scalar& b) { return add(a, negate(b)); }
  Scalar multiply(const Scalar& a, const Scalar& b);
  Scalar divide(const Scalar& a, const Scalar& b);
  Scalar power(const Scalar& base, const Scalar& exponent);
  // Exact, if it is a constant that can be recognised as rational.
  Scalar recognised(const Scalar& a);
  // -1, 0 or 1 for a real constant; none for others and for what its error leaves open.
  std::optional<int> sign(const Scalar& a);

  // The values of a rational function of the variables, modulo 2^61 - 1 at two fixed points: equal
  // for equal functions and different for others but with a probability of about degree / 2^122.
  // None for poles, and for other trees unless `opaque`: then roots, functions and irrational
  // constants are variables of their own, each known by its arguments alone, and absolute values
  // are multiplicative.
  std::optional<std::array<std::uint64_t, 2>> residues(NodeId node, bool opaque = false);
  // The values at the points by exact arithmetic, whatever the cancellation. None for trees that
  // are no rational functions, for poles, and when numbers grow past kMaxDigits.
  std::optional<std::array<Rational, kPoints>> exact_values(NodeId node);

 private:
  void evaluate_into(NodeId node, Scalar& out);
  void sum_into(NodeId node, Scalar& out);
  void product_into(NodeId node, Scalar& out);
  Scalar symbol(std::string_view name);
  Scalar known_function(const Node& node, NodeId id);
  Scalar logarithm(const Scalar& a);
  Scalar root(const Scalar& radicand, const Scalar& index);
  Scalar fractional_power(const Scalar& base, std::int64_t p, std::uint64_t q);
  Scalar absolute(const Scalar& a, bool positive);
  bool is_positive_monomial(NodeId node) const;
  Scalar factorial(const Scalar& n);
  Scalar double_factorial(const Scalar& n);
  Scalar binomial(const Scalar& n, const Scalar& k);
  Scalar floor(const Scalar& a);
  Scalar modulo(const Scalar& a, const Scalar& m);
  Scalar extremum(Function function, const std::vector<Scalar>& arguments);
  Scalar common(Function function, const std::vector<Scalar>& arguments);
  Scalar pseudo_random(std::uint64_t seed, const std::vector<Scalar>& arguments, bool ordered);
  Scalar determinant(const Matrix& matrix);
  std::optional<Matrix> matrix_product(const Matrix& a, const Matrix& b);
  bool hides_sign(NodeId root);
  bool is_even_power(NodeId node);
  bool squares_size(NodeId power);
  bool is_nonnegative(NodeId node);
  bool has_even_degree(NodeId root, NodeId index);
  bool varies(NodeId node) const;
  bool is_square(NodeId node);

  template <typename Operation>
  Scalar pointwise(const Scalar& a, Operation operation);
  template <typename Operation>
  Scalar pointwise(const Scalar& a, const Scalar& b, Operation operation);
  template <typename Field>
  std::optional<typename Field::Element> field_value(NodeId node, const Field& field);
  template <typename Field>
  std::optional<typename Field::Element> other_value(NodeId node, const Field& field);
  std::optional<std::uint64_t> opaque_residue(NodeId node, const PrimeField& field);
  std::optional<std::uint64_t> size_residue(NodeId node, const PrimeField& field);
  std::optional<std::uint64_t> root_residue(NodeId radicand, const PrimeField& field);

  // A copy with its values at hand; an exact one's are computed.
  Scalar numeric(const Scalar& a) const;
  bool spend(int work) { return (work_ -= work) >= 0; }
  void leave_domain_if_negative(const Scalar& a);
  void keep_in_domain(std::span<const NodeId> arguments);
  void make_positive(NodeId argument);
  bool is_positive(std::uint64_t name) const;

  const Expression& expression_;
  std::deque<Rational> rationals_;
  std::string_view substituted_;
  const Rational* substitute_ = nullptr;
  int choice_ = 1;
  int work_ = kMaxWork;
  std::vector<std::uint64_t> positive_;  // hashes of the names of variables that are
  bool positive_functions_ = false;      // unknown functions too
  bool outside_ = false;                 // a negative argument was met in the current operation
  bool left_domain_ = false;
};

}  // namespace orchestrator
