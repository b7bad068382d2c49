// The clocks every kernel can be driven by: the machine's monotonic clock, and a hand that a test moves.
//
// Kernels never call these themselves: `now` is an argument (nanoseconds, std::int64_t). Bindings read a Clock once a
// call. Thread safety: all functions may be called from any thread. Cost: 10 or 23 ns for the machine (see
// counter.hpp), 1 for a hand.
#pragma once

#include <atomic>
#include <cstdint>

#include "seawall/time/counter.hpp"
#include "seawall/time/monotonic.hpp"

namespace seawall::time {

// The position of a manual clock, in nanoseconds. Whoever holds the address reads the same time.
using Hand = std::atomic<std::int64_t>;

// Where time comes from: the hand where there is one, else the process's counter clock.
struct Source {
  const Hand* hand = nullptr;
  CounterClock* counter = nullptr;
};

inline std::int64_t now_ns(const Source& source) noexcept {
  // acquire: what a test wrote before it moved the hand is visible to whoever reads the new time.
  return source.hand == nullptr ? source.counter->now_ns() : source.hand->load(std::memory_order_acquire);
}

}  // namespace seawall::time
