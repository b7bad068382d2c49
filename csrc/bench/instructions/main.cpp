// Runs each operation twice, few and many times, and prints its name. Callgrind counts what happens inside `measured`:
// the difference of the two is the cost without what surrounds it.
#include <cstdio>

#include "clocks.hpp"
#include "guard.hpp"
#include "http.hpp"
#include "limits.hpp"
#include "measure.hpp"

using namespace seawall::instructions;

extern "C" bool measured(const Operation& operation, std::uint64_t n);

int main() {
  constexpr std::uint64_t kFew = 10'000, kMany = 30'000;
  auto all = limit_operations();
  for (auto more : {measure_operations(), clock_operations(), guard_operations(), http_operations()}) {
    for (auto& operation : more) all.push_back(std::move(operation));
  }
  for (const auto& [name, operation] : all) {
    if (!operation(kFew) || !measured(operation, kFew) || !measured(operation, kMany)) {
      std::fprintf(stderr, "%s: wrong answer\n", name.c_str());
      return 1;
    }
    std::printf("%llu\t%s\n", static_cast<unsigned long long>(kMany - kFew), name.c_str());
  }
}
