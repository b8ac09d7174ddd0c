#include "tally.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace orchestrator {

std::optional<std::size_t> leading(std::span<const std::uint64_t> counts) {
  const auto largest = std::max_element(counts.begin(), counts.end());  // the first of equals
  if (largest == counts.end() || *largest == 0) return std::nullopt;
  return static_cast<std::size_t>(largest - counts.begin());
}

Tally Tally::of(std::span<const std::uint64_t> counts, std::uint64_t abstentions,
                std::optional<std::uint64_t> planned) {
  Tally tally(planned);
  tally.counts_.assign(counts.begin(), counts.end());
  tally.abstentions_ = abstentions;
  for (const std::uint64_t count : counts) tally.votes_ += count;
  tally.leader_ = leading(counts);
  return tally;
}

void Tally::add(ClusterId cluster, std::optional<double> score) {
  const auto known = static_cast<ClusterId>(counts_.size());
  if (cluster < kAbstains || cluster > known) {
    throw std::invalid_argument("cluster " + std::to_string(cluster) + " of " +
                                std::to_string(known) + ": the next new one is " +
                                std::to_string(known));
  }
  if (has_order()) order_.push_back(cluster);
  if (score && (!best_score_ || *score > *best_score_)) best_score_ = score;
  if (cluster == kAbstains) {
    ++abstentions_;
    return;
  }
  const auto at = static_cast<std::size_t>(cluster);
  if (cluster == known) counts_.push_back(0);
  ++votes_;
  const std::uint64_t count = ++counts_[at];
  const std::uint64_t lead = first();
  if (!leader_ || count > lead || (count == lead && at < *leader_)) leader_ = at;
}

void Tally::clear() {
  counts_.clear();
  order_.clear();
  abstentions_ = votes_ = 0;
  leader_.reset();
  best_score_.reset();
}

std::optional<std::uint64_t> Tally::remaining() const {
  if (!planned_) return std::nullopt;
  return *planned_ > seen() ? *planned_ - seen() : 0;
}

std::uint64_t Tally::second() const {
  std::uint64_t second = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (leader_ && i != *leader_) second = std::max(second, counts_[i]);
  }
  return second;
}

}  // namespace orchestrator
