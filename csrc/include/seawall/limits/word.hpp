// The one word a limit remembers: a 61-bit position in time under a 3-bit tag.
//
// Every algorithm but the log keeps its whole state in one such word, so one compare-and-swap is the whole admission
// and the same code serves an object, a shared segment and an entry of the keyed table.
#pragma once

#include <cstdint>

#include "seawall/memory/word.hpp"

namespace seawall::limits {

using memory::kNever;
using memory::Ns;
using memory::Wide;
using memory::Word;

// Positions reach this many nanoseconds of the monotonic clock: nine years of uptime.
inline constexpr std::uint64_t kHorizonNs = std::uint64_t{1} << 58;
// A place may be reserved at most this far ahead, so that a position never outgrows its 61 bits.
inline constexpr Ns kFarthestNs = Ns{365} * 86'400 * 1'000'000'000;

inline constexpr int kValueBits = 61;
inline constexpr std::uint64_t kValueMask = (std::uint64_t{1} << kValueBits) - 1;

// Tags 0..3 name the configuration a value was made under (its epoch modulo 4); 6 and 7 mark a keyed entry that changes
// hands.
inline constexpr std::uint64_t kEpochs = 4;
inline constexpr std::uint64_t kClaim = 6;
inline constexpr std::uint64_t kCommit = 7;

constexpr std::uint64_t pack(std::uint64_t tag, std::uint64_t value) noexcept { return tag << kValueBits | value; }
constexpr std::uint64_t tag_of(std::uint64_t word) noexcept { return word >> kValueBits; }
constexpr std::uint64_t value_of(std::uint64_t word) noexcept { return word & kValueMask; }

}  // namespace seawall::limits
