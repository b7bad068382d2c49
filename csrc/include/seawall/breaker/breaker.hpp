// A circuit breaker, as it lies in an object or in a segment that many processes share.
//
// Guarantees: every transition happens once, by one compare-and-swap of the state word; an answer whose era has passed
// changes nothing; a process killed anywhere costs at most its own outcome, and a probe's place until its lease ends.
// Progress: lock-free. Cost: entering a closed breaker is one load; a success is two compare-and-swaps or one and a
// counter. How long to stay open is the caller's to decide (backoff, jitter, Retry-After). Source: Nygard, Release It!
#pragma once

#include <cstdint>

#include "seawall/breaker/probes.hpp"
#include "seawall/breaker/ramp.hpp"
#include "seawall/breaker/window.hpp"
#include "seawall/memory/published.hpp"

namespace seawall::breaker {

struct Statistics {
  Word successes{0};
  Word failures{0};
  Word slow{0};  // successes or failures too
  Word ignored{0};
  Word refused{0};
  Word late{0};  // answers whose era, or whose probe's lease, had passed
  Word transitions{0};
  Word lost{0};  // probes whose place was given to another
};

struct alignas(64) Breaker {
  memory::Published<BreakerConfig> control;
  alignas(64) Word state{0};
  alignas(64) Ramp ramp;
  alignas(64) Statistics statistics;
  Window window;
  alignas(64) Probes probes;
};

// The era that a call ended and the one it began; equal when it changed nothing.
struct Change {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

// What an admitted call brings back with its answer.
struct Permit {
  std::uint64_t era = 0;
  Ns start_ns = 0;
  std::int32_t slot = -1;   // a probe's place
  std::uint64_t lease = 0;  // and the word that stood there
};

struct Entry {
  bool admitted = false;
  Permit permit;  // of a refused call: the era that refused it
  Ns at = 0;      // refused: when to try again
  Change change;
};

enum class Outcome { success, failure, ignored };

struct Settled {
  bool late = false;
  bool wants_open = false;  // the conditions are met: decide how long, and `open` the permit's era
  Change change;
};

namespace detail {

inline void tick(Word& statistic) noexcept { statistic.fetch_add(1, std::memory_order_relaxed); }  // a statistic

// The one way a breaker changes state. False when somebody else changed it first.
inline bool transit(Breaker& b, std::uint64_t from, std::uint64_t to) noexcept {
  std::uint64_t expected = from;
  if (!b.state.compare_exchange_strong(expected, to)) {
    return false;
  }
  tick(b.statistics.transitions);
  return true;
}

inline void transit(Breaker& b, std::uint64_t from, std::uint64_t to, Change& change) noexcept {
  if (transit(b, from, to)) {
    change = {from, to};
  }
}

inline void close(Breaker& b, std::uint64_t era, Ns now, Change& change) noexcept {
  transit(b, era, successor(era, State::closed, 0, units(now)), change);
}

// After the last probe.
inline void recover(Breaker& b, const BreakerConfig& c, std::uint64_t era, Ns now, Change& change) noexcept {
  if (c.ramp == kNoRamp) {
    close(b, era, now, change);
  } else {
    transit(b, era, successor(era, State::recovering, trips_of(era), units(now)), change);
  }
}

inline Entry admit(std::uint64_t era, Ns now, const Change& change) noexcept {
  return {true, {era, now, -1, 0}, now, change};
}

inline Entry refuse(Breaker& b, std::uint64_t era, Ns now, Ns at, const Change& change) noexcept {
  tick(b.statistics.refused);
  return {false, {era, now, -1, 0}, at, change};
}

// False, and nothing decided, when the era has ended.
inline bool enter_half_open(Breaker& b, std::uint64_t word, Ns now, Entry& out) noexcept {
  BreakerConfig c;
  b.control.read(c);
  const Probes::Place place = b.probes.take(Era{b.state, word, 0}, c, now);
  switch (place.look) {
    case Probes::Look::complete:  // whoever answered last was killed before it could say so
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
        if (units(now) < units_of(word)) {
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

inline Settled late(Breaker& b) noexcept {
  tick(b.statistics.late);
  return {true, false, {}};
}

inline Settled ignore(Breaker& b, const Permit& p) noexcept {
  if (state_of(p.era) == State::half_open && !b.probes.give_back(p.slot, p.lease)) {
    return late(b);
  }
  tick(b.statistics.ignored);
  return {};
}

inline void tell(Statistics& s, std::uint64_t bits) noexcept {
  tick(bits & kFailure ? s.failures : s.successes);
  if (bits & kSlow) {
    tick(s.slow);
  }
}

inline std::uint64_t bits_of(const BreakerConfig& c, Outcome outcome, Ns start, Ns now) noexcept {
  const bool slow = c.slow_ns != 0 && now >= after(start, c.slow_ns);
  return (outcome == Outcome::failure ? kFailure : 0) | (slow ? kSlow : 0);
}

// True when it counts against the callee where a single call decides.
inline bool is_bad(const BreakerConfig& c, std::uint64_t bits) noexcept {
  return (bits & kFailure) || ((bits & kSlow) && slow_matters(c));
}

inline Settled settle_half_open(Breaker& b, const BreakerConfig& c, const Era& era, const Permit& p, std::uint64_t bits,
                                Ns now) noexcept {
  const bool bad = is_bad(c, bits);
  if (!(bad ? b.probes.holds(p.slot, p.lease) : b.probes.succeed(era, p.slot, p.lease))) {
    return late(b);
  }
  Counts counts;
  b.window.record(era, c, now, bits, counts);
  tell(b.statistics, bits);
  Settled out;
  out.wants_open = bad;
  if (!bad && b.probes.succeeded(era.word, c.probes) == c.probes) {
    recover(b, c, era.word, now, out.change);
  }
  return out;
}

inline void settle_recovering(Breaker& b, const BreakerConfig& c, const Era& era, bool bad, Ns now,
                              Settled& out) noexcept {
  if (bad) {
    b.ramp.set_back(era, c, now);
  } else {
    b.ramp.advance(era, c);
    if (!out.wants_open && b.ramp.progress_at(era.word, c, now) == kOne) {
      close(b, era.word, now, out.change);
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

// What came of it. Every permit is settled once.
inline Settled settle(Breaker& b, const Permit& p, Outcome outcome, Ns now) noexcept {
  // acquire: the words of this era, not of one before it.
  if (b.state.load(std::memory_order_acquire) != p.era) {
    return detail::late(b);
  }
  const State state = state_of(p.era);
  if (state == State::disabled) {
    return {};
  }
  if (outcome == Outcome::ignored) {
    return detail::ignore(b, p);
  }
  BreakerConfig c;
  b.control.read(c);
  const Era era{b.state, p.era, window_tag(p.era, c)};
  const std::uint64_t bits = detail::bits_of(c, outcome, p.start_ns, now);
  if (state == State::half_open) {
    return detail::settle_half_open(b, c, era, p, bits, now);
  }
  Counts counts;
  if (!b.window.record(era, c, now, bits, counts)) {
    return detail::late(b);
  }
  detail::tell(b.statistics, bits);
  Settled out;
  out.wants_open = state != State::metrics_only && tripped(c, counts);
  if (state == State::recovering) {
    detail::settle_recovering(b, c, era, detail::is_bad(c, bits), now, out);
  }
  return out;
}

// Opens the breaker until `until`, if the era that wanted it is still in force.
inline bool open(Breaker& b, std::uint64_t era, Ns until) noexcept {
  const State s = state_of(era);
  return (s == State::closed || s == State::half_open || s == State::recovering) &&
         detail::transit(b, era, successor(era, State::open, trips_of(era) + 1, units_up(until)));
}

}  // namespace seawall::breaker
