// A histogram that many threads and processes record into, and that hands over intervals while they do.
//
// Progress: recording is lock-free (wait-free but for a new minimum or maximum); swap and merge are wait-free.
// Every count lands in exactly one interval. Not linearizable as a whole: sum, least and most are words of their own,
// so of a record in flight during a swap the count may be in one interval and its sum or extreme in the next; the
// bounds of its bucket then stand in for the extreme. A process killed in the midst of a record leaves at most its
// count without its sum or extreme; one killed in the midst of a swap loses what it had taken. Neither leaves a state
// that others could not go on with. Mechanism: one atomic word a bucket, laid out as HdrHistogram does, and a bitmap of
// the blocks that were ever used, so that a reader walks only those. A bit is set before the first count of its block
// and never cleared. Cost: 6 ns a record; a swap exchanges each non-empty bucket. Source: HdrHistogram,
// ConcurrentHistogram; Layout in layout.hpp.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "seawall/histogram/layout.hpp"

namespace seawall::histogram {

using Word = std::atomic<std::uint64_t>;
__extension__ using Wide = unsigned __int128;
static_assert(Word::is_always_lock_free);

// The head of the state; layout.counts_len bucket words follow it. All zero but for the configuration is empty.
struct alignas(64) State {
  Word lowest, highest, digits;  // the image a shared slot starts with; read once, when the histogram is opened
  Word used;                     // bit b: some bucket of block b was counted in, ever
  Word clipped;                  // values above highest, counted as highest
  alignas(64) Word sum;          // in nanoseconds, modulo 2**64
  Word carry;                    // how often the sum went around
  Word least;                    // complement of the minimum, so that zero is "none" and both extremes only rise
  Word most;
};
static_assert(sizeof(State) == 128);

inline std::size_t bytes_of(const Layout& layout) noexcept { return sizeof(State) + layout.counts_len * sizeof(Word); }

// relaxed: an extreme is one word; whoever needs it beside a count is told above that they may differ in flight.
inline void raise(Word& word, std::uint64_t to) noexcept {
  auto seen = word.load(std::memory_order_relaxed);
  while (seen < to && !word.compare_exchange_weak(seen, to, std::memory_order_relaxed)) {
  }
}

// A view: the layout beside a state that lives elsewhere. Values are integers, by convention nanoseconds.
struct Histogram {
  Layout layout;
  State* state;

  Word* counts() const noexcept { return reinterpret_cast<Word*>(state + 1); }

  // Counts `n` in a bucket, and nothing else.
  void count_at(std::uint64_t index, std::uint64_t n) const noexcept {
    const auto bit = std::uint64_t{1} << (index >> layout.block_shift);
    // relaxed: a reader that misses a new bit reads as if this record had not happened yet.
    if ((state->used.load(std::memory_order_relaxed) & bit) == 0) state->used.fetch_or(bit, std::memory_order_relaxed);
    // acq_rel: after a swap took this bucket, the extremes that the swap cleared before must be seen cleared below.
    counts()[index].fetch_add(n, std::memory_order_acq_rel);
  }

  void add_to_sum(std::uint64_t high, std::uint64_t low) const noexcept {
    // relaxed: a running total publishes nothing.
    const auto before = state->sum.fetch_add(low, std::memory_order_relaxed);
    high += before + low < before ? 1 : 0;
    if (high != 0) state->carry.fetch_add(high, std::memory_order_relaxed);  // relaxed: as above
  }
  void add_to_sum(Wide total) const noexcept {
    add_to_sum(static_cast<std::uint64_t>(total >> 64), static_cast<std::uint64_t>(total));
  }

  // `most` before `least`: whoever sees a minimum finds a maximum.
  void widen(std::uint64_t smallest, std::uint64_t largest) const noexcept {
    raise(state->most, largest);
    raise(state->least, ~smallest);
  }

  void note_clipped(std::uint64_t n) const noexcept {
    if (n != 0) state->clipped.fetch_add(n, std::memory_order_relaxed);  // relaxed: a count publishes nothing
  }

  // Values above highest are counted as highest, and in `clipped`.
  void record(std::uint64_t value, std::uint64_t n = 1) const noexcept {
    if (value > layout.highest) {
      value = layout.highest;
      note_clipped(n);
    }
    count_at(layout.index_of(value), n);
    add_to_sum(static_cast<Wide>(value) * n);
    widen(value, value);
  }

  // Records `value`, and the values that would have been seen every `interval` while it held up the caller:
  // value - interval, value - 2 * interval ... down to interval. A bucket gets its share at once, so no interval is too
  // short. Source: HdrHistogram recordValueWithExpectedInterval; Gil Tene on coordinated omission.
  void record_corrected(std::uint64_t value, std::uint64_t interval) const noexcept {
    record(value);
    value = std::min(value, layout.highest);
    while (interval != 0 && value >= interval && value - interval >= interval) {
      value -= interval;
      const auto index = layout.index_of(value);
      const auto steps = (value - std::max(layout.lowest_of(index), interval)) / interval;
      count_at(index, steps + 1);
      add_to_sum(static_cast<Wide>(value) * (steps + 1) - static_cast<Wide>(interval) * steps * (steps + 1) / 2);
      value -= steps * interval;
      widen(value, value);
    }
  }
};

// Calls visit(index, word) for every bucket that may hold a count, in ascending order.
template <typename Visit>
void for_used(const Histogram& histogram, Visit visit) noexcept {
  const auto& layout = histogram.layout;
  auto* const counts = histogram.counts();
  // relaxed: see count_at.
  for (auto left = histogram.state->used.load(std::memory_order_relaxed); left != 0; left &= left - 1) {
    const auto first = static_cast<std::uint64_t>(std::countr_zero(left)) << layout.block_shift;
    const auto last = std::min(first + (std::uint64_t{1} << layout.block_shift), layout.counts_len);
    for (auto index = first; index < last; ++index) visit(index, counts[index]);
  }
}

// Adds everything `from` holds. Where the layouts differ, a bucket counts as its smallest value, as in
// HdrHistogram.add.
inline void merge(const Histogram& into, const Histogram& from) noexcept {
  const bool alike = into.layout == from.layout;
  // relaxed, here and below: each word is copied by itself; see the header on records in flight.
  const auto least = from.state->least.load(std::memory_order_relaxed);
  const auto most = from.state->most.load(std::memory_order_relaxed);
  const auto carry = from.state->carry.load(std::memory_order_relaxed);
  into.add_to_sum(static_cast<Wide>(carry) << 64 | from.state->sum.load(std::memory_order_relaxed));
  into.note_clipped(from.state->clipped.load(std::memory_order_relaxed));
  for_used(from, [&](std::uint64_t index, Word& word) {
    const auto n = word.load(std::memory_order_relaxed);
    if (n == 0) return;
    const auto value = std::min(from.layout.lowest_of(index), into.layout.highest);
    into.count_at(alike ? index : into.layout.index_of(value), n);
  });
  if (least != 0) into.widen(std::min(~least, into.layout.highest), std::min(most, into.layout.highest));
}

// Moves everything into `taken`, which must be empty, private and of the same layout. Sum and extremes go first: a
// record counted after its bucket was taken then finds cleared extremes and sets them anew.
inline void swap_into(const Histogram& live, const Histogram& taken) noexcept {
  // acq_rel, here and below: the clearing is released by the exchange of the bucket, which count_at acquires.
  const auto move = [](Word& from) { return from.exchange(0, std::memory_order_acq_rel); };
  taken.note_clipped(move(live.state->clipped));
  const auto sum = move(live.state->sum);
  taken.add_to_sum(static_cast<Wide>(move(live.state->carry)) << 64 | sum);
  const auto least = move(live.state->least);
  const auto most = move(live.state->most);
  if (least != 0) taken.widen(~least, most);
  for_used(live, [&](std::uint64_t index, Word& word) {
    // relaxed: a bucket seen empty is left for the next interval.
    if (word.load(std::memory_order_relaxed) == 0) return;
    const auto n = move(word);
    if (n == 0) return;
    taken.count_at(index, n);
    // A count whose extremes were still in flight: the bucket's own bounds stand in for them.
    const auto low = taken.layout.lowest_of(index), high = taken.layout.highest_of(index);
    const auto none = ~taken.state->least.load(std::memory_order_relaxed);  // relaxed: private to this call
    if (none > high || taken.state->most.load(std::memory_order_relaxed) < low)
      taken.widen(low, std::min(high, live.layout.highest));
  });
}

}  // namespace seawall::histogram
