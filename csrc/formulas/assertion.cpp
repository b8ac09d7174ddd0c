#include "formulas/assertion.hpp"

#include <algorithm>

#include "text.hpp"

namespace orchestrator {
namespace {

bool among(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void collect(const Expression& expression, NodeId id, Op op, std::vector<std::string_view>& out) {
  const Node& node = expression.nodes[id];
  if (node.op == op && !among(out, expression.names[node.index])) {
    out.push_back(expression.names[node.index]);
  }
  for (const NodeId child : expression.children_of(id)) collect(expression, child, op, out);
}

bool is_constant(const Expression& expression, NodeId id) {
  return !contains(expression, id, Op::symbol) && !contains(expression, id, Op::apply);
}

// Names of segments, areas and the like, and what is made of them without numbers.
bool is_designation(const Expression& expression, NodeId id) {
  const Node& node = expression.nodes[id];
  const auto children = expression.children_of(id);
  switch (node.op) {
    case Op::symbol: {
      const std::string_view name = expression.names[node.index];
      return is_upper(char_at(name, 0)) || name.find('_') != std::string_view::npos;
    }
    case Op::apply:
      return true;
    case Op::multiply:
    case Op::divide:
    case Op::ratio:
    case Op::absolute:
      return std::all_of(children.begin(), children.end(),
                         [&](NodeId child) { return is_designation(expression, child); });
    default:
      return false;
  }
}

bool is_name(const Expression& expression, NodeId id) {
  const Op op = expression.nodes[id].op;
  return op == Op::symbol || op == Op::apply;
}

// Whether `side` is a name that `value` is given to.
bool names(const Expression& expression, NodeId side, NodeId value) {
  const Node& node = expression.nodes[side];
  const auto children = expression.children_of(side);
  switch (node.op) {
    case Op::symbol:
      if (expression.nodes[value].op == Op::symbol) return false;
      return !among(variables(expression, value), expression.names[node.index]);
    case Op::apply:
      return !among(applied(expression, value), expression.names[node.index]);
    case Op::tuple:
    case Op::list:
    case Op::ratio:
      return expression.nodes[value].op != Op::symbol &&
             std::all_of(children.begin(), children.end(), [&](NodeId child) {
               return is_name(expression, child) && names(expression, child, value);
             });
    default:
      // "f(1) + f(2) = 5" says 5.
      return is_constant(expression, value) &&
             (is_designation(expression, side) ||
              (contains(expression, side, Op::apply) && !contains(expression, side, Op::symbol)));
  }
}

}  // namespace

std::vector<std::string_view> variables(const Expression& expression, NodeId node) {
  std::vector<std::string_view> out;
  collect(expression, node, Op::symbol, out);
  return out;
}

std::vector<std::string_view> applied(const Expression& expression, NodeId node) {
  std::vector<std::string_view> out;
  collect(expression, node, Op::apply, out);
  return out;
}

bool contains(const Expression& expression, NodeId node, Op op) {
  if (expression.nodes[node].op == op) return true;
  const auto children = expression.children_of(node);
  return std::any_of(children.begin(), children.end(),
                     [&](NodeId child) { return contains(expression, child, op); });
}

std::optional<NodeId> said(const Expression& expression, NodeId relation) {
  const auto sides = expression.children_of(relation);
  const auto& chain = expression.chains[expression.nodes[relation].index];
  if (sides.size() != chain.size() + 1 || chain.empty()) return std::nullopt;
  if (chain[0] == Relation::member && chain.size() == 1) {
    if (names(expression, sides[0], sides[1])) return sides[1];
    return std::nullopt;
  }
  const auto end = std::find(chain.begin(), chain.end(), Relation::approximately);
  const auto equal = [](Relation r) { return r == Relation::equal; };
  if (!std::all_of(chain.begin(), end, equal)) return std::nullopt;
  const auto count = static_cast<std::size_t>(end - chain.begin()) + 1;
  const NodeId first = sides[0], last = sides[count - 1];
  if (count == 1) return names(expression, first, sides[1]) ? sides[1] : first;
  if (names(expression, first, last)) return last;
  if (count == 2 && expression.nodes[last].op == Op::symbol && names(expression, last, first)) {
    return first;
  }
  if (std::all_of(sides.begin(), sides.end(),
                  [&](NodeId side) { return is_constant(expression, side); })) {
    return last;
  }
  return std::nullopt;
}

std::optional<Assignment> assignment(const Expression& expression, NodeId node) {
  if (expression.nodes[node].op != Op::relation) return std::nullopt;
  const NodeId left = expression.children_of(node)[0];
  if (expression.nodes[left].op != Op::symbol) return std::nullopt;
  const auto value = said(expression, node);
  if (!value || *value == left) return std::nullopt;
  return Assignment{expression.names[expression.nodes[left].index], *value};
}

bool is_single_letter(std::string_view name) {
  return name.size() == 1 || (name.starts_with('\\') && name.find('_') == std::string_view::npos);
}

}  // namespace orchestrator
