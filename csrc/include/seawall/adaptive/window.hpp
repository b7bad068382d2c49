// Latencies of the calls that began under the limit in force, counted in buckets.
//
// Nothing is ever cleared: every word carries the number of the window it counts for, 32 bits of it, and means nothing
// in another. A latency is told to a sixteenth of its octave and interpolated within. Progress: lock-free. Cost: two or
// three compare-and-swaps a call. Guarantees: each call is counted once, in its own window or not at all.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "seawall/adaptive/config.hpp"
#include "seawall/histogram/layout.hpp"

namespace seawall::adaptive {

inline constexpr histogram::Layout kLayout = histogram::lay_out(1024, std::uint64_t{1} << 42, 1);

struct SampleWindow {
  Word samples{0}, dropped{0}, peak{0};
  Word buckets[kLayout.counts_len]{};

  // A call has ended well after `latency`. False: another window has begun.
  bool add(std::uint64_t number, Ns latency) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<Ns>(latency, 0));
    const std::uint64_t index = kLayout.index_of(std::min(ns, kLayout.highest));
    // The bucket first: who sees the sample counted finds it in its bucket.
    return count(buckets[index], number) && count(samples, number);
  }

  bool drop(std::uint64_t number) noexcept { return count(dropped, number); }

  void saw(std::uint64_t number, std::uint64_t in_flight) noexcept {
    // relaxed, here and below: a word says by its own number what it is worth.
    std::uint64_t seen = peak.load(std::memory_order_relaxed);
    while (of(number, seen) < in_flight && !newer(seen, number) &&
           !peak.compare_exchange_weak(seen, tagged(number) | in_flight, std::memory_order_relaxed)) {
    }
  }

  std::uint64_t ended(std::uint64_t number) const noexcept {
    // acquire: pairs with `count`, so that the buckets hold what is counted here.
    return of(number, samples.load(std::memory_order_acquire)) + of(number, dropped.load(std::memory_order_acquire));
  }

  // The latency that `share` of the samples do not exceed; 0 without samples.
  double quantile(std::uint64_t number, double share) const noexcept {
    std::uint64_t total = 0;
    for (const Word& bucket : buckets) {
      total += of(number, bucket.load(std::memory_order_relaxed));
    }
    const double rank = std::max(1.0, std::ceil(share * static_cast<double>(total)));
    double before = 0;
    for (std::uint64_t i = 0; i < kLayout.counts_len; ++i) {
      const double here = static_cast<double>(of(number, buckets[i].load(std::memory_order_relaxed)));
      if (here > 0 && before + here >= rank) {
        const double inside = (rank - before - 0.5) / here;
        return static_cast<double>(kLayout.lowest_of(i)) + static_cast<double>(kLayout.width_of(i)) * inside;
      }
      before += here;
    }
    return 0;
  }

  static std::uint64_t of(std::uint64_t number, std::uint64_t word) noexcept {
    return word >> 32 == tagged(number) >> 32 ? word & 0xffff'ffff : 0;
  }

 private:
  static std::uint64_t tagged(std::uint64_t number) noexcept { return number << 32; }
  static bool newer(std::uint64_t word, std::uint64_t number) noexcept {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(word >> 32) - static_cast<std::uint32_t>(number)) > 0;
  }

  static bool count(Word& word, std::uint64_t number) noexcept {
    std::uint64_t seen = word.load(std::memory_order_relaxed);
    do {
      if (newer(seen, number)) {
        return false;
      }
      // release: pairs with `ended`.
    } while (!word.compare_exchange_weak(seen, tagged(number) | (of(number, seen) + 1), std::memory_order_release,
                                         std::memory_order_relaxed));
    return true;
  }
};

}  // namespace seawall::adaptive
