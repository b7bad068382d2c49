// One limit: a control block, one word of state, and for the log its cells.
//
// Progress: lock-free; every admission is one successful compare-and-swap (linearizable). A thread or process stopped
// or killed anywhere delays nobody. Cost: one read of the configuration (a cache line nobody writes), one
// compare-and-swap.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "seawall/limits/control.hpp"
#include "seawall/limits/placement.hpp"
#include "seawall/limits/sliding_log.hpp"
#include "seawall/limits/token_bucket.hpp"
#include "seawall/limits/windows.hpp"

namespace seawall::limits {

struct SlidingLog : Log {};

template <class A>
inline constexpr bool is_log = std::is_same_v<A, SlidingLog>;

enum class Answer { admitted, refused, moved };

namespace detail {

// A value made under the configuration before this one; false when a newer one was published meanwhile. It reads the
// configuration again, so that the caller's copy has no address and stays in registers.
template <class A>
[[gnu::cold, gnu::noinline]] bool translated(const Control& control, std::uint64_t epoch, std::uint64_t& value) {
  Config from, to;
  if (control.read(to) != epoch) {
    return false;
  }
  control.previous(epoch, from);
  value = A::translate(from, to, value);
  return true;
}

// The state's value under the configuration in force; false when a newer one was published meanwhile.
template <class A>
[[gnu::always_inline]] inline bool current(const Control& control, std::uint64_t epoch, std::uint64_t word,
                                           std::uint64_t& value) {
  value = value_of(word);
  if constexpr (!is_log<A>) {
    if (tag_of(word) != epoch % kEpochs) [[unlikely]] {
      std::uint64_t other = value;
      const bool good = translated<A>(control, epoch, other);
      value = other;
      return good;
    }
  }
  return true;
}

template <class A>
constexpr std::uint64_t pack_for(std::uint64_t epoch, std::uint64_t value) noexcept {
  return pack(is_log<A> ? 0 : epoch % kEpochs, value);
}

template <class A>
void report(const Config& c, std::uint64_t value, const Word* cells, Ns now, Verdict& out) {
  out.limit = c.limit;
  if constexpr (is_log<A>) {
    out.remaining = A::remaining(c, cells, now);
    out.reset_at = A::replenished(c, cells);
  } else {
    out.remaining = A::remaining(c, value, now);
    out.reset_at = A::replenished(c, value);
  }
}

}  // namespace detail

namespace detail {

struct Nothing {};

template <class A>
using Claims = std::conditional_t<is_log<A>, Log::Claims, Nothing>;

template <class A, bool When>
Placement place(const Config& c, std::uint64_t value, Word* cells, const Ask& ask, Claims<A>& claims) {
  if constexpr (is_log<A>) {
    return A::place(c, value, cells, ask, claims);
  } else {
    (void)cells, (void)claims;
    return A::template place<When>(c, value, ask.now, ask.cost);
  }
}

template <class A>
Ns instant(const Config& c, std::uint64_t at) noexcept {
  if constexpr (is_log<A>) {
    return static_cast<Ns>(at);
  } else {
    return A::ns(c, at);
  }
}

template <class A>
Answer refuse(const Config& c, std::uint64_t value, Word* cells, Ns now, Ns at, Verdict* out) {
  if (out != nullptr) {
    report<A>(c, value, cells, now, *out);
    out->admitted = false;
    out->at = at;
  }
  return Answer::refused;
}

}  // namespace detail

// Finds `ask` its place. `load` returns the current state word, or one tagged kClaim or kCommit when the state is no
// longer the caller's (keyed table). When: compute when a refused call would be admitted. `out` and `ticket` may be
// null.
template <class A, bool When, class Load>
Answer attempt(const Control& control, Word& cell, Word* cells, Load&& load, const Ask& ask, Verdict* out,
               Ticket* ticket) {
  detail::Claims<A> claims;
  for (;;) {
    Config c;
    const std::uint64_t epoch = control.read(c);
    const std::uint64_t word = load();
    if (tag_of(word) >= kClaim) [[unlikely]] {
      return Answer::moved;
    }
    std::uint64_t value;
    if (!detail::current<A>(control, epoch, word, value)) [[unlikely]] {
      continue;
    }
    if (ask.cost > c.limit) [[unlikely]] {
      return detail::refuse<A>(c, value, cells, ask.now, kNever, out);
    }
    const Placement p = detail::place<A, When>(c, value, cells, ask, claims);
    Ns at = ask.now;
    if (!p.now) {
      if constexpr (!When) {
        return Answer::refused;
      }
      at = detail::instant<A>(c, p.at);
      if (ask.horizon > 0 && p.full) {
        return detail::refuse<A>(c, value, cells, ask.now, detail::instant<A>(c, p.open), out);
      }
      if (p.full || at > ask.now + (ask.horizon < kFarthestNs ? ask.horizon : kFarthestNs)) {
        return detail::refuse<A>(c, value, cells, ask.now, at, out);
      }
    }
    const std::uint64_t next = detail::pack_for<A>(epoch, p.next);
    std::uint64_t seen = word;
    // acq_rel: a log's cells raised before the head moves are seen by whoever sees the head.
    if (ask.commit && !cell.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_relaxed)) {
      if constexpr (is_log<A>) {
        A::abandon(claims, at);
      }
      continue;
    }
    if (out != nullptr) {
      detail::report<A>(c, ask.commit ? p.next : value, cells, ask.now, *out);
      out->admitted = true;
      out->at = at;
    }
    if (ticket != nullptr) {
      // Both words carry this epoch's tag, so that an undo can never bring an older one back.
      *ticket = {detail::pack_for<A>(epoch, value), next, ask.cost, at, epoch};
    }
    return Answer::admitted;
  }
}

// Gives a place back: all of it when nobody came after, else what the algorithm can prove was never used. False when
// that is nothing: time has given it back already, or others were placed behind it.
template <class A, class Load>
bool refund(const Control& control, Word& cell, Word* cells, Load&& load, const Ticket& ticket, Ns now) {
  if constexpr (is_log<A>) {
    Config c;
    control.read(c);
    if (tag_of(load()) >= kClaim || !A::release(c, ticket, cells, now)) {
      return false;
    }
    std::uint64_t head = load();
    while (tag_of(head) < kClaim && !cell.compare_exchange_weak(head, A::disordered(c, head))) {
      head = load();
    }
    return true;
  } else {
    for (;;) {
      Config c;
      const std::uint64_t epoch = control.read(c);
      std::uint64_t word = load();
      if (tag_of(word) >= kClaim) {
        return false;
      }
      std::uint64_t value;
      if (!detail::current<A>(control, epoch, word, value)) {
        continue;
      }
      if (word == ticket.after && A::restorable(ticket, now)) {
        if (cell.compare_exchange_weak(word, ticket.before)) {
          return true;
        }
        continue;
      }
      if (epoch != ticket.epoch) {
        return false;  // how much of it time and the change of limits have returned is not known
      }
      const std::uint64_t next = A::refund(c, value, ticket, now);
      if (next == value) {
        return false;
      }
      if (cell.compare_exchange_weak(word, detail::pack_for<A>(epoch, next))) {
        return true;
      }
    }
  }
}

// Exactly undoes the newest place; false when somebody was placed behind it. The log's own refund is already exact.
template <class A, class Load>
bool undo(const Control& control, Word& cell, Word* cells, Load&& load, const Ticket& ticket, Ns now) {
  if constexpr (is_log<A>) {
    return refund<A>(control, cell, cells, load, ticket, now);
  } else {
    std::uint64_t mine = ticket.after;
    return cell.compare_exchange_strong(mine, ticket.before);
  }
}

// Brings one word to the epoch in force. Part of a reconfiguration; callers are serialised, users may run.
template <class A>
void migrate(const Control& control, Word& cell) {
  if constexpr (!is_log<A>) {
    for (;;) {
      Config c;
      const std::uint64_t epoch = control.read(c);
      std::uint64_t word = cell.load(std::memory_order_acquire);  // acquire: as in attempt
      std::uint64_t value;
      if (tag_of(word) == epoch % kEpochs || tag_of(word) >= kClaim) {
        return;
      }
      if (detail::current<A>(control, epoch, word, value) &&
          cell.compare_exchange_weak(word, detail::pack_for<A>(epoch, value))) {
        return;
      }
    }
  }
}

// The whole of a single limit, as it lies in an object or in a segment. The log's cells follow it.
struct alignas(64) Single {
  Control control;
  alignas(64) Word state{0};
  Word admitted{0};
  Word refused{0};

  Word* cells() noexcept { return reinterpret_cast<Word*>(this + 1); }
  auto loader() noexcept {
    // acquire: whatever the last admission's owner published before it is visible to the next.
    return [this] { return state.load(std::memory_order_acquire); };
  }
};

static_assert(sizeof(Single) == 384);  // the layout of segments

}  // namespace seawall::limits
