#include "seawall/histogram/zigzag.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace seawall::histogram;

using Bytes = std::vector<std::uint8_t>;

TEST_CASE("counts and runs of empty buckets are written as HdrHistogram writes them") {
  CHECK(encode_counts(std::vector<std::uint64_t>{}) == Bytes{});
  CHECK(encode_counts(std::vector<std::uint64_t>{0, 0}) == Bytes{});
  CHECK(encode_counts(std::vector<std::uint64_t>{1, 0, 64, 0, 0, 0, 2, 0}) == Bytes{2, 0, 0x80, 1, 5, 4});
}

TEST_CASE("every number survives, up to nine bytes") {
  for (const std::int64_t number :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{63}, std::int64_t{1} << 55,
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    Bytes bytes;
    put_zigzag(bytes, number);
    CHECK(bytes.size() <= 9);
    std::span<const std::uint8_t> in(bytes);
    CHECK(get_zigzag(in) == number);
    CHECK(in.empty());
  }
}

TEST_CASE("bytes that end within a number or overrun the buckets are refused") {
  std::vector<std::uint64_t> counts(3);
  CHECK_FALSE(decode_counts(Bytes{0x80}, counts));
  CHECK_FALSE(decode_counts(Bytes{2, 2, 2, 2}, counts));
  CHECK_FALSE(decode_counts(Bytes{7}, counts));
  counts.assign(3, 0);
  CHECK(decode_counts(Bytes{3, 2}, counts));
  CHECK(counts == std::vector<std::uint64_t>{0, 0, 1});
}
