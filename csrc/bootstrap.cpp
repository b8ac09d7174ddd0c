#include "bootstrap.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "estimators.hpp"
#include "parallel.hpp"
#include "random.hpp"

namespace orchestrator {
namespace {

constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();

std::vector<std::span<const double>> split(std::span<const std::uint64_t> sizes,
                                           std::span<const double> values) {
  std::vector<std::span<const double>> problems;
  std::size_t from = 0;
  for (const std::uint64_t size : sizes) {
    if (size > values.size() - from) break;
    problems.push_back(values.subspan(from, size));
    from += size;
  }
  if (problems.size() != sizes.size() || from != values.size()) {
    throw std::invalid_argument("the sizes of the problems do not add up to the " +
                                std::to_string(values.size()) + " values");
  }
  return problems;
}

void check(std::span<const std::span<const double>> problems, std::uint64_t k) {
  if (problems.empty()) throw std::invalid_argument("no problem to draw from");
  if (k == 0) throw std::invalid_argument("k must be at least 1, got 0");
  for (std::size_t i = 0; i < problems.size(); ++i) {
    if (problems[i].size() < k || problems[i].size() > kMost) {
      throw std::invalid_argument("problem " + std::to_string(i) + " has " +
                                  std::to_string(problems[i].size()) + " samples, k is " +
                                  std::to_string(k));
    }
    for (const double value : problems[i]) {
      if (!std::isfinite(value) || (k > 1 && value != 0 && value != 1)) {
        throw std::invalid_argument(
            "problem " + std::to_string(i) +
            (k > 1 ? ": pass@k needs values 0 or 1, got " : ": a value must be finite, got ") +
            std::to_string(value));
      }
    }
  }
}

double figure_of_sum(double sum, std::size_t n, std::uint64_t k) {
  if (k == 1) return sum / static_cast<double>(n);
  return pass_at_k(n, static_cast<std::uint64_t>(sum), k);
}

double figure(std::span<const double> values, std::uint64_t k) {
  double sum = 0;
  for (const double value : values) sum += value;
  return figure_of_sum(sum, values.size(), k);
}

double redrawn_figure(std::span<const double> values, std::uint64_t k, RandomStream& random) {
  const auto n = static_cast<std::uint32_t>(values.size());
  double sum = 0;
  for (std::uint32_t i = 0; i < n; ++i) sum += values[random.below(n)];
  return figure_of_sum(sum, n, k);
}

}  // namespace

std::vector<double> bootstrap_means(std::span<const std::uint64_t> sizes,
                                    std::span<const double> values, std::uint64_t k,
                                    BootstrapLevels levels, std::uint64_t resamples,
                                    std::uint64_t seed, std::size_t threads) {
  const auto problems = split(sizes, values);
  check(problems, k);
  if (!levels.problems && !levels.samples) {
    throw std::invalid_argument("neither problems nor samples are to be drawn again");
  }
  if (problems.size() > kMost) throw std::invalid_argument("more than 2^32 problems");
  std::vector<double> recorded;
  for (const auto& problem : problems) recorded.push_back(figure(problem, k));

  std::vector<double> means(resamples);
  const auto count = static_cast<std::uint32_t>(problems.size());
  const auto make_worker = [&] {
    return [&](std::size_t resample) {
      RandomStream random(seed, resample);
      double sum = 0;
      for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t drawn = levels.problems ? random.below(count) : i;
        sum += levels.samples ? redrawn_figure(problems[drawn], k, random) : recorded[drawn];
      }
      means[resample] = sum / static_cast<double>(count);
    };
  };
  for_each_index(resamples, threads, make_worker);
  return means;
}

}  // namespace orchestrator
