#include "cluster.hpp"

namespace orchestrator {

ClusterId Clusters::add(const std::optional<std::string_view>& key) {
  const std::size_t sample = samples_++;
  if (!key) {
    ++abstentions_;
    return kAbstains;
  }
  auto found = ids_.find(*key);
  if (found == ids_.end()) {
    found = ids_.emplace(*key, static_cast<ClusterId>(members_.size())).first;
    members_.emplace_back();
  }
  members_[static_cast<std::size_t>(found->second)].push_back(sample);
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
