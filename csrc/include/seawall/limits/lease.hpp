// Calls taken ahead from a limit elsewhere, to be used here until they lapse.
//
// Guarantees: no more is taken than was filled in, whatever the interleaving, and nothing once the lease has lapsed,
// but for callers that looked at the clock before. One fills at a time; takers need not know of it. Mechanism: a count
// and two times. Who fills exchanges the count last, so that no taker sees new calls under an old time. Progress:
// lock-free. Cost: one compare-and-swap a call.
#pragma once

#include <cstdint>

#include "seawall/memory/word.hpp"

namespace seawall::limits {

using memory::Ns;
using memory::Word;

enum class Taken : int { yes, no, ask };

class alignas(64) Lease {
 public:
  Word admitted{0};
  Word refused{0};

  // `cost` calls from what is here; `no` while it is known that there is nothing elsewhere either.
  Taken take(Ns now, std::uint64_t cost) noexcept {
    if (now < static_cast<Ns>(until_.load(std::memory_order_acquire))) {
      std::uint64_t held = held_.load(std::memory_order_acquire);
      while (held >= cost) {
        if (held_.compare_exchange_weak(held, held - cost, std::memory_order_acq_rel, std::memory_order_acquire)) {
          admitted.fetch_add(1, std::memory_order_relaxed);
          return Taken::yes;
        }
      }
    }
    return now < static_cast<Ns>(shut_until_.load(std::memory_order_acquire)) ? Taken::no : Taken::ask;
  }

  // `calls` from now on, until then; what was left of those before.
  std::uint64_t fill(std::uint64_t calls, Ns until) noexcept {
    const std::uint64_t left = held_.exchange(0, std::memory_order_acq_rel);
    until_.store(static_cast<std::uint64_t>(until), std::memory_order_release);
    shut_until_.store(0, std::memory_order_release);
    held_.store(calls, std::memory_order_release);
    return left;
  }

  // All that is here; nothing stays.
  std::uint64_t drain() noexcept { return held_.exchange(0, std::memory_order_acq_rel); }

  // Nobody need ask before.
  void shut(Ns until) noexcept { shut_until_.store(static_cast<std::uint64_t>(until), std::memory_order_release); }

  std::uint64_t held(Ns now) const noexcept {
    return now < static_cast<Ns>(until_.load(std::memory_order_acquire)) ? held_.load(std::memory_order_acquire) : 0;
  }

  Ns until() const noexcept { return static_cast<Ns>(until_.load(std::memory_order_acquire)); }
  Ns shut_until() const noexcept { return static_cast<Ns>(shut_until_.load(std::memory_order_acquire)); }

 private:
  Word held_{0};
  Word until_{0};
  Word shut_until_{0};
};

}  // namespace seawall::limits
