// Apart from everything that allocates, so that the compiler cannot inline one half of a pair.
#include "http_engine/allocations.hpp"

#ifdef SEAWALL_COUNTS_ALLOCATIONS

#include <cstdlib>
#include <new>

std::uint64_t& seawall::http::testing::allocations() noexcept {
  thread_local std::uint64_t count = 0;
  return count;
}

void* operator new(std::size_t size) {
  ++seawall::http::testing::allocations();
  if (void* const made = std::malloc(size)) return made;
  throw std::bad_alloc();
}
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }

#endif
