#include "ranking.hpp"

#include <pybind11/stl.h>

#include <stdexcept>
#include <string>

#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

using Rows = std::vector<std::vector<double>>;

Table table(const Rows& rows, const char* what) {
  Table result(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() != rows.size()) {
      throw std::invalid_argument(std::string(what) + " must be square, got row " +
                                  std::to_string(i) + " with " + std::to_string(rows[i].size()) +
                                  " of " + std::to_string(rows.size()) + " columns");
    }
    for (std::size_t j = 0; j < rows.size(); ++j) result(i, j) = rows[i][j];
  }
  return result;
}

Rows rows(const Table& cells) {
  Rows result(cells.size(), std::vector<double>(cells.size()));
  for (std::size_t i = 0; i < cells.size(); ++i) {
    for (std::size_t j = 0; j < cells.size(); ++j) result[i][j] = cells(i, j);
  }
  return result;
}

Comparisons comparisons(const Rows& wins, const Rows& ties) {
  return {table(wins, "wins"), table(ties, "ties")};
}

Unranked unranked_named(const std::string& name) {
  if (name == "last") return Unranked::last;
  if (name == "ignored") return Unranked::ignored;
  throw std::invalid_argument("unranked must be last or ignored, not '" + name + "'");
}

TieModel tie_model_named(const std::string& name) {
  if (name == "half") return TieModel::half;
  if (name == "rao_kupper") return TieModel::rao_kupper;
  throw std::invalid_argument("ties must be half or rao_kupper, not '" + name + "'");
}

// Registers a function from comparisons to a list by item.
template <class Function>
void define(py::module_& module, const char* name, Function function, const char* summary) {
  module.def(
      name,
      [function](const Rows& wins, const Rows& ties) {
        const Comparisons given = comparisons(wins, ties);
        const py::gil_scoped_release unlocked;
        return function(given);
      },
      py::arg("wins"), py::arg("ties"), summary);
}

}  // namespace

void register_ranking(py::module_& module) {
  py::class_<Strengths>(module, "Strengths", "Bradley-Terry strengths, by item.")
      .def_readonly("log_strengths", &Strengths::log_strengths)
      .def_readonly("theta", &Strengths::theta)
      .def_readonly("log_likelihood", &Strengths::log_likelihood)
      .def_readonly("iterations", &Strengths::iterations)
      .def_readonly("converged", &Strengths::converged);
  module.def(
      "compare",
      [](const std::vector<Ballot>& ballots, std::size_t items, const std::string& unranked) {
        const Unranked rule = unranked_named(unranked);
        Comparisons counted;
        {
          const py::gil_scoped_release unlocked;
          counted = compare(ballots, items, rule);
        }
        return std::pair(rows(counted.wins), rows(counted.ties));
      },
      py::arg("ballots"), py::kw_only(), py::arg("items"), py::arg("unranked"),
      "Wins and ties of each pair of items over all ballots.");
  define(module, "borda", borda, "Borda's count.");
  define(module, "copeland", copeland, "Copeland's count.");
  define(module, "win_rates", win_rates, "Wins and half the ties over all comparisons.");
  define(module, "kemeny", kemeny, "The order with the fewest preferences against it.");
  module.def(
      "bradley_terry",
      [](const Rows& wins, const Rows& ties, double prior, const std::string& tie_model,
         std::size_t max_iterations) {
        const Comparisons given = comparisons(wins, ties);
        const TieModel model = tie_model_named(tie_model);
        const py::gil_scoped_release unlocked;
        return bradley_terry(given, prior, model, max_iterations);
      },
      py::arg("wins"), py::arg("ties"), py::kw_only(), py::arg("prior"), py::arg("tie_model"),
      py::arg("max_iterations"), "Strengths by minorisation-maximisation.");
  module.def(
      "kendall_tau",
      [](const std::vector<double>& a, const std::vector<double>& b) {
        const py::gil_scoped_release unlocked;
        return kendall_tau(a, b);
      },
      py::arg("a"), py::arg("b"), "Kendall's tau-b.");
  module.def(
      "spearman_rho",
      [](const std::vector<double>& a, const std::vector<double>& b) {
        const py::gil_scoped_release unlocked;
        return spearman_rho(a, b);
      },
      py::arg("a"), py::arg("b"), "Spearman's rho.");
}
