// Which cluster wins, and by how much.
//
// Clusters are numbered in first-seen order; of clusters with equal votes the first seen leads.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "answers/cluster.hpp"

namespace orchestrator {

struct VoteCount {
  std::optional<std::size_t> leader;  // none: no cluster has a positive total
  std::optional<std::size_t> sample;  // the leader's member that stands for it
  double share = 0;   // the leader's total / the total of all samples, abstentions included
  double margin = 0;  // (leader - runner-up) / the same
  bool tied = false;  // another cluster has the leader's total
  std::size_t abstentions = 0;
  std::vector<std::size_t> counts;  // samples by cluster
  std::vector<double> totals;       // weight by cluster; equal to counts without weights
};

// Totals whose difference is below this part of the larger are a tie: 0.1 + 0.2 against 0.3.
inline constexpr double kTieTolerance = 1e-12;

// One vote a sample. Throws std::invalid_argument when an id is below kAbstains or leaves a gap.
// The first member stands for a cluster.
VoteCount majority_vote(std::span<const ClusterId> clusters);

// `weights`: one for each sample, finite and at least 0; else, or when the lengths differ, throws
// std::invalid_argument. The first member stands for a cluster.
VoteCount weighted_vote(std::span<const ClusterId> clusters, std::span<const double> weights);

// The same for natural logarithms of weights, whose exponentials may be too small or too large for
// a double: the leader, its share and its margin are found in units of the largest. -inf is a
// weight of 0; NaN and +inf throw std::invalid_argument. Totals are in units of the largest weight
// of a sample that does not abstain.
VoteCount log_weighted_vote(std::span<const ClusterId> clusters,
                            std::span<const double> log_weights);

// What a cluster's members make of their scores together.
enum class Aggregate { sum, mean, max };

// Best-of-N over clusters: a cluster's total is the aggregate of its members' scores, those without
// one left out (0 when none has one), and its best-scored member, the first of equals, stands for
// it. Abstaining samples count in the denominator of share and margin as one more cluster. Scores
// are finite and at least 0, one for each sample; else throws std::invalid_argument.
VoteCount best_of_clusters(std::span<const ClusterId> clusters,
                           std::span<const std::optional<double>> scores, Aggregate aggregate);

}  // namespace orchestrator
