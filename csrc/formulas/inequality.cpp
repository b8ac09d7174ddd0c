#include "formulas/inequality.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "formulas/assertion.hpp"

namespace orchestrator {
namespace {

// Most intervals a solution may have; products of unions grow.
constexpr std::size_t kMaxIntervals = 64;

Scalar infinity(int sign) {
  Scalar out;
  out.infinite = sign;
  return out;
}

struct Linear {
  Scalar slope, offset;
};

// Slope and offset by substitution of exact numbers; the slope is not zero.
std::optional<Linear> linear(Evaluator& evaluator, NodeId node, std::string_view variable) {
  const auto at = [&](const Rational& value) {
    evaluator.substitute(variable, &value);
    const Scalar out = evaluator.evaluate(node);
    evaluator.substitute({}, nullptr);
    return out;
  };
  const Scalar offset = at(Rational{0});
  const Scalar slope = evaluator.recognised(evaluator.subtract(at(Rational{1}), offset));
  const auto rises = evaluator.sign(slope);
  if (offset.infinite != 0 || !rises || *rises == 0) return std::nullopt;
  const std::array<Rational, 4> tests{Rational{-3}, Rational{7},
                                      Rational{false, Natural{1}, Natural{2}},
                                      Rational{true, Natural{11}, Natural{7}}};
  for (const Rational& test : tests) {
    const Scalar expected = evaluator.add(evaluator.multiply(slope, evaluator.exact(test)), offset);
    if (evaluator.sign(evaluator.subtract(at(test), expected)) != 0) return std::nullopt;
  }
  return Linear{slope, offset};
}

// The values of the variable for which slope * variable + offset lies within.
Interval preimage(Evaluator& evaluator, const Linear& form, const Interval& within) {
  const auto back = [&](const Scalar& bound) {
    if (bound.infinite != 0) return infinity(bound.infinite * *evaluator.sign(form.slope));
    return evaluator.recognised(
        evaluator.divide(evaluator.subtract(bound, form.offset), form.slope));
  };
  Interval out{back(within.low), back(within.high), within.low_closed, within.high_closed};
  if (*evaluator.sign(form.slope) < 0) {
    std::swap(out.low, out.high);
    std::swap(out.low_closed, out.high_closed);
  }
  return out;
}

bool is_empty(Evaluator& evaluator, const Interval& interval) {
  const auto order = compare(evaluator, interval.low, interval.high);
  return order && (*order > 0 || (*order == 0 && !(interval.low_closed && interval.high_closed)));
}

std::optional<Interval> intersection(Evaluator& evaluator, const Interval& a, const Interval& b) {
  const auto lows = compare(evaluator, a.low, b.low), highs = compare(evaluator, a.high, b.high);
  if (!lows || !highs) return std::nullopt;
  Interval out;
  out.low = *lows >= 0 ? a.low : b.low;
  out.high = *highs <= 0 ? a.high : b.high;
  out.low_closed = (*lows < 0 || a.low_closed) && (*lows > 0 || b.low_closed);
  out.high_closed = (*highs > 0 || a.high_closed) && (*highs < 0 || b.high_closed);
  return out;
}

bool is_constant(const Expression& expression, NodeId node) {
  return !contains(expression, node, Op::symbol) && !contains(expression, node, Op::apply);
}

// The values of `side` between two bounds as values of the variable in it.
std::optional<Solution> between(Evaluator& evaluator, const Expression& expression, NodeId side,
                                const Interval& bounds) {
  const Node& node = expression.nodes[side];
  if (node.op == Op::apply) return Solution{expression.names[node.index], {bounds}};
  const auto names = variables(expression, side);
  if (names.size() != 1 || contains(expression, side, Op::apply)) return std::nullopt;
  Solution out{names[0], {}};
  if (node.op == Op::absolute) {
    const auto form = linear(evaluator, expression.children_of(side)[0], names[0]);
    const Scalar zero = evaluator.exact(Rational{0});
    const auto above = compare(evaluator, bounds.low, zero);
    if (!form || !above) return std::nullopt;
    const Interval mirrored{evaluator.negate(bounds.high), evaluator.negate(bounds.low),
                            bounds.high_closed, bounds.low_closed};
    if (*above < 0) {
      const auto both = intersection(evaluator, bounds, mirrored);
      if (!both) return std::nullopt;
      out.intervals.push_back(preimage(evaluator, *form, *both));
    } else if (*above == 0 && bounds.low_closed) {
      const Interval both{mirrored.low, bounds.high, mirrored.low_closed, bounds.high_closed};
      out.intervals.push_back(preimage(evaluator, *form, both));
    } else {
      out.intervals.push_back(preimage(evaluator, *form, mirrored));
      out.intervals.push_back(preimage(evaluator, *form, bounds));
    }
    return out;
  }
  const auto form = linear(evaluator, side, names[0]);
  if (!form) return std::nullopt;
  out.intervals.push_back(preimage(evaluator, *form, bounds));
  return out;
}

std::optional<Solution> solve_relation(Evaluator& evaluator, const Expression& expression,
                                       NodeId relation) {
  const auto chain = ascent(expression, relation);
  if (!chain || chain->sides.size() > 3) return std::nullopt;
  const auto& sides = chain->sides;
  std::vector<Scalar> bounds;
  for (const NodeId side : sides) {
    bounds.push_back(is_constant(expression, side) ? evaluator.evaluate(side) : Scalar::invalid());
  }
  if (sides.size() == 3) {
    if (!bounds[0].valid() || !bounds[2].valid() || bounds[1].valid()) return std::nullopt;
    return between(evaluator, expression, sides[1],
                   {bounds[0], bounds[2], !chain->strict[0], !chain->strict[1]});
  }
  const bool closed = !chain->strict[0];
  if (bounds[0].valid() && !bounds[1].valid()) {
    return between(evaluator, expression, sides[1], {bounds[0], infinity(1), closed, false});
  }
  if (bounds[1].valid() && !bounds[0].valid()) {
    return between(evaluator, expression, sides[0], {infinity(-1), bounds[1], false, closed});
  }
  // Both sides vary: their difference.
  const auto names = variables(expression, relation);
  if (names.size() != 1 || contains(expression, relation, Op::apply)) return std::nullopt;
  const auto below = linear(evaluator, sides[0], names[0]);
  const auto above = linear(evaluator, sides[1], names[0]);
  if (!below || !above) return std::nullopt;
  const Linear difference{evaluator.recognised(evaluator.subtract(above->slope, below->slope)),
                          evaluator.subtract(above->offset, below->offset)};
  const auto rises = evaluator.sign(difference.slope);
  if (!rises || *rises == 0) return std::nullopt;
  const Interval positive{evaluator.exact(Rational{0}), infinity(1), closed, false};
  return Solution{names[0], {preimage(evaluator, difference, positive)}};
}

}  // namespace

std::optional<int> compare(Evaluator& evaluator, const Scalar& a, const Scalar& b) {
  if (a.infinite != 0 || b.infinite != 0) {
    return a.infinite == b.infinite ? 0 : a.infinite < b.infinite ? -1 : 1;
  }
  return evaluator.sign(evaluator.recognised(evaluator.subtract(a, b)));
}

std::optional<Ascent> ascent(const Expression& expression, NodeId relation) {
  const auto sides = expression.children_of(relation);
  const auto& chain = expression.chains[expression.nodes[relation].index];
  if (chain.empty() || sides.size() != chain.size() + 1) return std::nullopt;
  const auto rising = [](Relation r) { return r == Relation::less || r == Relation::less_equal; };
  const auto falling = [](Relation r) {
    return r == Relation::greater || r == Relation::greater_equal;
  };
  Ascent out{{sides.begin(), sides.end()}, {}};
  for (const Relation r : chain) {
    out.strict.push_back(r == Relation::less || r == Relation::greater);
  }
  if (std::all_of(chain.begin(), chain.end(), rising)) return out;
  if (!std::all_of(chain.begin(), chain.end(), falling)) return std::nullopt;
  std::reverse(out.sides.begin(), out.sides.end());
  std::reverse(out.strict.begin(), out.strict.end());
  return out;
}

std::optional<Solution> solve(Evaluator& evaluator, const Expression& expression,
                              NodeId condition) {
  const Node& node = expression.nodes[condition];
  if (node.op == Op::relation) return solve_relation(evaluator, expression, condition);
  const bool all = node.op == Op::logical_and;
  if (!all && node.op != Op::logical_or && node.op != Op::list) return std::nullopt;
  std::optional<Solution> out;
  for (const NodeId child : expression.children_of(condition)) {
    auto part = solve(evaluator, expression, child);
    if (!part || (out && part->variable != out->variable)) return std::nullopt;
    if (!out) {
      out = std::move(part);
    } else if (all) {
      std::vector<Interval> common;
      for (const Interval& a : out->intervals) {
        for (const Interval& b : part->intervals) {
          const auto both = intersection(evaluator, a, b);
          if (!both || common.size() >= kMaxIntervals) return std::nullopt;
          if (!is_empty(evaluator, *both)) common.push_back(*both);
        }
      }
      out->intervals = std::move(common);
    } else {
      out->intervals.insert(out->intervals.end(), part->intervals.begin(), part->intervals.end());
      if (out->intervals.size() > kMaxIntervals) return std::nullopt;
    }
  }
  return out;
}

}  // namespace orchestrator
