// When to stop sampling: rules that decide from a tally of votes and nothing else.
#pragma once

#include <cstdint>
#include <span>

#include "tally.hpp"

namespace orchestrator {

// A rule has no state of its own, so one object can serve any number of problems and threads. Asked
// after each sample, it must decide within about a microsecond.
class StoppingRule {
 public:
  virtual ~StoppingRule() = default;
  virtual bool should_stop(const Tally& tally) const = 0;
};

// Whether the leader of `counts` stays the leader whatever the `remaining` samples say.
bool lead_is_safe(std::span<const std::uint64_t> counts, std::uint64_t remaining);

// Whether one of the consecutive, disjoint windows of `size` samples holds one cluster only and no
// abstention; an incomplete last window does not count. Throws std::invalid_argument when size is
// 0.
bool window_agrees(std::span<const ClusterId> clusters, std::size_t size);

}  // namespace orchestrator
