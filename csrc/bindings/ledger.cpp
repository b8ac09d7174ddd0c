#include "ledger.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>

#include "register.hpp"

namespace py = pybind11;
using orchestrator::Account;
using orchestrator::Amounts;
using orchestrator::Charge;
using orchestrator::Headroom;
using orchestrator::Hold;
using orchestrator::Refusal;
using orchestrator::Statistics;

namespace {

using Number = std::int64_t;

template <void (Hold::*spend)(const Charge&)>
void spend_from(Hold& hold, Number prompt_tokens, Number completion_tokens, Number requests,
                Number picodollars, Number cached_tokens, Number reasoning_tokens,
                Number microseconds, bool estimated) {
  (hold.*spend)({prompt_tokens, completion_tokens, requests, picodollars, cached_tokens,
                 reasoning_tokens, microseconds, estimated});
}

void charge_to(Account& account, const Account* below, Number prompt_tokens,
               Number completion_tokens, Number requests, Number picodollars, Number cached_tokens,
               Number reasoning_tokens, Number microseconds, bool estimated) {
  account.charge({prompt_tokens, completion_tokens, requests, picodollars, cached_tokens,
                  reasoning_tokens, microseconds, estimated},
                 below);
}

void register_values(py::module_& module) {
  py::class_<Refusal>(module, "Refusal")
      .def_readonly("height", &Refusal::height)
      .def_readonly("account", &Refusal::account)
      .def_property_readonly("resource",
                             [](const Refusal& refusal) {
                               return refusal.resource ? name_of(*refusal.resource) : nullptr;
                             })
      .def_readonly("requested", &Refusal::requested)
      .def_readonly("remaining", &Refusal::remaining)
      .def_readonly("in_flight", &Refusal::in_flight);

  py::class_<Headroom>(module, "AccountHeadroom")
      .def_readonly("alone", &Headroom::alone)
      .def_readonly("free", &Headroom::free);

  py::class_<Statistics>(module, "AccountStatistics")
      .def_readonly("spent", &Statistics::spent)
      .def_readonly("held", &Statistics::held)
      .def_readonly("kept", &Statistics::kept)
      .def_readonly("overrun", &Statistics::overrun)
      .def_readonly("cached_tokens", &Statistics::cached_tokens)
      .def_readonly("reasoning_tokens", &Statistics::reasoning_tokens)
      .def_readonly("microseconds", &Statistics::microseconds)
      .def_readonly("estimated", &Statistics::estimated)
      .def_readonly("holds", &Statistics::holds)
      .def_readonly("overruns", &Statistics::overruns)
      .def_readonly("refusals", &Statistics::refusals);
}

}  // namespace

// Two departures from the other bindings. The interpreter lock is kept: every call is far below a
// microsecond and runs no Python code while it holds the ledger's own lock. And numbers go by
// position: these calls stand on the path of every model call, behind the keyword-only ones of
// budget.py.
void register_ledger(py::module_& module) {
  register_values(module);

  py::class_<Hold>(module, "AccountHold")
      .def("commit", &spend_from<&Hold::commit>, py::pos_only())
      .def("settle", &spend_from<&Hold::settle>, py::pos_only())
      .def("release", &Hold::release)
      .def("top_up", &Hold::top_up, py::pos_only())
      .def_property_readonly("worst_case", &Hold::worst_case)
      .def_property_readonly("held", &Hold::held)
      .def_property_readonly("open", &Hold::open);

  py::class_<Account, std::shared_ptr<Account>>(module, "Account")
      .def(py::init(&Account::open), py::kw_only(), py::arg("label"), py::arg("limits"),
           py::arg("deadline"), py::arg("parent"))
      .def(
          "reserve",
          [](Account& account, Number prompt_tokens, Number completion_tokens, Number total_tokens,
             Number requests, Number picodollars, Number now) {
            return account.reserve(
                {prompt_tokens, completion_tokens, total_tokens, requests, picodollars}, now);
          },
          py::pos_only())
      .def(
          "keep",
          [](Account& account, Number prompt_tokens, Number completion_tokens, Number total_tokens,
             Number requests, Number picodollars) {
            return account.keep(
                {prompt_tokens, completion_tokens, total_tokens, requests, picodollars});
          },
          py::pos_only())
      .def("give_up", &Account::give_up)
      .def("covering", &Account::covering, py::pos_only())
      .def("charge", &charge_to, py::pos_only())
      .def("headroom", &Account::headroom)
      .def("statistics", &Account::statistics)
      .def_property_readonly("label", &Account::label)
      .def_property_readonly("limits", &Account::limits)
      .def_property_readonly("deadline", &Account::deadline);
}
