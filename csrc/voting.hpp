// Which cluster wins, by how much, and whether more samples could change it.
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

// The cluster that leads by counts: the first with the largest positive count.
std::optional<std::size_t> leading(std::span<const std::uint64_t> counts);

// Whether the leader of `counts` stays the leader whatever the `remaining` samples say.
bool lead_is_safe(std::span<const std::uint64_t> counts, std::uint64_t remaining);

// P(p > 1/2) for p ~ Beta(first + 1, second + 1): the probability, after `first` votes for the
// leader and `second` for the runner-up under a uniform prior, that the leader is the more frequent
// of the two.
double beta_posterior(std::uint64_t first, std::uint64_t second);

// The same for the two largest of `counts` (0 where there are fewer).
double top_two_posterior(std::span<const std::uint64_t> counts);

// Whether one of the consecutive, disjoint windows of `size` samples holds one cluster only and no
// abstention; an incomplete last window does not count. Throws std::invalid_argument when size is
// 0.
bool window_agrees(std::span<const ClusterId> clusters, std::size_t size);

}  // namespace orchestrator
