#include "puct.hpp"

#include <pybind11/stl.h>

#include <optional>
#include <utility>
#include <vector>

#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

void register_puct(py::module_& module) {
  py::class_<Puct>(module, "Puct")
      .def(py::init([](double c_puct, std::uint32_t branching, double widening, bool uniform,
                       bool descend) {
             return Puct({c_puct, branching, widening, uniform, descend});
           }),
           py::kw_only(), py::arg("c_puct"), py::arg("branching"), py::arg("widening"),
           py::arg("uniform") = false, py::arg("descend") = false)
      .def(
          "ask",
          [](Puct& puct, Tree& tree,
             bool only_descents) -> std::optional<std::pair<NodeId, std::uint32_t>> {
            const auto found = puct.ask(tree, only_descents);
            if (!found) return std::nullopt;
            return std::pair(found->node, found->children);
          },
          py::arg("tree"), py::arg("only_descents") = false)
      .def(
          "tell",
          [](Puct& puct, Tree& tree, NodeId node, const std::vector<NodeId>& found,
             std::uint32_t repeats) { puct.tell(tree, node, found, repeats); },
          py::arg("tree"), py::arg("node"), py::arg("found"), py::arg("repeats") = 0)
      .def("estimate", &Puct::estimate, py::arg("tree"), py::arg("node"))
      .def("normalised", &Puct::normalised, py::arg("q"))
      .def("bytes", &Puct::bytes);
}
