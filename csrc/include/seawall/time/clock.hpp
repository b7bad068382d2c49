// The two clocks every kernel can be driven by: the machine's monotonic clock, and a hand that a test moves.
//
// Kernels never call these themselves: `now` is an argument (nanoseconds, std::int64_t). Bindings read a Clock once a
// call. Thread safety: all functions may be called from any thread. Cost: about 23 ns (vDSO) and 1 ns.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>

namespace seawall::time {

// Nanoseconds of CLOCK_MONOTONIC: common to all processes of a machine, never set back by the wall clock.
inline std::int64_t monotonic_ns() noexcept {
  std::timespec at;
  ::clock_gettime(CLOCK_MONOTONIC, &at);
  return static_cast<std::int64_t>(at.tv_sec) * 1'000'000'000 + at.tv_nsec;
}

// The position of a manual clock, in nanoseconds. Whoever holds the address reads the same time.
using Hand = std::atomic<std::int64_t>;

// Reads the hand where there is one, the machine where there is none.
inline std::int64_t now_ns(const Hand* hand) noexcept {
  // acquire: what a test wrote before it moved the hand is visible to whoever reads the new time.
  return hand == nullptr ? monotonic_ns() : hand->load(std::memory_order_acquire);
}

}  // namespace seawall::time
