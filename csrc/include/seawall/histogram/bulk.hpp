// Recording a whole array of float values: all of them, or none where one cannot be recorded.
//
// Progress: as record in histogram.hpp; the caller's array is read once and may even change meanwhile without harm.
// Mechanism: blocks of values become bucket indexes in loops that the compiler vectorizes, taking exponent and leading
// digits straight from the bits of the rounded double; a large array is counted in private tables that are added at the
// end. Cost: 1.5-2 ns a value for large arrays. Source: the index formula of layout.hpp, rewritten for IEEE 754 bits.
#pragma once

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "seawall/histogram/histogram.hpp"

namespace seawall::histogram {

inline constexpr double kUnit = 1e9;      // a value of 1.0 is so many integers
inline constexpr double kRound = 0x1p52;  // adding it rounds to an integer, half to even, and shows it in the low bits
inline constexpr std::size_t kAllGood = std::numeric_limits<std::size_t>::max();

inline bool can_record(double value) noexcept { return value >= 0.0 && value <= std::numeric_limits<double>::max(); }

// A float value as the integer that is recorded; the largest integer where it is above every layout.
inline std::uint64_t to_integer(double value) noexcept {
  const double scaled = value * kUnit;
  return scaled < 0x1p62 ? static_cast<std::uint64_t>(std::llrint(scaled)) : std::numeric_limits<std::uint64_t>::max();
}

// What a run of values adds besides its counts.
struct Tally {
  Wide sum = 0;
  std::uint64_t clipped = 0;
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t most = 0;
  bool good = true;
};

namespace detail {

inline constexpr std::size_t kChunk = 512;

// One value at a time, by the arithmetic of record. Stops at the first value that cannot be recorded.
inline void index_any(const Layout& layout, std::span<const double> values, std::uint64_t* indexes,
                      Tally& tally) noexcept {
  for (const double value : values) {
    tally.good = can_record(value);
    if (!tally.good) return;
    const auto whole = to_integer(value);
    const auto kept = std::min(whole, layout.highest);
    tally.clipped += whole > layout.highest ? 1 : 0;
    tally.sum += kept;
    tally.least = std::min(tally.least, kept);
    tally.most = std::max(tally.most, kept);
    *indexes++ = layout.index_of(kept);
  }
}

// Two values at a time: every 64-bit target has registers that wide. A comparison of lanes is all ones or all zeros.
using Lanes = double __attribute__((vector_size(16)));
using Bits = std::uint64_t __attribute__((vector_size(16)));

inline Bits bits(Lanes x) noexcept { return reinterpret_cast<Bits>(x); }

// What index_low needs of a layout. `plain` are the bits of the largest value that surely needs no clipping.
struct Recipe {
  explicit Recipe(const Layout& layout) noexcept
      : plain(std::bit_cast<std::uint64_t>(std::nextafter(static_cast<double>(layout.highest) / kUnit, 0.0) *
                                           (1 - 0x1p-52))),
        bias((static_cast<std::uint64_t>(1023 + layout.unit_magnitude + layout.half_magnitude)
              << layout.half_magnitude) -
             layout.half()),
        straight(static_cast<double>(layout.half() << layout.unit_magnitude)),
        shift(52 - layout.half_magnitude),
        unit(layout.unit_magnitude) {}
  std::uint64_t plain, bias;
  double straight;  // below it, buckets have one width
  int shift, unit;
};

// An even number of values, at most kChunk, so that 64 bits hold a lane's sum. False, with nothing tallied, where one
// of them is negative (or -0.0), not finite, or may have to be clipped: index_any then does the chunk.
inline bool index_low(const Recipe& recipe, std::span<const double> values, std::uint64_t* indexes,
                      Tally& tally) noexcept {
  Bits sum{}, odd{};
  Lanes least = {values[0], values[1]}, most = least;
  for (std::size_t i = 0; i < values.size(); i += 2) {
    Lanes value;
    std::memcpy(&value, values.data() + i, sizeof value);
    odd |= bits(value) | (recipe.plain - bits(value));  // as integers: above `plain` are large, negative and no numbers
    least = value < least ? value : least;
    most = value > most ? value : most;
    const Lanes shown = value * kUnit + kRound;
    const Lanes whole = shown - kRound;
    const Bits integer = bits(shown) & 0xf'ffff'ffff'ffff;
    sum += integer;
    const Bits index = whole < recipe.straight ? integer >> recipe.unit : (bits(whole) >> recipe.shift) - recipe.bias;
    std::memcpy(indexes + i, &index, sizeof index);
  }
  if ((odd[0] | odd[1]) >> 63 != 0) return false;
  tally.sum += static_cast<Wide>(sum[0]) + sum[1];
  tally.least = std::min(tally.least, to_integer(std::min(least[0], least[1])));
  tally.most = std::max(tally.most, to_integer(std::max(most[0], most[1])));
  return true;
}

// Hands the indexes of each chunk to `use`; stops, false, before a chunk with a value that cannot be recorded.
template <typename Use>
bool for_chunks(const Layout& layout, std::span<const double> values, Tally& tally, Use use) {
  std::array<std::uint64_t, kChunk> indexes;
  const Recipe recipe(layout);
  const bool low = layout.highest < (std::uint64_t{1} << 51);  // where kRound is exact
  for (std::size_t at = 0; at < values.size(); at += kChunk) {
    const auto chunk = values.subspan(at, std::min(kChunk, values.size() - at));
    if (!low || chunk.size() % 2 != 0 || !index_low(recipe, chunk, indexes.data(), tally)) {
      index_any(layout, chunk, indexes.data(), tally);
    }
    if (!tally.good) return false;
    use(std::span<const std::uint64_t>(indexes.data(), chunk.size()));
  }
  return true;
}

// Two tables, because neighbours often fall into one bucket and an increment waits for the one before it.
inline bool count_in_tables(const Histogram& into, std::span<const double> values, Tally& tally) {
  const auto size = into.layout.counts_len;
  std::vector<std::uint64_t> tables(2 * size);
  auto* const odd = tables.data() + size;
  const bool good = for_chunks(into.layout, values, tally, [&](std::span<const std::uint64_t> indexes) {
    std::size_t i = 0;
    for (; i + 2 <= indexes.size(); i += 2) {
      ++tables[indexes[i]];
      ++odd[indexes[i + 1]];
    }
    if (i < indexes.size()) ++tables[indexes[i]];
  });
  for (std::uint64_t i = 0; good && i < size; ++i) {
    if (const auto n = tables[i] + odd[i]; n != 0) into.count_at(i, n);
  }
  return good;
}

inline bool count_in_list(const Histogram& into, std::span<const double> values, Tally& tally) {
  std::vector<std::uint64_t> list;
  list.reserve(values.size());
  const bool good = for_chunks(into.layout, values, tally, [&](std::span<const std::uint64_t> indexes) {
    list.insert(list.end(), indexes.begin(), indexes.end());
  });
  if (!good) return false;
  for (const auto index : list) into.count_at(index, 1);
  return true;
}

}  // namespace detail

// kAllGood, or where the first value is that is negative, infinite or not a number; then nothing was recorded.
inline std::size_t record_many(const Histogram& into, std::span<const double> values) {
  Tally tally;
  const bool large = values.size() >= into.layout.counts_len / 4;
  if (!(large ? detail::count_in_tables(into, values, tally) : detail::count_in_list(into, values, tally))) {
    const auto bad = std::find_if_not(values.begin(), values.end(), can_record);
    return static_cast<std::size_t>(bad - values.begin());
  }
  if (values.empty()) return kAllGood;
  into.note_clipped(tally.clipped);
  into.add_to_sum(tally.sum);
  into.widen(tally.least, tally.most);
  return kAllGood;
}

}  // namespace seawall::histogram
