#include "tally.hpp"

#include <pybind11/operators.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

using Count = std::int64_t;

std::uint64_t unsigned_count(Count count, const char* name) {
  if (count >= 0) return static_cast<std::uint64_t>(count);
  throw std::invalid_argument(std::string(name) + " must be at least 0, not " +
                              std::to_string(count));
}

// A negative number from Python is no abstention: only None is.
ClusterId cluster_id(std::optional<ClusterId> cluster) {
  return cluster ? static_cast<ClusterId>(unsigned_count(*cluster, "a cluster")) : kAbstains;
}

std::string shown(py::handle value) {
  constexpr std::size_t kLongest = 40;
  return std::string(py::str(py::repr(value))).substr(0, kLongest);
}

// A count as Python gave it, whatever that is.
std::uint64_t count_of(py::handle value, const char* name) {
  if (!PyIndex_Check(value.ptr())) {
    throw std::invalid_argument(std::string(name) + " must be a whole number, not " + shown(value));
  }
  const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!number) throw py::error_already_set();
  int overflow = 0;
  const Count count = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (overflow > 0) {
    throw std::invalid_argument(std::string(name) + " must be below 2^63, not " + shown(value));
  }
  return unsigned_count(overflow < 0 ? -1 : count, name);
}

std::optional<std::uint64_t> plan_of(py::handle planned) {
  if (planned.is_none()) return std::nullopt;
  return count_of(planned, "planned");
}

py::iterable listed(py::handle values, const char* name) {
  if (py::isinstance<py::iterable>(values) && !py::isinstance<py::str>(values))
    return py::reinterpret_borrow<py::iterable>(values);
  throw std::invalid_argument(std::string(name) + " must be a list of whole numbers, not " +
                              shown(values));
}

Tally of(const py::object& counts, const py::object& abstentions, const py::object& planned) {
  std::vector<std::uint64_t> checked;
  for (const py::handle count : listed(counts, "counts of votes"))
    checked.push_back(count_of(count, "a count of votes"));
  return Tally::of(checked, count_of(abstentions, "abstentions"), plan_of(planned));
}

Tally of_clusters(const py::object& clusters, const py::object& planned) {
  std::vector<ClusterId> ids;
  for (const py::handle cluster : listed(clusters, "clusters")) {
    ids.push_back(cluster.is_none() ? kAbstains
                                    : static_cast<ClusterId>(count_of(cluster, "a cluster")));
  }
  return Tally::of_clusters(ids, plan_of(planned));
}

py::tuple counts(const Tally& tally) {
  py::tuple result(tally.counts().size());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = tally.counts()[i];
  return result;
}

py::object order(const Tally& tally) {
  if (!tally.has_order()) return py::none();
  py::tuple result(tally.order().size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    const ClusterId id = tally.order()[i];
    result[i] = id == kAbstains ? py::object(py::none()) : py::cast(id);
  }
  return result;
}

py::str repr(const Tally& tally) {
  if (!tally.has_order()) {
    return py::str("Tally.of({}, abstentions={}, planned={})")
        .format(py::list(counts(tally)), tally.abstentions(), tally.planned());
  }
  return py::str("Tally.of_clusters({}, planned={})")
      .format(py::list(order(tally)), tally.planned());
}

}  // namespace

void register_tally(py::module_& module) {
  py::class_<Tally>(module, "Tally", R"doc(Votes so far: what every stopping rule decides from.

Grows in place, one sample at a time, in constant time; one thread at a time may add to it. Clusters are
numbered in first-seen order, as `answers.Clusters` and `Vote.clusters` number them; of clusters with equal
votes the first seen leads. What cannot be is an InvalidInputError.

    tally = Tally(planned=40)
    tally.add(0)

Args:
    planned: Samples that will have been taken at the end, abstentions included; None when that is open.)doc")
      .def(py::init([](const py::object& planned) { return Tally(plan_of(planned)); }),
           py::kw_only(), py::arg("planned") = py::none())
      .def_static(
          "of", &of, py::arg("counts"), py::kw_only(), py::arg("abstentions") = 0,
          py::arg("planned") = py::none(),
          "A tally of counts alone, by cluster: `Tally.of([5, 1])`. A count of 0 never leads.")
      .def_static("of_clusters", &of_clusters, py::arg("clusters"), py::kw_only(),
                  py::arg("planned") = py::none(),
                  "A tally of samples in their order, by cluster number; None abstains.")
      .def(
          "add",
          [](Tally& self, std::optional<ClusterId> cluster, std::optional<double> score) {
            self.add(cluster_id(cluster), score);
          },
          py::arg("cluster"), py::arg("score") = py::none(),
          "One more sample: a cluster, known or the next new one, or None for an abstention. "
          "`score` is a\n"
          "verifier's, finite, where there is one; that of an abstention does not count.")
      .def(
          "copy", [](const Tally& self) { return self; }, "A tally that grows on its own.")
      .def("__copy__", [](const Tally& self) { return self; })
      .def(
          "__deepcopy__", [](const Tally& self, const py::dict&) { return self; }, py::arg("memo"))
      .def_property_readonly("counts", &counts, "Votes by cluster.")
      .def_property_readonly("abstentions", &Tally::abstentions, "Samples without an answer.")
      .def_property_readonly("planned", &Tally::planned, "Samples there will be; None when open.")
      .def_property_readonly(
          "order", &order,
          "The cluster of each sample as they came, None where it abstains; None for counts alone.")
      .def_property_readonly("seen", &Tally::seen, "Samples so far, abstentions included.")
      .def_property_readonly("remaining", &Tally::remaining,
                             "Planned samples still to come, at least 0; None when that is open.")
      .def_property_readonly("leader", &Tally::leader,
                             "The first cluster with the most votes, or None.")
      .def_property_readonly("first", &Tally::first, "The leader's votes.")
      .def_property_readonly("second", &Tally::second, "The most votes of any other cluster.")
      .def_property_readonly("best_score", &Tally::best_score,
                             "The best score of a sample with an answer, or None.")
      .def(py::self == py::self)
      .def("__repr__", &repr)
      .attr("__hash__") = py::none();
}
