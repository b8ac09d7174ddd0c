// Operations on values at all points, for the parts of the evaluator.
#pragma once

#include <cstddef>

#include "formulas/evaluate.hpp"

namespace orchestrator {

inline const Value kOne{Complex{1.0}};

inline Value whole(double value) { return Value{Complex{value}}; }

// Whether a function is all but constant or all but its argument wherever it is taken.
bool is_flat(Function function, const Scalar& a);

template <typename Operation>
Scalar Evaluator::pointwise(const Scalar& a, Operation operation) {
  if (a.infinite != 0 || !a.valid() || !spend(1)) return Scalar::invalid();
  Scalar out = numeric(a);
  for (std::size_t i = 0; i < (out.constant ? 1 : kPoints); ++i) out.at[i] = operation(out.at[i]);
  return out.valid() ? out : Scalar::invalid();
}

template <typename Operation>
Scalar Evaluator::pointwise(const Scalar& a, const Scalar& b, Operation operation) {
  if (a.infinite != 0 || b.infinite != 0 || !a.valid() || !b.valid() || !spend(1)) {
    return Scalar::invalid();
  }
  Scalar number;
  if (a.exact != nullptr || b.exact != nullptr) number = numeric(a.exact != nullptr ? a : b);
  const Scalar& left = a.exact != nullptr ? number : a;
  const Scalar other = a.exact != nullptr && b.exact != nullptr ? numeric(b) : Scalar{};
  const Scalar& right = b.exact == nullptr ? b : a.exact != nullptr ? other : number;
  Scalar out;
  out.constant = left.constant && right.constant;
  out.fragile = left.fragile || right.fragile;
  out.detail = std::min(left.detail, right.detail);
  bool valid = true;
  for (std::size_t i = 0; i < (out.constant ? 1 : kPoints); ++i) {
    out.at[i] = operation(left.at[left.constant ? 0 : i], right.at[right.constant ? 0 : i]);
    valid = valid && out.at[i].valid();
  }
  return valid ? out : Scalar::invalid();
}

}  // namespace orchestrator
