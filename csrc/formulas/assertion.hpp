// What a statement says as an answer: "x = 5" says 5, "f(x) = x^2" says x^2, "x \in S" says S.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "formulas/expression.hpp"

namespace orchestrator {

// Names of variables, and of unknown functions if asked for, in the order they occur in; no name
// twice.
std::vector<std::string_view> variables(const Expression& expression, NodeId node);
std::vector<std::string_view> applied(const Expression& expression, NodeId node);

bool contains(const Expression& expression, NodeId node, Op op);

// The side that a chain of equations says, or the set in a membership: the other side is a name, a
// tuple or ratio of names, or a product or quotient of names of segments and areas (capitals,
// subscripts), or some of values of functions ("f(1) + f(2)"), that is said to be constant. What
// follows \approx only repeats. None for a true equation between formulas: "7 = 11a + c", "x = y",
// "x^2 + y^2 = 1". Precondition: a relation.
std::optional<NodeId> said(const Expression& expression, NodeId relation);

struct Assignment {
  std::string_view name;
  NodeId value;
};
// "x = 5" with a plain variable on the left.
std::optional<Assignment> assignment(const Expression& expression, NodeId node);

// Whether a name is one letter, "x" or "\theta", without a subscript.
bool is_single_letter(std::string_view name);

}  // namespace orchestrator
