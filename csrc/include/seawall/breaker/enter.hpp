// May a call go through? The transitions that time brings about happen here: whoever comes finds them due.
#pragma once

#include <cstdint>

#include "seawall/breaker/machine.hpp"

namespace seawall::breaker {

namespace detail {

inline Entry admit(std::uint64_t era, Ns now, const Change& change) noexcept {
  return {true, {era, now, -1, 0}, now, change};
}

inline Entry refuse(Breaker& b, std::uint64_t era, Ns now, Ns at, const Change& change) noexcept {
  tick(b.statistics.refused);
  return {false, {era, now, -1, 0}, at, change};
}

// An entry tells of one change: who has made one already leaves the next to whoever comes next.
inline bool has_changed(const Entry& out) noexcept { return out.change.from != out.change.to; }

// False, and nothing decided, when the era has ended.
inline bool enter_half_open(Breaker& b, std::uint64_t word, Ns now, Entry& out) noexcept {
  BreakerConfig c;
  b.control.read(c);
  const Probes::Place place = b.probes.take(Era{b.state, word, 0}, c, now);
  switch (place.look) {
    case Probes::Look::complete:  // whoever answered last was killed before it could say so
      if (has_changed(out)) {
        out = refuse(b, word, now, now, out.change);
        return true;
      }
      recover(b, c, word, now, out.change);
      return false;
    case Probes::Look::ended:
      return false;
    case Probes::Look::full:
      out = refuse(b, word, now, place.at, out.change);
      return true;
    case Probes::Look::taken:
      if (place.reclaimed) {
        tick(b.statistics.lost);
      }
      out = {true, {word, now, place.slot, place.lease}, now, out.change};
  }
  return true;
}

// When a call that the ramp left out may try again: when the ramp is a tenth further, or one admitted now will have
// answered, by a tenth of the longest that may take.
inline Ns next_try(const BreakerConfig& c, Ns now) noexcept {
  return after(now, (c.ramp == kTimeRamp ? c.ramp_ns : c.lease_ns) / 10 + 1);
}

inline bool enter_recovering(Breaker& b, std::uint64_t word, Ns now, Entry& out) noexcept {
  BreakerConfig c;
  b.control.read(c);
  if (b.ramp.progress_at(word, c, now) == kOne) {
    if (has_changed(out)) {
      out = admit(word, now, out.change);
      return true;
    }
    close(b, word, now, out.change);
    return false;
  }
  const bool admitted = b.ramp.admit(b.ramp.share_at(word, c, now));
  out = admitted ? admit(word, now, out.change) : refuse(b, word, now, next_try(c, now), out.change);
  return true;
}

inline Entry enter_other(Breaker& b, Ns now) noexcept {
  Entry out;
  for (;;) {
    // acquire: whoever ended the last era had seen its last answers.
    const std::uint64_t word = b.state.load(std::memory_order_acquire);
    switch (state_of(word)) {
      case State::forced_open:
        return refuse(b, word, now, kNever, out.change);
      case State::open:
        if (units(now) < units_of(word) || has_changed(out)) {
          return refuse(b, word, now, time_of(word), out.change);
        }
        transit(b, word, successor(word, State::half_open, trips_of(word), units(now)), out.change);
        break;
      case State::half_open:
        if (enter_half_open(b, word, now, out)) {
          return out;
        }
        break;
      case State::recovering:
        if (enter_recovering(b, word, now, out)) {
          return out;
        }
        break;
      default:
        return admit(word, now, out.change);
    }
  }
}

}  // namespace detail

// May a call go through?
inline Entry enter(Breaker& b, Ns now) noexcept {
  // acquire: as in enter_other.
  const std::uint64_t word = b.state.load(std::memory_order_acquire);
  if (state_of(word) == State::closed) [[likely]] {
    return detail::admit(word, now, {});
  }
  return detail::enter_other(b, now);
}

}  // namespace seawall::breaker
