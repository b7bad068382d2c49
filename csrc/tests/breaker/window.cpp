#include "seawall/breaker/window.hpp"

#include <deque>
#include <random>

#include "breaker/box.hpp"

using namespace seawall::breaker;

namespace {

// The slow, obvious window.
struct Model {
  struct Call {
    std::uint64_t bucket, bits;
  };
  BreakerConfig c;
  std::deque<Call> calls{};
  std::uint64_t newest = 0, row = 0;

  std::uint64_t bucket(Ns now) const { return std::max(newest, static_cast<std::uint64_t>(now) / c.bucket_ns); }

  void record(Ns now, std::uint64_t bits) {
    newest = bucket(now);
    calls.push_back({newest, bits});
    row = bits & kFailure ? std::min(row + 1, kMostConsecutive) : 0;
    if (c.window == kCalls && calls.size() > c.calls) {
      calls.pop_front();
    }
  }

  Counts counts(Ns now) const {
    Counts out;
    for (const Call& call : calls) {
      if (c.window == kSeconds && call.bucket + kBuckets <= bucket(now)) {
        continue;
      }
      ++out.calls;
      out.failures += call.bits & kFailure;
      out.slow += call.bits >> 1;
    }
    out.consecutive = row;
    return out;
  }

  void begin() { calls.clear(), newest = 0, row = 0; }
};

void same(const Counts& a, const Counts& b) {
  REQUIRE(a.calls == b.calls);
  REQUIRE(a.failures == b.failures);
  REQUIRE(a.slow == b.slow);
  REQUIRE(a.consecutive == b.consecutive);
}

BreakerConfig random_config(std::mt19937_64& random, std::uint64_t window) {
  BreakerConfig c;
  c.window = window;
  c.calls = 1 + random() % (random() % 4 ? 60 : kMostCalls);
  c.bucket_ns = kLeastBucketNs + random() % kSecond;
  c.min_calls = 1 + random() % std::min<std::uint64_t>(c.calls, 20);
  c.failure_ratio = random() % 3 ? ratio(0.05 * static_cast<double>(1 + random() % 20)) : 0;
  c.slow_ratio = random() % 2 ? ratio(0.1 * static_cast<double>(1 + random() % 10)) : 0;
  c.consecutive = random() % 2 * (random() % 8);
  c.slow_ns = kSecond;
  c.combine = random() % 2;
  return c;
}

Ns step(std::mt19937_64& random, Ns now, std::uint64_t bucket_ns) {
  const std::uint64_t b = bucket_ns;
  switch (random() % 40) {
    case 0:
      return now + static_cast<Ns>(random() % (30 * b));  // a jump
    case 1:
      return std::max<Ns>(0, now - static_cast<Ns>(random() % (15 * b)));  // back
    default:
      return now + static_cast<Ns>(random() % (b / 4));
  }
}

// Random calls through a breaker that is never opened: counts and the wish to open are those of the model.
void compare(std::uint64_t window, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  CAPTURE(seed);
  Box box(random_config(random, window));
  Model model{};
  box.b.control.read(model.c);
  Ns now = static_cast<Ns>(random() % (100 * model.c.bucket_ns));
  for (int i = 0; i < 3000; ++i) {
    now = step(random, now, model.c.bucket_ns);
    const std::uint64_t weather = random() % 16;
    const std::uint64_t bits = weather == 0 ? random() % 4 : i / 200 % 3 == 0 ? random() % 2 * (random() % 4) : 0;
    const Outcome outcome = bits & kFailure ? Outcome::failure : Outcome::success;
    const Settled got = box.call(outcome, now - (bits & kSlow ? kSecond : kSecond - 1), now);
    model.record(now, bits);
    same(counts(box.b, now), model.counts(now));
    REQUIRE(got.wants_open == tripped(model.c, model.counts(now)));
    if (random() % 700 == 0) {
      reset(box.b, now);
      model.begin();
      same(counts(box.b, now), Counts{});
    }
  }
}

}  // namespace

TEST_CASE("a window by calls counts what a list of the newest n outcomes counts") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    compare(kCalls, seed);
  }
}

TEST_CASE("a window by seconds counts what a list of outcomes with their buckets counts") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    compare(kSeconds, seed);
  }
}

TEST_CASE("a window that is given another shape begins anew, its thresholds change at once") {
  Box box;
  for (int i = 0; i < 3; ++i) {
    box.call(Outcome::failure, 1);
  }
  BreakerConfig c = plain();
  c.min_calls = 3;
  box.b.control.publish(c);
  CHECK(counts(box.b, 1).failures == 3);
  CHECK(box.call(Outcome::success, 1).wants_open);
  c.calls = 11;
  box.b.control.publish(c);
  CHECK(counts(box.b, 1).calls == 0);
  c.window = kSeconds;
  box.b.control.publish(c);
  box.call(Outcome::failure, 1);
  CHECK(counts(box.b, 1).calls == 1);
}

TEST_CASE("a window by seconds forgets, and failures in a row do not end with it") {
  BreakerConfig c = plain();
  c.window = kSeconds;
  c.failure_ratio = 0;
  c.consecutive = 5;
  Box box(c);
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(box.call(Outcome::failure, i * 3600 * kSecond).wants_open);
  }
  CHECK(counts(box.b, 3 * 3600 * kSecond).calls == 1);
  CHECK(counts(box.b, 4 * 3600 * kSecond).calls == 0);
  CHECK(box.call(Outcome::failure, 4 * 3600 * kSecond).wants_open);
}

TEST_CASE("a success after bad outcomes have left looks no further until the next bad one") {
  BreakerConfig c = plain();
  c.calls = 4;
  Box box(c);
  box.call(Outcome::failure, 1);
  for (int i = 0; i < 4; ++i) {
    box.call(Outcome::success, 1);
  }
  CHECK(box.b.window.run.word.load() < kOne);  // no tag
  box.call(Outcome::failure, 1);
  CHECK(box.call(Outcome::failure, 1).wants_open);
  CHECK(counts(box.b, 1).consecutive == 2);
}
