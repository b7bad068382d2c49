#include "seawall/time/counter.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <vector>

using namespace seawall::time;

namespace {

// Reads until the clock has served `ns`, and gives the worst step back and the worst distance from the system's clock.
struct Seen {
  std::int64_t back = 0;
  std::int64_t off = 0;
};

Seen watch(CounterClock& clock, std::int64_t ns) {
  Seen seen;
  std::int64_t last = 0;
  for (const std::int64_t end = monotonic_ns() + ns; monotonic_ns() < end;) {
    const std::int64_t before = monotonic_ns();
    const std::int64_t now = clock.now_ns();
    const std::int64_t after = monotonic_ns();
    seen.back = std::max(seen.back, last - now);
    seen.off = std::max({seen.off, before - now, now - after});
    last = now;
  }
  return seen;
}

constexpr std::int64_t kWatched = 120'000'000;

}  // namespace

TEST_CASE("a thread never sees the counter clock go back, nor far from the system's") {
  CounterClock clock(CounterClock::trustworthy());
  const Seen seen = watch(clock, kWatched);
  CHECK(seen.back == 0);
  CHECK(seen.off < 100'000);  // a microsecond is typical; a preempted reader may be told an older time
}

TEST_CASE("threads draw the line together") {
  CounterClock clock(CounterClock::trustworthy());
  std::vector<std::thread> threads;
  std::vector<Seen> seen(4);
  for (auto& one : seen) {
    threads.emplace_back([&] { one = watch(clock, kWatched); });
  }
  for (auto& t : threads) {
    t.join();
  }
  for (const auto& one : seen) {
    CHECK(one.back < 1'000);
    CHECK(one.off < 100'000'000);  // four watchers on two processors are preempted between their readings
  }
}

TEST_CASE("a clock that is not trusted is the system's") {
  CounterClock clock(false);
  const std::int64_t before = monotonic_ns();
  const std::int64_t now = clock.now_ns();
  CHECK(before <= now);
  CHECK(now <= monotonic_ns());
}

TEST_CASE("the environment can ask for the system's clock") {
  ::setenv("SEAWALL_CLOCK", "system", 1);
  CHECK_FALSE(CounterClock::trustworthy());
  ::unsetenv("SEAWALL_CLOCK");
}
