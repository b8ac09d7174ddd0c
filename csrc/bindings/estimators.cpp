#include "estimators.hpp"

#include <pybind11/stl.h>

#include "arrays.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

double best(const Array<double>& scores, const Array<double>& correct, std::uint64_t k) {
  const auto score = view(scores), right = view(correct);
  const py::gil_scoped_release unlocked;
  return best_of_k(score, right, k);
}

std::optional<double> majority(const Array<std::uint64_t>& counts, const Array<double>& correct,
                               std::uint64_t abstentions, std::uint64_t k, double max_steps) {
  const ClusterShares clusters{view(counts), view(correct), abstentions};
  const py::gil_scoped_release unlocked;
  return exact_maj_at_k(clusters, k, max_steps);
}

}  // namespace

void register_estimators(py::module_& module) {
  module.def("pass_at_k", py::vectorize([](std::uint64_t n, std::uint64_t c, std::uint64_t k) {
               return pass_at_k(n, c, k);
             }),
             py::arg("n"), py::arg("c"), py::arg("k"),
             "1 - C(n - c, k) / C(n, k), element by element.");
  module.def("best_of_k", &best, py::arg("scores"), py::arg("correct"), py::kw_only(), py::arg("k"),
             "The expected correctness of the best scored of k samples.");
  module.def(
      "exact_maj_at_k", &majority, py::arg("counts"), py::arg("correct"), py::kw_only(),
      py::arg("abstentions"), py::arg("k"), py::arg("max_steps"),
      "The expected correctness of the plurality vote of k samples, or None: too many steps.");
}
