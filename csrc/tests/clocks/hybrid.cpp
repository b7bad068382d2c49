#include "seawall/clocks/hybrid.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

using namespace seawall::clocks;

namespace {

constexpr Ns kSecond = 1'000'000'000;
constexpr std::uint64_t kUnits = 65'536;

std::uint64_t stamp(std::uint64_t units, std::uint64_t count) { return units << kCountBits | count; }

std::uint64_t given(Given g) {
  REQUIRE(g.answer == Answer::given);
  return g.stamp;
}

}  // namespace

TEST_CASE("units are whole 2^-16 s, exact for every ns, within 1970 to 2106") {
  CHECK(units_of(0) == 0);
  CHECK(units_of(-1) == 0);
  CHECK(units_of(15'258) == 0);
  CHECK(units_of(15'259) == 1);
  CHECK(units_of(kSecond) == kUnits);
  CHECK(units_of(kSecond - 1) == kUnits - 1);
  CHECK(units_of(1'800'000'000 * kSecond + 500'000'000) == 1'800'000'000 * kUnits + kUnits / 2);
  CHECK(units_of((std::int64_t{1} << 32) * kSecond - 1) == kLastUnit);
  CHECK(units_of(INT64_MAX) == kLastUnit);
  for (Ns ns = 1; ns > 0 && ns < INT64_MAX / 3; ns = ns * 3 + 7) {
    CHECK(units_of(ns) ==
          std::min<std::uint64_t>(static_cast<std::uint64_t>(static_cast<seawall::memory::Wide>(ns) * kUnits / kSecond),
                                  kLastUnit));
  }
}

TEST_CASE("the example of the paper: stamps follow the wall, count while it stands, and go above what is taken") {
  Hybrid clock;
  CHECK(given(clock.now(10 * kSecond)) == stamp(10 * kUnits, 0));
  CHECK(given(clock.now(10 * kSecond)) == stamp(10 * kUnits, 1));
  CHECK(given(clock.receive(stamp(10 * kUnits, 5), 10 * kSecond, kUnits)) == stamp(10 * kUnits, 6));
  CHECK(given(clock.receive(stamp(11 * kUnits, 3), 10 * kSecond, kUnits)) == stamp(11 * kUnits, 4));
  CHECK(given(clock.receive(stamp(3, 3), 10 * kSecond, kUnits)) == stamp(11 * kUnits, 5));
  CHECK(given(clock.now(12 * kSecond)) == stamp(12 * kUnits, 0));
  CHECK(clock.farthest() == kUnits);
}

TEST_CASE("a wall clock that steps back is passed over") {
  Hybrid clock;
  const auto before = given(clock.now(100 * kSecond));
  CHECK(given(clock.now(10 * kSecond)) == before + 1);
  CHECK(clock.farthest() == 90 * kUnits);
}

TEST_CASE("a full count carries into the time, and is noted") {
  Hybrid clock;
  given(clock.receive(stamp(kUnits, 0xfffe), kSecond, 1));
  CHECK(clock.last() == stamp(kUnits, 0xffff));
  CHECK(clock.carried() == 0);
  CHECK(given(clock.now(kSecond)) == stamp(kUnits + 1, 0));
  CHECK(clock.carried() == 1);
}

TEST_CASE("a remote stamp beyond the drift changes nothing but its statistic") {
  Hybrid clock;
  const auto last = given(clock.now(kSecond));
  const auto answer = clock.receive(stamp(kUnits + 11, 0), kSecond, 10);
  CHECK(answer.answer == Answer::ahead);
  CHECK(clock.last() == last);
  CHECK(clock.refused() == 1);
  CHECK(given(clock.receive(stamp(kUnits + 10, 7), kSecond, 10)) == stamp(kUnits + 10, 8));
}

TEST_CASE("nothing above the limit is given before it is allowed, and a limit never sinks") {
  Hybrid clock(stamp(kUnits, 0xffff), stamp(kUnits, 0xffff));
  const auto answer = clock.now(0);
  CHECK(answer.answer == Answer::beyond_limit);
  CHECK(answer.stamp == stamp(kUnits + 1, 0));
  CHECK(clock.last() == stamp(kUnits, 0xffff));
  clock.allow(stamp(kUnits + 1, 1));
  clock.allow(0);
  CHECK(given(clock.now(0)) == stamp(kUnits + 1, 0));
  CHECK(given(clock.now(0)) == stamp(kUnits + 1, 1));
  CHECK(clock.now(0).answer == Answer::beyond_limit);
}

TEST_CASE("the last stamp is given once, and then none") {
  Hybrid clock(kLastStamp - 1, kNoLimit);
  CHECK(given(clock.now(0)) == kLastStamp);
  CHECK(clock.now(INT64_MAX).answer == Answer::used_up);
  CHECK(clock.receive(kLastStamp, INT64_MAX, 1).answer == Answer::used_up);
}

TEST_CASE("threads whose wall clock jumps get stamps of their own, rising for each, none above the limit of its time") {
  constexpr int kThreads = 4, kEach = 20'000;
  Hybrid clock(0, 0);
  std::atomic<std::uint64_t> stored{0}, uncovered{0};
  std::vector<std::vector<std::uint64_t>> all(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        auto& mine = all[static_cast<std::size_t>(t)];
        while (mine.size() < kEach) {
          const auto i = static_cast<Ns>(mine.size());
          const Ns wall = kSecond + (i % 7 == 0 ? -i * 20'000 : i * 10'000);
          const auto g = i % 5 == 0 && !mine.empty() ? clock.receive(mine.back(), wall, kLastUnit) : clock.now(wall);
          if (g.answer == Answer::beyond_limit) {
            const auto limit = g.stamp + 1000;
            for (auto seen = stored.load(); seen < limit && !stored.compare_exchange_weak(seen, limit);) {
            }
            clock.allow(stored.load());
            continue;
          }
          uncovered += g.stamp > stored.load();
          mine.push_back(g.stamp);
        }
      });
    }
  }
  CHECK(uncovered == 0);
  std::vector<std::uint64_t> flat;
  for (const auto& mine : all) {
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    flat.insert(flat.end(), mine.begin(), mine.end());
  }
  std::sort(flat.begin(), flat.end());
  CHECK(std::adjacent_find(flat.begin(), flat.end()) == flat.end());
}
