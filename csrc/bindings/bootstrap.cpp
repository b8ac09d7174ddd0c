#include "bootstrap.hpp"

#include "arrays.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

py::array_t<double> means(const Array<std::uint64_t>& sizes, const Array<double>& values,
                          std::uint64_t k, bool problems, bool samples, std::uint64_t resamples,
                          std::uint64_t seed, std::size_t threads) {
  const auto size = view(sizes);
  const auto value = view(values);
  std::vector<double> drawn;
  {
    const py::gil_scoped_release unlocked;
    drawn = bootstrap_means(size, value, k, {problems, samples}, resamples, seed, threads);
  }
  return to_array(drawn);
}

}  // namespace

void register_bootstrap(py::module_& module) {
  module.def("bootstrap_means", &means, py::arg("sizes"), py::arg("values"), py::kw_only(),
             py::arg("k"), py::arg("problems"), py::arg("samples"), py::arg("resamples"),
             py::arg("seed"), py::arg("threads"),
             "Means over problems, with problems and samples drawn again.");
}
