#include "repetition.hpp"

#include <pybind11/stl.h>

#include <optional>
#include <utility>

#include "register.hpp"
#include "text.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

std::optional<std::pair<std::size_t, std::size_t>> add(LoopDetector& detector,
                                                       const py::str& piece) {
  const TextView view(piece);
  std::optional<Loop> loop;
  if (view.is_long()) {
    const py::gil_scoped_release unlocked;
    loop = detector.add(view.view());
  } else {
    loop = detector.add(view.view());
  }
  if (!loop) return std::nullopt;
  return std::pair(loop->period, loop->length);
}

}  // namespace

void register_repetition(py::module_& module) {
  py::class_<LoopDetector>(module, "LoopDetector",
                           R"doc(Says when the end of a growing text has become a loop.

A loop is the same block again and again: of at most `longest` bytes of UTF-8, over at least `repeats` of them and at
least `least` bytes. One thread at a time may add.

Args:
    repeats: In [2, 65536].
    least: Bytes, in [1, 65536].
    longest: Bytes, in [1, 65536].)doc")
      .def(py::init<std::size_t, std::size_t, std::size_t>(), py::kw_only(), py::arg("repeats"),
           py::arg("least"), py::arg("longest"))
      .def("add", &add, py::arg("piece"),
           "Bytes in the block and in the whole loop, where the text with `piece` ends in one or "
           "did inside it.");
}
