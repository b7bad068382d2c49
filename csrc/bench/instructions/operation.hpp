// What is counted: an operation that repeats itself.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace seawall::instructions {

// Repeats itself n times, a multiple of a thousand; false when one answer was wrong.
using Operation = std::function<bool(std::uint64_t n)>;
using Named = std::pair<std::string, Operation>;

// Lives until the program ends, as the state of a service does.
inline void* zeroed(std::size_t size) {
  void* const at = std::aligned_alloc(128, (size + 127) / 128 * 128);
  if (at == nullptr) std::abort();
  return std::memset(at, 0, size);
}

}  // namespace seawall::instructions
