#include "breaker/box.hpp"

using namespace seawall::breaker;

namespace {

constexpr Ns kHour = 3600 * kSecond;
constexpr Ns kNoon = 12 * kHour;

}  // namespace

TEST_CASE("closed: a clock that stands back an hour keeps every outcome, one that jumps forgets only old ones") {
  BreakerConfig c = plain();
  c.window = kSeconds;
  Box box(c);
  box.call(Outcome::failure, kNoon);
  box.call(Outcome::failure, kNoon - kHour);
  box.call(Outcome::failure, 0);
  CHECK(counts(box.b, 0).failures == 3);
  CHECK(counts(box.b, kNoon + 9 * kSecond).failures == 3);
  CHECK(box.call(Outcome::failure, -kHour).wants_open);
  CHECK(box.call(Outcome::success, kNoon + kHour).wants_open == false);
  CHECK(counts(box.b, kNoon + kHour).calls == 1);
  CHECK(counts(box.b, kNever).calls == 0);
  CHECK(box.state() == State::closed);
}

TEST_CASE("closed: a call that ends before it began is not slow") {
  BreakerConfig c = plain();
  c.slow_ns = kSecond;
  Box box(c);
  box.call(Outcome::success, kNoon, kNoon - kHour);
  CHECK(box.b.statistics.slow == 0);
}

TEST_CASE("open: a clock that stands back waits for the same end, one that jumps has reached it") {
  Box box;
  box.trip(kNoon, kNoon + kSecond);
  const Entry back = enter(box.b, kNoon - kHour);
  CHECK_FALSE(back.admitted);
  CHECK(back.at - kNoon - kSecond < 1024);
  CHECK(enter(box.b, kNoon + kHour).admitted);
  CHECK(box.state() == State::half_open);
}

TEST_CASE("half_open: a clock that stands back gives no place twice, one that jumps takes back the unanswered") {
  Box box;
  box.trip(kNoon, kNoon);
  const Entry one = enter(box.b, kNoon + kSecond), two = enter(box.b, kNoon + kSecond);
  CHECK(one.admitted);
  CHECK(two.admitted);
  CHECK_FALSE(enter(box.b, kNoon - kHour).admitted);
  settle(box.b, one.permit, Outcome::success, kNoon - kHour);
  const Entry other = enter(box.b, kNoon + kHour);
  CHECK(other.admitted);
  CHECK(box.b.statistics.lost == 1);
  CHECK(settle(box.b, two.permit, Outcome::success, kNoon).late);
  settle(box.b, other.permit, Outcome::success, kNoon);
  CHECK(box.state() == State::closed);
}

TEST_CASE("recovering: a clock that stands back shows no progress and loses none, one that jumps closes") {
  BreakerConfig c = plain();
  c.ramp = kTimeRamp;
  c.ramp_ns = 100 * kSecond;
  c.ramp_start = kOne / 10;
  c.ramp_backoff = kOne / 2;
  Box box(c);
  box.trip(kNoon, kNoon);
  box.call(Outcome::success, kNoon + 1024);
  box.call(Outcome::success, kNoon + 1024);
  const std::uint64_t half = share(box.b, kNoon + 50 * kSecond);
  CHECK(share(box.b, kNoon - kHour) == kOne / 10);
  settle(box.b, {box.b.state.load(), 0, -1, 0}, Outcome::failure, kNoon - kHour);
  CHECK(share(box.b, kNoon + 50 * kSecond) == half);
  CHECK(enter(box.b, kNoon + kHour).admitted);
  CHECK(box.state() == State::closed);
}

TEST_CASE("times at the ends of the clock are answered") {
  Box box;
  box.trip(kNever, kNever);
  CHECK_FALSE(enter(box.b, kNoon).admitted);
  CHECK(enter(box.b, kNoon).at > kNoon);
  CHECK_FALSE(enter(box.b, INT64_MIN).admitted);
}
