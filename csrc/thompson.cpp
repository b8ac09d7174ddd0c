#include "thompson.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace orchestrator {

namespace {

constexpr double kSpacing = 0x1p-52;
constexpr double kLeast = 1e-6;
constexpr double kMost = 1e12;

void require(double value, const char* name) {
  if (value >= kLeast && value <= kMost) return;
  throw std::invalid_argument(std::string(name) + " must be in [1e-6, 1e12], not " +
                              std::to_string(value));
}

// The parameters of the posterior, by the updates of Murphy (2023), section 3.4.3.3.
struct GaussianPosterior {
  double m, kappa, nu, nu_tau2;
};

GaussianPosterior posterior(const GaussianPrior& prior, const ScoreSums& scores) {
  if (scores.count == 0) return {prior.m, prior.kappa, prior.nu, prior.nu * prior.tau2};
  const double n = scores.count;
  const double mean = scores.sum / n;
  const double kappa = prior.kappa + n;
  const double spread = std::max(0.0, scores.squares - scores.sum * mean);
  const double shift = n * prior.kappa / kappa * (prior.m - mean) * (prior.m - mean);
  return {(prior.kappa * prior.m + scores.sum) / kappa, kappa, prior.nu + n,
          prior.nu * prior.tau2 + spread + shift};
}

BetaPrior posterior(const BetaPrior& prior, const ScoreSums& scores) {
  return {prior.alpha + scores.sum, prior.beta + (scores.count - scores.sum)};
}

double mean_of(const GaussianPosterior& posterior) { return posterior.m; }
double mean_of(const BetaPrior& posterior) {
  return posterior.alpha / (posterior.alpha + posterior.beta);
}

double draw(const GaussianPosterior& known, std::uint32_t pending, RandomStream& random) {
  const double variance = draw_inverse_chi_square(random, known.nu, known.nu_tau2 / known.nu);
  return known.m + std::sqrt(variance / (known.kappa + pending)) * draw_normal(random);
}

double draw(const BetaPrior& known, std::uint32_t pending, RandomStream& random) {
  const double weight = known.alpha + known.beta;
  const double more = (weight + pending) / weight;
  return draw_beta(random, known.alpha * more, known.beta * more);
}

}  // namespace

double draw_uniform(RandomStream& random) {
  return (static_cast<double>(random.next() >> 12) + 0.5) * kSpacing;
}

double draw_normal(RandomStream& random) {
  for (;;) {
    const double x = 2.0 * draw_uniform(random) - 1.0;
    const double y = 2.0 * draw_uniform(random) - 1.0;
    const double square = x * x + y * y;
    if (square < 1.0 && square > 0.0) return x * std::sqrt(-2.0 * std::log(square) / square);
  }
}

double draw_gamma(RandomStream& random, double shape) {
  if (!(shape >= 1.0) || !std::isfinite(shape)) {
    throw std::invalid_argument("a gamma's shape must be finite and at least 1, not " +
                                std::to_string(shape));
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = draw_normal(random);
    const double root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    const double u = draw_uniform(random);
    const double square = x * x;
    if (u < 1.0 - 0.0331 * square * square) return d * v;
    if (std::log(u) < 0.5 * square + d * (1.0 - v + std::log(v))) return d * v;
  }
}

double draw_log_gamma(RandomStream& random, double shape) {
  if (shape >= 1.0) return std::log(draw_gamma(random, shape));
  if (!(shape > 0.0)) {
    throw std::invalid_argument("a gamma's shape must be above 0, not " + std::to_string(shape));
  }
  const double above = std::log(draw_gamma(random, shape + 1.0));
  return above + std::log(draw_uniform(random)) / shape;
}

double draw_beta(RandomStream& random, double alpha, double beta) {
  if (alpha >= 1.0 && beta >= 1.0) {
    const double a = draw_gamma(random, alpha);
    return a / (a + draw_gamma(random, beta));
  }
  const double a = draw_log_gamma(random, alpha);
  const double b = draw_log_gamma(random, beta);
  return 1.0 / (1.0 + std::exp(b - a));
}

double draw_inverse_chi_square(RandomStream& random, double nu, double tau2) {
  const double shape = 0.5 * nu;
  if (shape >= 1.0) return shape * tau2 / draw_gamma(random, shape);
  return shape * tau2 * std::exp(-draw_log_gamma(random, shape));
}

void check_prior(const ScorePrior& prior) {
  if (const auto* gaussian = std::get_if<GaussianPrior>(&prior)) {
    if (!std::isfinite(gaussian->m)) throw std::invalid_argument("a prior mean must be finite");
    require(gaussian->kappa, "kappa");
    require(gaussian->nu, "nu");
    require(gaussian->tau2, "tau2");
  } else {
    require(std::get<BetaPrior>(prior).alpha, "alpha");
    require(std::get<BetaPrior>(prior).beta, "beta");
  }
}

void check_score(const ScorePrior& prior, double score) {
  if (!std::isfinite(score)) throw std::invalid_argument("a score must be finite");
  if (std::holds_alternative<BetaPrior>(prior) && (score < 0.0 || score > 1.0)) {
    throw std::invalid_argument("with a Beta prior a score must be in [0, 1], not " +
                                std::to_string(score));
  }
}

double posterior_mean(const ScorePrior& prior, const ScoreSums& scores) {
  return std::visit([&](const auto& known) { return mean_of(posterior(known, scores)); }, prior);
}

double draw_mean(const ScorePrior& prior, const ScoreSums& scores, std::uint32_t pending,
                 RandomStream& random) {
  return std::visit(
      [&](const auto& known) { return draw(posterior(known, scores), pending, random); }, prior);
}

}  // namespace orchestrator
