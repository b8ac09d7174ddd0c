#include "adaptive_branching.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

namespace orchestrator {

namespace {

double score_of(const Tree& tree, NodeId node) {
  const double value = tree.value(node);
  return std::isnan(value) ? 0.0 : value;
}

}  // namespace

AdaptiveBranching::AdaptiveBranching(const ScorePrior& prior, std::uint16_t arms,
                                     std::uint64_t seed, std::uint32_t max_depth)
    : prior_(prior), seed_(seed), max_depth_(max_depth), nodes_(1), arms_(arms), writing_(arms) {
  check_prior(prior);
  if (arms == 0) throw std::invalid_argument("there must be an arm to write with");
  if (max_depth == 0) throw std::invalid_argument("max_depth must be at least 1");
}

AdaptiveBranching::Choice AdaptiveBranching::ask(Tree& tree) {
  nodes_.resize(tree.size());
  RandomStream random(seed_, asked_++);
  NodeId at = kRoot;
  for (;;) {
    const NodeId first = first_open(tree, tree.first_child(at));
    if (first == kNoNode || !goes_on(tree, at, random)) break;
    at = best_from(tree, first, random);
  }
  const std::uint16_t arm = best_arm(random);
  tree.begin(at);
  ++nodes_[at].generating;
  ++writing_[arm];
  return {at, arm};
}

void AdaptiveBranching::tell(Tree& tree, Choice choice, std::span<const NodeId> children) {
  const auto [node, arm] = choice;
  tree.check(node);
  nodes_.resize(tree.size());
  if (arm >= arms_.size() || writing_[arm] == 0 || nodes_[node].generating == 0) {
    throw std::invalid_argument("no expansion of node " + std::to_string(node) + " by arm " +
                                std::to_string(arm) + " is under way");
  }
  for (const NodeId child : children) {
    tree.check(child);
    if (tree.parent(child) != node) {
      throw std::invalid_argument("node " + std::to_string(child) + " is not a child of node " +
                                  std::to_string(node));
    }
    check_score(prior_, score_of(tree, child));
  }
  tree.abandon(node);
  --nodes_[node].generating;
  --writing_[arm];
  for (const NodeId child : children) {
    count(tree, child);
    arms_[arm].add(score_of(tree, child));
  }
}

void AdaptiveBranching::count(Tree& tree, NodeId child) {
  const double score = score_of(tree, child);
  const NodeId node = tree.parent(child);
  tree.backup(child, score);
  for (NodeId at = child; at != kNoNode; at = tree.parent(at)) nodes_[at].squares += score * score;
  nodes_[node].generated.add(score);
  for (NodeId at = tree.parent(node); at != kNoNode; at = tree.parent(at))
    nodes_[at].continued.add(score);
}

bool AdaptiveBranching::open(const Tree& tree, NodeId node) const {
  return !tree.closed(node) && !tree.complete(node) && tree.depth(node) < max_depth_;
}

NodeId AdaptiveBranching::first_open(const Tree& tree, NodeId node) const {
  while (node != kNoNode && !open(tree, node)) node = tree.next_sibling(node);
  return node;
}

bool AdaptiveBranching::goes_on(const Tree& tree, NodeId node, RandomStream& random) const {
  const Node& known = nodes_[node];
  const std::uint32_t below = tree.pending(node) - known.generating;
  const double generated = draw_mean(prior_, known.generated, known.generating, random);
  const double continued = draw_mean(prior_, known.continued, below, random);
  return continued > generated;
}

NodeId AdaptiveBranching::best_from(const Tree& tree, NodeId first, RandomStream& random) const {
  NodeId best = kNoNode;
  double highest = 0.0;
  for (NodeId at = first; at != kNoNode; at = first_open(tree, tree.next_sibling(at))) {
    const ScoreSums scores{tree.visits(at), tree.total(at), nodes_[at].squares};
    const double drawn = draw_mean(prior_, scores, tree.pending(at), random);
    if (best == kNoNode || drawn > highest) best = at, highest = drawn;
  }
  return best;
}

std::uint16_t AdaptiveBranching::best_arm(RandomStream& random) const {
  std::uint16_t best = 0;
  if (arms_.size() == 1) return best;
  double highest = 0.0;
  for (std::uint16_t arm = 0; arm < arms_.size(); ++arm) {
    const double drawn = draw_mean(prior_, arms_[arm], writing_[arm], random);
    if (arm == 0 || drawn > highest) best = arm, highest = drawn;
  }
  return best;
}

std::size_t AdaptiveBranching::bytes() const { return nodes_.capacity() * sizeof(Node); }

}  // namespace orchestrator
