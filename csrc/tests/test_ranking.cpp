#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "ranking.hpp"

namespace orchestrator {
namespace {

Comparisons of(const std::vector<std::vector<double>>& wins,
               const std::vector<std::vector<double>>& ties = {}) {
  Comparisons result{Table(wins.size()), Table(wins.size())};
  for (std::size_t i = 0; i < wins.size(); ++i) {
    for (std::size_t j = 0; j < wins.size(); ++j) {
      result.wins(i, j) = wins[i][j];
      if (!ties.empty()) result.ties(i, j) = ties[i][j];
    }
  }
  return result;
}

Strengths strengths(const Comparisons& comparisons, double prior, TieModel ties = TieModel::half) {
  return bradley_terry(comparisons, prior, ties, 1000);
}

TEST(Compare, TiedAndMissingItems) {
  const std::vector<Ballot> ballots{{{0}, {1, 2}}};
  const auto last = compare(ballots, 4, Unranked::last);
  EXPECT_EQ(last.wins(0, 1), 1);
  EXPECT_EQ(last.ties(1, 2), 1);
  EXPECT_EQ(last.wins(2, 3), 1);
  const auto ignored = compare(ballots, 4, Unranked::ignored);
  EXPECT_EQ(ignored.wins(2, 3), 0);
  EXPECT_EQ(ignored.wins(0, 1), 1);
}

TEST(Compare, BallotsThatRepeatOrInventAreRefused) {
  EXPECT_THROW(compare(std::vector<Ballot>{{{0}, {0}}}, 2, Unranked::last), std::invalid_argument);
  EXPECT_THROW(compare(std::vector<Ballot>{{{2}}}, 2, Unranked::last), std::invalid_argument);
}

TEST(Tables, BadCellsAreRefused) {
  EXPECT_THROW(borda(of({{1}})), std::invalid_argument);
  EXPECT_THROW(borda(of({{0, -1}, {0, 0}})), std::invalid_argument);
  EXPECT_THROW(copeland(of({{0, std::nan("")}, {0, 0}})), std::invalid_argument);
  EXPECT_THROW(win_rates(of({{0, 0}, {0, 0}}, {{0, 1}, {0, 0}})), std::invalid_argument);
  EXPECT_THROW(kemeny(Comparisons{Table(2), Table(3)}), std::invalid_argument);
  EXPECT_THROW(kemeny(Comparisons{Table(17), Table(17)}), std::invalid_argument);
}

TEST(Copeland, DrawnAndMissingContests) {
  // 0 beats 1, draws with 2; 1 and 2 never met.
  EXPECT_EQ(copeland(of({{0, 2, 1}, {1, 0, 0}, {1, 0, 0}})), (std::vector<double>{1.5, 0, 0.5}));
}

TEST(WinRates, AnItemNeverComparedIsNeitherGoodNorBad) {
  EXPECT_EQ(win_rates(of({{0, 3, 0}, {1, 0, 0}, {0, 0, 0}})),
            (std::vector<double>{0.75, 0.25, 0.5}));
}

TEST(BradleyTerry, TwoItemsAreTheOddsOfTheirWins) {
  const auto fit = strengths(of({{0, 3}, {1, 0}}), 0);
  EXPECT_TRUE(fit.converged);
  EXPECT_NEAR(fit.log_strengths[0] - fit.log_strengths[1], std::log(3.0), 1e-12);
}

TEST(BradleyTerry, APriorBoundsTheUndefeated) {
  const auto fit = strengths(of({{0, 1e6}, {0, 0}}), 0.1);
  EXPECT_TRUE(fit.converged);
  EXPECT_TRUE(std::isfinite(fit.log_strengths[0]));
  EXPECT_NEAR(fit.log_strengths[0], -fit.log_strengths[1], 1e-6);
  EXPECT_THROW(strengths(of({{0, 1e6}, {0, 0}}), 0), std::invalid_argument);
}

TEST(BradleyTerry, RaoAndKuppersThetaExplainsTies) {
  // Equal wins and 2/3 ties: 1/6 = 1 / (1 + theta).
  const auto fit = strengths(of({{0, 1}, {1, 0}}, {{0, 4}, {4, 0}}), 0, TieModel::rao_kupper);
  EXPECT_NEAR(fit.theta, 5, 1e-6);
  EXPECT_NEAR(fit.log_strengths[0], 0, 1e-12);
  EXPECT_THROW(strengths(of({{0, 0}, {0, 0}}, {{0, 4}, {4, 0}}), 1, TieModel::rao_kupper),
               std::invalid_argument);
}

TEST(BradleyTerry, BadPriorsAreRefused) {
  EXPECT_THROW(strengths(of({{0}}), -1), std::invalid_argument);
  EXPECT_THROW(strengths(of({{0}}), std::numeric_limits<double>::infinity()),
               std::invalid_argument);
}

TEST(Kemeny, BreaksTheWeakestPreferenceOfACycle) {
  // 0 > 1 by 5, 1 > 2 by 4, 2 > 0 by 1.
  EXPECT_EQ(kemeny(of({{0, 5, 0}, {0, 0, 4}, {1, 0, 0}})), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_TRUE(kemeny(of({})).empty());
}

TEST(Agreement, OppositeOrdersAndTies) {
  const std::vector<double> up{1, 2, 3}, down{3, 2, 1}, flat{1, 1, 1};
  EXPECT_DOUBLE_EQ(kendall_tau(up, down), -1);
  EXPECT_DOUBLE_EQ(spearman_rho(up, up), 1);
  EXPECT_THROW(kendall_tau(up, flat), std::invalid_argument);
  EXPECT_THROW(spearman_rho(up, std::vector<double>{1, 2}), std::invalid_argument);
  EXPECT_THROW(spearman_rho(up, std::vector<double>{1, 2, std::nan("")}), std::invalid_argument);
}

}  // namespace
}  // namespace orchestrator
