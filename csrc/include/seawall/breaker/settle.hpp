// What came of a call, and what follows: the answer is counted, a probe's place marked, the ramp moved, the wish to
// open told.
#pragma once

#include <cstdint>

#include "seawall/breaker/machine.hpp"

namespace seawall::breaker {

namespace detail {

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
  out.wants_open = counts.calls != 0 && state != State::metrics_only && tripped(c, counts);
  if (state == State::recovering) {
    detail::settle_recovering(b, c, era, detail::is_bad(c, bits), now, out);
  }
  return out;
}

}  // namespace seawall::breaker
