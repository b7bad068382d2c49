// What people do to a breaker by hand, and what they see of it.
#pragma once

#include <cstdint>

#include "seawall/breaker/breaker.hpp"

namespace seawall::breaker {

// Puts the breaker into a state by hand: closed, forced_open, disabled or metrics_only; any other, and the one it is
// in, change nothing. Ends a series of trips.
inline Change force(Breaker& b, State state, Ns now) noexcept {
  const bool possible =
      state == State::closed || state == State::forced_open || state == State::disabled || state == State::metrics_only;
  for (;;) {
    const std::uint64_t from = b.state.load(std::memory_order_acquire);  // acquire: as in enter
    if (!possible || state_of(from) == state) {
      return {from, from};
    }
    const std::uint64_t to = successor(from, state, 0, units(now));
    if (detail::transit(b, from, to)) {
      return {from, to};
    }
  }
}

// As new: closed, nothing counted, statistics zero.
inline Change reset(Breaker& b, Ns now) noexcept {
  Change change;
  do {
    const std::uint64_t from = b.state.load(std::memory_order_acquire);  // acquire: as in enter
    change = {from, successor(from, State::closed, 0, units(now))};
  } while (!detail::transit(b, change.from, change.to));
  Statistics& s = b.statistics;
  for (Word* word : {&s.successes, &s.failures, &s.slow, &s.ignored, &s.refused, &s.late, &s.transitions, &s.lost}) {
    word->store(0, std::memory_order_relaxed);  // a statistic
  }
  return change;
}

// What the era in force has in its window.
inline Counts counts(const Breaker& b, Ns now) noexcept {
  BreakerConfig c;
  b.control.read(c);
  const std::uint64_t era = b.state.load(std::memory_order_acquire);  // acquire: as in enter
  return b.window.count(window_tag(era, c), c, now);
}

// The share of calls that would be admitted, in fixed point: none while open or half_open, all while closed.
inline std::uint64_t share(const Breaker& b, Ns now) noexcept {
  const std::uint64_t era = b.state.load(std::memory_order_acquire);  // acquire: as in enter
  switch (state_of(era)) {
    case State::open:
    case State::half_open:
    case State::forced_open:
      return 0;
    case State::recovering: {
      BreakerConfig c;
      b.control.read(c);
      return b.ramp.share_at(era, c, now);
    }
    default:
      return kOne;
  }
}

}  // namespace seawall::breaker
