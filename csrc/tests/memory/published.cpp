#include "seawall/memory/published.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace seawall::memory;

namespace {

struct Five {
  std::uint64_t a = 0, b = 0, c = 0, d = 0, e = 0;
};

Five all(std::uint64_t x) { return {x, x, x, x, x}; }

}  // namespace

TEST_CASE("a published configuration is read whole, under the epoch it was published as") {
  Published<Five> published;
  published.start(all(0));
  std::thread writer([&] {
    for (std::uint64_t i = 1; i <= 20'000; ++i) {
      published.publish(all(i));
    }
  });
  std::uint64_t epoch = 0;
  while (epoch < 20'000) {
    Five f;
    const std::uint64_t now = published.read(f);
    REQUIRE(now >= epoch);
    epoch = now;
    const bool whole = f.a == epoch && f.b == epoch && f.c == epoch && f.d == epoch && f.e == epoch;
    REQUIRE(whole);
  }
  writer.join();
  CHECK(published.epoch() == 20'000);
}

TEST_CASE("the configuration before the one in force can still be read") {
  Published<Five> published;
  published.start(all(7));
  published.publish(all(8));
  Five f;
  published.previous(published.epoch(), f);
  CHECK(f.e == 7);
}
