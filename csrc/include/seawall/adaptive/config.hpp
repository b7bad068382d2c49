// What an adaptive limit is told: by which rule it moves, between which bounds, on how much evidence.
//
// Ratios and factors are fixed point, 32 bits after the point, so that a configuration is nothing but words.
#pragma once

#include <cstdint>

#include "seawall/memory/published.hpp"
#include "seawall/memory/word.hpp"

namespace seawall::adaptive {

using memory::Ns;
using memory::Word;

inline constexpr std::uint64_t kOne = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kMostLimit = 1u << 20;
inline constexpr std::uint64_t kMostSamples = 1u << 20;
inline constexpr std::uint64_t kLongestNs = std::uint64_t{86'400} * 1'000'000'000;

enum class Algorithm : std::uint64_t { gradient, vegas, aimd };

struct AdaptiveConfig {
  std::uint64_t algorithm = static_cast<std::uint64_t>(Algorithm::gradient);
  std::uint64_t min_limit = 1;
  std::uint64_t max_limit = 1000;
  std::uint64_t initial = 20;
  std::uint64_t window_ns = 100'000'000;  // a window is at least this long, and at least two baselines
  std::uint64_t min_samples = 50;         // and nothing is decided on fewer calls
  std::uint64_t percentile = kOne / 2;    // share of a window's calls that are as fast as what is compared
  std::uint64_t probe_ns = 10'000'000'000;
  std::uint64_t dropped_ratio = kOne / 100;  // a larger share of dropped calls shrinks
  std::uint64_t smoothing = kOne * 3 / 10;   // gradient, vegas: how far the limit goes to where it wants to be
  std::uint64_t tolerance = kOne * 3 / 2;    // gradient: how many baselines a call may take before the limit shrinks
  std::uint64_t alpha = kOne * 3;            // vegas: calls in the callee's queue below which the limit grows,
  std::uint64_t beta = kOne * 6;             // and above which it shrinks, both times log10(limit)
  std::uint64_t increase = kOne;             // aimd: a window adds this
  std::uint64_t backoff = kOne * 9 / 10;     // aimd: what a slow window leaves
  std::uint64_t slow_ns = 0;                 // aimd: a slower window is slow; 0: none is
};

constexpr double real(std::uint64_t fixed) noexcept { return static_cast<double>(fixed) / static_cast<double>(kOne); }

constexpr bool valid(const AdaptiveConfig& c) noexcept {
  const bool bounds = c.min_limit >= 1 && c.min_limit <= c.initial && c.initial <= c.max_limit;
  const bool evidence = c.min_samples >= 1 && c.min_samples <= kMostSamples && c.window_ns <= kLongestNs &&
                        c.probe_ns >= 1 && c.probe_ns <= kLongestNs && c.percentile >= 1 && c.percentile <= kOne;
  const bool rule = c.smoothing >= 1 && c.smoothing <= kOne && c.tolerance >= kOne && c.tolerance <= 100 * kOne &&
                    c.alpha <= c.beta && c.beta <= 1000 * kOne && c.increase <= 1000 * kOne && c.backoff <= kOne;
  return c.algorithm <= 2 && c.max_limit <= kMostLimit && c.dropped_ratio < kOne && c.slow_ns <= kLongestNs && bounds &&
         evidence && rule;
}

}  // namespace seawall::adaptive
