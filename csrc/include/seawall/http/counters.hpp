// What a run says about itself while it runs, and what each thread says when it has ended.
//
// Progress: wait-free. Each thread writes a line of its own, so counting costs a plain load and store; readers add the
// lines up. Not linearizable: the sums of a moment may lie some events apart, but each is exact once the threads ended.
#pragma once

#include <atomic>
#include <cstdint>

namespace seawall::http {

using Count = std::atomic<std::uint64_t>;

// One writer. relaxed: counts publish nothing.
inline void bump(Count& count, std::uint64_t n = 1) noexcept {
  count.store(count.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

struct Counts {
  std::uint64_t started = 0, ended = 0;  // requests; the difference is under way, or was cut by a stop
  std::uint64_t opened = 0, closed = 0;  // connections that were established, and those closed again
  std::uint64_t resent = 0;              // sent once more, as the kept connection turned out closed
  std::uint64_t dirty = 0;               // connections given up because of bytes that nobody had asked for
  std::uint64_t bytes_in = 0, bytes_out = 0;
};

struct alignas(64) Counters {
  Count started{0}, ended{0}, opened{0}, closed{0}, resent{0}, dirty{0}, bytes_in{0}, bytes_out{0};

  void add_to(Counts& sum) const noexcept {
    const auto read = [](const Count& count) { return count.load(std::memory_order_relaxed); };  // relaxed: see bump
    sum.ended += read(ended);  // before started, so that what is under way is never negative
    sum.started += read(started);
    sum.closed += read(closed);
    sum.opened += read(opened);
    sum.resent += read(resent);
    sum.dirty += read(dirty);
    sum.bytes_in += read(bytes_in);
    sum.bytes_out += read(bytes_out);
  }
};

// How a thread fared, known when it has ended.
struct Report {
  double cpu_seconds = 0;
  double wall_seconds = 0;
  double delayed_seconds = 0;  // runnable, but waiting for a processor; 0 where the system does not say
  std::uint64_t naps = 0;      // voluntary context switches: it had nothing to do
};

}  // namespace seawall::http
