#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "ledger.hpp"

namespace orchestrator {
namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

std::size_t at(Resource resource) { return static_cast<std::size_t>(resource); }

Limits total(std::int64_t tokens) {
  return {std::nullopt, std::nullopt, tokens, std::nullopt, std::nullopt};
}

Amounts tokens(std::int64_t completion) { return {0, completion, completion, 1, 0}; }

Charge used(std::int64_t completion, std::int64_t requests = 1) {
  return {0, completion, requests};
}

Hold granted(std::variant<Hold, Refusal> answer) { return std::get<Hold>(std::move(answer)); }

Refusal refused(const std::variant<Hold, Refusal>& answer) { return std::get<Refusal>(answer); }

std::int64_t held(const std::shared_ptr<Account>& account) {
  return account->statistics().held[at(Resource::total_tokens)];
}

std::int64_t spent(const std::shared_ptr<Account>& account) {
  return account->statistics().spent[at(Resource::total_tokens)];
}

TEST(Ledger, ReserveHoldsOnEveryAccountUpTheChain) {
  const auto run = Account::open("run", total(100), std::nullopt);
  const auto problem = Account::open("problem", total(50), std::nullopt, run);
  const auto hold = granted(problem->reserve(tokens(30), 0));
  EXPECT_EQ(held(run), 30);
  EXPECT_EQ(held(problem), 30);
  EXPECT_EQ(run->statistics().holds, 1);
}

TEST(Ledger, ARefusalAboveChangesNothingBelow) {
  const auto run = Account::open("run", total(20), std::nullopt);
  const auto problem = Account::open("problem", total(50), std::nullopt, run);
  const Refusal refusal = refused(problem->reserve(tokens(30), 0));
  EXPECT_EQ(refusal.account, "run");
  EXPECT_EQ(refusal.height, 1U);
  EXPECT_EQ(refusal.resource, Resource::total_tokens);
  EXPECT_EQ(refusal.requested, 30);
  EXPECT_EQ(refusal.remaining, 20);
  EXPECT_FALSE(refusal.in_flight);
  EXPECT_EQ(held(problem), 0);
  EXPECT_EQ(run->statistics().refusals, 1);
  EXPECT_EQ(problem->statistics().refusals, 0);
}

TEST(Ledger, ARefusalSaysWhenOnlyCallsInFlightAreInTheWay) {
  const auto run = Account::open("run", total(100), std::nullopt);
  const auto first = granted(run->reserve(tokens(60), 0));
  const Refusal refusal = refused(run->reserve(tokens(50), 0));
  EXPECT_TRUE(refusal.in_flight);
  EXPECT_EQ(refusal.remaining, 100);
}

TEST(Ledger, AShortageThatStaysIsToldBeforeOneThatPasses) {
  const auto run = Account::open("run", total(40), std::nullopt);
  const auto problem = Account::open("problem", total(60), std::nullopt, run);
  const auto first = granted(problem->reserve(tokens(30), 0));
  const Refusal refusal = refused(problem->reserve(tokens(50), 0));
  EXPECT_EQ(refusal.account, "run");
  EXPECT_FALSE(refusal.in_flight);
}

TEST(Ledger, TheNearestDeadlineThatPassedRefuses) {
  const auto run = Account::open("run", Limits{}, 1000);
  const auto problem = Account::open("problem", Limits{}, 500, run);
  EXPECT_EQ(problem->deadline(), 500);
  EXPECT_TRUE(std::holds_alternative<Hold>(problem->reserve(tokens(1), 499)));
  const Refusal refusal = refused(problem->reserve(tokens(1), 500));
  EXPECT_EQ(refusal.account, "problem");
  EXPECT_FALSE(refusal.resource.has_value());
  EXPECT_FALSE(refusal.in_flight);
  EXPECT_EQ(refused(run->reserve(tokens(1), 1000)).account, "run");
}

TEST(Ledger, CommitSpendsWhatWasUsedAndGivesBackTheRest) {
  const auto run = Account::open("run", total(100), std::nullopt);
  auto hold = granted(run->reserve(tokens(60), 0));
  hold.commit({10, 15, 1, 7, 3, 2, 500, true});
  const Statistics state = run->statistics();
  EXPECT_EQ(state.spent, (Amounts{10, 15, 25, 1, 7}));
  EXPECT_EQ(state.held, Amounts{});
  EXPECT_EQ(state.cached_tokens, 3);
  EXPECT_EQ(state.reasoning_tokens, 2);
  EXPECT_EQ(state.microseconds, 500);
  EXPECT_EQ(state.estimated, 1);
  EXPECT_EQ(state.holds, 0);
}

TEST(Ledger, ACommittedCallIsAtLeastTheRequestsHeld) {
  const auto run = Account::open("run", Limits{}, std::nullopt);
  granted(run->reserve({0, 0, 0, 2, 0}, 0)).commit(used(5, 0));
  EXPECT_EQ(run->statistics().spent[at(Resource::requests)], 2);
}

TEST(Ledger, ACommitAboveTheHoldIsOverrunAndBlocksWhatFollows) {
  const auto run = Account::open("run", total(100), std::nullopt);
  granted(run->reserve(tokens(60), 0)).commit(used(130));
  const Statistics state = run->statistics();
  EXPECT_EQ(state.overrun[at(Resource::total_tokens)], 70);
  EXPECT_EQ(state.overrun[at(Resource::requests)], 0);
  EXPECT_EQ(state.overruns, 1);
  const Refusal refusal = refused(run->reserve(tokens(1), 0));
  EXPECT_EQ(refusal.remaining, -30);
  EXPECT_FALSE(refusal.in_flight);
}

TEST(Ledger, ReleaseGivesBackOnceAndNeverAfterACommit) {
  const auto run = Account::open("run", total(100), std::nullopt);
  auto other = granted(run->reserve(tokens(10), 0));
  auto hold = granted(run->reserve(tokens(60), 0));
  hold.release();
  hold.release();
  EXPECT_EQ(held(run), 10);
  auto committed = granted(run->reserve(tokens(60), 0));
  committed.commit(used(20));
  committed.release();
  EXPECT_EQ(held(run), 10);
  EXPECT_EQ(spent(run), 20);
}

TEST(Ledger, AnEndedHoldCannotBeCommittedSettledOrToppedUp) {
  const auto run = Account::open("run", total(100), std::nullopt);
  auto hold = granted(run->reserve(tokens(60), 0));
  hold.commit(used(20));
  EXPECT_THROW(hold.commit(used(20)), std::logic_error);
  EXPECT_THROW(hold.settle(used(20)), std::logic_error);
  EXPECT_THROW(hold.top_up(0), std::logic_error);
  EXPECT_EQ(spent(run), 20);
}

TEST(Ledger, ADroppedHoldIsReleasedAndAMovedOneIsNot) {
  const auto run = Account::open("run", total(100), std::nullopt);
  {
    auto first = granted(run->reserve(tokens(60), 0));
    const Hold second = std::move(first);
    EXPECT_FALSE(first.open());
    EXPECT_EQ(held(run), 60);
  }
  EXPECT_EQ(held(run), 0);
  auto kept = granted(run->reserve(tokens(10), 0));
  kept = granted(run->reserve(tokens(20), 0));
  EXPECT_EQ(held(run), 20);
}

TEST(Ledger, SettleChargesAnAttemptAndTopUpRestoresTheHold) {
  const auto run = Account::open("run", total(100), std::nullopt);
  auto hold = granted(run->reserve(tokens(40), 0));
  hold.settle(used(15));
  EXPECT_EQ(spent(run), 15);
  EXPECT_EQ(held(run), 25);
  EXPECT_FALSE(hold.top_up(0).has_value());
  EXPECT_EQ(held(run), 40);
  EXPECT_EQ(hold.held(), tokens(40));
}

TEST(Ledger, SettlingMoreThanIsHeldLeavesNothingHeld) {
  const auto run = Account::open("run", total(100), std::nullopt);
  auto hold = granted(run->reserve(tokens(40), 0));
  hold.settle(used(55));
  EXPECT_EQ(held(run), 0);
  EXPECT_EQ(run->statistics().overrun[at(Resource::total_tokens)], 15);
  EXPECT_TRUE(hold.open());
}

TEST(Ledger, ARefusedTopUpKeepsTheRestAndCountsItsOwnHoldAsPartOfTheWhole) {
  const auto run = Account::open("run", total(100), std::nullopt);
  auto hold = granted(run->reserve(tokens(60), 0));
  const auto other = granted(run->reserve(tokens(40), 0));
  hold.settle(used(30));
  auto refusal = hold.top_up(0);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->requested, 60);
  EXPECT_TRUE(refusal->in_flight);  // 60 of the 70 not spent yet
  EXPECT_EQ(held(run), 70);
  hold.settle(used(20));
  refusal = hold.top_up(0);
  EXPECT_FALSE(refusal->in_flight);  // 60 of the 50 not spent yet
}

TEST(Ledger, ChargeStopsBelowTheGivenAncestor) {
  const auto run = Account::open("run", total(100), std::nullopt);
  const auto problem = Account::open("problem", Limits{}, std::nullopt, run);
  const auto branch = Account::open("branch", Limits{}, std::nullopt, problem);
  branch->charge(used(10));
  branch->charge(used(5), run.get());
  EXPECT_EQ(spent(run), 10);
  EXPECT_EQ(spent(problem), 15);
  EXPECT_EQ(spent(branch), 15);
  EXPECT_THROW(run->charge(used(1), branch.get()), std::invalid_argument);
}

TEST(Ledger, HeadroomIsTheLeastUpTheChain) {
  const auto run = Account::open("run", total(100), std::nullopt);
  const auto problem = Account::open("problem", {std::nullopt, 80, 120, std::nullopt, std::nullopt},
                                     std::nullopt, run);
  run->charge(used(30));
  const auto hold = granted(problem->reserve(tokens(25), 0));
  const Headroom headroom = problem->headroom();
  EXPECT_EQ(headroom.alone[at(Resource::total_tokens)], 70);
  EXPECT_EQ(headroom.free[at(Resource::total_tokens)], 45);
  EXPECT_EQ(headroom.alone[at(Resource::completion_tokens)], 80);
  EXPECT_FALSE(headroom.alone[at(Resource::requests)].has_value());
}

TEST(Ledger, NegativeNumbersAreTheCallersMistake) {
  EXPECT_THROW(Account::open("run", total(-1), std::nullopt), std::invalid_argument);
  const auto run = Account::open("run", total(100), std::nullopt);
  EXPECT_THROW(run->reserve(tokens(-1), 0), std::invalid_argument);
  EXPECT_THROW(run->charge(used(-1)), std::invalid_argument);
  auto hold = granted(run->reserve(tokens(10), 0));
  EXPECT_THROW(hold.commit(used(-1)), std::invalid_argument);
  EXPECT_EQ(held(run), 10);
}

TEST(Ledger, SumsBeyond64BitsAreRefusedWhenHeldAndSaturateWhenSpent) {
  const auto run = Account::open("run", total(100), std::nullopt);
  const Amounts money = {0, 0, 0, 0, largest};
  auto hold = granted(run->reserve(money, 0));
  EXPECT_THROW(run->reserve({0, 0, 0, 0, 1}, 0), std::invalid_argument);
  hold.commit({largest, largest, 1, largest});
  run->charge({1, 1, 1, 1});
  EXPECT_EQ(run->statistics().spent, (Amounts{largest, largest, largest, 2, largest}));
  EXPECT_EQ(refused(run->reserve(tokens(1), 0)).remaining, 100 - largest);
}

TEST(Ledger, AHoldOutlivesTheAccountItWasTakenFrom) {
  const auto run = Account::open("run", total(100), std::nullopt);
  std::optional<Hold> hold;
  {
    const auto problem = Account::open("problem", total(50), std::nullopt, run);
    hold = granted(problem->reserve(tokens(30), 0));
  }
  EXPECT_EQ(held(run), 30);
  hold->commit(used(10));
  EXPECT_EQ(spent(run), 10);
}

TEST(Ledger, AccountsThatAreDoneWithDoNotAccumulate) {
  const auto run = Account::open("run", total(100), std::nullopt);
  std::weak_ptr<Account> gone;
  for (int i = 0; i < 1000; ++i) {
    const auto problem = Account::open(std::to_string(i), total(50), std::nullopt, run);
    granted(problem->reserve(tokens(30), 0)).release();
    gone = problem;
  }
  EXPECT_TRUE(gone.expired());
  EXPECT_EQ(run.use_count(), 1);
}

// ----------------------------------------------------------------------------------------------
// What is kept

Limits calls(std::int64_t most) {
  return {std::nullopt, std::nullopt, std::nullopt, most, std::nullopt};
}

constexpr Amounts one_call = {0, 0, 0, 1, 0};

std::int64_t kept(const std::shared_ptr<Account>& account) {
  return account->statistics().kept[at(Resource::requests)];
}

TEST(Kept, IsThereForTheAccountAndThoseBelowAndForNobodyElse) {
  const auto run = Account::open("run", calls(3), std::nullopt);
  const auto problem = Account::open("problem", Limits{}, std::nullopt, run);
  const auto search = Account::open("search", Limits{}, std::nullopt, problem);
  const auto finish = Account::open("finish", Limits{}, std::nullopt, problem);
  const auto below = Account::open("below", Limits{}, std::nullopt, finish);
  EXPECT_EQ(finish->keep({0, 0, 0, 2, 0}), (Amounts{0, 0, 0, 2, 0}));
  EXPECT_EQ(kept(finish), 2);
  EXPECT_EQ(kept(problem), 2);
  EXPECT_EQ(kept(run), 2);
  EXPECT_EQ(search->headroom().alone[at(Resource::requests)], 1);
  EXPECT_EQ(run->headroom().free[at(Resource::requests)], 1);
  EXPECT_EQ(below->headroom().alone[at(Resource::requests)], 3);
  const Refusal refusal = refused(search->reserve({0, 0, 0, 2, 0}, 0));
  EXPECT_EQ(refusal.account, "run");
  EXPECT_EQ(refusal.remaining, 1);
  EXPECT_FALSE(refusal.in_flight);  // nobody waits for what is kept
  const auto hold = granted(below->reserve({0, 0, 0, 3, 0}, 0));
  EXPECT_EQ(kept(run), 0);  // it is held instead
}

TEST(Kept, IsUsedFirstAndKeptAgainWhenItIsGivenBack) {
  const auto run = Account::open("run", total(100), std::nullopt);
  const auto finish = Account::open("finish", Limits{}, std::nullopt, run);
  const auto kept_tokens = [](const std::shared_ptr<Account>& account) {
    return account->statistics().kept[at(Resource::total_tokens)];
  };
  finish->keep(tokens(30));
  auto hold = granted(finish->reserve(tokens(20), 0));
  EXPECT_EQ(kept_tokens(run), 10);
  EXPECT_EQ(run->headroom().free[at(Resource::total_tokens)], 70);  // as before
  hold.commit(used(5));
  EXPECT_EQ(kept_tokens(run), 25);
  EXPECT_EQ(run->headroom().alone[at(Resource::total_tokens)], 70);
  auto more = granted(finish->reserve(tokens(60), 0));
  EXPECT_EQ(kept_tokens(run), 0);
  EXPECT_EQ(run->headroom().free[at(Resource::total_tokens)], 35);  // 100 - 5 - 60
  more.release();
  EXPECT_EQ(kept_tokens(run), 25);
  finish->give_up();
  EXPECT_EQ(kept_tokens(run), 0);
  EXPECT_EQ(run->headroom().alone[at(Resource::total_tokens)], 95);
}

TEST(Kept, CoversWhatIsNoMoreThanIsLeftOfIt) {
  const auto run = Account::open("run", calls(3), std::nullopt);
  const auto finish = Account::open("finish", Limits{}, std::nullopt, run);
  const auto below = Account::open("below", Limits{}, std::nullopt, finish);
  finish->keep({0, 0, 0, 2, 0});
  EXPECT_EQ(below->covering(one_call), 1U);
  EXPECT_EQ(finish->covering({0, 0, 0, 2, 0}), 0U);
  EXPECT_FALSE(finish->covering({0, 0, 0, 3, 0}).has_value());
  EXPECT_FALSE(finish->covering({0, 1, 1, 1, 0}).has_value());
  EXPECT_FALSE(run->covering(one_call).has_value());
  const auto hold = granted(below->reserve({0, 0, 0, 2, 0}, 0));
  EXPECT_FALSE(below->covering(one_call).has_value());
}

TEST(Kept, IsAtMostWhatIsFreeOnEveryAccountOfTheChain) {
  const auto run = Account::open("run", calls(10), std::nullopt);
  const auto other = Account::open("other", Limits{}, std::nullopt, run);
  run->charge({0, 0, 3});
  const auto hold = granted(other->reserve({0, 0, 0, 2, 0}, 0));
  other->keep(one_call);
  const auto problem = Account::open("problem", total(50), std::nullopt, run);
  const auto finish = Account::open("finish", Limits{}, std::nullopt, problem);
  // 10 - 3 spent - 2 held - 1 kept; 50 tokens in all; nothing limits the rest.
  EXPECT_EQ(finish->keep({70, 70, 140, 6, 9}), (Amounts{70, 70, 50, 4, 9}));
  EXPECT_EQ(kept(run), 5);
  EXPECT_EQ(finish->keep(one_call), Amounts{});  // nothing is kept twice
  EXPECT_EQ(kept(run), 5);
  run->charge({0, 0, 20});
  const auto late = Account::open("late", Limits{}, std::nullopt, run);
  EXPECT_EQ(late->keep(one_call), Amounts{});
}

TEST(Kept, IsTheLastCallOfEachOfSeveralProblems) {
  const auto run = Account::open("run", calls(6), std::nullopt);
  std::vector<std::shared_ptr<Account>> finishing;
  for (int i = 0; i < 4; ++i) {
    finishing.push_back(Account::open("finish", Limits{}, std::nullopt, run));
    EXPECT_EQ(finishing.back()->keep(one_call), one_call);
  }
  for (int i = 0; i < 2; ++i) granted(run->reserve(one_call, 0)).commit(used(1));
  EXPECT_FALSE(refused(run->reserve(one_call, 0)).in_flight);
  for (const auto& finish : finishing) granted(finish->reserve(one_call, 0)).commit(used(1));
  EXPECT_EQ(run->statistics().spent[at(Resource::requests)], 6);
  EXPECT_EQ(kept(run), 0);
}

TEST(Kept, BelowAnAccountThatKeepsIsTakenFromWhatItKeeps) {
  const auto run = Account::open("run", calls(10), std::nullopt);
  const auto outer = Account::open("outer", Limits{}, std::nullopt, run);
  const auto inner = Account::open("inner", Limits{}, std::nullopt, outer);
  outer->keep({0, 0, 0, 3, 0});
  EXPECT_EQ(inner->keep({0, 0, 0, 2, 0}), (Amounts{0, 0, 0, 2, 0}));
  EXPECT_EQ(kept(run), 3);
  EXPECT_EQ(outer->headroom().alone[at(Resource::requests)], 8);
  inner->keep({0, 0, 0, 4, 0});
  EXPECT_EQ(kept(run), 6);
  inner->give_up();
  EXPECT_EQ(kept(run), 3);
}

TEST(Kept, CallsInFlightThatUseItAreWaitedForAsAllAre) {
  const auto run = Account::open("run", calls(2), std::nullopt);
  const auto finish = Account::open("finish", Limits{}, std::nullopt, run);
  finish->keep(one_call);
  const auto hold = granted(finish->reserve(one_call, 0));
  EXPECT_TRUE(refused(run->reserve({0, 0, 0, 2, 0}, 0)).in_flight);
}

TEST(Kept, IsGivenUpWithTheAccount) {
  const auto run = Account::open("run", calls(2), std::nullopt);
  {
    const auto finish = Account::open("finish", Limits{}, std::nullopt, run);
    finish->keep(one_call);
    EXPECT_EQ(kept(run), 1);
  }
  EXPECT_EQ(kept(run), 0);
  const auto again = Account::open("finish", Limits{}, std::nullopt, run);
  again->give_up();  // of nothing
  again->keep(one_call);
  again->give_up();
  again->give_up();
  EXPECT_EQ(kept(run), 0);
  EXPECT_THROW(again->keep({0, 0, 0, -1, 0}), std::invalid_argument);
}

TEST(Kept, SumsStayWithin64Bits) {
  const auto run = Account::open("run", Limits{}, std::nullopt);
  const auto outer = Account::open("outer", Limits{}, std::nullopt, run);
  const auto inner = Account::open("inner", Limits{}, std::nullopt, outer);
  const auto other = Account::open("other", Limits{}, std::nullopt, run);
  const Amounts all = {0, 0, 0, largest, 0};
  EXPECT_EQ(outer->keep(all), all);
  EXPECT_EQ(inner->keep(all), all);
  EXPECT_EQ(other->keep(all), Amounts{});
  EXPECT_EQ(kept(run), largest);
  inner->charge({0, 0, largest});
  EXPECT_EQ(kept(run), 0);
}

// A tree of accounts worked on by several threads at once. Every thread keeps its own books of what
// it committed; the ledger must agree with their sum, and must never have been above a limit.
class Interleavings : public testing::TestWithParam<unsigned> {
 protected:
  static constexpr int threads = 4;
  static constexpr int rounds = 3000;
  static constexpr std::size_t leaves = 4;

  struct Books {
    std::array<Amounts, leaves> spent{};
    int granted = 0;
    int refused = 0;
  };

  Interleavings() {
    // Tight enough that refusals are common: about a third of what the threads would take.
    const Limits wide = {40'000, std::nullopt, 120'000, 2'500, 900'000};
    const Limits narrow = {std::nullopt, 60'000, 80'000, std::nullopt, 500'000};
    run_ = Account::open("run", wide, std::nullopt);
    for (const char* label : {"left", "right"}) {
      const auto problem = Account::open(label, narrow, std::nullopt, run_);
      inner_.push_back(problem);
      for (int i = 0; i < 2; ++i) {
        leaves_.push_back(
            Account::open(std::string(label) + "/branch", Limits{}, std::nullopt, problem));
      }
    }
  }

  // What an attempt that reserved `hold` may have used: at most that.
  static Charge at_most(const Amounts& hold, std::mt19937& random) {
    const auto part = [&](std::int64_t most) {
      return std::uniform_int_distribution<std::int64_t>(0, most)(random);
    };
    return {part(hold[0]), part(hold[1]), hold[3] > 0 ? 1 : 0, part(hold[4])};
  }

  static void note(Amounts& books, const Charge& charge) {
    books[0] += charge.prompt_tokens;
    books[1] += charge.completion_tokens;
    books[2] += charge.prompt_tokens + charge.completion_tokens;
    books[3] += charge.requests;
    books[4] += charge.picodollars;
  }

  void work(unsigned seed, Books& books) {
    std::mt19937 random(seed);
    const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
    std::vector<std::pair<std::size_t, Hold>> open;
    std::shared_ptr<Account> keeping;
    for (int i = 0; i < rounds; ++i) {
      const int action = below(10);
      if (action < 5 || open.empty()) {
        const auto leaf = static_cast<std::size_t>(below(leaves));
        const std::int64_t prompt = below(60);
        const std::int64_t completion = below(200);
        const Amounts amounts = {prompt, completion, prompt + completion, 1, below(2000)};
        auto account = leaves_[leaf];
        if (below(4) == 0) {
          keeping = Account::open("finish", Limits{}, std::nullopt, leaves_[leaf]);
          keeping->keep(amounts);
          if (below(2) == 0) account = keeping;
        }
        auto answer = account->reserve(amounts, 0);
        if (auto* hold = std::get_if<Hold>(&answer)) {
          open.emplace_back(leaf, std::move(*hold));
          ++books.granted;
        } else {
          ++books.refused;
        }
        continue;
      }
      const auto chosen = static_cast<std::size_t>(below(static_cast<int>(open.size())));
      auto& [leaf, hold] = open[chosen];
      const Charge actual = at_most(hold.held(), random);
      if (action == 5) {
        hold.settle(actual);
        note(books.spent[leaf], actual);
        continue;
      }
      if (action == 6) {
        hold.top_up(0);
        continue;
      }
      if (action < 9) {
        hold.commit(actual);
        note(books.spent[leaf], actual);
      } else if (action == 9 && below(2) == 0) {
        hold.release();
      }  // else it is dropped
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
  }

  static void expect_within_limits(const Account& account) {
    const Statistics state = account.statistics();
    for (std::size_t r = 0; r < resource_count; ++r) {
      ASSERT_GE(state.held[r], 0) << account.label();
      if (account.limits()[r]) {
        ASSERT_LE(state.spent[r] + state.held[r] + state.kept[r], *account.limits()[r])
            << account.label() << " " << r;
      }
    }
  }

  std::shared_ptr<Account> run_;
  std::vector<std::shared_ptr<Account>> inner_;
  std::vector<std::shared_ptr<Account>> leaves_;
};

TEST_P(Interleavings, NeverExceedALimitAndBalanceToZeroHeld) {
  std::vector<Books> books(threads);
  std::atomic<int> running = threads;
  std::vector<std::thread> workers;
  for (unsigned t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      work(GetParam() * 1000 + t, books[t]);
      --running;
    });
  }
  while (running > 0) {
    expect_within_limits(*run_);
    for (const auto& problem : inner_) expect_within_limits(*problem);
  }
  for (auto& worker : workers) worker.join();

  Amounts everything{};
  int refusals = 0;
  for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
    Amounts expected{};
    for (const Books& book : books) {
      for (std::size_t r = 0; r < resource_count; ++r) expected[r] += book.spent[leaf][r];
    }
    const Statistics state = leaves_[leaf]->statistics();
    EXPECT_EQ(state.spent, expected);
    EXPECT_EQ(state.held, Amounts{});
    EXPECT_EQ(state.kept, Amounts{});
    for (std::size_t r = 0; r < resource_count; ++r) everything[r] += expected[r];
  }
  for (const Books& book : books) refusals += book.refused;
  const Statistics state = run_->statistics();
  EXPECT_EQ(state.spent, everything);
  EXPECT_EQ(state.held, Amounts{});
  EXPECT_EQ(state.kept, Amounts{});
  EXPECT_EQ(state.holds, 0);
  EXPECT_EQ(state.overruns, 0);
  EXPECT_GT(refusals, 0) << "the limits were never reached: the test shows nothing";
  for (const auto& problem : inner_) EXPECT_EQ(problem->statistics().held, Amounts{});
}

INSTANTIATE_TEST_SUITE_P(Seeds, Interleavings, testing::Range(0U, 8U));

TEST(Ledger, OneHoldEndedByManyThreadsEndsOnce) {
  for (int round = 0; round < 200; ++round) {
    const auto run = Account::open("run", total(100), std::nullopt);
    auto hold = granted(run->reserve(tokens(60), 0));
    std::atomic<int> committed = 0;
    std::vector<std::thread> workers;
    for (int t = 0; t < 3; ++t) {
      workers.emplace_back([&] {
        try {
          hold.commit(used(10));
          ++committed;
        } catch (const std::logic_error&) {
        }
      });
    }
    for (auto& worker : workers) worker.join();
    EXPECT_EQ(committed, 1);
    EXPECT_EQ(spent(run), 10);
    EXPECT_EQ(held(run), 0);
  }
}

}  // namespace
}  // namespace orchestrator
