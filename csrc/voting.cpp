#include "voting.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
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
    largest = std::max(largest, weights[i]);
  }
  VoteCount vote = counted(clusters);
  vote.totals.assign(vote.counts.size(), 0);
  // Weights are measured in units of the largest while they are added, so that no sum overflows.
  double all = 0;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    const double weight = largest > 0 ? weights[i] / largest : 0;
    all += weight;
    if (clusters[i] != kAbstains) vote.totals[static_cast<std::size_t>(clusters[i])] += weight;
  }
  decide(vote, vote.totals, all);
  for (double& total : vote.totals) total *= largest;
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

std::optional<std::size_t> leading(std::span<const std::uint64_t> counts) {
  const auto largest = std::max_element(counts.begin(), counts.end());  // the first of equals
  if (largest == counts.end() || *largest == 0) return std::nullopt;
  return static_cast<std::size_t>(largest - counts.begin());
}

bool lead_is_safe(std::span<const std::uint64_t> counts, std::uint64_t remaining) {
  const auto leader = leading(counts);
  if (!leader) return false;
  // The best any challenger can do is to get every remaining sample, and the leader none. It then
  // overtakes if it has more votes, or as many and was seen earlier. A cluster not seen yet starts
  // at 0 and comes last. Conversely, if no challenger overtakes so, none does in any other course:
  // its total can only be smaller and the leader's only larger. So comparing these cases decides
  // exactly.
  const std::uint64_t lead = counts[*leader];
  if (lead < remaining) return false;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i == *leader) continue;
    const std::uint64_t ahead = lead - counts[i];
    if (i < *leader ? ahead <= remaining : ahead < remaining) return false;
  }
  return true;
}

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

bool window_agrees(std::span<const ClusterId> clusters, std::size_t size) {
  if (size == 0) throw std::invalid_argument("a window must hold at least 1 sample, got size 0");
  for (; clusters.size() >= size; clusters = clusters.subspan(size)) {
    const auto window = clusters.first(size);
    const bool one =
        std::adjacent_find(window.begin(), window.end(), std::not_equal_to<>{}) == window.end();
    if (one && window.front() != kAbstains) return true;
  }
  return false;
}

}  // namespace orchestrator
