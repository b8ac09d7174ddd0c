#include "ledger.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace orchestrator {
namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();

// For numbers that are not negative.
std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? largest : sum;
}

// For b that is not negative.
std::int64_t saturating_subtract(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  return __builtin_sub_overflow(a, b, &difference) ? smallest : difference;
}

void require_not_negative(std::int64_t value, const char* name) {
  if (value < 0) {
    throw std::invalid_argument(std::string(name) + " must be at least 0, got " +
                                std::to_string(value));
  }
}

void require_valid(const Amounts& amounts) {
  for (std::size_t r = 0; r < resource_count; ++r) {
    require_not_negative(amounts[r], name_of(static_cast<Resource>(r)));
  }
}

void require_valid(const Charge& actual) {
  require_not_negative(actual.prompt_tokens, "prompt_tokens");
  require_not_negative(actual.completion_tokens, "completion_tokens");
  require_not_negative(actual.requests, "requests");
  require_not_negative(actual.picodollars, "picodollars");
  require_not_negative(actual.cached_tokens, "cached_tokens");
  require_not_negative(actual.reasoning_tokens, "reasoning_tokens");
  require_not_negative(actual.microseconds, "microseconds");
}

Amounts amounts_of(const Charge& actual) {
  return {actual.prompt_tokens, actual.completion_tokens,
          saturating_add(actual.prompt_tokens, actual.completion_tokens), actual.requests,
          actual.picodollars};
}

std::optional<std::int64_t> earlier(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
  if (a && b) return std::min(*a, *b);
  return a ? a : b;
}

void lower(std::optional<std::int64_t>& least, std::int64_t value) {
  if (!least || value < *least) least = value;
}

}  // namespace

const char* name_of(Resource resource) {
  constexpr std::array<const char*, resource_count> names = {
      "prompt_tokens", "completion_tokens", "total_tokens", "requests", "picodollars"};
  return names[static_cast<std::size_t>(resource)];
}

// ----------------------------------------------------------------------------------------------
// Account

std::shared_ptr<Account> Account::open(std::string label, const Limits& limits,
                                       std::optional<std::int64_t> deadline,
                                       std::shared_ptr<Account> parent) {
  for (std::size_t r = 0; r < resource_count; ++r) {
    if (limits[r]) require_not_negative(*limits[r], name_of(static_cast<Resource>(r)));
  }
  return std::make_shared<Account>(Key{}, std::move(label), limits, deadline, std::move(parent));
}

Account::Account(Key, std::string label, const Limits& limits, std::optional<std::int64_t> deadline,
                 std::shared_ptr<Account> parent)
    : label_(std::move(label)),
      limits_(limits),
      deadline_(deadline),
      parent_(std::move(parent)),
      mutex_(parent_ ? parent_->mutex_ : std::make_shared<std::mutex>()),
      earliest_(parent_ ? earlier(deadline, parent_->earliest_) : deadline) {}

// Nobody is left below: children and holds keep their account alive.
Account::~Account() {
  if (keeps_) give_up();
}

Amounts Account::keep(const Amounts& amounts) {
  require_valid(amounts);
  Amounts kept = amounts;
  const std::lock_guard lock(*mutex_);
  Amounts own{};
  for (const Account* account = this; account; account = account->parent_.get()) {
    const Statistics& state = account->state_;
    for (std::size_t r = 0; r < resource_count; ++r) {
      // What it keeps already is not free to be kept once more; what those above keep is for it.
      if (account != this) own[r] += account->unused_[r];
      std::int64_t free = account->limits_[r].value_or(largest);
      for (const std::int64_t gone : {state.spent[r], state.held[r], state.kept[r] - own[r]}) {
        free = saturating_subtract(free, gone);
      }
      kept[r] = std::min(kept[r], std::max<std::int64_t>(0, free));
    }
  }
  keeps_ = true;
  for (std::size_t r = 0; r < resource_count; ++r) {
    // Where something was kept it fits, as that was free; where not, it must not be more than now.
    ceiling_[r] = saturating_add(saturating_add(state_.spent[r], state_.held[r]),
                                 saturating_add(state_.kept[r], kept[r]));
  }
  update_kept();
  return kept;
}

void Account::give_up() {
  const std::lock_guard lock(*mutex_);
  ceiling_.fill(0);
  update_kept();
  keeps_ = false;
}

std::optional<std::size_t> Account::covering(const Amounts& amounts) const {
  const std::lock_guard lock(*mutex_);
  std::size_t height = 0;
  for (const Account* account = this; account; account = account->parent_.get(), ++height) {
    bool covered = account->keeps_ && amounts != Amounts{};
    for (std::size_t r = 0; r < resource_count; ++r) {
      covered = covered && amounts[r] <= account->unused_[r];
    }
    if (covered) return height;
  }
  return std::nullopt;
}

// Brings what is kept here and above in line with what is spent, held, and kept below: that much of
// it is in use.
void Account::update_kept() {
  Account* account = this;
  while (account && !account->keeps_) account = account->parent_.get();  // mostly all the way
  Amounts change{};
  for (; account; account = account->parent_.get()) {
    Statistics& state = account->state_;
    for (std::size_t r = 0; r < resource_count; ++r) {
      const std::int64_t below = state.kept[r] - account->unused_[r] + change[r];
      const std::int64_t before = account->unused_[r];
      if (account->keeps_) {
        std::int64_t unused = account->ceiling_[r];
        for (const std::int64_t use : {state.spent[r], state.held[r], below}) {
          unused = saturating_subtract(unused, use);
        }
        account->unused_[r] = std::max<std::int64_t>(0, unused);
      }
      state.kept[r] = below + account->unused_[r];
      change[r] += account->unused_[r] - before;
    }
  }
}

std::variant<Hold, Refusal> Account::reserve(const Amounts& amounts, std::int64_t now) {
  require_valid(amounts);
  {
    const std::lock_guard lock(*mutex_);
    if (auto refusal = try_hold(amounts, Amounts{}, now)) return std::move(*refusal);
    for (Account* account = this; account; account = account->parent_.get())
      ++account->state_.holds;
  }
  return Hold(shared_from_this(), amounts);
}

// First the deadline, then every limit on the way up, and only then the additions: a refusal or an
// exception leaves everything as it was.
std::optional<Refusal> Account::try_hold(const Amounts& amounts, const Amounts& own,
                                         std::int64_t now) {
  if (earliest_ && now >= *earliest_) {
    std::size_t height = 0;
    Account* account = this;
    while (!account->deadline_ || now < *account->deadline_) {
      account = account->parent_.get();
      ++height;
    }
    return account->refuse({height, account->label_, std::nullopt, 0, 0, false});
  }
  Account* busy = nullptr;  // the nearest that would have room were nothing in flight
  Refusal passing{};
  std::size_t height = 0;
  Amounts own_kept{};  // for the accounts on the way up so far
  for (Account* account = this; account; account = account->parent_.get(), ++height) {
    const Statistics& state = account->state_;
    for (std::size_t r = 0; r < resource_count; ++r) {
      std::int64_t held = 0;
      if (__builtin_add_overflow(state.held[r], amounts[r], &held)) {
        throw std::invalid_argument(
            std::string(name_of(static_cast<Resource>(r))) + ": " + std::to_string(amounts[r]) +
            " more than the " + std::to_string(state.held[r]) + " held do not fit into 64 bits");
      }
      own_kept[r] += account->unused_[r];
      if (!account->limits_[r]) continue;
      const std::int64_t remaining = account->remaining(r, own_kept[r]);
      if (held <= remaining) continue;
      const std::int64_t whole = own[r] + amounts[r];
      Refusal refusal = {height, account->label_, static_cast<Resource>(r),
                         whole,  remaining,       whole <= remaining};
      if (!refusal.in_flight) return account->refuse(std::move(refusal));
      if (!busy) {
        busy = account;
        passing = std::move(refusal);
      }
    }
  }
  if (busy) return busy->refuse(std::move(passing));
  for (Account* account = this; account; account = account->parent_.get()) {
    for (std::size_t r = 0; r < resource_count; ++r) account->state_.held[r] += amounts[r];
  }
  update_kept();
  return std::nullopt;
}

// Neither subtraction overflows but the last: limits and spending are not negative.
std::int64_t Account::remaining(std::size_t r, std::int64_t own_kept) const {
  return saturating_subtract(*limits_[r] - state_.spent[r], state_.kept[r] - own_kept);
}

Refusal Account::refuse(Refusal refusal) {
  ++state_.refusals;
  return refusal;
}

void Account::charge(const Charge& actual, const Account* below) {
  require_valid(actual);
  const Amounts amounts = amounts_of(actual);
  const Account* last = this;
  while (last && last != below) last = last->parent_.get();
  if (last != below) {
    throw std::invalid_argument("cannot charge " + label_ + " below " + below->label_ +
                                ", which is not above it");
  }
  const std::lock_guard lock(*mutex_);
  for (Account* account = this; account != below; account = account->parent_.get()) {
    account->add_spent(actual, amounts);
  }
  update_kept();
}

void Account::add_spent(const Charge& actual, const Amounts& amounts) {
  for (std::size_t r = 0; r < resource_count; ++r) {
    state_.spent[r] = saturating_add(state_.spent[r], amounts[r]);
  }
  state_.cached_tokens = saturating_add(state_.cached_tokens, actual.cached_tokens);
  state_.reasoning_tokens = saturating_add(state_.reasoning_tokens, actual.reasoning_tokens);
  state_.microseconds = saturating_add(state_.microseconds, actual.microseconds);
  state_.estimated += actual.estimated ? 1 : 0;
}

Headroom Account::headroom() const {
  Headroom headroom;
  Amounts own_kept{};
  const std::lock_guard lock(*mutex_);
  for (const Account* account = this; account; account = account->parent_.get()) {
    for (std::size_t r = 0; r < resource_count; ++r) {
      own_kept[r] += account->unused_[r];
      if (!account->limits_[r]) continue;
      const std::int64_t remaining = account->remaining(r, own_kept[r]);
      lower(headroom.alone[r], remaining);
      lower(headroom.free[r], saturating_subtract(remaining, account->state_.held[r]));
    }
  }
  return headroom;
}

Statistics Account::statistics() const {
  const std::lock_guard lock(*mutex_);
  return state_;
}

// -------------------------------------------------------------------------------------------------
// Hold

Hold::Hold(std::shared_ptr<Account> account, const Amounts& amounts)
    : account_(std::move(account)), worst_(amounts), held_(amounts), open_(true) {}

Hold::Hold(Hold&& other) noexcept
    : account_(std::move(other.account_)),
      worst_(other.worst_),
      held_(other.held_),
      open_(std::exchange(other.open_, false)) {}

Hold& Hold::operator=(Hold&& other) noexcept {
  if (this != &other) {
    release();
    account_ = std::move(other.account_);
    worst_ = other.worst_;
    held_ = other.held_;
    open_ = std::exchange(other.open_, false);
  }
  return *this;
}

// Nobody else may use a hold that is destroyed, so whether it has ended can be read without the
// lock.
Hold::~Hold() {
  if (open_) release();
}

void Hold::require_open(const char* action) const {
  if (!open_) throw std::logic_error(std::string("cannot ") + action + " a hold that has ended");
}

void Hold::commit(const Charge& actual) {
  require_valid(actual);
  if (!account_) throw std::logic_error("cannot commit a hold that has ended");
  const std::lock_guard lock(*account_->mutex_);
  require_open("commit");
  Charge charge = actual;
  if (charge.requests == 0) charge.requests = held_[static_cast<std::size_t>(Resource::requests)];
  spend(charge);
  close();
}

void Hold::settle(const Charge& actual) {
  require_valid(actual);
  if (!account_) throw std::logic_error("cannot settle a hold that has ended");
  const std::lock_guard lock(*account_->mutex_);
  require_open("settle");
  spend(actual);
}

// Turns held into spent; what was not held is overrun.
void Hold::spend(const Charge& actual) {
  const Amounts amounts = amounts_of(actual);
  Amounts covered{};
  bool over = false;
  for (std::size_t r = 0; r < resource_count; ++r) {
    covered[r] = std::min(held_[r], amounts[r]);
    over = over || amounts[r] > held_[r];
    held_[r] -= covered[r];
  }
  for (Account* account = account_.get(); account; account = account->parent_.get()) {
    Statistics& state = account->state_;
    for (std::size_t r = 0; r < resource_count; ++r) {
      state.held[r] -= covered[r];
      state.overrun[r] = saturating_add(state.overrun[r], amounts[r] - covered[r]);
    }
    state.overruns += over ? 1 : 0;
    account->add_spent(actual, amounts);
  }
  account_->update_kept();
}

void Hold::release() noexcept {
  if (!account_) return;
  const std::lock_guard lock(*account_->mutex_);
  if (open_) close();
}

void Hold::close() {
  for (Account* account = account_.get(); account; account = account->parent_.get()) {
    for (std::size_t r = 0; r < resource_count; ++r) account->state_.held[r] -= held_[r];
    --account->state_.holds;
  }
  account_->update_kept();
  held_.fill(0);
  open_ = false;
}

std::optional<Refusal> Hold::top_up(std::int64_t now) {
  if (!account_) throw std::logic_error("cannot top up a hold that has ended");
  const std::lock_guard lock(*account_->mutex_);
  require_open("top up");
  Amounts missing{};
  for (std::size_t r = 0; r < resource_count; ++r) missing[r] = worst_[r] - held_[r];
  auto refusal = account_->try_hold(missing, held_, now);
  if (!refusal) held_ = worst_;
  return refusal;
}

Amounts Hold::held() const {
  if (!account_) return {};
  const std::lock_guard lock(*account_->mutex_);
  return held_;
}

bool Hold::open() const {
  if (!account_) return false;
  const std::lock_guard lock(*account_->mutex_);
  return open_;
}

}  // namespace orchestrator
