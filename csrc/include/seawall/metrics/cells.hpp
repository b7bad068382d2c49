// Where numbers are counted: a bank holds one word for each of eight series in every one of its lines.
//
// Progress: add and read are wait-free, moving a gauge is lock-free; each word is linearizable, a total is no snapshot
// of adds in flight. Mechanism: a thread adds in the line of its stripe (a worker in its own line), so that writers of
// different stripes never share a cache line, and a striped counter takes 128 bytes instead of a kilobyte. Zeroed
// memory is nothing counted and nothing set. Cost: 2-3 ns to add, 16 lines to read, shared by eight series. Source:
// LongAdder (Doug Lea), transposed.
#pragma once

#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "seawall/counter/stripes.hpp"

namespace seawall::metrics {

using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free);

inline constexpr std::size_t kLine = 64;
inline constexpr std::size_t kSeriesOfBank = kLine / sizeof(Word);
inline constexpr std::uint64_t kBillion = 1'000'000'000;

// The word of a cell in a line of its bank.
inline Word& word_of(void* cell, std::size_t line) noexcept {
  return *reinterpret_cast<Word*>(static_cast<char*>(cell) + line * kLine);
}

inline void add(void* cell, std::uint64_t n) noexcept {
  // relaxed: the addition itself is atomic, and a count publishes nothing else.
  word_of(cell, counter::my_stripe()).fetch_add(n, std::memory_order_relaxed);
}

// Makes the total at least `n`, for totals that somebody else keeps; nobody adds to such a cell.
inline void raise_to(void* cell, std::uint64_t n) noexcept {
  auto& word = word_of(cell, 0);
  auto seen = word.load(std::memory_order_relaxed);  // relaxed, here and below: as in add
  while (seen < n && !word.compare_exchange_weak(seen, n, std::memory_order_relaxed)) {
  }
}

inline std::uint64_t total(void* cell) noexcept {
  std::uint64_t sum = 0;
  // relaxed: coherence alone shows every add that happened before.
  for (std::size_t i = 0; i < counter::kStripes; ++i) sum += word_of(cell, i).load(std::memory_order_relaxed);
  return sum;
}

// A gauge's word holds the bits of a finite double plus one, so that zero means that nothing was set.
inline bool is_set(std::uint64_t word) noexcept { return word != 0; }
inline double number_of(std::uint64_t word) noexcept { return word == 0 ? 0.0 : std::bit_cast<double>(word - 1); }
inline std::uint64_t word_for(double x) noexcept { return std::bit_cast<std::uint64_t>(x) + 1; }

// False, and nothing changed, where the sum would not be finite.
inline bool move(Word& word, double by) noexcept {
  auto seen = word.load(std::memory_order_relaxed);  // relaxed, here and below: a gauge publishes nothing else
  for (;;) {
    const double sum = number_of(seen) + by;
    if (!std::isfinite(sum)) return false;
    if (word.compare_exchange_weak(seen, word_for(sum), std::memory_order_relaxed)) return true;
  }
}

}  // namespace seawall::metrics
