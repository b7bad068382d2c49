#include "seawall/histogram/reading.hpp"

#include <doctest/doctest.h>

#include <random>

#include "histogram/owned.hpp"

using namespace seawall::histogram;

TEST_CASE("a percentile is the nearest-rank value, up to the width of its bucket") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 50; ++round) {
    const Owned h;
    std::vector<std::uint64_t> values(random() % 300 + 1);
    for (auto& value : values) h->record(value = random() >> (22 + random() % 30) & 0xff'ffff'ffff);
    std::sort(values.begin(), values.end());
    const auto seen = survey(h.view);
    for (const double percent : {0.0, 1.0, 50.0, 90.0, 99.9, 100.0}) {
      const auto rank = static_cast<std::size_t>(std::ceil(percent * static_cast<double>(values.size()) / 100.0));
      const auto exact = values[rank == 0 ? 0 : rank - 1];
      REQUIRE(h->layout.index_of(at_percentile(h.view, seen, percent)) == h->layout.index_of(exact));
    }
    CHECK(at_percentile(h.view, seen, 0.0) == values.front());
    CHECK(at_percentile(h.view, seen, 100.0) == values.back());
  }
}

TEST_CASE("a block that a swap emptied since the survey still gives an answer within it") {
  const Owned h, taken;
  h->record(1'000'000'000, 10);
  const auto seen = survey(h.view);
  swap_into(h.view, taken.view);
  const auto block = h->layout.index_of(1'000'000'000) >> h->layout.block_shift;
  CHECK(bucket_of_rank(h.view, seen, 10) == block << h->layout.block_shift);
}

TEST_CASE("mean and deviation take each value as the middle of its bucket") {
  const Owned h;
  CHECK(moments(h.view).mean == 0.0);
  h->record(1'024, 1);
  h->record(3'072, 3);
  CHECK(moments(h.view).mean == (1'024 + 3 * 3'072) / 4.0 + 256);
  CHECK(moments(h.view).deviation == doctest::Approx(std::sqrt(3.0) / 4 * 2'048));
}
