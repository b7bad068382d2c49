// Where the limit goes after a window: a pure function of the state, the window and the time.
//
// What a call takes with little in flight is the baseline. It is measured, never remembered for ever and never averaged
// up: from time to time, and whenever latency is far above it, the limit goes down step by step while latency follows.
// As long as it follows, calls had been waiting for each other, and nothing is lost by having fewer of them; the step
// that brings no relief shows the bottom, which is the new baseline, and is taken back. So overload cannot pass for
// normal (Netflix's Gradient2), a callee that has become slow for good is believed within one probe (Vegas' frozen
// minimum), and a probe goes one step below what the callee can do, two where it must be sure (Envoy goes to three
// calls), and none at all while there is room.
// Progress: no state of its own. Cost: about 20 ns. Source: Netflix concurrency-limits (Gradient2, Vegas, AIMD); Brakmo
// and Peterson, TCP Vegas, 1995; Envoy's adaptive concurrency filter; BBR, which drains to see the bottom.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "seawall/adaptive/config.hpp"

namespace seawall::adaptive {

enum class Phase : std::uint64_t { starting, steady, probing, doubting };
enum class Reason : std::uint64_t { none, grown, shrunk, held, idle, dropped, slow, probing, probed, abandoned };

struct State {
  double limit = 0;
  double baseline = 0;                          // nanoseconds; 0: nothing was measured yet
  double level = 0;                             // calls in flight with which a probe measured the baseline; 0: none has
  double before_latency = 0, before_limit = 0;  // of a probe's last step
  Ns probed_at = 0;
  Phase phase = Phase::starting;
};

// What a window has gathered: calls that began under its limit and have ended.
struct Seen {
  double latency = 0;  // the percentile, in nanoseconds
  std::uint64_t samples = 0, dropped = 0;
  std::uint64_t peak = 0;  // most calls in flight
  Ns elapsed = 0;
};

namespace detail {

inline constexpr double kStep = 0.75;        // what a step of a probe leaves of the limit
inline constexpr double kNear = 1.15;        // within this of the baseline, latency is the baseline's noise
inline constexpr double kFar = 3.0;          // beyond this times the tolerance, the baseline is asked for again
inline constexpr double kLearn = 0.3;        // weight of a window in the baseline
inline constexpr double kBound = 0.9;        // the limit binds when so much of it was used
inline constexpr double kLeastFactor = 0.5;  // no window takes more than half of the limit
inline constexpr double kDropFactor = 0.9;   // calls that were dropped cost at least a tenth
inline constexpr Ns kLongAgo = -(Ns{1} << 61);
inline constexpr int kProbeEvery = 40;  // windows between two probes at least: they cost one of these

struct Target {
  double limit;
  bool congested;  // so much that the baseline is asked for
};

inline double clamped(const AdaptiveConfig& c, double limit) noexcept {
  return std::min(std::max(limit, static_cast<double>(c.min_limit)), static_cast<double>(c.max_limit));
}

inline Target gradient(const AdaptiveConfig& c, const State& s, double latency) noexcept {
  const double slope = real(c.tolerance) * s.baseline / latency;
  const double factor = std::max(kLeastFactor, std::min(1.0, slope));
  const bool congested = slope * kFar < 1.0 || (s.phase == Phase::starting && slope < 1.0);
  return {s.limit * factor + std::sqrt(s.limit), congested};
}

inline Target vegas(const AdaptiveConfig& c, const State& s, double latency) noexcept {
  const double scale = std::max(1.0, std::log10(s.limit));
  const double queue = s.limit * (1.0 - s.baseline / latency);
  const double alpha = real(c.alpha) * scale, beta = real(c.beta) * scale;
  double limit = s.limit;
  if (queue <= scale) {
    limit += beta;
  } else if (queue < alpha) {
    limit += scale;
  } else if (queue > beta) {
    limit -= scale;
  }
  return {limit, queue > 4.0 * beta || (s.phase == Phase::starting && queue > alpha)};
}

inline Reason moved(double before, double after) noexcept {
  return after > before ? Reason::grown : after < before ? Reason::shrunk : Reason::held;
}

// More than the configured share, and more than by chance: one of fifty is no sign of one in a hundred.
inline bool drops(const AdaptiveConfig& c, const Seen& w) noexcept {
  const double expected = real(c.dropped_ratio) * static_cast<double>(w.samples + w.dropped);
  return static_cast<double>(w.dropped) > expected + 2.0 * std::sqrt(expected);
}

inline Reason dropped(const AdaptiveConfig& c, State& s, const Seen& w) noexcept {
  if (s.phase == Phase::doubting) {
    s.limit = s.before_limit;  // below it, it went only to see
  }
  const double share = static_cast<double>(w.dropped) / static_cast<double>(w.samples + w.dropped);
  s.limit = clamped(c, s.limit * std::max(kLeastFactor, std::min(kDropFactor, 1.0 - share)));
  s.phase = Phase::steady;
  return Reason::dropped;
}

inline Reason aimd(const AdaptiveConfig& c, State& s, const Seen& w) noexcept {
  if (c.slow_ns != 0 && w.latency > static_cast<double>(c.slow_ns)) {
    s.limit = clamped(c, s.limit * real(c.backoff));
    s.phase = Phase::steady;
    return Reason::slow;
  }
  if (2.0 * static_cast<double>(w.peak) < s.limit) {
    return Reason::idle;
  }
  const double before = s.limit;
  s.limit = clamped(c, s.phase == Phase::starting ? s.limit * 2.0 : s.limit + real(c.increase));
  return moved(before, s.limit);
}

inline Reason end_probe(State& s, Reason reason, Ns now) noexcept {
  s.phase = Phase::steady;
  s.probed_at = now;
  return reason;
}

inline double step_below(const AdaptiveConfig& c, double limit) noexcept {
  const double whole = std::floor(limit);
  return std::max(static_cast<double>(c.min_limit), std::min(std::floor(whole * kStep), whole - 1.0));
}

inline Reason step_down(const AdaptiveConfig& c, State& s, double latency, Ns now) noexcept {
  const double lower = step_below(c, s.limit);
  if (lower >= s.limit) {
    return end_probe(s, Reason::probed, now);
  }
  s.before_latency = latency;
  s.before_limit = s.limit;
  s.limit = lower;
  s.phase = Phase::probing;
  return Reason::probing;
}

// No relief. What raises the baseline must be seen in two steps: chance alone must not make overload the baseline.
inline Reason bottom(const AdaptiveConfig& c, State& s, double latency, Ns now) noexcept {
  const bool raises = s.level == 0 || latency > kNear * s.baseline;
  const double lower = step_below(c, s.limit);
  if (raises && s.phase == Phase::probing && lower < s.limit) {
    s.limit = lower;
    s.phase = Phase::doubting;
    return Reason::probing;
  }
  s.baseline = latency;
  s.level = s.limit;
  s.limit = clamped(c, s.before_limit);
  return end_probe(s, Reason::probed, now);
}

inline Reason probe(const AdaptiveConfig& c, State& s, const Seen& w, bool binds, Ns now) noexcept {
  if (!binds) {  // there were not enough calls to tell
    s.limit = clamped(c, s.before_limit);
    s.baseline = std::min(s.baseline, w.latency);
    return end_probe(s, Reason::abandoned, now);
  }
  if (w.latency > s.before_latency * std::sqrt(s.limit / s.before_limit)) {
    return bottom(c, s, w.latency, now);
  }
  const bool known = s.level != 0 && w.latency >= (2.0 - kNear) * s.baseline && w.latency <= kNear * s.baseline;
  s.baseline = std::min(s.baseline, w.latency);
  if (known) {
    s.level = s.limit;
    s.limit = s.phase == Phase::doubting ? clamped(c, s.before_limit) : s.limit;
    return end_probe(s, Reason::probed, now);
  }
  return step_down(c, s, w.latency, now);
}

// With little in flight nobody waits for anybody: what latency does then is the callee's own, up or down.
inline Reason idle(const AdaptiveConfig& c, State& s, const Seen& w) noexcept {
  const double share = std::min(1.0, static_cast<double>(w.elapsed) / static_cast<double>(c.probe_ns));
  const double weight = w.latency > s.baseline ? share : 1.0;
  s.baseline = s.baseline + weight * (w.latency - s.baseline);
  return Reason::idle;
}

inline Reason follow(const AdaptiveConfig& c, State& s, const Seen& w, bool binds, Ns now) noexcept {
  if (w.latency < s.baseline || static_cast<double>(w.peak) <= s.level) {
    s.baseline = s.baseline + kLearn * (w.latency - s.baseline);
  }
  const bool by_gradient = c.algorithm == static_cast<std::uint64_t>(Algorithm::gradient);
  const Target target = by_gradient ? gradient(c, s, w.latency) : vegas(c, s, w.latency);
  const bool starting = s.phase == Phase::starting;
  const bool due = now - s.probed_at >= std::max(static_cast<Ns>(c.probe_ns), kProbeEvery * w.elapsed);
  if (starting && target.congested) {  // the queue is still growing: what it comes to is seen in the next window
    s.phase = Phase::steady;
    s.probed_at = kLongAgo;
    return Reason::held;
  }
  if (binds && !starting && (target.congested || due)) {
    return step_down(c, s, w.latency, now);
  }
  const double before = s.limit;
  // Near the baseline there is room; above it, noise must not move much.
  const double weight = w.latency <= kNear * s.baseline ? std::sqrt(real(c.smoothing)) : real(c.smoothing);
  const double wanted = starting ? s.limit * 2.0 : target.limit;
  s.limit = clamped(c, s.limit + weight * (wanted - s.limit));
  return moved(before, s.limit);
}

}  // namespace detail

inline State first(const AdaptiveConfig& c) noexcept {
  State s;
  s.limit = static_cast<double>(c.initial);
  return s;
}

inline Reason decide(const AdaptiveConfig& c, State& s, const Seen& w, Ns now) noexcept {
  if (w.samples == 0 || detail::drops(c, w)) {
    return detail::dropped(c, s, w);
  }
  if (c.algorithm == static_cast<std::uint64_t>(Algorithm::aimd)) {
    return detail::aimd(c, s, w);
  }
  if (s.baseline == 0) {
    s.baseline = w.latency;
  }
  const double peak = static_cast<double>(w.peak);
  const bool binds = peak >= detail::kBound * std::floor(s.limit);
  if (s.phase == Phase::probing || s.phase == Phase::doubting) {
    return detail::probe(c, s, w, binds, now);
  }
  return 2.0 * peak < s.limit ? detail::idle(c, s, w) : detail::follow(c, s, w, binds, now);
}

}  // namespace seawall::adaptive
