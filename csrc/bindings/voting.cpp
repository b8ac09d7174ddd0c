#include "voting.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <stdexcept>
#include <string>

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

Aggregate aggregate_named(std::string_view name) {
  if (name == "sum") return Aggregate::sum;
  if (name == "mean") return Aggregate::mean;
  if (name == "max") return Aggregate::max;
  throw std::invalid_argument("aggregate must be sum, mean or max, not '" + std::string(name) +
                              "'");
}

}  // namespace

void register_voting(py::module_& module) {
  py::class_<VoteCount>(module, "VoteCount", "How samples voted, by cluster.")
      .def_readonly("leader", &VoteCount::leader)
      .def_readonly("sample", &VoteCount::sample)
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
  module.def(
      "log_weighted_vote",
      [](const std::vector<std::optional<ClusterId>>& clusters,
         const std::vector<double>& log_weights) {
        return log_weighted_vote(ids(clusters), log_weights);
      },
      py::arg("clusters"), py::arg("log_weights"),
      "Samples vote with the exponentials of their log-weights; ValueError for a bad one.");
  module.def(
      "best_of_clusters",
      [](const std::vector<std::optional<ClusterId>>& clusters,
         const std::vector<std::optional<double>>& scores, const std::string& aggregate) {
        return best_of_clusters(ids(clusters), scores, aggregate_named(aggregate));
      },
      py::arg("clusters"), py::arg("scores"), py::kw_only(), py::arg("aggregate"),
      "Clusters compete with the sum, mean or max of their members' scores.");
}
