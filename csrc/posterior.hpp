// How surely the leader of a vote is the most frequent answer.
#pragma once

#include <cstdint>
#include <span>

namespace orchestrator {

// P(p > 1/2) for p ~ Beta(first + 1, second + 1): the probability, after `first` votes for the
// leader and `second` for the runner-up under a uniform prior, that the leader is the more frequent
// of the two.
double beta_posterior(std::uint64_t first, std::uint64_t second);

// The same for the two largest of `counts` (0 where there are fewer).
double top_two_posterior(std::span<const std::uint64_t> counts);

}  // namespace orchestrator
