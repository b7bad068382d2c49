// A histogram with memory of its own, for tests.
#pragma once

#include <memory>
#include <new>
#include <vector>

#include "seawall/histogram/bulk.hpp"
#include "seawall/histogram/reading.hpp"

namespace seawall::histogram {

struct Owned {
  explicit Owned(Layout layout)
      : lines((bytes_of(layout) + 63) / 64), view{layout, reinterpret_cast<State*>(lines.data())} {}
  Owned() : Owned(lay_out(1'000, 3'600'000'000'000, 3)) {}
  const Histogram* operator->() const { return &view; }

  struct alignas(64) Line {
    char zeros[64]{};
  };
  std::vector<Line> lines;
  Histogram view;
};

inline std::vector<std::uint64_t> counts_of(const Histogram& histogram) {
  return {histogram.counts(), histogram.counts() + histogram.layout.counts_len};
}

}  // namespace seawall::histogram
