// How traffic comes back after the probes: a share of the calls that grows with time or with each success.
//
// Guarantees: of any k calls in a row the ramp admits the sum of their shares, within one call, in the same even spread
// every time. Mechanism: an accumulator sums the shares; a call that carries it past a whole number is admitted.
// Progress: admission is wait-free, answers are lock-free. Cost: one fetch_add a call.
#pragma once

#include <algorithm>
#include <cstdint>

#include "seawall/breaker/era.hpp"

namespace seawall::breaker {

struct Ramp {
  Word sum{0};       // of shares; what an earlier era left is a phase, less than one call
  Word origin{0};    // kTimeRamp: 16 bits of tag, 48 of the time since which there is progress
  Word progress{0};  // kAdditiveRamp: 32 bits of tag, 32 of progress

  // In fixed point, 0 to kOne.
  std::uint64_t progress_at(std::uint64_t era, const BreakerConfig& c, Ns now) const noexcept {
    // acquire, here and below: as in update.
    switch (c.ramp) {
      case kTimeRamp:
        return by_time(c, ns_of(origin_in(era, origin.load(std::memory_order_acquire))), now);
      case kAdditiveRamp:
        return by_success(era, progress.load(std::memory_order_acquire));
    }
    return kOne;
  }

  std::uint64_t share_at(std::uint64_t era, const BreakerConfig& c, Ns now) const noexcept {
    return c.ramp_start + times(kOne - c.ramp_start, progress_at(era, c, now));
  }

  bool admit(std::uint64_t share) noexcept {
    // relaxed: each call needs a sum of its own, and nothing else hangs on it.
    const std::uint64_t before = sum.fetch_add(share, std::memory_order_relaxed);
    return (before & (kOne - 1)) + share >= kOne;
  }

  void advance(const Era& era, const BreakerConfig& c) noexcept {
    if (c.ramp == kAdditiveRamp) {
      update(era, progress,
             [&](std::uint64_t seen) { return pack_progress(era.word, by_success(era.word, seen) + c.ramp_step); });
    }
  }

  // Leaves `ramp_backoff` of the progress.
  void set_back(const Era& era, const BreakerConfig& c, Ns now) noexcept {
    if (c.ramp == kAdditiveRamp) {
      update(era, progress, [&](std::uint64_t seen) {
        return pack_progress(era.word, times(by_success(era.word, seen), c.ramp_backoff));
      });
    } else if (c.ramp == kTimeRamp) {
      update(era, origin, [&](std::uint64_t seen) {
        const std::uint64_t from = origin_in(era.word, seen);
        const std::uint64_t left = times(by_time(c, ns_of(from), now), c.ramp_backoff);
        const Ns worth = static_cast<Ns>(times(c.ramp_ns, left));
        return short_tag<kTagBits>(era.word) << kTimeBits | std::max(from, units_up(std::max<Ns>(now, 0) - worth));
      });
    }
  }

 private:
  static constexpr int kTagBits = 16;

  static std::uint64_t times(std::uint64_t value, std::uint64_t share) noexcept {
    return static_cast<std::uint64_t>(Wide{value} * share >> 32);
  }

  // Never before the era began, whatever an older era left.
  static std::uint64_t origin_in(std::uint64_t era, std::uint64_t seen) noexcept {
    const bool own = seen >> kTimeBits == short_tag<kTagBits>(era);
    return own ? std::max(units_of(seen), units_of(era)) : units_of(era);
  }

  static std::uint64_t by_time(const BreakerConfig& c, Ns from, Ns now) noexcept {
    const std::uint64_t passed = now > from ? static_cast<std::uint64_t>(now - from) : 0;
    return passed >= c.ramp_ns ? kOne : static_cast<std::uint64_t>((Wide{passed} << 32) / c.ramp_ns);
  }

  // 32 bits hold all but kOne itself, which the last of them stands for.
  static std::uint64_t by_success(std::uint64_t era, std::uint64_t seen) noexcept {
    const std::uint64_t value = seen >> 32 == tag32(mixed(era)) ? seen & (kOne - 1) : 0;
    return value == kOne - 1 ? kOne : value;
  }
  static std::uint64_t pack_progress(std::uint64_t era, std::uint64_t value) noexcept {
    return tag32(mixed(era)) << 32 | std::min(value, kOne - 1);
  }
};

}  // namespace seawall::breaker
