// Which bucket a value falls into, exactly as HdrHistogram lays its buckets out.
//
// Pure arithmetic: no state, any thread. Mechanism: values below `lowest` share a unit of 2**unit_magnitude; every
// doubling of the value doubles the width of a bucket, and each doubling holds 2**half_magnitude buckets, so a bucket
// is never wider than 1/10**digits of its values. Cost: 1-2 ns an index (one count-leading-zeros, two shifts). Source:
// HdrHistogram (Gil Tene), AbstractHistogram.init and countsArrayIndex.
#pragma once

#include <bit>
#include <cstdint>

namespace seawall::histogram {

struct Layout {
  std::uint64_t lowest;
  std::uint64_t highest;
  std::uint64_t digits;
  int unit_magnitude;
  int half_magnitude;
  int block_shift;  // the buckets are walked in at most 64 blocks of 2**block_shift
  std::uint32_t bucket_count;
  std::uint64_t counts_len;

  constexpr std::uint64_t index_of(std::uint64_t value) const noexcept {
    const int bucket = static_cast<int>(std::bit_width(value | mask())) - (unit_magnitude + half_magnitude + 1);
    return (static_cast<std::uint64_t>(bucket) << half_magnitude) + (value >> (bucket + unit_magnitude));
  }

  // The smallest value of a bucket, the number of values in it, the largest, and the one in the middle.
  std::uint64_t lowest_of(std::uint64_t index) const noexcept {
    const auto inside = index & (half() - 1);
    return index < half() ? inside << unit_magnitude : (inside + half()) << (doublings(index) + unit_magnitude);
  }
  std::uint64_t width_of(std::uint64_t index) const noexcept {
    return std::uint64_t{1} << (unit_magnitude + doublings(index));
  }
  std::uint64_t highest_of(std::uint64_t index) const noexcept { return lowest_of(index) + width_of(index) - 1; }
  std::uint64_t middle_of(std::uint64_t index) const noexcept { return lowest_of(index) + (width_of(index) >> 1); }

  constexpr std::uint64_t half() const noexcept { return std::uint64_t{1} << half_magnitude; }
  constexpr std::uint64_t sub_buckets() const noexcept { return half() * 2; }
  bool operator==(const Layout&) const = default;

 private:
  constexpr std::uint64_t mask() const noexcept { return (sub_buckets() - 1) << unit_magnitude; }
  int doublings(std::uint64_t index) const noexcept {
    return index < half() ? 0 : static_cast<int>(index >> half_magnitude) - 1;
  }
};

inline constexpr std::uint64_t kHighest = std::uint64_t{1} << 62;

// How many bits of a value `digits` decimal digits keep: the smallest power of two that is at least 2 * 10**digits.
constexpr int precision_bits(std::uint64_t digits) noexcept {
  std::uint64_t resolution = 2;
  for (std::uint64_t i = 0; i < digits; ++i) resolution *= 10;
  return static_cast<int>(std::bit_width(resolution - 1));
}

// What can be laid out: beyond it, shifts leave 64 bits. Everything else here relies on it.
constexpr bool can_lay_out(std::uint64_t lowest, std::uint64_t highest, std::uint64_t digits) noexcept {
  return digits >= 1 && digits <= 5 && lowest >= 1 && highest <= kHighest && lowest <= highest / 2 &&
         static_cast<int>(std::bit_width(lowest)) - 1 + precision_bits(digits) <= 61;
}

constexpr Layout lay_out(std::uint64_t lowest, std::uint64_t highest, std::uint64_t digits) noexcept {
  Layout made{lowest, highest, digits, static_cast<int>(std::bit_width(lowest)) - 1, precision_bits(digits) - 1,
              0,      1,       0};
  for (auto limit = made.sub_buckets() << made.unit_magnitude; limit <= highest; limit <<= 1) ++made.bucket_count;
  made.counts_len = (made.bucket_count + std::uint64_t{1}) << made.half_magnitude;
  while (((made.counts_len - 1) >> made.block_shift) >= 64) ++made.block_shift;
  return made;
}

}  // namespace seawall::histogram
