// Which of k items is best, from rankings or from comparisons of pairs.
//
// Everything starts from one table: how often each item was preferred to each other one.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace orchestrator {

// A k x k table, row by row.
class Table {
 public:
  Table() = default;
  explicit Table(std::size_t size) : size_(size), cells_(size * size, 0.0) {}
  std::size_t size() const { return size_; }
  double& operator()(std::size_t row, std::size_t column) { return cells_[row * size_ + column]; }
  double operator()(std::size_t row, std::size_t column) const {
    return cells_[row * size_ + column];
  }

 private:
  std::size_t size_ = 0;
  std::vector<double> cells_;
};

// `wins(i, j)`: how often i was preferred to j; `ties(i, j)` = `ties(j, i)`: how often neither was.
struct Comparisons {
  Table wins, ties;
};

// One voter's items in groups, best group first; those of one group are tied.
using Ballot = std::vector<std::vector<std::size_t>>;

// What a ballot says of the items it does not name.
enum class Unranked {
  last,     // tied with each other below all that it names
  ignored,  // nothing
};

// Each ballot compares each pair once. Throws std::invalid_argument when a ballot names an item
// twice or one that is not below `items`.
Comparisons compare(std::span<const Ballot> ballots, std::size_t items, Unranked unranked);

// Every function below throws std::invalid_argument when the tables differ in size, a cell is not
// finite or negative, the diagonal is not 0, or the ties are not symmetric. Results are by item.

// Borda's count: wins and half the ties, over all opponents. For complete rankings without ties
// that is k - r for the item at rank r (from 1), summed over the ballots.
std::vector<double> borda(const Comparisons& comparisons);

// Copeland's: opponents beaten by majority plus half of those drawn with. A pair that was never
// compared counts for neither.
std::vector<double> copeland(const Comparisons& comparisons);

// The score of a tournament: (wins + ties / 2) / comparisons; 1/2 for an item never compared.
std::vector<double> win_rates(const Comparisons& comparisons);

// How the model of strengths explains a tie.
enum class TieModel {
  half,        // a tie is half a win for each
  rao_kupper,  // P(i beats j) = s_i / (s_i + theta s_j) with theta >= 1; the rest is P(tie)
};

struct Strengths {
  std::vector<double> log_strengths;  // natural logarithms
  double theta = 1;                   // > 1 only for rao_kupper with ties
  double log_likelihood = 0;          // of the comparisons, at these strengths; without the prior
  std::size_t iterations = 0;
  bool converged = false;  // within 1e-7 standard errors of the maximum
};

// Bradley and Terry's strengths: P(i beats j) = s_i / (s_i + s_j), by the
// minorisation-maximisation of Hunter (2004), each step followed by one of Newton's where that goes
// higher: alone it needs as many steps as an undefeated item has wins.
//
// `prior` >= 0: wins and losses, this many each, of every item against an imaginary one of strength
// 1. Above 0 there is always one finite solution; at 0 the maximum likelihood is finite only if the
// items cannot be split so that no item of one part ever beat or tied one of the other (Ford 1957),
// else std::invalid_argument is thrown; it is then scaled to a geometric mean of 1. With rao_kupper
// there must be a win besides the ties, else theta has no bound, which throws too.
Strengths bradley_terry(const Comparisons& comparisons, double prior, TieModel ties,
                        std::size_t max_iterations);

// The order with the fewest preferences against it, best first, by dynamic programming over
// subsets: O(2^k k^2) steps. Of several the first by item number. Throws std::invalid_argument for
// more than kKemenyLimit items.
inline constexpr std::size_t kKemenyLimit = 16;
std::vector<std::size_t> kemeny(const Comparisons& comparisons);

// Agreement of two lists of numbers, in [-1, 1]: Kendall's tau-b, and Spearman's rho, which is the
// correlation of ranks, equal values at the mean of theirs. Throw std::invalid_argument when the
// lengths differ, are below 2, a value is not a number, or all values of a list are equal.
double kendall_tau(std::span<const double> a, std::span<const double> b);
double spearman_rho(std::span<const double> a, std::span<const double> b);

}  // namespace orchestrator
