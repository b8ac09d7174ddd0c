#include "answers/cluster.hpp"

#include <pybind11/stl.h>

#include <algorithm>

#include "answers/partition.hpp"
#include "register.hpp"
#include "text.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

std::optional<ClusterId> id_or_none(ClusterId id) {
  return id == kAbstains ? std::nullopt : std::optional(id);
}

std::vector<std::optional<ClusterId>> ids_or_none(const std::vector<ClusterId>& ids) {
  std::vector<std::optional<ClusterId>> result(ids.size());
  std::transform(ids.begin(), ids.end(), result.begin(), id_or_none);
  return result;
}

std::vector<std::optional<ClusterId>> cluster_keys(const py::sequence& keys) {
  const TextViews views(keys);
  std::vector<ClusterId> ids;
  {
    const py::gil_scoped_release unlocked;
    ids = cluster(views.views());
  }
  return ids_or_none(ids);
}

}  // namespace

void register_cluster(py::module_& module) {
  module.def("cluster_keys", &cluster_keys, py::arg("keys"),
             "The cluster of each key in first-seen order; None abstains.");
  py::class_<Clusters>(module, "Clusters", "Clusters of equal keys, grown one sample at a time.")
      .def(py::init<>())
      .def(
          "add",
          [](Clusters& self, const std::optional<py::str>& key, double weight) {
            if (!key) return id_or_none(self.add(std::nullopt, weight));
            return id_or_none(self.add(TextView(*key).view(), weight));
          },
          py::arg("key"), py::arg("weight") = 1.0)
      .def_property_readonly("samples", &Clusters::samples)
      .def_property_readonly("abstentions", &Clusters::abstentions)
      .def_property_readonly("weight", &Clusters::weight)
      .def_property_readonly("sizes", &Clusters::sizes)
      .def_property_readonly("weights", [](const Clusters& self) { return self.weights(); })
      .def_property_readonly("members", [](const Clusters& self) { return self.members(); });
  py::class_<Partition>(module, "Partition", "Clusters of pairwise equal nodes (union-find).")
      .def(py::init<>())
      .def(
          "add_node",
          [](Partition& self, const std::vector<Partition::NodeId>& equal) {
            return self.add_node(equal);
          },
          py::arg("equal"))
      .def(
          "add",
          [](Partition& self, std::optional<Partition::NodeId> node, double weight) {
            return id_or_none(self.add(node, weight));
          },
          py::arg("node"), py::arg("weight") = 1.0)
      .def("together", &Partition::together, py::arg("a"), py::arg("b"))
      .def_property_readonly("samples", &Partition::samples)
      .def_property_readonly("abstentions", &Partition::abstentions)
      .def_property_readonly("weight", &Partition::weight)
      .def_property_readonly("labels", &Partition::labels)
      .def_property_readonly("nodes", &Partition::nodes)
      .def_property_readonly("members", &Partition::members)
      .def_property_readonly("sizes", &Partition::sizes)
      .def_property_readonly("weights", &Partition::weights)
      .def_property_readonly("ids", [](const Partition& self) { return ids_or_none(self.ids()); })
      .def_property_readonly("counts", [](const Partition& self) { return self.counts(); })
      .def_property_readonly("merges", [](const Partition& self) { return self.merges(); });
}
