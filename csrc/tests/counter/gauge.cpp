#include "seawall/counter/gauge.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <thread>
#include <vector>

using seawall::counter::Gauge;

TEST_CASE("zeroed memory is zero, and set replaces") {
  Gauge gauge{};
  CHECK(gauge.value() == 0.0);
  gauge.set(-2.5);
  CHECK(gauge.value() == -2.5);
}

TEST_CASE("threads that add at once lose nothing") {
  Gauge gauge{};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) gauge.add(i % 2 == 0 ? 1.0 : -0.5);
    });
  }
  threads.clear();
  CHECK(gauge.value() == 4 * 10'000 * 0.5);
}

TEST_CASE("a sum that is not finite is refused and changes nothing") {
  Gauge gauge{};
  gauge.set(std::numeric_limits<double>::max());
  CHECK_FALSE(gauge.add(std::numeric_limits<double>::max()));
  CHECK(gauge.value() == std::numeric_limits<double>::max());
}
