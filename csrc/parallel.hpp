// The same work for every index, on several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace orchestrator {

// Calls `make_worker()` once on every thread and the worker it returns with each index below
// `count`, each index once, in no fixed order. `threads` 0: as many as the machine has. The calling
// thread is one of them. An exception ends the work early and is thrown again here.
template <typename MakeWorker>
void for_each_index(std::size_t count, std::size_t threads, MakeWorker make_worker) {
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  threads = std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(count, 1));
  std::atomic<std::size_t> next{0};
  std::mutex lock;
  std::exception_ptr failure;
  const auto run = [&] {
    try {
      auto worker = make_worker();
      for (std::size_t index = next++; index < count; index = next++) worker(index);
    } catch (...) {
      next = count;
      const std::scoped_lock held(lock);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back(run);
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace orchestrator
