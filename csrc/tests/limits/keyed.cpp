#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "limits/box.hpp"

using namespace seawall::limits;

TEST_CASE("every key has a limit of its own, and a full table refuses new keys and forgets none") {
  for (const Kind kind : kAll) {
    KeyedBox box(kind, 2, kSecond, 2, 1000);
    const int each = kind == Kind::leaky_bucket ? 1 : 2;
    int admitted = 0;
    for (int round = 0; round < 3; ++round) {
      for (int key = 0; key < 1000; ++key) {
        admitted += box.take(key, 5);
      }
    }
    CHECK(admitted == 1000 * each);
    CHECK(box.overflowed() == 0);
    for (int key = 1000; key < 20'000; ++key) {
      box.take(key, 6);
    }
    CHECK(box.overflowed() > 0);
    for (int key = 0; key < 1000; ++key) {
      REQUIRE_FALSE(box.take(key, 7));  // still remembered
    }
  }
}

TEST_CASE("a key that finds no place is told the instant at which one is free, and looking says the same") {
  for (const Kind kind : kAll) {
    KeyedBox box(kind, 7, kSecond, 7, 1);
    Ns now = 3 * kSecond / 10;
    for (int key = 0; key < 200; ++key) {
      box.take(key, now);
    }
    const std::uint64_t counted = box.overflowed();
    int asked = 0;
    for (int key = 200; key < 220; ++key, ++now) {
      const Verdict seen = keyed_decide(kind, *box.table, box.hash(key), Ask{now, 1, 0, false}, nullptr);
      if (!seen.overflow) {
        continue;
      }
      CHECK(box.overflowed() == counted + static_cast<std::uint64_t>(asked));
      const Verdict told = keyed_decide(kind, *box.table, box.hash(key), Ask{now, 1}, nullptr);
      CHECK_FALSE(told.admitted);
      CHECK(told.at == seen.at);
      CHECK_FALSE(keyed_decide(kind, *box.table, box.hash(key), Ask{told.at - 1, 1, 0, false}, nullptr).admitted);
      CHECK(keyed_decide(kind, *box.table, box.hash(key), Ask{told.at, 1, 0, false}, nullptr).admitted);
      ++asked;
    }
    CHECK(asked >= 10);
  }
}

TEST_CASE("what one key cancelled does not count against the key that takes its place") {
  for (const Kind kind : kAll) {
    KeyedBox box(kind, 2, kSecond, 2, 1);  // two buckets: 16 places
    for (int key = 0; key < 40; ++key) {
      Ticket ticket;
      const std::uint64_t hash = box.hash(key);
      if (keyed_decide(kind, *box.table, hash, Ask{5, 2, kFarthestNs, true}, &ticket).admitted) {
        keyed_refund(kind, *box.table, hash, ticket, 5);
      }
    }
    for (int key = 100; key < 140; ++key) {
      const Verdict v = keyed_decide(kind, *box.table, box.hash(key), Ask{6 + key, 1}, nullptr);
      CHECK((v.admitted || v.overflow));
      CHECK((v.overflow || v.remaining == 1));
    }
  }
}

TEST_CASE("replenished keys make room") {
  for (const Kind kind : kAll) {
    KeyedBox box(kind, 2, kSecond, 2, 100);
    Ns now = 0;
    for (int wave = 0; wave < 50; ++wave, now += 10 * kSecond) {
      for (int key = 0; key < 100; ++key) {
        REQUIRE(box.take(wave * 100 + key, now));
      }
    }
    CHECK(box.overflowed() == 0);
    CHECK(keyed_live(kind, *box.table, now) == 0);
  }
}

TEST_CASE("threads that fight for a tiny table admit no key more often than its limit") {
  for (const Kind kind : kAll) {
    constexpr int kThreads = 4, kKeys = 40, kPhases = 60;
    KeyedBox box(kind, 3, kSecond, 3, 1);  // two buckets: 16 places
    const int each = kind == Kind::leaky_bucket ? 1 : 3;
    std::vector<std::atomic<int>> admitted(kKeys);
    int careful = 0;  // keys that got less: a caller that lost its race may leave a log more careful for a window
    for (int phase = 0; phase < kPhases; ++phase) {
      for (auto& one : admitted) {
        one = 0;
      }
      const Ns now = phase * 10 * kSecond;
      std::vector<std::thread> threads;
      for (int who = 0; who < kThreads; ++who) {
        threads.emplace_back([&, who] {
          for (int i = 0; i < kKeys * 8; ++i) {
            const int key = (i * (2 * who + 1) + phase) % kKeys;
            admitted[static_cast<std::size_t>(key)] += box.take(key, now);
          }
        });
      }
      for (auto& t : threads) {
        t.join();
      }
      int keys = 0;
      for (auto& one : admitted) {
        REQUIRE(one <= each);
        keys += one != 0;
        careful += one != 0 && one != each;
      }
      REQUIRE(keys <= 16);
      REQUIRE(keys >= 8);
    }
    CHECK(careful <= kPhases / 4);
  }
}

TEST_CASE("a claim or commit left behind by a dead process is undone or finished by whoever meets it") {
  KeyedBox box(Kind::token_bucket, 1, kSecond, 1, 1);
  for (int key = 0; key < 8; ++key) {
    box.take(key, 0);
  }
  // Every place is left half changed, as a process killed between two steps would leave it.
  for (std::uint64_t i = 0; i < box.table->buckets * kWays; ++i) {
    Bucket& b = *box.table->bucket(i / kWays);
    const std::uint64_t generation = b.keys[i % kWays].load() % (std::uint64_t{1} << 13);
    const std::uint64_t payload = (0xabcdef00 + i) << 13 | generation;
    b.states[i % kWays].store(pack(i % 2 ? kClaim : kCommit, payload));
  }
  Ns later = 100 * kSecond;  // an entry just settled is as new as this instant, so time must pass for it to be replaced
  int admitted = 0;
  for (int key = 100; key < 108; ++key) {
    admitted += box.take(key, later) || box.take(key, ++later);
  }
  CHECK(admitted == 8);
  for (int key = 100; key < 108; ++key) {
    CHECK_FALSE(box.take(key, later));
  }
}

TEST_CASE("a batch decides like single calls, in order") {
  for (const Kind kind : kAll) {
    KeyedBox one(kind, 3, kSecond, 3, 64), many(kind, 3, kSecond, 3, 64);
    std::vector<std::uint64_t> hashes, costs;
    for (int i = 0; i < 300; ++i) {
      hashes.push_back(one.hash(i * 7 % 50));
      costs.push_back(static_cast<std::uint64_t>(1 + i % 3));
    }
    bool batch[300];
    keyed_try_many(kind, *many.table, hashes.data(), costs.data(), hashes.size(), 9, batch);
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      REQUIRE(batch[i] == keyed_try(kind, *one.table, hashes[i], Ask{9, costs[i]}));
    }
  }
}
