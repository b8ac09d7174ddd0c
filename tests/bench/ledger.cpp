// Cost of reserve + commit on a chain of three accounts, without Python: `tests/bench/ledger.py`
// builds and runs this, and prints what it prints.

#include "ledger.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <variant>
#include <vector>

using orchestrator::Account;
using orchestrator::Hold;
using orchestrator::Limits;

namespace {

constexpr int rounds = 200'000;
constexpr int repeats = 7;

std::shared_ptr<Account> branch_of(const std::shared_ptr<Account>& run) {
  const Limits half = {1LL << 60, 1LL << 60, 1LL << 60, 1LL << 60, 1LL << 60};
  return Account::open("branch", half, std::nullopt,
                       Account::open("problem", half, std::nullopt, run));
}

void reserve_and_commit(const std::shared_ptr<Account>& account) {
  for (int i = 0; i < rounds; ++i) {
    std::get<Hold>(account->reserve({100, 200, 300, 1, 50'000}, i)).commit({100, 150, 1, 40'000});
  }
}

// Nanoseconds per pair and thread, the median of `repeats`.
double measure(int threads) {
  std::vector<double> times;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const Limits limits = {1LL << 61, 1LL << 61, 1LL << 61, 1LL << 61, 1LL << 61};
    const auto run = Account::open("run", limits, std::nullopt);
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i)
      workers.emplace_back([&] { reserve_and_commit(branch_of(run)); });
    for (auto& worker : workers) worker.join();
    const std::chrono::duration<double, std::nano> elapsed =
        std::chrono::steady_clock::now() - start;
    times.push_back(elapsed.count() / rounds);
  }
  std::sort(times.begin(), times.end());
  return times[repeats / 2];
}

}  // namespace

int main() {
  for (const int threads : {1, 2, 4}) {
    char name[64];
    std::snprintf(name, sizeof name, "C++ alone, %d thread%s", threads, threads == 1 ? "" : "s");
    std::printf("%-52s%9.1f ns per pair and thread\n", name, measure(threads));
  }
}
