#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "formulas/double_double.hpp"

namespace orchestrator {
namespace {

// The error relative to `expected`, whose parts are the value's two leading doubles.
void expect_close(const DoubleDouble& value, const DoubleDouble& expected, double tolerance) {
  EXPECT_LE(std::fabs((value - expected).high), tolerance * std::fabs(expected.high))
      << value.high << " + " << value.low;
}

void expect_zero(const Complex& z, double tolerance) { EXPECT_LE(magnitude(z), tolerance); }

TEST(DoubleDouble, ArithmeticKeepsWhatADoubleLoses) {
  const DoubleDouble tiny{0x1p-80};
  EXPECT_EQ((DoubleDouble{1.0} + tiny) - DoubleDouble{1.0}, tiny);
  const DoubleDouble product = DoubleDouble{134217729.0} * DoubleDouble{134217731.0};
  EXPECT_EQ(product.high + product.low, 134217729.0 * 134217731.0);
  EXPECT_EQ((product - DoubleDouble{18014399046352896.0}).high, 3.0);
  const DoubleDouble third = DoubleDouble{1.0} / DoubleDouble{3.0};
  EXPECT_LE(std::fabs((third * DoubleDouble{3.0} - DoubleDouble{1.0}).high), 0x1p-104);
}

// From mpmath with 400 bits.
TEST(DoubleDouble, FunctionsHaveTheValuesOfArbitraryPrecision) {
  const DoubleDouble third = DoubleDouble{1.0} / DoubleDouble{3.0};
  expect_close(exp(third), {1.3956124250860895, 1.444687188480344e-17}, 0x1p-100);
  expect_close(exp(DoubleDouble{100.0}), {2.6881171418161356e+43, -1.6101271449201627e+27},
               0x1p-97);
  expect_close(log(DoubleDouble{10.0}), {2.302585092994046, -2.1707562233822494e-16}, 0x1p-100);
  expect_close(log(DoubleDouble{std::ldexp(3.0, -300)}),
               {-206.84554187931548, -6.825808808963883e-15}, 0x1p-100);
  expect_close(sqrt(DoubleDouble{2.0}), {1.4142135623730951, -9.667293313452913e-17}, 0x1p-102);
  expect_close(sine_cosine(third).sine, {0.32719469679615226, -1.8145824272594887e-17}, 0x1p-100);
  expect_close(sine_cosine(DoubleDouble{22.0}).sine,
               {-0.008851309290403876, 2.8485303089220057e-19}, 0x1p-94);
  expect_close(sine_cosine(DoubleDouble{100.0}).cosine, {0.8623188722876839, 4.334809858136501e-17},
               0x1p-96);
  expect_close(sine_cosine(DoubleDouble{1048576.0}).cosine,
               {0.943808393901312, -8.729095955788883e-18}, 0x1p-80);
  expect_close(atan2({1.0}, {-3.0}), {2.819842099193151, 5.903613615775535e-17}, 0x1p-100);
}

TEST(DoubleDouble, FunctionsAreInversesAndObeyTheirLawsToAHundredBits) {
  std::mt19937_64 random{20240607};
  std::uniform_real_distribution<double> part{-4, 4};
  for (int round = 0; round < 500; ++round) {
    const Complex u{{part(random), 0x1p-60 * part(random)}, {part(random), 0x1p-60 * part(random)}};
    const Complex v{{part(random)}, {part(random)}};
    const auto [sine, cosine] = sine_cosine(u);
    const double size = std::fmax(1, magnitude(sine * sine));
    expect_zero(sine * sine + cosine * cosine - Complex{1.0}, 0x1p-95 * size);
    expect_zero(exp(log(u)) - u, 0x1p-95 * magnitude(u));
    expect_zero(sqrt(u) * sqrt(u) - u, 0x1p-98 * magnitude(u));
    expect_zero(exp(u + v) - exp(u) * exp(v), 0x1p-92 * magnitude(exp(u + v)));
    expect_zero(u / v * v - u, 0x1p-97 * std::fmax(1, magnitude(u / v)) * 8);
    EXPECT_GE(sqrt(u).re.high, 0);
    const DoubleDouble angle = atan2(u.im, u.re), radius = hypot(u.re, u.im);
    expect_zero(Complex{radius * sine_cosine(angle).cosine - u.re}, 0x1p-95 * radius.high);
    expect_zero(Complex{radius * sine_cosine(angle).sine - u.im}, 0x1p-95 * radius.high);
  }
}

TEST(DoubleDouble, PrincipalValuesHaveArgumentsUpToPi) {
  EXPECT_EQ(log(Complex{-1.0}).im, kPi);
  EXPECT_EQ(sqrt(Complex{-4.0}).im, DoubleDouble{2.0});
  EXPECT_EQ(sqrt(Complex{-4.0}).re, DoubleDouble{});
  EXPECT_LT(sqrt(Complex{{-4.0}, {-1e-10}}).im.high, 0);
  EXPECT_EQ(floor(DoubleDouble{-0.5}), DoubleDouble{-1.0});
  EXPECT_EQ(floor(DoubleDouble{3.0, -0x1p-60}), DoubleDouble{2.0});
  const DoubleDouble i_to_i =
      pow(Complex{DoubleDouble{}, DoubleDouble{1.0}}, Complex{DoubleDouble{}, DoubleDouble{1.0}})
          .re;
  expect_close(i_to_i, exp(-kHalfPi), 0x1p-98);
}

TEST(DoubleDouble, OutsideOfTheirDomainsFunctionsSaySo) {
  EXPECT_TRUE(std::isnan(sqrt(DoubleDouble{-1.0}).high));
  EXPECT_TRUE(std::isnan(log(DoubleDouble{-1.0}).high));
  EXPECT_TRUE(std::isinf(log(DoubleDouble{0.0}).high));
  EXPECT_TRUE(std::isinf(exp(DoubleDouble{1000.0}).high));
  EXPECT_EQ(exp(DoubleDouble{-1000.0}).high, 0);
}

}  // namespace
}  // namespace orchestrator
