#include "voting.hpp"

#include <pybind11/stl.h>

#include <algorithm>

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

void register_voting(py::module_& module) {
  py::class_<VoteCount>(module, "VoteCount", "How samples voted, by cluster.")
      .def_readonly("leader", &VoteCount::leader)
      .def_readonly("share", &VoteCount::share)
      .def_readonly("margin", &VoteCount::margin)
      .def_readonly("tied", &VoteCount::tied)
      .def_readonly("abstentions", &VoteCount::abstentions)
      .def_readonly("counts", &VoteCount::counts)
      .def_readonly("totals", &VoteCount::totals);
  module.def(
      "majority_vote",
      [](const std::vector<std::optional<ClusterId>>& clusters) {
        return majority_vote(ids(clusters));
      },
      py::arg("clusters"), "One vote a sample.");
  module.def(
      "weighted_vote",
      [](const std::vector<std::optional<ClusterId>>& clusters,
         const std::vector<double>& weights) { return weighted_vote(ids(clusters), weights); },
      py::arg("clusters"), py::arg("weights"),
      "Samples vote with their weights; ValueError for a bad one.");
}
