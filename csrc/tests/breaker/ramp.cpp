#include "seawall/breaker/ramp.hpp"

#include <cmath>

#include "breaker/box.hpp"

using namespace seawall::breaker;

namespace {

BreakerConfig by_time(double start) {
  BreakerConfig c = plain();
  c.failure_ratio = 0;
  c.probes = 1;
  c.ramp = kTimeRamp;
  c.ramp_ns = 100 * kSecond;
  c.ramp_start = static_cast<std::uint64_t>(start * static_cast<double>(kOne));
  c.ramp_backoff = kOne / 2;
  return c;
}

BreakerConfig additive(double start, double step, double backoff) {
  BreakerConfig c = by_time(start);
  c.ramp = kAdditiveRamp;
  c.ramp_step = static_cast<std::uint64_t>(std::ceil(step * static_cast<double>(kOne)));
  c.ramp_backoff = static_cast<std::uint64_t>(backoff * static_cast<double>(kOne));
  return c;
}

// Recovering since `now`.
Box recovering(const BreakerConfig& c, Ns now) {
  Box box(c);
  open(box.b, box.b.state.load(), 1);
  box.call(Outcome::success, now);
  REQUIRE(box.state() == State::recovering);
  return box;
}

double share_of(const Box& box, Ns now) { return static_cast<double>(share(box.b, now)) / static_cast<double>(kOne); }

}  // namespace

TEST_CASE("the time ramp admits its share of any calls in a row, within one") {
  for (const double start : {0.0, 0.01, 0.25, 1.0}) {
    Box box = recovering(by_time(start), kSecond);
    double ideal = 0;
    double admitted = 0;
    for (Ns now = kSecond; now < 101 * kSecond; now += 7'777'777) {
      ideal += start + (1 - start) * static_cast<double>(now - kSecond) / (100.0 * kSecond);
      const Entry e = enter(box.b, now);
      admitted += e.admitted;
      REQUIRE(std::abs(admitted - ideal) <= 1.001);
      if (!e.admitted) {
        REQUIRE(e.at > now);
      }
    }
    CHECK(box.state() == State::recovering);
    CHECK(enter(box.b, 101 * kSecond).admitted);
    CHECK(box.state() == State::closed);
  }
}

TEST_CASE("a constant share is spread evenly") {
  Box box = recovering(additive(0.3, 0.001, 0.5), kSecond);
  int since = 0;
  for (int i = 0; i < 1000; ++i) {
    ++since;
    if (enter(box.b, kSecond).admitted) {
      CHECK(since >= 3);
      CHECK(since <= 4);
      since = 0;
    }
  }
}

TEST_CASE("a failure leaves a part of the time ramp's progress, and the ramp goes on from there") {
  Box box = recovering(by_time(0.0), kSecond);
  CHECK(share_of(box, 61 * kSecond) == doctest::Approx(0.6).epsilon(1e-6));
  Ns now = 61 * kSecond;
  Entry e = enter(box.b, now);
  while (!e.admitted) {
    e = enter(box.b, now);
  }
  settle(box.b, e.permit, Outcome::failure, now);
  CHECK(share_of(box, now) == doctest::Approx(0.3).epsilon(1e-6));
  CHECK(share_of(box, now + 50 * kSecond) == doctest::Approx(0.8).epsilon(1e-6));
  CHECK(share_of(box, now + 70 * kSecond + 1024) == 1.0);
  CHECK(box.state() == State::recovering);
}

TEST_CASE("the additive ramp: ten successes of a tenth close it") {
  Box box = recovering(additive(0.1, 0.1, 0.5), kSecond);
  int admitted = 0;
  while (box.state() == State::recovering) {
    const Entry e = enter(box.b, kSecond);
    if (e.admitted) {
      CHECK(share_of(box, kSecond) == doctest::Approx(0.1 + 0.9 * 0.1 * admitted).epsilon(1e-6));
      const Settled s = settle(box.b, e.permit, Outcome::success, kSecond);
      ++admitted;
      CHECK((s.change.to == 0) == (admitted < 10));
    }
  }
  CHECK(admitted == 10);
  CHECK(box.state() == State::closed);
}

TEST_CASE("the additive ramp: a failure leaves a part, ignored and late answers nothing") {
  Box box = recovering(additive(0.5, 0.2, 0.25), kSecond);
  const std::uint64_t era = box.b.state.load();
  const Permit p{era, kSecond, -1, 0};
  settle(box.b, p, Outcome::success, kSecond);
  settle(box.b, p, Outcome::success, kSecond);
  CHECK(share_of(box, kSecond) == doctest::Approx(0.7).epsilon(1e-6));
  settle(box.b, p, Outcome::failure, kSecond);
  CHECK(share_of(box, kSecond) == doctest::Approx(0.55).epsilon(1e-6));
  settle(box.b, p, Outcome::ignored, kSecond);
  settle(box.b, Permit{era - 1, kSecond, -1, 0}, Outcome::success, kSecond);
  CHECK(share_of(box, kSecond) == doctest::Approx(0.55).epsilon(1e-6));
}

TEST_CASE("progress belongs to its era: the next recovery begins at the start") {
  for (const BreakerConfig& c : {by_time(0.1), additive(0.1, 0.1, 0.5)}) {
    Box box = recovering(c, kSecond);
    for (int round = 1; round < 300; ++round) {
      const Ns now = round * 1000 * kSecond;
      const Permit p{box.b.state.load(), now, -1, 0};
      settle(box.b, p, Outcome::failure, now - 950 * kSecond);
      REQUIRE(open(box.b, p.era, now));
      box.call(Outcome::success, now + 1024);
      REQUIRE(box.state() == State::recovering);
      REQUIRE(share_of(box, now + 1024) == doctest::Approx(0.1).epsilon(1e-6));
    }
  }
}

TEST_CASE("a slow call holds the ramp back when the slow condition is on, else it is a success") {
  BreakerConfig c = additive(0.5, 0.2, 0.0);
  c.slow_ns = kSecond;
  for (const std::uint64_t slow_ratio : {std::uint64_t{0}, kRatioOne}) {
    c.slow_ratio = slow_ratio;
    c.min_calls = 10;
    Box box = recovering(c, kSecond);
    settle(box.b, {box.b.state.load(), kSecond, -1, 0}, Outcome::success, 3 * kSecond);
    CHECK(share_of(box, kSecond) == doctest::Approx(slow_ratio ? 0.5 : 0.6).epsilon(1e-6));
  }
}

TEST_CASE("a ramp that is taken away ends the recovery") {
  BreakerConfig c = by_time(0.1);
  Box box = recovering(c, kSecond);
  c.ramp = kNoRamp;
  box.b.control.publish(c);
  CHECK(enter(box.b, kSecond).admitted);
  CHECK(box.state() == State::closed);
}
