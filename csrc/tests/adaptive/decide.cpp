#include "seawall/adaptive/decide.hpp"

#include <doctest/doctest.h>

using namespace seawall::adaptive;

namespace {

constexpr double kMs = 1e6;
constexpr Ns kSecond = 1'000'000'000;

Seen window(double latency, std::uint64_t peak, std::uint64_t dropped = 0) {
  return {latency, 100, dropped, peak, 200'000'000};
}

State steady(double limit, double baseline, double level = 5) {
  State s;
  s.limit = limit;
  s.baseline = baseline;
  s.level = level;
  s.phase = Phase::steady;
  return s;
}

}  // namespace

TEST_CASE("a limit of which less than half is used does not move, and its calls teach the baseline") {
  AdaptiveConfig c;
  State s = steady(20, 10 * kMs);
  CHECK(decide(c, s, window(8 * kMs, 9), kSecond) == Reason::idle);
  CHECK(s.limit == 20);
  CHECK(s.baseline == 8 * kMs);
  CHECK(decide(c, s, window(16 * kMs, 9), kSecond) == Reason::idle);
  CHECK(s.baseline == doctest::Approx(8.16 * kMs));  // a fiftieth of the way: 0.2 s of 10 s
}

TEST_CASE("the gradient grows near the baseline and shrinks beyond its tolerance") {
  AdaptiveConfig c;
  State s = steady(16, 10 * kMs);
  CHECK(decide(c, s, window(10 * kMs, 16), kSecond) == Reason::grown);
  CHECK(s.limit > 16);
  s = steady(16, 10 * kMs);
  CHECK(decide(c, s, window(28 * kMs, 16), kSecond) == Reason::shrunk);
  CHECK(s.limit == doctest::Approx(16 + 0.3 * (16 * 15.0 / 28 + 4 - 16)));
}

TEST_CASE("in the beginning the limit grows fast, until calls wait for each other") {
  AdaptiveConfig c;
  State s = first(c);
  CHECK(decide(c, s, window(10 * kMs, 20), 0) == Reason::grown);
  CHECK(s.limit == doctest::Approx(20 + std::sqrt(0.3) * 20));
  CHECK(decide(c, s, window(16 * kMs, 31), 0) == Reason::held);
  CHECK(s.phase == Phase::steady);
  CHECK(decide(c, s, window(20 * kMs, 31), 0) == Reason::probing);  // at once, not after ten seconds
}

TEST_CASE("a probe goes down while latency follows, and takes back the step that brought no relief") {
  AdaptiveConfig c;
  State s = steady(20, 10 * kMs);
  CHECK(decide(c, s, window(20 * kMs, 20), 11 * kSecond) == Reason::probing);
  CHECK(s.limit == 15);
  CHECK(decide(c, s, window(15 * kMs, 15), 11 * kSecond) == Reason::probing);
  CHECK(s.limit == 11);
  CHECK(decide(c, s, window(14.5 * kMs, 11), 11 * kSecond) == Reason::probing);  // higher than known: doubted
  CHECK(s.phase == Phase::doubting);
  CHECK(s.limit == 8);
  CHECK(decide(c, s, window(14 * kMs, 8), 12 * kSecond) == Reason::probed);
  CHECK(s.baseline == 14 * kMs);
  CHECK(s.level == 8);
  CHECK(s.limit == 15);
  CHECK(s.probed_at == 12 * kSecond);
}

TEST_CASE("a bottom that is no higher than the baseline is believed at once") {
  AdaptiveConfig c;
  State s = steady(20, 10 * kMs);
  decide(c, s, window(11 * kMs, 20), 11 * kSecond);
  CHECK(decide(c, s, window(10.5 * kMs, 15), 11 * kSecond) == Reason::probed);
  CHECK(s.limit == 20);
  CHECK(s.baseline == 10.5 * kMs);
}

TEST_CASE("a probe ends where calls become too few to tell") {
  AdaptiveConfig c;
  State s = steady(20, 10 * kMs);
  decide(c, s, window(20 * kMs, 20), 11 * kSecond);
  CHECK(decide(c, s, window(30 * kMs, 3), 11 * kSecond) == Reason::abandoned);
  CHECK(s.limit == 20);
  CHECK(s.baseline == 10 * kMs);
}

TEST_CASE("nothing is probed while the limit does not bind") {
  AdaptiveConfig c;
  State s = steady(20, 10 * kMs);
  CHECK(decide(c, s, window(11 * kMs, 15), 1000 * kSecond) == Reason::grown);
}

TEST_CASE("dropped calls shrink by their share, a tenth at least and half at most, and teach no latency") {
  AdaptiveConfig c;
  State s = steady(20, 10 * kMs);
  CHECK(decide(c, s, window(1 * kMs, 20, 11), kSecond) == Reason::dropped);
  CHECK(s.limit == 18);
  CHECK(decide(c, s, window(1 * kMs, 20, 900), kSecond) == Reason::dropped);
  CHECK(s.limit == 9);
  CHECK(s.baseline == 10 * kMs);
  CHECK(decide(c, s, window(10 * kMs, 9, 2), kSecond) != Reason::dropped);  // two of a hundred are chance
}

TEST_CASE("a window of nothing but dropped calls shrinks whatever the ratio") {
  AdaptiveConfig c;
  c.dropped_ratio = kOne - 1;
  State s = steady(20, 0);
  CHECK(decide(c, s, {0, 0, 50, 20, kSecond}, kSecond) == Reason::dropped);
  CHECK(s.limit == 10);
}

TEST_CASE("vegas keeps a few calls waiting") {
  AdaptiveConfig c;
  c.algorithm = static_cast<std::uint64_t>(Algorithm::vegas);
  for (auto [latency, reason] : {std::pair{10.0, Reason::grown}, {14.0, Reason::held}, {20.0, Reason::shrunk}}) {
    State s = steady(20, 10 * kMs);
    CHECK(decide(c, s, window(latency * kMs, 20), kSecond) == reason);
  }
}

TEST_CASE("aimd adds one, and multiplies when a window is slow") {
  AdaptiveConfig c;
  c.algorithm = static_cast<std::uint64_t>(Algorithm::aimd);
  c.slow_ns = 50'000'000;
  State s = steady(20, 0);
  CHECK(decide(c, s, window(40 * kMs, 20), kSecond) == Reason::grown);
  CHECK(s.limit == 21);
  CHECK(decide(c, s, window(60 * kMs, 20), kSecond) == Reason::slow);
  CHECK(s.limit == doctest::Approx(18.9));
  CHECK(decide(c, s, window(40 * kMs, 9), kSecond) == Reason::idle);
}

TEST_CASE("the limit stays between its bounds") {
  AdaptiveConfig c;
  c.min_limit = c.initial = 10;
  c.max_limit = 12;
  State s = first(c);
  decide(c, s, window(10 * kMs, 10), 0);
  CHECK(s.limit == 12);
  for (int i = 0; i < 5; ++i) {
    decide(c, s, window(1 * kMs, 12, 500), 0);
  }
  CHECK(s.limit == 10);
}
