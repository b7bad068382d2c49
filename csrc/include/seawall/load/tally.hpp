// The counts of a load test while it runs: one flat block of memory that every thread and process of the generator
// adds to, and that anyone may read meanwhile.
//
// Progress: wait-free, but for a new extreme of a histogram and for a new name. Nothing allocates. Not linearizable as
// a whole: a reader may see a request in one count and not yet in another; once all have ended everything adds up. A
// process killed in the midst of a call leaves that one request half counted. Mechanism: atomic words and histograms
// with no pointer between them, so the block can lie in memory that processes share; there is nothing to merge at the
// end. Cost: about 40 ns a request.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "seawall/histogram/histogram.hpp"
#include "seawall/load/outcome.hpp"
#include "seawall/load/shape.hpp"
#include "seawall/load/words.hpp"

namespace seawall::load {

using Word = std::atomic<std::uint64_t>;

struct alignas(64) Counts {
  Word sent, completed, succeeded, late, bytes;
  Word slowest;  // the longest response time that ended here
};
static_assert(sizeof(Counts) == 64);

struct PhaseCounts {
  Counts totals;
  Word codes[kCodes];
};

inline constexpr std::uint64_t kNamed = 64;

class Tally {
 public:
  Tally() = default;
  // The memory is zeroed, or holds a tally of the same shape; it starts on a page.
  Tally(const Shape& shape, void* memory) noexcept : shape_(shape), memory_(static_cast<std::byte*>(memory)) {}

  static std::size_t bytes_of(const Shape& shape) noexcept { return histogram_at(shape, histograms(shape)); }
  static std::uint64_t histograms(const Shape& shape) noexcept { return 2 + 2 * shape.phases + shape.blocks; }

  const Shape& shape() const noexcept { return shape_; }

  // A request was started. One that waited for a place says nothing about the generator's own delay.
  void start(std::uint64_t due, std::uint64_t started, bool late) const noexcept {
    auto& phase = phase_counts(shape_.phase_of(due)).totals;
    auto& slice = slice_counts(shape_.slice_of(started));
    add(phase.sent, 1);
    add(slice.sent, 1);
    if (late) {
      add(phase.late, 1);
      add(slice.late, 1);
    } else {
      schedule_error().record(started > due ? started - due : 0);
    }
  }

  // A request ended, well or not: failures take part in the times, a timeout is a long time.
  void end(std::uint64_t due, std::uint64_t started, std::uint64_t ended, Code code, std::uint64_t bytes,
           bool succeeded) const noexcept {
    const auto response = ended > due ? ended - due : 0;
    const auto phase = shape_.phase_of(due);
    response_time(phase).record(response);
    service_time(phase).record(ended > started ? ended - started : 0);
    if (const auto block = shape_.block_of(due); block != shape_.blocks) block_times(block).record(response);
    auto& counts = phase_counts(phase);
    add(counts.codes[code < kCodes ? code : kCodes - 1], 1);
    for (auto* const some : {&counts.totals, &slice_counts(shape_.slice_of(ended))}) {
      add(some->completed, 1);
      add(some->succeeded, succeeded ? 1 : 0);
      add(some->bytes, bytes);
      histogram::raise(some->slowest, response);
    }
  }

  // How long the generator's loop worked between two looks at the clock.
  void turn(std::uint64_t ns) const noexcept { lag().record(ns); }

  // The code of a kind of end that has a name only; once the table is full all new ones share the last code.
  Code named(std::string_view name, std::string_view words) const noexcept {
    for (std::uint64_t i = 0; i < kNamed - 1; ++i) {
      auto& entry = this->entry(static_cast<Code>(kFirstNamed + i));
      if (entry.claim()) {
        entry.publish(name, words);
        return static_cast<Code>(kFirstNamed + i);
      }
      if (entry.is(name)) return static_cast<Code>(kFirstNamed + i);
    }
    constexpr auto last = static_cast<Code>(kFirstNamed + kNamed - 1);
    note(last, "other errors", words);
    return last;
  }

  // Keeps the first words said about a code below kFirstStatus, or of a name.
  void note(Code code, std::string_view name, std::string_view words) const noexcept {
    if (auto& entry = this->entry(code); entry.claim()) entry.publish(name, words);
  }

  static bool has_entry(Code code) noexcept {
    return code < kFirstStatus || (code >= kFirstNamed && code < kFirstNamed + kNamed);
  }
  Entry& entry(Code code) const noexcept {
    return at<Entry>(entries_at(shape_))[code < kFirstStatus ? code : code - kFirstNamed + kFirstStatus];
  }

  PhaseCounts& phase_counts(std::uint64_t i) const noexcept { return at<PhaseCounts>(0)[i]; }
  Counts& slice_counts(std::uint64_t i) const noexcept { return at<Counts>(slices_at(shape_))[i]; }

  histogram::Histogram histogram(std::uint64_t i) const noexcept {
    return {shape_.layout, &at<histogram::State>(histogram_at(shape_, i))[0]};
  }
  histogram::Histogram schedule_error() const noexcept { return histogram(0); }
  histogram::Histogram lag() const noexcept { return histogram(1); }
  histogram::Histogram response_time(std::uint64_t phase) const noexcept { return histogram(2 + 2 * phase); }
  histogram::Histogram service_time(std::uint64_t phase) const noexcept { return histogram(3 + 2 * phase); }
  histogram::Histogram block_times(std::uint64_t block) const noexcept {
    return histogram(2 + 2 * shape_.phases + block);
  }

 private:
  // relaxed: every count is a word of its own and publishes nothing.
  static void add(Word& word, std::uint64_t n) noexcept { word.fetch_add(n, std::memory_order_relaxed); }

  static std::size_t entries_at(const Shape& shape) noexcept { return shape.phases * sizeof(PhaseCounts); }
  static std::size_t slices_at(const Shape& shape) noexcept {
    return entries_at(shape) + (kFirstStatus + kNamed) * sizeof(Entry);
  }
  static std::size_t histogram_at(const Shape& shape, std::uint64_t i) noexcept {
    const auto each = (histogram::bytes_of(shape.layout) + 63) & ~std::size_t{63};
    return slices_at(shape) + shape.slices * sizeof(Counts) + i * each;
  }
  template <typename T>
  T* at(std::size_t offset) const noexcept {
    return reinterpret_cast<T*>(memory_ + offset);
  }

  Shape shape_{};
  std::byte* memory_ = nullptr;
};

}  // namespace seawall::load
