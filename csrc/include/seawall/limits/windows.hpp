// Fixed window and sliding window counter, each in one word: the number of the window and the counts in it.
//
// Guarantees: fixed window admits at most `limit` in each window [origin + k W, origin + (k+1) W); the sliding window
// never admits while previous x (share of the previous window still in view) + current + cost exceeds the limit, so at
// most `limit` in each window and `limit` by estimate in every other interval of that length. A clock that steps back
// stays in the newest window. Mechanism: bit fields, so a decision in the current window needs no division. Cost: a few
// multiplications. Source: Figma and Cloudflare rate limiting (2017); counts are exact integers here.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "seawall/limits/control.hpp"
#include "seawall/limits/placement.hpp"

namespace seawall::limits {

namespace window {

// Bits left for each of `counts` counts beside the number of any window of nine years. False when the limit needs more.
inline bool derive(Config& c, int counts) noexcept {
  const int number = std::bit_width(kHorizonNs / c.period);
  c.scale = static_cast<std::uint64_t>((kValueBits - number) / counts);
  c.token = (std::uint64_t{1} << c.scale) - 1;
  c.span = 0;
  return c.limit <= c.token;
}

inline std::uint64_t start(const Config& c, std::uint64_t number) noexcept { return c.origin + number * c.period; }

// `now`, but never before the windows began.
inline std::uint64_t clamp(const Config& c, Ns now) noexcept {
  return std::max(static_cast<std::uint64_t>(std::max<Ns>(now, 0)), c.origin);
}

// A window length that stays keeps its windows; another one starts counting when it takes effect.
inline bool same(const Config& from, const Config& to) noexcept {
  return from.period == to.period && from.origin == to.origin;
}

// The first window under `to` that does not begin before `at`.
inline std::uint64_t number_from(const Config& to, std::uint64_t at) noexcept {
  return at <= to.origin ? 0 : (at - to.origin + to.period - 1) / to.period;
}

}  // namespace window

struct FixedWindow {
  static bool derive(Config& c) noexcept { return window::derive(c, 1); }
  static Ns ns(const Config&, std::uint64_t at) noexcept { return static_cast<Ns>(at); }
  static bool restorable(const Ticket&, Ns) noexcept { return true; }

  static std::uint64_t fresh(const Config& c, Ns now) noexcept {
    return (window::clamp(c, now) - c.origin) / c.period << c.scale;
  }

  static Ns replenished(const Config& c, std::uint64_t state) noexcept {
    return (state & c.token) == 0 ? 0 : static_cast<Ns>(window::start(c, (state >> c.scale) + 1));
  }

  static Ns forgettable_at(const Config& c, std::uint64_t state) noexcept {
    return static_cast<Ns>(window::start(c, (state >> c.scale) + 1));
  }
  static bool forgettable(const Config& c, std::uint64_t state, Ns now) noexcept {
    return forgettable_at(c, state) <= now;
  }

  template <bool When>
  static Placement place(const Config& c, std::uint64_t state, Ns now, std::uint64_t cost) noexcept {
    const std::uint64_t t = window::clamp(c, now);
    std::uint64_t number = state >> c.scale;
    std::uint64_t count = state & c.token;
    std::uint64_t start = window::start(c, number);
    if (t >= start + c.period) {
      number = (t - c.origin) / c.period;
      start = window::start(c, number);
      count = 0;
    }
    if (count + cost > c.limit) {
      ++number;
      start += c.period;
      count = 0;
    }
    const std::uint64_t at = std::max(t, start);
    return {at == t, false, at, number << c.scale | (count + cost), 0};
  }

  static std::uint64_t remaining(const Config& c, std::uint64_t state, Ns now) noexcept {
    const std::uint64_t t = window::clamp(c, now);
    const std::uint64_t start = window::start(c, state >> c.scale);
    if (t >= start + c.period) {
      return c.limit;
    }
    const std::uint64_t count = state & c.token;
    return t < start || count >= c.limit ? 0 : c.limit - count;
  }

  static std::uint64_t translate(const Config& from, const Config& to, std::uint64_t state) noexcept {
    if (window::same(from, to)) {
      return state;
    }
    const std::uint64_t start = window::start(from, state >> from.scale);
    const std::uint64_t count = to.since < start + from.period ? std::min(state & from.token, to.token) : 0;
    return window::number_from(to, start) << to.scale | count;
  }

  static std::uint64_t refund(const Config& c, std::uint64_t state, const Ticket& ticket, Ns) noexcept {
    const bool same = state >> c.scale == value_of(ticket.after) >> c.scale;
    return same ? state - std::min(ticket.cost, state & c.token) : state;
  }
};

struct SlidingWindow {
  struct View {
    std::uint64_t number, start, previous, current;
  };

  static bool derive(Config& c) noexcept { return window::derive(c, 2); }
  static Ns ns(const Config&, std::uint64_t at) noexcept { return static_cast<Ns>(at); }
  static bool restorable(const Ticket&, Ns) noexcept { return true; }

  static std::uint64_t fresh(const Config& c, Ns now) noexcept {
    return (window::clamp(c, now) - c.origin) / c.period << (2 * c.scale);
  }

  static Ns replenished(const Config& c, std::uint64_t state) noexcept {
    const View v = unpack(c, state);
    const std::uint64_t spans = v.current != 0 ? 2 : v.previous != 0 ? 1 : 0;
    return spans == 0 ? 0 : static_cast<Ns>(v.start + spans * c.period);
  }

  static Ns forgettable_at(const Config& c, std::uint64_t state) noexcept {
    return static_cast<Ns>(unpack(c, state).start + 2 * c.period);
  }
  static bool forgettable(const Config& c, std::uint64_t state, Ns now) noexcept {
    return forgettable_at(c, state) <= now;
  }

  template <bool When>
  static Placement place(const Config& c, std::uint64_t state, Ns now, std::uint64_t cost) noexcept {
    const std::uint64_t t = window::clamp(c, now);
    View v = roll(c, unpack(c, state), t);
    std::uint64_t at = std::max(t, v.start);
    if (fits(c, v, at, cost)) [[likely]] {
      return {at == t, false, at, pack_counts(c, v, cost), 0};
    }
    if constexpr (!When) {
      return {false, false, 0, 0, 0};
    }
    for (;;) {
      // In this window once enough of the previous one has slid out of view, if ever; else in the next.
      if (v.current + cost <= c.limit) {
        const std::uint64_t room = c.limit - v.current - cost;
        const std::uint64_t in_view =
            v.previous <= room ? c.period : static_cast<std::uint64_t>(Wide{room} * c.period / v.previous);
        at = std::max(at, v.start + c.period - in_view);
        if (at < v.start + c.period) {
          return {at == t, false, at, pack_counts(c, v, cost), 0};
        }
      }
      v = {v.number + 1, v.start + c.period, v.current, 0};
      at = std::max(at, v.start);
    }
  }

  static std::uint64_t remaining(const Config& c, std::uint64_t state, Ns now) noexcept {
    const std::uint64_t t = window::clamp(c, now);
    const View v = roll(c, unpack(c, state), t);
    const std::uint64_t used = v.current + weighted(c, v, std::max(t, v.start));
    return t < v.start || used >= c.limit ? 0 : c.limit - used;
  }

  // Another window length begins with what the estimate said when it took effect, all of it in its first window.
  static std::uint64_t translate(const Config& from, const Config& to, std::uint64_t state) noexcept {
    if (window::same(from, to)) {
      return state;
    }
    const View v = roll(from, unpack(from, state), std::max(to.since, from.origin));
    const std::uint64_t at = std::max(to.since, v.start);
    const std::uint64_t used = std::min(v.current + weighted(from, v, at), to.token);
    return window::number_from(to, at) << (2 * to.scale) | used;
  }

  static std::uint64_t refund(const Config& c, std::uint64_t state, const Ticket& ticket, Ns) noexcept {
    const View v = unpack(c, state);
    const std::uint64_t taken_in = value_of(ticket.after) >> (2 * c.scale);
    if (v.number == taken_in) {
      return state - std::min(ticket.cost, v.current);
    }
    return v.number == taken_in + 1 ? state - (std::min(ticket.cost, v.previous) << c.scale) : state;
  }

 private:
  static View unpack(const Config& c, std::uint64_t state) noexcept {
    const std::uint64_t number = state >> (2 * c.scale);
    return {number, window::start(c, number), state >> c.scale & c.token, state & c.token};
  }

  static std::uint64_t pack_counts(const Config& c, const View& v, std::uint64_t cost) noexcept {
    return (v.number << c.scale | v.previous) << c.scale | (v.current + cost);
  }

  static View roll(const Config& c, const View& v, std::uint64_t t) noexcept {
    if (t < v.start + c.period) [[likely]] {
      return v;
    }
    const std::uint64_t number = (t - c.origin) / c.period;
    return {number, window::start(c, number), number == v.number + 1 ? v.current : 0, 0};
  }

  // previous x (nanoseconds of it still in view) <= room x window, in whole numbers.
  static bool fits(const Config& c, const View& v, std::uint64_t at, std::uint64_t cost) noexcept {
    if (v.current + cost > c.limit) {
      return false;
    }
    const std::uint64_t room = c.limit - v.current - cost;
    return v.previous <= room || Wide{v.previous} * (v.start + c.period - at) <= Wide{room} * c.period;
  }

  static std::uint64_t weighted(const Config& c, const View& v, std::uint64_t at) noexcept {
    return static_cast<std::uint64_t>((Wide{v.previous} * (v.start + c.period - at) + c.period - 1) / c.period);
  }
};

}  // namespace seawall::limits
