// A search tree in flat arrays: a node is a row, and what hangs on it is found by its number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace orchestrator {

using NodeId = std::uint32_t;

inline constexpr NodeId kRoot = 0;
inline constexpr NodeId kNoNode = UINT32_MAX;

// Nodes are numbered as they are added, a parent always before its children; none is ever removed,
// moved or copied. Text is the caller's, by number. Changing it from several threads at once is not
// safe.
class Tree {
 public:
  // What a node starts with. `value`: a verifier's score, NaN for none. `prior`: its weight among
  // its siblings, finite and at least 0. `tokens`: written for it. `arm`: which of the models wrote
  // it.
  struct Node {
    double value;
    double prior = 1.0;
    std::uint64_t tokens = 0;
    std::uint16_t arm = 0;
    bool complete = false;
  };

  Tree();  // with a root alone, which has no value

  // A new last child of `parent`. Throws std::invalid_argument for a parent that is not there or is
  // complete, a prior that is negative or not finite, an infinite value, and beyond 2^32 - 2 nodes.
  NodeId add(NodeId parent, const Node& node);

  std::size_t size() const { return parent_.size(); }
  void check(NodeId node) const;  // throws std::invalid_argument when there is no such node

  NodeId parent(NodeId node) const { return parent_[node]; }  // kNoNode for the root
  NodeId first_child(NodeId node) const { return first_child_[node]; }
  NodeId next_sibling(NodeId node) const { return next_sibling_[node]; }
  std::uint32_t child_count(NodeId node) const { return child_count_[node]; }
  std::uint32_t depth(NodeId node) const { return depth_[node]; }  // 0 for the root
  double value(NodeId node) const { return value_[node]; }
  double prior(NodeId node) const { return prior_[node]; }
  std::uint64_t tokens(NodeId node) const { return tokens_[node]; }
  std::uint16_t arm(NodeId node) const { return arm_[node]; }
  bool complete(NodeId node) const { return complete_[node] != 0; }
  void set_value(NodeId node, double value);

  // A closed node is not gone on from, nor is anything below it. It counts no subtree: closing asks
  // nothing of the rows below.
  void close(NodeId node) { closed_[node] = 1; }
  bool closed(NodeId node) const { return closed_[node] != 0; }

  // Visits that went through a node and the sum of what they found; `pending` ones are under way.
  std::uint32_t visits(NodeId node) const { return visits_[node]; }
  double total(NodeId node) const { return total_[node]; }
  std::uint32_t pending(NodeId node) const { return pending_[node]; }
  double mean(NodeId node) const;  // total / visits; NaN without a visit

  // A visit begins, or ends without a finding: one pending more, or less, at `node` and all above
  // it.
  void begin(NodeId node);
  void abandon(NodeId node);
  // A visit that found `value`: one visit more and `value` added at `node` and all above it.
  void backup(NodeId node, double value);

  // Nodes from below the root to `node`; empty for the root.
  std::vector<NodeId> path(NodeId node) const;
  std::vector<NodeId> children(NodeId node) const;

  std::size_t bytes() const;  // of memory set aside for the rows

 private:
  std::vector<NodeId> parent_, first_child_, last_child_, next_sibling_;
  std::vector<std::uint32_t> child_count_, depth_, visits_, pending_;
  std::vector<double> value_, prior_, total_;
  std::vector<std::uint64_t> tokens_;
  std::vector<std::uint16_t> arm_;
  std::vector<std::uint8_t> complete_, closed_;
};

}  // namespace orchestrator
