#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "seawall/adaptive/adaptive.hpp"

using namespace seawall::adaptive;

namespace {

constexpr Ns kMs = 1'000'000;

std::unique_ptr<Adaptive> made(std::uint64_t min_samples = 50) {
  AdaptiveConfig c;
  c.min_samples = min_samples;
  auto out = std::make_unique<Adaptive>();
  out->start(c, 0);
  return out;
}

}  // namespace

TEST_CASE("a quantile is told within a sixteenth") {
  SampleWindow w;
  std::mt19937_64 chance(3);
  std::vector<double> values;
  for (int i = 0; i < 5000; ++i) {
    const auto ns = static_cast<Ns>(std::exp(std::uniform_real_distribution<>(8, 25)(chance)));
    values.push_back(static_cast<double>(ns));
    CHECK(w.add(7, ns));
  }
  std::sort(values.begin(), values.end());
  for (double share : {0.01, 0.5, 0.9, 0.99}) {
    const double exact = values[static_cast<std::size_t>(share * 5000) - 1];
    CHECK(w.quantile(7, share) == doctest::Approx(exact).epsilon(0.07));
  }
  CHECK(w.quantile(8, 0.5) == 0);
  CHECK(w.ended(8) == 0);
}

TEST_CASE("times that cannot be are kept within the buckets") {
  SampleWindow w;
  CHECK(w.add(0, -5));
  CHECK(w.add(0, seawall::memory::kNever));
  CHECK(w.ended(0) == 2);
}

TEST_CASE("what belongs to a window that has passed is not counted") {
  SampleWindow w;
  CHECK(w.add(1, kMs));
  CHECK(w.add(2, kMs));
  CHECK_FALSE(w.add(1, kMs));
  CHECK(w.drop(1));  // nothing newer was dropped yet
  CHECK(w.drop(2));
  CHECK_FALSE(w.drop(1));
  CHECK(w.ended(2) == 2);
  w.saw(2, 5);
  w.saw(2, 3);
  w.saw(1, 9);
  CHECK(SampleWindow::of(2, w.peak.load()) == 5);
}

TEST_CASE("a window ends when it has lasted and gathered enough, and a call counts for the one it began in") {
  auto a = made();
  const Permit early = a->begin(0);
  Settled last;
  for (int i = 0; i < 50; ++i) {
    last = a->settle(a->begin(i * kMs), Outcome::success, 20, (i + 10) * kMs);
  }
  CHECK(last.reason == Reason::none);  // 59 ms of 100
  last = a->settle(a->begin(100 * kMs), Outcome::success, 20, 110 * kMs);
  CHECK(last.reason == Reason::grown);
  CHECK(last.after > last.before);
  CHECK(a->limit() == static_cast<std::uint32_t>(last.after));
  a->settle(early, Outcome::success, 20, 120 * kMs);
  CHECK(a->statistics.late.load() == 1);
  CHECK(a->statistics.decisions.load() == 1);
}

TEST_CASE("cancelled calls teach nothing") {
  auto a = made(1);
  for (int i = 0; i < 100; ++i) {
    a->settle(a->begin(0), Outcome::ignored, 20, 1000 * kMs);
  }
  CHECK(a->statistics.decisions.load() == 0);
  CHECK(a->state().baseline == 0);
}

TEST_CASE("a window in which too little happens is thrown away; one call that took long is no reason") {
  auto a = made();
  a->settle(a->begin(0), Outcome::success, 1, 30'000 * kMs);
  CHECK(a->statistics.discarded.load() == 0);
  a->settle(a->begin(30'000 * kMs), Outcome::success, 1, 30'001 * kMs);
  CHECK(a->statistics.discarded.load() == 1);
  CHECK(a->limit() == 20);
}

TEST_CASE("a window gathers as many calls as were in flight") {
  auto a = made(10);
  for (int i = 0; i < 39; ++i) {
    CHECK(a->settle(a->begin(0), Outcome::success, 40, 200 * kMs).reason == Reason::none);
  }
  CHECK(a->settle(a->begin(0), Outcome::success, 40, 200 * kMs).reason == Reason::grown);
}

TEST_CASE("threads that begin, settle and decide lose no call and leave a limit within its bounds") {
  constexpr int kThreads = 4, kCalls = 20'000;
  auto a = made(10);
  std::atomic<Ns> time{0};
  std::atomic<int> in_flight{0}, decided{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 chance(static_cast<unsigned>(t));
      for (int i = 0; i < kCalls; ++i) {
        const Permit p = a->begin(time.load());
        const auto now_in = static_cast<std::uint64_t>(++in_flight);
        const Ns now = time.fetch_add(static_cast<Ns>(chance() % 2'000'000)) + kMs;
        const auto outcome = chance() % 50 == 0 ? Outcome::dropped : Outcome::success;
        const Settled settled = a->settle(p, outcome, now_in, now);
        --in_flight;
        decided += settled.reason != Reason::none;
        const auto limit = a->limit();
        if (limit < 1 || limit > 1000) {
          FAIL_CHECK("limit out of bounds");
        }
      }
    });
  }
  threads.clear();
  const auto& s = a->statistics;
  CHECK(s.samples.load() + s.dropped.load() == kThreads * kCalls);
  CHECK(s.decisions.load() == static_cast<std::uint64_t>(decided.load()));
  CHECK(decided.load() > 100);
}
