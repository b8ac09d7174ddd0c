#include "normalize.hpp"

#include <pybind11/stl.h>

#include "register.hpp"
#include "text.hpp"

namespace py = pybind11;
using namespace orchestrator;

void register_normalize(py::module_& module) {
  module.def(
      "normalize",
      [](const py::str& answer, std::string_view kind) {
        const TextView view(answer);
        const Kind wanted = kind_of(kind);
        std::string key;
        {
          const py::gil_scoped_release unlocked;
          key = normalize(view.view(), wanted);
        }
        return to_python(key);
      },
      py::arg("answer"), py::kw_only(), py::arg("kind"), "The canonical key of a bare answer.");
}
