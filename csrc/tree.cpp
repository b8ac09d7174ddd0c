#include "tree.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace orchestrator {

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

template <typename... Columns>
std::size_t bytes_of(const Columns&... columns) {
  return ((columns.capacity() * sizeof(typename Columns::value_type)) + ...);
}

void check_value(double value) {
  if (std::isinf(value)) throw std::invalid_argument("a node's value must be finite");
}

}  // namespace

Tree::Tree() {
  parent_.push_back(kNoNode);
  first_child_.push_back(kNoNode);
  last_child_.push_back(kNoNode);
  next_sibling_.push_back(kNoNode);
  child_count_.push_back(0);
  depth_.push_back(0);
  visits_.push_back(0);
  pending_.push_back(0);
  value_.push_back(kNothing);
  prior_.push_back(1.0);
  total_.push_back(0.0);
  tokens_.push_back(0);
  arm_.push_back(0);
  complete_.push_back(0);
  closed_.push_back(0);
}

void Tree::check(NodeId node) const {
  if (node < size()) return;
  throw std::invalid_argument("there is no node " + std::to_string(node) + " in a tree of " +
                              std::to_string(size()));
}

NodeId Tree::add(NodeId parent, const Node& node) {
  check(parent);
  if (complete(parent)) {
    throw std::invalid_argument("node " + std::to_string(parent) +
                                " is complete: it has no children");
  }
  if (!(node.prior >= 0.0) || std::isinf(node.prior)) {
    throw std::invalid_argument("a prior must be finite and at least 0, not " +
                                std::to_string(node.prior));
  }
  check_value(node.value);
  if (size() >= kNoNode - 1) throw std::invalid_argument("a tree holds fewer than 2^32 - 1 nodes");
  const auto id = static_cast<NodeId>(size());
  parent_.push_back(parent);
  first_child_.push_back(kNoNode);
  last_child_.push_back(kNoNode);
  next_sibling_.push_back(kNoNode);
  child_count_.push_back(0);
  depth_.push_back(depth_[parent] + 1);
  visits_.push_back(0);
  pending_.push_back(0);
  value_.push_back(node.value);
  prior_.push_back(node.prior);
  total_.push_back(0.0);
  tokens_.push_back(node.tokens);
  arm_.push_back(node.arm);
  complete_.push_back(node.complete ? 1 : 0);
  closed_.push_back(0);
  if (last_child_[parent] == kNoNode) {
    first_child_[parent] = id;
  } else {
    next_sibling_[last_child_[parent]] = id;
  }
  last_child_[parent] = id;
  ++child_count_[parent];
  return id;
}

void Tree::set_value(NodeId node, double value) {
  check(node);
  check_value(value);
  value_[node] = value;
}

double Tree::mean(NodeId node) const {
  return visits_[node] == 0 ? kNothing : total_[node] / visits_[node];
}

void Tree::begin(NodeId node) {
  check(node);
  for (NodeId at = node; at != kNoNode; at = parent_[at]) ++pending_[at];
}

void Tree::abandon(NodeId node) {
  check(node);
  // What is pending at a node is pending at all above it, but where one of them was abandoned that
  // had not begun.
  for (NodeId at = node; at != kNoNode; at = parent_[at])
    if (pending_[at] == 0)
      throw std::invalid_argument("no visit is under way at node " + std::to_string(at));
  for (NodeId at = node; at != kNoNode; at = parent_[at]) --pending_[at];
}

void Tree::backup(NodeId node, double value) {
  check(node);
  if (!std::isfinite(value)) throw std::invalid_argument("what a visit found must be finite");
  for (NodeId at = node; at != kNoNode; at = parent_[at]) {
    ++visits_[at];
    total_[at] += value;
  }
}

std::vector<NodeId> Tree::path(NodeId node) const {
  check(node);
  std::vector<NodeId> found;
  found.reserve(depth_[node]);
  for (NodeId at = node; at != kRoot; at = parent_[at]) found.push_back(at);
  std::reverse(found.begin(), found.end());
  return found;
}

std::vector<NodeId> Tree::children(NodeId node) const {
  check(node);
  std::vector<NodeId> found;
  found.reserve(child_count_[node]);
  for (NodeId at = first_child_[node]; at != kNoNode; at = next_sibling_[at]) found.push_back(at);
  return found;
}

std::size_t Tree::bytes() const {
  return bytes_of(parent_, first_child_, last_child_, next_sibling_, child_count_, depth_, visits_,
                  pending_, value_, prior_, total_, tokens_, arm_, complete_, closed_);
}

}  // namespace orchestrator
