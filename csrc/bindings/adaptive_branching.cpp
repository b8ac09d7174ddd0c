#include "adaptive_branching.hpp"

#include <pybind11/stl.h>

#include <utility>

#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

// The GIL is kept: the tree is Python's, and a decision in one of a thousand nodes takes some
// microseconds.

void register_adaptive_branching(py::module_& module) {
  py::class_<AdaptiveBranching>(module, "AdaptiveBranching")
      .def(py::init<const ScorePrior&, std::uint16_t, std::uint64_t, std::uint32_t>(),
           py::kw_only(), py::arg("prior"), py::arg("arms"), py::arg("seed"), py::arg("max_depth"))
      .def(
          "ask",
          [](AdaptiveBranching& state, Tree& tree) {
            const auto [node, arm] = state.ask(tree);
            return std::pair(node, arm);
          },
          py::arg("tree"))
      .def(
          "tell",
          [](AdaptiveBranching& state, Tree& tree, NodeId node, std::uint16_t arm,
             const std::vector<NodeId>& children) {
            state.tell(tree, {node, arm}, children);
          },
          py::arg("tree"), py::arg("node"), py::arg("arm"), py::arg("children"))
      .def(
          "scores_of_arm",
          [](const AdaptiveBranching& state, std::size_t arm) {
            const ScoreSums& scores = state.scores_of_arm(arm);
            return std::pair(scores.count, scores.sum);
          },
          py::arg("arm"))
      .def("bytes", &AdaptiveBranching::bytes);
}
