#include "answers/cluster.hpp"

#include <cmath>
#include <stdexcept>

namespace orchestrator {

double checked_weight(double weight) {
  if (!std::isfinite(weight) || weight < 0.0)
    throw std::invalid_argument("a weight must be finite and at least 0, not " +
                                std::to_string(weight));
  return weight;
}

ClusterId Clusters::add(const std::optional<std::string_view>& key, double weight) {
  weight_ += checked_weight(weight);
  const std::size_t sample = samples_++;
  if (!key) {
    ++abstentions_;
    return kAbstains;
  }
  auto found = ids_.find(*key);
  if (found == ids_.end()) {
    found = ids_.emplace(*key, static_cast<ClusterId>(members_.size())).first;
    members_.emplace_back();
    weights_.push_back(0.0);
  }
  const auto cluster = static_cast<std::size_t>(found->second);
  members_[cluster].push_back(sample);
  weights_[cluster] += weight;
  return found->second;
}

std::vector<std::size_t> Clusters::sizes() const {
  std::vector<std::size_t> sizes;
  sizes.reserve(members_.size());
  for (const auto& members : members_) sizes.push_back(members.size());
  return sizes;
}

std::vector<ClusterId> cluster(std::span<const std::optional<std::string_view>> keys) {
  Clusters clusters;
  std::vector<ClusterId> ids;
  ids.reserve(keys.size());
  for (const auto& key : keys) ids.push_back(clusters.add(key));
  return ids;
}

}  // namespace orchestrator
