#include "ranking.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace orchestrator {
namespace {

using Vector = std::vector<double>;

void check_table(const Table& table, std::string_view what) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (std::size_t j = 0; j < table.size(); ++j) {
      const double cell = table(i, j);
      if (std::isfinite(cell) && cell >= 0 && (i != j || cell == 0)) continue;
      throw std::invalid_argument(
          std::string(what) + " must be finite, at least 0, and 0 of an item with itself; got " +
          std::to_string(cell) + " at row " + std::to_string(i) + ", column " + std::to_string(j));
    }
  }
}

void check(const Comparisons& comparisons) {
  const auto& [wins, ties] = comparisons;
  if (wins.size() != ties.size()) {
    throw std::invalid_argument("wins of " + std::to_string(wins.size()) + " items, ties of " +
                                std::to_string(ties.size()));
  }
  check_table(wins, "wins");
  check_table(ties, "ties");
  for (std::size_t i = 0; i < ties.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (ties(i, j) == ties(j, i)) continue;
      throw std::invalid_argument("ties must be symmetric; items " + std::to_string(i) + " and " +
                                  std::to_string(j) + " have " + std::to_string(ties(i, j)) +
                                  " and " + std::to_string(ties(j, i)));
    }
  }
}

// Wins of `row` over `column`, each tie half a win.
double half_wins(const Comparisons& comparisons, std::size_t row, std::size_t column) {
  return comparisons.wins(row, column) + comparisons.ties(row, column) / 2;
}

// Where a ballot puts each item: the number of its group, or past the last one.
std::vector<std::size_t> groups(const Ballot& ballot, std::size_t items) {
  std::vector<std::size_t> group(items, ballot.size());
  for (std::size_t g = 0; g < ballot.size(); ++g) {
    for (const std::size_t item : ballot[g]) {
      if (item >= items || group[item] != ballot.size()) {
        throw std::invalid_argument(
            "a ballot names item " + std::to_string(item) +
            (item >= items ? " where there are " + std::to_string(items) + " items" : " twice"));
      }
      group[item] = g;
    }
  }
  return group;
}

// Every item reachable from item 0 along `edge(from, to)`.
template <class Edge>
bool all_reachable(std::size_t items, Edge edge) {
  std::vector<bool> reached(items, false);
  std::vector<std::size_t> open{0};
  reached[0] = true;
  std::size_t count = 1;
  while (!open.empty()) {
    const std::size_t from = open.back();
    open.pop_back();
    for (std::size_t to = 0; to < items; ++to) {
      if (reached[to] || !edge(from, to)) continue;
      reached[to] = true;
      ++count;
      open.push_back(to);
    }
  }
  return count == items;
}

template <class Edge>
bool strongly_connected(std::size_t items, Edge edge) {
  const auto reversed = [&](std::size_t from, std::size_t to) { return edge(to, from); };
  return all_reachable(items, edge) && all_reachable(items, reversed);
}

// Solves A x = b for a symmetric positive definite A, of which the lower half is read and replaced
// by its Cholesky factor; nothing when A is not.
std::optional<Vector> solve(Table& a, Vector b) {
  const std::size_t size = a.size();
  for (std::size_t j = 0; j < size; ++j) {
    for (std::size_t i = j; i < size; ++i) {
      double rest = a(i, j);
      for (std::size_t k = 0; k < j; ++k) rest -= a(i, k) * a(j, k);
      if (i == j && !(rest > 0)) return std::nullopt;
      a(i, j) = i == j ? std::sqrt(rest) : rest / a(j, j);
    }
  }
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a(i, k) * b[k];
    b[i] /= a(i, i);
  }
  for (std::size_t i = size; i-- > 0;) {
    for (std::size_t k = i + 1; k < size; ++k) b[i] -= a(k, i) * b[k];
    b[i] /= a(i, i);
  }
  return b;
}

// ln(1 + e^x)
double log_1p_exp(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// The likelihood of strengths. With s_ij the wins of i over j plus their ties (half of them where a
// tie is half a win, and then theta = 1), T the number of ties, l = ln strength, h = ln theta:
//   log L = sum_{i != j} -s_ij ln(1 + e^(l_j + h - l_i)) + T ln(e^(2h) - 1)
// and the prior adds -a (ln(1 + e^l_i) + ln(1 + e^-l_i)) for each item. All terms are concave in l
// and h. The unknowns are l_0 ... l_(k-1), then h where there are ties to explain.
class StrengthModel {
 public:
  StrengthModel(const Comparisons& comparisons, double prior, TieModel model)
      : counts_(comparisons.wins.size()), totals_(counts_.size(), 0.0), prior_(prior) {
    const bool whole = model == TieModel::rao_kupper;
    for (std::size_t i = 0; i < items(); ++i) {
      for (std::size_t j = 0; j < items(); ++j) {
        const double ties = comparisons.ties(i, j);
        counts_(i, j) = comparisons.wins(i, j) + (whole ? ties : ties / 2);
        totals_[i] += counts_(i, j);
        if (whole && i < j) ties_ += ties;
      }
    }
  }

  std::size_t items() const { return counts_.size(); }

  Vector start() const {
    Vector point(items(), 0.0);
    if (has_theta()) point.push_back(1);
    return point;
  }

  double log_theta(const Vector& point) const { return has_theta() ? point.back() : 0; }

  double log_likelihood(const Vector& point) const {
    const double h = log_theta(point);
    double sum = has_theta() ? ties_ * (2 * h + std::log(-std::expm1(-2 * h))) : 0;
    for (std::size_t i = 0; i < items(); ++i) {
      for (std::size_t j = 0; j < items(); ++j) {
        if (counts_(i, j) > 0) sum -= counts_(i, j) * log_1p_exp(point[j] + h - point[i]);
      }
    }
    return sum;
  }

  // What is maximised: not a number where h is not positive.
  double objective(const Vector& point) const {
    double sum = log_likelihood(point);
    for (std::size_t i = 0; i < items(); ++i) {
      sum -= prior_ * (log_1p_exp(point[i]) + log_1p_exp(-point[i]));
    }
    return sum;
  }

  // Replaces -ln by its tangent, a lower bound that touches at `point`, and goes to the maximum of
  // the bound over each unknown, which is explicit; so the objective never falls (Hunter 2004).
  Vector minorise_and_maximise(const Vector& point) const {
    const double theta = std::exp(log_theta(point));
    Vector strength(items()), slope(items(), 0.0);
    for (std::size_t i = 0; i < items(); ++i) strength[i] = std::exp(point[i]);
    double theta_slope = 0;
    for (std::size_t i = 0; i < items(); ++i) {
      for (std::size_t j = 0; j < items(); ++j) {
        const double part = counts_(i, j) / (strength[i] + theta * strength[j]);
        slope[i] += part;
        slope[j] += theta * part;
        theta_slope += part * strength[j];
      }
    }
    Vector next = point;
    for (std::size_t i = 0; i < items(); ++i) {
      const double won = totals_[i] + prior_;
      if (won > 0) next[i] = std::log(won / (slope[i] + 2 * prior_ / (strength[i] + 1)));
    }
    if (has_theta()) {
      const double ratio = ties_ / theta_slope;
      next.back() = std::log(ratio + std::sqrt(1 + ratio * ratio));
    }
    return next;
  }

  // Newton's step from `point` and how much it promises: the gradient times the step, twice the
  // gain of the quadratic model. Nothing where the curvature is too small to be trusted.
  struct Newton {
    Vector step;
    double decrement;
  };
  std::optional<Newton> newton(const Vector& point) const {
    const std::size_t size = point.size();
    Vector gradient(size, 0.0);
    Table curvature(size);
    for (std::size_t i = 0; i < items(); ++i) {
      gradient[i] -= prior_ * std::tanh(point[i] / 2);
      curvature(i, i) += 2 * prior_ * logistic(point[i]) * logistic(-point[i]);
      for (std::size_t j = 0; j < items(); ++j) {
        if (counts_(i, j) > 0) add_pair(point, i, j, gradient, curvature);
      }
    }
    if (has_theta()) {
      const double h = point.back(), rest = -std::expm1(-2 * h);
      gradient.back() += 2 * ties_ / rest;
      curvature(size - 1, size - 1) += 4 * ties_ * std::exp(-2 * h) / (rest * rest);
    }
    if (prior_ == 0) hold_mean(curvature);
    const auto step = solve(curvature, gradient);
    if (!step) return std::nullopt;
    return Newton{*step, std::inner_product(step->begin(), step->end(), gradient.begin(), 0.0)};
  }

 private:
  bool has_theta() const { return ties_ > 0; }

  // The derivatives of -s_ij ln(1 + e^(l_j + h - l_i)): the curvature is a multiple of u u^T with
  // u = 1 at j and h, -1 at i.
  void add_pair(const Vector& point, std::size_t i, std::size_t j, Vector& gradient,
                Table& curvature) const {
    const double x = point[j] + log_theta(point) - point[i];
    const double pull = counts_(i, j) * logistic(x), bend = pull * logistic(-x);
    gradient[i] += pull;
    gradient[j] -= pull;
    curvature(i, i) += bend;
    curvature(j, j) += bend;
    curvature(std::max(i, j), std::min(i, j)) -= bend;
    if (!has_theta()) return;
    const std::size_t h = point.size() - 1;
    gradient[h] -= pull;
    curvature(h, h) += bend;
    curvature(h, i) -= bend;
    curvature(h, j) += bend;
  }

  // Without a prior only ratios of strengths matter, and the curvature along a common factor is 0.
  // Any other there gives the same step, with the mean of the log-strengths unchanged.
  void hold_mean(Table& curvature) const {
    double scale = 0;
    for (std::size_t i = 0; i < items(); ++i) scale += curvature(i, i);
    scale /= static_cast<double>(items()) * static_cast<double>(items());
    for (std::size_t i = 0; i < items(); ++i) {
      for (std::size_t j = 0; j <= i; ++j) curvature(i, j) += scale;
    }
  }

  Table counts_;   // s_ij
  Vector totals_;  // by row
  double prior_, ties_ = 0;
};

// Newton's step, halved until it raises the objective; `point` itself when it never does.
Vector climb(const StrengthModel& model, const Vector& point, const Vector& step) {
  const double here = model.objective(point);
  Vector tried(point.size());
  for (double length = 1; length > 1e-12; length /= 2) {
    for (std::size_t i = 0; i < point.size(); ++i) tried[i] = point[i] + length * step[i];
    if (model.objective(tried) > here) return tried;
  }
  return point;
}

// A decrement is the squared distance to the top in standard errors of the quadratic model.
constexpr double kDecrement = 1e-14;

void centre(Vector& point) {
  if (point.empty()) return;
  const double mean =
      std::accumulate(point.begin(), point.end(), 0.0) / static_cast<double>(point.size());
  for (double& value : point) value -= mean;
}

void check_finite_maximum(const Comparisons& comparisons, double prior, TieModel model) {
  // By name: clang before 16 does not let lambdas capture structured bindings.
  const auto &wins = comparisons.wins, &ties = comparisons.ties;
  const std::size_t items = wins.size();
  double all_wins = 0, all_ties = 0;
  for (std::size_t i = 0; i < items; ++i) {
    for (std::size_t j = 0; j < items; ++j) {
      all_wins += wins(i, j);
      all_ties += ties(i, j);
    }
  }
  if (model == TieModel::rao_kupper && all_ties > 0 && all_wins == 0) {
    throw std::invalid_argument("all comparisons are ties, so theta has no bound: use ties = half");
  }
  if (prior > 0 || items < 2) return;
  const auto scored = [&](std::size_t i, std::size_t j) {
    return wins(i, j) > 0 || (model == TieModel::half && ties(i, j) > 0);
  };
  if (!strongly_connected(items, scored)) {
    throw std::invalid_argument(
        "without a prior the strengths may not be finite: some items never lost to, or were never "
        "compared with, the others; use a prior above 0");
  }
}

// Ranks from 1, equal values at the mean of theirs.
Vector ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  Vector result(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double mean = static_cast<double>(begin + end + 1) / 2;
    for (std::size_t i = begin; i < end; ++i) result[order[i]] = mean;
  }
  return result;
}

void check_lists(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size() || a.size() < 2) {
    throw std::invalid_argument("agreement needs two lists of one length of at least 2, got " +
                                std::to_string(a.size()) + " and " + std::to_string(b.size()));
  }
  for (const auto list : {a, b}) {
    if (std::any_of(list.begin(), list.end(), [](double value) { return std::isnan(value); })) {
      throw std::invalid_argument("agreement of values that are not numbers");
    }
    if (std::all_of(list.begin(), list.end(), [&](double value) { return value == list[0]; })) {
      throw std::invalid_argument("agreement with a list whose values are all equal is undefined");
    }
  }
}

int sign(double a, double b) { return (a > b) - (a < b); }

}  // namespace

Comparisons compare(std::span<const Ballot> ballots, std::size_t items, Unranked unranked) {
  Comparisons result{Table(items), Table(items)};
  for (const Ballot& ballot : ballots) {
    const std::vector<std::size_t> group = groups(ballot, items);
    for (std::size_t i = 0; i < items; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const bool both = group[i] < ballot.size() && group[j] < ballot.size();
        if (unranked == Unranked::ignored && !both) continue;
        if (group[i] == group[j]) {
          result.ties(i, j) += 1;
          result.ties(j, i) += 1;
        } else {
          (group[i] < group[j] ? result.wins(i, j) : result.wins(j, i)) += 1;
        }
      }
    }
  }
  return result;
}

std::vector<double> borda(const Comparisons& comparisons) {
  check(comparisons);
  Vector scores(comparisons.wins.size(), 0.0);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) scores[i] += half_wins(comparisons, i, j);
  }
  return scores;
}

std::vector<double> copeland(const Comparisons& comparisons) {
  check(comparisons);
  Vector scores(comparisons.wins.size(), 0.0);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double forth = half_wins(comparisons, i, j), back = half_wins(comparisons, j, i);
      const double more = std::max(forth, back);
      if (more == 0) continue;
      // Sums of fractions are equal within their rounding.
      const bool drawn = std::abs(forth - back) <= 1e-12 * more;
      scores[i] += drawn ? 0.5 : forth > back;
      scores[j] += drawn ? 0.5 : back > forth;
    }
  }
  return scores;
}

std::vector<double> win_rates(const Comparisons& comparisons) {
  check(comparisons);
  Vector rates(comparisons.wins.size(), 0.5);
  for (std::size_t i = 0; i < rates.size(); ++i) {
    double won = 0, lost = 0;
    for (std::size_t j = 0; j < rates.size(); ++j) {
      won += half_wins(comparisons, i, j);
      lost += half_wins(comparisons, j, i);
    }
    if (won + lost > 0) rates[i] = won / (won + lost);
  }
  return rates;
}

Strengths bradley_terry(const Comparisons& comparisons, double prior, TieModel ties,
                        std::size_t max_iterations) {
  check(comparisons);
  if (!std::isfinite(prior) || prior < 0) {
    throw std::invalid_argument("a prior must be finite and at least 0, got " +
                                std::to_string(prior));
  }
  check_finite_maximum(comparisons, prior, ties);
  const StrengthModel model(comparisons, prior, ties);
  Vector point = model.start();
  Strengths result;
  result.converged = model.items() < 2;  // nothing to compare with: all are 1
  while (!result.converged && result.iterations < max_iterations) {
    ++result.iterations;
    point = model.minorise_and_maximise(point);
    const auto newton = model.newton(point);
    if (!newton) continue;
    result.converged = newton->decrement <= kDecrement;
    point = climb(model, point, newton->step);
  }
  result.theta = std::exp(model.log_theta(point));
  result.log_likelihood = model.log_likelihood(point);
  point.resize(model.items());
  if (prior == 0) centre(point);
  result.log_strengths = std::move(point);
  return result;
}

std::vector<std::size_t> kemeny(const Comparisons& comparisons) {
  check(comparisons);
  const std::size_t items = comparisons.wins.size();
  if (items > kKemenyLimit) {
    throw std::invalid_argument("Kemeny's order is found for at most " +
                                std::to_string(kKemenyLimit) + " items, got " +
                                std::to_string(items));
  }
  // cost[set]: the fewest preferences broken among the items of `set` when they come last; `first`
  // is the one then put first. What a first item breaks are the wins of the rest of its set over
  // it.
  const std::size_t sets = std::size_t{1} << items;
  Vector cost(sets, 0.0);
  std::vector<std::size_t> first(sets, 0);
  for (std::size_t set = 1; set < sets; ++set) {
    bool found = false;
    for (std::size_t item = 0; item < items; ++item) {
      if (!(set >> item & 1)) continue;
      const std::size_t rest = set ^ (std::size_t{1} << item);
      double broken = cost[rest];
      for (std::size_t other = 0; other < items; ++other) {
        if (rest >> other & 1) broken += comparisons.wins(other, item);
      }
      if (!found || broken < cost[set] - 1e-12 * cost[set]) {
        cost[set] = broken;
        first[set] = item;
        found = true;
      }
    }
  }
  std::vector<std::size_t> order;
  for (std::size_t set = sets - 1; set != 0; set ^= std::size_t{1} << first[set]) {
    order.push_back(first[set]);
  }
  return order;
}

double kendall_tau(std::span<const double> a, std::span<const double> b) {
  check_lists(a, b);
  double agreement = 0, distinct_a = 0, distinct_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const int in_a = sign(a[i], a[j]), in_b = sign(b[i], b[j]);
      agreement += in_a * in_b;
      distinct_a += in_a != 0;
      distinct_b += in_b != 0;
    }
  }
  return agreement / std::sqrt(distinct_a) / std::sqrt(distinct_b);
}

double spearman_rho(std::span<const double> a, std::span<const double> b) {
  check_lists(a, b);
  const Vector ranks_a = ranks(a), ranks_b = ranks(b);
  const double mean = static_cast<double>(a.size() + 1) / 2;
  double both = 0, own_a = 0, own_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    both += (ranks_a[i] - mean) * (ranks_b[i] - mean);
    own_a += (ranks_a[i] - mean) * (ranks_a[i] - mean);
    own_b += (ranks_b[i] - mean) * (ranks_b[i] - mean);
  }
  return both / std::sqrt(own_a) / std::sqrt(own_b);
}

}  // namespace orchestrator
