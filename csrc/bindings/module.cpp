#include <pybind11/pybind11.h>

#include <exception>
#include <stdexcept>
#include <utility>

#include "register.hpp"

namespace py = pybind11;

namespace {

// A mistake of the caller is the library's InvalidInputError, which is a ValueError.
void translate(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const std::invalid_argument& error) {
    const auto errors = py::module_::import("orchestrator.errors");
    py::set_error(errors.attr("InvalidInputError"), error.what());
  }
}

}  // namespace

PYBIND11_MODULE(_core, module, pybind11::mod_gil_not_used()) {
  module.doc() = "Native core of orchestrator: budget accounting, answers, votes.";
  py::register_local_exception_translator(&translate);
  register_ledger(module);
  register_arithmetic(module);
  register_extract(module);
  register_parser(module);
  register_normalize(module);
  register_cluster(module);
  register_voting(module);
  register_ranking(module);
  register_tally(module);
  register_stopping(module);
  register_estimators(module);
  register_bootstrap(module);
  register_replay(module);
  register_tree(module);
  register_puct(module);
}
