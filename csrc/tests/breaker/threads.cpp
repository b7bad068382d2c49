#include <random>

#include "breaker/box.hpp"

using namespace seawall::breaker;

TEST_CASE("racing threads are admitted exactly the probes, era after era") {
  for (const std::uint64_t probes : {1, 3, 64}) {
    BreakerConfig c = plain();
    c.probes = probes;
    for (int round = 0; round < 50; ++round) {
      Box box(c);
      box.trip(0, 1);
      std::atomic<std::uint64_t> admitted{0};
      together([&](int) {
        for (int i = 0; i < 40; ++i) {
          admitted += enter(box.b, kSecond).admitted;
        }
      });
      REQUIRE(admitted == probes);
      REQUIRE(box.b.statistics.transitions == 2);
      REQUIRE(box.b.statistics.refused == kThreads * 40 - probes);
    }
  }
}

TEST_CASE("racing threads that answer and cancel never hold more places than there are") {
  BreakerConfig c = plain();
  c.probes = 3;
  Box box(c);
  box.trip(0, 1);
  std::atomic<int> held{0}, most{0};
  together([&](int) {
    for (int i = 0; i < 3000; ++i) {
      const Entry e = enter(box.b, kSecond);
      if (!e.admitted) {
        continue;
      }
      const int now = ++held;
      int seen = most.load();
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      --held;
      settle(box.b, e.permit, Outcome::ignored, kSecond);
    }
  });
  CHECK(most <= 3);
  CHECK(box.state() == State::half_open);
  for (int i = 0; i < 3; ++i) {
    box.call(Outcome::success, kSecond);
  }
  CHECK(box.state() == State::closed);
}

TEST_CASE("racing failures open an era once") {
  for (int round = 0; round < 100; ++round) {
    Box box;
    std::atomic<int> opened{0};
    together([&](int) {
      for (int i = 0; i < 20; ++i) {
        const Entry e = enter(box.b, kSecond);
        if (e.admitted && settle(box.b, e.permit, Outcome::failure, kSecond).wants_open) {
          opened += open(box.b, e.permit.era, 10 * kSecond);
        }
      }
    });
    REQUIRE(opened == 1);
    REQUIRE(box.trips() == 1);
    REQUIRE(box.state() == State::open);
  }
}

TEST_CASE("racing threads lose no outcome of a window by seconds, and fill one by calls") {
  for (const std::uint64_t window : {kSeconds, kCalls}) {
    BreakerConfig c = plain();
    c.window = window;
    c.calls = 1000;
    c.failure_ratio = 0;
    Box box(c);
    together([&](int) {
      for (int i = 0; i < 5000; ++i) {
        box.call(i % 5 == 0 ? Outcome::failure : Outcome::success, kSecond + i * 1000);
      }
    });
    const Counts n = counts(box.b, kSecond);
    CHECK(n.calls == (window == kSeconds ? kThreads * 5000 : 1000));
    if (window == kSeconds) {
      CHECK(n.failures == kThreads * 1000);
    }
    CHECK(box.b.statistics.successes == kThreads * 4000);
    CHECK(box.b.statistics.failures == kThreads * 1000);
    CHECK(box.b.statistics.late == 0);
  }
}

TEST_CASE("every answer is counted once, as what it was or as late, whatever the breaker goes through") {
  for (const std::uint64_t ramp : {kNoRamp, kTimeRamp, kAdditiveRamp}) {
    BreakerConfig c = plain();
    c.window = ramp == kTimeRamp ? kSeconds : kCalls;
    c.ramp = ramp;
    c.ramp_ns = kSecond;
    c.ramp_step = kOne / 8;
    c.ramp_start = kOne / 8;
    c.ramp_backoff = kOne / 2;
    Box box(c);
    std::atomic<Ns> time{0};
    std::atomic<std::uint64_t> admitted{0}, refused{0}, changes{0};
    together([&](int who) {
      std::mt19937_64 random(static_cast<std::uint64_t>(who));
      for (int i = 0; i < 20'000; ++i) {
        const Ns now = time.fetch_add(kSecond / 100);
        const Entry e = enter(box.b, now);
        changes += e.change.from != e.change.to;
        if (!e.admitted) {
          ++refused;
          continue;
        }
        ++admitted;
        const std::uint64_t dice = random() % 16;
        const Outcome o = dice == 0 ? Outcome::ignored : dice < 9 ? Outcome::failure : Outcome::success;
        const Settled s = settle(box.b, e.permit, o, now + kSecond / 50);
        changes += s.change.from != s.change.to;
        if (s.wants_open) {
          changes += open(box.b, e.permit.era, now + kSecond / 2);
        }
      }
    });
    const Statistics& s = box.b.statistics;
    CHECK(s.successes + s.failures + s.ignored + s.late == admitted);
    CHECK(s.refused == refused);
    CHECK(s.transitions == changes);
    CHECK(changes > 100);
  }
}

TEST_CASE("threads go on while the configuration and the state are changed by hand under them") {
  Box box;
  std::atomic<bool> stop{false};
  std::thread changer([&] {
    constexpr State kHands[] = {State::forced_open, State::closed, State::metrics_only, State::disabled};
    for (std::uint64_t i = 0; i < 2000; ++i) {
      BreakerConfig c = plain();
      c.window = i / 2 % 2;
      c.calls = 10 + i % 90;
      c.probes = 1 + i % 5;
      box.b.control.publish(c);
      force(box.b, kHands[i % 4], kSecond);
      counts(box.b, kSecond);
    }
    stop = true;
  });
  together([&](int) {
    for (Ns now = kSecond; !stop; now += 1000) {
      const Entry e = enter(box.b, now);
      if (e.admitted && settle(box.b, e.permit, now % 3 ? Outcome::success : Outcome::failure, now).wants_open) {
        open(box.b, e.permit.era, now + 5000);
      }
    }
  });
  changer.join();
  reset(box.b, kSecond);
  CHECK(counts(box.b, kSecond).calls == 0);
  box.trip(2 * kSecond, 3 * kSecond);
  CHECK(box.state() == State::open);
}
