#include "tally.hpp"

#include <algorithm>
#include <cmath>
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
  std::uint64_t room = kLargest;
  const auto take = [&](std::uint64_t count) {
    if (count > room) {
      throw std::invalid_argument(
          "a tally holds at most 2^53 samples, got counts that add up to more");
    }
    room -= count;
  };
  take(abstentions);
  Tally tally(planned);
  tally.counts_.assign(counts.begin(), counts.end());
  tally.abstentions_ = abstentions;
  tally.leader_ = leading(counts);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    take(counts[i]);
    tally.votes_ += counts[i];
    if (tally.leader_ != i) tally.second_ = std::max(tally.second_, counts[i]);
  }
  return tally;
}

Tally Tally::of_clusters(std::span<const ClusterId> clusters,
                         std::optional<std::uint64_t> planned) {
  Tally tally(planned);
  tally.order_.reserve(clusters.size());
  for (const ClusterId cluster : clusters) tally.add(cluster);
  return tally;
}

void Tally::add(ClusterId cluster, std::optional<double> score) {
  const auto known = static_cast<ClusterId>(counts_.size());
  if (cluster < kAbstains || cluster > known) {
    throw std::invalid_argument("cluster " + std::to_string(cluster) + " of " +
                                std::to_string(known) + ": the next new one is " +
                                std::to_string(known));
  }
  if (score && !std::isfinite(*score)) {
    throw std::invalid_argument("a score must be a finite number, not " + std::to_string(*score));
  }
  if (has_order()) order_.push_back(cluster);
  if (cluster == kAbstains) {
    ++abstentions_;
    return;
  }
  if (score && (!best_score_ || *score > *best_score_)) best_score_ = score;
  if (cluster == known) counts_.push_back(0);
  count(static_cast<std::size_t>(cluster));
}

void Tally::count(std::size_t cluster) {
  ++votes_;
  const std::uint64_t count = ++counts_[cluster];
  if (leader_ == cluster) return;
  const std::uint64_t lead = first();
  if (!leader_ || count > lead || (count == lead && cluster < *leader_)) {
    second_ = lead;  // whoever led until now is not behind any other
    leader_ = cluster;
  } else {
    second_ = std::max(second_, count);
  }
}

void Tally::clear() {
  counts_.clear();
  order_.clear();
  abstentions_ = votes_ = second_ = 0;
  leader_.reset();
  best_score_.reset();
}

std::optional<std::uint64_t> Tally::remaining() const {
  if (!planned_) return std::nullopt;
  return *planned_ > seen() ? *planned_ - seen() : 0;
}

}  // namespace orchestrator
