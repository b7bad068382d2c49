// Limits and tables in memory of their own, for the tests.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "seawall/limits/keyed.hpp"

namespace seawall::limits {

inline Config config(Kind kind, std::uint64_t amount, std::uint64_t period, std::uint64_t limit, std::uint64_t cells) {
  Config c;
  c.amount = amount;
  c.period = period;
  c.limit = limit;
  if (!derive(kind, c, cells)) {
    std::abort();
  }
  return c;
}

struct Free {
  void operator()(void* p) const { std::free(p); }
};

inline void* zeroed(std::size_t size) {
  void* at = std::aligned_alloc(128, (size + 127) / 128 * 128);
  std::memset(at, 0, size);
  return at;
}

struct Box {
  Kind kind;
  std::uint64_t cells;
  std::unique_ptr<Single, Free> limit;

  Box(Kind k, std::uint64_t amount, std::uint64_t period, std::uint64_t most)
      : kind(k), cells(k == Kind::sliding_log ? Log::ring(most) : 0) {
    limit.reset(new (zeroed(sizeof(Single) + cells * sizeof(Word))) Single);
    limit->control.start(config(kind, amount, period, most, cells));
  }

  bool take(Ns now, std::uint64_t cost = 1) { return try_acquire(kind, *limit, now, cost); }
  Verdict look(Ns now, std::uint64_t cost = 1) { return decide(kind, *limit, Ask{now, cost, 0, false}, nullptr); }
  Verdict reserve(Ns now, Ticket& ticket, std::uint64_t cost = 1) {
    return decide(kind, *limit, Ask{now, cost, kFarthestNs, true}, &ticket);
  }
};

struct KeyedBox {
  Kind kind;
  std::unique_ptr<Keyed, Free> table;

  KeyedBox(Kind k, std::uint64_t amount, std::uint64_t period, std::uint64_t most, std::uint64_t keys) : kind(k) {
    const std::uint64_t cells = k == Kind::sliding_log ? Log::ring(most) : 0;
    const std::uint64_t buckets = Keyed::buckets_for(keys);
    table.reset(new (zeroed(Keyed::bytes(buckets, cells))) Keyed);
    table->buckets = buckets;
    table->cells = cells;
    table->k0 = 1;
    table->k1 = 2;
    table->control.start(config(kind, amount, period, most, cells));
  }

  std::uint64_t hash(std::int64_t key) const { return hashing::hash_int(table->seed(), 3, key); }
  bool take(std::int64_t key, Ns now) { return keyed_try(kind, *table, hash(key), Ask{now, 1}); }
  std::uint64_t overflowed() const {
    std::uint64_t sum = 0;
    for (const auto& s : table->stats) {
      sum += s.overflowed.load();
    }
    return sum;
  }
};

inline constexpr Kind kAll[] = {Kind::token_bucket, Kind::leaky_bucket, Kind::fixed_window, Kind::sliding_window,
                                Kind::sliding_log};
inline constexpr Ns kSecond = 1'000'000'000;

}  // namespace seawall::limits
