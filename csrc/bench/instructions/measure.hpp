// Counters and histograms.
#pragma once

#include <random>

#include "operation.hpp"
#include "seawall/counter/stripes.hpp"
#include "seawall/histogram/bulk.hpp"
#include "seawall/histogram/reading.hpp"

namespace seawall::instructions {

// Latencies from 1 to 362 milliseconds. Drawn from whole numbers alone, so that they are the same everywhere.
inline std::vector<double> latencies(std::size_t n) {
  std::mt19937_64 random(1);
  std::vector<double> values(n);
  for (auto& value : values) {
    const auto draw = random();
    value = 1e-3 * static_cast<double>(1 + draw % 20 * (draw / 20 % 20));
  }
  return values;
}

inline histogram::Histogram fresh() {
  const auto layout = histogram::lay_out(1'000, 3'600'000'000'000, 3);
  return {layout, static_cast<histogram::State*>(zeroed(histogram::bytes_of(layout)))};
}

inline Operation count() {
  return [at = static_cast<counter::Stripes*>(zeroed(sizeof(counter::Stripes)))](std::uint64_t n) {
    const auto before = at->value();
    for (std::uint64_t i = 0; i < n; ++i) at->add(1);
    return at->value() - before == n;
  };
}

inline Operation record() {
  return [into = fresh(), values = latencies(1'000)](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) into.record(histogram::to_integer(values[i % 1'000]));
    return histogram::count(into) >= n;
  };
}

// Arrays of ten thousand, for one value.
inline Operation record_many() {
  return [into = fresh(), values = latencies(10'000)](std::uint64_t n) {
    bool right = true;
    for (std::uint64_t i = 0; i < n; i += 1'000) {
      if (i % 10'000 == 0) right &= histogram::record_many(into, values) == histogram::kAllGood;
    }
    return right;
  };
}

inline Operation percentile() {
  const auto from = fresh();
  const auto values = latencies(100'000);
  if (histogram::record_many(from, values) != histogram::kAllGood) std::abort();
  return [from](std::uint64_t n) {
    bool right = true;
    for (std::uint64_t i = 0; i < n; ++i) {
      const auto answer = histogram::at_percentile(from, histogram::survey(from), 99.0);
      right &= answer > 200'000'000 && answer < 400'000'000;
    }
    return right;
  };
}

inline std::vector<Named> measure_operations() {
  return {{"counter add", count()},
          {"histogram record", record()},
          {"histogram record_many, each", record_many()},
          {"histogram percentile", percentile()}};
}

}  // namespace seawall::instructions
