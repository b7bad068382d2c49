#include "seawall/limits/lease.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace seawall::limits;

TEST_CASE("a lease gives what it holds until it lapses, then asks") {
  Lease lease;
  CHECK(lease.take(5, 1) == Taken::ask);
  CHECK(lease.fill(3, 10) == 0);
  CHECK(lease.take(5, 2) == Taken::yes);
  CHECK(lease.take(5, 2) == Taken::ask);
  CHECK(lease.held(9) == 1);
  CHECK(lease.held(10) == 0);
  CHECK(lease.take(10, 1) == Taken::ask);
  CHECK(lease.fill(4, 20) == 1);
  CHECK(lease.drain() == 4);
  CHECK(lease.admitted.load() == 1);
}

TEST_CASE("a lease that is shut gives what it holds and asks for no more until then") {
  Lease lease;
  lease.fill(1, 10);
  lease.shut(8);
  CHECK(lease.take(5, 1) == Taken::yes);
  CHECK(lease.take(5, 1) == Taken::no);
  CHECK(lease.take(8, 1) == Taken::ask);
  lease.shut(20);
  lease.fill(1, 30);
  CHECK(lease.shut_until() == 0);
}

TEST_CASE("threads take exactly what is filled in, whatever is drained meanwhile") {
  Lease lease;
  std::atomic<std::uint64_t> taken{0}, left{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> takers;
  for (int i = 0; i < 3; ++i) {
    takers.emplace_back([&] {
      while (!done.load()) {
        taken.fetch_add(lease.take(1, 2) == Taken::yes ? 2 : 0);
      }
    });
  }
  std::uint64_t filled = 0;
  for (int round = 0; round < 20'000; ++round) {
    left.fetch_add(lease.fill(5, 10));
    filled += 5;
    if (round % 3 == 0) {
      left.fetch_add(lease.drain());
    }
  }
  done.store(true);
  for (auto& taker : takers) {
    taker.join();
  }
  CHECK(taken.load() + left.load() + lease.drain() == filled);
}
