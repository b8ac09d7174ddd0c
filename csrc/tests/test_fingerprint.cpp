#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formulas/fingerprint.hpp"
#include "tree_builder.hpp"

namespace orchestrator {
namespace {

using namespace trees;  // NOLINT: formulas read as such

std::string key(const Tree& tree) { return fingerprint(build(tree)).value_or("none"); }

void expect_equal(const Tree& first, const Tree& second) {
  EXPECT_NE(key(first), "none");
  EXPECT_EQ(key(first), key(second));
}

void expect_different(const Tree& first, const Tree& second) {
  EXPECT_NE(key(first), "none");
  EXPECT_NE(key(second), "none");
  EXPECT_NE(key(first), key(second));
}

Tree less(Tree low, Tree high) { return chain({low, high}, {Relation::less}); }
Tree at_most(Tree low, Tree high) { return chain({low, high}, {Relation::less_equal}); }
Tree at_least(Tree high, Tree low) { return chain({high, low}, {Relation::greater_equal}); }

TEST(Fingerprint, RationalArithmeticIsExact) {
  EXPECT_EQ(key(Tree{1} / 2), "n:1/2");
  EXPECT_EQ(key(decimal("0.50")), "n:1/2");
  EXPECT_EQ(key(Tree{1} / 3 + Tree{1} / 6), "n:1/2");
  EXPECT_EQ(key(-power(2, 10)), "n:-1024");
  EXPECT_EQ(key(power(10, -3)), "n:1/1000");
  EXPECT_EQ(key(sqrt(Tree{16} / 9)), "n:4/3");
  EXPECT_EQ(key(sqrt(power(10, 40))),
            "n:10000000000000000000"
            "0");
  EXPECT_EQ(key(root(-8, 3)), "n:-2");
  EXPECT_EQ(key(power(8, Tree{-2} / 3)), "n:1/4");
  EXPECT_EQ(key(factorial(5)), "n:120");
  EXPECT_EQ(key({Op::double_factorial, {7}}), "n:105");
  EXPECT_EQ(key({Op::binomial, {10, 3}}), "n:120");
  EXPECT_EQ(key({Op::binomial, {100, 50}}), "n:100891344545564193334812497256");
  EXPECT_EQ(key(call(Function::gcd, {12, 18})), "n:6");
  EXPECT_EQ(key(call(Function::lcm, {4, 6})), "n:12");
  EXPECT_EQ(key(call(Function::max, {1, Tree{7} / 2, 3})), "n:7/2");
  EXPECT_EQ(key({Op::floor, {-(Tree{7} / 2)}}), "n:-4");
  EXPECT_EQ(key({Op::ceiling, {Tree{7} / 2}}), "n:4");
  EXPECT_EQ(key({Op::floor, {sqrt(2) * 100}}), "n:141");
  EXPECT_EQ(key({Op::modulo, {-7, 3}}), "n:2");
  EXPECT_EQ(key(abs(Tree{3} - 5)), "n:2");
}

TEST(Fingerprint, ConstantsThatAreRationalAreRecognised) {
  EXPECT_EQ(key(sqrt(3 + 2 * sqrt(2)) - sqrt(2)), "n:1");
  EXPECT_EQ(key(sin(pi / 6)), "n:1/2");
  EXPECT_EQ(key(sin(pi)), "n:0");
  EXPECT_EQ(key(log(2, 8)), "n:3");
  EXPECT_EQ(key(power(e, i * pi)), "n:-1");
  EXPECT_EQ(key(power(i, 2)), "n:-1");
  EXPECT_EQ(key(power(sin(x), 2) + power(cos(x), 2)), "n:1");
  EXPECT_EQ(key((power(x, 2) - 1) / (x + 1) - x), "n:-1");
  EXPECT_EQ(key(log(100) / log(10)), "n:2");
  EXPECT_EQ(key((1 + sqrt(5)) / 2 * ((1 - sqrt(5)) / 2)), "n:-1");
}

TEST(Fingerprint, EqualFormulasHaveEqualKeys) {
  expect_equal(power(x + 1, 2), power(x, 2) + 2 * x + 1);
  expect_equal(sqrt(8), 2 * sqrt(2));
  expect_equal(1 / sqrt(2), sqrt(2) / 2);
  expect_equal(pi / 4, decimal("0.25") * pi);
  expect_equal((x + 2) / 7, x / 7 + Tree{2} / 7);
  expect_equal(power(tan(y), 2) + 1, power(call(Function::sec, {y}), 2));
  expect_equal(2 * sin(b) * cos(a), sin(a + b) - sin(a - b));
  expect_equal(1 / (3 * power(root(x, 3), 2)), 1 / (3 * power(x, Tree{2} / 3)));
  expect_equal(sqrt(power(x, 2)), abs(x));
  expect_equal(power(2, x + 1), 2 * power(2, x));
  expect_equal(ln(power(e, x)), x);
  expect_equal(ln(x * y), ln(x) + ln(y));
  expect_equal(sqrt(x / y), sqrt(x) / sqrt(y));
  expect_equal(sqrt(-4), 2 * i);
  expect_equal(factorial(n) / factorial(n - 1), n);
  expect_equal(Tree{Op::binomial, {n, 2}}, n * (n - 1) / 2);
  expect_equal(apply("f", {x + x}), apply("f", {2 * x}));
  expect_equal(log(100), 2 * log(10));
  expect_equal(power(x, 1000) * x, power(x, 1001));
  expect_equal(Tree(Op::floor, {x + 1}), Tree(Op::floor, {x}) + 1);
}

TEST(Fingerprint, CancellationIsDecidedExactlyForRationalFunctions) {
  Tree expanded = 0;
  const std::int64_t coefficients[] = {1,      -30,     405,    -3240,   17010, -61236,
                                       153090, -262440, 295245, -196830, 59049};
  for (int k = 0; k <= 10; ++k) expanded = expanded + Tree{coefficients[k]} * power(x, 10 - k);
  expect_equal(expanded, power(x - 3, 10));
  EXPECT_EQ(key(x + power(10, -30) - x), "n:1/1000000000000000000000000000000");
}

TEST(Fingerprint, DifferentFormulasHaveDifferentKeys) {
  expect_different(x - 1, x + 1);
  expect_different(x, y);
  expect_different(x, variable("x_1"));
  expect_different(power(x, 2), power(x, 3));
  expect_different(sqrt(power(x, 2)), x);
  expect_different(abs(x - 10), 10 - x);
  expect_different(sqrt(power(x - 10, 2)), 10 - x);
  expect_different(log(100), 2);
  expect_different(log(100), ln(100));
  expect_different(factorial(n), factorial(n + 1));
  expect_different(apply("f", {x}), apply("g", {x}));
  expect_different(apply("f", {2}), apply("f", {3}));
  expect_different(call(Function::min, {x, y}), x);
  expect_different(Tree(Op::floor, {x}), Tree(Op::floor, {x / 2}));
  expect_different(call(Function::conjugate, {z}), z);
}

TEST(Fingerprint, NeighboursAreKeptApart) {
  expect_different(x + power(10, -30), x);
  expect_different(x + power(10, -30), x + power(10, -31));
  expect_different(power(x, 1000), power(x, 1001));
  expect_different(power(2, 1000) * x, (power(2, 1000) + 1) * x);
  expect_different(power(10, 30) * x, (power(10, 30) + 1) * x);
  expect_different(power(e, pi * sqrt(163)), decimal("262537412640768744"));
  expect_different(power(e, pi * sqrt(163)) * x, decimal("262537412640768744") * x);
  expect_different(decimal("0.3333333333333333"), Tree{1} / 3);
  expect_different(decimal("0.3333333333333333") * x, x / 3);
  expect_different(sqrt(2), decimal("1.4142135623730951"));
  expect_different(sqrt(2) * x, decimal("1.41421356237309504880") * x);
  expect_equal(power(x + power(10, -20), 2), power(x, 2) + 2 * power(10, -20) * x + power(10, -40));
  expect_equal(power(10, 30) * x, decimal("1000000000000000000000000000000") * x);
}

TEST(Fingerprint, SignsAndFlatFunctionsAreKeptApart) {
  expect_different(abs(x) * y, x * abs(y));
  expect_different(abs(x) * abs(y), x * y);
  expect_different(sqrt(power(x, 2) - 20 * x + 100), 10 - x);
  expect_different(ln(x) + y - abs(y), ln(x));
  expect_different(cos(power(10, -10) * x), 1);
  expect_equal(abs(2 * x), 2 * abs(x));
  expect_equal(abs(x) * abs(y), abs(x * y));
  expect_equal(sqrt(4 * power(x, 2)), 2 * abs(x));
  expect_equal(power(abs(x), 2), power(x, 2));
}

TEST(Fingerprint, WhatHasNoValueIsNotDecided) {
  EXPECT_EQ(key(Tree{1} / 0), "none");
  EXPECT_EQ(key(x / (x - x)), "none");
  EXPECT_EQ(key(power(0, 0)), "none");
  EXPECT_EQ(key(ln(0)), "none");
  EXPECT_EQ(key(infinity - infinity), "none");
  EXPECT_EQ(key(power(e, power(e, 20))), "none");
  EXPECT_EQ(key(factorial(-1)), "none");
  EXPECT_EQ(key(word("odd")), "none");
}

TEST(Fingerprint, TuplesKeepTheirOrderAndListsAndSetsDoNot) {
  EXPECT_EQ(key(tuple({1, Tree{9} / 2})), "m:(1,9/2)");
  expect_equal(tuple({1, decimal("4.5")}), tuple({1, Tree{9} / 2}));
  expect_different(tuple({1, 2}), tuple({2, 1}));
  EXPECT_EQ(key(list({2, 1})), "m:{1,2}");
  expect_equal(set({1, 2}), set({2, 1, 1}));
  expect_equal(list({1, list({2, 3})}), list({1, 2, 3}));
  EXPECT_EQ(key(list({5})), "n:5");
  EXPECT_EQ(key(set({5})), "n:5");
  expect_different(set({set({1})}), set({1}));
  expect_equal(list({word("Odd"), 1}), list({1, word("odd")}));
  EXPECT_EQ(key(set({})), "m:{}");
}

TEST(Fingerprint, ASetInASetIsAnElementOfIt) {
  EXPECT_EQ(key(set({1, set({2})})), "m:{1,{2}}");
  expect_different(set({1, set({2})}), set({1, 2}));
  expect_different(set({set({1}), set({2})}), set({set({1, 2})}));
  expect_different(set({set({1}), set({2})}), set({1, 2}));
  const Tree nothing{Op::empty_set, {}};
  expect_different(set({nothing}), nothing);
}

TEST(Fingerprint, ABareListCountsAValueThatIsWrittenTwiceInOneWay) {
  EXPECT_EQ(key(list({1, 1, 2})), "m:{1,1,2}");
  expect_different(list({1, 1, 2}), list({1, 2}));
  expect_different(list({1, 1, 2}), list({1, 2, 2}));
  expect_different(list({1, 1}), 1);
  expect_equal(list({1, 2, 1}), list({1, 1, 2}));
  expect_equal(list({Tree{1} / 2, decimal("0.5")}), Tree{1} / 2);
  expect_equal(list({tuple({1, 2}), tuple({1, 2})}), tuple({1, 2}));
  expect_equal(set({1, 1, 2}), list({2, 1}));
}

TEST(Fingerprint, AlternativesAreNoSystem) {
  const Tree either{Op::logical_or, {equal(x, 1), equal(y, 2)}};
  const Tree both{Op::logical_and, {equal(x, 1), equal(y, 2)}};
  EXPECT_EQ(key(either), "m:|{x:1,y:2}");
  expect_different(either, both);
  expect_different(either, {Op::logical_or, {equal(x, 2), equal(y, 1)}});
  expect_equal(both, list({equal(x, 1), equal(y, 2)}));
  expect_equal({Op::logical_or, {equal(x, 1), equal(x, 2)}}, list({1, 2}));
  expect_equal({Op::logical_or, {equal(x, plus_minus(1)), equal(x, 5)}}, list({5, -1, 1}));
  expect_different({Op::logical_or, {less(1, x), less(2, y)}},
                   {Op::logical_and, {less(1, x), less(2, y)}});
  expect_different({Op::logical_and, {less(1, x), less(2, y)}},
                   {Op::logical_and, {less(2, x), less(1, y)}});
  expect_equal({Op::logical_and, {less(1, x), less(2, y)}}, list({less(1, x), less(2, y)}));
}

TEST(Fingerprint, BothSignsAreAList) {
  expect_equal(1 + plus_minus(sqrt(19)), list({1 + sqrt(19), 1 - sqrt(19)}));
  expect_equal(set({1 + plus_minus(sqrt(5)), -2}), list({-2, 1 - sqrt(5), 1 + sqrt(5)}));
  expect_equal(tuple({plus_minus(1), minus_plus(2)}), list({tuple({1, -2}), tuple({-1, 2})}));
  expect_equal(equal(x, plus_minus(3)), list({3, -3}));
  expect_equal(plus_minus(0), 0);
}

TEST(Fingerprint, IntervalsKeepTheirEndsAndUnionsTheirParts) {
  EXPECT_EQ(key(interval("[)", 1, 2)), "m:[1,2)");
  expect_different(interval("[)", 1, 2), interval("(]", 1, 2));
  expect_equal(interval("()", 1, 2), tuple({1, 2}));
  expect_equal(interval("[]", 5, infinity), interval("[)", 5, infinity));
  expect_equal(unite({interval("[)", 0, 1), interval("()", 3, 4)}),
               unite({tuple({3, 4}), interval("[)", 0, 1), tuple({3, 4})}));
  EXPECT_EQ(key(unite({set({-1}), interval("[)", 0, 7)})), "m:U{[0,7),{-1}}");
  expect_equal(unite({set({1}), set({2})}), set({1, 2}));
}

TEST(Fingerprint, MatricesAreComputedByEntry) {
  const Tree identity = matrix(2, {1, 0, 0, 1}), m = matrix(2, {1, 2, 3, 4});
  expect_equal(identity * m, m);
  expect_equal(m + m, 2 * m);
  expect_equal(power(m, 2), matrix(2, {7, 10, 15, 22}));
  expect_equal(call(Function::transpose, {m}), matrix(2, {1, 3, 2, 4}));
  expect_different(m, matrix(2, {1, 2, 3, 5}));
  expect_different(matrix(1, {1, 2}), matrix(2, {1, 2}));
  expect_different(matrix(1, {1, 2}), tuple({1, 2}));
  EXPECT_EQ(key(call(Function::determinant, {m})), "n:-2");
  EXPECT_EQ(key(abs(matrix(3, {2, 0, 1, 1, 3, 2, 1, 1, 4}))), "n:18");
  EXPECT_EQ(key(matrix(1, {7})), "n:7");
  EXPECT_EQ(key(m + matrix(1, {1, 2})), "none");
  EXPECT_EQ(key(matrix(2, {1, 2}) * matrix(1, {3, 4})), "n:11");
}

TEST(Fingerprint, RatiosAreEqualUpToAFactor) {
  expect_equal(ratio({7, 32}), ratio({14, 64}));
  expect_equal(ratio({1, sqrt(2)}), ratio({sqrt(2), 2}));
  expect_different(ratio({7, 32}), ratio({32, 7}));
}

TEST(Fingerprint, AnEquationForANameSaysTheOtherSide) {
  EXPECT_EQ(key(equal(x, 5)), "n:5");
  EXPECT_EQ(key(equal(5, x)), "n:5");
  EXPECT_EQ(key(equal(variable("A") * variable("B"), 4)), "n:4");
  EXPECT_EQ(
      key(equal(variable("N") * variable("O") / (variable("B") * variable("O")), 1 / sqrt(6))),
      key(sqrt(6) / 6));
  EXPECT_EQ(key(equal(tuple({variable("p"), variable("q")}), tuple({3, 2}))), "m:(3,2)");
  EXPECT_EQ(key(equal(ratio({variable("S_1"), variable("S_2")}), ratio({7, 32}))),
            key(ratio({7, 32})));
  EXPECT_EQ(key(chain({x, tuple({1, 2})}, {Relation::member})), "m:(1,2)");
  EXPECT_EQ(key(chain({x, 11}, {Relation::approximately})), "n:11");
  EXPECT_EQ(key(chain({x, 11, 7, 11}, {Relation::equal, Relation::equal, Relation::equal})),
            "n:11");
  EXPECT_EQ(
      key(chain({x, Tree{1} / 3, decimal("1.3")}, {Relation::equal, Relation::approximately})),
      "n:1/3");
  expect_equal(chain({sqrt(3) / 3, decimal("0.577")}, {Relation::approximately}), 1 / sqrt(3));
  expect_equal(equal(y, power(x, 2) + 2 * x + 1), power(x + 1, 2));
  expect_equal(equal(apply("f", {x}), 2 * x), x + x);
  EXPECT_EQ(key(equal(apply("f", {1}) + apply("f", {2}), 5)), "n:5");
  expect_different(equal(7, 11 * a + z), 11 * a + z);
  expect_different(equal(x + y, 5), 5);
}

TEST(Fingerprint, OtherEquationsAreEqualUpToAFactor) {
  expect_equal(equal(34 * x + 45 * y - 20 * z + 100, 0), equal(-34 * x - 45 * y + 20 * z - 100, 0));
  expect_equal(equal(34 * x + 45 * y, 20 * z), equal(40 * z, 68 * x + 90 * y));
  expect_different(equal(34 * x + 45 * y, 20 * z), equal(34 * x + 45 * y, 21 * z));
  expect_equal(equal(x, y), equal(y, x));
  expect_different(chain({x, 3}, {Relation::not_equal}), 3);
  expect_equal(chain({x, 3}, {Relation::not_equal}), chain({3, x}, {Relation::not_equal}));
  expect_equal(equal(power(x + 1, 2), power(x, 2) + 2 * x + 1), power(x + 1, 2));
}

TEST(Fingerprint, ListsOfAssignmentsSayTheirValues) {
  const Tree p = variable("p"), q = variable("q");
  EXPECT_EQ(key(list({equal(x, 1), equal(y, 2)})), "m:(1,2)");
  expect_equal(list({equal(x, 1), equal(y, 2)}), list({equal(y, 2), equal(x, 1)}));
  expect_different(list({equal(x, 1), equal(y, 2)}), list({equal(x, 2), equal(y, 1)}));
  expect_equal(
      list({equal(variable("A") * variable("B"), 4), equal(variable("C") * variable("D"), 5)}),
      list({4, 5}));
  expect_equal(list({equal(p, 5), equal(q, 2), equal(p, 7), equal(q, 2)}),
               list({tuple({5, 2}), tuple({7, 2})}));
  expect_equal(list({list({equal(p, 5), equal(q, 2)}), list({equal(p, 7), equal(q, 2)})}),
               list({tuple({7, 2}), tuple({5, 2})}));
  expect_equal(list({equal(x, 1), equal(x, 2)}), list({1, 2}));
  expect_equal(list({equal(variable("x_1"), 3), equal(variable("x_2"), 4)}), list({4, 3}));
  expect_equal(list({equal(a, 4), -8, -10}), list({-10, -8, 4}));
}

TEST(Fingerprint, LinearInequalitiesAreIntervals) {
  EXPECT_EQ(key(at_least(x, 5)), "m:[5,oo)");
  expect_equal(at_least(x, 5), at_most(5, x));
  expect_equal(at_least(x, 5), at_most(-x, -5));
  expect_equal(at_least(x, 5), interval("[)", 5, infinity));
  expect_equal(at_least(2 * x - 1, x + 4), at_least(x, 5));
  expect_equal(chain({1, x, 2}, {Relation::less, Relation::less}), tuple({1, 2}));
  expect_equal(chain({7, 3 - 2 * x, 1}, {Relation::greater, Relation::greater_equal}),
               interval("(]", -2, 1));
  expect_equal(chain({0, apply("f", {x}), 1}, {Relation::less, Relation::less}), tuple({0, 1}));
  expect_equal(chain({1, abs(z), Tree{3} / 2}, {Relation::less_equal, Relation::less_equal}),
               unite({interval("[]", -(Tree{3} / 2), -1), interval("[]", 1, Tree{3} / 2)}));
  expect_equal(less(abs(x - 1), 2), tuple({-1, 3}));
  expect_different(less(x, 5), less(5, x));
  expect_different(less(x, 5), at_most(x, 5));
  expect_equal(less(sqrt(2) * x, 2), less(x, sqrt(2)));
  expect_equal({Op::logical_and, {less(1, x), less(x, 2)}}, tuple({1, 2}));
  expect_equal({Op::logical_or, {less(x, 1), less(2, x)}},
               unite({tuple({-infinity, 1}), tuple({2, infinity})}));
  expect_equal({Op::set_builder, {x, less(2, x)}}, tuple({2, infinity}));
}

TEST(Fingerprint, OtherInequalitiesAreEqualUpToAPositiveFactor) {
  expect_equal(less(x, y), less(2 * x, 2 * y));
  expect_equal(less(x, y), less(-y, -x));
  expect_different(less(x, y), less(y, x));
  expect_different(less(x, y), at_most(x, y));
  expect_different(less(power(x, 2), 4), tuple({-2, 2}));
  const Tree f1 = apply("f", {1}), f2 = apply("f", {2}), f4 = apply("f", {4});
  expect_equal(chain({f2, f1, f4}, {Relation::less, Relation::less}),
               chain({f4, f1, f2}, {Relation::greater, Relation::greater}));
  expect_different(chain({f2, f1, f4}, {Relation::less, Relation::less}),
                   chain({f1, f2, f4}, {Relation::less, Relation::less}));
}

TEST(Fingerprint, CongruencesKeepTheirModulus) {
  const auto congruent = [](const Tree& value, int modulus) {
    return chain({x, Tree{Op::modulo, {value, modulus}}}, {Relation::congruent});
  };
  expect_equal(congruent(3, 5), congruent(8, 5));
  expect_different(congruent(3, 5), congruent(3, 7));
}

TEST(Fingerprint, HostileTreesTakeBoundedWork) {
  Tree tower = x;
  for (int k = 0; k < 60; ++k) tower = sqrt(power(sin(tower), 2));
  key(tower);
  Tree powers = 2;
  for (int k = 0; k < 60; ++k) powers = power(powers, 2);
  key(powers);
  std::vector<Tree> many;
  for (int k = 0; k < 400; ++k) many.push_back(plus_minus(factorial(160 + k % 7)) / 3);
  key(list(many));
  EXPECT_EQ(key(factorial(factorial(20))), "none");
  EXPECT_EQ(key(root(2, 0)), "none");
  EXPECT_EQ(key(power(1, decimal("1000000000000000000000000"))), "none");
}

}  // namespace
}  // namespace orchestrator
