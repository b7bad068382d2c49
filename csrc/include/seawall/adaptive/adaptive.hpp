// A limit of calls in flight that finds itself: windows of samples, and a decision at the end of each.
//
// Guarantees: a call counts for the window in which it began, or not at all: what it took says something of the limit
// that was in force then. One thread decides at the end of a window; nobody waits for it. Mechanism: one word holds the
// window's number and whether somebody decides; permits carry the number. State is words without pointers.
// Progress: lock-free. Cost: 5 ns to begin, 15 to settle, a microsecond a window.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "seawall/adaptive/decide.hpp"
#include "seawall/adaptive/window.hpp"

namespace seawall::adaptive {

enum class Outcome { success, dropped, ignored };

struct Permit {
  std::uint64_t window = 0;
  Ns start = 0;
};

struct Settled {
  Reason reason = Reason::none;  // none: nothing was decided
  double before = 0, after = 0;  // the limit
};

struct Statistics {
  Word samples{0}, dropped{0}, ignored{0}, late{0}, decisions{0}, discarded{0};
};

class alignas(64) Adaptive {
 public:
  memory::Published<AdaptiveConfig> control;
  Statistics statistics;

  // Before anyone else can see it.
  void start(const AdaptiveConfig& c, Ns now) noexcept {
    control.start(c);
    write(first(c));
    opened_.store(static_cast<std::uint64_t>(now));
  }

  Permit begin(Ns now) const noexcept {
    // acquire: the limit of the window this call begins in is in force.
    return {turn_.load(std::memory_order_acquire) >> 1, now};
  }

  // What came of a call; `in_flight` counts it too. Every permit is settled once.
  Settled settle(const Permit& p, Outcome outcome, std::uint64_t in_flight, Ns now) noexcept {
    if (outcome == Outcome::ignored) {
      tick(statistics.ignored);
      return {};
    }
    tick(outcome == Outcome::success ? statistics.samples : statistics.dropped);
    // acquire: as in begin.
    if (turn_.load(std::memory_order_acquire) >> 1 != p.window) {
      tick(statistics.late);
      return {};
    }
    window_.saw(p.window, in_flight);
    if (!(outcome == Outcome::success ? window_.add(p.window, now - p.start) : window_.drop(p.window))) {
      tick(statistics.late);
      return {};
    }
    return close(p, now);
  }

  // Calls that may be in flight.
  std::uint32_t limit() const noexcept {
    AdaptiveConfig c;
    control.read(c);
    return static_cast<std::uint32_t>(detail::clamped(c, load(limit_)));
  }

  // Words of two neighbouring decisions may stand beside each other.
  State state() const noexcept {
    State s;
    s.limit = load(limit_);
    s.baseline = load(baseline_);
    s.level = load(level_);
    s.before_latency = load(before_latency_);
    s.before_limit = load(before_limit_);
    s.probed_at = static_cast<Ns>(probed_at_.load(std::memory_order_relaxed));
    s.phase = static_cast<Phase>(phase_.load(std::memory_order_relaxed));
    return s;
  }

  // The percentile of the last window that was decided on, in nanoseconds; 0 before.
  double latency() const noexcept { return load(latency_); }

 private:
  // relaxed: statistics, and words that only the decider writes; its turn orders them.
  static void tick(Word& word) noexcept { word.fetch_add(1, std::memory_order_relaxed); }
  static double load(const Word& word) noexcept { return std::bit_cast<double>(word.load(std::memory_order_relaxed)); }
  static void store(Word& word, double value) noexcept {
    word.store(std::bit_cast<std::uint64_t>(value), std::memory_order_relaxed);
  }

  void write(const State& s) noexcept {
    store(limit_, s.limit);
    store(baseline_, s.baseline);
    store(level_, s.level);
    store(before_latency_, s.before_latency);
    store(before_limit_, s.before_limit);
    probed_at_.store(static_cast<std::uint64_t>(s.probed_at), std::memory_order_relaxed);
    phase_.store(static_cast<std::uint64_t>(s.phase), std::memory_order_relaxed);
  }

  Settled close(const Permit& p, Ns now) noexcept {
    AdaptiveConfig c;
    control.read(c);
    const Ns opened = static_cast<Ns>(opened_.load(std::memory_order_relaxed));
    // As many as were in flight: of the first to end, most are the fastest to be served.
    const std::uint64_t turnover = SampleWindow::of(p.window, window_.peak.load(std::memory_order_relaxed));
    const bool enough = window_.ended(p.window) >= std::max(c.min_samples, turnover);
    const double least = std::max(static_cast<double>(c.window_ns), 2.0 * load(baseline_));
    const bool long_enough = static_cast<double>(now - opened) >= least;
    // Calls that began so long ago say nothing of now; a call that only took long is not one of them.
    const bool stale = !enough && p.start - opened > static_cast<Ns>(c.probe_ns);
    if (!stale && !(enough && long_enough)) {
      return {};
    }
    std::uint64_t turn = p.window << 1;
    // acquire: the words that the last decider wrote.
    if (!turn_.compare_exchange_strong(turn, turn | 1, std::memory_order_acq_rel, std::memory_order_relaxed)) {
      return {};
    }
    const Settled settled = stale ? discard() : conclude(c, p.window, now - opened, now);
    opened_.store(static_cast<std::uint64_t>(now), std::memory_order_relaxed);
    // release: who begins in the next window sees its limit and when it opened.
    turn_.store((p.window + 1) << 1, std::memory_order_release);
    return settled;
  }

  Settled discard() noexcept {
    tick(statistics.discarded);
    return {};
  }

  Settled conclude(const AdaptiveConfig& c, std::uint64_t number, Ns elapsed, Ns now) noexcept {
    Seen seen;
    seen.samples = SampleWindow::of(number, window_.samples.load(std::memory_order_acquire));
    seen.dropped = SampleWindow::of(number, window_.dropped.load(std::memory_order_acquire));
    seen.peak = SampleWindow::of(number, window_.peak.load(std::memory_order_relaxed));
    seen.latency = window_.quantile(number, real(c.percentile));
    seen.elapsed = elapsed;
    State s = state();
    s.limit = detail::clamped(c, s.limit);
    const double before = s.limit;
    const Reason reason = decide(c, s, seen, now);
    write(s);
    store(latency_, seen.latency);
    tick(statistics.decisions);
    return {reason, before, s.limit};
  }

  alignas(64) Word turn_{0};  // number of the window, and a bit that somebody decides
  Word opened_{0};
  Word limit_{0}, baseline_{0}, level_{0}, before_latency_{0}, before_limit_{0}, probed_at_{0}, phase_{0}, latency_{0};
  alignas(64) SampleWindow window_;
};

}  // namespace seawall::adaptive
