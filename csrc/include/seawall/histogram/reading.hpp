// What a histogram says: count, percentiles, mean and deviation, while others go on recording.
//
// Progress: wait-free, read only. Each answer is drawn from one walk over the used blocks; a record in flight may be in
// or out. Mechanism: the walk keeps a subtotal a block (at most 64), so a percentile then steps over blocks and walks
// within one. Cost: 0.3 ns a bucket of a used block; 2 us for a usual spread at three digits, 6 us across all decades,
// in proportion for more digits. Source: HdrHistogram getValueAtPercentile (nearest rank), getMean, getStdDeviation
// (middle of each bucket).
#pragma once

#include <array>
#include <cmath>

#include "seawall/histogram/histogram.hpp"

namespace seawall::histogram {

struct Survey {
  std::uint64_t total = 0;
  std::array<std::uint64_t, 64> blocks{};
};

// relaxed loads throughout this file: buckets are independent words, and the header says what an answer may miss.
inline std::uint64_t sum_words(const Word* words, std::uint64_t n) noexcept {
  std::uint64_t a = 0, b = 0, c = 0, d = 0;  // four chains: one alone waits for its own addition
  std::uint64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    a += words[i].load(std::memory_order_relaxed);
    b += words[i + 1].load(std::memory_order_relaxed);
    c += words[i + 2].load(std::memory_order_relaxed);
    d += words[i + 3].load(std::memory_order_relaxed);
  }
  for (; i < n; ++i) a += words[i].load(std::memory_order_relaxed);
  return a + b + c + d;
}

inline Survey survey(const Histogram& histogram) noexcept {
  Survey seen;
  const auto& layout = histogram.layout;
  for (auto left = histogram.state->used.load(std::memory_order_relaxed); left != 0; left &= left - 1) {
    const auto block = static_cast<std::uint64_t>(std::countr_zero(left));
    const auto first = block << layout.block_shift;
    const auto size = std::min(std::uint64_t{1} << layout.block_shift, layout.counts_len - first);
    seen.total += seen.blocks[block] = sum_words(histogram.counts() + first, size);
  }
  return seen;
}

inline std::uint64_t count(const Histogram& histogram) noexcept { return survey(histogram).total; }

// The bucket of the rank-th smallest value, 1 <= rank <= seen.total.
inline std::uint64_t bucket_of_rank(const Histogram& histogram, const Survey& seen, std::uint64_t rank) noexcept {
  std::uint64_t block = 0;
  for (; rank > seen.blocks[block]; ++block) rank -= seen.blocks[block];
  auto index = block << histogram.layout.block_shift;
  const auto end = std::min(index + (std::uint64_t{1} << histogram.layout.block_shift), histogram.layout.counts_len);
  auto answer = index;
  // A swap since the survey may have emptied the block: then the last bucket that still holds something answers.
  for (; index < end; ++index) {
    const auto n = histogram.counts()[index].load(std::memory_order_relaxed);
    if (n != 0) answer = index;
    if (n >= rank) break;
    rank -= n;
  }
  return answer;
}

// The smallest recorded value that at least `percent` of all values do not exceed, up to the width of its bucket; never
// more than the maximum. nextafter keeps a product that is a hair too large from skipping a rank. seen.total must not
// be 0.
inline std::uint64_t at_percentile(const Histogram& histogram, const Survey& seen, double percent) noexcept {
  const double exact = std::nextafter(percent, 0.0) / 100.0 * static_cast<double>(seen.total);
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(exact)), 1, seen.total);
  const auto index = bucket_of_rank(histogram, seen, rank);
  const auto& layout = histogram.layout;
  const auto least = ~histogram.state->least.load(std::memory_order_relaxed);
  const auto most = histogram.state->most.load(std::memory_order_relaxed);
  // An extreme speaks for its own bucket only: it may be in flight while others are read.
  if (percent == 0.0)
    return least <= layout.highest && index == layout.index_of(least) ? least : layout.lowest_of(index);
  return index == layout.index_of(most) ? most : layout.highest_of(index);
}

struct Moments {
  double mean = 0.0;
  double deviation = 0.0;
};

// Each value counts as the middle of its bucket; the deviation is that of the population. Both are 0 where nothing is.
inline Moments moments(const Histogram& histogram) noexcept {
  const auto& layout = histogram.layout;
  double n = 0.0, total = 0.0, squares = 0.0;
  for_used(histogram, [&](std::uint64_t index, const Word& word) {
    const auto seen = static_cast<double>(word.load(std::memory_order_relaxed));
    n += seen;
    total += seen * static_cast<double>(layout.middle_of(index));
  });
  if (n == 0.0) return {};
  const double mean = total / n;
  for_used(histogram, [&](std::uint64_t index, const Word& word) {
    const double off = static_cast<double>(layout.middle_of(index)) - mean;
    squares += static_cast<double>(word.load(std::memory_order_relaxed)) * off * off;
  });
  return {mean, std::sqrt(squares / n)};
}

}  // namespace seawall::histogram
