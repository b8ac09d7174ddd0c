// When to stop sampling: rules that decide from a tally of votes and nothing else.
//
// Constructors throw std::invalid_argument for a parameter outside its range, naming it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "posterior.hpp"
#include "tally.hpp"

namespace orchestrator {

// A rule has no state of its own, so one object can serve any number of problems and threads. Asked
// after each sample, it must decide within about a microsecond.
class StoppingRule {
 public:
  virtual ~StoppingRule() = default;
  virtual bool should_stop(const Tally& tally) const = 0;
};

// Whether the leader of `counts` stays the leader whatever the `remaining` samples say.
bool lead_is_safe(std::span<const std::uint64_t> counts, std::uint64_t remaining);

// Whether one of the consecutive, disjoint windows of `size` samples holds one cluster only and no
// abstention; an incomplete last window does not count. Throws std::invalid_argument when size is
// 0.
bool window_agrees(std::span<const ClusterId> clusters, std::size_t size);

// The entropy of the votes over that of as many equal clusters: in [0, 1]; 0 for fewer than two
// clusters with votes.
double normalized_entropy(std::span<const std::uint64_t> counts);

// When the planned samples are in; an open plan never ends.
class FixedSize final : public StoppingRule {
 public:
  bool should_stop(const Tally& tally) const override;
};

// When the leader cannot be overtaken by the planned samples still to come.
class LeadStop final : public StoppingRule {
 public:
  bool should_stop(const Tally& tally) const override;
};

// When P(the leader is more frequent than the runner-up) >= confidence, in (0, 1).
class BetaStop final : public StoppingRule {
 public:
  explicit BetaStop(double confidence);
  bool should_stop(const Tally& tally) const override;
  double posterior(const Tally& tally) const;

 private:
  double confidence_;
};

// When P(the leader is the most frequent of all) >= confidence, in (0, 1); see ModePosterior.
class DirichletStop final : public StoppingRule {
 public:
  DirichletStop(double confidence, double prior, std::int64_t unseen);
  bool should_stop(const Tally& tally) const override;
  double posterior(const Tally& tally) const { return posterior_(tally); }

 private:
  double confidence_;
  ModePosterior posterior_;
};

// When a window of `size` >= 1 samples agrees. Needs the order of the samples: should_stop throws
// std::invalid_argument without it.
class WindowStop final : public StoppingRule {
 public:
  explicit WindowStop(std::int64_t size);
  bool should_stop(const Tally& tally) const override;

 private:
  std::uint64_t size_;
};

// When the leader has at least `threshold`, in (0, 1], of all samples, abstentions included, and
// there are at least `at_least` of them.
class MajorityStop final : public StoppingRule {
 public:
  MajorityStop(double threshold, std::int64_t at_least);
  bool should_stop(const Tally& tally) const override;

 private:
  double threshold_;
  std::uint64_t at_least_;
};

// When the normalized entropy of the votes is at most `threshold`, in [0, 1], and there are at
// least `at_least` >= 1 votes.
class EntropyStop final : public StoppingRule {
 public:
  EntropyStop(double threshold, std::int64_t at_least);
  bool should_stop(const Tally& tally) const override;

 private:
  double threshold_;
  std::uint64_t at_least_;
};

// When a sample has scored at least `threshold`, finite.
class ScoreStop final : public StoppingRule {
 public:
  explicit ScoreStop(double threshold);
  bool should_stop(const Tally& tally) const override;

 private:
  double threshold_;
};

// When the last `samples` >= 1 samples changed neither the leader nor, by more than `tolerance`, in
// [0, 1], its share of all samples. Needs the order of the samples, as WindowStop does.
class ConvergenceStop final : public StoppingRule {
 public:
  ConvergenceStop(std::int64_t samples, double tolerance);
  bool should_stop(const Tally& tally) const override;

 private:
  std::uint64_t samples_;
  double tolerance_;
};

// Stops when the leader will probably still lead after the planned samples, by a model fitted to
// recorded runs: P(it stays) = sigmoid(bias + evidence * e + lead * d), with e = -ln(1 - P(p >
// 1/2)) for p ~ Beta(v1 + 1, v2 + 1), at most kMostEvidence, and d = (v1 - v2) / sqrt(r + 1) for r
// samples to come. A lead that cannot be lost stays with probability 1.
class LearnedStop final : public StoppingRule {
 public:
  static constexpr double kMostEvidence = 40;  // beyond it 1 - P is less than a double can tell

  static constexpr double kLargestWeight = 1e100;  // sums of larger ones may overflow

  LearnedStop(double confidence, double bias, double evidence, double lead);
  bool should_stop(const Tally& tally) const override;

  // P(the leader stays); 0 when nothing leads or the plan is open.
  double stays(const Tally& tally) const;

 private:
  double confidence_, bias_, evidence_, lead_;
};

// When no number of further samples, up to `lookahead` votes for the leader and the runner-up,
// gains as much as it costs. `price` of a sample, above 0, in units of the value of a right answer.
class ValueOfSample final : public StoppingRule {
 public:
  static constexpr std::int64_t kLongestLookahead = 1000;

  ValueOfSample(double price, double prior, std::int64_t lookahead);
  bool should_stop(const Tally& tally) const override;

  // The largest gain less cost, over the numbers of votes looked ahead to; 0 when nothing pays.
  double net_gain(const Tally& tally) const;

 private:
  template <typename Visit>
  void look_ahead(const Tally& tally, Visit visit) const;

  double price_;
  PairPosterior pair_;
  std::uint64_t lookahead_;
};

using Rules = std::vector<std::shared_ptr<const StoppingRule>>;

// When one of the rules, at least one, says so.
class AnyOf final : public StoppingRule {
 public:
  explicit AnyOf(Rules rules);
  bool should_stop(const Tally& tally) const override;

 private:
  Rules rules_;
};

// When all of the rules, at least one, say so.
class AllOf final : public StoppingRule {
 public:
  explicit AllOf(Rules rules);
  bool should_stop(const Tally& tally) const override;

 private:
  Rules rules_;
};

// When the rule says so and there are at least n samples, abstentions included.
class After final : public StoppingRule {
 public:
  After(std::int64_t n, std::shared_ptr<const StoppingRule> rule);
  bool should_stop(const Tally& tally) const override;

 private:
  std::uint64_t n_;
  std::shared_ptr<const StoppingRule> rule_;
};

}  // namespace orchestrator
