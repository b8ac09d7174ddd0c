#include "posterior.hpp"

#include <algorithm>
#include <cmath>

namespace orchestrator {

double beta_posterior(std::uint64_t first, std::uint64_t second) {
  // For whole parameters the Beta distribution function is a binomial tail: with n = first + second
  // + 1 fair coins, P(p > 1/2) = P(heads <= first). Of the two tails the smaller is summed, from
  // its largest term down; terms fall at least geometrically once past the middle, so the sum ends
  // after about sqrt(n) of them.
  if (first == second) return 0.5;  // by symmetry; the sum below would be off by its rounding
  if (first < second) return 1 - beta_posterior(second, first);
  const double n = static_cast<double>(first) + static_cast<double>(second) + 1;
  double heads = static_cast<double>(first) + 1;
  double term = 1, sum = 0;  // relative to the first one, so that nothing underflows before the end
  while (heads <= n && term > sum * 1e-18) {
    sum += term;
    term *= (n - heads) / (heads + 1);
    heads += 1;
  }
  // log of C(n, first + 1) / 2^n
  double log_first = -n * std::log(2.0);
  const double k = static_cast<double>(second);
  if (k <= 1024) {
    for (double i = 1; i <= k; ++i) log_first += std::log((n - k + i) / i);
  } else {
    // Stirling's series, good to 1e-13 from here on.
    const auto log_factorial = [](double x) {
      return x * std::log(x) - x + 0.5 * std::log(2 * 3.14159265358979323846 * x) + 1 / (12 * x) -
             1 / (360 * x * x * x);
    };
    log_first += log_factorial(n) - log_factorial(k) - log_factorial(n - k);
  }
  return 1 - std::exp(log_first) * sum;
}

double top_two_posterior(std::span<const std::uint64_t> counts) {
  std::uint64_t first = 0, second = 0;
  for (const std::uint64_t count : counts) {
    second = std::max(second, std::min(first, count));
    first = std::max(first, count);
  }
  return beta_posterior(first, second);
}

}  // namespace orchestrator
