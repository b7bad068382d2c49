// What every kernel's state is made of: 64-bit words, lock-free, in an object or in a segment, and time in nanoseconds.
#pragma once

#include <atomic>
#include <cstdint>

namespace seawall::memory {

using Word = std::atomic<std::uint64_t>;
using Ns = std::int64_t;
__extension__ typedef unsigned __int128 Wide;

static_assert(Word::is_always_lock_free && sizeof(Word) == sizeof(std::uint64_t));

inline constexpr Ns kNever = INT64_MAX;

}  // namespace seawall::memory
