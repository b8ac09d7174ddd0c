#include "puct.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace orchestrator {

namespace {

bool judged(const Tree& tree, NodeId node) { return !std::isnan(tree.value(node)); }

// Simulations through a node, those under way too.
double through(const Tree& tree, NodeId node) {
  return static_cast<double>(tree.visits(node)) + static_cast<double>(tree.pending(node));
}

// Q of a node something is known of; NaN for the others.
double known(const Tree& tree, NodeId node) {
  if (!judged(tree, node)) return tree.mean(node);
  return (tree.value(node) + tree.total(node)) / (1.0 + static_cast<double>(tree.visits(node)));
}

}  // namespace

Puct::Puct(const Options& options) : options_(options) {
  if (!(options.c_puct >= 0.0) || std::isinf(options.c_puct)) {
    throw std::invalid_argument("c_puct must be finite and at least 0, not " +
                                std::to_string(options.c_puct));
  }
  if (options.branching < 1) throw std::invalid_argument("branching must be at least 1, not 0");
  if (!(options.widening >= 0.0 && options.widening <= 1.0)) {
    throw std::invalid_argument("widening must be in [0, 1], not " +
                                std::to_string(options.widening));
  }
}

std::optional<Puct::Simulation> Puct::ask(Tree& tree, bool only_descents) {
  auto found = next_descent(tree);
  if (!found && !only_descents) found = select(tree);
  if (!found) return found;
  const NodeId node = found->node;
  if (found->children == 0) {
    const double value = judged(tree, node) ? tree.value(node) : estimate(tree, node);
    see(value);
    tree.backup(node, value);
  } else {
    tree.begin(node);
    under_way_.push_back(*found);
  }
  return found;
}

void Puct::tell(Tree& tree, NodeId node, std::span<const NodeId> found, std::uint32_t repeats) {
  tree.check(node);
  for (const NodeId child : found) tree.check(child);
  const auto at = std::find_if(under_way_.begin(), under_way_.end(),
                               [node](const Simulation& one) { return one.node == node; });
  if (at == under_way_.end()) {
    throw std::invalid_argument("no simulation is under way at node " + std::to_string(node));
  }
  under_way_.erase(at);
  tree.abandon(node);
  if (found.empty()) {
    ++trouble_[node].failures;
    close_spent(tree, node);
    return;
  }
  double sum = 0.0;
  std::uint32_t count = 0;
  std::uint32_t closed = 0;
  for (const NodeId child : found) {
    if (tree.closed(child)) ++closed;
    if (!judged(tree, child)) continue;
    see(tree.value(child));
    sum += tree.value(child);
    ++count;
  }
  if (const auto known_trouble = trouble_.find(node); known_trouble != trouble_.end()) {
    known_trouble->second.failures = 0;
  }
  if (closed > 0) {
    Trouble& changed = trouble_[node];
    changed.closed += closed;
    changed.repeats += std::min(repeats, closed);
  }
  const double mean = count > 0 ? sum / count : estimate(tree, node);
  see(mean);
  tree.backup(node, mean);
  if (!options_.descend) return;
  const NodeId best = best_new(tree, found);
  if (best != kNoNode && !tree.complete(best)) descents_.push_back(best);
}

double Puct::estimate(const Tree& tree, NodeId node) const {
  tree.check(node);
  for (NodeId at = node; at != kNoNode; at = tree.parent(at)) {
    if (const double q = known(tree, at); !std::isnan(q)) return q;
  }
  return 0.0;
}

double Puct::normalised(double q) const {
  return highest_ > lowest_ ? (q - lowest_) / (highest_ - lowest_) : 0.0;
}

void Puct::see(double value) {
  lowest_ = std::min(lowest_, value);
  highest_ = std::max(highest_, value);
}

std::size_t Puct::bytes() const {
  constexpr std::size_t kEntry = sizeof(std::pair<const NodeId, Trouble>) + sizeof(void*);
  return under_way_.capacity() * sizeof(Simulation) + descents_.size() * sizeof(NodeId) +
         trouble_.size() * kEntry + trouble_.bucket_count() * sizeof(void*);
}

// The open one of the new children that has the highest value; of equals the likeliest, then the
// first. Unjudged ones are below all others.
NodeId Puct::best_new(const Tree& tree, std::span<const NodeId> found) const {
  const auto rank = [&](NodeId node) {
    const double value =
        judged(tree, node) ? tree.value(node) : -std::numeric_limits<double>::infinity();
    return std::pair(value, options_.uniform ? 0.0 : tree.prior(node));
  };
  NodeId best = kNoNode;
  for (const NodeId node : found) {
    if (!tree.closed(node) && (best == kNoNode || rank(node) > rank(best))) best = node;
  }
  return best;
}

// What goes on from the result that counted first of those that have not been gone on from.
std::optional<Puct::Simulation> Puct::next_descent(const Tree& tree) {
  while (!descents_.empty()) {
    const NodeId node = descents_.front();
    descents_.pop_front();
    const std::uint32_t children = tree.closed(node) ? 0 : room(tree, node);
    if (children > 0) return Simulation{node, children};
  }
  return std::nullopt;
}

std::optional<Puct::Simulation> Puct::select(const Tree& tree) const {
  if (tree.closed(kRoot)) return std::nullopt;
  std::vector<NodeId> blocked;  // nodes under way as far as they can be, met on this way down
  NodeId at = kRoot;
  while (true) {
    if (tree.complete(at)) {
      // Where what is under way was passed by, going to solutions again and again until it is
      // there would use up all simulations.
      if (!blocked.empty() && !under_way_.empty()) return std::nullopt;
      return Simulation{at, 0};
    }
    if (const std::uint32_t children = room(tree, at); children > 0)
      return Simulation{at, children};
    const NodeId best = best_child(tree, at, blocked);
    if (best != kNoNode) {
      at = best;
    } else if (at != kRoot) {
      blocked.push_back(at);
      at = tree.parent(at);
    } else {
      return std::nullopt;
    }
  }
}

NodeId Puct::best_child(const Tree& tree, NodeId node, std::span<const NodeId> blocked) const {
  double weights = 0.0;  // of the open children; all alike where they are 0
  if (!options_.uniform) {
    for (NodeId at = tree.first_child(node); at != kNoNode; at = tree.next_sibling(at)) {
      if (!tree.closed(at)) weights += tree.prior(at);
    }
  }
  const double open = tree.child_count(node) - trouble(node).closed;
  const double exploration = std::sqrt(through(tree, node));
  const double first_play = estimate(tree, node);
  NodeId best = kNoNode;
  double most = 0.0;
  for (NodeId at = tree.first_child(node); at != kNoNode; at = tree.next_sibling(at)) {
    if (tree.closed(at) || std::find(blocked.begin(), blocked.end(), at) != blocked.end()) continue;
    const double prior = weights > 0.0 ? tree.prior(at) / weights : 1.0 / open;
    const double q = known(tree, at);
    const double score = normalised(std::isnan(q) ? first_play : q) +
                         options_.c_puct * prior * exploration / (1.0 + through(tree, at));
    if (best == kNoNode || score > most) {
      best = at;
      most = score;
    }
  }
  return best;
}

// Children the node may be given now.
std::uint32_t Puct::room(const Tree& tree, NodeId node) const {
  const Trouble known_trouble = trouble(node);
  if (known_trouble.failures >= kTries) return 0;
  const std::uint32_t most = limit(tree, node);
  const std::uint32_t open = tree.child_count(node) - known_trouble.closed;
  const std::uint32_t have = (open > 0 ? open + known_trouble.repeats : 0) + under_way(node);
  return have < most ? std::min(options_.branching, most - have) : 0;
}

std::uint32_t Puct::limit(const Tree& tree, NodeId node) const {
  const double most =
      options_.branching * std::pow(std::max(1.0, through(tree, node)), options_.widening);
  return most < std::numeric_limits<std::uint32_t>::max() ? static_cast<std::uint32_t>(most)
                                                          : kNoNode - 1;
}

// Children that simulations under way will give the node.
std::uint32_t Puct::under_way(NodeId node) const {
  std::uint32_t children = 0;
  for (const Simulation& one : under_way_) {
    if (one.node == node) children += one.children;
  }
  return children;
}

Puct::Trouble Puct::trouble(NodeId node) const {
  if (trouble_.empty()) return {};
  const auto found = trouble_.find(node);
  return found == trouble_.end() ? Trouble{} : found->second;
}

// Close a node that will get no further child and has none to go on with, and what that leaves
// above it.
void Puct::close_spent(Tree& tree, NodeId node) {
  for (NodeId at = node; at != kNoNode && !tree.closed(at); at = tree.parent(at)) {
    const Trouble known_trouble = trouble(at);
    const bool open = tree.child_count(at) > known_trouble.closed || under_way(at) > 0;
    if (known_trouble.failures < kTries || open) return;
    tree.close(at);
    if (at != kRoot) ++trouble_[tree.parent(at)].closed;
  }
}

}  // namespace orchestrator
