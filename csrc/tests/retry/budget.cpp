#include "seawall/retry/budget.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <deque>
#include <memory>
#include <random>
#include <thread>
#include <vector>

using namespace seawall::retry;

namespace {

constexpr Ns kSecond = 1'000'000'000;

BudgetConfig config(double ratio, std::uint64_t reserve) {
  BudgetConfig c;
  c.bucket_ns = kSecond;
  c.ratio = static_cast<std::uint64_t>(std::ceil(ratio * static_cast<double>(kOne)));
  c.reserve = reserve * kOne;
  return c;
}

std::unique_ptr<RetryBudget> budget(const BudgetConfig& c) {
  auto b = std::make_unique<RetryBudget>();
  REQUIRE(valid(c));
  b->control.start(c);
  return b;
}

int all(RetryBudget& b, Ns now) {
  int n = 0;
  while (b.withdraw(now)) {
    ++n;
  }
  return n;
}

// The slow, obvious budget.
struct Model {
  struct Entry {
    std::uint64_t bucket;
    bool deposit;
  };
  BudgetConfig c;
  std::deque<Entry> entries{};
  std::uint64_t newest = 0;

  std::uint64_t bucket(Ns now) const { return std::max(newest, static_cast<std::uint64_t>(now) / c.bucket_ns); }

  std::uint64_t balance(Ns now) const {
    std::uint64_t deposits = 0, withdrawals = 0;
    for (const Entry& e : entries) {
      if (e.bucket + kBuckets > bucket(now)) {
        ++(e.deposit ? deposits : withdrawals);
      }
    }
    const std::uint64_t most = (deposits * c.ratio + c.reserve) >> 32;
    return most > withdrawals ? most - withdrawals : 0;
  }

  void add(Ns now, bool deposit) {
    newest = bucket(now);
    entries.push_back({newest, deposit});
  }
};

}  // namespace

TEST_CASE("retries are a share of the first attempts: ten of a tenth pay for one") {
  auto b = budget(config(0.1, 0));
  for (int i = 0; i < 9; ++i) {
    b->deposit(0);
  }
  CHECK_FALSE(b->withdraw(0));
  b->deposit(0);
  CHECK(b->balance(0) == 1);
  CHECK(b->withdraw(0));
  CHECK_FALSE(b->withdraw(0));
  CHECK(b->balance(0) == 0);
  CHECK(b->refused == 2);
}

TEST_CASE("the reserve pays without any deposit, and comes back with the window") {
  auto b = budget(config(0, 3));
  CHECK(b->balance(0) == 3);
  CHECK(all(*b, 0) == 3);
  CHECK(all(*b, 9 * kSecond) == 0);
  CHECK(all(*b, 10 * kSecond) == 3);
  CHECK(reserve_of(10 * kOne, kSecond) == 100 * kOne);
  CHECK(reserve_of(kOne / 10, kSecond) >= kOne - 10);
  CHECK(reserve_of(1, kLeastBucketNs) == 1);
  CHECK(reserve_of(UINT64_MAX, kLongestNs / kBuckets) == kMostReserve * kOne);
}

TEST_CASE("a random history is answered as by a list of deposits and withdrawals") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    BudgetConfig c = config(0.05 * static_cast<double>(random() % 30), random() % 5);
    c.bucket_ns = kLeastBucketNs + random() % kSecond;
    auto b = budget(c);
    Model model{c};
    Ns now = static_cast<Ns>(random() % (1000 * c.bucket_ns));
    for (int i = 0; i < 2000; ++i) {
      const Ns bucket = static_cast<Ns>(c.bucket_ns);
      const std::uint64_t dice = random() % 50;
      now += dice == 0 ? static_cast<Ns>(random() % (20 * c.bucket_ns)) : static_cast<Ns>(random() % (c.bucket_ns / 4));
      now = dice == 1 ? std::max<Ns>(0, now - 15 * bucket) : now;
      REQUIRE(b->balance(now) == model.balance(now));
      if (random() % 2) {
        b->deposit(now);
        model.add(now, true);
      } else {
        const bool granted = model.balance(now) > 0;
        REQUIRE(b->withdraw(now) == granted);
        model.newest = model.bucket(now);
        if (granted) {
          model.add(now, false);
        }
      }
    }
  }
}

TEST_CASE("a clock that stands back an hour gives nothing twice, one that jumps starts a new window") {
  auto b = budget(config(0, 3));
  constexpr Ns kNoon = 12 * 3600 * kSecond;
  CHECK(all(*b, kNoon) == 3);
  CHECK(all(*b, kNoon - 3600 * kSecond) == 0);
  CHECK(all(*b, -5) == 0);
  CHECK(all(*b, INT64_MIN) == 0);
  CHECK(all(*b, kNoon + 3600 * kSecond) == 3);
  CHECK(all(*b, INT64_MAX) == 3);
}

TEST_CASE("a full bucket counts no further: more deposits earn nothing, withdrawals are refused") {
  constexpr std::uint64_t kMost = (1u << 24) - 1;
  auto b = budget(config(1000.0, 0));
  for (std::uint64_t i = 0; i < kMost + 10; ++i) {
    b->deposit(0);
  }
  CHECK(b->balance(0) == 1000 * kMost);
  for (std::uint64_t i = 0; i < kMost; ++i) {
    b->withdraw(0);
  }
  CHECK_FALSE(b->withdraw(0));
  CHECK(b->balance(0) == 999 * kMost);
  CHECK(b->withdraw(kSecond));
}

TEST_CASE("a budget that is given a window of another length starts anew, also when its buckets' numbers fall") {
  auto b = budget(config(0, 3));
  CHECK(all(*b, 1000 * kSecond) == 3);
  BudgetConfig longer = config(0, 5);
  longer.bucket_ns = 60 * kSecond;
  b->control.publish(longer);
  CHECK(all(*b, 1000 * kSecond) == 5);
  CHECK(all(*b, 1000 * kSecond + 10 * static_cast<Ns>(longer.bucket_ns)) == 5);
}
