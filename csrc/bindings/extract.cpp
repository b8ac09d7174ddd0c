#include "answers/extract.hpp"

#include <pybind11/stl.h>

#include <algorithm>

#include "answers/spans.hpp"
#include "answers/thinking.hpp"
#include "register.hpp"
#include "text.hpp"

namespace py = pybind11;
using namespace orchestrator;

namespace {

using ReadAnswer = std::optional<std::tuple<py::str, py::str, std::string_view>>;

ReadAnswer to_tuple(const std::optional<Extracted>& answer) {
  if (!answer) return std::nullopt;
  return std::tuple{to_python(answer->text), to_python(answer->key),
                    name_of(kind_of_key(answer->key))};
}

Reading reading_of(std::string_view kind, std::string_view units, std::string_view percent) {
  return {kind_of(kind), unit_rule_of(units), percent_rule_of(percent)};
}

ReadAnswer extract_one(const py::str& text, std::string_view kind, bool truncated,
                       std::string_view units, std::string_view percent) {
  const TextView view(text);
  const Reading wanted = reading_of(kind, units, percent);
  if (!view.is_long()) return to_tuple(extract(view.view(), wanted, truncated));
  std::optional<Extracted> answer;
  {
    const py::gil_scoped_release unlocked;
    answer = extract(view.view(), wanted, truncated);
  }
  return to_tuple(answer);
}

std::vector<std::optional<py::str>> keys_of(const py::sequence& texts, std::string_view kind,
                                            std::string_view units, std::string_view percent) {
  const TextViews views(texts);
  const Reading wanted = reading_of(kind, units, percent);
  std::vector<std::optional<std::string>> keys;
  {
    const py::gil_scoped_release unlocked;
    keys = orchestrator::extract_keys(views.views(), wanted);
  }
  std::vector<std::optional<py::str>> result(keys.size());
  std::transform(keys.begin(), keys.end(), result.begin(),
                 [](const std::optional<std::string>& key) {
                   return key ? std::optional(to_python(*key)) : std::nullopt;
                 });
  return result;
}

std::optional<py::str> optional_text(const std::optional<std::string_view>& text) {
  return text ? std::optional(to_python(*text)) : std::nullopt;
}

}  // namespace

void register_extract(py::module_& module) {
  module.def("extract", &extract_one, py::arg("text"), py::arg("kind"),
             py::arg("truncated"), py::arg("units") = "by_kind", py::arg("percent") = "fraction",
             "The final answer of a text as (text, key, kind), or None.");
  module.def("extract_keys", &keys_of, py::arg("texts"), py::kw_only(), py::arg("kind"),
             py::arg("units") = "by_kind", py::arg("percent") = "fraction",
             "The key of each text's answer, or None; None stays None.");
  module.def(
      "after_thinking",
      [](const py::str& text) { return optional_text(after_thinking(TextView(text).view())); },
      py::arg("text"), "What follows the last </think>, or None while one is open.");
  module.def(
      "last_code_block",
      [](const py::str& text, std::string_view language) {
        return optional_text(last_code_block(TextView(text).view(), language));
      },
      py::arg("text"), py::kw_only(), py::arg("language") = "",
      "The contents of the last closed fenced block, of a language if one is given, or None.");
  module.def(
      "last_element",
      [](const py::str& text, std::string_view name, bool open_end) {
        const TextView view(text);
        const auto element = last_element(view.view(), name, open_end);
        return element ? std::optional(to_python(element->content)) : std::nullopt;
      },
      py::arg("text"), py::kw_only(), py::arg("name"), py::arg("open_end"),
      "The contents of the last <name>...</name>, or None.");
  module.def(
      "json_spans",
      [](const py::str& text, std::size_t limit) {
        const TextView view(text);
        std::vector<py::str> spans;
        for (const std::string_view span : json_spans(view.view(), limit))
          spans.push_back(to_python(span));
        return spans;
      },
      py::arg("text"), py::kw_only(), py::arg("limit"),
      "The last outermost balanced {...} and [...] spans, in order.");
}
