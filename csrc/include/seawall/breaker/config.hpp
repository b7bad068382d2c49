// What a circuit breaker is asked to do, as words, and the one question it decides: is this bad enough to open?
#pragma once

#include <cstdint>

#include "seawall/memory/word.hpp"

namespace seawall::breaker {

using memory::kNever;
using memory::Ns;
using memory::Wide;
using memory::Word;

inline constexpr std::uint64_t kMostCalls = 1024;
inline constexpr std::uint64_t kMostProbes = 64;
inline constexpr std::uint64_t kMostConsecutive = 65'535;
inline constexpr std::uint64_t kBuckets = 10;
inline constexpr std::uint64_t kLeastBucketNs = 1'000'000;
inline constexpr std::uint64_t kLeastLeaseNs = 1'000'000;
// Configured spans reach as far as a place in time does: nine years.
inline constexpr std::uint64_t kLongestNs = std::uint64_t{1} << 58;

inline constexpr std::uint64_t kRatioOne = std::uint64_t{1} << 40;  // ratios: floor(ratio * 2^40)
inline constexpr std::uint64_t kOne = std::uint64_t{1} << 32;       // shares and progress: fixed point 2^32

// window: what the newest outcomes are counted by
inline constexpr std::uint64_t kCalls = 0;
inline constexpr std::uint64_t kSeconds = 1;
// combine: how many of the conditions that are on must be met
inline constexpr std::uint64_t kAny = 0;
inline constexpr std::uint64_t kAll = 1;
// ramp: how traffic comes back after the probes
inline constexpr std::uint64_t kNoRamp = 0;
inline constexpr std::uint64_t kTimeRamp = 1;
inline constexpr std::uint64_t kAdditiveRamp = 2;

struct BreakerConfig {
  std::uint64_t window = kCalls;
  std::uint64_t calls = 100;                    // kCalls: 1 to kMostCalls
  std::uint64_t bucket_ns = 1'000'000'000;      // kSeconds: a tenth of the window
  std::uint64_t min_calls = 10;                 // below that, ratios decide nothing
  std::uint64_t failure_ratio = kRatioOne / 2;  // rounded down, so that 1 of 10 meets 0.1; 0: off
  std::uint64_t slow_ratio = 0;                 // rounded down; 0: off
  std::uint64_t consecutive = 0;                // failures in a row; 0: off
  std::uint64_t slow_ns = 0;                    // a call that takes this long is slow; 0: none is
  std::uint64_t combine = kAny;
  std::uint64_t probes = 1;                 // half_open: calls admitted, all of which must succeed
  std::uint64_t lease_ns = 60'000'000'000;  // a probe unanswered for that long is lost
  std::uint64_t ramp = kNoRamp;
  std::uint64_t ramp_ns = 0;       // kTimeRamp: how long
  std::uint64_t ramp_step = 0;     // kAdditiveRamp: progress a success, rounded up (ten of 0.1 are 1)
  std::uint64_t ramp_start = 0;    // share of calls admitted at no progress
  std::uint64_t ramp_backoff = 0;  // what a bad call leaves of the progress

  bool operator==(const BreakerConfig&) const noexcept = default;
};

// Calls of one era that count now.
struct Counts {
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::uint64_t slow = 0;  // failures may be slow too
  std::uint64_t consecutive = 0;
};

constexpr bool slow_matters(const BreakerConfig& c) noexcept { return c.slow_ratio != 0 && c.slow_ns != 0; }

namespace detail {

constexpr bool within(std::uint64_t value, std::uint64_t least, std::uint64_t most) noexcept {
  return value >= least && value <= most;
}

constexpr bool valid_window(const BreakerConfig& c) noexcept {
  return c.window == kCalls
             ? within(c.calls, 1, kMostCalls) && within(c.min_calls, 1, c.calls)
             : c.window == kSeconds && within(c.bucket_ns, kLeastBucketNs, kLongestNs / kBuckets) && c.min_calls >= 1;
}

constexpr bool valid_ramp(const BreakerConfig& c) noexcept {
  const bool shares = c.ramp_start <= kOne && c.ramp_backoff <= kOne;
  switch (c.ramp) {
    case kNoRamp:
      return true;
    case kTimeRamp:
      return shares && within(c.ramp_ns, 1, kLongestNs);
    case kAdditiveRamp:  // without a first share nobody would ever be admitted to make progress
      return shares && c.ramp_start >= 1 && within(c.ramp_step, 1, kOne);
  }
  return false;
}

}  // namespace detail

// What every function here takes for granted.
constexpr bool valid(const BreakerConfig& c) noexcept {
  return detail::valid_window(c) && c.failure_ratio <= kRatioOne && c.slow_ratio <= kRatioOne &&
         c.consecutive <= kMostConsecutive && c.slow_ns <= kLongestNs && c.combine <= kAll &&
         detail::within(c.probes, 1, kMostProbes) && detail::within(c.lease_ns, kLeastLeaseNs, kLongestNs) &&
         detail::valid_ramp(c);
}

// True when `some` of `calls` is at least `ratio`, and there are calls enough to say so.
constexpr bool reaches(const BreakerConfig& c, std::uint64_t some, std::uint64_t calls, std::uint64_t ratio) noexcept {
  return calls >= c.min_calls && Wide{some} * kRatioOne >= Wide{calls} * ratio;
}

// Any or all of the conditions that are on are met. With none on, never.
constexpr bool tripped(const BreakerConfig& c, const Counts& n) noexcept {
  const bool on[] = {c.failure_ratio != 0, slow_matters(c), c.consecutive != 0};
  const bool met[] = {on[0] && reaches(c, n.failures, n.calls, c.failure_ratio),
                      on[1] && reaches(c, n.slow, n.calls, c.slow_ratio), on[2] && n.consecutive >= c.consecutive};
  const bool any = met[0] || met[1] || met[2];
  return c.combine == kAny ? any : any && met[0] == on[0] && met[1] == on[1] && met[2] == on[2];
}

}  // namespace seawall::breaker
