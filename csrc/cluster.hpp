// Equal answers are one answer: clusters by key, numbered in the order their first member was seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace orchestrator {

using ClusterId = std::int64_t;
inline constexpr ClusterId kAbstains = -1;

// Grows one sample at a time. Samples are numbered from 0, abstentions included.
class Clusters {
 public:
  // The cluster of a sample with this key, made if it is new; kAbstains for a sample without one.
  ClusterId add(const std::optional<std::string_view>& key);

  std::size_t samples() const { return samples_; }
  std::size_t abstentions() const { return abstentions_; }
  std::vector<std::size_t> sizes() const;
  const std::vector<std::vector<std::size_t>>& members() const { return members_; }

 private:
  // Looks keys up as views, without a copy of each.
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  std::unordered_map<std::string, ClusterId, Hash, std::equal_to<>> ids_;
  std::vector<std::vector<std::size_t>> members_;  // sample numbers by cluster
  std::size_t samples_ = 0, abstentions_ = 0;
};

// The cluster of each key; kAbstains where there is none.
std::vector<ClusterId> cluster(std::span<const std::optional<std::string_view>> keys);

}  // namespace orchestrator
