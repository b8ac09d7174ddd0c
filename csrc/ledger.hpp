// Budget accounting: a tree of accounts (run > problem > branch) with limits that no interleaving
// of reservations can exceed.
//
// Every account keeps, per resource, what is held by calls in flight and what has been spent. A
// reservation is granted on the account and all its ancestors, or on none.
//
// Amounts can be kept for an account, so that what it may need later is still there: to everyone
// else they are as good as spent (nobody waits for them), while the account and those below it may
// use them. Their calls use what is kept first, so that nothing counts both as kept and as held or
// spent, and what a call gives back is kept again.
//
// Concurrency. One mutex per tree guards the figures of all its accounts, and every operation is
// one critical section of a few dozen additions. Uncontended, that costs one compare-and-swap to
// enter and one store to leave, as cheap as the per-account compare-and-swap loops it replaces;
// those would have to add to a child before asking its parent and take it back on refusal, and in
// between refuse others who fit. Here every operation is atomic on the whole chain, so operations
// are linearizable and a refusal is always true at the moment it is made.
//
// Arithmetic is on int64. A reservation whose sums would not fit is refused with
// std::invalid_argument; what was really used has to be recorded whatever it is, so spending
// saturates at the largest int64 instead.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

namespace orchestrator {

enum class Resource : std::uint8_t {
  prompt_tokens,
  completion_tokens,
  total_tokens,
  requests,
  picodollars,  // 1e-12 US dollars
};
inline constexpr std::size_t resource_count = 5;

// The name a resource has in messages.
const char* name_of(Resource resource);

// One number per resource, indexed by Resource.
using Amounts = std::array<std::int64_t, resource_count>;

// One limit per resource; nullopt means unlimited.
using Limits = std::array<std::optional<std::int64_t>, resource_count>;

// What calls really used: the resources (total tokens follow from the parts) and counters that are
// recorded without a limit.
struct Charge {
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t requests = 0;
  std::int64_t picodollars = 0;
  std::int64_t cached_tokens = 0;
  std::int64_t reasoning_tokens = 0;
  std::int64_t microseconds = 0;
  bool estimated = false;
};

// Why a reservation was not granted. The most lasting reason is given: a deadline before a shortage
// that stays, and that before one that passes; within each, the account nearest to the one asked.
struct Refusal {
  std::size_t height;                // steps from the account asked up to the one that refused
  std::string account;               // that account's label
  std::optional<Resource> resource;  // nullopt: its deadline has passed
  std::int64_t requested;            // by the whole hold, also when it is being topped up
  std::int64_t remaining;            // limit - spent - kept for others; negative after an overrun
  bool in_flight;                    // it would fit on every account if nothing else were held
};

// Per resource the least over an account and its ancestors; nullopt where none of them limits it.
// What is kept for others is not there; what is kept for the account and those above it is.
struct Headroom {
  Limits alone;  // limit - spent - kept: what would fit with nothing else in flight
  Limits free;   // limit - spent - kept - held: what fits now
};

// One account's figures at one instant.
struct Statistics {
  Amounts spent{};
  Amounts held{};
  Amounts kept{};     // for this account and those below, beyond what they hold
  Amounts overrun{};  // charged beyond what was held for it
  std::int64_t cached_tokens = 0;
  std::int64_t reasoning_tokens = 0;
  std::int64_t microseconds = 0;
  std::int64_t estimated = 0;  // charges that were marked as estimated
  std::int64_t holds = 0;      // holds open on this account and below
  std::int64_t overruns = 0;   // charges that exceeded their hold in some resource
  std::int64_t refusals = 0;   // attempts this account turned down
};

class Hold;

class Account : public std::enable_shared_from_this<Account> {
  struct Key {};  // only `open` makes accounts

 public:
  // A root, or a child of `parent`, which it keeps alive (the parent does not know its children).
  // `deadline` is in nanoseconds of the clock that `now` is read from.
  // Throws std::invalid_argument for a negative limit.
  static std::shared_ptr<Account> open(std::string label, const Limits& limits,
                                       std::optional<std::int64_t> deadline,
                                       std::shared_ptr<Account> parent = nullptr);

  Account(Key, std::string label, const Limits& limits, std::optional<std::int64_t> deadline,
          std::shared_ptr<Account> parent);
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;
  ~Account();  // gives up what is kept

  // Keeps `amounts` for this account and those below it, beyond what is kept for it already, or as
  // much as is free here and on every ancestor now; returns what it kept.
  // Throws std::invalid_argument for a negative amount.
  Amounts keep(const Amounts& amounts);

  // Leaves to all what is kept for this account.
  void give_up();

  // Steps up to the nearest account for which `amounts` are kept; nullopt where there is none. Held
  // by an account below it, they take nothing from those further up.
  std::optional<std::size_t> covering(const Amounts& amounts) const;

  // Sets `amounts` aside here and on every ancestor, or changes nothing and says why.
  // Throws std::invalid_argument for a negative amount, or one whose sum with what is held
  // overflows.
  std::variant<Hold, Refusal> reserve(const Amounts& amounts, std::int64_t now);

  // Records spending that no hold was made for, here and on the ancestors up to but excluding
  // `below` (nullptr: all of them). Throws std::invalid_argument for a negative number, or when
  // `below` is neither this account nor above it.
  void charge(const Charge& actual, const Account* below = nullptr);

  Headroom headroom() const;
  Statistics statistics() const;

  const std::string& label() const { return label_; }
  const Limits& limits() const { return limits_; }

  // The earliest deadline here and above, or nullopt.
  std::optional<std::int64_t> deadline() const { return earliest_; }

 private:
  friend class Hold;

  // All below need the tree's lock. `own` is what the asker holds already and would keep.
  std::optional<Refusal> try_hold(const Amounts& amounts, const Amounts& own, std::int64_t now);
  std::int64_t remaining(std::size_t r, std::int64_t own_kept) const;  // where `r` is limited
  Refusal refuse(Refusal refusal);
  void add_spent(const Charge& actual, const Amounts& amounts);
  void update_kept();

  const std::string label_;
  const Limits limits_;
  const std::optional<std::int64_t> deadline_;
  const std::shared_ptr<Account> parent_;
  const std::shared_ptr<std::mutex> mutex_;  // one for the whole tree
  const std::optional<std::int64_t> earliest_;
  Statistics state_;
  bool keeps_ = false;
  Amounts ceiling_{};  // spent + held + kept below that it is kept for up to
  Amounts unused_{};   // the part of `state_.kept` that is kept for this account itself
};

// An amount set aside, until it is committed, released or destroyed. Movable; safe to use from
// several threads, except to move or destroy it while another uses it.
class Hold {
 public:
  Hold(Hold&& other) noexcept;
  Hold& operator=(Hold&& other) noexcept;
  ~Hold();

  // Charges `actual` and ends the hold. A call that was made is at least the requests held for it:
  // `actual.requests` of 0 stands for those. More than was held is charged too, and recorded as
  // overrun. Throws std::logic_error when the hold has ended, std::invalid_argument for a negative
  // number; either way nothing changes.
  void commit(const Charge& actual);

  // Gives back what is held; does nothing when the hold has ended.
  void release() noexcept;

  // Charges `actual` for an attempt that failed and keeps holding the rest (per resource, at least
  // 0). Throws like `commit`.
  void settle(const Charge& actual);

  // Tries to hold the full amount again; refused, it keeps what it has.
  // Throws std::logic_error when the hold has ended.
  std::optional<Refusal> top_up(std::int64_t now);

  // What was asked for, and what is held of it now (zeros once ended).
  const Amounts& worst_case() const { return worst_; }
  Amounts held() const;
  bool open() const;

 private:
  friend class Account;
  Hold(std::shared_ptr<Account> account, const Amounts& amounts);

  // All below need the tree's lock.
  void require_open(const char* action) const;
  void spend(const Charge& actual);
  void close();

  std::shared_ptr<Account> account_;  // null once moved from
  Amounts worst_{};
  Amounts held_{};
  bool open_ = false;
};

}  // namespace orchestrator
