// Inequalities that are linear in one variable, or in the absolute value of such, as intervals.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "formulas/evaluate.hpp"
#include "formulas/expression.hpp"

namespace orchestrator {

struct Interval {
  Scalar low, high;  // constants or infinities
  bool low_closed = false, high_closed = false;
};

struct Solution {
  std::string_view variable;
  std::vector<Interval> intervals;  // their union
};

// What a condition on one variable leaves of the real line: an inequality or a chain of two in one
// direction ("1 < 2x \leq 3"), or conditions joined by "and" or "or". A lone unknown function
// counts as a variable: 0 < f(x) < 1. None for others, and when linearity fails a test at six
// points.
std::optional<Solution> solve(Evaluator& evaluator, const Expression& expression, NodeId condition);

// -1, 0 or 1 as a is less than, equal to or greater than b, infinities included; none when unknown.
std::optional<int> compare(Evaluator& evaluator, const Scalar& a, const Scalar& b);

// Chains in one direction: their sides from the smallest, and which relations are strict.
struct Ascent {
  std::vector<NodeId> sides;
  std::vector<bool> strict;
};
std::optional<Ascent> ascent(const Expression& expression, NodeId relation);

}  // namespace orchestrator
