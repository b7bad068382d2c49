// Limits, each prepared so that it takes the path a busy service takes. Time is an argument.
#pragma once

#include <algorithm>
#include <new>

#include "operation.hpp"
#include "seawall/limits/keyed.hpp"

namespace seawall::instructions {

inline constexpr limits::Ns kSecond = 1'000'000'000;
inline constexpr limits::Kind kKinds[] = {limits::Kind::token_bucket, limits::Kind::leaky_bucket,
                                          limits::Kind::fixed_window, limits::Kind::sliding_window,
                                          limits::Kind::sliding_log};

inline limits::Config config(limits::Kind kind, std::uint64_t amount, std::uint64_t period, std::uint64_t limit,
                             std::uint64_t cells) {
  limits::Config c;
  c.amount = amount;
  c.period = period;
  c.limit = limit;
  if (!limits::derive(kind, c, cells)) std::abort();
  return c;
}

inline limits::Single& single(limits::Kind kind, std::uint64_t amount, std::uint64_t period, std::uint64_t limit) {
  const std::uint64_t cells = kind == limits::Kind::sliding_log ? limits::Log::ring(limit) : 0;
  auto* const made = new (zeroed(sizeof(limits::Single) + cells * sizeof(limits::Word))) limits::Single;
  made->control.start(config(kind, amount, period, limit, cells));
  return *made;
}

// A thousand a second, asked ten times a second: always room, windows roll, old entries leave.
inline Operation admitted(limits::Kind kind) {
  auto& limit = single(kind, 1'000, kSecond, 1'000);
  return [kind, &limit, now = limits::Ns{kSecond}](std::uint64_t n) mutable {
    bool right = true;
    for (; n != 0; --n) right &= limits::try_acquire(kind, limit, now += kSecond / 10, 1);
    return right;
  };
}

inline Operation refused(limits::Kind kind) {
  auto& limit = single(kind, 1, 365 * 86'400 * kSecond, 1);
  const limits::Ns now = kSecond;
  if (!limits::try_acquire(kind, limit, now, 1)) std::abort();
  return [kind, &limit, now](std::uint64_t n) {
    bool right = true;
    for (; n != 0; --n) right &= !limits::try_acquire(kind, limit, now + 1, 1);
    return right;
  };
}

// A table of a thousand keys that stay live.
inline constexpr std::uint64_t kKeys = 1'000;
inline constexpr auto kKeyed = limits::Kind::token_bucket;

inline limits::Keyed& table() {
  const std::uint64_t buckets = limits::Keyed::buckets_for(kKeys);
  auto* const made = new (zeroed(limits::Keyed::bytes(buckets, 0))) limits::Keyed;
  made->buckets = buckets;
  made->k0 = 1;
  made->k1 = 2;
  made->control.start(config(kKeyed, 1, kSecond, 200'000'000, 0));
  return *made;
}

// A known key, its hash included. The first round makes the keys known.
inline Operation keyed_hit() {
  std::vector<std::string> keys;
  for (std::uint64_t i = 0; i < kKeys; ++i) keys.push_back("user:" + std::to_string(100'000 + i));
  return [&at = table(), keys](std::uint64_t n) {
    bool right = true;
    for (; n != 0; --n) {
      const auto& key = keys[n % kKeys];
      const auto hash = hashing::hash_bytes(at.seed(), 1, key.data(), key.size());
      right &= limits::keyed_try(kKeyed, at, hash, limits::Ask{kSecond, 1});
    }
    return right;
  };
}

// Known whole numbers in batches of a thousand, their hashes included; for one key.
inline Operation keyed_batch() {
  return [&at = table(), hashes = std::vector<std::uint64_t>(kKeys)](std::uint64_t n) mutable {
    bool answers[kKeys];
    bool right = true;
    for (; n != 0; n -= kKeys) {
      for (std::uint64_t i = 0; i < kKeys; ++i) {
        hashes[i] = hashing::hash_int(at.seed(), 3, static_cast<std::int64_t>(i));
      }
      limits::keyed_try_many(kKeyed, at, hashes.data(), nullptr, kKeys, kSecond, answers);
      right &= std::count(answers, answers + kKeys, true) == static_cast<std::ptrdiff_t>(kKeys);
    }
    return right;
  };
}

inline std::vector<Named> limit_operations() {
  std::vector<Named> all;
  for (const auto kind : kKinds) {
    all.emplace_back(std::string(limits::name_of(kind)) + " admitted", admitted(kind));
    all.emplace_back(std::string(limits::name_of(kind)) + " refused", refused(kind));
  }
  all.emplace_back("keyed str, admitted", keyed_hit());
  all.emplace_back("keyed int batch, each", keyed_batch());
  return all;
}

}  // namespace seawall::instructions
