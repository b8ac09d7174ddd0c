#include "thompson.hpp"

#include <pybind11/stl.h>

#include <tuple>

#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

// The GIL is kept: a draw takes less than a microsecond.

void register_thompson(py::module_& module) {
  py::class_<GaussianPrior>(module, "GaussianPrior")
      .def(py::init([](double m, double kappa, double nu, double tau2) {
             const GaussianPrior prior{m, kappa, nu, tau2};
             check_prior(prior);
             return prior;
           }),
           py::kw_only(), py::arg("m") = 0.0, py::arg("kappa") = 1.0, py::arg("nu") = 1.0,
           py::arg("tau2") = 0.1)
      .def_readonly("m", &GaussianPrior::m)
      .def_readonly("kappa", &GaussianPrior::kappa)
      .def_readonly("nu", &GaussianPrior::nu)
      .def_readonly("tau2", &GaussianPrior::tau2);
  py::class_<BetaPrior>(module, "BetaPrior")
      .def(py::init([](double alpha, double beta) {
             const BetaPrior prior{alpha, beta};
             check_prior(prior);
             return prior;
           }),
           py::kw_only(), py::arg("alpha") = 0.5, py::arg("beta") = 0.5)
      .def_readonly("alpha", &BetaPrior::alpha)
      .def_readonly("beta", &BetaPrior::beta);
  py::class_<RandomStream>(module, "RandomStream")
      .def(py::init<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>(), py::arg("seed"),
           py::arg("a") = 0, py::arg("b") = 0, py::arg("c") = 0)
      .def("uniform", &draw_uniform)
      .def("normal", &draw_normal)
      .def("gamma", &draw_gamma, py::arg("shape"))
      .def("log_gamma", &draw_log_gamma, py::arg("shape"))
      .def("beta", &draw_beta, py::arg("alpha"), py::arg("beta"))
      .def("inverse_chi_square", &draw_inverse_chi_square, py::arg("nu"), py::arg("tau2"))
      .def(
          "mean",
          [](RandomStream& random, const ScorePrior& prior,
             std::tuple<std::uint32_t, double, double> scores, std::uint32_t pending) {
            const auto [count, sum, squares] = scores;
            return draw_mean(prior, {count, sum, squares}, pending, random);
          },
          py::arg("prior"), py::arg("scores"), py::arg("pending") = 0);
}
