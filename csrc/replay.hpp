// What a strategy would have done with samples that are already recorded: many random orders, no
// further call.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "answers/cluster.hpp"
#include "stopping.hpp"

namespace orchestrator {

// Samples of many problems, column by column: `sizes` says how many each problem has, in order.
struct SampleColumns {
  std::span<const std::uint64_t> sizes;
  std::span<const ClusterId>
      clusters;                     // from 0, below kMaxClusters, within a problem; or kAbstains
  std::span<const double> correct;  // of the answer, in [0, 1]
  std::span<const double> scores;   // empty: none were recorded
  std::span<const double> costs;    // empty: none were recorded
};

inline constexpr ClusterId kMaxClusters = ClusterId{1} << 20;

// A checked copy of such columns; immutable, so any number of threads may read it.
class Recording {
 public:
  // Throws std::invalid_argument naming problem and value when a column's length does not match, a
  // cluster or correctness is out of range, or a score or cost is not finite.
  explicit Recording(const SampleColumns& columns);

  struct Problem {
    std::span<const std::int32_t> clusters;
    std::span<const double> correct, scores, costs;
    std::size_t samples() const { return clusters.size(); }
  };

  Problem problem(std::size_t index) const;
  std::size_t problems() const { return offsets_.size() - 1; }
  std::size_t samples() const { return clusters_.size(); }
  std::size_t fewest() const { return fewest_; }  // samples of the problem that has fewest
  std::size_t clusters() const { return ids_; }   // the largest id, plus 1
  bool has_scores() const { return !scores_.empty(); }
  bool has_costs() const { return !costs_.empty(); }
  double lowest_score() const { return lowest_score_; }

 private:
  std::vector<std::size_t> offsets_;
  std::vector<std::int32_t> clusters_;
  std::vector<double> correct_, scores_, costs_;
  std::size_t fewest_ = 0, ids_ = 0;
  double lowest_score_ = 0;
};

enum class VoteKind {
  plurality,  // one vote a sample
  weighted,   // a sample's score is its weight; the largest sum wins
  best,       // the answer with the highest score
};
// Abstentions win no vote; ties go to the cluster, or sample, seen first. The answer of a cluster
// is that of its first member seen. Nothing but abstentions (or weights of 0): no answer, not
// correct.

// One stage of a cascade. A strategy without a cascade is one tier.
struct Tier {
  const Recording* recording = nullptr;
  const StoppingRule* rule = nullptr;  // none: all samples are taken
  std::optional<std::size_t> samples =
      std::nullopt;  // at most so many; none: all that are recorded
  // The answer is accepted when the leader has at least this share of the samples seen, abstentions
  // included; none: when the rule fired. The last tier always accepts.
  std::optional<double> accept = std::nullopt;
  bool carry =
      false;  // whether votes of earlier tiers count here: their clusters must mean the same
};

struct ReplayOptions {
  VoteKind vote = VoteKind::plurality;
  std::uint64_t resamples = 1;
  std::uint64_t seed = 0;
  bool shuffle = true;      // false: the recorded order, which gives one resample
  std::size_t threads = 0;  // 0: as many as the machine has
};

// Mean and variance (of the sample, divisor n - 1; 0 for one value) over resamples, by problem.
struct ByProblem {
  std::vector<double> mean, variance;
};

struct ReplayTotals {
  ByProblem correct, samples, costs;
  std::vector<double> unanswered;  // share of resamples without an answer, by problem
  std::vector<double> ended;       // share of resamples that ended in each tier, problem by problem
  std::vector<double> fired;       // share of resamples whose last rule stopped them
};

// Replays every problem `resamples` times. The order in which a problem's samples come is a
// function of (seed, problem, resample, tier) alone: not of the rule, the vote, the number of
// samples taken, or the threads. So two strategies replayed with one seed are compared on the same
// draws. Throws std::invalid_argument when the tiers do not fit together or a tier asks for more
// samples than a problem has; what a rule throws is thrown again.
ReplayTotals replay(std::span<const Tier> tiers, const ReplayOptions& options);

// Expected correctness of the vote of the first k samples for several `ks` (ascending), from one
// pass over each order; problems x ks, row by row. Equals replay() without a rule of k samples.
ByProblem vote_curve(const Recording& recording, std::span<const std::uint64_t> ks,
                     const ReplayOptions& options);

// The first `count` of `size` samples in the order that replay() draws them.
std::vector<std::uint32_t> draw_order(std::uint64_t seed, std::size_t problem, std::size_t resample,
                                      std::size_t tier, std::uint32_t size, std::uint32_t count);

}  // namespace orchestrator
