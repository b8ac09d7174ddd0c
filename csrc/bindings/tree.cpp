#include "tree.hpp"

#include <pybind11/stl.h>

#include <limits>
#include <optional>

#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

std::optional<double> known(double value) {
  return value == value ? std::optional<double>(value) : std::nullopt;
}

std::optional<NodeId> parent(const Tree& tree, NodeId node) {
  tree.check(node);
  return node == kRoot ? std::nullopt : std::optional<NodeId>(tree.parent(node));
}

double number(std::optional<double> value) {
  return value.value_or(std::numeric_limits<double>::quiet_NaN());
}

// A column of a node, after the node's number has been checked.
template <auto Column>
auto column(const Tree& tree, NodeId node) {
  tree.check(node);
  return (tree.*Column)(node);
}

}  // namespace

void register_tree(py::module_& module) {
  py::class_<Tree>(module, "Tree")
      .def(py::init<>())
      .def("__len__", &Tree::size)
      .def(
          "add_node",
          [](Tree& tree, NodeId parent, std::optional<double> value, double prior,
             std::uint64_t tokens, bool complete, std::uint16_t arm) {
            return tree.add(parent, {number(value), prior, tokens, arm, complete});
          },
          py::arg("parent"), py::kw_only(), py::arg("value") = py::none(), py::arg("prior") = 1.0,
          py::arg("tokens") = 0, py::arg("complete") = false, py::arg("arm") = 0)
      .def("parent", &parent, py::arg("node"))
      .def("children", &Tree::children, py::arg("node"))
      .def("child_count", &column<&Tree::child_count>, py::arg("node"))
      .def("path", &Tree::path, py::arg("node"))
      .def("depth", &column<&Tree::depth>, py::arg("node"))
      .def("prior", &column<&Tree::prior>, py::arg("node"))
      .def("tokens", &column<&Tree::tokens>, py::arg("node"))
      .def("arm", &column<&Tree::arm>, py::arg("node"))
      .def("complete", &column<&Tree::complete>, py::arg("node"))
      .def("closed", &column<&Tree::closed>, py::arg("node"))
      .def("visits", &column<&Tree::visits>, py::arg("node"))
      .def("pending", &column<&Tree::pending>, py::arg("node"))
      .def("total", &column<&Tree::total>, py::arg("node"))
      .def(
          "value",
          [](const Tree& tree, NodeId node) { return known(column<&Tree::value>(tree, node)); },
          py::arg("node"))
      .def(
          "mean",
          [](const Tree& tree, NodeId node) { return known(column<&Tree::mean>(tree, node)); },
          py::arg("node"))
      .def(
          "set_value",
          [](Tree& tree, NodeId node, std::optional<double> value) {
            tree.set_value(node, number(value));
          },
          py::arg("node"), py::arg("value"))
      .def(
          "close",
          [](Tree& tree, NodeId node) {
            tree.check(node);
            tree.close(node);
          },
          py::arg("node"))
      .def("begin", &Tree::begin, py::arg("node"))
      .def("abandon", &Tree::abandon, py::arg("node"))
      .def("backup", &Tree::backup, py::arg("node"), py::arg("value"))
      .def("bytes", &Tree::bytes);
}
