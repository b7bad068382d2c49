// A breaker of its own, and the calls through it, for the tests.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "seawall/breaker/operate.hpp"

namespace seawall::breaker {

inline constexpr Ns kSecond = 1'000'000'000;

constexpr std::uint64_t ratio(double r) { return static_cast<std::uint64_t>(r * static_cast<double>(kRatioOne)); }

// Trips at half of at least four calls; two probes; no ramp.
inline BreakerConfig plain() {
  BreakerConfig c;
  c.calls = 10;
  c.min_calls = 4;
  c.failure_ratio = ratio(0.5);
  c.probes = 2;
  c.lease_ns = 5 * kSecond;
  return c;
}

struct Box {
  std::unique_ptr<Breaker> owned;
  Breaker& b;

  explicit Box(const BreakerConfig& c = plain()) : owned(std::make_unique<Breaker>()), b(*owned) {
    if (!valid(c)) {
      std::abort();
    }
    b.control.start(c);
  }
  explicit Box(Breaker& elsewhere) : b(elsewhere) {}

  State state() const { return state_of(b.state.load()); }
  std::uint64_t trips() const { return trips_of(b.state.load()); }

  // One call that is admitted and takes no time.
  Settled call(Outcome outcome, Ns now) { return call(outcome, now, now); }
  Settled call(Outcome outcome, Ns start, Ns end) {
    const Entry e = enter(b, start);
    REQUIRE(e.admitted);
    return settle(b, e.permit, outcome, end);
  }

  // Closed to open, by failures at `now`.
  void trip(Ns now, Ns until) {
    const std::uint64_t era = b.state.load();
    while (!call(Outcome::failure, now).wants_open) {
    }
    REQUIRE(open(b, era, until));
  }
};

inline constexpr int kThreads = 4;

template <class F>
void together(F&& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&work, i] { work(i); });
  }
  for (auto& t : threads) {
    t.join();
  }
}

}  // namespace seawall::breaker
