// The word that is the breaker's state: what it does, how often it opened in a row, and since or until when.
//
// A whole word names an era. Every transition is one compare-and-swap to a word whose counter is one higher, so an era
// begins once, ends once, and what was decided in it can be told from what was decided in any other. Layout: state 3
// bits, trips 5, counter 8, time 48 in units of 1024 ns. Zeroed memory is a closed breaker.
#pragma once

#include <algorithm>
#include <cstdint>

#include "seawall/breaker/config.hpp"

namespace seawall::breaker {

enum class State : std::uint64_t { closed, open, half_open, recovering, forced_open, disabled, metrics_only };

inline constexpr int kUnitBits = 10;
inline constexpr int kTimeBits = 48;
inline constexpr int kCounterBits = 8;
inline constexpr int kTripsBits = 5;
inline constexpr std::uint64_t kLastUnit = (std::uint64_t{1} << kTimeBits) - 1;
inline constexpr std::uint64_t kMostTrips = (std::uint64_t{1} << kTripsBits) - 1;

// Units that have passed at `now`; the unit that begins at or after `now`.
constexpr std::uint64_t units(Ns now) noexcept {
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(std::max<Ns>(now, 0)) >> kUnitBits, kLastUnit);
}
constexpr std::uint64_t units_up(Ns now) noexcept {
  constexpr Ns kUnit = Ns{1} << kUnitBits;
  return units(now > kNever - kUnit ? now : now + kUnit - 1);
}
constexpr Ns ns_of(std::uint64_t units) noexcept { return static_cast<Ns>(units << kUnitBits); }

// `span` after `now`, without wrapping.
constexpr Ns after(Ns now, std::uint64_t span) noexcept {
  return now > 0 && span > static_cast<std::uint64_t>(kNever - now) ? kNever : now + static_cast<Ns>(span);
}

constexpr State state_of(std::uint64_t era) noexcept {
  return static_cast<State>(era >> (kTimeBits + kCounterBits + kTripsBits));
}
constexpr std::uint64_t trips_of(std::uint64_t era) noexcept { return era >> (kTimeBits + kCounterBits) & kMostTrips; }
constexpr std::uint64_t counter_of(std::uint64_t era) noexcept { return era >> kTimeBits & 0xff; }
constexpr std::uint64_t units_of(std::uint64_t era) noexcept { return era & kLastUnit; }
// When an open era ends (rounded up), and since when any other has lasted (rounded down).
constexpr Ns time_of(std::uint64_t era) noexcept { return ns_of(units_of(era)); }

// The era that follows `era`.
constexpr std::uint64_t successor(std::uint64_t era, State state, std::uint64_t trips, std::uint64_t units) noexcept {
  return static_cast<std::uint64_t>(state) << (kTimeBits + kCounterBits + kTripsBits) |
         std::min(trips, kMostTrips) << (kTimeBits + kCounterBits) | ((counter_of(era) + 1) & 0xff) << kTimeBits |
         units;
}

// A multiplicative hash whose upper half every bit of the era reaches.
constexpr std::uint64_t mixed(std::uint64_t era) noexcept { return (era ^ era >> 29) * 0x9e3779b97f4a7c15u; }

// Tags tell the words of one era from those of all others. The short ones begin with the counter, so that 255 eras in a
// row differ for certain. None is zero: zeroed memory belongs to no era.
constexpr std::uint64_t tag32(std::uint64_t mix) noexcept { return std::max<std::uint64_t>(mix >> 32, 1); }
template <int Bits>
constexpr std::uint64_t short_tag(std::uint64_t era) noexcept {
  const std::uint64_t tag = counter_of(era) << (Bits - kCounterBits) | mixed(era) >> (64 - Bits + kCounterBits);
  return std::max<std::uint64_t>(tag, 1);
}

// One who writes the words of an era.
struct Era {
  const Word& state;
  std::uint64_t word;
  std::uint64_t tag;

  // acquire: what the successor's writers had seen is seen by whoever finds their words.
  bool in_force() const noexcept { return state.load(std::memory_order_acquire) == word; }
};

// Replaces `word` by `next(word)` unless the era has ended; true when it had not. A writer that was held up can so
// never write over a later era: having read a later era's word it also sees that its own has ended, and having read an
// older one its compare-and-swap fails.
template <class Next>
bool update(const Era& era, Word& word, Next&& next) noexcept {
  // acquire: the look at the era comes after, and is at least as new as that of the writer of this word.
  std::uint64_t seen = word.load(std::memory_order_acquire);
  for (;;) {
    if (!era.in_force()) {
      return false;
    }
    const std::uint64_t wanted = next(seen);
    // release: see the load. acquire: a failed attempt is a new load.
    if (wanted == seen ||
        word.compare_exchange_weak(seen, wanted, std::memory_order_acq_rel, std::memory_order_acquire)) {
      return true;
    }
  }
}

}  // namespace seawall::breaker
