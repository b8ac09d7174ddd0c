#include "answers/arithmetic.hpp"

#include <pybind11/stl.h>

#include "register.hpp"
#include "text.hpp"

namespace py = pybind11;
using namespace orchestrator;

void register_arithmetic(py::module_& module) {
  module.def(
      "find_expression",
      [](const py::str& text) -> std::optional<std::pair<py::str, py::str>> {
        const TextView view(text);
        std::optional<FoundExpression> found;
        {
          const py::gil_scoped_release unlocked;
          found = find_expression(view.view());
        }
        if (!found) return std::nullopt;
        const std::string_view written =
            view.view().substr(found->begin, found->end - found->begin);
        return std::pair{to_python(written), to_python(found->value)};
      },
      py::arg("text"), py::pos_only(),
      "The last arithmetic expression in a text as it stands there, and its exact value.");
}
