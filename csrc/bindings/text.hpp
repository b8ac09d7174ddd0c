// Python strings as UTF-8 views and back, for any string Python can hold.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string_view>
#include <vector>

// A string's UTF-8 bytes, kept alive while this lives. Valid strings are viewed in place; one with
// lone surrogates, which has no UTF-8, is encoded with them passed through.
class TextView {
 public:
  explicit TextView(pybind11::str text) : owner_(std::move(text)) {
    Py_ssize_t size = 0;
    if (const char* bytes = PyUnicode_AsUTF8AndSize(owner_.ptr(), &size)) {
      view_ = {bytes, static_cast<std::size_t>(size)};
      return;
    }
    PyErr_Clear();
    owner_ = pybind11::reinterpret_steal<pybind11::object>(
        PyUnicode_AsEncodedString(owner_.ptr(), "utf-8", "surrogatepass"));
    if (!owner_) throw pybind11::error_already_set();
    view_ = {PyBytes_AS_STRING(owner_.ptr()),
             static_cast<std::size_t>(PyBytes_GET_SIZE(owner_.ptr()))};
  }

  std::string_view view() const { return view_; }

  // Whether reading it takes long enough that other threads should run meanwhile: letting go of the
  // interpreter costs more than reading a short one.
  bool is_long() const { return view_.size() >= 1024; }

 private:
  pybind11::object owner_;
  std::string_view view_;
};

// Texts of a batch; nullopt where the sequence holds None.
class TextViews {
 public:
  explicit TextViews(const pybind11::sequence& texts) {
    const std::size_t count = pybind11::len(texts);
    owners_.reserve(count);
    views_.reserve(count);
    for (const pybind11::handle text : texts) {
      if (text.is_none()) {
        views_.emplace_back(std::nullopt);
        continue;
      }
      if (!PyUnicode_Check(text.ptr()))
        throw pybind11::type_error("expected a sequence of str or None");
      owners_.emplace_back(pybind11::reinterpret_borrow<pybind11::str>(text));
      views_.emplace_back(owners_.back().view());
    }
  }

  const std::vector<std::optional<std::string_view>>& views() const { return views_; }

 private:
  std::vector<TextView> owners_;
  std::vector<std::optional<std::string_view>> views_;
};

inline pybind11::str to_python(std::string_view text) {
  const auto size = static_cast<Py_ssize_t>(text.size());
  PyObject* decoded = PyUnicode_DecodeUTF8(text.data(), size, "surrogatepass");
  if (decoded == nullptr) {
    PyErr_Clear();
    decoded = PyUnicode_DecodeUTF8(text.data(), size, "replace");
  }
  if (decoded == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::str>(decoded);
}
