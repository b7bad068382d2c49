// How often the calling thread allocated. Sanitizers bring allocators of their own, so there nothing is counted.
#pragma once

#include <cstdint>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SEAWALL_COUNTS_ALLOCATIONS
namespace seawall::http::testing {
std::uint64_t& allocations() noexcept;
}
#endif
