#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "breaker/box.hpp"

using namespace seawall::breaker;

namespace {

struct Shared {
  Breaker b;
  std::atomic<Ns> time{kSecond};
  std::atomic<std::uint64_t> calls{0};
};

struct Mapping {
  Shared* at;
  Mapping() {
    void* where = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(where != MAP_FAILED);
    at = new (where) Shared;
  }
  ~Mapping() { ::munmap(at, sizeof(Shared)); }
};

// One call that fails, succeeds or is cancelled, at a time of its own.
void one_call(Shared& s, std::mt19937_64& random) {
  const Ns now = s.time.fetch_add(kSecond / 1000);
  const Entry e = enter(s.b, now);
  if (e.admitted) {
    const std::uint64_t dice = random() % 8;
    const Outcome o = dice == 0 ? Outcome::ignored : dice < 5 ? Outcome::failure : Outcome::success;
    if (settle(s.b, e.permit, o, now + kSecond / 100).wants_open) {
      open(s.b, e.permit.era, now + kSecond / 50);
    }
  }
  s.calls.fetch_add(1);
}

pid_t worker(Shared& s, std::uint64_t seed) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::mt19937_64 random(seed);
    for (;;) {
      one_call(s, random);
    }
  }
  return child;
}

void kill_and_reap(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// Workers are killed wherever they happen to be, some `rounds` times.
void massacre(Shared& s, int rounds) {
  std::mt19937_64 random(77);
  for (int i = 0; i < rounds; ++i) {
    const std::uint64_t before = s.calls.load();
    const pid_t one = worker(s, random()), two = worker(s, random());
    while (s.calls.load() < before + 500 + random() % 500) {
      ::sched_yield();
    }
    kill_and_reap(one);
    kill_and_reap(two);
  }
}

// The survivor finds a breaker that closes, counts from nothing, opens and half-opens as if nobody had died.
void whole_life(Box& box, Ns& now) {
  const Ns patience = now + 3600 * kSecond;
  while (box.state() != State::closed) {
    REQUIRE(now < patience);
    now += kSecond / 10;
    const Entry e = enter(box.b, now);
    if (e.admitted) {
      settle(box.b, e.permit, Outcome::success, now);
    }
  }
  reset(box.b, now);
  CHECK(counts(box.b, now).calls == 0);
  box.trip(now, now + kSecond);
  CHECK(box.trips() == 1);
  CHECK_FALSE(enter(box.b, now).admitted);
  now += 2 * kSecond;
  const Entry one = enter(box.b, now), two = enter(box.b, now);
  CHECK(one.admitted);
  CHECK(two.admitted);
  CHECK_FALSE(enter(box.b, now).admitted);
  settle(box.b, one.permit, Outcome::success, now);
  settle(box.b, two.permit, Outcome::success, now);
  CHECK(box.state() != State::half_open);
}

}  // namespace

TEST_CASE("workers killed at any instruction leave a breaker that opens, half-opens and closes for the others") {
  for (const std::uint64_t ramp : {kNoRamp, kTimeRamp, kAdditiveRamp}) {
    BreakerConfig c = plain();
    c.window = ramp == kTimeRamp ? kSeconds : kCalls;
    c.ramp = ramp;
    c.ramp_ns = kSecond;
    c.ramp_step = kOne / 4;
    c.ramp_start = kOne / 8;
    c.ramp_backoff = kOne / 2;
    REQUIRE(valid(c));
    Mapping map;
    map.at->b.control.start(c);
    massacre(*map.at, 25);
    CHECK(map.at->b.statistics.transitions > 25);
    Box box(map.at->b);
    Ns now = map.at->time.load() + 10 * kSecond;
    whole_life(box, now);
  }
}

TEST_CASE("a probe whose process was killed is replaced when its lease ends") {
  Mapping map;
  BreakerConfig c = plain();
  c.probes = 1;
  map.at->b.control.start(c);
  Box box(map.at->b);
  box.trip(0, kSecond);
  const pid_t child = ::fork();
  if (child == 0) {
    enter(map.at->b, 2 * kSecond);
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  const Entry refused = enter(box.b, 3 * kSecond);
  CHECK_FALSE(refused.admitted);
  CHECK(refused.at - 7 * kSecond < 1024);
  box.call(Outcome::success, refused.at);
  CHECK(box.state() == State::closed);
  CHECK(box.b.statistics.lost == 1);
}
