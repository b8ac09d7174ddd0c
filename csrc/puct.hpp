// Monte Carlo tree search with a prior (PUCT): where a simulation goes, and what it leaves behind.
//
// With N(s) the simulations through a node s, finished and under way, n and W those that are
// finished and the sum of what they found, v its own value where it has one:
//
//   Q(s) = (v + W(s)) / (1 + n(s)), without v W(s) / n(s), without both Q of its parent, at last 0
//   Q'(s) = (Q(s) - lowest) / (highest - lowest), 0 where these are equal
//   U(s) = c_puct * P(s) * sqrt(N(parent)) / (1 + N(s))
//
// a simulation goes from the root to the child with the highest Q' + U, until it is at a complete
// node or at one that may have more children: open ones are at most k * max(1, N)^alpha
// (progressive widening). The lowest and the highest are of all values of nodes and all findings
// so far; every Q is a mean of such. With `descend` the next simulation expands the best of the new
// children instead of going from the root, until that is complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "tree.hpp"

namespace orchestrator {

class Puct {
 public:
  // `c_puct`: weight of exploration, finite and at least 0. `branching`: k, and the most children
  // of one expansion, at least 1. `widening`: alpha, in [0, 1]. `uniform`: P is the same for all
  // siblings, and not their prior over its sum. `descend`: whether new children are gone on from at
  // once.
  struct Options {
    double c_puct = 1.25;
    std::uint32_t branching = 3;
    double widening = 0.0;
    bool uniform = false;
    bool descend = false;
  };

  // Where a simulation ended. `children`: how many the node is to get; 0 at a complete node.
  struct Simulation {
    NodeId node;
    std::uint32_t children;
  };

  // An expansion this often without a child, one after the other, was the node's last.
  static constexpr std::uint32_t kTries = 2;

  explicit Puct(
      const Options& options);  // throws std::invalid_argument for options out of their range

  // The next simulation; nothing while all that could be gone on from is under way, where the way
  // leads past something under way to a complete node, or when nothing is left. At a complete node
  // it is finished at once, and its value backed up; else it is pending until it is told.
  // O(depth * children), and as much again for every node that is under way as far as it can be.
  // With `only_descents` nothing is selected from the root.
  std::optional<Simulation> ask(Tree& tree, bool only_descents = false);

  // The simulation that expanded `node` has added `found`, some of which may be closed already. Of
  // those, `repeats` are equal to a sibling and keep their places; the others make room. The
  // mean of their values is backed up (Q(node) where none is judged); none found backs up nothing.
  // Throws std::invalid_argument when no simulation is under way there.
  void tell(Tree& tree, NodeId node, std::span<const NodeId> found, std::uint32_t repeats = 0);

  double estimate(const Tree& tree, NodeId node) const;  // Q
  double normalised(double q) const;                     // Q' of a Q, in [0, 1]

  std::size_t bytes() const;  // of memory beside the tree's, about

 private:
  // What few nodes have.
  struct Trouble {
    std::uint32_t closed = 0;    // children that are
    std::uint32_t repeats = 0;   // those of them that are equal to a sibling
    std::uint32_t failures = 0;  // expansions without a child, since the last that had one
  };

  void see(double value);
  NodeId best_new(const Tree& tree, std::span<const NodeId> found) const;
  std::optional<Simulation> next_descent(const Tree& tree);
  std::optional<Simulation> select(const Tree& tree) const;
  NodeId best_child(const Tree& tree, NodeId node, std::span<const NodeId> blocked) const;
  std::uint32_t room(const Tree& tree, NodeId node) const;
  std::uint32_t limit(const Tree& tree, NodeId node) const;
  std::uint32_t under_way(NodeId node) const;
  Trouble trouble(NodeId node) const;
  void close_spent(Tree& tree, NodeId node);

  Options options_;
  std::vector<Simulation> under_way_;  // in the order of asking
  std::deque<NodeId> descents_;        // to be expanded next, each by one simulation
  double lowest_ = std::numeric_limits<double>::infinity();
  double highest_ = -std::numeric_limits<double>::infinity();
  std::unordered_map<NodeId, Trouble> trouble_;
};

}  // namespace orchestrator
