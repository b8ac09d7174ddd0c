#include "estimators.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace orchestrator {
namespace {

void check_k(std::uint64_t k, std::uint64_t n) {
  if (k == 0 || k > n) {
    throw std::invalid_argument("k must be at least 1 and at most the " + std::to_string(n) +
                                " samples recorded, got " + std::to_string(k));
  }
}

void check_correctness(std::span<const double> correct, std::size_t expected) {
  if (correct.size() != expected) {
    throw std::invalid_argument(std::to_string(correct.size()) + " values of correctness for " +
                                std::to_string(expected));
  }
  for (const double value : correct) {
    if (!(value >= 0 && value <= 1)) {
      throw std::invalid_argument("correctness must be in [0, 1], got " + std::to_string(value));
    }
  }
}

// Binomial(n, p) probabilities, from a table of logarithms of factorials.
class Binomials {
 public:
  Binomials(std::size_t largest, double p)
      : log_p_(std::log(p)), log_q_(std::log1p(-p)), log_factorial_(largest + 1) {
    for (std::size_t i = 2; i <= largest; ++i) {
      log_factorial_[i] = log_factorial_[i - 1] + std::log(static_cast<double>(i));
    }
  }

  double operator()(std::size_t n, std::size_t successes) const {
    return std::exp(log_factorial_[n] - log_factorial_[successes] - log_factorial_[n - successes] +
                    static_cast<double>(successes) * log_p_ +
                    static_cast<double>(n - successes) * log_q_);
  }

 private:
  double log_p_, log_q_;
  std::vector<double> log_factorial_;
};

// Draws in which the clusters taken in so far have `used` votes together and `tied` of them exactly
// `lead` votes, the others fewer: their probability, and the sum over them of the tied clusters'
// correctness.
class LeadTable {
 public:
  // `contenders`: how many clusters will be added.
  LeadTable(std::size_t k, std::size_t lead, std::size_t contenders)
      : k_(k),
        lead_(lead),
        width_(std::min(k / lead, contenders) + 1),
        ways_((std::min(k, lead * contenders) + 1) * width_),
        credit_(ways_) {
    ways_[0] = 1;
  }

  // Another cluster of at least `lead` members, `weights[u]` the probability that u are drawn.
  void add(std::span<const double> weights, double correct) {
    std::vector<double> ways(ways_.size()), credit(ways_.size());
    for (std::size_t used = 0; used <= used_; ++used) {
      for (std::size_t tied = 0; tied <= std::min(tied_, used / lead_); ++tied) {
        const double way = ways_[used * width_ + tied], own = credit_[used * width_ + tied];
        const std::size_t room = k_ - used;
        for (std::size_t drawn = 0; drawn < std::min(lead_, room + 1); ++drawn) {
          ways[(used + drawn) * width_ + tied] += way * weights[drawn];
          credit[(used + drawn) * width_ + tied] += own * weights[drawn];
        }
        if (lead_ <= room) {
          const std::size_t at = (used + lead_) * width_ + tied + 1;
          ways[at] += way * weights[lead_];
          credit[at] += (own + correct * way) * weights[lead_];
        }
      }
    }
    ways_.swap(ways);
    credit_.swap(credit);
    used_ = std::min(k_, used_ + lead_);
    tied_ = std::min(width_ - 1, tied_ + 1);
  }

  // The sum over all draws of the correctness a random one of the tied has, the rest of the k drawn
  // from `others` samples that cannot reach the lead.
  double sum(const Binomials& binomials, std::size_t others) const {
    double total = 0;
    for (std::size_t used = k_ > others ? k_ - others : 0; used <= used_; ++used) {
      double credit = 0;
      for (std::size_t tied = 1; tied <= tied_; ++tied) {
        credit += credit_[used * width_ + tied] / static_cast<double>(tied);
      }
      if (credit > 0) total += credit * binomials(others, k_ - used);
    }
    return total;
  }

 private:
  std::size_t k_, lead_, width_;
  std::size_t used_ = 0, tied_ = 0;  // the largest there can be so far
  std::vector<double> ways_, credit_;
};

struct Contender {
  std::size_t votes;
  double correct;
};

// The clusters that have votes, the largest first.
std::vector<Contender> contenders_of(const ClusterShares& clusters) {
  std::vector<Contender> contenders;
  for (std::size_t i = 0; i < clusters.counts.size(); ++i) {
    if (clusters.counts[i] > 0) contenders.push_back({clusters.counts[i], clusters.correct[i]});
  }
  std::stable_sort(contenders.begin(), contenders.end(),
                   [](const Contender& a, const Contender& b) { return a.votes > b.votes; });
  return contenders;
}

// The mean correctness of the largest.
double vote_of_all(std::span<const Contender> contenders) {
  double correct = 0, tied = 0;
  for (const Contender& contender : contenders) {
    if (contender.votes < contenders.front().votes) break;
    correct += contender.correct;
    tied += 1;
  }
  return correct / tied;
}

// Whether the tables for every lead up to `largest` take at most so many multiplications.
bool feasible(std::span<const Contender> contenders, std::size_t k, std::size_t largest,
              double max_steps) {
  double steps = 0;
  for (std::size_t lead = 1; lead <= largest; ++lead) {
    std::size_t used = 0, tied = 0;
    for (const Contender& contender : contenders) {
      if (contender.votes < lead) break;
      const double states = static_cast<double>(used + 1) * static_cast<double>(tied + 1);
      steps += 2 * states * static_cast<double>(lead + 1);
      if (steps > max_steps) return false;
      used = std::min(k, used + lead);
      tied = std::min(k / lead, tied + 1);
    }
  }
  return true;
}

}  // namespace

double pass_at_k(std::uint64_t n, std::uint64_t c, std::uint64_t k) {
  check_k(k, n);
  if (c > n) {
    throw std::invalid_argument("at most n = " + std::to_string(n) +
                                " samples can be correct, got c = " + std::to_string(c));
  }
  if (c > n - k) return 1;
  if (c == 0) return 0;  // the sum below would be a negative zero
  // C(n - c, k) / C(n, k) is symmetric in c and k: the product over i < min(c, k) of
  // 1 - max(c, k) / (n - i).
  const auto larger = static_cast<double>(std::max(c, k));
  double log_miss = 0;
  for (std::uint64_t i = 0; i < std::min(c, k) && log_miss > -750; ++i) {
    log_miss += std::log1p(-larger / static_cast<double>(n - i));
  }
  return -std::expm1(log_miss);
}

double best_of_k(std::span<const double> scores, std::span<const double> correct, std::uint64_t k) {
  check_correctness(correct, scores.size());
  for (const double score : scores) {
    if (!std::isfinite(score)) {
      throw std::invalid_argument("a score must be finite, got " + std::to_string(score));
    }
  }
  const std::uint64_t n = scores.size();
  check_k(k, n);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  // From the best score down. With `below` samples not above a score, all k are among them with
  // probability C(below, k) / C(n, k); the fall from group to group is the group's chance to win.
  double expected = 0, not_above = 1;
  std::uint64_t below = n;
  for (std::size_t i = 0; i < n && not_above > 0;) {
    const double score = scores[order[i]];
    double group_correct = 0, members = 0, under = not_above;
    for (; i < n && scores[order[i]] == score; ++i) {
      group_correct += correct[order[i]];
      members += 1;
      under *= below > k ? static_cast<double>(below - k) / static_cast<double>(below) : 0;
      --below;
    }
    expected += (not_above - under) * group_correct / members;
    not_above = under;
  }
  return expected;
}

std::optional<double> exact_maj_at_k(const ClusterShares& clusters, std::uint64_t k,
                                     double max_steps) {
  const std::span<const std::uint64_t> counts = clusters.counts;
  check_correctness(clusters.correct, counts.size());
  const std::uint64_t n =
      std::accumulate(counts.begin(), counts.end(), std::uint64_t{clusters.abstentions});
  check_k(k, n);
  const std::vector<Contender> contenders = contenders_of(clusters);
  if (contenders.empty()) return 0;
  if (k == n) return vote_of_all(contenders);
  const std::size_t largest = std::min<std::size_t>(k, contenders.front().votes);
  if (!feasible(contenders, k, largest, max_steps)) return std::nullopt;

  // Draws without replacement are independent Binomial(votes, p) draws from each cluster, given
  // that they sum to k; p = k / n keeps every factor in range. For each number of votes the leaders
  // may have, clusters too small to have as many can be taken as one with the abstentions.
  const Binomials binomials(n, static_cast<double>(k) / static_cast<double>(n));
  double credit = 0;
  std::vector<double> weights;
  std::size_t in_play = contenders.size();
  for (std::size_t lead = 1; lead <= largest; ++lead) {
    while (contenders[in_play - 1].votes < lead) --in_play;
    LeadTable table(k, lead, in_play);
    std::size_t others = n;
    weights.resize(lead + 1);
    for (const Contender& contender : std::span(contenders).first(in_play)) {
      for (std::size_t u = 0; u <= lead; ++u) weights[u] = binomials(contender.votes, u);
      table.add(weights, contender.correct);
      others -= contender.votes;
    }
    credit += table.sum(binomials, others);
  }
  return std::clamp(credit / binomials(n, k), 0.0, 1.0);
}

}  // namespace orchestrator
