#include "stopping.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace orchestrator {

bool lead_is_safe(std::span<const std::uint64_t> counts, std::uint64_t remaining) {
  const auto leader = leading(counts);
  if (!leader) return false;
  // The best any challenger can do is to get every remaining sample, and the leader none. It then
  // overtakes if it has more votes, or as many and was seen earlier. A cluster not seen yet starts
  // at 0 and comes last. Conversely, if no challenger overtakes so, none does in any other course:
  // its total can only be smaller and the leader's only larger. So comparing these cases decides
  // exactly.
  const std::uint64_t lead = counts[*leader];
  if (lead < remaining) return false;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i == *leader) continue;
    const std::uint64_t ahead = lead - counts[i];
    if (i < *leader ? ahead <= remaining : ahead < remaining) return false;
  }
  return true;
}

bool window_agrees(std::span<const ClusterId> clusters, std::size_t size) {
  if (size == 0) throw std::invalid_argument("a window must hold at least 1 sample, got size 0");
  for (; clusters.size() >= size; clusters = clusters.subspan(size)) {
    const auto window = clusters.first(size);
    const bool one =
        std::adjacent_find(window.begin(), window.end(), std::not_equal_to<>{}) == window.end();
    if (one && window.front() != kAbstains) return true;
  }
  return false;
}

}  // namespace orchestrator
