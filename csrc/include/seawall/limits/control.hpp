// The configuration of a limit, beside its state.
//
// State words carry the epoch they were made under and are translated when they are met.
#pragma once

#include <cstdint>

#include "seawall/limits/word.hpp"
#include "seawall/memory/published.hpp"

namespace seawall::limits {

// What an algorithm is asked to do (amount, period, limit), since when, and what it derived from that.
struct Config {
  std::uint64_t amount = 0;  // tokens per period
  std::uint64_t period = 0;  // nanoseconds; the window of window algorithms
  std::uint64_t limit = 0;   // burst, capacity or limit: no cost above it is ever admitted
  std::uint64_t since = 0;   // nanoseconds; when this configuration took effect
  std::uint64_t origin = 0;  // nanoseconds; windows are counted from here
  std::uint64_t scale = 0;   // cursors: ticks per nanosecond.  windows: bits per count
  std::uint64_t token = 0;   // cursors: ticks a token takes.   log: mask of the ring
  std::uint64_t span = 0;    // cursors: ticks the limit takes
};

using Control = memory::Published<Config>;

// The layout of segments that other versions read.
static_assert(sizeof(Config) == 64 && sizeof(Control) == 320 && alignof(Control) == 64);
// A state word's tag names the epoch of its configuration: no two that are still in the ring look alike.
static_assert(Control::kEpochs == kEpochs);

}  // namespace seawall::limits
