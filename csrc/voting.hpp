// Which cluster wins, and by how much.
//
// Clusters are numbered in first-seen order; of clusters with equal votes the first seen leads.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cluster.hpp"

namespace orchestrator {

struct VoteCount {
  std::optional<std::size_t> leader;  // none: no cluster has a positive total
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
VoteCount majority_vote(std::span<const ClusterId> clusters);

// `weights`: one for each sample, finite and at least 0; else, or when the lengths differ, throws
// std::invalid_argument.
VoteCount weighted_vote(std::span<const ClusterId> clusters, std::span<const double> weights);

}  // namespace orchestrator
