// The stable hash: XXH64, and how a key becomes its input. It never changes: docs/reference/stable-hash.md.
//
// Pure functions. Cost: about 3 ns for 8 bytes, 5 ns for 20, and 15 GB/s for long ones. Not against an attacker, who
// knows the function. Source: Collet, "xxHash fast digest algorithm", specification 0.1.1, section XXH64.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "seawall/hashing/wide.hpp"

namespace seawall::hashing {

namespace xxh {

inline constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87;
inline constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4F;
inline constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9;
inline constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63;
inline constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5;

template <class Number>
Number read(const unsigned char* p) noexcept {
  static_assert(std::endian::native == std::endian::little, "the input is read as little endian");
  Number value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

inline std::uint64_t round(std::uint64_t sum, std::uint64_t lane) noexcept {
  return std::rotl(sum + lane * kPrime2, 31) * kPrime1;
}

inline std::uint64_t with_word(std::uint64_t sum, std::uint64_t word) noexcept {
  return std::rotl(sum ^ round(0, word), 27) * kPrime1 + kPrime4;
}

inline std::uint64_t avalanche(std::uint64_t sum) noexcept {
  sum = (sum ^ sum >> 33) * kPrime2;
  sum = (sum ^ sum >> 29) * kPrime3;
  return sum ^ sum >> 32;
}

// Consumes whole blocks of 32 bytes.
inline std::uint64_t long_input(const unsigned char*& p, std::size_t& left, std::uint64_t seed) noexcept {
  std::uint64_t sums[4] = {seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
  for (; left >= 32; left -= 32, p += 32) {
    for (int lane = 0; lane < 4; ++lane) {
      sums[lane] = round(sums[lane], read<std::uint64_t>(p + 8 * lane));
    }
  }
  std::uint64_t sum = std::rotl(sums[0], 1) + std::rotl(sums[1], 7) + std::rotl(sums[2], 12) + std::rotl(sums[3], 18);
  for (const auto one : sums) sum = (sum ^ round(0, one)) * kPrime1 + kPrime4;
  return sum;
}

}  // namespace xxh

// XXH64 of `size` bytes.
inline std::uint64_t stable_hash(const void* data, std::size_t size, std::uint64_t seed = 0) noexcept {
  const auto* p = static_cast<const unsigned char*>(data);
  std::size_t left = size;
  std::uint64_t sum = left >= 32 ? xxh::long_input(p, left, seed) : seed + xxh::kPrime5;
  sum += size;
  for (; left >= 8; left -= 8, p += 8) sum = xxh::with_word(sum, xxh::read<std::uint64_t>(p));
  if (left >= 4) {
    sum ^= xxh::read<std::uint32_t>(p) * xxh::kPrime1;
    sum = std::rotl(sum, 23) * xxh::kPrime2 + xxh::kPrime3;
    left -= 4;
    p += 4;
  }
  for (; left > 0; --left, ++p) sum = std::rotl(sum ^ *p * xxh::kPrime5, 11) * xxh::kPrime1;
  return xxh::avalanche(sum);
}

// XXH64 of the 8 bytes of a number, lowest first: the hash of an integer key, and of a hash under the seed of a node.
inline std::uint64_t stable_hash(std::uint64_t word, std::uint64_t seed = 0) noexcept {
  return xxh::avalanche(xxh::with_word(seed + xxh::kPrime5 + 8, word));
}

// stable_hash of each of n numbers. `out` may be `words`. Cost: about 1 ns a number with AVX-512, else 2.
SEAWALL_WIDEST inline void stable_hashes(const std::uint64_t* words, std::size_t n, std::uint64_t* out) noexcept {
  for (std::size_t i = 0; i < n; ++i) out[i] = stable_hash(words[i]);
}

}  // namespace seawall::hashing
