#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "formulas/evaluate.hpp"
#include "tree_builder.hpp"

namespace orchestrator {
namespace {

using namespace trees;  // NOLINT: formulas read as such

// An expression and its evaluator, which refers to it.
struct Evaluated {
  explicit Evaluated(const Tree& tree)
      : expression(build(tree)),
        evaluator(expression),
        value(evaluator.evaluate(expression.root)) {}

  Expression expression;
  Evaluator evaluator;
  Scalar value;
};

std::string exact(const Tree& tree) {
  const Evaluated evaluated{tree};
  return evaluated.value.exact == nullptr ? "none" : evaluated.value.exact->str();
}

TEST(Evaluate, RationalTreesKeepExactValues) {
  EXPECT_EQ(exact(Tree{1} / 3 + Tree{1} / 6), "1/2");
  EXPECT_EQ(exact(power(Tree{2} / 3, -3)), "27/8");
  EXPECT_EQ(exact(sqrt(Tree{1} / 49)), "1/7");
  EXPECT_EQ(exact(trees::sqrt(2)), "none");
  EXPECT_EQ(exact(0 * x), "0");
}

TEST(Evaluate, VariablesArePositiveAtTheFirstPointAndNegativeAtTheSecond) {
  for (const char* name : {"x", "y", "\\theta", "x_1", "A"}) {
    const Scalar value = Evaluated{variable(name)}.value;
    EXPECT_GT(value.at[0].z.re.high, 0);
    EXPECT_LT(value.at[1].z.re.high, 0);
    for (const Value& at : value.at) {
      EXPECT_GE(std::fabs(at.z.re.high), 0.3);
      EXPECT_LT(std::fabs(at.z.re.high), 3);
    }
  }
}

TEST(Evaluate, ErrorsOfValuesAreWithinTheirBounds) {
  // Each is zero, by a theorem.
  const std::vector<Tree> zeros{
      power(sin(x), 2) + power(cos(x), 2) - 1,
      ln(power(e, x)) - x,
      power(e, x + y) - power(e, x) * power(e, y),
      sin(x + y) - sin(x) * cos(y) - cos(x) * sin(y),
      tan(x) * cos(x) - sin(x),
      power(root(x, 3), 3) - x,
      power(sqrt(abs(x)), 2) - abs(x),
      sin(call(Function::arcsin, {x / 3})) - x / 3,
      cos(call(Function::arccos, {x / 3})) - x / 3,
      tan(call(Function::arctan, {x})) - x,
      call(Function::sinh, {call(Function::arcsinh, {x})}) - x,
      call(Function::tanh, {call(Function::arctanh, {x / 3})}) - x / 3,
      call(Function::sec, {x}) * cos(x) - 1,
      trees::sqrt(5 + 2 * trees::sqrt(6)) - trees::sqrt(2) - trees::sqrt(3),
      16 * call(Function::arctan, {Tree{1} / 5}) - 4 * call(Function::arctan, {Tree{1} / 239}) - pi,
  };
  for (const Tree& zero : zeros) {
    const Scalar value = Evaluated{zero}.value;
    ASSERT_TRUE(value.valid());
    for (std::size_t k = 0; k < (value.constant ? 1 : kPoints); ++k) {
      EXPECT_LE(magnitude(value.at[k].z), value.at[k].error);
      EXPECT_LT(value.at[k].error, 0x1p-85);
    }
  }
}

TEST(Evaluate, OddRootsOfNegativesAreRealAndEvenOnesPrincipal) {
  EXPECT_EQ(exact(root(-8, 3)), "-2");
  EXPECT_EQ(exact(power(-8, Tree{2} / 3)), "4");
  const Scalar imaginary = Evaluated{trees::sqrt(-4)}.value;
  EXPECT_EQ(imaginary.at[0].z.im, DoubleDouble{2.0});
  EXPECT_EQ(imaginary.at[0].z.re, DoubleDouble{});
}

TEST(Evaluate, LeavingTheRealDomainIsNoticed) {
  EXPECT_TRUE(Evaluated{sqrt(x)}.evaluator.left_domain());
  EXPECT_TRUE(Evaluated{ln(x)}.evaluator.left_domain());
  EXPECT_TRUE(Evaluated{power(x, y)}.evaluator.left_domain());
  EXPECT_FALSE(Evaluated{sqrt(power(x, 2) + 1)}.evaluator.left_domain());
  EXPECT_FALSE(Evaluated{root(x, 3)}.evaluator.left_domain());
  EXPECT_FALSE(Evaluated{trees::sqrt(-2)}.evaluator.left_domain());
}

TEST(Evaluate, FormulasThatValuesDoNotTellApartAreFragile) {
  EXPECT_TRUE(Evaluated{x + power(10, -30)}.value.fragile);
  EXPECT_TRUE(Evaluated{decimal("0.12345678901234567890") * x}.value.fragile);
  EXPECT_TRUE(Evaluated{abs(x - 10)}.value.fragile);
  EXPECT_TRUE(Evaluated{abs(x)}.value.fragile);  // |x| y and x |y| agree where signs do
  EXPECT_FALSE(Evaluated{abs(power(x, 2) + 1)}.value.fragile);
  EXPECT_TRUE(Evaluated{trees::sqrt(power(x, 2) - 20 * x + 100)}.value.fragile);
  EXPECT_FALSE(Evaluated{trees::sqrt(power(x, 2) - 20 * x + 101)}.value.fragile);
  EXPECT_TRUE(Evaluated{cos(power(10, -10) * x)}.value.fragile);
  EXPECT_TRUE(Evaluated{power(10, 8) * y + (x + power(10, -5))}.value.fragile);
  EXPECT_FALSE(Evaluated{power(10, 30) * x + 5}.value.at[0].error > 0x1p10);
  EXPECT_FALSE(Evaluated{power(10, 6) * x + 1}.value.fragile);
}

TEST(Evaluate, RoundingHidesErrorsAndShowsTheSixtiethBit) {
  const Value third = approximate(Rational{false, Natural{1}, Natural{3}});
  Value off = third;
  off.z.re = off.z.re + DoubleDouble{0x1p-95};
  EXPECT_EQ(rounded(third), rounded(off));
  off.z.re = off.z.re + DoubleDouble{0x1p-59};
  EXPECT_NE(rounded(third), rounded(off));
  off.error = 0x1p-60;
  EXPECT_FALSE(rounded(off).has_value());
}

TEST(Evaluate, ShortBinaryFractionsAreFarFromWhereRoundingChanges) {
  for (int k = 1; k < 2000; ++k) {
    const DoubleDouble exact_value{std::ldexp(1.0 + k * 0x1p-11, k % 20 - 10)};
    const double nudge = exact_value.high * 0x1p-75;
    EXPECT_EQ(rounded(Value{Complex{exact_value + DoubleDouble{nudge}}, nudge}),
              rounded(Value{Complex{exact_value - DoubleDouble{nudge}}, nudge}));
  }
}

TEST(Evaluate, FractionsAreReconstructedAndNothingElse) {
  const auto from = [](std::int64_t p, std::uint64_t q) {
    Value value =
        approximate(Rational{p < 0, Natural{static_cast<std::uint64_t>(std::abs(p))}, Natural{q}});
    value.error = std::fabs(value.z.re.high) * 0x1p-95;
    const auto found = reconstructed(value);
    return found ? found->str() : "none";
  };
  EXPECT_EQ(from(1, 3), "1/3");
  EXPECT_EQ(from(-22, 7), "-22/7");
  EXPECT_EQ(from(1000003, 999983), "1000003/999983");
  EXPECT_EQ(from(12345678901, 1), "12345678901");
  EXPECT_EQ(from(0, 1), "0");
  EXPECT_EQ(from(1, 1'000'000'007), "1/1000000007");
  EXPECT_EQ(from(1'000'000'007, 998'244'353), "none");  // too large to be no accident
  EXPECT_EQ(exact(pi), "none");
  EXPECT_FALSE(reconstructed(Value{Complex{kPi}, 0x1p-104}).has_value());
  EXPECT_FALSE(reconstructed(sqrt(Value{Complex{2.0}})).has_value());
}

TEST(Evaluate, ResiduesAreThoseOfTheFunctionNotOfItsSpelling) {
  const auto residues = [](const Tree& tree) {
    Expression expression = build(tree);
    return Evaluator{expression}.residues(expression.root);
  };
  EXPECT_EQ(residues(power(x + y, 3)),
            residues(power(x, 3) + 3 * power(x, 2) * y + 3 * x * power(y, 2) + power(y, 3)));
  EXPECT_EQ(residues((power(x, 2) - 1) / (x - 1)), residues(x + 1));
  EXPECT_NE(residues(power(x, 1000)), residues(power(x, 1001)));
  EXPECT_NE(residues(x + power(10, -30)), residues(x));
  EXPECT_FALSE(residues(sin(x)).has_value());
  EXPECT_FALSE(residues(1 / (x - x)).has_value());
}

TEST(Evaluate, SubstitutionGivesExactValues) {
  Expression expression = build(power(x, 2) + 1);
  Evaluator evaluator{expression};
  const Rational half{false, Natural{1}, Natural{2}};
  evaluator.substitute("x", &half);
  EXPECT_EQ(evaluator.evaluate(expression.root).exact->str(), "5/4");
  evaluator.substitute({}, nullptr);
  EXPECT_EQ(evaluator.evaluate(expression.root).exact, nullptr);
}

// A random real tree without variables, and its value in long double.
struct Sample {
  Tree tree = 0;
  long double value = 0;
};

Sample random_sample(std::mt19937_64& random, int depth) {
  if (depth == 0) {
    const int value = static_cast<int>(random() % 9) + 1;
    return {value, static_cast<long double>(value)};
  }
  const Sample left = random_sample(random, depth - 1), right = random_sample(random, depth - 1);
  switch (random() % 8) {
    case 0:
      return {left.tree + right.tree, left.value + right.value};
    case 1:
      return {left.tree - right.tree, left.value - right.value};
    case 2:
      return {left.tree * right.tree, left.value * right.value};
    case 3:
      return {left.tree / right.tree, left.value / right.value};
    case 4:
      return {sqrt(abs(left.tree)), std::sqrt(std::fabs(left.value))};
    case 5:
      return {sin(left.tree), std::sin(left.value)};
    case 6:
      return {root(left.tree, 3), std::cbrt(left.value)};
    default:
      return {call(Function::arctan, {left.tree}), std::atan(left.value)};
  }
}

TEST(Evaluate, AgreesWithLongDoubleOnRandomTrees) {
  std::mt19937_64 random{7};
  int compared = 0;
  for (int round = 0; round < 3000; ++round) {
    const Sample sample = random_sample(random, 4);
    if (!std::isfinite(sample.value) || std::fabs(sample.value) > 1e6L) continue;
    const Evaluated evaluated{sample.tree};
    const Scalar& value = evaluated.value;
    if (!value.valid()) continue;
    const Value at = value.exact != nullptr ? approximate(*value.exact) : value.at[0];
    // Large intermediate values leave a long double few bits, so only gross errors are looked for.
    EXPECT_NEAR(at.z.re.high, static_cast<double>(sample.value),
                1e-6 * std::fmax(1, std::fabs(static_cast<double>(sample.value))));
    ++compared;
  }
  EXPECT_GT(compared, 2000);
}

TEST(RationalArithmetic, RootsArePerfectOrNone) {
  EXPECT_EQ(exact_root(Rational{-27}, 3)->str(), "-3");
  EXPECT_EQ(exact_root(Rational{false, Natural{16}, Natural{81}}, 4)->str(), "2/3");
  EXPECT_FALSE(exact_root(Rational{-4}, 2).has_value());
  EXPECT_FALSE(exact_root(Rational{2}, 2).has_value());
  EXPECT_THROW(exact_root(Rational{2}, 0), std::invalid_argument);
  for (std::uint64_t n = 2; n < 40; ++n) {
    const Natural base{1'234'567};
    const auto product = raised(base, n);
    if (!product) continue;
    EXPECT_EQ(exact_root(*product, n), base);
    EXPECT_FALSE(exact_root(*product + Natural{1}, n).has_value());
  }
}

TEST(RationalArithmetic, PowersStopAtTheLimit) {
  EXPECT_EQ(raised(Rational{-2}, 3)->str(), "-8");
  EXPECT_EQ(raised(Rational{-2}, -3)->str(), "-1/8");
  EXPECT_EQ(raised(Rational{7}, 0)->str(), "1");
  EXPECT_FALSE(raised(Rational{0}, 0).has_value());
  EXPECT_FALSE(raised(Rational{0}, -1).has_value());
  EXPECT_FALSE(raised(Rational{10}, 300).has_value());
  EXPECT_EQ(raised(Rational{10}, 299)->str().size(), 300U);
  EXPECT_FALSE(raised(Rational{3}, std::int64_t{1} << 62).has_value());
}

TEST(RationalArithmetic, IsOrderedAndFloorsDown) {
  const Rational half{false, Natural{1}, Natural{2}};
  EXPECT_LT(half.negated(), half);
  EXPECT_LT(Rational{-1}, half.negated());
  EXPECT_GT(Rational{1}, half);
  EXPECT_EQ(floor(half).str(), "0");
  EXPECT_EQ(floor(half.negated()).str(), "-1");
  EXPECT_EQ(floor(Rational{-3}).str(), "-3");
  EXPECT_EQ(Natural::power_of_ten(27).digits(), 28U);
  EXPECT_EQ(half.small_integer(), std::nullopt);
  EXPECT_EQ(Rational{-7}.small_integer(), -7);
}

}  // namespace
}  // namespace orchestrator
