// The monotonic clock read through the processor's time stamp counter, at less than half the cost.
//
// Guarantees: within a microsecond of CLOCK_MONOTONIC, so processes that share a segment agree; one thread never sees
// it go back, two threads at most some nanoseconds while a line is replaced (no kernel trusts either). Where the
// counter is not invariant, the kernel itself does not use it as its clock source, or SEAWALL_CLOCK=system is set, it
// is CLOCK_MONOTONIC. Mechanism: time is a line through a recent pair of (counter, CLOCK_MONOTONIC). After some
// milliseconds the next reader draws a new line that begins no earlier than the old one stands, bent to meet
// CLOCK_MONOTONIC soon when it is ahead. Progress: wait-free. The line lies under a sequence lock; whoever cannot read
// it in a few tries asks the system, for good in a child forked at that very moment. Cost: about 10 ns. Source: the
// crate quanta; Linux timekeeping over an invariant TSC.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "seawall/time/monotonic.hpp"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace seawall::time {

#if defined(__x86_64__) && defined(__linux__)

class CounterClock {
 public:
  explicit CounterClock(bool trusted) noexcept : trusted_(trusted) {
    if (trusted_) {
      older_ = newer_ = measure();
    }
  }

  std::int64_t now_ns() noexcept {
    Line line;
    const std::uint64_t version = read(line);
    const std::uint64_t passed = __rdtsc() - line.from;
    if ((version & 1) == 0 && passed < kSpan && line.slope != 0) [[likely]] {
      return line.after(passed);
    }
    return trusted_ ? redraw() : monotonic_ns();
  }

  bool trusted() const noexcept { return trusted_; }

  // Whether the processor's counter runs evenly through all its states and Linux keeps its own time by it.
  static bool trustworthy() noexcept {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(0x80000007, &a, &b, &c, &d) == 0 || (d & 1u << 8) == 0) {
      return false;
    }
    const char* wish = std::getenv("SEAWALL_CLOCK");
    if (wish != nullptr && std::strcmp(wish, "system") == 0) {
      return false;
    }
    char source[16] = "";
    if (std::FILE* file = std::fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re")) {
      if (std::fgets(source, sizeof source, file) == nullptr) {
        source[0] = '\0';
      }
      std::fclose(file);
    }
    return std::strcmp(source, "tsc\n") == 0;
  }

 private:
  using Word = std::atomic<std::uint64_t>;

  static constexpr int kShift = 32;
  static constexpr std::uint64_t kSpan = std::uint64_t{1} << 22;  // ticks a line serves: one to four milliseconds
  static constexpr std::int64_t kBaselineNs = 10'000'000;         // a slope is measured over at least this
  static constexpr std::int64_t kRefreshNs = 1'000'000'000;       // and at most over twice this, while in use
  static constexpr double kBendNs = 4e6;                          // how soon a line that is ahead meets the system
  static constexpr int kTries = 64;

  struct Pair {
    std::uint64_t ticks = 0;
    std::int64_t ns = 0;
  };

  struct Line {
    std::uint64_t from = 0, at = 0, slope = 0;
    std::int64_t after(std::uint64_t passed) const noexcept {
      return static_cast<std::int64_t>(at + (passed * slope >> kShift));
    }
  };

  // An odd version, or one that changed meanwhile (given back as odd): no line.
  std::uint64_t read(Line& line) const noexcept {
    // acquire on each: the line is read after the version, the version again after the line.
    const std::uint64_t version = version_.load(std::memory_order_acquire);
    line.from = from_.load(std::memory_order_acquire);
    line.at = at_.load(std::memory_order_acquire);
    line.slope = slope_.load(std::memory_order_acquire);
    // relaxed: the acquire loads above keep it behind them.
    return version_.load(std::memory_order_relaxed) == version ? version : 1;
  }

  // The counter and the system's clock at the same moment, as well as a few tries can tell.
  static Pair measure() noexcept {
    Pair best;
    std::uint64_t narrowest = ~std::uint64_t{0};
    for (int i = 0; i < 3; ++i) {
      const std::uint64_t before = __rdtsc();
      const std::int64_t ns = monotonic_ns();
      const std::uint64_t width = __rdtsc() - before;
      if (width < narrowest) {
        narrowest = width;
        best = {before + width / 2, ns};
      }
    }
    return best;
  }

  std::int64_t redraw() noexcept {
    for (int i = 0; i < kTries; ++i) {
      Line old;
      std::uint64_t version = read(old);
      if ((version & 1) != 0) {
        _mm_pause();
        continue;
      }
      const std::uint64_t passed = __rdtsc() - old.from;
      if (passed < kSpan && old.slope != 0) {
        return old.after(passed);  // somebody else has drawn it
      }
      if (version_.compare_exchange_strong(version, version + 1)) {
        const std::int64_t shown = draw(old);
        version_.store(version + 2, std::memory_order_release);  // release: the line is complete
        return shown;
      }
    }
    return monotonic_ns();
  }

  // Called by one at a time.
  std::int64_t draw(const Line& old) noexcept {
    const Pair now = measure();
    // The most that anybody can have been told by the old line.
    const std::int64_t told = old.slope == 0 ? 0 : old.after(std::min(now.ticks - old.from, kSpan));
    const std::int64_t shown = std::max(now.ns, told);
    const std::int64_t since = now.ns - older_.ns;
    double slope = 0;
    if (since >= kBaselineNs && now.ticks > older_.ticks) {
      slope = static_cast<double>(since) / static_cast<double>(now.ticks - older_.ticks);
      slope *= 1.0 - std::min(0.5, static_cast<double>(shown - now.ns) / kBendNs);
    }
    if (now.ns - newer_.ns >= kRefreshNs || now.ticks < newer_.ticks) {
      older_ = newer_.ticks < now.ticks ? newer_ : now;
      newer_ = now;
    }
    // relaxed: published by the version. A slope above one nanosecond a tick is no counter worth the name.
    from_.store(now.ticks, std::memory_order_relaxed);
    at_.store(static_cast<std::uint64_t>(shown), std::memory_order_relaxed);
    const bool sane = slope > 0 && slope <= 1;
    slope_.store(sane ? static_cast<std::uint64_t>(slope * (std::uint64_t{1} << kShift)) : 0,
                 std::memory_order_relaxed);
    return shown;
  }

  const bool trusted_;
  Pair older_, newer_;  // changed only by whoever holds the odd version
  alignas(64) Word version_{0};
  Word from_{0}, at_{0}, slope_{0};
};

#else

// Elsewhere the system's clock is cheap, or the counter unknown.
class CounterClock {
 public:
  explicit CounterClock(bool) noexcept {}
  std::int64_t now_ns() noexcept { return monotonic_ns(); }
  bool trusted() const noexcept { return false; }
  static bool trustworthy() noexcept { return false; }
};

#endif

}  // namespace seawall::time
