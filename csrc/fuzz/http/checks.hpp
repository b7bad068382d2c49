// A needle and a body from bytes a fuzzer makes, against std::string_view::find.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/drive.hpp"
#include "seawall/http/checks.hpp"

namespace fuzz {

// A body in pieces of `step` bytes, and what is said of it.
inline seawall::load::Code verdict(const seawall::http::Checks& checks, int status, std::string_view body,
                                   std::size_t step) {
  seawall::http::Checking checking;
  checking.begin();
  for (; !body.empty(); body.remove_prefix(std::min(step, body.size()))) checking.piece(checks, body.substr(0, step));
  return checking.verdict(checks, status);
}

inline seawall::load::Code expected(const seawall::http::Checks& checks, int status, std::string_view body) {
  if (!checks.accepted.has(status)) return seawall::load::kWrongStatus;
  if (body.find(checks.contains.text()) == std::string_view::npos) return seawall::load::kWrongBody;
  if (body.size() < checks.least || body.size() > checks.most) return seawall::load::kWrongSize;
  return static_cast<seawall::load::Code>(status);
}

inline void checks(const std::uint8_t* data, std::size_t size) {
  if (size < 5) return;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 5, size - 5);
  const std::size_t needle = data[0] % (rest.size() + 1);
  seawall::http::Checks checks;
  checks.contains = seawall::http::Needle(std::string(rest.substr(0, needle)));
  checks.least = data[1] % 16;
  checks.most = checks.least + data[2];
  const std::string_view body = rest.substr(needle);
  const int status = 100 + data[3] * 2;
  const auto right = expected(checks, status, body);
  for (const std::size_t step : {std::size_t{1}, std::size_t{1} + data[4] % 32, body.size() + 1}) {
    drive::require(verdict(checks, status, body, step) == right, "a needle is found where it is, in whatever pieces");
  }
}

}  // namespace fuzz
