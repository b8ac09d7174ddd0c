#include "stopping.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace orchestrator {
namespace {

template <typename Value>
void require(bool holds, const char* what, Value value) {
  if (holds) return;
  std::ostringstream message;
  message << what << ", not " << value;
  throw std::invalid_argument(message.str());
}

void require_order(const Tally& tally) {
  if (tally.has_order()) return;
  throw std::invalid_argument(
      "the rule needs the order of the samples, and this tally has counts alone: make it with "
      "Tally.of_clusters([...]) or Tally.add(...)");
}

Rules checked(Rules rules) {
  if (rules.empty()) throw std::invalid_argument("rules must hold at least 1 rule, not none");
  return rules;
}

double as_double(std::uint64_t count) { return static_cast<double>(count); }

}  // namespace

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

double normalized_entropy(std::span<const std::uint64_t> counts) {
  double votes = 0, clusters = 0, sum = 0;  // of c log c
  for (const std::uint64_t count : counts) {
    if (count == 0) continue;
    const double c = as_double(count);
    votes += c;
    clusters += 1;
    if (count > 1) sum += c * std::log(c);
  }
  if (clusters < 2) return 0;
  return std::clamp((std::log(votes) - sum / votes) / std::log(clusters), 0.0, 1.0);
}

bool FixedSize::should_stop(const Tally& tally) const {
  return tally.remaining() == std::uint64_t{0};
}

bool LeadStop::should_stop(const Tally& tally) const {
  const auto remaining = tally.remaining();
  return remaining && tally.first() >= *remaining && lead_is_safe(tally.counts(), *remaining);
}

BetaStop::BetaStop(double confidence) : confidence_(confidence) {
  require(confidence > 0 && confidence < 1, "confidence must be in (0, 1)", confidence);
}

double BetaStop::posterior(const Tally& tally) const {
  return beta_posterior(tally.first(), tally.second());
}

bool BetaStop::should_stop(const Tally& tally) const {
  return tally.leader() && posterior(tally) >= confidence_;
}

DirichletStop::DirichletStop(double confidence, double prior, std::int64_t unseen)
    : confidence_(confidence), posterior_(prior, unseen) {
  require(confidence > 0 && confidence < 1, "confidence must be in (0, 1)", confidence);
}

bool DirichletStop::should_stop(const Tally& tally) const {
  return tally.leader() && posterior_.reaches(tally, confidence_);
}

WindowStop::WindowStop(std::int64_t size) : size_(static_cast<std::uint64_t>(size)) {
  require(size >= 1, "size must be at least 1 sample in a window", size);
}

bool WindowStop::should_stop(const Tally& tally) const {
  require_order(tally);
  return window_agrees(tally.order(), size_);
}

MajorityStop::MajorityStop(double threshold, std::int64_t at_least)
    : threshold_(threshold), at_least_(static_cast<std::uint64_t>(at_least)) {
  require(threshold > 0 && threshold <= 1, "threshold must be in (0, 1]", threshold);
  require(at_least >= 1, "at_least must be at least 1 sample", at_least);
}

bool MajorityStop::should_stop(const Tally& tally) const {
  return tally.seen() >= at_least_ &&
         as_double(tally.first()) / as_double(tally.seen()) >= threshold_;
}

EntropyStop::EntropyStop(double threshold, std::int64_t at_least)
    : threshold_(threshold), at_least_(static_cast<std::uint64_t>(at_least)) {
  require(threshold >= 0 && threshold <= 1, "threshold must be in [0, 1]", threshold);
  require(at_least >= 1, "at_least must be at least 1 vote", at_least);
}

bool EntropyStop::should_stop(const Tally& tally) const {
  return tally.votes() >= at_least_ && normalized_entropy(tally.counts()) <= threshold_;
}

ScoreStop::ScoreStop(double threshold) : threshold_(threshold) {
  require(std::isfinite(threshold), "threshold must be a finite number", threshold);
}

bool ScoreStop::should_stop(const Tally& tally) const {
  return tally.best_score() && *tally.best_score() >= threshold_;
}

ConvergenceStop::ConvergenceStop(std::int64_t samples, double tolerance)
    : samples_(static_cast<std::uint64_t>(samples)), tolerance_(tolerance) {
  require(samples >= 1, "samples must be at least 1", samples);
  require(tolerance >= 0 && tolerance <= 1, "tolerance must be in [0, 1]", tolerance);
}

bool ConvergenceStop::should_stop(const Tally& tally) const {
  require_order(tally);
  if (tally.seen() <= samples_ || !tally.leader()) return false;
  // Walks back from the last sample, taking every vote back. Going back clusters only lose votes,
  // so that another can come to lead only where the leader loses one.
  thread_local std::vector<std::uint64_t> counts;
  counts.assign(tally.counts().begin(), tally.counts().end());
  const std::size_t leader = *tally.leader();
  static constexpr double kRounding = 1e-12;  // 0.4 - 0.3 is within 0.1
  double least = 1, most = 0;
  std::uint64_t seen = tally.seen();
  for (std::uint64_t back = 0;; ++back) {
    const double share = as_double(counts[leader]) / as_double(seen);
    least = std::min(least, share);
    most = std::max(most, share);
    if (most - least > tolerance_ + kRounding) return false;
    if (back == samples_) return true;
    const ClusterId last = tally.order()[--seen];
    if (last == kAbstains) continue;
    const auto cluster = static_cast<std::size_t>(last);
    --counts[cluster];
    if (cluster == leader && leading(counts) != leader) return false;
  }
}

LearnedStop::LearnedStop(double confidence, double bias, double evidence, double lead)
    : confidence_(confidence), bias_(bias), evidence_(evidence), lead_(lead) {
  require(confidence > 0 && confidence <= 1, "confidence must be in (0, 1]", confidence);
  const auto weighs = [](double weight) { return std::abs(weight) <= kLargestWeight; };
  require(weighs(bias), "bias must be in [-1e100, 1e100]", bias);
  require(weighs(evidence), "evidence must be in [-1e100, 1e100]", evidence);
  require(weighs(lead), "lead must be in [-1e100, 1e100]", lead);
}

double LearnedStop::stays(const Tally& tally) const {
  const auto remaining = tally.remaining();
  if (!tally.leader() || !remaining) return 0;
  if (lead_is_safe(tally.counts(), *remaining)) return 1;
  const double doubt = 1 - beta_posterior(tally.first(), tally.second());
  const double evidence = std::min(kMostEvidence, -std::log(doubt));
  const double lead = static_cast<double>(tally.first() - tally.second()) /
                      std::sqrt(static_cast<double>(*remaining) + 1);
  return 1 / (1 + std::exp(-(bias_ + evidence_ * evidence + lead_ * lead)));
}

bool LearnedStop::should_stop(const Tally& tally) const {
  return tally.leader() && stays(tally) >= confidence_;
}

ValueOfSample::ValueOfSample(double price, double prior, std::int64_t lookahead)
    : price_(price), pair_(prior), lookahead_(static_cast<std::uint64_t>(lookahead)) {
  require(price > 0 && std::isfinite(price), "price must be above 0 and finite", price);
  require(lookahead >= 1 && lookahead <= kLongestLookahead,
          "lookahead must be at least 1 vote and at most 1000", lookahead);
}

// Calls visit(gain, cost) for each number of votes that could change the leader until it returns
// false.
//
// Only the leader and the runner-up contend. Of m votes between them k go to the leader with a
// beta-binomial probability; the right choice among the two afterwards is the one ahead. What is
// gained is E[max(P, 1 - P)] - P now: as E[P] is P now, that is the sum of (1 - 2 P) over the k
// that turn the order round, fewer than (m - d) / 2 with d the lead. With m - d even the last vote
// can at most make a tie, where both choices are worth the same: such an m gains no more than m
// - 1. So m - d is odd for those looked at: d + 1, d + 3, d + 7, d + 15, ..., with steps that
// double.
//
// A sample says one of the two with the posterior mean of their frequencies, all others and
// abstentions counted against it; m votes cost m / that many samples.
template <typename Visit>
void ValueOfSample::look_ahead(const Tally& tally, Visit visit) const {
  const std::uint64_t first = tally.first(), second = tally.second();
  const double prior = pair_.prior();
  const double a = as_double(first) + prior, b = as_double(second) + prior;
  const double others = as_double(tally.seen() - first - second) +
                        prior * as_double(std::max<std::size_t>(tally.counts().size(), 2) - 2);
  const double cost_of_vote = price_ * (a + b + others) / (a + b);
  const std::uint64_t lead = first - second;
  const auto remaining = tally.remaining();
  const std::uint64_t most = remaining ? std::min(lookahead_, *remaining) : lookahead_;
  double none = 1;  // P(none of m votes goes to the leader)
  std::uint64_t votes = 0;
  for (std::uint64_t m = lead + 1, step = 2; m <= most; m += step, step *= 2) {
    for (; votes < m; ++votes) none *= (b + as_double(votes)) / (a + b + as_double(votes));
    double probability = none, gain = 0;
    for (std::uint64_t k = 0; first + k < second + m - k; ++k) {
      gain += probability * (1 - 2 * pair_(first + k, second + m - k));
      const double left = as_double(m - k);
      probability *= left / as_double(k + 1) * (a + as_double(k)) / (b + left - 1);
    }
    if (!visit(gain, cost_of_vote * as_double(m))) return;
  }
}

bool ValueOfSample::should_stop(const Tally& tally) const {
  if (tally.seen() == 0) return false;
  // Not even certainty, from the fewest votes that could change anything, would be worth its price.
  const std::uint64_t lead = tally.first() - tally.second();
  if (1 - pair_(tally.first(), tally.second()) <= price_ * as_double(lead + 1)) return true;
  bool pays = false;
  look_ahead(tally, [&](double gain, double cost) { return !(pays = gain > cost); });
  return !pays;
}

double ValueOfSample::net_gain(const Tally& tally) const {
  double best = 0;
  look_ahead(tally, [&](double gain, double cost) {
    best = std::max(best, gain - cost);
    return true;
  });
  return best;
}

AnyOf::AnyOf(Rules rules) : rules_(checked(std::move(rules))) {}

bool AnyOf::should_stop(const Tally& tally) const {
  return std::any_of(rules_.begin(), rules_.end(),
                     [&](const auto& rule) { return rule->should_stop(tally); });
}

AllOf::AllOf(Rules rules) : rules_(checked(std::move(rules))) {}

bool AllOf::should_stop(const Tally& tally) const {
  return std::all_of(rules_.begin(), rules_.end(),
                     [&](const auto& rule) { return rule->should_stop(tally); });
}

After::After(std::int64_t n, std::shared_ptr<const StoppingRule> rule)
    : n_(static_cast<std::uint64_t>(n)), rule_(std::move(rule)) {
  require(n >= 1, "n must be at least 1 sample", n);
}

bool After::should_stop(const Tally& tally) const {
  return tally.seen() >= n_ && rule_->should_stop(tally);
}

}  // namespace orchestrator
