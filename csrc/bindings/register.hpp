// One function per concept; each lives in the source file of that name in this folder.
#pragma once

#include <pybind11/pybind11.h>

void register_ledger(pybind11::module_& module);
void register_arithmetic(pybind11::module_& module);
void register_extract(pybind11::module_& module);
void register_parser(pybind11::module_& module);
void register_normalize(pybind11::module_& module);
void register_cluster(pybind11::module_& module);
void register_voting(pybind11::module_& module);
void register_ranking(pybind11::module_& module);
void register_tally(pybind11::module_& module);
void register_stopping(pybind11::module_& module);
void register_estimators(pybind11::module_& module);
void register_bootstrap(pybind11::module_& module);
void register_replay(pybind11::module_& module);
void register_tree(pybind11::module_& module);
void register_puct(pybind11::module_& module);
