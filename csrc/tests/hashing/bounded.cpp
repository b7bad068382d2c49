#include "seawall/hashing/bounded.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

using namespace seawall::hashing;

namespace {

constexpr std::size_t kNodes = 6;

Ring ring() {
  static const std::string names[kNodes] = {"a", "b", "c", "d", "e", "f"};
  std::vector<Arrival> arrivals;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(kNodes); ++i) {
    arrivals.push_back({names[static_cast<std::size_t>(i)], i, 20});
  }
  return Ring().changed({}, arrivals);
}

std::vector<double> equal() { return std::vector<double>(kNodes, 1.0 / kNodes); }

}  // namespace

TEST_CASE("no node ever carries more than its share and the headroom, rounded up") {
  for (const double headroom : {0.01, 0.25, 1.0}) {
    const auto on = ring();
    const Bounded bounds(equal(), headroom, nullptr, {});
    std::vector<Bounded::Hold> holds(1'000);
    for (std::size_t i = 0; i < holds.size(); ++i) {
      bounds.acquire(on, stable_hash(i % 3), holds[i]);  // three hot keys
      for (const auto load : bounds.loads()) {
        CHECK(load <= capacity(static_cast<std::int64_t>(i + 1), 1.0 / kNodes, headroom));
      }
    }
    for (auto& hold : holds) bounds.release(hold);
    for (auto& hold : holds) bounds.release(hold);
    CHECK(bounds.loads() == std::vector<std::int64_t>(kNodes, 0));
  }
}

TEST_CASE("with room at its place a key stays there") {
  const auto on = ring();
  const Bounded bounds(equal(), 5.0, nullptr, {});
  for (std::uint64_t key = 0; key < 100; ++key) {
    CHECK(bounds.one(on, stable_hash(key), std::vector<std::int64_t>(kNodes, 3)) == on.owner(stable_hash(key)));
  }
}

TEST_CASE("threads lose no load, on rings that share their nodes") {
  const auto on = ring();
  const Bounded bounds(equal(), 0.25, nullptr, {});
  const std::vector<std::int32_t> was = {0, 1, 2, 3, 4, 5};
  const Bounded next(equal(), 0.25, &bounds, was);
  std::vector<std::vector<Bounded::Hold>> held(4, std::vector<Bounded::Hold>(2'000));
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < held.size(); ++t) {
    threads.emplace_back([&, t] {
      const auto& mine = t % 2 == 0 ? bounds : next;
      for (std::size_t i = 0; i < held[t].size(); ++i) {
        mine.acquire(on, stable_hash(i), held[t][i]);
        if (i % 2 == 0) mine.release(held[t][i]);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(total_of(bounds.loads()) == 4'000);
  CHECK(bounds.loads() == next.loads());
}
