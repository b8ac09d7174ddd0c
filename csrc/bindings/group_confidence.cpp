#include "group_confidence.hpp"

#include <pybind11/stl.h>

#include <algorithm>

#include "register.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

using Confidences = std::vector<double>;

std::vector<std::optional<double>> of_tokens(const std::vector<std::vector<double>>& top) {
  const py::gil_scoped_release unlocked;
  std::vector<std::optional<double>> found(top.size());
  std::transform(top.begin(), top.end(), found.begin(),
                 [](const auto& logprobs) { return token_confidence(logprobs); });
  return found;
}

Confidences of_groups(const Confidences& confidences, std::size_t window) {
  const py::gil_scoped_release unlocked;
  return group_confidences(confidences, window);
}

double of_bottom(const Confidences& confidences, std::size_t window, double share) {
  const py::gil_scoped_release unlocked;
  return bottom_confidence(confidences, window, share);
}

}  // namespace

void register_group_confidence(py::module_& module) {
  module.def(
      "token_confidences", &of_tokens, py::arg("top_logprobs"), py::pos_only(),
      "-1/k * the sum of each token's k top log-probabilities, those of minus infinity left out; "
      "None where\nthere is no other, or one that is no logarithm of a probability.");
  module.def("group_confidences", &of_groups, py::arg("confidences"), py::kw_only(),
             py::arg("window"),
             "The means of all windows of tokens; of all where there are fewer.");
  module.def("bottom_confidence", &of_bottom, py::arg("confidences"), py::kw_only(),
             py::arg("window"), py::arg("share"), "The mean of the lowest share of the groups.");
  py::class_<GroupConfidence>(module, "GroupConfidence",
                              R"doc(The confidences of a text's groups, fed token by token.

A group is a window of `window` neighbouring tokens and its confidence their mean; a text shorter than the
window is one group. Constant time a token, no drift. One thread at a time may feed it.)doc")
      .def(py::init<std::size_t>(), py::kw_only(), py::arg("window"))
      .def(
          "feed",
          [](GroupConfidence& self, const Confidences& confidences) { self.feed(confidences); },
          py::arg("confidences"), py::pos_only(), "More tokens' confidences, in order.")
      .def_property_readonly("tokens", &GroupConfidence::tokens, "Tokens so far.")
      .def_property_readonly("full", &GroupConfidence::full,
                             "Whether a whole window has been seen.")
      .def_property_readonly("current", &GroupConfidence::current,
                             "The last group's confidence; 0 of no tokens.")
      .def_property_readonly("lowest", &GroupConfidence::lowest,
                             "The least of all groups' confidences; 0 of no tokens.")
      .def_property_readonly("mean", &GroupConfidence::mean,
                             "The mean of all tokens' confidences; 0 of no tokens.");
}
