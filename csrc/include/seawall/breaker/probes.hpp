// The places of a half_open era: so many calls may try the callee, and all of them must succeed.
//
// Guarantees: an era admits exactly as many probes as it has places, plus one for each that was given back or lost.
// Mechanism: a word a place (status 2 bits, tag of the era 14, end of the lease 48; after a success, in its stead, the
// beginning of the era, so that no success of another era counts), taken, answered and given back by compare-and-swap.
// A prober that dies leaves a lease that ends. Progress: lock-free. Cost: one look a place, one compare-and-swap.
#pragma once

#include <algorithm>
#include <cstdint>

#include "seawall/breaker/era.hpp"

namespace seawall::breaker {

struct Probes {
  enum class Look { taken, full, complete, ended };

  // What `take` found. Taken: the place and its word, to be shown with the answer. Full: when a lease ends at the
  // latest.
  struct Place {
    Look look;
    std::int32_t slot = -1;
    std::uint64_t lease = 0;
    Ns at = kNever;
    bool reclaimed = false;  // from a probe that was lost
  };

  Word places[kMostProbes]{};

  Place take(const Era& era, const BreakerConfig& c, Ns now) noexcept {
    Place out{c.probes == succeeded(era.word, c.probes) ? Look::complete : Look::full};
    for (std::uint64_t i = 0; out.look == Look::full && i < c.probes; ++i) {
      try_place(era, i, c.lease_ns, now, out);
    }
    return out;
  }

  // The probe's answer was in time. False when its place is no longer its own.
  bool succeed(const Era& era, std::int32_t slot, std::uint64_t lease) noexcept {
    return own(slot, lease) && places[slot].compare_exchange_strong(lease, success_in(era.word));
  }

  // Whose call came to nothing leaves the place to another.
  bool give_back(std::int32_t slot, std::uint64_t lease) noexcept {
    return own(slot, lease) && places[slot].compare_exchange_strong(lease, 0);
  }

  // A failed probe keeps its place, so that no other takes it before the breaker opens; should nobody open it, the
  // place is lost like that of a probe that died.
  bool holds(std::int32_t slot, std::uint64_t lease) const noexcept {
    return own(slot, lease) && places[slot].load(std::memory_order_acquire) == lease;  // acquire: as in try_place
  }

  // Of the first n places, those whose probe succeeded in this era.
  std::uint64_t succeeded(std::uint64_t era, std::uint64_t n) const noexcept {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      // acquire: whoever ends the era by this has seen what the probes' callers had.
      sum += places[i].load(std::memory_order_acquire) == success_in(era);
    }
    return sum;
  }

 private:
  static constexpr std::uint64_t kLeased = 1;
  static constexpr std::uint64_t kSucceeded = 2;
  static constexpr int kTagBits = 14;

  static std::uint64_t pack(std::uint64_t status, std::uint64_t era, std::uint64_t end) noexcept {
    return status << (kTagBits + kTimeBits) | short_tag<kTagBits>(era) << kTimeBits | end;
  }
  static std::uint64_t success_in(std::uint64_t era) noexcept { return pack(kSucceeded, era, units_of(era)); }
  static bool own(std::int32_t slot, std::uint64_t lease) noexcept {
    return slot >= 0 && static_cast<std::uint64_t>(slot) < kMostProbes && lease != 0;
  }

  void try_place(const Era& era, std::uint64_t i, std::uint64_t lease_ns, Ns now, Place& out) noexcept {
    const std::uint64_t mine = pack(kLeased, era.word, units_up(after(now, lease_ns)));
    // acquire: the look at the era comes after (as in update).
    std::uint64_t seen = places[i].load(std::memory_order_acquire);
    for (;;) {
      if (seen == success_in(era.word)) {
        return;
      }
      const bool leased = seen >> kTimeBits == pack(kLeased, era.word, 0) >> kTimeBits;
      if (leased && units(now) < units_of(seen)) {
        out.at = std::min(out.at, ns_of(units_of(seen)));
        return;
      }
      if (!era.in_force()) {
        out.look = Look::ended;
        return;
      }
      if (places[i].compare_exchange_weak(seen, mine)) {
        out.look = Look::taken;
        out.slot = static_cast<std::int32_t>(i);
        out.lease = mine;
        out.reclaimed = leased;
        return;
      }
    }
  }
};

}  // namespace seawall::breaker
