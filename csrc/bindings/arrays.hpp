// NumPy arrays as spans, and results as NumPy arrays.
#pragma once

#include <pybind11/numpy.h>

#include <optional>
#include <span>
#include <vector>

// Arrays must come contiguous and of the type named: another type is a TypeError.
template <typename T>
using Array = pybind11::array_t<T, pybind11::array::c_style>;

template <typename T>
std::span<const T> view(const Array<T>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

template <typename T>
std::span<const T> view(const std::optional<Array<T>>& array) {
  return array ? view(*array) : std::span<const T>();
}

template <typename T>
pybind11::array_t<T> to_array(const std::vector<T>& values) {
  return pybind11::array_t<T>(static_cast<pybind11::ssize_t>(values.size()), values.data());
}
