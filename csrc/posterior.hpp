// How surely the leader of a vote is the most frequent answer.
//
// The answers' frequencies p have a Dirichlet distribution: symmetric with parameter `prior` before
// the votes, with prior + v_i after v_i votes for answer i. A Dirichlet vector is a vector of
// independent gamma variables over their sum, so that p_i > p_j exactly when g_i > g_j, with
// g_i ~ Gamma(prior + v_i, 1).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tally.hpp"

namespace orchestrator {

// The largest prior, in votes, that the functions below take.
inline constexpr double kLargestPrior = 100;

// Throws std::invalid_argument unless `prior` is above 0 and at most kLargestPrior.
void check_prior(double prior);

// P(p1 > p2) after `first` and `second` votes for two answers: P(p > 1/2) for
// p ~ Beta(first + prior, second + prior). A table answers for fewer than kTable votes each; beyond
// it whole priors are binomial tails, others integrals. Immutable.
class PairPosterior {
 public:
  static constexpr std::uint64_t kTable = 64;

  explicit PairPosterior(double prior);  // checks it

  double operator()(std::uint64_t first, std::uint64_t second) const {
    const bool small = first < kTable && second < kTable;
    return small ? table_[first * kTable + second] : beyond_table(first, second);
  }
  double prior() const { return prior_; }

 private:
  double beyond_table(std::uint64_t first, std::uint64_t second) const;

  double prior_;
  std::vector<double> table_;
};

// The same under a uniform prior (1).
double beta_posterior(std::uint64_t first, std::uint64_t second);

// P(p of the leader is the largest of all answers' p): the integral of the leader's gamma density
// times the distribution functions of all others, with an error below 1e-9. Immutable.
//
// The answers are those of the tally and `unseen` more without a vote, which stand for all that may
// still turn up; at least two in all, so that a single answer always has a rival. With two answers
// the value is PairPosterior's. Without a leader it is the first answer's probability. The time
// grows with the votes of the runner-up, not with the leader's: about a microsecond for tens of
// votes and a whole prior, several for another prior.
class ModePosterior {
 public:
  static constexpr std::int64_t kMostUnseen = 1000;

  // Throws std::invalid_argument for a prior as check_prior does, and for more unseen answers than
  // kMostUnseen.
  ModePosterior(double prior, std::int64_t unseen);

  double operator()(const Tally& tally) const;

  // Whether the probability is at least `confidence`: the same as comparing, mostly without the
  // integral. For independent g, P(all others < g1) is at most the smallest P(other < g1) and, as
  // the distribution functions all rise with g1, at least their product.
  bool reaches(const Tally& tally, double confidence) const;

 private:
  struct Bounds {
    double lower, upper;
  };

  Bounds bounds(const Tally& tally) const;
  std::uint64_t rivals_to_add(const Tally& tally) const;
  double integral(const Tally& tally, std::optional<double> level) const;

  PairPosterior pair_;
  std::uint64_t unseen_;
};

// P(a, x), the regularised lower incomplete gamma function: the distribution function of
// Gamma(a, 1). Needs a > 0 and x >= 0.
double gamma_distribution(double a, double x);

}  // namespace orchestrator
