#include "group_confidence.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace orchestrator {

namespace {

constexpr double kRounding = 1e-6;  // by how much single precision may put a logarithm above 0
constexpr double kLargest = 1e290;  // sums of them stay where pairs of doubles are exact

void check_window(std::size_t window) {
  if (window == 0) throw std::invalid_argument("window must be at least 1, not 0");
}

void check_confidence(double confidence) {
  if (!(confidence >= 0 && confidence <= kLargest)) {
    throw std::invalid_argument("a token's confidence must be in [0, 1e290], not " +
                                std::to_string(confidence));
  }
}

double mean_of(const DoubleDouble& sum, std::size_t count) {
  return (sum / DoubleDouble(static_cast<double>(count))).high;
}

}  // namespace

std::optional<double> token_confidence(std::span<const double> top_logprobs) {
  DoubleDouble sum;
  std::size_t known = 0;
  for (const double logprob : top_logprobs) {
    if (logprob == -std::numeric_limits<double>::infinity()) continue;
    if (!(logprob <= kRounding && logprob >= -kLargest)) return std::nullopt;
    sum = sum + DoubleDouble(logprob);
    ++known;
  }
  if (known == 0) return std::nullopt;
  return std::max(0.0, -mean_of(sum, known));
}

GroupConfidence::GroupConfidence(std::size_t window) : window_(window) { check_window(window); }

void GroupConfidence::feed(std::span<const double> confidences) {
  std::ranges::for_each(confidences, check_confidence);
  for (const double confidence : confidences) add(confidence);
}

void GroupConfidence::add(double confidence) {
  const DoubleDouble value(confidence);
  block_.push_back(confidence);
  begun_ = begun_ + value;
  total_ = total_ + value;
  ++tokens_;
  if (!full()) {
    current_ = mean_of(begun_, tokens_);
    return;
  }
  const std::size_t begun = block_.size();
  current_ = mean_of(begun < ends_.size() ? ends_[begun] + begun_ : begun_, window_);
  lowest_ = std::min(lowest_, current_);
  if (begun < window_) return;
  ends_.resize(window_);
  DoubleDouble sum;
  for (std::size_t i = window_; i-- > 0;) ends_[i] = sum = DoubleDouble(block_[i]) + sum;
  block_.clear();
  begun_ = {};
}

double GroupConfidence::mean() const { return tokens_ == 0 ? 0 : mean_of(total_, tokens_); }

std::vector<double> group_confidences(std::span<const double> confidences, std::size_t window) {
  if (confidences.empty()) throw std::invalid_argument("groups of no tokens have no confidence");
  GroupConfidence groups(window);
  std::vector<double> found;
  for (const double& confidence : confidences) {
    groups.feed({&confidence, 1});
    if (groups.full()) found.push_back(groups.current());
  }
  if (found.empty()) found.push_back(groups.current());
  return found;
}

double bottom_confidence(std::span<const double> confidences, std::size_t window, double share) {
  if (!(share > 0 && share <= 1)) {
    throw std::invalid_argument("share must be in (0, 1], not " + std::to_string(share));
  }
  std::vector<double> groups = group_confidences(confidences, window);
  // A share such as 0.7 of ten groups is meant to be seven, whatever 0.7 is as a double.
  const double wanted = std::floor(share * static_cast<double>(groups.size()) + 1e-9);
  const std::size_t count =
      std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, groups.size());
  std::nth_element(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(count - 1),
                   groups.end());
  DoubleDouble sum;
  for (std::size_t i = 0; i < count; ++i) sum = sum + DoubleDouble(groups[i]);
  return mean_of(sum, count);
}

}  // namespace orchestrator
