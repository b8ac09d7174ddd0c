#include "stopping.hpp"

#include <pybind11/stl.h>

#include <utility>

#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

// The GIL is kept: a decision is over before it could be handed on.

namespace {

using RulePointer = std::shared_ptr<StoppingRule>;

// A rule written in Python, for engines and combinators that ask native ones.
class PythonRule final : public StoppingRule {
 public:
  explicit PythonRule(py::object rule) : rule_(std::move(rule)) {}

  ~PythonRule() override {
    const py::gil_scoped_acquire locked;
    rule_ = py::object();
  }
  PythonRule(const PythonRule&) = delete;
  PythonRule& operator=(const PythonRule&) = delete;

  bool should_stop(const Tally& tally) const override {
    const py::gil_scoped_acquire locked;
    // A copy, as Python may keep what it is given.
    return !rule_.attr("should_stop")(Tally(tally)).is_none();
  }

 private:
  py::object rule_;
};

template <typename Rule>
using RuleClass = py::class_<Rule, StoppingRule, std::shared_ptr<Rule>>;

template <typename Combinator>
void register_combinator(py::module_& module, const char* name) {
  RuleClass<Combinator>(module, name)
      .def(py::init([](const std::vector<RulePointer>& rules) {
             return std::make_shared<Combinator>(Rules(rules.begin(), rules.end()));
           }),
           py::kw_only(), py::arg("rules"));
}

void register_rules_of_counts(py::module_& module) {
  RuleClass<FixedSize>(module, "FixedSize").def(py::init());
  RuleClass<LeadStop>(module, "LeadStop").def(py::init());
  RuleClass<MajorityStop>(module, "MajorityStop")
      .def(py::init<double, std::int64_t>(), py::kw_only(), py::arg("threshold"),
           py::arg("at_least"));
  RuleClass<EntropyStop>(module, "EntropyStop")
      .def(py::init<double, std::int64_t>(), py::kw_only(), py::arg("threshold"),
           py::arg("at_least"));
  RuleClass<ScoreStop>(module, "ScoreStop")
      .def(py::init<double>(), py::kw_only(), py::arg("threshold"));
}

void register_rules_of_posteriors(py::module_& module) {
  RuleClass<BetaStop>(module, "BetaStop")
      .def(py::init<double>(), py::kw_only(), py::arg("confidence"))
      .def("posterior", &BetaStop::posterior, py::arg("tally"));
  RuleClass<DirichletStop>(module, "DirichletStop")
      .def(py::init<double, double, std::int64_t>(), py::kw_only(), py::arg("confidence"),
           py::arg("prior"), py::arg("unseen"))
      .def("posterior", &DirichletStop::posterior, py::arg("tally"));
  RuleClass<LearnedStop>(module, "LearnedStop")
      .def(py::init<double, double, double, double>(), py::kw_only(), py::arg("confidence"),
           py::arg("bias"), py::arg("evidence"), py::arg("lead"))
      .def("stays", &LearnedStop::stays, py::arg("tally"));
  RuleClass<ValueOfSample>(module, "ValueOfSample")
      .def(py::init<double, double, std::int64_t>(), py::kw_only(), py::arg("price"),
           py::arg("prior"), py::arg("lookahead"))
      .def("net_gain", &ValueOfSample::net_gain, py::arg("tally"));
}

void register_rules_of_order(py::module_& module) {
  RuleClass<WindowStop>(module, "WindowStop")
      .def(py::init<std::int64_t>(), py::kw_only(), py::arg("size"));
  RuleClass<ConvergenceStop>(module, "ConvergenceStop")
      .def(py::init<std::int64_t, double>(), py::kw_only(), py::arg("samples"),
           py::arg("tolerance"));
}

}  // namespace

void register_stopping(py::module_& module) {
  py::class_<StoppingRule, RulePointer>(module, "StoppingRule", "A rule that decides natively.")
      .def("should_stop", &StoppingRule::should_stop, py::arg("tally"));
  module.def(
      "normalized_entropy",
      [](const std::vector<std::uint64_t>& counts) { return normalized_entropy(counts); },
      py::arg("counts"));
  register_rules_of_counts(module);
  register_rules_of_posteriors(module);
  register_rules_of_order(module);
  register_combinator<AnyOf>(module, "AnyOf");
  register_combinator<AllOf>(module, "AllOf");
  RuleClass<After>(module, "After")
      .def(py::init([](std::int64_t n, const RulePointer& rule) {
             return std::make_shared<After>(n, rule);
           }),
           py::kw_only(), py::arg("n"), py::arg("rule").none(false));
  RuleClass<PythonRule>(module, "PythonRule")
      .def(py::init<py::object>(), py::arg("rule"), py::pos_only(),
           "Asks a rule written in Python.");
}
