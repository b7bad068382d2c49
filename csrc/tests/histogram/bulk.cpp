#include "seawall/histogram/bulk.hpp"

#include <doctest/doctest.h>

#include <random>
#include <thread>

#include "histogram/owned.hpp"

using namespace seawall::histogram;

namespace {

std::vector<double> some_values(std::size_t n, double clipped_share) {
  std::mt19937_64 random(n);
  std::lognormal_distribution<double> latency(-4.0, 3.0);
  std::vector<double> values(n);
  for (auto& value : values) {
    value = latency(random);
    if (random() % 1'000 < clipped_share * 1'000) value = 5'000.0;
  }
  values.at(n / 2) = -0.0;
  return values;
}

void check_alike(const Histogram& a, const Histogram& b) {
  CHECK(counts_of(a) == counts_of(b));
  CHECK(a.state->used == b.state->used);
  CHECK(a.state->sum == b.state->sum);
  CHECK(a.state->least == b.state->least);
  CHECK(a.state->most == b.state->most);
  CHECK(a.state->clipped == b.state->clipped);
}

}  // namespace

TEST_CASE("an array is recorded as its values one by one, in every layout and size") {
  const Layout layouts[] = {lay_out(1'000, 3'600'000'000'000, 3), lay_out(1, 1'000'000, 1),
                            lay_out(1'000, std::uint64_t{1} << 52, 2), lay_out(77, 3'600'000'000'000, 4)};
  for (const auto& layout : layouts) {
    for (const std::size_t n : {1, 2, 511, 512, 1'025, 30'001}) {
      const auto values = some_values(n, n % 2 == 0 ? 0.0 : 0.01);
      const Owned bulk(layout), single(layout);
      CHECK(record_many(bulk.view, values) == kAllGood);
      for (const double value : values) single->record(to_integer(value));
      check_alike(bulk.view, single.view);
    }
  }
}

TEST_CASE("values at the edges of buckets and of rounding fall where a single record puts them") {
  const Owned bulk, single;
  std::vector<double> values;
  for (std::uint64_t i = 0; i < bulk->layout.counts_len && bulk->layout.lowest_of(i) < bulk->layout.highest; ++i) {
    for (const double off : {-0.5, 0.0, 0.5}) {
      values.push_back(std::max(0.0, (static_cast<double>(bulk->layout.lowest_of(i)) + off) / kUnit));
    }
  }
  CHECK(record_many(bulk.view, values) == kAllGood);
  for (const double value : values) single->record(to_integer(value));
  check_alike(bulk.view, single.view);
}

TEST_CASE("one value that cannot be recorded keeps the whole array out, and is named") {
  for (const std::size_t n : {1'000, 30'000}) {
    for (const double bad : {-1e-9, std::nan(""), HUGE_VAL}) {
      const Owned h;
      auto values = some_values(n, 0.0);
      values[n - 3] = values[n - 1] = bad;
      CHECK(record_many(h.view, values) == n - 3);
      CHECK(count(h.view) == 0);
      CHECK(h->state->sum == 0);
      CHECK(h->state->least == 0);
    }
  }
}

TEST_CASE("an empty array changes nothing") {
  const Owned h;
  CHECK(record_many(h.view, {}) == kAllGood);
  CHECK(h->state->least == 0);
}

TEST_CASE("arrays recorded by several threads at once all count") {
  const Owned h;
  const auto values = some_values(30'000, 0.01);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) threads.emplace_back([&] { record_many(h.view, values); });
  }
  CHECK(count(h.view) == 120'000);
}
