#include "seawall/hashing/stable.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace seawall::hashing;

namespace {

std::uint64_t of(const std::string& text, std::uint64_t seed = 0) {
  return stable_hash(text.data(), text.size(), seed);
}

}  // namespace

TEST_CASE("the stable hash agrees with published values of XXH64") {
  CHECK(of("") == 0xEF46DB3751D8E999);
  CHECK(of("a") == 0xD24EC4F1A98C6E5B);
  CHECK(of("abc") == 0x44BC2CF5AD770999);
  CHECK(of("Nobody inspects the spammish repetition") == 0xFBCEA83C8A378BF1);  // longer than a block
  CHECK(of("", 1) == 0xD5AFBA1336A3BE4B);
}

TEST_CASE("a number hashes as its eight bytes, under any seed") {
  for (const std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x0123456789abcdef}, ~std::uint64_t{0}}) {
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{7}}) {
      CHECK(stable_hash(number, seed) == stable_hash(&number, 8, seed));
    }
  }
}

TEST_CASE("many numbers hash to what each hashes to alone, in place too") {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = 0; i < 103; ++i)
    numbers.push_back(i * 0x123456789abcdef);  // no multiple of any vector's width
  auto hashes = numbers;
  stable_hashes(hashes.data(), hashes.size(), hashes.data());
  for (std::size_t i = 0; i < numbers.size(); ++i) CHECK(hashes[i] == stable_hash(numbers[i]));
}

TEST_CASE("the hash reads no byte beyond the end and every byte before it") {
  for (std::size_t size = 1; size < 100; ++size) {
    std::vector<char> bytes(size, 'x');  // of just this size, for the sanitizer to see
    const auto plain = stable_hash(bytes.data(), size);
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = 'y';
      CHECK(stable_hash(bytes.data(), size) != plain);
      bytes[i] = 'x';
    }
  }
}
