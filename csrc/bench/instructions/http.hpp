// Responses of a load test: a head as a web server sends it and a small body, whole in one piece, as nearly all come.
#pragma once

#include <string_view>

#include "operation.hpp"
#include "seawall/http/checks.hpp"
#include "seawall/http/parser.hpp"

namespace seawall::instructions {

inline constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nServer: nginx/1.24.0\r\nDate: Tue, 24 Nov 2026 11:47:26 GMT\r\nContent-Type: text/plain\r\n"
    "Content-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, World!";
inline constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nServer: nginx/1.24.0\r\nDate: Tue, 24 Nov 2026 11:47:26 GMT\r\nContent-Type: text/plain\r\n"
    "Transfer-Encoding: chunked\r\n\r\nd\r\nHello, World!\r\n0\r\n\r\n";

inline Operation response(std::string_view bytes) {
  return [bytes, parser = http::ResponseParser()](std::uint64_t n) mutable {
    bool right = true;
    for (; n != 0; --n) {
      parser.begin(false);
      std::size_t body = 0;
      parser.feed(bytes, [&body](std::string_view piece) { body += piece.size(); });
      right &= parser.done() && parser.keep_alive() && parser.status() == 200 && body == 13;
    }
    return right;
  };
}

inline Operation checked() {
  http::Checks checks;
  checks.contains = http::Needle("World");
  return [checks](std::uint64_t n) {
    bool right = true;
    for (; n != 0; --n) {
      http::Checking checking;
      checking.piece(checks, "Hello, World!");
      right &= checking.verdict(checks, 200) == 200;
    }
    return right;
  };
}

inline std::vector<Named> http_operations() {
  return {{"response parsed, 148 byte head", response(kResponse)},
          {"response parsed, chunked", response(kChunked)},
          {"response checked, 13 byte body", checked()}};
}

}  // namespace seawall::instructions
