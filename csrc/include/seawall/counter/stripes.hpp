// A counter that many threads and processes add to without sharing a cache line.
//
// Progress: add and value are wait-free. A completed add is in every later value; value is no snapshot of adds in
// flight. Mechanism: a thread adds to the stripe it drew once; the value is the sum of the stripes. All words are zero
// at birth, so zeroed memory is an empty counter, in an object as in a shared segment. Overflow: the total wraps at
// 2**64. Cost: 2-3 ns to add, 16 cache lines to read. Source: LongAdder (Doug Lea, java.util.concurrent.atomic), folly
// ThreadCachedInt.
#pragma once

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seawall::counter {

inline constexpr std::size_t kStripes = 16;  // a power of two; 1 KiB a counter

namespace detail {

inline std::atomic<std::uint32_t> ticket{0};
#if defined(__GLIBC__)
[[gnu::tls_model("initial-exec")]]  // four bytes, for which glibc keeps room in loaded libraries: no call to find them
#endif
inline thread_local std::uint32_t stripe = ~std::uint32_t{0};  // not drawn yet

// Processes forked one after the other have neighbouring ids, threads neighbouring tickets: both spread evenly.
inline std::uint32_t draw_stripe() noexcept {
  // relaxed: the ticket orders nothing, it only differs.
  const auto turn = ticket.fetch_add(1, std::memory_order_relaxed);
  return (static_cast<std::uint32_t>(::getpid()) + turn) % kStripes;
}

// Cold: once a thread. A forked child inherits its parent's stripe, so it draws again before it can add.
// A binary with hidden symbols has its own ticket and stripe, and registers its own handler here.
[[gnu::noinline, gnu::cold]] inline std::uint32_t first_stripe() noexcept {
  static const int registered = ::pthread_atfork(nullptr, nullptr, [] { stripe = draw_stripe(); });
  static_cast<void>(registered);
  return stripe = draw_stripe();
}

}  // namespace detail

// The stripe of the calling thread, below kStripes.
inline std::uint32_t my_stripe() noexcept {
  const auto mine = detail::stripe;
  return mine < kStripes ? mine : detail::first_stripe();
}

struct Stripes {
  struct alignas(64) Stripe {
    std::atomic<std::uint64_t> total;
  };
  std::array<Stripe, kStripes> stripes;

  void add(std::uint64_t n) noexcept {
    // relaxed: the addition itself is atomic, and a count publishes nothing else.
    stripes[my_stripe()].total.fetch_add(n, std::memory_order_relaxed);
  }

  std::uint64_t value() const noexcept {
    std::uint64_t sum = 0;
    // relaxed: coherence alone shows every add that happened before; adds in flight may or may not be in.
    for (const auto& stripe : stripes) sum += stripe.total.load(std::memory_order_relaxed);
    return sum;
  }
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(sizeof(Stripes) == kStripes * 64);

}  // namespace seawall::counter
