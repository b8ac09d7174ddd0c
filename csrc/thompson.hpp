// Thompson sampling with conjugate priors: a draw of what a score may be on average, after some of
// them.
//
// Every draw is a function of its stream and arguments alone, by algorithms short enough to be
// written down twice; a plain definition gives the same numbers. Parameters are taken to be in
// range: those of the priors are checked, once.
#pragma once

#include <cstdint>
#include <variant>

#include "random.hpp"

namespace orchestrator {

// Uniform in (0, 1): one of 2^52 evenly spaced numbers, neither end among them.
double draw_uniform(RandomStream& random);

// Standard normal, by the polar method (Marsaglia and Bray 1964); its second number is thrown away,
// so that a stream has no other state than its own.
double draw_normal(RandomStream& random);

// Gamma of this shape and scale 1, by a cube of a normal variate (Marsaglia and Tsang 2000). Throws
// std::invalid_argument for a shape that is not finite and at least 1.
double draw_gamma(RandomStream& random, double shape);

// The logarithm of a gamma variate of any shape above 0, for those below 1 that of shape + 1 times
// u^(1/shape): small shapes draw numbers below any double.
double draw_log_gamma(RandomStream& random, double shape);

// In [0, 1], by two gamma variates: by their logarithms, unless both shapes are at least 1.
double draw_beta(RandomStream& random, double alpha, double beta);

// Scaled inverse chi-squared: nu * tau2 / chi-squared of nu degrees of freedom; infinite where that
// is 0.
double draw_inverse_chi_square(RandomStream& random, double nu, double tau2);

// Scores as far as a conjugate posterior has to know them.
struct ScoreSums {
  std::uint32_t count = 0;
  double sum = 0.0;
  double squares = 0.0;

  void add(double score) {
    ++count;
    sum += score;
    squares += score * score;
  }
};

// Normal scores of unknown mean and variance: mean | variance ~ N(m, variance / kappa), and
// variance ~ scaled inverse chi-squared(nu, tau2). `m` finite, the others in [1e-6, 1e12].
struct GaussianPrior {
  double m = 0.0;
  double kappa = 1.0;
  double nu = 1.0;
  double tau2 = 0.1;
};

// Scores in [0, 1], each taken as that much of a success: mean ~ Beta(alpha, beta), both in
// [1e-6, 1e12].
struct BetaPrior {
  double alpha = 0.5;
  double beta = 0.5;
};

using ScorePrior = std::variant<GaussianPrior, BetaPrior>;

// Throws std::invalid_argument for a prior with a parameter out of its range.
void check_prior(const ScorePrior& prior);

// Throws std::invalid_argument for a score that `prior` cannot take: one that is not finite, or
// with a Beta prior not in [0, 1].
void check_score(const ScorePrior& prior, double score);

// What a score is expected to be on average after `scores`.
double posterior_mean(const ScorePrior& prior, const ScoreSums& scores);

// A draw of it from the posterior. `pending` further scores that are not known yet count as such
// that will be as expected: the mean stays where it is, and is as certain as it will be.
double draw_mean(const ScorePrior& prior, const ScoreSums& scores, std::uint32_t pending,
                 RandomStream& random);

}  // namespace orchestrator
