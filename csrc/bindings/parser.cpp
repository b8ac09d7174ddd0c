#include "formulas/parser.hpp"

#include <pybind11/stl.h>

#include "register.hpp"
#include "text.hpp"

namespace py = pybind11;
using namespace orchestrator;

void register_parser(py::module_& module) {
  module.def(
      "parse_formula",
      [](const py::str& text) -> std::optional<py::str> {
        const TextView view(text);
        std::optional<std::string> written;
        {
          const py::gil_scoped_release unlocked;
          if (const auto tree = parse(view.view())) written = format(*tree);
        }
        if (!written) return std::nullopt;
        return to_python(*written);
      },
      py::arg("text"), py::pos_only(),
      "How a formula is read, written in plain signs; None when the text is no formula.");
}
