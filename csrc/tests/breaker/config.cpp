#include "seawall/breaker/config.hpp"

#include "breaker/box.hpp"

using namespace seawall::breaker;

TEST_CASE("k of n calls meet the ratio k/n, and one failure less does not") {
  BreakerConfig c;
  c.min_calls = 1;
  for (std::uint64_t n = 1; n <= kMostCalls; ++n) {
    for (std::uint64_t k = 1; k <= n; k += n < 130 ? 1 : 7) {
      c.failure_ratio = ratio(static_cast<double>(k) / static_cast<double>(n));
      REQUIRE(tripped(c, {n, k, 0, 0}));
      REQUIRE_FALSE(tripped(c, {n, k - 1, 0, 0}));
    }
  }
  c.failure_ratio = ratio(0.1);
  CHECK(tripped(c, {10, 1, 0, 0}));
  CHECK_FALSE(tripped(c, {11, 1, 0, 0}));
  CHECK(tripped(c, {0xffff'ffff, 0xffff'ffff, 0, 0}));
}

TEST_CASE("below min_calls ratios decide nothing, failures in a row do") {
  BreakerConfig c;
  c.min_calls = 5;
  CHECK_FALSE(tripped(c, {4, 4, 0, 4}));
  CHECK(tripped(c, {5, 4, 0, 4}));
  c.consecutive = 3;
  CHECK(tripped(c, {3, 3, 0, 3}));
  CHECK_FALSE(tripped(c, {3, 2, 0, 2}));
}

TEST_CASE("any or all of the conditions that are on must be met") {
  BreakerConfig c;
  c.min_calls = 1;
  c.failure_ratio = ratio(0.5);
  c.slow_ratio = ratio(0.5);
  c.slow_ns = 1;
  CHECK(tripped(c, {10, 5, 0, 0}));
  CHECK(tripped(c, {10, 0, 5, 0}));
  c.combine = kAll;
  CHECK_FALSE(tripped(c, {10, 5, 4, 0}));
  CHECK_FALSE(tripped(c, {10, 4, 5, 0}));
  CHECK(tripped(c, {10, 5, 5, 0}));
  c.slow_ns = 0;  // nothing is slow: that condition is off
  CHECK(tripped(c, {10, 5, 0, 0}));
  c.failure_ratio = 0;
  CHECK_FALSE(tripped(c, {10, 10, 10, 10}));
}

TEST_CASE("a configuration out of range is not valid") {
  const auto broken = [](auto&& change) {
    BreakerConfig c = plain();
    change(c);
    return !valid(c);
  };
  CHECK(valid(plain()));
  CHECK(valid(BreakerConfig{}));
  CHECK(broken([](auto& c) { c.window = 2; }));
  CHECK(broken([](auto& c) { c.calls = 0; }));
  CHECK(broken([](auto& c) { c.calls = kMostCalls + 1; }));
  CHECK(broken([](auto& c) { c.min_calls = c.calls + 1; }));
  CHECK(broken([](auto& c) { c.window = kSeconds, c.bucket_ns = kLeastBucketNs - 1; }));
  CHECK(broken([](auto& c) { c.failure_ratio = kRatioOne + 1; }));
  CHECK(broken([](auto& c) { c.consecutive = kMostConsecutive + 1; }));
  CHECK(broken([](auto& c) { c.probes = kMostProbes + 1; }));
  CHECK(broken([](auto& c) { c.lease_ns = 0; }));
  CHECK(broken([](auto& c) { c.combine = 2; }));
  CHECK(broken([](auto& c) { c.ramp = 3; }));
  CHECK(broken([](auto& c) { c.ramp = kTimeRamp, c.ramp_ns = 0; }));
  CHECK(broken([](auto& c) { c.ramp = kAdditiveRamp, c.ramp_step = kOne / 10, c.ramp_start = 0; }));
}
