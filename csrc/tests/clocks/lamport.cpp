#include "seawall/clocks/lamport.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

using namespace seawall::clocks;

constexpr std::uint64_t kAny = ~std::uint64_t{0};

TEST_CASE("a tick adds one, and a receive goes above the greater of both") {
  Lamport clock{};
  CHECK(clock.value() == 0);
  CHECK(clock.tick() == 1);
  CHECK(clock.receive(10, kAny) == 11);
  CHECK(clock.receive(5, kAny) == 12);
  CHECK(clock.receive(12, kAny) == 13);
  CHECK(clock.value() == 13);
}

TEST_CASE("a value too far ahead is refused and changes nothing; one just near enough is taken") {
  Lamport clock{};
  CHECK(clock.receive(101, 100) == 0);
  CHECK(clock.value() == 0);
  CHECK(clock.receive(100, 100) == 101);
}

TEST_CASE("the last value is given once, and then none") {
  Lamport clock{};
  CHECK(clock.receive(kLastTick - 2, kAny) == kLastTick - 1);
  CHECK(clock.tick() == kLastTick);
  CHECK(clock.tick() == 0);
  CHECK(clock.receive(kLastTick, kAny) == 0);
  CHECK(clock.value() == kLastTick);
}

TEST_CASE("threads that tick and receive get values of their own, rising for each") {
  constexpr int kThreads = 4, kEach = 20'000;
  Lamport clock{};
  std::vector<std::vector<std::uint64_t>> given(kThreads);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : given) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) mine.push_back(i % 3 == 0 ? clock.receive(mine.size(), kAny) : clock.tick());
      });
    }
  }
  std::vector<std::uint64_t> all;
  for (const auto& mine : given) {
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
  CHECK(all.back() == clock.value());
}
