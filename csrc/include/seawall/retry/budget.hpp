// How many retries the calls of a window pay for: a share of the first attempts, and a few a second besides.
//
// Guarantees: a withdrawal is granted only while those of its window, itself included, are at most ratio x deposits +
// reserve, whatever the interleaving; a process killed anywhere costs at most one withdrawal until its bucket passes.
// Mechanism: ten buckets of one word, each tagged with its number, so that nothing is ever cleared; a withdrawal is
// added first and taken back when it was one too many. The window is nine to ten buckets long. Progress: lock-free.
// Cost: one compare-and-swap a deposit; one and ten loads a withdrawal. Source: Finagle's RetryBudget, gRFC A6.
#pragma once

#include <algorithm>
#include <cstdint>

#include "seawall/memory/published.hpp"
#include "seawall/memory/word.hpp"

namespace seawall::retry {

using memory::Ns;
using memory::Wide;
using memory::Word;

inline constexpr std::uint64_t kBuckets = 10;
inline constexpr std::uint64_t kOne = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kLeastBucketNs = 1'000'000;
inline constexpr std::uint64_t kLongestNs = std::uint64_t{1} << 58;
inline constexpr std::uint64_t kMostReserve = std::uint64_t{1} << 24;  // withdrawals; a bucket counts no more
inline constexpr std::uint64_t kMostRatio = 1000;

struct BudgetConfig {
  std::uint64_t bucket_ns = 1'000'000'000;  // a tenth of the window
  std::uint64_t ratio = kOne / 5;           // withdrawals a deposit, fixed point, rounded up (ten of 0.1 are 1)
  std::uint64_t reserve = 100 * kOne;       // withdrawals a window without any deposit, fixed point, rounded up
};

constexpr bool valid(const BudgetConfig& c) noexcept {
  return c.bucket_ns >= kLeastBucketNs && c.bucket_ns <= kLongestNs / kBuckets && c.ratio <= kMostRatio * kOne &&
         c.reserve <= kMostReserve * kOne;
}

// The reserve of `per_second` (fixed point) for a window.
constexpr std::uint64_t reserve_of(std::uint64_t per_second, std::uint64_t bucket_ns) noexcept {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const Wide whole = (Wide{per_second} * bucket_ns * kBuckets + kSecond - 1) / kSecond;
  return whole > kMostReserve * kOne ? kMostReserve * kOne : static_cast<std::uint64_t>(whole);
}

class alignas(64) RetryBudget {
 public:
  memory::Published<BudgetConfig> control;
  Word refused{0};

  // A first attempt.
  void deposit(Ns now) noexcept {
    BudgetConfig c;
    control.read(c);
    std::uint64_t number;
    add(c, now, kDeposit, number);
  }

  // May a retry be made?
  bool withdraw(Ns now) noexcept {
    BudgetConfig c;
    control.read(c);
    std::uint64_t number;
    if (add(c, now, kWithdrawal, number)) {
      if (within(c, sum(c, newest(c, head_.load(), now)))) {
        return true;
      }
      take_back(c, number);
    }
    refused.fetch_add(1, std::memory_order_relaxed);  // a statistic
    return false;
  }

  // How many withdrawals would be granted at this instant.
  std::uint64_t balance(Ns now) const noexcept {
    BudgetConfig c;
    control.read(c);
    const Sum s = sum(c, newest(c, head_.load(), now));
    const std::uint64_t most = static_cast<std::uint64_t>(allowed(c, s) >> 32);
    return most > s.withdrawals ? most - s.withdrawals : 0;
  }

 private:
  static constexpr int kCountBits = 24;
  static constexpr int kNumberBits = 40;  // of buckets of at least 1 ms in nine years
  static constexpr std::uint64_t kMost = (std::uint64_t{1} << kCountBits) - 1;
  static constexpr std::uint64_t kDeposit = 1;
  static constexpr std::uint64_t kWithdrawal = std::uint64_t{1} << kCountBits;

  struct Sum {
    std::uint64_t deposits = 0;
    std::uint64_t withdrawals = 0;
  };

  static std::uint64_t deposits_in(std::uint64_t word) noexcept { return word & kMost; }
  static std::uint64_t withdrawals_in(std::uint64_t word) noexcept { return word >> kCountBits & kMost; }

  // Buckets of another length are other buckets.
  static std::uint64_t shape(const BudgetConfig& c) noexcept {
    return c.bucket_ns * 0x9e3779b97f4a7c15u >> kNumberBits;
  }
  static std::uint64_t tag_of(const BudgetConfig& c, std::uint64_t number) noexcept {
    return (shape(c) + number / kBuckets) & 0xffff;
  }
  static std::uint64_t own(const BudgetConfig& c, std::uint64_t number, std::uint64_t word) noexcept {
    const std::uint64_t tag = tag_of(c, number) << 2 * kCountBits;
    return word >> 2 * kCountBits << 2 * kCountBits == tag ? word : tag;
  }

  // The number of the newest bucket: time that steps back stays in it.
  static std::uint64_t newest(const BudgetConfig& c, std::uint64_t head, Ns now) noexcept {
    const std::uint64_t at = std::min(static_cast<std::uint64_t>(std::max<Ns>(now, 0)), kLongestNs) / c.bucket_ns;
    const bool same = head >> kNumberBits == shape(c);
    return same ? std::max(at, head & ((std::uint64_t{1} << kNumberBits) - 1)) : at;
  }

  std::uint64_t advance(const BudgetConfig& c, Ns now) noexcept {
    std::uint64_t seen = head_.load();
    for (;;) {
      const std::uint64_t number = newest(c, seen, now);
      const std::uint64_t next = shape(c) << kNumberBits | number;
      if (next == seen || head_.compare_exchange_weak(seen, next)) {
        return number;
      }
    }
  }

  // Adds to the newest bucket; false when it is full. All here is seq_cst (the default): of two withdrawals that are
  // one too many together, one at least must see both.
  bool add(const BudgetConfig& c, Ns now, std::uint64_t one, std::uint64_t& number) noexcept {
    for (;;) {
      number = advance(c, now);
      Word& bucket = buckets_[number % kBuckets];
      std::uint64_t seen = bucket.load();
      // Held up for a whole window, one would write over a newer bucket; the head tells.
      if (newest(c, head_.load(), now) >= number + kBuckets) {
        continue;
      }
      const std::uint64_t before = own(c, number, seen);
      if ((one == kDeposit ? deposits_in(before) : withdrawals_in(before)) == kMost) {
        return false;
      }
      if (bucket.compare_exchange_weak(seen, before + one)) {
        return true;
      }
    }
  }

  void take_back(const BudgetConfig& c, std::uint64_t number) noexcept {
    Word& bucket = buckets_[number % kBuckets];
    std::uint64_t seen = bucket.load();
    while (own(c, number, seen) == seen && withdrawals_in(seen) > 0 &&
           !bucket.compare_exchange_weak(seen, seen - kWithdrawal)) {
    }
  }

  Sum sum(const BudgetConfig& c, std::uint64_t last) const noexcept {
    Sum out;
    for (std::uint64_t number = last < kBuckets ? 0 : last - kBuckets + 1; number <= last; ++number) {
      const std::uint64_t word = own(c, number, buckets_[number % kBuckets].load());
      out.deposits += deposits_in(word);
      out.withdrawals += withdrawals_in(word);
    }
    return out;
  }

  static Wide allowed(const BudgetConfig& c, const Sum& s) noexcept { return Wide{c.ratio} * s.deposits + c.reserve; }
  static bool within(const BudgetConfig& c, const Sum& s) noexcept {
    return Wide{s.withdrawals} << 32 <= allowed(c, s);
  }

  Word head_{0};  // 24 bits of the buckets' length, 40 of the newest bucket's number
  Word buckets_[kBuckets]{};
};

}  // namespace seawall::retry
