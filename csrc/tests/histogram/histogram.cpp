#include "seawall/histogram/histogram.hpp"

#include <doctest/doctest.h>

#include <random>
#include <thread>

#include "histogram/owned.hpp"

using namespace seawall::histogram;

TEST_CASE("a record adds one count, its sum and its extremes") {
  const Owned h;
  h->record(5'000);
  h->record(1'000'000, 3);
  CHECK(count(h.view) == 4);
  CHECK(h->state->sum == 3'005'000);
  CHECK(~h->state->least.load() == 5'000);
  CHECK(h->state->most == 1'000'000);
}

TEST_CASE("a value above highest counts as highest and in clipped") {
  const Owned h;
  h->record(h->layout.highest + 1, 2);
  CHECK(count(h.view) == 2);
  CHECK(h->state->clipped == 2);
  CHECK(h->state->most == h->layout.highest);
  CHECK(h->counts()[h->layout.index_of(h->layout.highest)] == 2);
}

TEST_CASE("a sum beyond 64 bits is carried") {
  const Owned h(lay_out(1, kHighest, 1));
  for (int i = 0; i < 9; ++i) h->record(kHighest);
  const auto total = static_cast<Wide>(h->state->carry) << 64 | h->state->sum;
  CHECK((total == static_cast<Wide>(kHighest) * 9));
}

TEST_CASE("corrected recording adds what recording every missed value would add") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    const Owned fast, slow;
    const auto interval = random() % 40'000 + 1'000, value = random() % 30'000'000;
    fast->record_corrected(value, interval);
    slow->record(value);
    for (auto missed = value; missed >= 2 * interval;) slow->record(missed -= interval);
    CAPTURE(value);
    CAPTURE(interval);
    REQUIRE(counts_of(fast.view) == counts_of(slow.view));
    REQUIRE(fast->state->sum == slow->state->sum);
    REQUIRE(fast->state->least == slow->state->least);
    REQUIRE(fast->state->most == slow->state->most);
  }
}

TEST_CASE("an interval of one nanosecond over an hour is corrected bucket by bucket") {
  const Owned h;
  h->record_corrected(h->layout.highest, 1);
  CHECK(count(h.view) == h->layout.highest);
}

TEST_CASE("merge adds alike layouts bucket by bucket and others value by value") {
  const Owned into, alike, coarse(lay_out(1'000, 3'600'000'000'000, 2));
  into->record(7'000);
  alike->record(9'000, 2);
  coarse->record(4'000'000'000, 5);
  merge(into.view, alike.view);
  merge(into.view, coarse.view);
  CHECK(count(into.view) == 8);
  CHECK(into->state->sum == 7'000 + 18'000 + 20'000'000'000);
  CHECK(into->state->most == 4'000'000'000);
  const auto lowest = coarse->layout.lowest_of(coarse->layout.index_of(4'000'000'000));
  CHECK(into->counts()[into->layout.index_of(lowest)] == 5);
}

TEST_CASE("swap hands everything over and leaves an empty histogram") {
  const Owned live, taken;
  live->record(5'000, 4);
  live->record(live->layout.highest + 1);
  const auto before = counts_of(live.view);
  swap_into(live.view, taken.view);
  CHECK(counts_of(taken.view) == before);
  CHECK(taken->state->clipped == 1);
  CHECK(~taken->state->least.load() == 5'000);
  CHECK(count(live.view) == 0);
  CHECK(live->state->sum == 0);
  CHECK(live->state->least == 0);
  CHECK(live->state->most == 0);
}

TEST_CASE("threads that record while intervals are taken: each record is in exactly one interval") {
  constexpr std::uint64_t kEach = 20'000;
  const Owned live, all;
  std::atomic<int> running{4};
  std::vector<std::jthread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kEach; ++i) live->record((t * kEach + i) * 1'000);
      running.fetch_sub(1);
    });
  }
  bool covered = true;
  const auto take = [&] {
    const Owned taken;
    swap_into(live.view, taken.view);
    for_used(taken.view, [&](std::uint64_t index, const Word& word) {
      if (word == 0) return;
      covered = covered && ~taken->state->least.load() <= taken->layout.highest_of(index);
      covered = covered && taken->state->most >= taken->layout.lowest_of(index);
    });
    merge(all.view, taken.view);
  };
  while (running.load() > 0) take();
  threads.clear();
  take();
  CHECK(covered);
  CHECK(count(all.view) == 4 * kEach);
  CHECK(all->state->sum == 1'000 * (4 * kEach) * (4 * kEach - 1) / 2);
  CHECK(~all->state->least.load() == 0);
  // Of a record in flight the bound of its bucket may stand in for the maximum.
  CHECK(all->layout.index_of(all->state->most) == all->layout.index_of((4 * kEach - 1) * 1'000));
}
