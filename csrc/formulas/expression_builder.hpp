// Builds an expression bottom up and holds it to the limits of expression.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formulas/expression.hpp"

namespace orchestrator {

// Children wait on a stack until their parent takes them: a caller remembers `mark()`, pushes, and
// gathers what was pushed since. Past a limit, or once abandoned, every call returns node 0,
// which need not be there, and `intact` stays false: the caller may go on and give up when it
// suits.
class ExpressionBuilder {
 public:
  explicit ExpressionBuilder(std::size_t expected_nodes) {
    expression_.nodes.reserve(expected_nodes);
    expression_.children.reserve(expected_nodes);
    expression_.numbers.reserve(4);
    depths_.reserve(expected_nodes);
    waiting_.reserve(16);
  }

  bool intact() const { return intact_; }
  void abandon() { intact_ = false; }
  const Node& node(NodeId id) const { return expression_.nodes[id]; }
  const Expression& expression() const { return expression_; }
  std::size_t size() const { return expression_.nodes.size(); }

  std::size_t mark() const { return waiting_.size(); }
  std::size_t waiting_since(std::size_t mark) const { return waiting_.size() - mark; }
  std::vector<NodeId>& waiting() { return waiting_; }
  void push(NodeId id) { waiting_.push_back(id); }

  NodeId leaf(Op op) { return add(Node{.op = op}, 1); }

  NodeId number(Rational value) {
    expression_.numbers.push_back(std::move(value));
    return add(Node{.op = Op::number, .index = last(expression_.numbers)}, 1);
  }

  // Most numbers of formulas are below a hundred; a copy costs a fifth of making one.
  NodeId number(std::uint64_t value) {
    static const std::vector<Rational> small = [] {
      std::vector<Rational> values;
      for (std::uint64_t i = 0; i < 100; ++i) values.push_back({false, Natural{i}, Natural{1}});
      return values;
    }();
    return number(value < small.size() ? small[value]
                                       : Rational{false, Natural{value}, Natural{1}});
  }

  NodeId named(Op op, std::string name) {
    expression_.names.push_back(std::move(name));
    return add(Node{.op = op, .index = last(expression_.names)}, 1);
  }

  // A node over what was pushed since `mark`.
  NodeId gather(Op op, std::size_t mark, std::uint32_t index = 0) {
    Node node{.op = op,
              .index = index,
              .first = static_cast<std::uint32_t>(expression_.children.size()),
              .count = static_cast<std::uint32_t>(waiting_.size() - mark)};
    std::uint8_t depth = 0;
    if (intact_) {
      for (std::size_t i = mark; i < waiting_.size(); ++i) {
        depth = std::max(depth, depths_[waiting_[i]]);
        expression_.children.push_back(waiting_[i]);
      }
    }
    waiting_.resize(mark);
    return add(node, static_cast<std::uint8_t>(depth + 1));
  }

  // The same, but what stands alone needs no node around it.
  NodeId gather_several(Op op, std::size_t mark) {
    if (waiting_.size() != mark + 1) return gather(op, mark);
    const NodeId only = waiting_.back();
    waiting_.pop_back();
    return only;
  }

  NodeId make(Op op, std::initializer_list<NodeId> children, std::uint32_t index = 0) {
    const std::size_t start = mark();
    waiting_.insert(waiting_.end(), children);
    return gather(op, start, index);
  }

  NodeId apply(std::string name, std::size_t mark) {
    expression_.names.push_back(std::move(name));
    return gather(Op::apply, mark, last(expression_.names));
  }

  NodeId relation(std::vector<Relation> chain, std::size_t mark) {
    expression_.chains.push_back(std::move(chain));
    return gather(Op::relation, mark, last(expression_.chains));
  }

  Expression finish(NodeId root) {
    expression_.root = root;
    return std::move(expression_);
  }

 private:
  template <typename T>
  static std::uint32_t last(const std::vector<T>& values) {
    return static_cast<std::uint32_t>(values.size() - 1);
  }

  NodeId add(const Node& node, std::uint8_t depth) {
    intact_ = intact_ && depth <= kMaxTreeDepth && expression_.nodes.size() < kMaxNodes;
    if (!intact_) return 0;
    expression_.nodes.push_back(node);
    depths_.push_back(depth);
    return static_cast<NodeId>(expression_.nodes.size() - 1);
  }

  Expression expression_;
  std::vector<std::uint8_t> depths_;  // of each node's subtree; a leaf's is 1
  std::vector<NodeId> waiting_;
  bool intact_ = true;
};

}  // namespace orchestrator
