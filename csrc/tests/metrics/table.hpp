#pragma once

#include <string>
#include <vector>

#include "seawall/metrics/reading.hpp"

namespace seawall::metrics {

inline std::string key(const std::vector<std::string>& values) {
  std::string bytes;
  for (const auto& value : values) put_text(bytes, value);
  return bytes;
}

inline Definition counters(const std::string& name, std::vector<std::string> labels = {},
                           std::uint64_t max_series = 1000) {
  return {Kind::counter, Across::sum, 0, 0, 0, max_series, {}, name, "", "", std::move(labels)};
}
inline Definition gauges(const std::string& name, Across across, std::vector<std::string> labels = {}) {
  return {Kind::gauge, across, 0, 0, 0, 1000, {}, name, "", "", std::move(labels)};
}
inline Definition histograms(const std::string& name, std::vector<std::uint64_t> bounds,
                             std::vector<std::string> labels = {}) {
  return {Kind::histogram,  Across::sum, 1000, 100 * kBillion, 2, 1000, std::move(bounds), name, "", "",
          std::move(labels)};
}

// The only series of a family without labels.
inline Series& only(Table& table, Family& family) { return *table.series(family, {}, 1); }

}  // namespace seawall::metrics
