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

// A sample's weight, if it is finite and at least 0; throws std::invalid_argument otherwise.
double checked_weight(double weight);

// Grows one sample at a time. Samples are numbered from 0, abstentions included.
class Clusters {
 public:
  // The cluster of a sample with this key, made if it is new; kAbstains for a sample without one.
  // Throws std::invalid_argument for a weight that is negative or not finite, and adds nothing.
  ClusterId add(const std::optional<std::string_view>& key, double weight = 1.0);

  std::size_t samples() const { return samples_; }
  std::size_t abstentions() const { return abstentions_; }
  // The weight of all samples, abstentions included.
  double weight() const { return weight_; }
  std::vector<std::size_t> sizes() const;
  const std::vector<double>& weights() const { return weights_; }
  const std::vector<std::vector<std::size_t>>& members() const { return members_; }

 private:
  // Looks keys up as views, without a copy of each.
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  std::unordered_map<std::string, ClusterId, Hash, std::equal_to<>> ids_;
  std::vector<std::vector<std::size_t>> members_;  // sample numbers by cluster
  std::vector<double> weights_;                    // by cluster
  std::size_t samples_ = 0, abstentions_ = 0;
  double weight_ = 0.0;
};

// The cluster of each key; kAbstains where there is none.
std::vector<ClusterId> cluster(std::span<const std::optional<std::string_view>> keys);

}  // namespace orchestrator
