#include "posterior.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

namespace orchestrator {
namespace {

// log(n!) - (n log n - n + log(2 pi n) / 2): Stirling's series, good to 1e-13 from 10 on.
double stirling_rest(double n) {
  const double n2 = n * n;
  return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - 1.0 / (1680 * n2)) / n2) / n2) / n;
}

// For whole parameters the Beta distribution function is a binomial tail: with n = first + second
// + 1 fair coins, P(p > 1/2) = P(heads <= first). Of the two tails the smaller is summed, from its
// largest term down; terms fall at least geometrically once past the middle, so the sum ends after
// about sqrt(n) of them.
double binomial_tail(double first, double second) {
  if (first == second) return 0.5;  // by symmetry; the sum below would be off by its rounding
  if (first < second) return 1 - binomial_tail(second, first);
  const double n = first + second + 1;
  double heads = first + 1;
  double term = 1, sum = 0;  // relative to the first one, so that nothing underflows before the end
  while (heads <= n && term > sum * 1e-18) {
    sum += term;
    term *= (n - heads) / (heads + 1);
    heads += 1;
  }
  // log of C(n, first + 1) / 2^n
  const double k = second;
  double log_first = 0;
  if (k <= 1024) {
    log_first = -n * std::numbers::ln2;
    for (double i = 1; i <= k; ++i) log_first += std::log((n - k + i) / i);
  } else {
    // Stirling's formula with n / 2 taken out of k and n - k (Loader 2000): differences of log(n!)
    // would leave the rounding of numbers as large as n.
    const double e = (n - 2 * k) / n;
    log_first = stirling_rest(n) - stirling_rest(k) - stirling_rest(n - k) +
                std::log(n / (2 * std::numbers::pi * k * (n - k))) / 2 -
                n / 2 * ((1 - e) * std::log1p(-e) + (1 + e) * std::log1p(e));
  }
  return 1 - std::exp(log_first) * sum;
}

// x^a e^-x / Gamma(a + 1), without overflow and without loss for large a.
double gamma_term(double a, double x) {
  if (x <= 0) return 0;
  if (a < 16) return std::exp(a * std::log(x) - x) / std::tgamma(a + 1);
  const double away = (x - a) / a;
  return std::exp(-a * (away - std::log1p(away)) - stirling_rest(a)) /
         std::sqrt(2 * std::numbers::pi * a);
}

// The others of a vote: how many have how many votes, few votes apart from many.
struct Rivals {
  static constexpr std::uint64_t kFew = 128;

  std::array<std::uint64_t, kFew> few{};  // answers by votes
  std::uint64_t most_of_few = 0;
  std::vector<std::uint64_t> many;
  std::uint64_t size = 0;

  void add(std::uint64_t votes, std::uint64_t answers = 1) {
    size += answers;
    if (votes >= kFew) {
      many.insert(many.end(), answers, votes);
    } else {
      few[votes] += answers;
      most_of_few = std::max(most_of_few, votes);
    }
  }
};

constexpr std::size_t kNodes = 16;  // handled together, so that loops over them are vectorised
using Nodes = std::array<double, kNodes>;

void multiply_by_power(Nodes& product, const Nodes& base, std::uint64_t exponent) {
  if (exponent == 1) {
    for (std::size_t k = 0; k < kNodes; ++k) product[k] *= base[k];
    return;
  }
  Nodes square = base;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) {
      for (std::size_t k = 0; k < kNodes; ++k) product[k] *= square[k];
    }
    for (std::size_t k = 0; k < kNodes; ++k) square[k] *= square[k];
  }
}

// The product of the rivals' distribution functions at each x. From one whole step of a to the next
// P(a + 1, x) = P(a, x) - x^a e^-x / Gamma(a + 1), so that one pass over the votes yields them all.
// `decay`: e^-x.
Nodes others_below(const Nodes& x, const Nodes& decay, const Rivals& rivals, double prior) {
  const auto steps = static_cast<std::uint64_t>(std::ceil(prior)) - 1;
  double a = prior - static_cast<double>(steps);  // in (0, 1]
  Nodes below, term, product;
  for (std::size_t k = 0; k < kNodes; ++k) {
    below[k] = a == 1 ? 1 - decay[k] : gamma_distribution(a, x[k]);
    term[k] = a == 1 ? x[k] * decay[k] : gamma_term(a, x[k]);
    product[k] = 1;
  }
  for (std::uint64_t step = 0; step <= steps + rivals.most_of_few; ++step) {
    const std::uint64_t answers = step < steps ? 0 : rivals.few[step - steps];
    if (answers > 0) {
      for (std::size_t k = 0; k < kNodes; ++k) below[k] = std::max(0.0, below[k]);  // rounding
      multiply_by_power(product, below, answers);
    }
    a += 1;
    const double inverse = 1 / a;
    for (std::size_t k = 0; k < kNodes; ++k) {
      below[k] -= term[k];
      term[k] *= x[k] * inverse;
    }
  }
  for (const std::uint64_t votes : rivals.many) {
    for (std::size_t k = 0; k < kNodes; ++k) {
      product[k] *= gamma_distribution(prior + static_cast<double>(votes), x[k]);
    }
  }
  return product;
}

// The integral over the leader's gamma variable x = a e^s: its density in s is proportional to
// exp(-a (e^s - 1 - s)), which falls off exponentially to the left and faster to the right.
class LeaderIntegral {
 public:
  LeaderIntegral(double a, const Rivals& rivals, double prior)
      : a_(a), rivals_(rivals), prior_(prior), left_(edge(-1)), width_(edge(1) - left_) {}

  // The trapezoidal rule converges exponentially for an analytic integrand that vanishes at both
  // ends: halving the step at least squares the error. So when the sum over the points added agrees
  // with the sum over those before to `kAgreement`, all together are good to its square. The two
  // may also agree by chance, the more so the more rivals make the integrand steep: then the first
  // points are more. With a `level`, the sum may end as soon as it is clear on which side it lies.
  double value(std::optional<double> level = std::nullopt) const {
    static constexpr double kAgreement = 1e-7;
    static constexpr std::size_t kMostBlocks = std::size_t{1} << 12;
    std::size_t blocks = 1;
    for (std::uint64_t rivals = rivals_.size; rivals > 10; rivals /= 10) blocks *= 2;
    Sums all = sum(blocks, 0);
    double value = 0, apart = 1;
    for (; blocks < kMostBlocks && apart > kAgreement; blocks *= 2) {
      const Sums added = sum(blocks, 0.5);
      apart = std::abs(all.below / all.density - added.below / added.density);
      all.below += added.below;
      all.density += added.density;
      value = std::clamp(all.below / all.density, 0.0, 1.0);
      if (level && std::abs(value - *level) > 2 * apart + kAgreement) break;
    }
    return value;
  }

 private:
  struct Sums {
    double density = 0, below = 0;
  };

  // Where the density has fallen to e^-25 of its largest: Newton's method on a convex function,
  // from outside, so that every step stays outside.
  double edge(double side) const {
    const double depth = 25 / a_;
    double s = side > 0 ? std::sqrt(2 * depth) : -(std::sqrt(2 * depth) + depth);
    for (int i = 0; i < 4; ++i) s -= (std::expm1(s) - s - depth) / std::expm1(s);
    return s;
  }

  // Over blocks * kNodes equidistant points, the first one `offset` steps from the left edge.
  Sums sum(std::size_t blocks, double offset) const {
    const double step = width_ / static_cast<double>(blocks * kNodes);
    Sums sums;
    for (std::size_t block = 0; block < blocks; ++block) {
      const double from = left_ + step * (static_cast<double>(block * kNodes) + offset);
      Nodes x, decay, density;
      if (a_ < kDirect) {
        place_directly(from, step, x, decay, density);
      } else {
        place_by_logarithm(from, step, x, decay, density);
      }
      const Nodes product = others_below(x, decay, rivals_, prior_);
      for (std::size_t k = 0; k < kNodes; ++k) {
        sums.density += density[k];
        sums.below += density[k] * product[k];
      }
    }
    return sums;
  }

  // The density is e^-x e^(a (1 + s)): of its factors the second, like x itself, is geometric in s,
  // which leaves one exponential a point. Below kDirect neither overflows.
  static constexpr double kDirect = 150;

  void place_directly(double from, double step, Nodes& x, Nodes& decay, Nodes& density) const {
    const double x_ratio = std::exp(step), tilt_ratio = std::exp(a_ * step);
    double next_x = a_ * std::exp(from), tilt = std::exp(a_ * (1 + from));
    for (std::size_t k = 0; k < kNodes; ++k) {
      x[k] = next_x;
      decay[k] = std::exp(-next_x);
      density[k] = decay[k] * tilt;
      next_x *= x_ratio;
      tilt *= tilt_ratio;
    }
  }

  void place_by_logarithm(double from, double step, Nodes& x, Nodes& decay, Nodes& density) const {
    for (std::size_t k = 0; k < kNodes; ++k) {
      const double s = from + step * static_cast<double>(k);
      const double rise = std::expm1(s);
      x[k] = a_ * (1 + rise);
      decay[k] = std::exp(-x[k]);
      density[k] = std::exp(-a_ * (rise - s));
    }
  }

  double a_;
  const Rivals& rivals_;
  double prior_, left_, width_;
};

}  // namespace

void check_prior(double prior) {
  if (prior > 0 && prior <= kLargestPrior) return;
  std::ostringstream message;
  message << "prior must be above 0 and at most " << kLargestPrior << " votes, not " << prior;
  throw std::invalid_argument(message.str());
}

PairPosterior::PairPosterior(double prior) : prior_(prior), table_(kTable * kTable) {
  check_prior(prior);
  // With x = 1/2, I_x(a, b + 1) = I_x(a, b) + x^a (1 - x)^b / (b B(a, b)) from I(prior, prior) =
  // 1/2 gives the answers with no vote for the second ...
  double added =
      std::tgamma(prior + 0.5) / (2 * std::sqrt(std::numbers::pi) * std::tgamma(prior + 1));
  double value = 0.5;
  for (std::uint64_t first = 0; first < kTable; ++first) {
    table_[first * kTable] = value;
    value += added;
    const double b = prior + static_cast<double>(first);
    added *= (prior + b) / (2 * (b + 1));
  }
  // ... and I_x(a, b) = (I_x(a - 1, b) + I_x(a, b - 1)) / 2 all others.
  for (std::uint64_t first = 0; first < kTable; ++first) {
    for (std::uint64_t second = 1; second <= first; ++second) {
      double& entry = table_[first * kTable + second];
      entry =
          first == second
              ? 0.5
              : (table_[(first - 1) * kTable + second] + table_[first * kTable + second - 1]) / 2;
    }
    for (std::uint64_t second = 0; second < first; ++second) {
      table_[second * kTable + first] = 1 - table_[first * kTable + second];
    }
  }
}

double PairPosterior::beyond_table(std::uint64_t first, std::uint64_t second) const {
  if (prior_ == std::floor(prior_)) {
    return binomial_tail(static_cast<double>(first) + prior_ - 1,
                         static_cast<double>(second) + prior_ - 1);
  }
  if (first == second) return 0.5;
  if (first < second) return 1 - beyond_table(second, first);
  Rivals rivals;
  rivals.add(second);
  return LeaderIntegral(static_cast<double>(first) + prior_, rivals, prior_).value();
}

double beta_posterior(std::uint64_t first, std::uint64_t second) {
  static const PairPosterior uniform(1);
  return uniform(first, second);
}

ModePosterior::ModePosterior(double prior, std::int64_t unseen)
    : pair_(prior), unseen_(static_cast<std::uint64_t>(unseen)) {
  if (unseen >= 0 && unseen <= kMostUnseen) return;
  throw std::invalid_argument("unseen must be in 0 to " + std::to_string(kMostUnseen) +
                              " answers, not " + std::to_string(unseen));
}

double ModePosterior::operator()(const Tally& tally) const {
  if (!tally.leader()) {  // all answers are alike; the integral would need a density near 0
    const std::uint64_t seen = std::max<std::uint64_t>(tally.counts().size(), 1);
    return 1 / static_cast<double>(seen + rivals_to_add(tally));
  }
  const Bounds known = bounds(tally);
  return known.lower == known.upper ? known.upper : integral(tally, std::nullopt);
}

bool ModePosterior::reaches(const Tally& tally, double confidence) const {
  if (!tally.leader()) return (*this)(tally) >= confidence;
  const Bounds known = bounds(tally);
  if (known.upper < confidence) return false;
  if (known.lower >= confidence) return true;
  return integral(tally, confidence) >= confidence;
}

ModePosterior::Bounds ModePosterior::bounds(const Tally& tally) const {
  const std::uint64_t lead = tally.first();
  Bounds known{1, pair_(lead, tally.second())};
  for (std::uint64_t i = rivals_to_add(tally); i > 0; --i) known.lower *= pair_(lead, 0);
  for (std::size_t i = 0; i < tally.counts().size(); ++i) {
    if (i != tally.leader().value_or(0)) known.lower *= pair_(lead, tally.counts()[i]);
  }
  return known;
}

std::uint64_t ModePosterior::rivals_to_add(const Tally& tally) const {
  // Without any answer seen, the one that is asked about is one of the unseen.
  const std::uint64_t seen = tally.counts().size();
  const std::uint64_t extra = seen > 0 || unseen_ == 0 ? unseen_ : unseen_ - 1;
  return seen < 2 ? std::max<std::uint64_t>(extra, 1) : extra;
}

double ModePosterior::integral(const Tally& tally, std::optional<double> level) const {
  Rivals rivals;
  for (std::size_t i = 0; i < tally.counts().size(); ++i) {
    if (i != tally.leader().value_or(0)) rivals.add(tally.counts()[i]);
  }
  rivals.add(0, rivals_to_add(tally));
  const double a = static_cast<double>(tally.first()) + pair_.prior();
  return LeaderIntegral(a, rivals, pair_.prior()).value(level);
}

double gamma_distribution(double a, double x) {
  if (x <= 0) return 0;
  const double lead = gamma_term(a, x);
  if (x < a + 1) {  // x^a e^-x / Gamma(a + 1) (1 + x / (a + 1) + x^2 / ((a + 1) (a + 2)) + ...)
    double term = 1, sum = 1;
    for (double n = a + 1; term > sum * 1e-16; n += 1) sum += term *= x / n;
    return std::min(1.0, lead * sum);
  }
  // The upper tail as a continued fraction, evaluated forward (Lentz's method).
  static constexpr double kTiny = 1e-300;
  double b = x + 1 - a;
  double c = 1 / kTiny, d = 1 / b, fraction = d;
  for (double i = 1; i < 1e6; i += 1) {
    const double numerator = -i * (i - a);
    b += 2;
    d = numerator * d + b;
    c = b + numerator / c;
    if (std::abs(d) < kTiny) d = kTiny;
    if (std::abs(c) < kTiny) c = kTiny;
    d = 1 / d;
    const double factor = d * c;
    fraction *= factor;
    if (std::abs(factor - 1) < 1e-15) break;
  }
  return std::max(0.0, 1 - a * lead * fraction);
}

}  // namespace orchestrator
