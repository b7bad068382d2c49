#include "seawall/load/tally.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "seawall/histogram/reading.hpp"

using namespace seawall::load;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

Shape shape_of(std::uint64_t phases = 2) {
  Shape shape;
  shape.interval = kSecond;
  shape.slices = 12;
  shape.begin = 2 * kSecond;
  shape.block_width = kSecond;
  shape.blocks = 10;
  shape.phases = phases;
  shape.ends = {2 * kSecond, 12 * kSecond};
  shape.layout = seawall::histogram::lay_out(1'000, 60 * kSecond, 3);
  return shape;
}

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

struct Owned {
  Shape shape;
  std::unique_ptr<void, Free> memory;
  Tally tally;

  explicit Owned(const Shape& of)
      : shape(of), memory(std::aligned_alloc(4'096, (Tally::bytes_of(of) + 4'095) / 4'096 * 4'096)) {
    std::memset(memory.get(), 0, Tally::bytes_of(of));
    tally = Tally(of, memory.get());
  }
};

std::uint64_t recorded(const seawall::histogram::Histogram& histogram) { return seawall::histogram::count(histogram); }

}  // namespace

TEST_CASE("a request counts in its phase, its slices and its block") {
  Owned owned(shape_of());
  const auto& tally = owned.tally;
  tally.start(kSecond, kSecond + 5, false);
  tally.end(kSecond, kSecond + 5, 4 * kSecond, 200, 100, true);
  tally.start(3 * kSecond, 5 * kSecond, true);
  tally.end(3 * kSecond, 5 * kSecond, 6 * kSecond, 503, 7, false);
  const auto& warm = tally.phase_counts(0);
  const auto& plan = tally.phase_counts(1);
  CHECK(warm.totals.sent == 1);
  CHECK(warm.totals.bytes == 100);
  CHECK(warm.codes[200] == 1);
  CHECK(plan.totals.late == 1);
  CHECK(plan.totals.succeeded == 0);
  CHECK(plan.totals.slowest == 3 * kSecond);
  CHECK(plan.codes[503] == 1);
  CHECK(tally.slice_counts(1).sent == 1);
  CHECK(tally.slice_counts(5).sent == 1);
  CHECK(tally.slice_counts(4).completed == 1);
  CHECK(tally.slice_counts(6).slowest == 3 * kSecond);
  CHECK(recorded(tally.schedule_error()) == 1);  // the late one says nothing about the generator
  CHECK(recorded(tally.response_time(1)) == 1);
  CHECK(recorded(tally.block_times(1)) == 1);
  for (std::uint64_t block = 0; block < 10; ++block)
    CHECK(recorded(tally.block_times(block)) == (block == 1 ? 1U : 0U));
}

TEST_CASE("what lies beyond the end, or before its own beginning, is counted at the edge") {
  Owned owned(shape_of());
  owned.tally.start(50 * kSecond, 40 * kSecond, false);
  owned.tally.end(50 * kSecond, 40 * kSecond, 30 * kSecond, 9'999, 0, true);
  CHECK(owned.tally.phase_counts(1).totals.completed == 1);
  CHECK(owned.tally.phase_counts(1).codes[kCodes - 1] == 1);
  CHECK(owned.tally.slice_counts(11).completed == 1);
  CHECK(recorded(owned.tally.block_times(9)) == 1);
  CHECK(owned.tally.response_time(1).state->most == 0);
}

TEST_CASE("names are kept once, cut between letters, and never more than there is room for") {
  Owned owned(shape_of());
  const auto& tally = owned.tally;
  const auto first = tally.named("error A", "said");
  CHECK(first == kFirstNamed);
  CHECK(tally.named("error A", "again") == first);
  CHECK(std::string(tally.entry(first).words.data()) == "said");
  std::string longer;
  for (int i = 0; i < 200; ++i) longer += "\xc3\xa9";
  const auto cut = tally.named("x" + longer, longer);
  CHECK(tally.named("x" + longer, "") == cut);
  CHECK(std::string(tally.entry(cut).name.data()).size() == 55);
  CHECK(std::string(tally.entry(cut).words.data()).size() == 190);
  for (int i = 0; i < 500; ++i) tally.named("name " + std::to_string(i), "");
  CHECK(tally.named("one more", "") == kFirstNamed + kNamed - 1);
  CHECK(std::string(tally.entry(kFirstNamed + kNamed - 1).name.data()) == "other errors");
}

TEST_CASE("a name that a killed process never finished is passed over") {
  Owned owned(shape_of());
  CHECK(owned.tally.entry(kFirstNamed).claim());
  CHECK(owned.tally.named("error A", "") == kFirstNamed + 1);
  CHECK(owned.tally.named("error A", "") == kFirstNamed + 1);
}

TEST_CASE("threads lose nothing, and agree on names once they have seen them") {
  constexpr std::uint64_t kThreads = 4, kEach = 5'000;
  Owned owned(shape_of());
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const auto due = (i % 12) * kSecond;
        owned.tally.start(due, due + t, i % 7 == 0);
        const auto code = owned.tally.named(i % 2 ? "odd" : "even", "words");
        owned.tally.end(due, due + t, due + 1'000 * (i % 100), code, 1, i % 2 == 0);
        owned.tally.turn(i);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::uint64_t sent = 0, completed = 0, named = 0, slices = 0, times = 0;
  for (std::uint64_t phase = 0; phase < 2; ++phase) {
    const auto& counts = owned.tally.phase_counts(phase);
    sent += counts.totals.sent;
    completed += counts.totals.completed;
    for (std::uint64_t code = kFirstNamed; code < kFirstNamed + kNamed; ++code) named += counts.codes[code];
    times += recorded(owned.tally.response_time(phase));
  }
  for (std::uint64_t i = 0; i < owned.shape.slices; ++i) slices += owned.tally.slice_counts(i).completed;
  CHECK(sent == kThreads * kEach);
  CHECK(completed == kThreads * kEach);
  CHECK(named == kThreads * kEach);
  CHECK(slices == kThreads * kEach);
  CHECK(times == kThreads * kEach);
  CHECK(recorded(owned.tally.lag()) == kThreads * kEach);
}

TEST_CASE("a shape has bounds") {
  CHECK(can_shape(shape_of()));
  for (const auto field : {&Shape::interval, &Shape::slices, &Shape::block_width, &Shape::blocks, &Shape::phases}) {
    auto shape = shape_of();
    shape.*field = 0;
    CHECK_FALSE(can_shape(shape));
  }
  auto shape = shape_of();
  shape.phases = kMostPhases + 1;
  CHECK_FALSE(can_shape(shape));
}
