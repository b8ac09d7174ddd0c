#include "voting.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace orchestrator {
namespace {

std::size_t cluster_count(std::span<const ClusterId> clusters) {
  ClusterId next = 0;
  for (const ClusterId id : clusters) {
    if (id < kAbstains || id > next) {
      throw std::invalid_argument(
          "cluster ids must be -1 or number the clusters in first-seen order, got " +
          std::to_string(id) + " where at most " + std::to_string(next) + " can stand");
    }
    next += id == next ? 1 : 0;
  }
  return static_cast<std::size_t>(next);
}

double largest_weight(std::span<const double> weights) {
  double largest = 0;
  for (const double weight : weights) {
    if (!std::isfinite(weight) || weight < 0) {
      throw std::invalid_argument("a weight must be finite and at least 0, got " +
                                  std::to_string(weight));
    }
    largest = std::max(largest, weight);
  }
  return largest;
}

bool about_equal(double a, double b) { return std::abs(a - b) <= kTieTolerance * std::max(a, b); }

// Fills in leader, share, margin and tied from totals measured in any common unit.
void decide(VoteCount& vote, std::span<const double> totals, double all) {
  if (totals.empty()) return;
  const double largest = *std::max_element(totals.begin(), totals.end());
  if (largest <= 0) return;
  double runner_up = 0;
  for (std::size_t i = 0; i < totals.size(); ++i) {
    if (!vote.leader && about_equal(totals[i], largest)) {
      vote.leader = i;
    } else {
      runner_up = std::max(runner_up, totals[i]);
      vote.tied = vote.tied || about_equal(totals[i], largest);
    }
  }
  const double leader = totals[*vote.leader];
  vote.share = leader / all;
  vote.margin = vote.tied ? 0 : (leader - runner_up) / all;
}

}  // namespace

VoteCount majority_vote(std::span<const ClusterId> clusters) {
  VoteCount vote;
  vote.counts.assign(cluster_count(clusters), 0);
  for (const ClusterId id : clusters) {
    if (id == kAbstains) {
      ++vote.abstentions;
    } else {
      ++vote.counts[static_cast<std::size_t>(id)];
    }
  }
  vote.totals.assign(vote.counts.begin(), vote.counts.end());
  decide(vote, vote.totals, static_cast<double>(clusters.size()));
  return vote;
}

VoteCount weighted_vote(std::span<const ClusterId> clusters, std::span<const double> weights) {
  if (clusters.size() != weights.size()) {
    throw std::invalid_argument(std::to_string(weights.size()) + " weights for " +
                                std::to_string(clusters.size()) + " answers");
  }
  const double largest = largest_weight(weights);
  VoteCount vote = majority_vote(clusters);
  vote.leader.reset();
  vote.share = vote.margin = 0;
  vote.tied = false;
  // Weights are measured in units of the largest while they are added, so that no sum overflows.
  std::vector<double> relative(vote.counts.size(), 0.0);
  double all = 0;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    const double weight = largest > 0 ? weights[i] / largest : 0;
    all += weight;
    if (clusters[i] != kAbstains) relative[static_cast<std::size_t>(clusters[i])] += weight;
  }
  if (all > 0) decide(vote, relative, all);
  std::transform(relative.begin(), relative.end(), vote.totals.begin(),
                 [&](double total) { return total * largest; });
  return vote;
}

}  // namespace orchestrator
