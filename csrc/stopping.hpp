// When to stop sampling: rules that decide from a tally of votes and nothing else.
#pragma once

#include "tally.hpp"

namespace orchestrator {

// A rule has no state of its own, so one object can serve any number of problems and threads. Asked
// after each sample, it must decide within about a microsecond.
class StoppingRule {
 public:
  virtual ~StoppingRule() = default;
  virtual bool should_stop(const Tally& tally) const = 0;
};

}  // namespace orchestrator
