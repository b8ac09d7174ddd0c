// How uncertain a figure over recorded problems is, by drawing problems and samples again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace orchestrator {

struct BootstrapLevels {
  bool problems = true;  // draw as many problems as there are, with replacement
  bool samples = true;   // and within each as many of its samples, with replacement
};

// `resamples` values of the mean over problems of a figure of each: the mean of its samples' values
// for k = 1, else pass@k of values that are 0 or 1. `sizes`: samples by problem; `values`: all of
// them in order. Depends on `seed`, not on `threads` (0: as many as the machine has). Throws
// std::invalid_argument when there are no problems, a problem has fewer than k samples or none, a
// value is not finite or (k > 1) neither 0 nor 1, the lengths do not match, or neither level is to
// be drawn.
std::vector<double> bootstrap_means(std::span<const std::uint64_t> sizes,
                                    std::span<const double> values, std::uint64_t k,
                                    BootstrapLevels levels, std::uint64_t resamples,
                                    std::uint64_t seed, std::size_t threads);

}  // namespace orchestrator
