#include "seawall/tracing/ids.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using seawall::tracing::Ids;
using seawall::tracing::Share;

TEST_CASE("the first outputs are those of the published generator") {
  // xoshiro256plusplus.c of the authors, seeded with 1, 2, 3, 4.
  Ids ids;
  ids.seed(1, 2, 3, 4);
  CHECK(ids.next() == 41943041u);
  CHECK(ids.next() == 58720359u);
  CHECK(ids.next() == 3588806011781223u);
  CHECK(ids.next() == 3591011842654386u);
}

TEST_CASE("a seed of zeros still gives ids, all different and none 0") {
  Ids ids;
  ids.seed(0, 0, 0, 0);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100'000; ++i) seen.insert(ids.next());
  CHECK(seen.size() == 100'000);
  CHECK(seen.count(0) == 0);
}

TEST_CASE("a share of 0 has nothing, of 1 everything, of a half the lower half") {
  const std::uint64_t half = std::uint64_t{1} << 63, most = ~std::uint64_t{0};
  CHECK_FALSE(Share(0.0).has(0));
  CHECK(Share(1.0).has(most));
  CHECK(Share(0.5).has(half - 1));
  CHECK_FALSE(Share(0.5).has(half));
  CHECK(Share().has(most));
}

TEST_CASE("a share is met by random ids") {
  Ids ids;
  ids.seed(7, 7, 7, 7);
  const Share tenth(0.1);
  int sampled = 0;
  for (int i = 0; i < 100'000; ++i) sampled += tenth.has(ids.next());
  CHECK(sampled > 9'500);
  CHECK(sampled < 10'500);
}

TEST_CASE("hexadecimal digits, the highest first") {
  std::string out(16, ' ');
  seawall::tracing::write_hex(out.data(), 0x00f067aa0ba902b7u);
  CHECK(out == "00f067aa0ba902b7");
}
