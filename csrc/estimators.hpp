// What k samples would achieve, estimated without bias from the n that were recorded.
//
// All of them average over every way to draw k of the n samples without replacement.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "answers/cluster.hpp"

namespace orchestrator {

// The probability that k of n samples, c of them correct, hold a correct one:
// 1 - C(n - c, k) / C(n, k). Throws std::invalid_argument when c > n, k > n or k is 0. Takes
// min(c, k) steps, keeps its relative accuracy for small results.
double pass_at_k(std::uint64_t n, std::uint64_t c, std::uint64_t k);

// The expected correctness of the best scored of k samples; equal scores share its place evenly.
// `correct`: one value in [0, 1] a sample. Throws std::invalid_argument when lengths differ, a
// score is not finite, a value is outside [0, 1], or k is 0 or more than the samples.
double best_of_k(std::span<const double> scores, std::span<const double> correct, std::uint64_t k);

// The clusters of one problem's samples: how many votes each has, and the mean correctness of its
// members, in [0, 1].
struct ClusterShares {
  std::span<const std::uint64_t> counts;
  std::span<const double> correct;
  std::uint64_t abstentions = 0;
};

// The expected correctness of the plurality vote of k samples, exactly. Abstentions do not vote; a
// draw of nothing else is wrong. A tie goes to the cluster first seen, which in a draw of random
// order is each of the tied with equal probability. Throws std::invalid_argument as above; returns
// none when it would take more than `max_steps` multiplications (at most about n k^2 log k, far
// fewer for few clusters).
std::optional<double> exact_maj_at_k(const ClusterShares& clusters, std::uint64_t k,
                                     double max_steps);

}  // namespace orchestrator
