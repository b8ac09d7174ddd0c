#include "cluster.hpp"

#include <pybind11/stl.h>

#include <algorithm>

#include "register.hpp"
#include "text.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

std::optional<ClusterId> id_or_none(ClusterId id) {
  return id == kAbstains ? std::nullopt : std::optional(id);
}

std::vector<std::optional<ClusterId>> cluster_keys(const py::sequence& keys) {
  const TextViews views(keys);
  std::vector<ClusterId> ids;
  {
    const py::gil_scoped_release unlocked;
    ids = cluster(views.views());
  }
  std::vector<std::optional<ClusterId>> result(ids.size());
  std::transform(ids.begin(), ids.end(), result.begin(), id_or_none);
  return result;
}

}  // namespace

void register_cluster(py::module_& module) {
  module.def("cluster_keys", &cluster_keys, py::arg("keys"),
             "The cluster of each key in first-seen order; None abstains.");
  py::class_<Clusters>(module, "Clusters", "Clusters of equal keys, grown one sample at a time.")
      .def(py::init<>())
      .def(
          "add",
          [](Clusters& self, const std::optional<py::str>& key) {
            if (!key) return id_or_none(self.add(std::nullopt));
            return id_or_none(self.add(TextView(*key).view()));
          },
          py::arg("key"))
      .def_property_readonly("samples", &Clusters::samples)
      .def_property_readonly("abstentions", &Clusters::abstentions)
      .def_property_readonly("sizes", &Clusters::sizes)
      .def_property_readonly("members", [](const Clusters& self) { return self.members(); });
}
