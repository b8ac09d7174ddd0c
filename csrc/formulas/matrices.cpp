// Matrices and determinants.
#include <algorithm>
#include <utility>

#include "formulas/evaluate.hpp"

namespace orchestrator {
namespace {

// Rows a determinant may have.
constexpr std::size_t kMaxDeterminant = 8;

}  // namespace

bool Evaluator::is_matrix(NodeId id) const {
  const Node& node = expression_.nodes[id];
  const auto children = expression_.children_of(id);
  switch (node.op) {
    case Op::matrix:
      return true;
    case Op::add:
    case Op::multiply:
    case Op::negate:
    case Op::plus_minus:
    case Op::minus_plus:
      return std::any_of(children.begin(), children.end(), [&](NodeId c) { return is_matrix(c); });
    case Op::divide:
    case Op::power:
      return is_matrix(children[0]);
    case Op::function:
      return static_cast<Function>(node.index) == Function::transpose && !children.empty() &&
             is_matrix(children[0]);
    default:
      return false;
  }
}

std::optional<Matrix> Evaluator::matrix_product(const Matrix& a, const Matrix& b) {
  const auto scale = [&](const Scalar& by, Matrix of) {
    for (Scalar& entry : of.entries) entry = multiply(by, entry);
    return of;
  };
  if (a.entries.size() == 1) return scale(a.entries[0], b);
  if (b.entries.size() == 1) return scale(b.entries[0], a);
  const std::size_t rows = a.rows();
  if (a.columns != b.rows() || !spend(static_cast<int>(rows * b.columns))) return std::nullopt;
  Matrix out{b.columns, {}};
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < b.columns; ++column) {
      Scalar sum = exact(Rational{0});
      for (std::size_t k = 0; k < a.columns && sum.valid(); ++k) {
        sum = add(sum, multiply(a.entries[row * a.columns + k], b.entries[k * b.columns + column]));
      }
      if (!sum.valid()) return std::nullopt;
      out.entries.push_back(sum);
    }
  }
  return out;
}

std::optional<Matrix> Evaluator::matrix(NodeId id) {
  const Node& node = expression_.nodes[id];
  const auto children = expression_.children_of(id);
  if (!spend(1)) return std::nullopt;
  if (!is_matrix(id)) {
    Matrix scalar{1, {evaluate(id)}};
    if (!scalar.entries[0].valid()) return std::nullopt;
    return scalar;
  }
  switch (node.op) {
    case Op::matrix: {
      Matrix out{node.index, {}};
      if (node.index == 0 || children.size() % node.index != 0) return std::nullopt;
      for (const NodeId child : children) {
        out.entries.push_back(evaluate(child));
        if (!out.entries.back().valid()) return std::nullopt;
      }
      return out;
    }
    case Op::add: {
      auto out = matrix(children[0]);
      for (std::size_t i = 1; i < children.size() && out; ++i) {
        const auto term = matrix(children[i]);
        if (!term || term->columns != out->columns || term->entries.size() != out->entries.size()) {
          return std::nullopt;
        }
        for (std::size_t k = 0; k < out->entries.size(); ++k) {
          out->entries[k] = add(out->entries[k], term->entries[k]);
        }
      }
      return out;
    }
    case Op::multiply: {
      auto out = matrix(children[0]);
      for (std::size_t i = 1; i < children.size() && out; ++i) {
        const auto factor = matrix(children[i]);
        out = factor ? matrix_product(*out, *factor) : std::nullopt;
      }
      return out;
    }
    case Op::divide: {
      auto out = matrix(children[0]);
      if (!out || is_matrix(children[1])) return std::nullopt;
      const Scalar by = evaluate(children[1]);
      for (Scalar& entry : out->entries) entry = divide(entry, by);
      return out;
    }
    case Op::negate:
    case Op::plus_minus:
    case Op::minus_plus: {
      auto out = matrix(children[0]);
      const bool flip = node.op == Op::negate || (node.op == Op::plus_minus) == (choice_ < 0);
      if (out && flip) {
        for (Scalar& entry : out->entries) entry = negate(entry);
      }
      return out;
    }
    case Op::power: {
      const auto base = matrix(children[0]);
      const Scalar exponent = evaluate(children[1]);
      if (!base || exponent.exact == nullptr || base->rows() != base->columns) return std::nullopt;
      const auto n = exponent.exact->small_integer();
      if (!n || *n < 1 || *n > 64) return std::nullopt;
      std::optional<Matrix> out = base;
      for (std::int64_t i = 1; i < *n && out; ++i) out = matrix_product(*out, *base);
      return out;
    }
    case Op::function: {
      const auto of = matrix(children[0]);
      if (!of) return std::nullopt;
      Matrix out{of->rows(), {}};
      for (std::size_t column = 0; column < of->columns; ++column) {
        for (std::size_t row = 0; row < of->rows(); ++row) {
          out.entries.push_back(of->entries[row * of->columns + column]);
        }
      }
      return out;
    }
    default:
      return std::nullopt;
  }
}

// By minors of the first rows and each set of columns, without divisions.
Scalar Evaluator::determinant(const Matrix& of) {
  const std::size_t n = of.columns;
  if (of.rows() != n || n > kMaxDeterminant) return Scalar::invalid();
  std::vector<Scalar> minors(std::size_t{1} << n);
  minors[0] = exact(Rational{1});
  for (std::size_t set = 1; set < minors.size(); ++set) {
    const auto row = static_cast<std::size_t>(__builtin_popcountll(set)) - 1;
    Scalar sum = exact(Rational{0});
    bool negative = row % 2 == 1;
    for (std::size_t column = 0; column < n; ++column) {
      if ((set >> column & 1) == 0) continue;
      Scalar term =
          multiply(of.entries[row * n + column], minors[set ^ (std::size_t{1} << column)]);
      sum = add(sum, negative ? negate(term) : term);
      negative = !negative;
    }
    if (!sum.valid()) return sum;
    minors[set] = sum;
  }
  return minors.back();
}

}  // namespace orchestrator
