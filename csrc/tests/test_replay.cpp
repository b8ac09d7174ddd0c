#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "random.hpp"
#include "replay.hpp"

using namespace orchestrator;

namespace {

// Stops once the leader has so many votes.
class VotesStop : public StoppingRule {
 public:
  explicit VotesStop(std::uint64_t votes) : votes_(votes) {}
  bool should_stop(const Tally& tally) const override { return tally.first() >= votes_; }

 private:
  std::uint64_t votes_;
};

class PlanStop : public StoppingRule {
 public:
  bool should_stop(const Tally& tally) const override { return tally.remaining() == 0; }
};

class Failing : public StoppingRule {
 public:
  bool should_stop(const Tally&) const override { throw std::runtime_error("no"); }
};

struct Columns {
  std::vector<std::uint64_t> sizes;
  std::vector<ClusterId> clusters;
  std::vector<double> correct, scores, costs;

  Recording record() const {
    return Recording(SampleColumns{sizes, clusters, correct, scores, costs});
  }
};

// Two problems of four samples: a, a, b, abstention; and b, b, b, b. Cluster 0 (a) is right.
Columns two_problems() {
  return {{4, 4},
          {0, 0, 1, kAbstains, 1, 1, 1, 1},
          {1, 1, 0, 0, 0, 0, 0, 0},
          {0.1, 0.2, 0.9, 1.0, 0.5, 0.5, 0.5, 0.5},
          {1, 2, 3, 4, 10, 10, 10, 10}};
}

ReplayOptions recorded_order(VoteKind vote = VoteKind::plurality) {
  ReplayOptions options;
  options.vote = vote;
  options.shuffle = false;
  return options;
}

ReplayTotals alone(const Recording& recording, const StoppingRule* rule,
                   const ReplayOptions& options, std::optional<std::size_t> samples = {}) {
  return replay(std::vector{Tier{&recording, rule, samples, std::nullopt, false}}, options);
}

}  // namespace

TEST(RandomStream, DrawsEveryValueBelowABoundAboutAsOften) {
  RandomStream random(1, 2, 3, 4);
  std::vector<int> counts(6);
  for (int i = 0; i < 60'000; ++i) ++counts[random.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);  // more than five sigma
}

TEST(RandomStream, IsAFunctionOfItsCoordinates) {
  EXPECT_EQ(RandomStream(1, 2, 3).next(), RandomStream(1, 2, 3).next());
  EXPECT_NE(RandomStream(1, 2, 3).next(), RandomStream(1, 3, 2).next());
  EXPECT_NE(RandomStream(1, 2, 3).next(), RandomStream(2, 2, 3).next());
}

TEST(DrawOrder, IsAPermutationWhosePrefixDoesNotDependOnHowManyAreDrawn) {
  const auto all = draw_order(5, 0, 0, 0, 20, 20);
  auto sorted = all;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::uint32_t> expected(20);
  std::iota(expected.begin(), expected.end(), 0U);
  EXPECT_EQ(sorted, expected);
  const auto some = draw_order(5, 0, 0, 0, 20, 7);
  EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin()));
  EXPECT_THROW(draw_order(5, 0, 0, 0, 20, 21), std::invalid_argument);
}

TEST(Replay, InRecordedOrderStopsWhereTheRuleFires) {
  const Recording recording = two_problems().record();
  const VotesStop rule(2);
  const ReplayTotals totals = alone(recording, &rule, recorded_order());
  EXPECT_EQ(totals.correct.mean, (std::vector<double>{1, 0}));
  EXPECT_EQ(totals.samples.mean, (std::vector<double>{2, 2}));
  EXPECT_EQ(totals.costs.mean, (std::vector<double>{3, 20}));
  EXPECT_EQ(totals.fired, (std::vector<double>{1, 1}));
}

TEST(Replay, WithoutARuleTakesEverySample) {
  const Recording recording = two_problems().record();
  const ReplayTotals totals = alone(recording, nullptr, recorded_order());
  EXPECT_EQ(totals.samples.mean, (std::vector<double>{4, 4}));
  EXPECT_EQ(totals.costs.mean, (std::vector<double>{10, 40}));
  EXPECT_EQ(totals.fired, (std::vector<double>{0, 0}));
}

TEST(Replay, VotesByCountByWeightAndByTheBestScore) {
  const Recording recording = two_problems().record();
  EXPECT_EQ(alone(recording, nullptr, recorded_order(VoteKind::plurality)).correct.mean[0], 1);
  EXPECT_EQ(alone(recording, nullptr, recorded_order(VoteKind::weighted)).correct.mean[0], 0);
  EXPECT_EQ(alone(recording, nullptr, recorded_order(VoteKind::best)).correct.mean[0], 0);
}

TEST(Replay, AnAbstentionHasNoAnswerAndIsWrong) {
  const Recording recording = Columns{{2}, {-1, -1}, {1, 1}, {}, {}}.record();
  const ReplayTotals totals = alone(recording, nullptr, recorded_order());
  EXPECT_EQ(totals.correct.mean[0], 0);
  EXPECT_EQ(totals.unanswered[0], 1);
}

TEST(Replay, TellsTheRuleHowManySamplesArePlanned) {
  const Recording recording = two_problems().record();
  const PlanStop rule;
  EXPECT_EQ(alone(recording, &rule, recorded_order(), 3).samples.mean[0], 3);
}

TEST(Replay, DoesNotDependOnTheThreads) {
  Columns columns;
  RandomStream random(9, 9);
  for (int problem = 0; problem < 40; ++problem) {
    columns.sizes.push_back(30);
    for (int i = 0; i < 30; ++i) {
      columns.clusters.push_back(static_cast<ClusterId>(random.below(5)) - 1);
      columns.correct.push_back(columns.clusters.back() == 0 ? 1 : 0);
    }
  }
  const Recording recording = columns.record();
  const VotesStop rule(4);
  ReplayOptions options;
  options.resamples = 50;
  options.threads = 1;
  const ReplayTotals one = alone(recording, &rule, options);
  options.threads = 4;
  const ReplayTotals four = alone(recording, &rule, options);
  EXPECT_EQ(one.correct.mean, four.correct.mean);
  EXPECT_EQ(one.correct.variance, four.correct.variance);
  EXPECT_EQ(one.samples.mean, four.samples.mean);
  const std::vector<std::uint64_t> ks{1, 7, 30};
  const ByProblem curve = vote_curve(recording, ks, options);
  options.threads = 1;
  EXPECT_EQ(curve.mean, vote_curve(recording, ks, options).mean);
  for (std::size_t i = 0; i < ks.size(); ++i) {
    const ReplayTotals whole = alone(recording, nullptr, options, ks[i]);
    for (std::size_t problem = 0; problem < recording.problems(); ++problem) {
      EXPECT_NEAR(curve.mean[problem * ks.size() + i], whole.correct.mean[problem], 1e-12);
    }
  }
}

TEST(Replay, ThrowsWhatARuleThrowsFromAnyThread) {
  const Recording recording = two_problems().record();
  const Failing rule;
  ReplayOptions options;
  options.threads = 2;
  EXPECT_THROW(alone(recording, &rule, options), std::runtime_error);
}

TEST(Cascade, HandsOnWhatTheFirstTierIsNotSureOf) {
  const Recording small = Columns{{2, 2}, {0, 1, 0, 0}, {0, 1, 0, 0}, {}, {1, 1, 1, 1}}.record();
  const Recording large = Columns{{1, 1}, {1, 2}, {1, 1}, {}, {50, 50}}.record();
  const std::vector<Tier> tiers{{&small, nullptr, std::nullopt, 1.0, false}, {&large}};
  const ReplayTotals totals = replay(tiers, recorded_order());
  EXPECT_EQ(totals.correct.mean, (std::vector<double>{1, 0}));
  EXPECT_EQ(totals.costs.mean, (std::vector<double>{52, 2}));
  EXPECT_EQ(totals.ended, (std::vector<double>{0, 1, 1, 0}));
}

TEST(Cascade, CarriesVotesOnWhenAskedTo) {
  const Recording small = Columns{{3}, {0, 0, 1}, {0, 0, 1}, {}, {}}.record();
  const Recording large = Columns{{1}, {1}, {1}, {}, {}}.record();
  std::vector<Tier> tiers{{&small, nullptr, std::nullopt, 0.9, false}, {&large}};
  EXPECT_EQ(replay(tiers, recorded_order()).correct.mean[0], 1);
  tiers[1].carry = true;  // 0, 0, 1, 1: a tie, which the first seen wins
  EXPECT_EQ(replay(tiers, recorded_order()).correct.mean[0], 0);
}

TEST(Cascade, RefusesTiersThatDoNotFit) {
  const Recording small = two_problems().record();
  const Recording one = Columns{{1}, {0}, {1}, {}, {}}.record();
  EXPECT_THROW(replay({}, {}), std::invalid_argument);
  EXPECT_THROW(replay(std::vector<Tier>{{&small}, {&small}}, {}), std::invalid_argument);
  const Tier sure{&small, nullptr, std::nullopt, 0.5, false};
  EXPECT_THROW(replay(std::vector<Tier>{sure, {&one}}, {}), std::invalid_argument);
  EXPECT_THROW(replay(std::vector<Tier>{{&small, nullptr, 5}}, {}), std::invalid_argument);
  EXPECT_THROW(alone(one, nullptr, recorded_order(VoteKind::best)), std::invalid_argument);
}

TEST(VoteCurve, RefusesWhatCannotBeDrawn) {
  const Recording recording = two_problems().record();
  const std::vector<std::uint64_t> none, zero{0}, many{5}, falling{2, 1};
  for (const auto& ks : {none, zero, many, falling}) {
    EXPECT_THROW(vote_curve(recording, ks, {}), std::invalid_argument);
  }
}

TEST(Recording, RefusesColumnsThatDoNotFit) {
  EXPECT_THROW((Columns{{2}, {0}, {1}, {}, {}}.record()), std::invalid_argument);
  EXPECT_THROW((Columns{{1}, {0, 0}, {1, 1}, {}, {}}.record()), std::invalid_argument);
  EXPECT_THROW((Columns{{0}, {}, {}, {}, {}}.record()), std::invalid_argument);
  EXPECT_THROW((Columns{{1}, {-2}, {1}, {}, {}}.record()), std::invalid_argument);
  EXPECT_THROW((Columns{{1}, {kMaxClusters}, {1}, {}, {}}.record()), std::invalid_argument);
  EXPECT_THROW((Columns{{1}, {0}, {2}, {}, {}}.record()), std::invalid_argument);
  EXPECT_THROW((Columns{{1}, {0}, {1}, {1, 2}, {}}.record()), std::invalid_argument);
}
