#include "answers/normalize.hpp"

#include "register.hpp"
#include "text.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

py::str normalize_text(const py::str& answer, std::string_view kind, std::string_view units,
                       std::string_view percent) {
  const TextView view(answer);
  const Reading reading{kind_of(kind), unit_rule_of(units), percent_rule_of(percent)};
  if (!view.is_long()) return to_python(normalize(view.view(), reading));
  std::string key;
  {
    const py::gil_scoped_release unlocked;
    key = normalize(view.view(), reading);
  }
  return to_python(key);
}

}  // namespace

void register_normalize(py::module_& module) {
  module.def("normalize", &normalize_text, py::arg("answer"), py::arg("kind"),
             py::arg("units") = "by_kind", py::arg("percent") = "fraction",
             "The canonical key of a bare answer.");
}
