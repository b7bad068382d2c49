// Sliding log: the exact limit. Every admission of the last window is remembered by its time.
//
// Guarantees: at most `limit` admitted in every interval of one window, exactly. Lock-free; a process killed at any
// instruction leaves the log either without its admission (which it never used) or with one place occupied for a
// window. Mechanism: a ring of at least 2 x limit times; a caller first raises the cells it wants to its own time and
// then moves the head by compare-and-swap, which is the admission. Cells ahead of the head are outside every look-back,
// so a caller that fails or dies there has only made the log more cautious. After a refund in the middle the ring is no
// longer in order of time and is counted cell by cell until it is in order again. Cost: O(1) in order, O(limit) out of
// order.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "seawall/limits/control.hpp"
#include "seawall/limits/placement.hpp"

namespace seawall::limits {

// A cell holds time + 1, so that 0 is "never". The head's lowest bit says the ring is out of order; the rest is its
// position.
class Log {
 public:
  static constexpr std::uint64_t kMost = std::uint64_t{1} << 24;  // 256 MiB of cells

  static std::uint64_t ring(std::uint64_t limit) noexcept { return std::bit_ceil(2 * limit); }

  static bool derive(Config& c, std::uint64_t cells) noexcept {
    c.scale = 1;
    c.token = cells - 1;
    c.span = 0;
    return ring(c.limit) <= cells;
  }

  static std::uint64_t fresh(const Config&, Ns now) noexcept {
    return static_cast<std::uint64_t>(std::max<Ns>(now, 0)) << 1;
  }

  using Claims = std::vector<Word*>;

  // Whether `ask` fits; takes the cells (not yet the head) when it is to be committed.
  static Placement place(const Config& c, std::uint64_t head, Word* cells, const Ask& ask, Claims& claims) {
    return (head & 1) == 0 ? in_order(c, head >> 1, cells, ask) : out_of_order(c, head >> 1, cells, ask, claims);
  }

  // Another caller moved the head first: what was claimed for the old one goes back.
  static void abandon(Claims& claims, Ns at) noexcept {
    for (Word* cell : claims) {
      std::uint64_t mine = stamp(at);
      cell->compare_exchange_strong(mine, 0);
    }
    claims.clear();
  }

  static std::uint64_t remaining(const Config& c, const Word* cells, Ns now) noexcept {
    const std::uint64_t used = occupied(c, cells, now);
    return used >= c.limit ? 0 : c.limit - used;
  }

  static Ns replenished(const Config& c, const Word* cells) noexcept {
    const std::uint64_t newest = latest(c, cells);
    return newest == 0 ? 0 : free_at(c, newest);
  }

  static bool forgettable(const Config& c, const Word* cells, Ns now) noexcept { return replenished(c, cells) < now; }

  // Frees the cells of a cancelled place. The head is already marked out of order, so nobody infers from them.
  static void release(const Config& c, const Ticket& ticket, Word* cells) noexcept {
    std::uint64_t left = ticket.cost;
    const std::uint64_t first = value_of(ticket.before) >> 1;
    for (std::uint64_t i = 0; i <= c.token && left > 0; ++i) {
      std::uint64_t expected = stamp(ticket.at);
      left -= cells[(first + i) & c.token].compare_exchange_strong(expected, 0) ? 1 : 0;
    }
  }

 private:
  static std::uint64_t stamp(Ns at) noexcept { return static_cast<std::uint64_t>(at) + 1; }

  static std::uint64_t position(std::uint64_t n) noexcept { return (n & (kValueMask >> 1)) << 1; }

  static Ns free_at(const Config& c, std::uint64_t cell) noexcept { return static_cast<Ns>(cell - 1 + c.period); }

  static bool is_free(const Config& c, std::uint64_t cell, Ns now) noexcept {
    return cell == 0 || free_at(c, cell) <= now;
  }

  // acquire: pairs with the compare-and-swap of the head that published the cell.
  static std::uint64_t look(const Word& cell) noexcept { return cell.load(std::memory_order_acquire); }

  static void raise(Word& cell, std::uint64_t to) noexcept {
    std::uint64_t seen = look(cell);
    while (seen < to && !cell.compare_exchange_weak(seen, to)) {
    }
  }

  static std::uint64_t occupied(const Config& c, const Word* cells, Ns now) noexcept {
    std::uint64_t used = 0;
    for (std::uint64_t i = 0; i <= c.token; ++i) {
      used += is_free(c, look(cells[i]), now) ? 0 : 1;
    }
    return used;
  }

  static std::uint64_t latest(const Config& c, const Word* cells) noexcept {
    std::uint64_t newest = 0;
    for (std::uint64_t i = 0; i <= c.token; ++i) {
      newest = std::max(newest, look(cells[i]));
    }
    return newest;
  }

  static bool wanted(const Ask& ask, Ns at) noexcept {
    return ask.commit && at <= ask.now + std::min(ask.horizon, kFarthestNs);
  }

  // The place of the last unit is free when the admission `limit` before it has left the window; older ones left
  // earlier.
  static Placement in_order(const Config& c, std::uint64_t n, Word* cells, const Ask& ask) noexcept {
    const std::uint64_t cell = look(cells[(n + ask.cost - 1 - c.limit) & c.token]);
    const Ns at = is_free(c, cell, ask.now) ? ask.now : free_at(c, cell);
    if (wanted(ask, at)) {
      for (std::uint64_t i = 0; i < ask.cost; ++i) {
        raise(cells[(n + i) & c.token], stamp(at));
      }
    }
    return {at == ask.now, false, static_cast<std::uint64_t>(at), position(n + ask.cost), 0};
  }

  // Here a free cell is claimed by compare-and-swap, so it has one owner who can give it back if the head moves first.
  static Placement out_of_order(const Config& c, std::uint64_t n, Word* cells, const Ask& ask, Claims& claims) {
    const Ns at = earliest(c, cells, ask);
    std::uint64_t end = n;
    if (wanted(ask, at)) {
      for (; claims.size() < ask.cost && end - n <= c.token; ++end) {
        Word& cell = cells[end & c.token];
        std::uint64_t seen = look(cell);
        if (is_free(c, seen, at) && cell.compare_exchange_strong(seen, stamp(at))) {
          claims.push_back(&cell);
        }
      }
    }
    const bool enough = !wanted(ask, at) || claims.size() == ask.cost;
    const std::uint64_t disorder = in_line(c, end, cells, ask.now) ? 0 : 1;
    const std::uint64_t when = enough ? static_cast<std::uint64_t>(at) : static_cast<std::uint64_t>(kNever);
    return {enough && at == ask.now, !enough, when, position(end) | disorder, 0};
  }

  // When `cost` more fit, and never before a place that somebody already reserved.
  static Ns earliest(const Config& c, const Word* cells, const Ask& ask) noexcept {
    std::vector<std::uint64_t> busy;
    for (std::uint64_t i = 0; i <= c.token; ++i) {
      const std::uint64_t cell = look(cells[i]);
      if (!is_free(c, cell, ask.now)) {
        busy.push_back(cell);
      }
    }
    std::sort(busy.begin(), busy.end());
    if (busy.size() + ask.cost <= c.limit) {
      return busy.empty() ? ask.now : std::max(ask.now, static_cast<Ns>(busy.back() - 1));
    }
    const std::uint64_t leaving = busy[busy.size() + ask.cost - c.limit - 1];
    return std::max(free_at(c, leaving), static_cast<Ns>(busy.back() - 1));
  }

  // All that is occupied stands directly behind the head.
  static bool in_line(const Config& c, std::uint64_t n, const Word* cells, Ns now) noexcept {
    const std::uint64_t used = occupied(c, cells, now);
    for (std::uint64_t i = 1; i <= used; ++i) {
      if (is_free(c, look(cells[(n - i) & c.token]), now)) {
        return false;
      }
    }
    return true;
  }
};

}  // namespace seawall::limits
