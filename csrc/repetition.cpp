#include "repetition.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace orchestrator {
namespace {

constexpr std::size_t kLongestStride = 64;

std::size_t in_range(std::size_t value, std::size_t low, const char* name) {
  if (value >= low && value <= LoopDetector::kLargest) return value;
  throw std::invalid_argument(std::string(name) + " must be in [" + std::to_string(low) + ", " +
                              std::to_string(LoopDetector::kLargest) + "], not " +
                              std::to_string(value));
}

std::uint64_t word_at(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Calls found(p) for p = 1 to `most` where the last `length` bytes before `end` also end p places
// earlier. Most places fail at the first word.
template <typename Found>
void for_each_earlier(const char* end, std::size_t length, std::size_t most, Found found) {
  const char* const last = end - length;
  if (length < sizeof(std::uint64_t)) {
    for (std::size_t p = 1; p <= most; ++p) {
      if (std::memcmp(last - p, last, length) == 0) found(p);
    }
    return;
  }
  const std::uint64_t word = word_at(last);
  for (std::size_t p = 1; p <= most; ++p) {
    if (word_at(last - p) == word && std::memcmp(last - p, last, length) == 0) found(p);
  }
}

}  // namespace

LoopDetector::LoopDetector(std::size_t repeats, std::size_t least, std::size_t longest)
    : repeats_(in_range(repeats, 2, "repeats")),
      least_(in_range(least, 1, "least")),
      longest_(in_range(longest, 1, "longest")) {
  std::size_t shortest = wanted(1);
  for (std::size_t period = 2; period <= longest_; ++period)
    shortest = std::min(shortest, wanted(period));
  stride_ = std::clamp<std::size_t>((shortest + 1) / 2, 1, kLongestStride);
  until_look_ = stride_;
}

std::optional<Loop> LoopDetector::add(std::string_view piece) {
  for (const char byte : piece) {
    if (const auto loop = add_byte(byte)) return loop;
  }
  return std::nullopt;
}

std::optional<Loop> LoopDetector::add_byte(char byte) {
  if (!candidates_.empty()) follow(byte);
  recent_ += byte;
  if (--until_look_ == 0) {
    look_back();
    forget();
    until_look_ = stride_;
  }
  for (const auto& [period, run] : candidates_) {
    if (run >= wanted(period)) return Loop{period, period + run};
  }
  return std::nullopt;
}

// Lengthens the runs that go on with `byte` and drops the others.
void LoopDetector::follow(char byte) {
  std::erase_if(candidates_, [&](Candidate& candidate) {
    ++candidate.run;
    return recent_[recent_.size() - candidate.period] != byte;
  });
}

// Finds the runs that have begun since the last look, at least a stride long.
void LoopDetector::look_back() {
  if (recent_.size() <= stride_) return;
  const std::size_t known = candidates_.size();
  const char* const end = recent_.data() + recent_.size();
  for_each_earlier(end, stride_, std::min(longest_, recent_.size() - stride_), [&](std::size_t p) {
    const auto first = candidates_.begin();
    const auto last = first + static_cast<std::ptrdiff_t>(known);
    if (!std::ranges::binary_search(first, last, p, {}, &Candidate::period))
      candidates_.push_back({p, run_of(p)});
  });
  if (candidates_.size() > known) std::ranges::sort(candidates_, {}, &Candidate::period);
}

// How many of the last bytes equal those `period` places before them. A run of two strides has been
// a candidate since the last look, so that what was forgotten does not matter.
std::size_t LoopDetector::run_of(std::size_t period) const {
  std::size_t run = 0, at = recent_.size();
  while (at > period && recent_[at - 1] == recent_[at - 1 - period]) ++run, --at;
  return run;
}

std::size_t LoopDetector::wanted(std::size_t period) const {
  return std::max(period * repeats_, least_) - period;
}

// Keeps what a candidate of the longest period may still be compared with.
void LoopDetector::forget() {
  const std::size_t needed = longest_ + 2 * stride_;
  if (recent_.size() > 2 * needed + kLongestStride) recent_.erase(0, recent_.size() - needed);
}

}  // namespace orchestrator
