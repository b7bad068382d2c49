// What became of the requests of a run, counted for Python. The one place that says what the engine records into.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "seawall/histogram/reading.hpp"
#include "seawall/load/outcome.hpp"

namespace seawall::http {

// A histogram with memory of its own, of nanoseconds up to an hour.
class OwnHistogram {
 public:
  OwnHistogram() : lines_((histogram::bytes_of(layout()) + sizeof(Line) - 1) / sizeof(Line)) {}
  const histogram::Histogram view() const noexcept {
    return {layout_, reinterpret_cast<histogram::State*>(const_cast<Line*>(lines_.data()))};
  }
  void record(std::uint64_t ns) const noexcept { view().record(ns); }

 private:
  struct alignas(64) Line {
    char zeros[64]{};
  };
  static histogram::Layout layout() noexcept { return histogram::lay_out(1'000, 3'600'000'000'000, 3); }

  const histogram::Layout layout_ = layout();
  std::vector<Line> lines_;
};

struct Recorder {
  using Count = std::atomic<std::uint64_t>;

  OwnHistogram response_time, service_time, schedule_error, turns;
  std::array<Count, load::kCodes> outcomes{};
  Count started{0}, late{0}, early{0}, succeeded{0}, body_bytes{0};

  // relaxed, here and below: counts publish nothing.
  static void count(Count& word, std::uint64_t n = 1) noexcept { word.fetch_add(n, std::memory_order_relaxed); }

  void start(std::uint64_t due, std::uint64_t begun, bool is_late) noexcept {
    count(started);
    if (is_late) count(late);
    if (begun < due) count(early);
    if (!is_late) schedule_error.record(begun < due ? 0 : begun - due);
  }
  void end(std::uint64_t due, std::uint64_t begun, std::uint64_t ended, load::Code code, std::uint64_t size,
           bool good) noexcept {
    count(outcomes[code % load::kCodes]);
    if (good) count(succeeded);
    count(body_bytes, size);
    response_time.record(ended - due);
    service_time.record(ended - begun);
  }
  void turn(std::uint64_t ns) noexcept { turns.record(ns); }
};

}  // namespace seawall::http
