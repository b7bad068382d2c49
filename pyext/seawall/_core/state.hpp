// Where the state of limits begins and changes: memory for it, its first image, and a change as one call.
#pragma once

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "seawall/limits/keyed.hpp"
#include "seawall/memory/lock.hpp"

namespace seawall::binding {

using namespace seawall::limits;

inline constexpr std::uint64_t kSlotLayout = 1;

// Zeroed, on a line pair. Large tables ask for large pages: half of a random look-up is the walk of small ones.
inline void* allocate(std::size_t size) {
  constexpr std::size_t kLarge = std::size_t{1} << 21;
  const bool large = size >= kLarge / 2;
  void* at = std::aligned_alloc(large ? kLarge : 128, (size + 127) & ~std::size_t{127});
  if (at != nullptr) {
#ifdef MADV_HUGEPAGE
    if (large) {
      ::madvise(at, (size + 4095) & ~std::size_t{4095}, MADV_HUGEPAGE);
    }
#endif
    std::memset(at, 0, size);
  }
  return at;
}

// The first bytes of a new state, built where nobody sees them.
struct Image {
  Single single;
  Keyed keyed;
};

// The mask of a log's ring; its size less one.
inline std::uint64_t ring_mask(const Config& c) { return c.token; }

// A reconfiguration of either kind of limit, to be run while nobody else changes anything.
struct Change {
  Kind kind;
  Single* single;
  Keyed* table;
  Config config;

  static void run(void* at) noexcept {
    auto& c = *static_cast<Change*>(at);
    c.single != nullptr ? reconfigure(c.kind, *c.single, c.config) : keyed_reconfigure(c.kind, *c.table, c.config);
  }
  void run_alone() {
    const memory::ProcessLock threads;
    run(this);
  }
};

}  // namespace seawall::binding
