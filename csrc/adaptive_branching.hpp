// AB-MCTS-A: whether to write a new answer or to go on from a known one, at every node on the way
// down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "thompson.hpp"
#include "tree.hpp"

namespace orchestrator {

// Adaptive branching with node aggregation (Inoue et al. 2025, arXiv 2503.04412, section 3.4 and
// appendices A.3 and D.1.2). Every node has a GEN option, to write one more child, and a CONT
// option, to go on from one of its children. What is known of them are the scores of what came of
// each choice:
//
//   GEN   the scores of the node's children;
//   CONT  the scores of all that is further down;
//   child its own score and those of all below it;
//   arm   the scores of all nodes the arm wrote, wherever they are.
//
// From the root, while the node at hand has a child to go on from, a mean is drawn for GEN and for
// CONT. GEN ends the way there when its draw is not the lower one; else the way goes to the child
// with the highest draw. Of several arms the one with the highest draw writes. Ties go to the
// first.
//
// Expansions under way count as pending scores at each option that led to them (see draw_mean). All
// it needs of a node are three sums for each of GEN and CONT and one for the child, kept up to date
// on the way to the root: an expansion takes a draw for each child of each node on its way, and no
// memory.
class AdaptiveBranching {
 public:
  struct Choice {
    NodeId node;
    std::uint16_t arm;
  };

  // Nodes `max_depth` below the root are not gone on from. Throws std::invalid_argument for a bad
  // prior, no arms, or a depth of 0.
  AdaptiveBranching(const ScorePrior& prior, std::uint16_t arms, std::uint64_t seed,
                    std::uint32_t max_depth);

  // The next expansion, which is then under way. The n-th call draws from a stream of its own, so
  // what it chooses depends on the seed, on n, on what has been told and on what is under way.
  Choice ask(Tree& tree);

  // What came of an expansion: `children`, just added under `choice.node`, or none. A child without
  // a value counts as 0, the lowest. Throws std::invalid_argument when no such expansion is under
  // way, a node is not a child of it, or a score is out of the prior's range; then nothing is
  // changed.
  void tell(Tree& tree, Choice choice, std::span<const NodeId> children);

  // Throws std::out_of_range when there is no such arm.
  const ScoreSums& scores_of_arm(std::size_t arm) const { return arms_.at(arm); }

  std::size_t bytes() const;  // of memory set aside for nodes

 private:
  struct Node {
    ScoreSums generated;           // GEN
    ScoreSums continued;           // CONT
    double squares = 0.0;          // of the scores that tree.visits and tree.total count
    std::uint32_t generating = 0;  // expansions of this node under way
  };

  bool open(const Tree& tree, NodeId node) const;
  NodeId first_open(const Tree& tree, NodeId node) const;  // from `node` on, among siblings
  bool goes_on(const Tree& tree, NodeId node, RandomStream& random) const;
  NodeId best_from(const Tree& tree, NodeId first, RandomStream& random) const;
  std::uint16_t best_arm(RandomStream& random) const;
  void count(Tree& tree, NodeId child);

  ScorePrior prior_;
  std::uint64_t seed_;
  std::uint32_t max_depth_;
  std::uint64_t asked_ = 0;
  std::vector<Node> nodes_;
  std::vector<ScoreSums> arms_;
  std::vector<std::uint32_t> writing_;  // expansions by each arm under way
};

}  // namespace orchestrator
