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

}  // namespace detail

// Opens the breaker until `until`, if the era that wanted it is still in force.
inline bool open(Breaker& b, std::uint64_t era, Ns until) noexcept {
  const State s = state_of(era);
  return (s == State::closed || s == State::half_open || s == State::recovering) &&
         detail::transit(b, era, successor(era, State::open, trips_of(era) + 1, units_up(until)));
}

}  // namespace seawall::breaker
