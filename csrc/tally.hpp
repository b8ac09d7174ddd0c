// Votes so far: the state every stopping rule decides from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "answers/cluster.hpp"

namespace orchestrator {

// The cluster that leads by counts: the first with the largest positive count.
std::optional<std::size_t> leading(std::span<const std::uint64_t> counts);

// Grows one sample at a time, in constant time, and can be cleared and used again without
// allocating. Clusters are numbered in first-seen order; of clusters with equal votes the first
// seen leads. Reading from several threads is safe, adding is not.
class Tally {
 public:
  // More samples than this are refused: up to here every count is exact as a double.
  static constexpr std::uint64_t kLargest = std::uint64_t{1} << 53;

  // `planned`: samples that will have been taken at the end, abstentions included; none: open.
  explicit Tally(std::optional<std::uint64_t> planned = std::nullopt) : planned_(planned) {}

  // Counts alone, of samples whose order and scores are not known. A count of 0 never leads. Throws
  // std::invalid_argument when there are more than kLargest samples.
  static Tally of(std::span<const std::uint64_t> counts, std::uint64_t abstentions,
                  std::optional<std::uint64_t> planned);

  // Samples in their order; throws as add() does.
  static Tally of_clusters(std::span<const ClusterId> clusters,
                           std::optional<std::uint64_t> planned);

  // One more sample: a known cluster, the next new one, or kAbstains; anything else throws
  // std::invalid_argument and changes nothing, as does a score that is not finite. `score`: a
  // verifier's, in [0, 1], when there is one; that of an abstention is dropped.
  void add(ClusterId cluster, std::optional<double> score = std::nullopt);

  // Empties it; the plan stays.
  void clear();

  std::span<const std::uint64_t> counts() const { return counts_; }
  std::uint64_t abstentions() const { return abstentions_; }
  std::uint64_t votes() const { return votes_; }                // without abstentions
  std::uint64_t seen() const { return votes_ + abstentions_; }  // with them
  std::optional<std::uint64_t> planned() const { return planned_; }
  std::optional<std::uint64_t> remaining() const;  // at least 0
  std::optional<std::size_t> leader() const { return leader_; }
  std::uint64_t first() const { return leader_ ? counts_[*leader_] : 0; }  // the leader's votes
  std::uint64_t second() const { return second_; }  // the most votes of any other cluster

  // The cluster of each sample as they came; empty for a tally of counts alone.
  std::span<const ClusterId> order() const { return order_; }
  bool has_order() const { return order_.size() == seen(); }
  std::optional<double> best_score() const { return best_score_; }

  bool operator==(const Tally&) const = default;

 private:
  void count(std::size_t cluster);

  std::optional<std::uint64_t> planned_;
  std::vector<std::uint64_t> counts_;
  std::vector<ClusterId> order_;
  std::uint64_t abstentions_ = 0, votes_ = 0, second_ = 0;
  std::optional<std::size_t> leader_;
  std::optional<double> best_score_;
};

}  // namespace orchestrator
