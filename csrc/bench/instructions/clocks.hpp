// Logical clocks; compiled by themselves, so that what is inlined into the other operations stays as it was.
#pragma once

#include "operation.hpp"

namespace seawall::instructions {

std::vector<Named> clock_operations();

}  // namespace seawall::instructions
