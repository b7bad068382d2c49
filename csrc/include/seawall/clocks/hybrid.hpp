// A hybrid logical clock: stamps near wall time that respect cause and effect, in 64 bits.
//
// A stamp is 48 bits of time, in 2^-16 s since 1970 (to February 2106), above 16 bits that count events inside one such
// unit. Guarantees: every stamp is given once and is greater than all the clock gave or took before, whatever the wall
// clock does; the first 48 bits are never behind the wall clock. A remote stamp too far ahead of the wall clock changes
// nothing. No stamp above `limit` is given: what is given is covered by what a store holds. Mechanism: one word, raised
// by compare-and-swap; a full count carries into the time. Progress: lock-free, linearizable. Cost: one
// compare-and-swap. Source: Kulkarni, Demirbas, Madappa, Avva, Leone 2014, "Logical Physical Clocks", figure 5 and
// section 6.2.
#pragma once

#include <algorithm>
#include <cstdint>

#include "seawall/memory/word.hpp"

namespace seawall::clocks {

using memory::Ns;
using memory::Word;

inline constexpr int kCountBits = 16;
inline constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;
inline constexpr std::uint64_t kLastUnit = (std::uint64_t{1} << 48) - 1;
inline constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};
inline constexpr std::uint64_t kLastStamp = kNoLimit - 1;

// Whole units of 2^-16 s in `ns` of Unix time: a unit is 1,953,125 / 128 ns. Outside 1970 to 2106: the nearer end.
constexpr std::uint64_t units_of(Ns ns) noexcept {
  constexpr std::uint64_t kNsOf128 = 1'953'125;
  const auto from = static_cast<std::uint64_t>(std::max<Ns>(ns, 0));
  const std::uint64_t units = from / kNsOf128 * 128 + from % kNsOf128 * 128 / kNsOf128;
  return std::min(units, kLastUnit);
}

enum class Answer : std::uint64_t { given, beyond_limit, ahead, used_up };

struct Given {
  Answer answer;
  std::uint64_t stamp;  // given: the stamp; beyond_limit: the one that would have been given
};

class alignas(64) Hybrid {
 public:
  Hybrid() noexcept = default;

  // A clock whose stamps are all above `last`, none above `limit`.
  Hybrid(std::uint64_t last, std::uint64_t limit) noexcept : last_(last), limit_(limit) {}

  // The stamp of a local event or of a message that is sent.
  Given now(Ns wall) noexcept { return rise(units_of(wall), 0); }

  // The stamp of taking a message stamped `remote`, unless its time is more than `most_ahead` units ahead of the wall.
  Given receive(std::uint64_t remote, Ns wall, std::uint64_t most_ahead) noexcept {
    const std::uint64_t units = units_of(wall);
    const std::uint64_t at = remote >> kCountBits;
    if (at > units && at - units > most_ahead) {
      refused_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a statistic
      return {Answer::ahead, remote};
    }
    return rise(units, remote);
  }

  // Everything up to `limit` is safe in a store now.
  void allow(std::uint64_t limit) noexcept {
    std::uint64_t seen = limit_.load(std::memory_order_relaxed);  // relaxed: the exchange below decides
    while (seen < limit &&
           !limit_.compare_exchange_weak(seen, limit, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }

  // acquire: what happened before the stamp was given happened before whoever reads it goes on.
  std::uint64_t last() const noexcept { return last_.load(std::memory_order_acquire); }
  std::uint64_t limit() const noexcept { return limit_.load(std::memory_order_acquire); }
  // relaxed, all three: statistics.
  std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }
  std::uint64_t carried() const noexcept { return carried_.load(std::memory_order_relaxed); }
  std::uint64_t farthest() const noexcept { return farthest_.load(std::memory_order_relaxed); }

 private:
  Given rise(std::uint64_t units, std::uint64_t above) noexcept {
    const std::uint64_t wall = units << kCountBits;
    std::uint64_t seen = last_.load(std::memory_order_relaxed);  // relaxed: the exchange below decides
    for (;;) {
      const std::uint64_t base = std::max(seen, above);
      if (base >= kLastStamp) [[unlikely]] {
        return {Answer::used_up, base};
      }
      const std::uint64_t next = std::max(wall, base + 1);
      // acquire: a limit that is seen is in the store.
      if (next > limit_.load(std::memory_order_acquire)) [[unlikely]] {
        return {Answer::beyond_limit, next};
      }
      // acq_rel: stamps carry the order of events between threads, as between machines.
      if (last_.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_relaxed)) [[likely]] {
        if (next >> kCountBits != units) [[unlikely]] {
          note(next, base, units);
        }
        return {Answer::given, next};
      }
    }
  }

  // What statistics show: how far the stamps run ahead of the wall, and how often a full count carried.
  void note(std::uint64_t next, std::uint64_t base, std::uint64_t units) noexcept {
    const std::uint64_t ahead = (next >> kCountBits) - units;
    std::uint64_t most = farthest_.load(std::memory_order_relaxed);  // relaxed, here and below: statistics
    while (ahead > most && !farthest_.compare_exchange_weak(most, ahead, std::memory_order_relaxed)) {
    }
    if (next == base + 1 && (base & kCountMask) == kCountMask) {
      carried_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  Word last_{0};
  Word limit_{kNoLimit};
  Word refused_{0};
  Word carried_{0};
  Word farthest_{0};
};

static_assert(sizeof(Hybrid) == 64);

}  // namespace seawall::clocks
