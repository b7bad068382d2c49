// What can be wrong with a response, and how much of one is accepted.
#pragma once

#include <cstdint>

namespace seawall::http {

// Beyond any of these a response is a fault, so that no server can make a run wait or count for ever.
struct Bounds {
  std::uint32_t head = 65'536;       // bytes from the status line to the blank line, of each head
  std::uint32_t headers = 256;       // field lines of a head
  std::uint32_t interims = 16;       // 1xx responses before the final one
  std::uint32_t chunk_line = 4'096;  // bytes of the line before a chunk: its size, extensions and line end
  std::uint32_t trailers = 16'384;   // bytes after the last chunk, the blank line among them
};

enum class Fault : std::uint8_t {
  none,
  status_line,
  version,
  header,
  content_length,
  transfer_encoding,
  chunk,
  head_too_long,
  too_many_headers,
  too_many_interims,
  chunk_line_too_long,
  trailers_too_long,
  truncated,
  closed_early,  // not one byte came
};

constexpr const char* describe(Fault fault) noexcept {
  switch (fault) {
    case Fault::none:
      return "no fault";
    case Fault::status_line:
      return "the response does not begin with an HTTP status line";
    case Fault::version:
      return "the response is not HTTP/1.x";
    case Fault::header:
      return "a header line is malformed";
    case Fault::content_length:
      return "Content-Length is not one whole number";
    case Fault::transfer_encoding:
      return "Transfer-Encoding is malformed, or stands beside Content-Length or in HTTP/1.0";
    case Fault::chunk:
      return "a chunk of the body is malformed";
    case Fault::head_too_long:
      return "the head of the response is too long";
    case Fault::too_many_headers:
      return "the response has too many headers";
    case Fault::too_many_interims:
      return "too many 1xx responses came before the final one";
    case Fault::chunk_line_too_long:
      return "the size line of a chunk is too long";
    case Fault::trailers_too_long:
      return "the trailers after the body are too long";
    case Fault::truncated:
      return "the connection was closed within a response";
    case Fault::closed_early:
      return "the connection was closed before a response came";
  }
  return "unknown";
}

}  // namespace seawall::http
