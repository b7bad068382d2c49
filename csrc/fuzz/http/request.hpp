// Requests from words a fuzzer makes: what is rendered can be read back as what was asked for, and as nothing else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/drive.hpp"
#include "seawall/http/request.hpp"

namespace fuzz {

// Words end with byte 1, which no request may hold anywhere but in its body.
inline std::string word(std::string_view& rest) {
  const std::string out(rest.substr(0, rest.find('\1')));
  rest.remove_prefix(std::min(rest.size(), out.size() + 1));
  return out;
}

inline seawall::http::Ask ask_of(std::uint8_t switches, std::string_view rest) {
  constexpr const char* kMethods[] = {"GET", "HEAD", "POST", "OPTIONS"};
  seawall::http::Ask ask;
  ask.method = (switches & 1) != 0 ? word(rest) : kMethods[switches >> 6];
  ask.host = (switches & 2) != 0 ? word(rest) : "example.org";
  ask.target = (switches & 4) != 0 ? word(rest) : "/";
  if ((switches & 8) != 0) ask.agent = word(rest);
  if ((switches & 16) != 0) ask.body = word(rest);
  ask.tls = (switches & 32) != 0;
  ask.port = ask.tls ? 443 : 8080;
  while (!rest.empty()) {
    const std::string name = word(rest);
    ask.headers.push_back({name, word(rest)});
  }
  return ask;
}

// The lines of the head, each without its end, the blank one not among them.
inline std::vector<std::string> lines_of(std::string_view head) {
  std::vector<std::string> lines;
  for (std::size_t end; (end = head.find("\r\n")) != 0; head.remove_prefix(end + 2)) {
    drive::require(end != std::string_view::npos, "a head is lines up to a blank one");
    lines.emplace_back(head.substr(0, end));
    drive::require(lines.back().find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
                   "no line holds a line end or NUL");
  }
  drive::require(head.size() == 2, "nothing follows the blank line");
  return lines;
}

inline std::size_t named(const std::vector<std::string>& lines, std::string_view name) {
  std::size_t n = 0;
  for (const auto& line : lines) n += oracle::lower(line.substr(0, line.find(':'))) == name;
  return n;
}

inline void request(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return;
  const auto ask = ask_of(data[0], std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  const auto rendered = seawall::http::render(ask);
  for (const char c : rendered.problem) drive::require(c >= 0x20 && c < 0x7f, "a problem is one line of plain text");
  if (!rendered) {
    drive::require(rendered.request.bytes.empty(), "what is refused is not rendered");
    return;
  }
  const auto& [bytes, head, to_head, idempotent, expects, closes] = rendered.request;
  drive::require(!idempotent || ask.method != "POST", "POST is not idempotent");
  const auto lines = lines_of(std::string_view(bytes).substr(0, head));
  drive::require(lines[0] == ask.method + " " + ask.target + " HTTP/1.1", "the first line is what was asked for");
  drive::require(bytes.substr(head) == ask.body.value_or(""), "the body is what was given");
  drive::require(named(lines, "host") == 1, "there is one Host");
  drive::require(named(lines, "content-length") <= 1, "there is at most one Content-Length");
  drive::require(!ask.body || named(lines, "content-length") == 1, "a body has a Content-Length");
  std::vector<std::string> given;
  for (const auto& header : ask.headers) given.push_back(header.name + ": " + header.value);
  drive::require(
      std::search(lines.begin() + 1, lines.end(), given.begin(), given.end()) != lines.end() || given.empty(),
      "the headers are those given, in their order");
  drive::require(lines.size() <= 1 + given.size() + 3, "at most Host, User-Agent and Content-Length are added");
  drive::require(to_head == (ask.method == "HEAD"), "HEAD is known");
  drive::require(!closes || named(lines, "connection") != 0, "only Connection asks for a close");
  drive::require(!expects || bytes.size() > head, "only a body waits for 100 Continue");
}

}  // namespace fuzz
