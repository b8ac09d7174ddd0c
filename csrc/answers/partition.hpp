// Clusters of answers that are equal pair by pair: the transitive closure of "these two are equal",
// grown one distinct answer at a time (union-find: Tarjan 1975, "Efficiency of a good but not
// linear set union algorithm").
//
// A distinct answer is a node. Two numberings of clusters are kept apart:
//   label   what an answer's cluster is called while the partition grows. Labels are given out in
//           order, 0, 1, ... When a new node is equal to nodes of several clusters these become
//           one, which keeps the smallest label; the other labels are retired and never used again.
//   number  0 .. k-1 over the k clusters there are now, in the order of their first node. What is
//           read out (`nodes`, `members`, `sizes`, `weights`, `ids`) goes by number.
// Which nodes are together depends only on which pairs are equal, not on the order they came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "answers/cluster.hpp"

namespace orchestrator {

class Partition {
 public:
  using NodeId = std::size_t;

  // A new distinct answer, equal to each of `equal`; its number, counted from 0. Throws
  // std::invalid_argument for a node that does not exist, and adds nothing.
  NodeId add_node(std::span<const NodeId> equal);

  // A sample whose answer is `node`, or none: its cluster's label now, or kAbstains. Throws
  // std::invalid_argument for a node that does not exist or a weight that is negative or not
  // finite.
  ClusterId add(std::optional<NodeId> node, double weight = 1.0);

  bool together(NodeId a, NodeId b) const { return root_of(a) == root_of(b); }

  std::size_t samples() const { return node_of_.size(); }
  std::size_t abstentions() const { return abstentions_; }
  // The weight of all samples, abstentions included.
  double weight() const { return weight_; }

  // By cluster number: its label, its nodes in order, its samples in order, how many, their weight.
  std::vector<ClusterId> labels() const;
  std::vector<std::vector<NodeId>> nodes() const;
  std::vector<std::vector<std::size_t>> members() const;
  std::vector<std::size_t> sizes() const;
  std::vector<double> weights() const;
  // By sample: its cluster's number now, or kAbstains.
  std::vector<ClusterId> ids() const;
  // Samples by node.
  const std::vector<std::size_t>& counts() const { return counts_; }
  // Retired labels and the label each went into, in the order it happened.
  const std::vector<std::pair<ClusterId, ClusterId>>& merges() const { return merges_; }

 private:
  NodeId root_of(NodeId node) const;
  void check(NodeId node) const;
  // The number of each node's cluster, and how many clusters there are.
  std::pair<std::vector<ClusterId>, std::size_t> numbered() const;

  static constexpr NodeId kNone = static_cast<NodeId>(-1);

  // Paths are not shortened on look-up, so that reading is const and safe from several threads;
  // uniting by size keeps them logarithmic.
  std::vector<NodeId> parents_;
  std::vector<std::size_t> tree_sizes_;  // nodes below, right for roots
  std::vector<ClusterId> labels_;        // right for roots
  std::vector<std::size_t> counts_;      // samples by node
  std::vector<NodeId> node_of_;          // by sample; kNone abstains
  std::vector<double> weight_of_;        // by sample
  std::vector<std::pair<ClusterId, ClusterId>> merges_;
  ClusterId next_label_ = 0;
  std::size_t abstentions_ = 0;
  double weight_ = 0.0;
};

}  // namespace orchestrator
