#include "formulas/fingerprint.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "formulas/assertion.hpp"
#include "formulas/evaluate.hpp"
#include "formulas/inequality.hpp"
#include "formulas/mixing.hpp"
#include "text.hpp"

namespace orchestrator {
namespace {

using Key = std::optional<std::string>;
using Keys = std::optional<std::vector<std::string>>;

// Two independent lanes of 64 bits.
struct Hash {
  std::uint64_t first = 0x243f6a8885a308d3, second = 0x13198a2e03707344;

  void add(std::uint64_t value) {
    first = mixed(first ^ value);
    second = mixed(second + 0x9e3779b97f4a7c15 * mixed(~value));
  }
  void add(const Rounded& parts) {
    add(static_cast<std::uint64_t>(parts.re));
    if (parts.im != 0) add(static_cast<std::uint64_t>(parts.im));
    add(static_cast<std::uint64_t>(parts.re_exponent) << 32 ^
        static_cast<std::uint32_t>(parts.im_exponent));
  }
  std::string hex() const {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out(32, '0');
    for (std::size_t i = 0; i < 16; ++i) {
      out[15 - i] = kDigits[first >> (4 * i) & 15];
      out[31 - i] = kDigits[second >> (4 * i) & 15];
    }
    return out;
  }
};

// A tree as it is written, but for the order of terms and factors.
std::uint64_t written(const Expression& expression, NodeId id) {
  const Node& node = expression.nodes[id];
  std::uint64_t out = mixed(static_cast<std::uint64_t>(node.op));
  switch (node.op) {
    case Op::number:
      out = mixed(out ^ hashed(expression.numbers[node.index].str()));
      break;
    case Op::symbol:
    case Op::word:
    case Op::apply:
      out = mixed(out ^ hashed(expression.names[node.index]));
      break;
    case Op::relation:
      for (const Relation r : expression.chains[node.index]) {
        out = mixed(out + static_cast<std::uint64_t>(r));
      }
      break;
    default:
      out = mixed(out ^ node.index);
  }
  std::uint64_t unordered = 0;
  const bool commutes = node.op == Op::add || node.op == Op::multiply;
  for (const NodeId child : expression.children_of(id)) {
    const std::uint64_t part = written(expression, child);
    if (commutes) {
      unordered += mixed(part);
    } else {
      out = mixed(out ^ part);
    }
  }
  return mixed(out + unordered);
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += ',';
    out += part;
  }
  return out;
}

std::string bracketed(std::string_view open, const std::vector<std::string>& parts,
                      std::string_view close) {
  return std::string{open}.append(joined(parts)).append(close);
}

void sort_unique(std::vector<std::string>& keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

bool is_number(std::string_view key) {
  return is_digit(char_at(key, 0)) || (char_at(key, 0) == '-' && is_digit(char_at(key, 1)));
}

bool is_fence(std::string_view key) { return key == "oo" || key == "-oo"; }

std::string interval_key(std::string_view low, std::string_view high, bool low_closed,
                         bool high_closed) {
  std::string out = low_closed && !is_fence(low) ? "[" : "(";
  out.append(low).append(",").append(high);
  return out.append(high_closed && !is_fence(high) ? "]" : ")");
}

class Fingerprinter {
 public:
  explicit Fingerprinter(const Expression& expression)
      : expression_(expression), evaluator_(expression) {
    for (const Node& node : expression.nodes) {
      has_choice_ = has_choice_ || node.op == Op::plus_minus || node.op == Op::minus_plus;
    }
  }

  Key root() {
    if (op(expression_.root) == Op::word) return std::nullopt;
    Key key = repeats(expression_.root) ? sequence(expression_.root)
                                        : list_of(std::array{expression_.root});
    if (!key) return std::nullopt;
    return (is_number(*key) ? "n:" : "m:") + *key;
  }

 private:
  Op op(NodeId id) const { return expression_.nodes[id].op; }
  std::span<const NodeId> children(NodeId id) const { return expression_.children_of(id); }

  // Values.

  Key scalar(NodeId id) {
    const Scalar value = evaluator_.in_domain([&] { return evaluator_.evaluate(id); });
    if (value.valid()) {
      if (Key key = value_key(value, value.fragile ? std::optional{id} : std::nullopt)) return key;
    }
    // Exact arithmetic knows what cancellation or range took away.
    if (const auto values = evaluator_.exact_values(id)) {
      Scalar exact;
      exact.constant = (*values)[0] == (*values)[1] && (*values)[0] == (*values)[2];
      if (exact.constant) return (*values)[0].str();
      for (std::size_t i = 0; i < kPoints; ++i) exact.at[i] = approximate((*values)[i]);
      if (Key key = value_key(exact, std::nullopt)) return key;
    }
    if (const auto residues = evaluator_.residues(id)) return residue_key(*residues);
    return std::nullopt;
  }

  static std::string residue_key(const std::array<std::uint64_t, 2>& residues) {
    Hash hash;
    for (const std::uint64_t residue : residues) hash.add(residue);
    return std::string{"~"} += hash.hex();
  }

  // The key of a value; `fragile` is the tree that tells it from its neighbours if that is needed.
  Key value_key(const Scalar& value, std::optional<NodeId> fragile) {
    if (value.exact != nullptr) return value.exact->str();
    if (value.infinite != 0) return value.infinite > 0 ? "oo" : "-oo";
    std::array<Rounded, kPoints> parts;
    for (std::size_t i = 0; i < (value.constant ? 1 : kPoints); ++i) {
      const auto at = rounded(value.at[i]);
      if (!at) return std::nullopt;
      parts[i] = *at;
    }
    Hash hash;
    hash.add(parts[0]);
    if (value.constant || (parts[0] == parts[1] && parts[0] == parts[2])) {
      if (const auto number = fragile ? std::nullopt : reconstructed(value.at[0])) {
        return number->str();
      }
    } else {
      hash.add(parts[1]);
      hash.add(parts[2]);
    }
    std::string out{"#"};
    out += hash.hex();
    if (fragile) {
      if (const auto residues = evaluator_.residues(*fragile, true)) {
        out += residue_key(*residues);
      } else {
        Hash tree;
        tree.add(written(expression_, *fragile));
        out.append("~").append(tree.hex());
      }
    }
    return out;
  }

  // "[3 mod 5]": the remainder alone forgets the modulus.
  Key residue_class(NodeId id) {
    Key remainder = scalar(id);
    const Key modulus = remainder ? element(children(id)[1]) : std::nullopt;
    if (!modulus) return std::nullopt;
    return "[" + remainder->append(" mod ").append(*modulus) + "]";
  }

  // Structures.

  Key element(NodeId id) {
    const Node& node = expression_.nodes[id];
    switch (node.op) {
      case Op::word: {
        const std::string text = lowered(expression_.names[node.index]);
        return std::string{"t"}.append(std::to_string(text.size())).append(":").append(text);
      }
      case Op::empty_set:
        return "{}";
      case Op::tuple:
        return tuple(id);
      case Op::list:
        if (const auto key = assignments(id)) return key;
        if (const auto solution = solve(evaluator_, expression_, id)) return solved(*solution);
        if (is_solvable_list(id) && is_system(id)) return joined_conditions(children(id), "&{");
        return list_of(children(id));
      case Op::set:
        return holds_sets(id) ? braced(id) : list_of(children(id));
      case Op::set_builder: {
        const Key condition = children(id).size() == 2 ? element(children(id)[1]) : std::nullopt;
        return condition;
      }
      case Op::interval: {
        const Key low = element(children(id)[0]), high = element(children(id)[1]);
        if (!low || !high) return std::nullopt;
        return interval_key(*low, *high, (node.index & 1) != 0, (node.index & 2) != 0);
      }
      case Op::ratio:
        return ratio(id);
      case Op::modulo:
        return node.index == 1 ? residue_class(id) : scalar(id);
      case Op::set_union:
        return union_of(id);
      case Op::set_intersection: {
        auto keys = each(id);
        if (!keys) return std::nullopt;
        sort_unique(*keys);
        return keys->size() == 1 ? keys->front() : bracketed("I{", *keys, "}");
      }
      case Op::set_difference: {
        const auto keys = each(id);
        return keys ? Key{bracketed("D(", *keys, ")")} : std::nullopt;
      }
      case Op::relation:
        return relation(id);
      case Op::logical_and:
      case Op::logical_or:
        return conditions(id);
      default:
        return evaluator_.is_matrix(id) ? matrix(id) : scalar(id);
    }
  }

  // The keys of an element: of both signs where there is a choice.
  bool append_element(NodeId id, std::vector<std::string>& out) {
    const Op kind = op(id);
    const bool opens = (kind == Op::list && !assignments_of(id)) ||
                       (has_choice_ && kind == Op::logical_or && lists_values(id));
    const bool chooses =
        has_choice_ && !choosing_ && !opens && kind != Op::set && kind != Op::set_union &&
        (contains(expression_, id, Op::plus_minus) || contains(expression_, id, Op::minus_plus));
    if (opens && !is_solvable_list(id)) return append_items(children(id), out);
    choosing_ = choosing_ || chooses;
    for (const int sign : {1, -1}) {
      if (chooses) evaluator_.choose(sign);
      Key key = element(id);
      if (!key) return false;
      out.push_back(std::move(*key));
      if (!chooses) return true;
    }
    evaluator_.choose(1);
    choosing_ = false;
    return true;
  }

  bool is_solvable_list(NodeId id) const {
    const auto items = children(id);
    return std::all_of(items.begin(), items.end(), [&](NodeId item) {
      return op(item) == Op::relation && ascent(expression_, item).has_value();
    });
  }

  bool append_items(std::span<const NodeId> items, std::vector<std::string>& out) {
    const auto groups = assignment_groups(items);
    if (!groups) {
      return std::all_of(items.begin(), items.end(),
                         [&](NodeId item) { return append_element(item, out); });
    }
    for (const auto& group : *groups) {
      auto key = assigned(group);
      if (!key) return false;
      out.push_back(std::move(*key));
    }
    return true;
  }

  Key list_of(std::span<const NodeId> items) {
    std::vector<std::string> keys;
    if (!append_items(items, keys)) return std::nullopt;
    sort_unique(keys);
    return keys.size() == 1 ? keys.front() : bracketed("{", keys, "}");
  }

  // Whether a bare list of values writes one of them twice in the same way: "1, 1, 2". Such a list
  // counts its entries, as sequences and roots with multiplicity do. "1/2, 0.5" says one value in
  // two ways, and braces, signs of choice and equations make a set of what is in them.
  bool repeats(NodeId list) const {
    if (op(list) != Op::list || has_choice_) return false;
    std::vector<std::uint64_t> spellings;
    for (const NodeId item : children(list)) {
      if (op(item) >= Op::tuple || op(item) == Op::empty_set) return false;
      spellings.push_back(written(expression_, item));
    }
    std::sort(spellings.begin(), spellings.end());
    return std::adjacent_find(spellings.begin(), spellings.end()) != spellings.end();
  }

  // In any order, but each as often as it is there.
  Key sequence(NodeId list) {
    auto keys = each(list);
    if (!keys) return std::nullopt;
    std::sort(keys->begin(), keys->end());
    return bracketed("{", *keys, "}");
  }

  bool holds_sets(NodeId set) const {
    const auto items = children(set);
    return std::any_of(items.begin(), items.end(), [&](NodeId item) {
      return op(item) == Op::set || op(item) == Op::empty_set;
    });
  }

  // A set inside a set keeps its braces: \{1, \{2\}\}.
  Key braced(NodeId id) {
    std::vector<std::string> keys;
    if (!holds_sets(id)) {
      if (!append_items(children(id), keys)) return std::nullopt;
    } else {
      for (const NodeId item : children(id)) {
        Key inner = op(item) == Op::set ? braced(item) : std::nullopt;
        if (inner) keys.push_back(std::move(*inner));
        if (!inner && !append_element(item, keys)) return std::nullopt;
      }
    }
    sort_unique(keys);
    return bracketed("{", keys, "}");
  }

  Keys each(NodeId id) {
    std::vector<std::string> keys;
    for (const NodeId child : children(id)) {
      Key key = op(child) == Op::set ? braced(child) : element(child);
      if (!key) return std::nullopt;
      keys.push_back(std::move(*key));
    }
    return keys;
  }

  Key tuple(NodeId id) {
    if (children(id).size() == 1) return element(children(id)[0]);
    const auto keys = each(id);
    return keys ? Key{bracketed("(", *keys, ")")} : std::nullopt;
  }

  Key ratio(NodeId id) {
    const auto terms = children(id);
    std::vector<std::string> keys;
    for (const NodeId term : terms) {
      const Scalar value = evaluator_.in_domain([&] {
        return evaluator_.recognised(
            evaluator_.divide(evaluator_.evaluate(term), evaluator_.evaluate(terms.back())));
      });
      if (!value.valid()) return std::nullopt;
      auto key = value_key(value, value.fragile ? std::optional{id} : std::nullopt);
      if (!key) return std::nullopt;
      keys.push_back(std::move(*key));
    }
    return bracketed(":(", keys, ")");
  }

  bool append_union(NodeId id, std::vector<std::string>& out) {
    for (const NodeId child : children(id)) {
      if (op(child) == Op::set_union) {
        if (!append_union(child, out)) return false;
        continue;
      }
      Key key = op(child) == Op::set ? braced(child) : element(child);
      if (!key) return false;
      out.push_back(std::move(*key));
    }
    return true;
  }

  Key union_of(NodeId id) {
    const auto parts = children(id);
    if (std::all_of(parts.begin(), parts.end(), [&](NodeId p) { return op(p) == Op::set; })) {
      std::vector<NodeId> all;
      for (const NodeId part : parts)
        all.insert(all.end(), children(part).begin(), children(part).end());
      return list_of(all);
    }
    std::vector<std::string> keys;
    if (!append_union(id, keys)) return std::nullopt;
    return united(std::move(keys));
  }

  static std::string united(std::vector<std::string> keys) {
    std::erase(keys, "{}");
    sort_unique(keys);
    if (keys.empty()) return "{}";
    return keys.size() == 1 ? keys.front() : bracketed("U{", keys, "}");
  }

  Key matrix(NodeId id) {
    std::size_t columns = 0;
    std::vector<std::string> keys;
    if (op(id) == Op::matrix) {
      columns = expression_.nodes[id].index;
      if (columns == 0 || children(id).size() % columns != 0) return std::nullopt;
      for (const NodeId entry : children(id)) {
        auto key = element(entry);
        if (!key) return std::nullopt;
        keys.push_back(std::move(*key));
      }
    } else {
      auto value = evaluator_.in_domain([&] { return evaluator_.matrix(id); });
      if (!value) return std::nullopt;
      columns = value->columns;
      for (const Scalar& entry : value->entries) {
        const Scalar known = evaluator_.recognised(entry);
        if (!known.valid()) return std::nullopt;
        auto key = value_key(known, known.fragile ? std::optional{id} : std::nullopt);
        if (!key) return std::nullopt;
        keys.push_back(std::move(*key));
      }
    }
    if (keys.size() == 1) return keys.front();
    return bracketed(std::string{"M"}.append(std::to_string(columns)).append("("), keys, ")");
  }

  // Statements.

  // Items as assignments in groups of different letters: one group, or one after the other of the
  // same letters in the same order ("p = 5, q = 2; p = 7, q = 2").
  std::optional<std::vector<std::vector<Assignment>>> assignment_groups(
      std::span<const NodeId> items) const {
    if (items.size() < 2 || op(items[0]) != Op::relation) return std::nullopt;
    std::vector<Assignment> all;
    for (const NodeId item : items) {
      const auto one = assignment(expression_, item);
      if (!one || !is_single_letter(one->name)) return std::nullopt;
      all.push_back(*one);
    }
    std::size_t period = 1;
    while (period < all.size() && all[period].name != all[0].name) ++period;
    if (period < 2 || all.size() % period != 0) return std::nullopt;
    std::vector<std::vector<Assignment>> groups(all.size() / period);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].name != all[i % period].name) return std::nullopt;
      for (std::size_t j = i - i % period; j < i; ++j) {
        if (all[j].name == all[i].name) return std::nullopt;
      }
      groups[i / period].push_back(all[i]);
    }
    return groups;
  }

  bool assignments_of(NodeId list) const {
    const auto groups = assignment_groups(children(list));
    return groups && groups->size() == 1;
  }

  Key assigned(std::vector<Assignment> group) {
    std::sort(group.begin(), group.end(),
              [](const Assignment& a, const Assignment& b) { return a.name < b.name; });
    std::vector<std::string> keys;
    for (const Assignment& one : group) {
      auto key = element(one.value);
      if (!key) return std::nullopt;
      keys.push_back(std::move(*key));
    }
    return bracketed("(", keys, ")");
  }

  Key assignments(NodeId list) {
    const auto groups = assignment_groups(children(list));
    if (!groups || groups->size() != 1) return std::nullopt;
    return assigned(groups->front());
  }

  Key solved(const Solution& solution) {
    std::vector<std::string> keys;
    for (const Interval& interval : solution.intervals) {
      const auto low = value_key(interval.low, std::nullopt);
      const auto high = value_key(interval.high, std::nullopt);
      if (!low || !high) return std::nullopt;
      keys.push_back(interval_key(*low, *high, interval.low_closed, interval.high_closed));
    }
    return united(std::move(keys));
  }

  Key conditions(NodeId id) {
    if (const auto solution = solve(evaluator_, expression_, id)) return solved(*solution);
    const auto parts = children(id);
    const bool all_said = std::all_of(parts.begin(), parts.end(), [&](NodeId part) {
      return op(part) != Op::relation || said(expression_, part).has_value();
    });
    const bool any = op(id) == Op::logical_or;
    if (any ? lists_values(id) : all_said) return list_of(parts);
    return joined_conditions(parts, any ? "|{" : "&{");
  }

  // Each with the name it is about, which its own key leaves out: "x > 1 and y > 2".
  Key joined_conditions(std::span<const NodeId> parts, std::string_view open) {
    std::vector<std::string> keys;
    for (const NodeId part : parts) {
      const std::string_view name = subject(part);
      Key key = element(part);
      if (!key) return std::nullopt;
      keys.push_back(name.empty() ? std::move(*key) : std::string(name).append(":").append(*key));
    }
    sort_unique(keys);
    return keys.size() == 1 ? keys.front() : bracketed(open, keys, "}");
  }

  // The name that an equation or inequality says the values of; empty if there is none.
  std::string_view subject(NodeId part) {
    if (op(part) != Op::relation) return {};
    if (const auto given = assignment(expression_, part)) return given->name;
    const auto solution = solve(evaluator_, expression_, part);
    return solution ? solution->variable : std::string_view{};
  }

  // Whether alternatives are values for one name, so that they say the same as a list of them:
  // "x = 1 or x = 2", "x_1 = 3 or x_2 = 4".
  bool lists_values(NodeId alternatives) {
    std::string_view name;
    for (const NodeId part : children(alternatives)) {
      if (op(part) != Op::relation) continue;
      const std::string_view next = subject(part);
      if (next.empty() && !said(expression_, part)) return false;
      if (next.empty() || !is_single_letter(next)) continue;
      if (!name.empty() && next != name) return false;
      name = next;
    }
    return true;
  }

  // Inequalities about different names, which a comma joins as "and" does.
  bool is_system(NodeId list) {
    std::string_view name;
    for (const NodeId part : children(list)) {
      const std::string_view next = subject(part);
      if (next.empty()) return false;
      if (!name.empty() && next != name) return true;
      name = next;
    }
    return false;
  }

  Key relation(NodeId id) {
    const auto sides = children(id);
    const auto& chain = expression_.chains[expression_.nodes[id].index];
    if (chain.empty() || sides.size() != chain.size() + 1) return std::nullopt;
    if (const auto value = said(expression_, id)) return element(*value);
    const bool names_class = chain.size() == 1 && chain[0] == Relation::congruent &&
                             op(sides[0]) == Op::symbol && op(sides[1]) == Op::modulo;
    if (names_class) return residue_class(sides[1]);
    if (const auto solution = solve(evaluator_, expression_, id)) return solved(*solution);
    if (sides.size() == 2) {
      switch (chain[0]) {
        case Relation::equal:
          return difference("=", sides[0], sides[1], true);
        case Relation::not_equal:
          return difference("!=", sides[0], sides[1], true);
        case Relation::less:
          return difference("<", sides[0], sides[1], false);
        case Relation::less_equal:
          return difference("<=", sides[0], sides[1], false);
        case Relation::greater:
          return difference("<", sides[1], sides[0], false);
        case Relation::greater_equal:
          return difference("<=", sides[1], sides[0], false);
        default:
          break;
      }
    }
    return as_written(id);
  }

  // An equation or inequality by the values of right - left over their value at the first point, or
  // over its size if the sign matters.
  Key difference(std::string_view name, NodeId left, NodeId right, bool either_sign) {
    if (is_structure(left) || is_structure(right)) return paired(name, left, right, either_sign);
    const Scalar value = evaluator_.in_domain(
        [&] { return evaluator_.subtract(evaluator_.evaluate(right), evaluator_.evaluate(left)); });
    Key key = value.valid() ? proportions(value, either_sign) : std::nullopt;
    if (!key) {
      const auto over = evaluator_.exact_values(right), under = evaluator_.exact_values(left);
      if (!over || !under) return paired(name, left, right, either_sign);
      Scalar exact;
      exact.constant = false;
      bool identity = true;
      for (std::size_t i = 0; i < kPoints; ++i) {
        const Rational gap = (*over)[i] + (*under)[i].negated();
        identity = identity && gap.is_zero();
        exact.at[i] = approximate(gap);
      }
      key = identity ? std::nullopt : proportions(exact, either_sign);
    }
    if (!key) return paired(name, left, right, either_sign);
    std::string out = std::string{name} + *key;
    if (value.valid() && value.fragile)
      out.append("~").append(told_apart(left, right, either_sign));
    return out;
  }

  // What tells a fragile statement from its neighbours: the proportion of its residues, or how it
  // is written.
  std::string told_apart(NodeId left, NodeId right, bool either_order) {
    Hash hash;
    const auto under = evaluator_.residues(left, true), over = evaluator_.residues(right, true);
    if (under && over) {
      const auto gap = [&](std::size_t i) {
        return ((*over)[i] + PrimeField::negated((*under)[i])) % PrimeField::kPrime;
      };
      if (const auto unit = PrimeField{0}.inverse(gap(0))) {
        hash.add(PrimeField::product(gap(1), *unit));
        return hash.hex();
      }
    }
    const std::uint64_t a = written(expression_, left), b = written(expression_, right);
    hash.add(either_order ? std::min(a, b) : a);
    hash.add(either_order ? std::max(a, b) : b);
    return hash.hex();
  }

  Key proportions(const Scalar& value, bool either_sign) {
    if (value.constant || value.infinite != 0) return std::nullopt;
    const Value first = value.at[0].snapped();
    if (!first.valid() || first.is_zero()) return std::nullopt;
    const Value unit = either_sign ? first : absolute(first);
    Hash hash;
    for (const Value& at : value.at) {
      const auto parts = rounded(at / unit);
      if (!parts) return std::nullopt;
      hash.add(*parts);
    }
    return hash.hex();
  }

  bool is_structure(NodeId id) const {
    return op(id) >= Op::tuple || op(id) == Op::word || op(id) == Op::empty_set ||
           evaluator_.is_matrix(id);
  }

  // Two sides that are compared one by one.
  Key paired(std::string_view name, NodeId left, NodeId right, bool either_order) {
    Key a = element(left), b = element(right);
    if (!a || !b) return std::nullopt;
    if (either_order && *b < *a) std::swap(a, b);
    if (name == "=" && *a == *b) return b;  // an identity says its side
    return "[" + a->append(name).append(*b) + "]";
  }

  // Other chains: the sides in order, in the direction that rises if there is one.
  Key as_written(NodeId id) {
    static constexpr std::array<std::string_view, 12> kNames{
        "=", "!=", "<", "<=", ">", ">=", "=", "==", " in ", " notin ", " sub ", "~~"};
    std::vector<NodeId> sides{children(id).begin(), children(id).end()};
    std::vector<Relation> chain = expression_.chains[expression_.nodes[id].index];
    if (const auto rising = ascent(expression_, id)) {
      sides = rising->sides;
      for (std::size_t i = 0; i < chain.size(); ++i) {
        chain[i] = rising->strict[i] ? Relation::less : Relation::less_equal;
      }
    }
    std::vector<std::string> keys;
    for (const NodeId side : sides) {
      const bool modulus = op(side) == Op::modulo && chain.back() == Relation::congruent;
      const Key key = modulus ? residue_class(side) : element(side);
      if (!key) return std::nullopt;
      keys.push_back(*key);
    }
    const auto symmetric = [](Relation r) {
      return r == Relation::equal || r == Relation::not_equal || r == Relation::similar ||
             r == Relation::approximately;
    };
    const bool reversible = std::all_of(chain.begin(), chain.end(), symmetric) &&
                            std::equal(chain.begin(), chain.end(), chain.rbegin());
    if (reversible && keys.back() < keys.front()) std::reverse(keys.begin(), keys.end());
    std::string out = keys[0];
    for (std::size_t i = 0; i < chain.size(); ++i) {
      out.append(kNames[static_cast<std::size_t>(chain[i])]).append(keys[i + 1]);
    }
    // A relation of numbers is no number: "3<5".
    return "[" + out + "]";
  }

  const Expression& expression_;
  Evaluator evaluator_;
  bool has_choice_ = false;
  bool choosing_ = false;
};

}  // namespace

std::optional<std::string> fingerprint(const Expression& expression) {
  if (expression.nodes.empty()) return std::nullopt;
  return Fingerprinter{expression}.root();
}

}  // namespace orchestrator
