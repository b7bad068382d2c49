// What a tally has room for. All times in nanoseconds since the run's zero.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "seawall/histogram/layout.hpp"

namespace seawall::load {

inline constexpr std::uint64_t kMostPhases = 32;
inline constexpr std::uint64_t kMostBlocks = 1024;
inline constexpr std::uint64_t kMostSlices = std::uint64_t{1} << 26;

struct Shape {
  std::uint64_t interval = 1;     // length of a slice
  std::uint64_t slices = 1;       // what comes later counts in the last one
  std::uint64_t begin = 0;        // of the first block: what was due before is in none
  std::uint64_t block_width = 1;  // of the blocks, in which response times are kept by due time
  std::uint64_t blocks = 1;
  std::uint64_t phases = 1;
  std::array<std::uint64_t, kMostPhases> ends{};  // a request belongs to the first phase that ends after it was due
  histogram::Layout layout{};

  bool operator==(const Shape&) const = default;

  std::uint64_t slice_of(std::uint64_t at) const noexcept { return std::min(at / interval, slices - 1); }
  std::uint64_t phase_of(std::uint64_t due) const noexcept {
    std::uint64_t i = 0;
    while (i + 1 < phases && due >= ends[i]) ++i;
    return i;
  }
  // `blocks` where it is in none.
  std::uint64_t block_of(std::uint64_t due) const noexcept {
    return due < begin ? blocks : std::min((due - begin) / block_width, blocks - 1);
  }
};

inline bool can_shape(const Shape& shape) noexcept {
  const auto within = [](std::uint64_t value, std::uint64_t most) { return value >= 1 && value <= most; };
  return within(shape.interval, ~std::uint64_t{0}) && within(shape.block_width, ~std::uint64_t{0}) &&
         within(shape.slices, kMostSlices) && within(shape.blocks, kMostBlocks) && within(shape.phases, kMostPhases);
}

}  // namespace seawall::load
