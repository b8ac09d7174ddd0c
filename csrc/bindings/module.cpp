#include <pybind11/pybind11.h>

#include "register.hpp"

PYBIND11_MODULE(_core, module, pybind11::mod_gil_not_used()) {
  module.doc() = "Native core of orchestrator: budget accounting, answers, votes.";
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
}
