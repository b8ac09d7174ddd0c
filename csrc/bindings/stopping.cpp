#include "stopping.hpp"

#include <pybind11/stl.h>

#include <algorithm>

#include "posterior.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

// The GIL is kept: at 10 ns a vote these calls are over before it could be handed on.
std::vector<ClusterId> ids(const std::vector<std::optional<ClusterId>>& clusters) {
  std::vector<ClusterId> result(clusters.size());
  std::transform(clusters.begin(), clusters.end(), result.begin(),
                 [](const std::optional<ClusterId>& id) { return id.value_or(kAbstains); });
  return result;
}

}  // namespace

void register_stopping(py::module_& module) {
  module.def(
      "leading", [](const std::vector<std::uint64_t>& counts) { return leading(counts); },
      py::arg("counts"), "The first cluster with the largest positive count, or None.");
  module.def(
      "lead_is_safe",
      [](const std::vector<std::uint64_t>& counts, std::uint64_t remaining) {
        return lead_is_safe(counts, remaining);
      },
      py::arg("counts"), py::kw_only(), py::arg("remaining"),
      "Whether the leader stays so whatever is still to come.");
  module.def(
      "top_two_posterior",
      [](const std::vector<std::uint64_t>& counts) { return top_two_posterior(counts); },
      py::arg("counts"), "P(p > 1/2) under Beta(v1 + 1, v2 + 1) of the two largest counts.");
  module.def(
      "window_agrees",
      [](const std::vector<std::optional<ClusterId>>& clusters, std::size_t size) {
        return window_agrees(ids(clusters), size);
      },
      py::arg("clusters"), py::kw_only(), py::arg("size"),
      "Whether one disjoint window of `size` samples agrees.");
}
