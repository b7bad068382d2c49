#include "seawall/hashing/jump.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "seawall/hashing/stable.hpp"

using namespace seawall::hashing;

TEST_CASE("jump gives the buckets that other implementations of the paper give") {
  CHECK(jump(0, 1) == 0);
  CHECK(jump(1, 1) == 0);
  CHECK(jump(42, 57) == 43);
  CHECK(jump(0xDEAD10CC, 1) == 0);
  CHECK(jump(0xDEAD10CC, 666) == 361);
  CHECK(jump(256, 1024) == 520);
}

TEST_CASE("with one bucket more a hash stays or goes into the new one") {
  for (std::uint64_t key = 0; key < 500; ++key) {
    const auto hash = stable_hash(key);
    for (std::int32_t buckets = 1; buckets < 200; ++buckets) {
      const auto before = jump(hash, buckets);
      const auto after = jump(hash, buckets + 1);
      CHECK((after == before || after == buckets));
    }
  }
}

TEST_CASE("many hashes jump as each jumps alone") {
  for (const std::int32_t buckets : {1, 2, 3, 100, 65'536, 2'147'483'647}) {
    std::vector<std::uint64_t> hashes;
    for (std::uint64_t i = 0; i < 1'003; ++i) hashes.push_back(stable_hash(i));
    hashes.push_back(0);
    hashes.push_back(~std::uint64_t{0});
    std::vector<std::int32_t> out(hashes.size());
    jump_many(hashes.data(), hashes.size(), buckets, out.data());
    for (std::size_t i = 0; i < hashes.size(); ++i) CHECK(out[i] == jump(hashes[i], buckets));
  }
}
