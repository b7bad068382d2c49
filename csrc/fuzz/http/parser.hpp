// Responses from bytes a fuzzer makes: two for the switches, two for the cuts, the rest for the connection.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/drive.hpp"

namespace fuzz {

inline constexpr seawall::http::Bounds kSmall{60, 3, 1, 9, 20};

inline void parser(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return;
  const bool to_head = (data[0] & 1) != 0;
  const seawall::http::Bounds bounds = (data[0] & 2) != 0 ? kSmall : seawall::http::Bounds{};
  std::string_view rest(reinterpret_cast<const char*>(data) + 4, size - 4);
  seawall::http::ResponseParser parser(bounds);
  // What follows one response is the next one on the same connection.
  for (int responses = 0; responses < 1 + data[1] % 4; ++responses) {
    const std::size_t one = data[2] % (rest.size() + 1), other = data[3] % (rest.size() + 1);
    const auto outcome = drive::read(parser, rest, to_head, bounds, {std::min(one, other), std::max(one, other)});
    if (!outcome.done) return;
    rest.remove_prefix(outcome.consumed);
  }
}

}  // namespace fuzz
