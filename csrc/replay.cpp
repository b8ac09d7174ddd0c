#include "replay.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

#include "parallel.hpp"
#include "random.hpp"
#include "voting.hpp"

namespace orchestrator {
namespace {

void check_length(const char* what, std::size_t length, std::size_t samples) {
  if (length != samples) {
    throw std::invalid_argument(std::to_string(length) + " " + what + " for " +
                                std::to_string(samples) + " samples");
  }
}

[[noreturn]] void refuse(std::size_t problem, std::size_t sample, const std::string& what) {
  throw std::invalid_argument("problem " + std::to_string(problem) + ", sample " +
                              std::to_string(sample) + ": " + what);
}

// A random order of a problem's samples, drawn as far as it is asked for: a partial Fisher-Yates
// shuffle.
class Order {
 public:
  void start(std::size_t size, bool shuffle, RandomStream random) {
    if (positions_.size() < size) {
      const std::size_t known = positions_.size();
      positions_.resize(size);
      std::iota(positions_.begin() + static_cast<std::ptrdiff_t>(known), positions_.end(),
                static_cast<std::uint32_t>(known));
    }
    drawn_.assign(positions_.begin(), positions_.begin() + static_cast<std::ptrdiff_t>(size));
    shuffle_ = shuffle;
    random_ = random;
  }

  // Settles which samples come at places `from` to `to` - 1; to be asked for in sequence.
  void draw(std::size_t from, std::size_t to) {
    if (!shuffle_) return;
    RandomStream random = random_;  // a copy, which the compiler can keep in registers
    std::uint32_t* const drawn = drawn_.data();
    const auto size = static_cast<std::uint32_t>(drawn_.size());
    for (auto i = static_cast<std::uint32_t>(from); i < to; ++i) {
      std::swap(drawn[i], drawn[i + random.below(size - i)]);
    }
    random_ = random;
  }

  std::uint32_t draw(std::size_t i) {
    draw(i, i + 1);
    return drawn_[i];
  }

  std::uint32_t at(std::size_t i) const { return drawn_[i]; }

 private:
  std::vector<std::uint32_t> positions_;  // 0, 1, 2, ...
  std::vector<std::uint32_t> drawn_;
  bool shuffle_ = true;
  RandomStream random_{0, 0};
};

// One sample as it is counted.
struct Drawn {
  std::int32_t cluster;
  double correct;
  std::optional<double> score;
};

Drawn drawn_from(const Recording::Problem& problem, std::uint32_t sample) {
  const auto score = problem.scores.empty() ? std::nullopt : std::optional(problem.scores[sample]);
  return {problem.clusters[sample], problem.correct[sample], score};
}

// The votes of one draw, and what its answer is worth.
class Votes {
 public:
  Votes(VoteKind kind, std::size_t clusters, std::optional<std::uint64_t> planned)
      : kind_(kind), tally_(planned), local_(clusters, kUnseen) {}

  void clear() {
    for (const std::int32_t cluster : seen_) local_[static_cast<std::size_t>(cluster)] = kUnseen;
    seen_.clear();
    answers_.clear();
    totals_.clear();
    best_.reset();
    tally_.clear();
  }

  void add(const Drawn& sample) {
    if (sample.cluster == kAbstains) {
      tally_.add(kAbstains, sample.score);
      return;
    }
    std::int32_t& id = local_[static_cast<std::size_t>(sample.cluster)];
    if (id == kUnseen) {
      id = static_cast<std::int32_t>(seen_.size());
      seen_.push_back(sample.cluster);
      answers_.push_back(sample.correct);
      totals_.push_back(0);
    }
    tally_.add(id, sample.score);
    if (!sample.score) return;
    totals_[static_cast<std::size_t>(id)] += *sample.score;
    if (!best_ || *sample.score > best_->score) best_ = Best{*sample.score, sample.correct};
  }

  const Tally& tally() const { return tally_; }

  // The correctness of the answer, or none when there is no answer.
  std::optional<double> answer() const {
    switch (kind_) {
      case VoteKind::plurality:
        return tally_.leader() ? std::optional(answers_[*tally_.leader()]) : std::nullopt;
      case VoteKind::weighted: {
        const auto leader = heaviest();
        return leader ? std::optional(answers_[*leader]) : std::nullopt;
      }
      case VoteKind::best:
        return best_ ? std::optional(best_->correct) : std::nullopt;
    }
    return std::nullopt;
  }

  // The share of the samples seen that the plurality's leader has.
  double share() const {
    if (tally_.seen() == 0) return 0;
    return static_cast<double>(tally_.first()) / static_cast<double>(tally_.seen());
  }

 private:
  struct Best {
    double score, correct;
  };

  std::optional<std::size_t> heaviest() const {
    const auto largest = std::max_element(totals_.begin(), totals_.end());
    if (largest == totals_.end() || *largest <= 0) return std::nullopt;
    const double enough = *largest * (1 - kTieTolerance);
    const auto first =
        std::find_if(totals_.begin(), totals_.end(), [&](double total) { return total >= enough; });
    return static_cast<std::size_t>(first - totals_.begin());
  }

  static constexpr std::int32_t kUnseen = -1;

  VoteKind kind_;
  Tally tally_;
  std::vector<std::int32_t> local_;  // by cluster: its number in this draw
  std::vector<std::int32_t> seen_;   // clusters as first seen
  std::vector<double> answers_;      // correctness of each one's first member
  std::vector<double> totals_;       // sums of scores
  std::optional<Best> best_;
};

// Mean and variance, value by value (Welford 1962).
class Moments {
 public:
  void add(double value) {
    count_ += 1;
    const double off = value - mean_;
    mean_ += off / count_;
    squares_ += off * (value - mean_);
  }
  void write(ByProblem& totals, std::size_t at) const {
    totals.mean[at] = mean_;
    totals.variance[at] = count_ > 1 ? squares_ / (count_ - 1) : 0;
  }

 private:
  double count_ = 0, mean_ = 0, squares_ = 0;
};

std::size_t samples_of(const Tier& tier, std::size_t problem) {
  return tier.samples.value_or(tier.recording->problem(problem).samples());
}

void check_scores(const Recording& recording, VoteKind vote) {
  if (vote == VoteKind::plurality) return;
  if (!recording.has_scores()) throw std::invalid_argument("this vote needs scores, none recorded");
  if (vote == VoteKind::weighted && recording.lowest_score() < 0) {
    throw std::invalid_argument("a score that is a weight must be at least 0, got " +
                                std::to_string(recording.lowest_score()));
  }
}

void check_samples(const Recording& recording, std::size_t samples) {
  if (samples == 0 || samples > recording.fewest()) {
    throw std::invalid_argument("each problem must have at least 1 and at most the " +
                                std::to_string(recording.fewest()) +
                                " samples recorded drawn, got " + std::to_string(samples));
  }
}

void check_tiers(std::span<const Tier> tiers, const ReplayOptions& options) {
  if (tiers.empty()) throw std::invalid_argument("there must be at least 1 tier");
  if (options.resamples == 0) throw std::invalid_argument("resamples must be at least 1, got 0");
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    const Tier& tier = tiers[i];
    const std::string name = "tier " + std::to_string(i);
    if (tier.recording->problems() != tiers.front().recording->problems()) {
      throw std::invalid_argument(name + " has " + std::to_string(tier.recording->problems()) +
                                  " problems, the first has " +
                                  std::to_string(tiers.front().recording->problems()));
    }
    if (tier.samples) check_samples(*tier.recording, *tier.samples);
    check_scores(*tier.recording, options.vote);
    if (i + 1 < tiers.size() && !tier.rule && !tier.accept) {
      throw std::invalid_argument(name + " can never accept: it has no rule and no share to reach");
    }
    if (tier.accept && !(*tier.accept >= 0 && *tier.accept <= 1)) {
      throw std::invalid_argument(name + " accepts at a share in [0, 1], got " +
                                  std::to_string(*tier.accept));
    }
  }
}

// Replays one problem after another; each thread has its own.
class Replayer {
 public:
  Replayer(std::span<const Tier> tiers, const ReplayOptions& options, ReplayTotals& totals)
      : tiers_(tiers), options_(options), totals_(totals) {}

  void operator()(std::size_t problem) {
    prepare(problem);
    Moments correct, samples, costs;
    double unanswered = 0, fired = 0;
    std::vector<double> ended(tiers_.size());
    for (std::uint64_t resample = 0; resample < options_.resamples; ++resample) {
      const Run run = draw(problem, resample);
      const std::optional<double> answer = votes_[run.tier].answer();
      correct.add(answer.value_or(0));
      samples.add(static_cast<double>(run.samples));
      costs.add(run.cost);
      unanswered += answer ? 0 : 1;
      fired += run.fired ? 1 : 0;
      ended[run.tier] += 1;
    }
    const auto count = static_cast<double>(options_.resamples);
    correct.write(totals_.correct, problem);
    samples.write(totals_.samples, problem);
    costs.write(totals_.costs, problem);
    totals_.unanswered[problem] = unanswered / count;
    totals_.fired[problem] = fired / count;
    for (std::size_t tier = 0; tier < tiers_.size(); ++tier) {
      totals_.ended[problem * tiers_.size() + tier] = ended[tier] / count;
    }
  }

 private:
  struct Run {
    std::size_t tier = 0, samples = 0;
    double cost = 0;
    bool fired = false;
  };

  void prepare(std::size_t problem) {
    std::size_t clusters = 0;
    for (const Tier& tier : tiers_) clusters = std::max(clusters, tier.recording->clusters());
    votes_.clear();
    std::size_t carried = 0;
    for (const Tier& tier : tiers_) {
      const std::size_t own = samples_of(tier, problem);
      carried = tier.carry ? carried + own : own;
      votes_.emplace_back(options_.vote, clusters, carried);
    }
    orders_.resize(tiers_.size());
    taken_.resize(tiers_.size());
  }

  Run draw(std::size_t problem, std::uint64_t resample) {
    Run run;
    for (std::size_t t = 0;; ++t) {
      const Tier& tier = tiers_[t];
      run.tier = t;
      votes_[t].clear();
      if (tier.carry) carry_into(t, problem);
      orders_[t].start(tier.recording->problem(problem).samples(), options_.shuffle,
                       RandomStream(options_.seed, problem, resample, t));
      run.fired = take(t, problem, run);
      const bool accepted = tier.accept ? votes_[t].share() >= *tier.accept : run.fired;
      if (accepted || t + 1 == tiers_.size()) return run;
    }
  }

  // Counts what earlier tiers took, back to the first that started anew, in the order it came.
  void carry_into(std::size_t tier, std::size_t problem) {
    std::size_t from = tier;
    while (from > 0 && tiers_[from].carry) --from;
    for (std::size_t t = from; t < tier; ++t) {
      const Recording::Problem samples = tiers_[t].recording->problem(problem);
      for (std::size_t i = 0; i < taken_[t]; ++i) {
        votes_[tier].add(drawn_from(samples, orders_[t].at(i)));
      }
    }
  }

  // Samples until the rule fires or no more may be taken; whether it fired.
  bool take(std::size_t t, std::size_t problem, Run& run) {
    const Tier& tier = tiers_[t];
    const Recording::Problem recorded = tier.recording->problem(problem);
    const std::size_t most = samples_of(tier, problem);
    std::size_t& taken = taken_[t];
    bool fired = false;
    for (taken = 0; taken < most && !fired;) {
      const std::uint32_t sample = orders_[t].draw(taken++);
      votes_[t].add(drawn_from(recorded, sample));
      if (!recorded.costs.empty()) run.cost += recorded.costs[sample];
      fired = tier.rule && tier.rule->should_stop(votes_[t].tally());
    }
    run.samples += taken;
    return fired;
  }

  std::span<const Tier> tiers_;
  const ReplayOptions& options_;
  ReplayTotals& totals_;
  std::vector<Votes> votes_;
  std::vector<Order> orders_;
  std::vector<std::size_t> taken_;  // samples drawn, by tier
};

// The plurality of every prefix of an order without a branch on who leads. A cluster's key is its
// votes, then how early it was first seen; the leader is the largest key, and the key says where
// its first member came.
class PluralityPrefixes {
 public:
  void start(const Recording::Problem& problem) {
    slots_.clear();
    std::int32_t largest = -1;
    for (const std::int32_t cluster : problem.clusters) {
      slots_.push_back(static_cast<std::uint32_t>(cluster + 1));
      largest = std::max(largest, cluster);
    }
    keys_.assign(static_cast<std::size_t>(largest + 2), 0);
  }

  void clear(const Order& order, std::size_t drawn) {
    for (std::size_t i = 0; i < drawn; ++i) keys_[slots_[order.at(i)]] = 0;
    best_ = 0;
  }

  // Counts the samples at places `from` to `to` - 1 of the order.
  void add(const Order& order, std::size_t from, std::size_t to) {
    const std::uint32_t* const slots = slots_.data();
    std::uint64_t* const keys = keys_.data();
    std::uint64_t best = best_;
    for (std::size_t i = from; i < to; ++i) {
      const std::uint32_t slot = slots[order.at(i)];
      std::uint64_t key = keys[slot];
      key = key ? key + kVote : kVote + (kEarliest - i);
      keys[slot] = key;
      best = std::max(best, slot == kAbstainsSlot ? 0 : key);
    }
    best_ = best;
  }

  // The position at which the leader's first member was drawn.
  std::optional<std::size_t> leader_seen_at() const {
    return best_ ? std::optional<std::size_t>(kEarliest - (best_ & kEarliest)) : std::nullopt;
  }

 private:
  static constexpr std::uint64_t kVote = std::uint64_t{1} << 32, kEarliest = kVote - 1;
  static constexpr std::uint32_t kAbstainsSlot = 0;

  std::vector<std::uint32_t> slots_;  // by sample: its cluster, plus 1
  std::vector<std::uint64_t> keys_;
  std::uint64_t best_ = 0;
};

class Curve {
 public:
  Curve(const Recording& recording, std::span<const std::uint64_t> ks, const ReplayOptions& options,
        ByProblem& totals)
      : recording_(recording),
        ks_(ks),
        options_(options),
        totals_(totals),
        votes_(options.vote, recording.clusters(), std::nullopt) {}

  void operator()(std::size_t problem) {
    const Recording::Problem recorded = recording_.problem(problem);
    sums_.assign(ks_.size(), 0);
    squares_.assign(ks_.size(), 0);
    if (options_.vote == VoteKind::plurality) prefixes_.start(recorded);
    for (std::uint64_t resample = 0; resample < options_.resamples; ++resample) {
      order_.start(recorded.samples(), options_.shuffle,
                   RandomStream(options_.seed, problem, resample));
      if (options_.vote == VoteKind::plurality) {
        plurality(recorded);
      } else {
        by_score(recorded);
      }
    }
    const auto count = static_cast<double>(options_.resamples);
    for (std::size_t i = 0; i < ks_.size(); ++i) {
      const double mean = sums_[i] / count;
      const double left = std::max(0.0, squares_[i] - sums_[i] * mean);
      totals_.mean[problem * ks_.size() + i] = mean;
      totals_.variance[problem * ks_.size() + i] = count > 1 ? left / (count - 1) : 0;
    }
  }

 private:
  void plurality(const Recording::Problem& recorded) {
    std::size_t drawn = 0;
    order_.draw(0, ks_.back());
    for (std::size_t i = 0; i < ks_.size(); ++i) {
      prefixes_.add(order_, drawn, ks_[i]);
      drawn = ks_[i];
      const auto seen_at = prefixes_.leader_seen_at();
      count(i, seen_at ? recorded.correct[order_.at(*seen_at)] : 0);
    }
    prefixes_.clear(order_, drawn);
  }

  void by_score(const Recording::Problem& recorded) {
    votes_.clear();
    std::size_t drawn = 0;
    for (std::size_t i = 0; i < ks_.size(); ++i) {
      for (; drawn < ks_[i]; ++drawn) votes_.add(drawn_from(recorded, order_.draw(drawn)));
      count(i, votes_.answer().value_or(0));
    }
  }

  void count(std::size_t i, double correct) {
    sums_[i] += correct;
    squares_[i] += correct * correct;
  }

  const Recording& recording_;
  std::span<const std::uint64_t> ks_;
  const ReplayOptions& options_;
  ByProblem& totals_;
  Votes votes_;
  Order order_;
  PluralityPrefixes prefixes_;
  std::vector<double> sums_, squares_;
};

ByProblem zeros(std::size_t size) { return {std::vector<double>(size), std::vector<double>(size)}; }

}  // namespace

Recording::Recording(const SampleColumns& columns)
    : offsets_{0},
      correct_(columns.correct.begin(), columns.correct.end()),
      scores_(columns.scores.begin(), columns.scores.end()),
      costs_(columns.costs.begin(), columns.costs.end()) {
  const std::size_t samples = columns.clusters.size();
  check_length("values of correctness", correct_.size(), samples);
  if (has_scores()) check_length("scores", scores_.size(), samples);
  if (has_costs()) check_length("costs", costs_.size(), samples);
  clusters_.reserve(samples);
  for (const std::uint64_t size : columns.sizes) {
    const std::size_t from = offsets_.back(), problem = problems();
    if (size == 0 || size > samples - from || size > std::numeric_limits<std::uint32_t>::max()) {
      throw std::invalid_argument("problem " + std::to_string(problem) + " cannot have " +
                                  std::to_string(size) + " of " + std::to_string(samples) +
                                  " samples");
    }
    for (std::size_t i = from; i < from + size; ++i) {
      const ClusterId cluster = columns.clusters[i];
      if (cluster < kAbstains || cluster >= kMaxClusters) {
        refuse(problem, i - from,
               "cluster " + std::to_string(cluster) + " is not from -1 to " +
                   std::to_string(kMaxClusters - 1));
      }
      if (!(correct_[i] >= 0 && correct_[i] <= 1)) {
        refuse(problem, i - from,
               "correctness must be in [0, 1], got " + std::to_string(correct_[i]));
      }
      for (const auto* column : {&scores_, &costs_}) {
        if (!column->empty() && !std::isfinite((*column)[i])) {
          refuse(problem, i - from,
                 "scores and costs must be finite, got " + std::to_string((*column)[i]));
        }
      }
      clusters_.push_back(static_cast<std::int32_t>(cluster));
      ids_ = std::max(ids_, static_cast<std::size_t>(cluster + 1));
    }
    fewest_ = problem == 0 ? size : std::min<std::size_t>(fewest_, size);
    offsets_.push_back(from + size);
  }
  check_length("samples in the problems", offsets_.back(), samples);
  if (has_scores()) lowest_score_ = *std::min_element(scores_.begin(), scores_.end());
}

Recording::Problem Recording::problem(std::size_t index) const {
  const std::size_t from = offsets_[index], size = offsets_[index + 1] - from;
  const auto cut = [&](const std::vector<double>& column) {
    return column.empty() ? std::span<const double>() : std::span(column).subspan(from, size);
  };
  return {std::span(clusters_).subspan(from, size), cut(correct_), cut(scores_), cut(costs_)};
}

ReplayTotals replay(std::span<const Tier> tiers, const ReplayOptions& options) {
  check_tiers(tiers, options);
  const std::size_t problems = tiers.front().recording->problems();
  ReplayTotals totals{zeros(problems),
                      zeros(problems),
                      zeros(problems),
                      std::vector<double>(problems),
                      std::vector<double>(problems * tiers.size()),
                      std::vector<double>(problems)};
  for_each_index(problems, options.threads, [&] { return Replayer(tiers, options, totals); });
  return totals;
}

ByProblem vote_curve(const Recording& recording, std::span<const std::uint64_t> ks,
                     const ReplayOptions& options) {
  if (options.resamples == 0) throw std::invalid_argument("resamples must be at least 1, got 0");
  if (ks.empty() || !std::is_sorted(ks.begin(), ks.end())) {
    throw std::invalid_argument("ks must be ascending, and at least one");
  }
  check_samples(recording, ks.front());
  check_samples(recording, ks.back());
  check_scores(recording, options.vote);
  ByProblem totals = zeros(recording.problems() * ks.size());
  for_each_index(recording.problems(), options.threads,
                 [&] { return Curve(recording, ks, options, totals); });
  return totals;
}

std::vector<std::uint32_t> draw_order(std::uint64_t seed, std::size_t problem, std::size_t resample,
                                      std::size_t tier, std::uint32_t size, std::uint32_t count) {
  if (count > size) {
    throw std::invalid_argument("cannot draw " + std::to_string(count) + " of " +
                                std::to_string(size) + " samples");
  }
  Order order;
  order.start(size, true, RandomStream(seed, problem, resample, tier));
  std::vector<std::uint32_t> drawn(count);
  for (std::uint32_t i = 0; i < count; ++i) drawn[i] = order.draw(i);
  return drawn;
}

}  // namespace orchestrator
