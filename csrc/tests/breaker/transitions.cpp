#include "breaker/box.hpp"

using namespace seawall::breaker;

TEST_CASE("closed: everything is admitted, and the conditions ask the caller to open") {
  Box box;
  CHECK_FALSE(box.call(Outcome::failure, 1).wants_open);
  CHECK_FALSE(box.call(Outcome::failure, 2).wants_open);
  CHECK_FALSE(box.call(Outcome::success, 3).wants_open);
  CHECK(box.call(Outcome::success, 4).wants_open);  // two of four: a success can complete the count
  CHECK(box.call(Outcome::success, 5).wants_open == false);
  CHECK(box.call(Outcome::failure, 6).wants_open);
  CHECK(box.state() == State::closed);
  CHECK(box.b.statistics.successes == 3);
  CHECK(box.b.statistics.failures == 3);
}

TEST_CASE("open: nothing is admitted until its end, and one caller only opens an era") {
  Box box;
  const std::uint64_t era = box.b.state.load();
  box.trip(kSecond, 10 * kSecond + 1);
  CHECK_FALSE(open(box.b, era, 20 * kSecond));
  CHECK_FALSE(open(box.b, box.b.state.load(), 20 * kSecond));
  CHECK(box.trips() == 1);
  const Entry e = enter(box.b, 10 * kSecond);
  CHECK_FALSE(e.admitted);
  CHECK(e.permit.era == box.b.state.load());
  CHECK(e.at >= 10 * kSecond + 1);
  CHECK(e.at < 10 * kSecond + 1 + 1024);
  CHECK_FALSE(enter(box.b, e.at - 1).admitted);
  CHECK(share(box.b, e.at) == 0);
  const Entry probe = enter(box.b, e.at);
  CHECK(probe.admitted);
  CHECK(probe.permit.slot == 0);
  CHECK(state_of(probe.change.from) == State::open);
  CHECK(state_of(probe.change.to) == State::half_open);
  CHECK(box.state() == State::half_open);
  CHECK(box.b.statistics.refused == 2);
}

TEST_CASE("half_open: closes when all probes succeeded, and the trips in a row end") {
  Box box;
  box.trip(0, kSecond);
  const Entry one = enter(box.b, 2 * kSecond), two = enter(box.b, 2 * kSecond);
  CHECK(settle(box.b, two.permit, Outcome::success, 3 * kSecond).change.to == 0);
  CHECK_FALSE(enter(box.b, 3 * kSecond).admitted);
  CHECK(box.trips() == 1);
  const Settled last = settle(box.b, one.permit, Outcome::success, 3 * kSecond);
  CHECK(state_of(last.change.from) == State::half_open);
  CHECK(last.change.to == box.b.state.load());
  CHECK(box.state() == State::closed);
  CHECK(box.trips() == 0);
  CHECK(counts(box.b, 3 * kSecond).calls == 0);
  CHECK(box.b.statistics.transitions == 3);
}

TEST_CASE("half_open: one failure wants it open again, and trips count up") {
  Box box;
  box.trip(0, kSecond);
  for (std::uint64_t trips = 2; trips <= kMostTrips + 2; ++trips) {
    const Ns now = static_cast<Ns>(trips) * 10 * kSecond;
    const Entry e = enter(box.b, now);
    REQUIRE(settle(box.b, e.permit, Outcome::failure, now).wants_open);
    REQUIRE(open(box.b, e.permit.era, now + kSecond));
    REQUIRE(box.trips() == std::min(trips, kMostTrips));
  }
}

TEST_CASE("half_open: a slow call is a failure exactly when the slow condition is on") {
  for (const bool on : {false, true}) {
    BreakerConfig c = plain();
    c.slow_ns = kSecond;
    c.slow_ratio = on ? ratio(0.5) : 0;
    Box box(c);
    box.trip(0, kSecond);
    CHECK(box.call(Outcome::success, 2 * kSecond, 3 * kSecond).wants_open == on);
    CHECK(box.b.statistics.slow == 1);
    CHECK(counts(box.b, 3 * kSecond).slow == 1);
  }
}

TEST_CASE("recovering: reached after the probes, trips are kept until it has closed") {
  BreakerConfig c = plain();
  c.ramp = kTimeRamp;
  c.ramp_ns = 10 * kSecond;
  c.ramp_start = kOne / 10;
  c.ramp_backoff = kOne / 2;
  Box box(c);
  box.trip(0, kSecond);
  box.call(Outcome::success, 2 * kSecond);
  const Settled last = box.call(Outcome::success, 2 * kSecond);
  CHECK(state_of(last.change.to) == State::recovering);
  CHECK(box.trips() == 1);
  const Entry e = enter(box.b, 12 * kSecond);
  CHECK(e.admitted);
  CHECK(state_of(e.change.to) == State::closed);
  CHECK(box.trips() == 0);
}

TEST_CASE("recovering: the conditions open it again with the next trip") {
  BreakerConfig c = plain();
  c.ramp = kTimeRamp;
  c.ramp_ns = 1000 * kSecond;
  c.ramp_start = kOne;
  Box box(c);
  box.trip(0, kSecond);
  box.call(Outcome::success, 2 * kSecond);
  box.call(Outcome::success, 2 * kSecond);
  REQUIRE(box.state() == State::recovering);
  box.trip(3 * kSecond, 4 * kSecond);
  CHECK(box.state() == State::open);
  CHECK(box.trips() == 2);
}

TEST_CASE("by hand: forced_open never admits, disabled does nothing, metrics_only only counts") {
  Box box;
  CHECK(state_of(force(box.b, State::forced_open, 5).to) == State::forced_open);
  const Entry refused = enter(box.b, 6);
  CHECK_FALSE(refused.admitted);
  CHECK(refused.at == kNever);
  CHECK(share(box.b, 6) == 0);

  force(box.b, State::disabled, 6);
  for (int i = 0; i < 20; ++i) {
    CHECK_FALSE(box.call(Outcome::failure, 6).wants_open);
  }
  CHECK(counts(box.b, 6).calls == 0);
  CHECK(box.b.statistics.failures == 0);

  force(box.b, State::metrics_only, 6);
  for (int i = 0; i < 20; ++i) {
    CHECK_FALSE(box.call(Outcome::failure, 6).wants_open);
  }
  CHECK(counts(box.b, 6).failures == 10);
  CHECK(box.b.statistics.failures == 20);
  CHECK_FALSE(open(box.b, box.b.state.load(), 100));
  CHECK(share(box.b, 6) == kOne);

  force(box.b, State::closed, 7);
  CHECK(counts(box.b, 7).calls == 0);
  CHECK(box.state() == State::closed);
}

TEST_CASE("by hand: the same state again, or one that only calls lead to, changes nothing") {
  Box box;
  for (const State s : {State::closed, State::open, State::half_open, State::recovering}) {
    const std::uint64_t before = box.b.state.load();
    const Change change = force(box.b, s, 9);
    CHECK(change.from == change.to);
    CHECK(box.b.state.load() == before);
  }
  CHECK(box.b.statistics.transitions == 0);
}

TEST_CASE("reset: as new") {
  Box box;
  box.trip(0, kSecond);
  enter(box.b, 0);
  reset(box.b, kSecond);
  CHECK(box.state() == State::closed);
  CHECK(box.trips() == 0);
  CHECK(box.b.statistics.failures == 0);
  CHECK(box.b.statistics.refused == 0);
  CHECK(box.b.statistics.transitions == 0);
  CHECK(counts(box.b, kSecond).calls == 0);
}

TEST_CASE("a late answer changes nothing but the count of late ones") {
  Box box;
  const Entry from_closed = enter(box.b, 0);
  box.trip(0, kSecond);
  const Entry from_half_open = enter(box.b, 2 * kSecond);
  const Entry other = enter(box.b, 2 * kSecond);
  for (const Outcome o : {Outcome::success, Outcome::failure, Outcome::ignored}) {
    const std::uint64_t state = box.b.state.load();
    const Settled s = settle(box.b, from_closed.permit, o, 2 * kSecond);
    CHECK(s.late);
    CHECK_FALSE(s.wants_open);
    CHECK(box.b.state.load() == state);
    CHECK(counts(box.b, 2 * kSecond).calls == 0);
  }
  CHECK(settle(box.b, other.permit, Outcome::failure, 2 * kSecond).wants_open);
  REQUIRE(open(box.b, other.permit.era, 3 * kSecond));
  CHECK(settle(box.b, from_half_open.permit, Outcome::success, 3 * kSecond).late);
  CHECK(box.state() == State::open);
  CHECK(box.b.statistics.late == 4);
  CHECK(box.b.statistics.successes == 0);
  CHECK(box.b.statistics.ignored == 0);
  CHECK_FALSE(open(box.b, from_half_open.permit.era, 9 * kSecond));
}

TEST_CASE("a call is slow when it took slow_ns or more") {
  BreakerConfig c = plain();
  c.slow_ns = 1000;
  c.failure_ratio = 0;
  c.slow_ratio = ratio(0.5);
  Box box(c);
  box.call(Outcome::success, 0, 999);
  CHECK(box.b.statistics.slow == 0);
  box.call(Outcome::success, 0, 1000);
  box.call(Outcome::success, 0, 0);
  CHECK(box.call(Outcome::failure, 0, 5000).wants_open);
  CHECK(box.b.statistics.slow == 2);
  CHECK(box.call(Outcome::ignored, 0, 5000).wants_open == false);
  CHECK(box.b.statistics.ignored == 1);
}
