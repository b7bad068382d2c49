// A parser fed piece by piece to the end of the stream, and the laws that hold whatever the bytes are.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "http/oracle.hpp"
#include "seawall/http/parser.hpp"

namespace drive {

using seawall::http::Bounds;
using seawall::http::Fault;
using seawall::http::ResponseParser;

// Ends the program: what a fuzzer notices, and a test cannot overlook.
inline void require(bool holds, const char* law) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", law);
  std::abort();
}

struct Outcome {
  bool done = false;
  Fault fault = Fault::none;
  int status = 0;
  bool keep_alive = false;
  bool continued = false;
  bool started = false;
  std::string body;
  std::size_t consumed = 0;

  bool operator==(const Outcome&) const = default;
};

// Each piece in memory of its own, so that a sanitizer sees a byte read beyond it.
inline std::size_t feed(ResponseParser& parser, std::string_view bytes, std::string& body) {
  const std::vector<char> piece(bytes.begin(), bytes.end());
  const std::string_view given(piece.data(), piece.size());
  const std::size_t consumed = parser.feed(given, [&](std::string_view part) {
    require(!part.empty(), "a piece of a body is not empty");
    require(part.data() >= given.data() && part.data() + part.size() <= given.data() + given.size(),
            "a piece of a body lies within what was fed");
    body += part;
  });
  require(consumed <= bytes.size(), "no more is consumed than was fed");
  require(consumed == bytes.size() || parser.done() || parser.failed(), "only an end leaves bytes over");
  require(parser.body_bytes() == body.size(), "the bytes counted are those passed on");
  return consumed;
}

inline Outcome outcome_of(const ResponseParser& parser, std::string body, std::size_t consumed) {
  return {parser.done(),      parser.fault(),   parser.status(), parser.keep_alive(),
          parser.continued(), parser.started(), std::move(body), consumed};
}

inline void nothing_more_happens(ResponseParser& parser, const Outcome& before) {
  std::string body = before.body;
  const auto consumed = feed(parser, "HTTP/1.1 200 OK\r\n\r\n", body);
  parser.end_of_stream();
  require(consumed == 0 && outcome_of(parser, body, before.consumed) == before, "an end is final");
}

// Feeds the bytes in pieces that end where `cuts` say (ascending), then the end of the stream.
inline Outcome run(ResponseParser& parser, std::string_view bytes, bool to_head, const std::vector<std::size_t>& cuts) {
  parser.begin(to_head);
  std::string body;
  std::size_t at = 0;
  const auto until = [&](std::size_t end) {
    if (!parser.done() && !parser.failed() && end > at) at += feed(parser, bytes.substr(at, end - at), body);
  };
  for (const auto cut : cuts) until(cut);
  until(bytes.size());
  parser.end_of_stream();
  require(parser.done() != parser.failed(), "the end of the stream ends a response");
  require(parser.failed() == (parser.fault() != Fault::none), "what failed has a fault");
  require(parser.started() == !bytes.empty(), "a response starts with its first byte");
  Outcome outcome = outcome_of(parser, std::move(body), at);
  nothing_more_happens(parser, outcome);
  return outcome;
}

inline std::vector<std::size_t> every_byte(std::string_view bytes) {
  std::vector<std::size_t> cuts(bytes.size());
  for (std::size_t i = 0; i < cuts.size(); ++i) cuts[i] = i + 1;
  return cuts;
}

inline bool agree(const Outcome& outcome, const oracle::Answer& answer) {
  if (outcome.done != answer.good) return false;
  return !answer.good ||
         (outcome.status == answer.status && outcome.body == answer.body && outcome.consumed == answer.consumed &&
          outcome.keep_alive == answer.keep_alive && outcome.continued == answer.continued);
}

// The outcome, and the laws that it is the same in whatever pieces, and what the oracle says.
inline Outcome read(ResponseParser& parser, std::string_view bytes, bool to_head, const Bounds& bounds,
                    const std::vector<std::size_t>& cuts) {
  const Outcome whole = run(parser, bytes, to_head, {});
  require(run(parser, bytes, to_head, cuts) == whole, "cuts change nothing");
  require(run(parser, bytes, to_head, every_byte(bytes)) == whole, "single bytes change nothing");
  require(agree(whole, oracle::read(bytes, to_head, bounds)), "the oracle says the same");
  return whole;
}

}  // namespace drive
