// Token bucket and leaky bucket as one cursor: the theoretical arrival time.
//
// Guarantees: in every interval the admitted cost is at most burst + rate x length, whatever the interleaving; a place
// told is a place kept. Mechanism: time counts in ticks, 1 to 8 a nanosecond, chosen so that a token takes a whole
// number of them where one exists (else rounded up, at most 1/8 ns a token, against the caller); the state is the tick
// at which all debt is paid. Cost: one multiplication, no division. Source: ITU-T I.371 (GCRA, virtual scheduling).
#pragma once

#include <algorithm>
#include <cstdint>

#include "seawall/limits/control.hpp"
#include "seawall/limits/placement.hpp"

namespace seawall::limits {

inline constexpr std::uint64_t kFinestTick = 8;  // ticks a nanosecond

namespace cursor {

// Ticks per nanosecond and per token for amount tokens per period. False when the limit would reach past the horizon.
inline bool derive(Config& c) noexcept {
  c.scale = kFinestTick;
  for (std::uint64_t scale = 1; scale <= kFinestTick; ++scale) {
    if (Wide{c.period} * scale % c.amount == 0) {
      c.scale = scale;
      break;
    }
  }
  const Wide ticks = Wide{c.period} * c.scale;
  c.token = static_cast<std::uint64_t>((ticks + c.amount - 1) / c.amount);
  const Wide span = Wide{c.limit} * c.token;
  c.span = static_cast<std::uint64_t>(span);
  return span < Wide{kHorizonNs};
}

inline std::uint64_t ticks(const Config& c, Ns now) noexcept {
  return static_cast<std::uint64_t>(std::max<Ns>(now, 0)) * c.scale;
}

inline Ns ns(const Config& c, std::uint64_t tick) noexcept { return static_cast<Ns>((tick + c.scale - 1) / c.scale); }

// The first nanosecond after `tick`.
inline Ns after(const Config& c, std::uint64_t tick) noexcept { return static_cast<Ns>(tick / c.scale + 1); }

// The same debt, in tokens, under another configuration, rounded up.
inline std::uint64_t translate(const Config& from, const Config& to, std::uint64_t paid) noexcept {
  const std::uint64_t then = to.since * from.scale;
  const std::uint64_t debt = paid > then ? paid - then : 0;
  const Wide owed = (Wide{debt} * to.token + from.token - 1) / from.token;
  const std::uint64_t bound = kHorizonNs - 1;  // a debt that no uptime can pay stays unpayable, but in range
  return to.since * to.scale + (owed > bound ? bound : static_cast<std::uint64_t>(owed));
}

}  // namespace cursor

// Lets `limit` tokens through at once and refills evenly.
struct TokenBucket {
  static bool derive(Config& c) noexcept { return cursor::derive(c); }
  static Ns ns(const Config& c, std::uint64_t at) noexcept { return cursor::ns(c, at); }
  static std::uint64_t fresh(const Config& c, Ns now) noexcept { return cursor::ticks(c, now); }
  static Ns replenished(const Config& c, std::uint64_t paid) noexcept { return cursor::ns(c, paid); }
  static bool forgettable(const Config& c, std::uint64_t paid, Ns now) noexcept { return paid < cursor::ticks(c, now); }
  static Ns forgettable_at(const Config& c, std::uint64_t paid) noexcept { return cursor::after(c, paid); }

  template <bool When>
  static Placement place(const Config& c, std::uint64_t paid, Ns now, std::uint64_t cost) noexcept {
    const std::uint64_t t = cursor::ticks(c, now);
    const std::uint64_t take = cost * c.token;
    const std::uint64_t due = paid + take;
    const std::uint64_t at = due > t + c.span ? due - c.span : t;
    return {at == t, false, at, std::max(paid, at) + take, 0};
  }

  static std::uint64_t remaining(const Config& c, std::uint64_t paid, Ns now) noexcept {
    const std::uint64_t t = cursor::ticks(c, now);
    const std::uint64_t debt = paid > t ? paid - t : 0;
    return debt >= c.span ? 0 : (c.span - debt) / c.token;
  }

  static std::uint64_t translate(const Config& from, const Config& to, std::uint64_t paid) noexcept {
    return cursor::translate(from, to, paid);
  }

  // Whether a state that looks untouched since the place was taken may be what it was before. Once time has passed it
  // may have become the same again: an earlier place given back, a later one taken.
  static bool restorable(const Ticket& ticket, Ns now) noexcept { return now <= ticket.at; }

  // What a cancel may take back when others came after it: what time cannot have given back since the place was due,
  // and nothing while a later reservation still waits (its place was computed with this one in front of it). How deep
  // in debt the bucket was is no argument for more: an earlier place may have been given back since.
  static std::uint64_t refund(const Config& c, std::uint64_t paid, const Ticket& ticket, Ns now) noexcept {
    const std::uint64_t t = cursor::ticks(c, now), due = cursor::ticks(c, ticket.at);
    const std::uint64_t take = ticket.cost * c.token, passed = t > due ? t - due : 0;
    return paid > t + c.span || passed >= take ? paid : paid - (take - passed);
  }
};

// Lets one call through at a time, evenly spaced; `limit` units may stand in its queue, the leaving one included.
struct LeakyBucket {
  static bool derive(Config& c) noexcept { return cursor::derive(c); }
  static Ns ns(const Config& c, std::uint64_t at) noexcept { return cursor::ns(c, at); }
  static std::uint64_t fresh(const Config& c, Ns now) noexcept { return cursor::ticks(c, now); }
  static Ns replenished(const Config& c, std::uint64_t empty) noexcept { return cursor::ns(c, empty); }
  static bool forgettable(const Config& c, std::uint64_t empty, Ns now) noexcept {
    return empty < cursor::ticks(c, now);
  }
  static Ns forgettable_at(const Config& c, std::uint64_t empty) noexcept { return cursor::after(c, empty); }

  template <bool When>
  static Placement place(const Config& c, std::uint64_t empty, Ns now, std::uint64_t cost) noexcept {
    const std::uint64_t t = cursor::ticks(c, now);
    const std::uint64_t at = std::max(empty, t);
    const std::uint64_t next = at + cost * c.token;
    const bool full = next - t > c.span;
    return {at == t, full, at, next, next - (full ? c.span : 0)};
  }

  static std::uint64_t remaining(const Config& c, std::uint64_t empty, Ns now) noexcept {
    return TokenBucket::remaining(c, empty, now);
  }

  static std::uint64_t translate(const Config& from, const Config& to, std::uint64_t empty) noexcept {
    return cursor::translate(from, to, empty);
  }

  static bool restorable(const Ticket&, Ns) noexcept { return true; }

  // Whoever came after either found the bucket empty again or waits behind: there is nothing left to give back.
  static std::uint64_t refund(const Config&, std::uint64_t empty, const Ticket&, Ns) noexcept { return empty; }
};

}  // namespace seawall::limits
