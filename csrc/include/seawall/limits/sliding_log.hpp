// Sliding log: the exact limit. Every admission of the last window is remembered by its time.
//
// Guarantees: at most `limit` admitted in every interval of one window, exactly. Lock-free; a process killed at any
// instruction leaves the log either without its admission (which it never used) or with one place occupied for a
// window. Mechanism: a ring of at least 2 x limit times; a caller first raises the cells it wants to its own time and
// then moves the head by compare-and-swap, which is the admission. Cells ahead of the head are outside every look-back,
// so a caller that fails or dies there has only made the log more cautious. A cancel marks its cells and then the head;
// from there the ring is counted cell by cell until it is in order again. Cost: O(1) in order, O(limit) out of order,
// that is for at most a window after a cancel. Memory is bounded, so places are given only as far ahead as the ring can
// hold everything from one window ago to there: at least one window.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "seawall/limits/control.hpp"
#include "seawall/limits/placement.hpp"

namespace seawall::limits {

// A cell holds (time + 1) << 1, so that 0 is "never"; its lowest bit says the admission was cancelled. The head's
// lowest bit says the ring is out of order; the rest is its position, which only grows.
class Log {
 public:
  static std::uint64_t ring(std::uint64_t limit) noexcept { return std::bit_ceil(2 * limit + 1); }

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
      std::uint64_t mine = taken(stamp(at));
      cell->compare_exchange_strong(mine, 0);
    }
    claims.clear();
  }

  static std::uint64_t remaining(const Config& c, const Word* cells, Ns now) noexcept {
    std::uint64_t used = 0;
    for (std::uint64_t i = 0; i <= c.token; ++i) {
      used += counts(c, look(cells[i]), now) ? 1 : 0;
    }
    return used >= c.limit ? 0 : c.limit - used;
  }

  static Ns replenished(const Config& c, const Word* cells) noexcept {
    std::uint64_t newest = 0;
    for (std::uint64_t i = 0; i <= c.token; ++i) {
      const std::uint64_t cell = look(cells[i]);
      newest = std::max(newest, is_cancelled(cell) ? 0 : cell);
    }
    return newest == 0 ? 0 : free_at(c, newest);
  }

  // A cancelled cell counts too: the next owner goes by the order, to which a marked cell is a taken one.
  static Ns forgettable_at(const Config& c, const Word* cells) noexcept {
    std::uint64_t newest = 0;
    for (std::uint64_t i = 0; i <= c.token; ++i) {
      newest = std::max(newest, look(cells[i]));
    }
    return stamp_in(newest) == 0 ? 1 : free_at(c, newest) + 1;
  }
  static bool forgettable(const Config& c, const Word* cells, Ns now) noexcept {
    return forgettable_at(c, cells) <= now;
  }

  // Marks the cells of a cancelled place; whether there was any. A marked cell is free to whoever counts cell by cell
  // and taken to whoever goes by the order, so the mark itself can admit nothing extra. While nothing in the ring has
  // left the window, something inside it may have been overwritten (after a change of limits), and nothing is given
  // back.
  static bool release(const Config& c, const Ticket& ticket, Word* cells, Ns now) noexcept {
    if (inside(c, cells, now) == c.token + 1) {
      return false;
    }
    const bool ordered = (value_of(ticket.before) & 1) == 0;
    const std::uint64_t first = value_of(ticket.before) >> 1;
    const std::uint64_t most = ordered ? ticket.cost : c.token + 1;
    std::uint64_t left = ticket.cost;
    for (std::uint64_t i = 0; i < most && left > 0; ++i) {
      Word& cell = cells[(first + i) & c.token];
      std::uint64_t seen = look(cell);
      while (is_own(c, ticket, seen, ordered)) {
        if (cell.compare_exchange_weak(seen, seen | 1)) {
          --left;
          break;
        }
      }
    }
    return left < ticket.cost;
  }

  // The head after a release: whatever was decided by the old one is decided again, cell by cell.
  static std::uint64_t disordered(const Config& c, std::uint64_t head) noexcept {
    return position((head >> 1) + c.token + 1) | 1;
  }

 private:
  static std::uint64_t stamp(Ns at) noexcept { return static_cast<std::uint64_t>(at) + 1; }
  static std::uint64_t taken(std::uint64_t stamp) noexcept { return stamp << 1; }
  static std::uint64_t stamp_in(std::uint64_t cell) noexcept { return cell >> 1; }
  static bool is_cancelled(std::uint64_t cell) noexcept { return (cell & 1) != 0; }

  static std::uint64_t position(std::uint64_t n) noexcept { return (n & (kValueMask >> 1)) << 1; }

  static Ns time_in(std::uint64_t cell) noexcept { return static_cast<Ns>(stamp_in(cell)) - 1; }
  static Ns free_at(const Config& c, std::uint64_t cell) noexcept { return time_in(cell) + static_cast<Ns>(c.period); }

  static bool has_left(const Config& c, std::uint64_t cell, Ns now) noexcept {
    return stamp_in(cell) == 0 || free_at(c, cell) <= now;
  }
  static bool counts(const Config& c, std::uint64_t cell, Ns now) noexcept {
    return !is_cancelled(cell) && !has_left(c, cell, now);
  }

  // A cell taken in order may since have been raised by those who lost the head, but is not used again within a window.
  // A cell claimed out of order is any of that time: cells of one time are alike. After a change of the window, too.
  static bool is_own(const Config& c, const Ticket& ticket, std::uint64_t cell, bool ordered) noexcept {
    if (is_cancelled(cell) || stamp_in(cell) < stamp(ticket.at)) {
      return false;
    }
    const bool by_position = ordered && c.since <= static_cast<std::uint64_t>(ticket.at);
    return stamp_in(cell) - stamp(ticket.at) < (by_position ? c.period : 1);
  }

  // acquire: pairs with the compare-and-swap of the head that published the cell.
  static std::uint64_t look(const Word& cell) noexcept { return cell.load(std::memory_order_acquire); }

  static void raise(Word& cell, std::uint64_t to) noexcept {
    std::uint64_t seen = look(cell);
    while (seen < to && !cell.compare_exchange_weak(seen, to)) {
    }
  }

  // Cells whose time has not left the window, cancelled or not.
  static std::uint64_t inside(const Config& c, const Word* cells, Ns now) noexcept {
    std::uint64_t count = 0;
    for (std::uint64_t i = 0; i <= c.token; ++i) {
      count += has_left(c, look(cells[i]), now) ? 0 : 1;
    }
    return count;
  }

  // At most `limit` stand in each of the windows from one ago to the farthest place, so all of them fit into the ring.
  static Ns ahead(const Config& c) noexcept {
    const std::uint64_t windows = (c.token + 1) / c.limit - 1;
    const auto far = Wide{windows} * c.period;
    return far > Wide{static_cast<std::uint64_t>(kFarthestNs)} ? kFarthestNs : static_cast<Ns>(far);
  }

  static bool wanted(const Config& c, const Ask& ask, Ns at) noexcept {
    return ask.commit && at - ask.now <= std::min({ask.horizon, kFarthestNs, ahead(c)});
  }

  static Placement placement(const Config& c, const Ask& ask, Ns at, std::uint64_t next) noexcept {
    const bool full = at - ask.now > ahead(c);
    const Ns open = full ? at - ahead(c) : at;
    return {at == ask.now, full, static_cast<std::uint64_t>(at), next, static_cast<std::uint64_t>(open)};
  }

  // The place of the last unit is free when the admission `limit` before it has left the window; older ones left
  // earlier, as nothing is stamped before its predecessor, whatever the clock says.
  static Placement in_order(const Config& c, std::uint64_t n, Word* cells, const Ask& ask) noexcept {
    const std::uint64_t cell = look(cells[(n + ask.cost - 1 - c.limit) & c.token]);
    const Ns at = has_left(c, cell, ask.now) ? ask.now : free_at(c, cell);
    if (wanted(c, ask, at)) {
      const std::uint64_t mine = std::max(stamp(at), stamp_in(look(cells[(n - 1) & c.token])));
      for (std::uint64_t i = 0; i < ask.cost; ++i) {
        raise(cells[(n + i) & c.token], taken(mine));
      }
    }
    return placement(c, ask, at, position(n + ask.cost));
  }

  // Here a free cell is claimed by compare-and-swap, so it has one owner who can give it back if the head moves first.
  static Placement out_of_order(const Config& c, std::uint64_t n, Word* cells, const Ask& ask, Claims& claims) {
    const Ns at = earliest(c, cells, ask);
    std::uint64_t end = n;
    if (wanted(c, ask, at)) {
      for (; claims.size() < ask.cost && end - n <= c.token; ++end) {
        Word& cell = cells[end & c.token];
        std::uint64_t seen = look(cell);
        if (!counts(c, seen, ask.now) && cell.compare_exchange_strong(seen, taken(stamp(at)))) {
          claims.push_back(&cell);
        }
      }
    }
    if (wanted(c, ask, at) && claims.size() < ask.cost) {
      // Others hold claims that they will commit or give back: told to come again, and nothing is kept.
      abandon(claims, at);
      const auto soon = static_cast<std::uint64_t>(ask.now + 1);
      return {false, true, soon, 0, soon};
    }
    return placement(c, ask, at, position(end) | (in_line(c, end, cells, ask.now) ? 0 : 1));
  }

  // When `cost` more fit, and never before a place that somebody already reserved.
  static Ns earliest(const Config& c, const Word* cells, const Ask& ask) {
    std::vector<std::uint64_t> busy;
    for (std::uint64_t i = 0; i <= c.token; ++i) {
      const std::uint64_t cell = look(cells[i]);
      if (counts(c, cell, ask.now)) {
        busy.push_back(cell);
      }
    }
    std::sort(busy.begin(), busy.end());
    if (busy.size() + ask.cost <= c.limit) {
      return busy.empty() ? ask.now : std::max(ask.now, time_in(busy.back()));
    }
    const std::uint64_t leaving = busy[busy.size() + ask.cost - c.limit - 1];
    return std::max(free_at(c, leaving), time_in(busy.back()));
  }

  // All that is in the window stands directly behind the head, in order of time, and nothing of it is cancelled.
  static bool in_line(const Config& c, std::uint64_t n, const Word* cells, Ns now) noexcept {
    const std::uint64_t all = inside(c, cells, now);
    std::uint64_t later = ~std::uint64_t{0};
    for (std::uint64_t i = 1; i <= all; ++i) {
      const std::uint64_t cell = look(cells[(n - i) & c.token]);
      if (!counts(c, cell, now) || cell > later) {
        return false;
      }
      later = cell;
    }
    return true;
  }
};

}  // namespace seawall::limits
