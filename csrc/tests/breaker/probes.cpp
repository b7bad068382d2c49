#include "seawall/breaker/probes.hpp"

#include "breaker/box.hpp"

using namespace seawall::breaker;

namespace {

// Half_open from `now` on, nobody in it.
Box half_open(Ns now, std::uint64_t probes) {
  BreakerConfig c = plain();
  c.probes = probes;
  Box box(c);
  box.trip(0, 1);
  const Entry e = enter(box.b, now);
  settle(box.b, e.permit, Outcome::ignored, now);
  return box;
}

}  // namespace

TEST_CASE("an era admits exactly its probes, answered or not") {
  for (const std::uint64_t probes : {1, 2, 3, 64}) {
    Box box = half_open(kSecond, probes);
    std::vector<Permit> held;
    for (std::uint64_t i = 0; i < probes; ++i) {
      const Entry e = enter(box.b, kSecond);
      REQUIRE(e.admitted);
      held.push_back(e.permit);
    }
    for (std::uint64_t i = 0; i < probes; ++i) {
      const Entry refused = enter(box.b, kSecond);
      REQUIRE_FALSE(refused.admitted);
      REQUIRE(refused.at >= 6 * kSecond);
      REQUIRE(refused.at < 6 * kSecond + 1024);
      REQUIRE(box.state() == State::half_open);
      settle(box.b, held[i], Outcome::success, kSecond);
    }
    CHECK(box.state() == State::closed);
  }
}

TEST_CASE("a probe that was cancelled leaves its place to another") {
  Box box = half_open(kSecond, 1);
  for (int i = 0; i < 3; ++i) {
    const Entry e = enter(box.b, kSecond);
    REQUIRE(e.admitted);
    CHECK_FALSE(enter(box.b, kSecond).admitted);
    CHECK_FALSE(settle(box.b, e.permit, Outcome::ignored, kSecond).wants_open);
  }
  CHECK(box.state() == State::half_open);
  CHECK(box.b.statistics.ignored == 4);
  CHECK(box.b.statistics.lost == 0);
}

TEST_CASE("a probe that never answers loses its place when its lease ends, and its answer is late then") {
  Box box = half_open(kSecond, 1);
  const Entry gone = enter(box.b, kSecond);
  const Ns again = enter(box.b, 2 * kSecond).at;
  CHECK_FALSE(enter(box.b, again - 1).admitted);
  const Entry next = enter(box.b, again);
  REQUIRE(next.admitted);
  CHECK(box.b.statistics.lost == 1);
  for (const Outcome o : {Outcome::success, Outcome::failure, Outcome::ignored}) {
    const Settled s = settle(box.b, gone.permit, o, again);
    CHECK(s.late);
    CHECK_FALSE(s.wants_open);
  }
  CHECK(counts(box.b, again).calls == 0);
  CHECK_FALSE(enter(box.b, again).admitted);
  settle(box.b, next.permit, Outcome::success, again);
  CHECK(box.state() == State::closed);
}

TEST_CASE("an answer after the lease counts while nobody has taken the place") {
  Box box = half_open(kSecond, 1);
  const Entry e = enter(box.b, kSecond);
  CHECK_FALSE(settle(box.b, e.permit, Outcome::success, 3600 * kSecond).late);
  CHECK(box.state() == State::closed);
}

TEST_CASE("a failed probe whose caller dies before it opens the breaker is a lost probe") {
  Box box = half_open(kSecond, 1);
  const Entry e = enter(box.b, kSecond);
  REQUIRE(settle(box.b, e.permit, Outcome::failure, kSecond).wants_open);
  const Entry refused = enter(box.b, kSecond);
  CHECK_FALSE(refused.admitted);
  const Entry next = enter(box.b, refused.at);
  CHECK(next.admitted);
  settle(box.b, next.permit, Outcome::success, refused.at);
  CHECK(box.state() == State::closed);
}

TEST_CASE("places of earlier eras are free, whatever stands in them") {
  Box box = half_open(kSecond, 2);
  for (int i = 1; i < 600; ++i) {
    const Ns now = i * kSecond;
    const Entry good = enter(box.b, now), bad = enter(box.b, now);
    REQUIRE(good.admitted);
    REQUIRE(bad.admitted);
    REQUIRE_FALSE(enter(box.b, now).admitted);
    settle(box.b, good.permit, Outcome::success, now);
    REQUIRE(settle(box.b, bad.permit, Outcome::failure, now).wants_open);
    REQUIRE(open(box.b, bad.permit.era, now + 1));
  }
}

TEST_CASE("whoever comes next ends an era whose last prober was killed before it could") {
  Box box = half_open(kSecond, 1);
  const Entry e = enter(box.b, kSecond);
  REQUIRE(box.b.probes.succeed(Era{box.b.state, e.permit.era, 0}, e.permit.slot, e.permit.lease));
  const Entry next = enter(box.b, kSecond);
  CHECK(next.admitted);
  CHECK(next.permit.slot == -1);
  CHECK(state_of(next.change.to) == State::closed);
}

TEST_CASE("permits that never were probes are late in half_open") {
  Box box = half_open(kSecond, 1);
  for (const std::int32_t slot : {-1, 0, 63, 64, INT32_MAX}) {
    CHECK(settle(box.b, {box.b.state.load(), 0, slot, 0}, Outcome::success, kSecond).late);
    CHECK(settle(box.b, {box.b.state.load(), 0, slot, 77}, Outcome::failure, kSecond).late);
  }
  CHECK(box.state() == State::half_open);
}

TEST_CASE("a success counts in its own era, however many eras later the tags are alike") {
  Box box = half_open(kSecond, 2);
  const Entry bad = enter(box.b, kSecond), good = enter(box.b, kSecond);
  settle(box.b, good.permit, Outcome::success, kSecond);
  REQUIRE(box.b.probes.succeeded(good.permit.era, 2) == 1);
  std::uint64_t era = bad.permit.era;
  for (int i = 2; i < 40'000; ++i) {  // every 128th has the same counter, and of those every 64th the same tag
    REQUIRE(open(box.b, era, i * kSecond));
    const Entry e = enter(box.b, (i + 1) * kSecond - 1);
    REQUIRE(e.permit.slot == 0);
    era = e.permit.era;
    REQUIRE(box.b.probes.succeeded(era, 2) == 0);
  }
}
