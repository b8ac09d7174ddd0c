#include "answers/partition.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace orchestrator {

Partition::NodeId Partition::root_of(NodeId node) const {
  check(node);
  while (parents_[node] != node) node = parents_[node];
  return node;
}

void Partition::check(NodeId node) const {
  if (node >= parents_.size())
    throw std::invalid_argument("there is no node " + std::to_string(node) + " among " +
                                std::to_string(parents_.size()));
}

Partition::NodeId Partition::add_node(std::span<const NodeId> equal) {
  std::vector<NodeId> roots;
  for (const NodeId node : equal) roots.push_back(root_of(node));
  std::ranges::sort(roots, {}, [this](NodeId root) { return labels_[root]; });
  roots.erase(std::unique(roots.begin(), roots.end()), roots.end());

  const NodeId node = parents_.size();
  parents_.push_back(node);
  tree_sizes_.push_back(1);
  labels_.push_back(0);
  counts_.push_back(0);
  if (roots.empty()) {
    labels_[node] = next_label_++;
    return node;
  }
  const ClusterId kept = labels_[roots.front()];
  for (std::size_t at = 1; at < roots.size(); ++at) merges_.emplace_back(labels_[roots[at]], kept);
  const NodeId root =
      *std::ranges::max_element(roots, {}, [this](NodeId r) { return tree_sizes_[r]; });
  roots.push_back(node);
  for (const NodeId other : roots) {
    if (other == root) continue;
    parents_[other] = root;
    tree_sizes_[root] += tree_sizes_[other];
  }
  labels_[root] = kept;
  return node;
}

ClusterId Partition::add(std::optional<NodeId> node, double weight) {
  const ClusterId label = node ? labels_[root_of(*node)] : kAbstains;
  weight_ += checked_weight(weight);
  node_of_.push_back(node.value_or(kNone));
  weight_of_.push_back(weight);
  if (node)
    ++counts_[*node];
  else
    ++abstentions_;
  return label;
}

std::pair<std::vector<ClusterId>, std::size_t> Partition::numbered() const {
  std::vector<ClusterId> of_root(parents_.size(), kAbstains), of_node(parents_.size());
  ClusterId next = 0;
  for (NodeId node = 0; node < parents_.size(); ++node) {
    ClusterId& number = of_root[root_of(node)];
    if (number == kAbstains) number = next++;
    of_node[node] = number;
  }
  return {std::move(of_node), static_cast<std::size_t>(next)};
}

std::vector<ClusterId> Partition::labels() const {
  std::vector<ClusterId> labels;
  for (const auto& nodes : this->nodes()) labels.push_back(labels_[root_of(nodes.front())]);
  return labels;
}

std::vector<std::vector<Partition::NodeId>> Partition::nodes() const {
  const auto [number, clusters] = numbered();
  std::vector<std::vector<NodeId>> nodes(clusters);
  for (NodeId node = 0; node < number.size(); ++node)
    nodes[static_cast<std::size_t>(number[node])].push_back(node);
  return nodes;
}

std::vector<ClusterId> Partition::ids() const {
  const auto [number, clusters] = numbered();
  std::vector<ClusterId> ids;
  ids.reserve(node_of_.size());
  for (const NodeId node : node_of_) ids.push_back(node == kNone ? kAbstains : number[node]);
  return ids;
}

std::vector<std::vector<std::size_t>> Partition::members() const {
  const auto [number, clusters] = numbered();
  std::vector<std::vector<std::size_t>> members(clusters);
  for (std::size_t sample = 0; sample < node_of_.size(); ++sample)
    if (const NodeId node = node_of_[sample]; node != kNone)
      members[static_cast<std::size_t>(number[node])].push_back(sample);
  return members;
}

std::vector<std::size_t> Partition::sizes() const {
  const auto [number, clusters] = numbered();
  std::vector<std::size_t> sizes(clusters);
  for (NodeId node = 0; node < number.size(); ++node)
    sizes[static_cast<std::size_t>(number[node])] += counts_[node];
  return sizes;
}

std::vector<double> Partition::weights() const {
  const auto [number, clusters] = numbered();
  std::vector<double> weights(clusters);
  for (std::size_t sample = 0; sample < node_of_.size(); ++sample)
    if (const NodeId node = node_of_[sample]; node != kNone)
      weights[static_cast<std::size_t>(number[node])] += weight_of_[sample];
  return weights;
}

}  // namespace orchestrator
