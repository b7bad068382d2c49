#include "seawall/histogram/layout.hpp"

#include <doctest/doctest.h>

using namespace seawall::histogram;

TEST_CASE("the default layout is HdrHistogram's for 1 us to 1 h in nanoseconds, 3 digits") {
  const auto layout = lay_out(1'000, 3'600'000'000'000, 3);
  CHECK(layout.unit_magnitude == 9);
  CHECK(layout.sub_buckets() == 2048);
  CHECK(layout.bucket_count == 23);
  CHECK(layout.counts_len == 24 * 1024);
}

TEST_CASE("every bucket holds exactly the values between its bounds, and no bucket is left out") {
  for (std::uint64_t digits = 1; digits <= 4; ++digits) {
    const auto layout = lay_out(3, 1'000'000'000, digits);
    std::uint64_t next = 0;
    for (std::uint64_t index = 0; index < layout.counts_len; ++index) {
      REQUIRE(layout.lowest_of(index) == next);
      REQUIRE(layout.index_of(layout.lowest_of(index)) == index);
      REQUIRE(layout.index_of(layout.highest_of(index)) == index);
      next = layout.highest_of(index) + 1;
    }
    CHECK(next > 1'000'000'000);
  }
}

TEST_CASE("a bucket is at most 1/10**digits of its values wide") {
  double allowed = 0.1;
  for (std::uint64_t digits = 1; digits <= 5; ++digits, allowed /= 10) {
    const auto layout = lay_out(1, 1'000'000'000'000, digits);
    for (std::uint64_t value = 1; value < layout.highest; value = value * 3 / 2 + 1) {
      const auto index = layout.index_of(value);
      REQUIRE(static_cast<double>(layout.width_of(index) - 1) <= allowed * static_cast<double>(value));
    }
  }
}

TEST_CASE("the largest layouts stay within 64 bits, and beyond them nothing can be laid out") {
  for (std::uint64_t digits = 1; digits <= 5; ++digits) {
    const auto layout = lay_out(1, kHighest, digits);
    CHECK(layout.index_of(kHighest) < layout.counts_len);
    CHECK(((layout.counts_len - 1) >> layout.block_shift) < 64);
  }
  CHECK(can_lay_out(1, 2, 1));
  CHECK_FALSE(can_lay_out(0, 2, 1));
  CHECK_FALSE(can_lay_out(2, 3, 1));
  CHECK_FALSE(can_lay_out(1, kHighest + 1, 1));
  CHECK_FALSE(can_lay_out(1, 2, 0));
  CHECK_FALSE(can_lay_out(1, 2, 6));
  CHECK(can_lay_out(std::uint64_t{1} << 43, kHighest, 5));
  CHECK_FALSE(can_lay_out(std::uint64_t{1} << 44, kHighest, 5));
}
