// What guards do around a call: the breaker's permit and answer, the budget's deposit, the gate of a bulkhead.
#pragma once

#include <new>

#include "operation.hpp"
#include "seawall/breaker/breaker.hpp"
#include "seawall/bulkhead/gate.hpp"
#include "seawall/retry/budget.hpp"

namespace seawall::instructions {

inline breaker::Breaker& closed(std::uint64_t window) {
  breaker::BreakerConfig c;
  c.window = window;
  if (!breaker::valid(c)) std::abort();
  auto* const made = new (zeroed(sizeof(breaker::Breaker))) breaker::Breaker;
  made->control.start(c);
  return *made;
}

// A call every millisecond that succeeds at once: a window of seconds rolls.
inline Operation success(std::uint64_t window) {
  return [&b = closed(window), now = breaker::Ns{0}](std::uint64_t n) mutable {
    const auto before = b.statistics.successes.load();
    bool right = true;
    for (std::uint64_t i = 0; i < n; ++i) {
      const auto entry = breaker::enter(b, now += 1'000'000);
      right &= entry.admitted && !breaker::settle(b, entry.permit, breaker::Outcome::success, now).wants_open;
    }
    return right && b.statistics.successes.load() - before == n;
  };
}

inline Operation breaker_refused() {
  auto& b = closed(breaker::kCalls);
  breaker::force(b, breaker::State::forced_open, 0);
  return [&b](std::uint64_t n) {
    bool right = true;
    for (; n != 0; --n) right &= !breaker::enter(b, 1).admitted;
    return right;
  };
}

inline Operation deposit() {
  auto* const budget = new (zeroed(sizeof(retry::RetryBudget))) retry::RetryBudget;
  retry::BudgetConfig c;
  c.reserve = 0;
  budget->control.start(c);
  return [budget, now = retry::Ns{0}](std::uint64_t n) mutable {
    for (; n != 0; --n) budget->deposit(now += 1'000'000);
    return budget->balance(now) >= 1'000;
  };
}

inline Operation place() {
  auto* const gate = new bulkhead::Gate(10);
  return [gate](std::uint64_t n) {
    bool right = true;
    for (; n != 0; --n) right &= gate->try_enter() && gate->try_leave() == bulkhead::Exit::left;
    return right && gate->in_flight() == 0;
  };
}

inline std::vector<Named> guard_operations() {
  return {{"breaker success, window of calls", success(breaker::kCalls)},
          {"breaker success, window of seconds", success(breaker::kSeconds)},
          {"breaker refused", breaker_refused()},
          {"budget deposit", deposit()},
          {"bulkhead place taken and left", place()}};
}

}  // namespace seawall::instructions
