// Clocks of the server, in nanoseconds.
#pragma once

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <limits>

namespace seawall::bench {

using Ns = std::int64_t;
inline constexpr Ns kSecond = 1'000'000'000, kNever = std::numeric_limits<Ns>::max();

inline Ns read(clockid_t clock) noexcept {
  timespec at{};
  ::clock_gettime(clock, &at);
  return at.tv_sec * kSecond + at.tv_nsec;
}
inline Ns now() noexcept { return read(CLOCK_MONOTONIC); }
inline Ns used() noexcept { return read(CLOCK_PROCESS_CPUTIME_ID); }

inline void sleep(Ns length) noexcept {
  timespec left{length / kSecond, length % kSecond};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}
inline double seconds(Ns ns) noexcept { return static_cast<double>(ns) / static_cast<double>(kSecond); }

}  // namespace seawall::bench
