#include "voting.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

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

void check_lengths(std::size_t values, std::string_view what, std::size_t answers) {
  if (values != answers) {
    throw std::invalid_argument(std::to_string(values) + " " + std::string(what) + " for " +
                                std::to_string(answers) + " answers");
  }
}

void check_weight(double weight, std::string_view what, std::size_t sample) {
  if (!std::isfinite(weight) || weight < 0) {
    throw std::invalid_argument("a " + std::string(what) + " must be finite and at least 0, got " +
                                std::to_string(weight) + " for answer " + std::to_string(sample));
  }
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

// A vote with its counts and abstentions, and nothing decided.
VoteCount counted(std::span<const ClusterId> clusters) {
  VoteCount vote;
  vote.counts.assign(cluster_count(clusters), 0);
  for (const ClusterId id : clusters) {
    if (id == kAbstains) {
      ++vote.abstentions;
    } else {
      ++vote.counts[static_cast<std::size_t>(id)];
    }
  }
  return vote;
}

void stand_in_first(VoteCount& vote, std::span<const ClusterId> clusters) {
  if (!vote.leader) return;
  const auto first =
      std::find(clusters.begin(), clusters.end(), static_cast<ClusterId>(*vote.leader));
  vote.sample = static_cast<std::size_t>(first - clusters.begin());
}

}  // namespace

VoteCount majority_vote(std::span<const ClusterId> clusters) {
  VoteCount vote = counted(clusters);
  vote.totals.assign(vote.counts.begin(), vote.counts.end());
  decide(vote, vote.totals, static_cast<double>(clusters.size()));
  stand_in_first(vote, clusters);
  return vote;
}

VoteCount weighted_vote(std::span<const ClusterId> clusters, std::span<const double> weights) {
  check_lengths(weights.size(), "weights", clusters.size());
  double largest = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    check_weight(weights[i], "weight", i);
    if (clusters[i] != kAbstains) largest = std::max(largest, weights[i]);
  }
  VoteCount vote = counted(clusters);
  vote.totals.assign(vote.counts.size(), 0);
  if (largest <= 0) return vote;
  // Weights are measured in units of the heaviest vote while they are added, so that no vote
  // vanishes and no sum of votes overflows. That of abstentions may: then the share is 0.
  double all = 0;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    const double weight = weights[i] / largest;
    all += weight;
    if (clusters[i] != kAbstains) vote.totals[static_cast<std::size_t>(clusters[i])] += weight;
  }
  decide(vote, vote.totals, all);
  constexpr double kMost = std::numeric_limits<double>::max();
  for (double& total : vote.totals) total = total > kMost / largest ? kMost : total * largest;
  stand_in_first(vote, clusters);
  return vote;
}

VoteCount log_weighted_vote(std::span<const ClusterId> clusters,
                            std::span<const double> log_weights) {
  check_lengths(log_weights.size(), "log-weights", clusters.size());
  constexpr double kZero = -std::numeric_limits<double>::infinity();
  double largest = kZero, largest_abstention = kZero;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    const double weight = log_weights[i];
    if (std::isnan(weight) || weight == -kZero) {
      throw std::invalid_argument("a log-weight must be a number below infinity, got " +
                                  std::to_string(weight) + " for answer " + std::to_string(i));
    }
    double& mark = clusters[i] == kAbstains ? largest_abstention : largest;
    mark = std::max(mark, weight);
  }
  VoteCount vote = counted(clusters);
  vote.totals.assign(vote.counts.size(), 0);
  if (largest == kZero) return vote;
  // Votes are measured in units of the heaviest vote, abstentions in units of the heaviest
  // abstention: of neither can all vanish because the other is out of a double's range.
  double voted = 0, abstained = 0;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    if (clusters[i] == kAbstains) {
      if (largest_abstention != kZero) abstained += std::exp(log_weights[i] - largest_abstention);
    } else {
      const double weight = std::exp(log_weights[i] - largest);
      vote.totals[static_cast<std::size_t>(clusters[i])] += weight;
      voted += weight;
    }
  }
  // The quotient may be infinite: then the share is 0, and there is a leader all the same.
  decide(vote, vote.totals, voted + abstained * std::exp(largest_abstention - largest));
  stand_in_first(vote, clusters);
  return vote;
}

VoteCount best_of_clusters(std::span<const ClusterId> clusters,
                           std::span<const std::optional<double>> scores, Aggregate aggregate) {
  check_lengths(scores.size(), "scores", clusters.size());
  VoteCount vote = counted(clusters);
  // One slot more than there are clusters, for the samples that abstain.
  struct Slot {
    double largest = 0, relative_sum = 0;
    std::size_t scored = 0;
    std::optional<std::size_t> best;
  };
  std::vector<Slot> slots(vote.counts.size() + 1);
  double unit = 0;  // the largest score of all, so that no sum overflows
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!scores[i]) continue;
    check_weight(*scores[i], "score", i);
    unit = std::max(unit, *scores[i]);
  }
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!scores[i]) continue;
    Slot& slot =
        clusters[i] == kAbstains ? slots.back() : slots[static_cast<std::size_t>(clusters[i])];
    const double relative = unit > 0 ? *scores[i] / unit : 0;
    if (!slot.best || relative > slot.largest) {
      slot.largest = relative;
      slot.best = i;
    }
    slot.relative_sum += relative;
    ++slot.scored;
  }
  const auto total = [&](const Slot& slot) {
    if (aggregate == Aggregate::max) return slot.largest;
    if (aggregate == Aggregate::sum || slot.scored == 0) return slot.relative_sum;
    return slot.relative_sum / static_cast<double>(slot.scored);
  };
  double all = 0;
  for (const Slot& slot : slots) all += total(slot);
  for (std::size_t i = 0; i < vote.counts.size(); ++i) vote.totals.push_back(total(slots[i]));
  decide(vote, vote.totals, all);
  for (double& value : vote.totals) value *= unit;
  if (vote.leader) vote.sample = slots[*vote.leader].best;
  return vote;
}

}  // namespace orchestrator
