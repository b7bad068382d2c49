// Unix time at the cost of the counter clock.
//
// Guarantees: within some microseconds of CLOCK_REALTIME; a step of the machine's wall clock is seen after a
// millisecond at most. It may go back: whoever needs more keeps it. Mechanism: the counter clock and its distance from
// CLOCK_REALTIME, measured again every millisecond by whoever reads first. Where the processor's counter is not
// trusted, every reading is CLOCK_REALTIME. Progress: wait-free. Cost: about 10 ns.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <ctime>

#include "seawall/time/clock.hpp"
#include "seawall/time/counter.hpp"

namespace seawall::time {

inline std::int64_t realtime_ns() noexcept {
  std::timespec at;
  ::clock_gettime(CLOCK_REALTIME, &at);
  return static_cast<std::int64_t>(at.tv_sec) * 1'000'000'000 + at.tv_nsec;
}

class WallClock {
 public:
  explicit WallClock(CounterClock& counter) noexcept : counter_(counter) {}

  std::int64_t now_ns() noexcept {
    if (!counter_.trusted()) {
      return realtime_ns();
    }
    const std::int64_t steady = counter_.now_ns();
    // acquire: the distance that belongs to this end was written before it.
    if (steady < until_.load(std::memory_order_acquire)) [[likely]] {
      // relaxed: an older or newer distance is as good; each was measured within its millisecond.
      return steady + distance_.load(std::memory_order_relaxed);
    }
    return measure(steady);
  }

 private:
  static constexpr std::int64_t kServesNs = 1'000'000;

  std::int64_t measure(std::int64_t steady) noexcept {
    const std::int64_t wall = realtime_ns();
    distance_.store(wall - steady, std::memory_order_relaxed);    // relaxed: published by the next line
    until_.store(steady + kServesNs, std::memory_order_release);  // release: the distance is there
    return wall;
  }

  CounterClock& counter_;
  std::atomic<std::int64_t> distance_{0};
  std::atomic<std::int64_t> until_{INT64_MIN};
};

// Where wall time comes from: the hand where there is one, else the machine.
struct WallSource {
  const Hand* hand = nullptr;
  WallClock* wall = nullptr;
};

inline std::int64_t wall_ns(const WallSource& source) noexcept {
  // acquire: what a test wrote before it moved the hand is visible to whoever reads the new time.
  return source.hand == nullptr ? source.wall->now_ns() : source.hand->load(std::memory_order_acquire);
}

}  // namespace seawall::time
