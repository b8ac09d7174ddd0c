#include "replay.hpp"

#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <memory>
#include <tuple>
#include <utility>

#include "arrays.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

std::unique_ptr<Recording> record(const Array<std::uint64_t>& sizes,
                                  const Array<ClusterId>& clusters, const Array<double>& correct,
                                  const std::optional<Array<double>>& scores,
                                  const std::optional<Array<double>>& costs) {
  return std::make_unique<Recording>(
      SampleColumns{view(sizes), view(clusters), view(correct), view(scores), view(costs)});
}

using TierArguments = std::tuple<const Recording*, const StoppingRule*, std::optional<std::size_t>,
                                 std::optional<double>, bool>;

ReplayTotals replay_tiers(const std::vector<TierArguments>& arguments, VoteKind vote,
                          std::uint64_t resamples, std::uint64_t seed, bool shuffle,
                          std::size_t threads) {
  std::vector<Tier> tiers;
  for (const auto& tier : arguments) tiers.push_back(std::make_from_tuple<Tier>(tier));
  const py::gil_scoped_release unlocked;
  return replay(tiers, {vote, resamples, seed, shuffle, threads});
}

ByProblem curve(const Recording& recording, const std::vector<std::uint64_t>& ks, VoteKind vote,
                std::uint64_t resamples, std::uint64_t seed, std::size_t threads) {
  const py::gil_scoped_release unlocked;
  return vote_curve(recording, ks, {vote, resamples, seed, true, threads});
}

}  // namespace

void register_replay(py::module_& module) {
  py::native_enum<VoteKind>(module, "VoteKind", "enum.Enum")
      .value("plurality", VoteKind::plurality)
      .value("weighted", VoteKind::weighted)
      .value("best", VoteKind::best)
      .finalize();
  py::class_<Recording>(module, "Recording", "Recorded samples, checked and copied.")
      .def(py::init(&record), py::arg("sizes"), py::arg("clusters"), py::arg("correct"),
           py::arg("scores"), py::arg("costs"));
  py::class_<ByProblem>(module, "ByProblem", "Mean and variance over resamples, by problem.")
      .def_property_readonly("mean", [](const ByProblem& self) { return to_array(self.mean); })
      .def_property_readonly("variance",
                             [](const ByProblem& self) { return to_array(self.variance); });
  py::class_<ReplayTotals>(module, "ReplayTotals", "What a replay came to, by problem.")
      .def_readonly("correct", &ReplayTotals::correct)
      .def_readonly("samples", &ReplayTotals::samples)
      .def_readonly("costs", &ReplayTotals::costs)
      .def_property_readonly("unanswered",
                             [](const ReplayTotals& self) { return to_array(self.unanswered); })
      .def_property_readonly("ended", [](const ReplayTotals& self) { return to_array(self.ended); })
      .def_property_readonly("fired",
                             [](const ReplayTotals& self) { return to_array(self.fired); });
  module.def("replay", &replay_tiers, py::arg("tiers"), py::kw_only(), py::arg("vote"),
             py::arg("resamples"), py::arg("seed"), py::arg("shuffle"), py::arg("threads"),
             "Replays tiers of (recording, rule, samples, accept, carry).");
  module.def("vote_curve", &curve, py::arg("recording"), py::arg("ks"), py::kw_only(),
             py::arg("vote"), py::arg("resamples"), py::arg("seed"), py::arg("threads"),
             "Votes of the first k samples for several k, in one pass over each order.");
  module.def("draw_order", &draw_order, py::kw_only(), py::arg("seed"), py::arg("problem"),
             py::arg("resample"), py::arg("tier"), py::arg("size"), py::arg("count"),
             "The first samples in the order that a replay draws them.");
}
