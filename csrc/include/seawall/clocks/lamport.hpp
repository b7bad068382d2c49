// A counter that never runs behind what it has been told.
//
// Guarantees: every tick and every receive gives a value of its own, greater than all the clock gave or took before.
// Mechanism: one word; a tick adds one, a receive raises it above the remote value. A value that is too far ahead is
// refused, so that one broken peer cannot use the range up. Progress: lock-free, linearizable. Zeroed memory is a new
// clock. Cost: one compare-and-swap. Source: Lamport 1978, "Time, Clocks, and the Ordering of Events", rules IR1, IR2.
#pragma once

#include <algorithm>
#include <cstdint>

#include "seawall/memory/word.hpp"

namespace seawall::clocks {

using memory::Word;

inline constexpr std::uint64_t kLastTick = (std::uint64_t{1} << 63) - 1;

class alignas(64) Lamport {
 public:
  // The next value; 0 when the range is used up.
  std::uint64_t tick() noexcept { return rise(0); }

  // A value above `remote` and above all before. 0, and nothing changed, when the range is used up or when `remote` is
  // more than `most_ahead` above this clock.
  std::uint64_t receive(std::uint64_t remote, std::uint64_t most_ahead) noexcept {
    std::uint64_t seen = last_.load(std::memory_order_relaxed);  // relaxed: the clock only rises, later is nearer
    if (remote > seen && remote - seen > most_ahead) {
      return 0;
    }
    return rise(remote);
  }

  // acquire: what happened before the value was given happened before whoever reads it goes on.
  std::uint64_t value() const noexcept { return last_.load(std::memory_order_acquire); }

 private:
  std::uint64_t rise(std::uint64_t above) noexcept {
    std::uint64_t seen = last_.load(std::memory_order_relaxed);  // relaxed: the exchange below decides
    for (;;) {
      const std::uint64_t base = std::max(seen, above);
      if (base >= kLastTick) {
        return 0;
      }
      // acq_rel: values carry the order of events between threads, as between machines.
      if (last_.compare_exchange_weak(seen, base + 1, std::memory_order_acq_rel, std::memory_order_relaxed)) {
        return base + 1;
      }
    }
  }

  Word last_{0};
};

}  // namespace seawall::clocks
