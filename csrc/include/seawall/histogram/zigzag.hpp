// Bucket counts as the bytes of an HdrHistogram V2 payload, and back.
//
// Pure functions over arrays, any thread. Mechanism: every count is a ZigZag LEB128 number of at most nine bytes (the
// ninth carries eight bits); a run of two or more empty buckets is one negative number. Cost: 1-2 ns a bucket. Source:
// HdrHistogram ZigZagEncoding and AbstractHistogram.fillBufferFromCountsArray ("V2" encoding).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace seawall::histogram {

inline void put_zigzag(std::vector<std::uint8_t>& out, std::int64_t number) {
  auto bits = static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
  for (int i = 0; i < 8 && bits >= 0x80; ++i, bits >>= 7) out.push_back(static_cast<std::uint8_t>(bits | 0x80));
  out.push_back(static_cast<std::uint8_t>(bits));
}

// Nothing where the bytes end within a number.
inline std::optional<std::int64_t> get_zigzag(std::span<const std::uint8_t>& in) noexcept {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 9 && i < in.size(); ++i) {
    const auto byte = std::uint64_t{in[i]};
    bits |= (i == 8 ? byte : byte & 0x7f) << (7 * i);
    if (i < 8 && (byte & 0x80) != 0) continue;
    in = in.subspan(i + 1);
    return static_cast<std::int64_t>(bits >> 1 ^ (~(bits & 1) + 1));
  }
  return std::nullopt;
}

// Empty buckets at the end are left out.
inline std::vector<std::uint8_t> encode_counts(std::span<const std::uint64_t> counts) {
  std::size_t end = counts.size();
  while (end > 0 && counts[end - 1] == 0) --end;
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < end;) {
    std::size_t run = 0;
    while (i + run < end && counts[i + run] == 0) ++run;
    put_zigzag(out, run > 1 ? -static_cast<std::int64_t>(run) : static_cast<std::int64_t>(counts[i]));
    i += run > 1 ? run : 1;
  }
  return out;
}

// False for bytes that are cut short or hold more buckets than `counts`, which must come in zeroed.
inline bool decode_counts(std::span<const std::uint8_t> in, std::span<std::uint64_t> counts) noexcept {
  std::size_t at = 0;
  while (!in.empty()) {
    const auto number = get_zigzag(in);
    if (!number || at >= counts.size()) return false;
    if (*number >= 0) {
      counts[at++] = static_cast<std::uint64_t>(*number);
    } else {
      const auto run = ~static_cast<std::uint64_t>(*number) + 1;
      if (run > counts.size() - at) return false;
      at += run;
    }
  }
  return true;
}

}  // namespace seawall::histogram
