#include "seawall/time/wall.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace seawall::time;

TEST_CASE("a reading lies between two readings of the system, but for a millisecond of a step") {
  CounterClock counter(CounterClock::trustworthy());
  WallClock wall(counter);
  for (int i = 0; i < 10'000; ++i) {
    const auto before = realtime_ns();
    const auto read = wall.now_ns();
    const auto after = realtime_ns();
    CHECK(read >= before - 1'000'000);
    CHECK(read <= after + 1'000'000);
  }
}

TEST_CASE("a counter that is not trusted is not read") {
  CounterClock counter(false);
  WallClock wall(counter);
  const auto before = realtime_ns();
  const auto read = wall.now_ns();
  CHECK(read >= before);
  CHECK(read <= realtime_ns());
}

TEST_CASE("threads may read at once") {
  CounterClock counter(CounterClock::trustworthy());
  WallClock wall(counter);
  std::vector<std::jthread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) wrong += wall.now_ns() <= 0;
    });
  }
  threads.clear();
  CHECK(wrong == 0);
}

TEST_CASE("a hand is read in place of the machine") {
  Hand hand{42};
  CHECK(wall_ns({&hand, nullptr}) == 42);
}
