#include "seawall/hashing/siphash.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

using namespace seawall::hashing;

TEST_CASE("SipHash-1-3 agrees with the reference values") {
  // 00 01 .. 0f as the key, one 64-bit word 00 .. 07 and the length block: SipHash-1-3 of 00 .. 07.
  SipHash13 h({0x0706050403020100, 0x0f0e0d0c0b0a0908});
  h.word(0x0706050403020100);
  h.word(std::uint64_t{8} << 56);
  CHECK(h.finish() == 0x369095118d299a8e);
}

TEST_CASE("keys that differ in content, length, type or seed differ in hash") {
  std::set<std::uint64_t> seen;
  std::size_t count = 0;
  for (std::uint8_t domain = 1; domain < 4; ++domain) {
    for (std::size_t length = 0; length < 40; ++length) {
      for (char fill : {'\0', 'a'}) {
        const std::string text(length, fill);
        seen.insert(hash_bytes({1, 2}, domain, text.data(), text.size()));
        count += length != 0 || fill == 'a';
      }
    }
    seen.insert(hash_int({1, 2}, domain, 7));
    seen.insert(hash_int({1, 3}, domain, 7));
    count += 2;
  }
  CHECK(seen.size() == count);
}

TEST_CASE("many integers hash to what each hashes to alone") {
  const Seed seed{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::vector<std::int64_t> values;
  for (std::int64_t i = -50; i < 53; ++i) {  // no multiple of any vector's width
    values.push_back(i * 0x123456789abcdef);
  }
  std::vector<std::uint64_t> hashes(values.size());
  hash_ints(seed, 3, values.data(), values.size(), hashes.data());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(hashes[i] == hash_int(seed, 3, values[i]));
  }
}
