// In a file of its own, so that no compiler makes copies of it under other names.
#include "operation.hpp"

using namespace seawall::instructions;

extern "C" bool measured(const Operation& operation, std::uint64_t n) { return operation(n); }
