// Reads one HTTP/1.x response after the other from bytes as they come, and decides nothing about connections.
//
// Guarantees: what comes out is the same however the bytes are cut into pieces; nothing is read beyond the end of the
// response; no input, however long, makes it allocate or buffer. Mechanism: a state machine over bytes that skips over
// uninteresting values a word at a time and hands bodies through as whole pieces. One parser belongs to one connection
// and one thread. Cost: about 100 ns for a head of 150 bytes; a body costs a call a piece or chunk.
//
// Choices where the RFC leaves one:
// - Transfer-Encoding beside Content-Length is a fault (transfer_encoding). RFC 9112 6.3 lets the former win but calls
//   the message an attempt at smuggling that ought to be an error: a response two readers frame differently makes the
//   next one on this connection a guess, and a load test must report such a server, not smooth it over.
// - Transfer-Encoding in HTTP/1.0 is a fault, as 6.1 calls its framing faulty; parameters of `chunked` and a second
//   `chunked` too (7.1, 6.1).
// - A folded line (obs-fold) continues the value as if it were blanks, as 5.2 tells user agents; before any field it is
//   a fault.
// - A bare LF ends a line of the head and of the trailers (2.2), never one of the chunked framing, where readers that
//   disagree are smuggled past. A bare CR, NUL, and a blank before a colon are faults everywhere.
// - 101 ends with its head: what follows is another protocol, and the connection is not kept.
// Source: RFC 9112 (2, 4-7, 9.3), RFC 9110 (8.6, 15.2).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "seawall/http/fault.hpp"
#include "seawall/http/fields.hpp"
#include "seawall/http/text.hpp"

namespace seawall::http {

class ResponseParser {
 public:
  explicit ResponseParser(const Bounds& bounds = {}) noexcept : bounds_(bounds) { begin_head(); }

  // Forgets everything and expects the next response. Responses to HEAD have no body.
  void begin(bool to_head_request) noexcept {
    *this = ResponseParser(bounds_);
    to_head_ = to_head_request;
  }

  // Takes bytes up to the end of the response or to the byte that is a fault, and says how many. on_body is called
  // with each piece of the decoded body, a std::string_view into `bytes` that is never empty.
  template <class Body>
  std::size_t feed(std::string_view bytes, Body&& on_body) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    while (at != end && state_ < State::done) {
      started_ = true;
      if (state_ < State::sized) {
        at = lines(at, end);
      } else {
        const std::size_t size = piece(static_cast<std::size_t>(end - at));
        on_body(std::string_view(at, size));
        at += size;
      }
    }
    return static_cast<std::size_t>(at - bytes.data());
  }

  // The peer closed. Completes a body that only this ends; within anything else it is a fault.
  void end_of_stream() noexcept {
    if (state_ == State::until_close) {
      state_ = State::done;
    } else if (state_ != State::done && state_ != State::failed) {
      fail(started_ ? Fault::truncated : Fault::closed_early);
    }
  }

  bool done() const noexcept { return state_ == State::done; }
  bool failed() const noexcept { return state_ == State::failed; }
  Fault fault() const noexcept { return fault_; }
  // At least one byte of this response came, an interim one included.
  bool started() const noexcept { return started_; }
  // Of the final response, 100 to 599; 0 until its status line came.
  int status() const noexcept { return is_interim() ? 0 : status_; }
  // Once done: may the connection carry another request? False after a fault.
  bool keep_alive() const noexcept {
    return done() && !closes_ && !options_.close() && (minor_ >= 1 || options_.keep_alive());
  }
  // Decoded so far.
  std::uint64_t body_bytes() const noexcept { return body_bytes_; }
  // A 100 Continue was seen since begin.
  bool continued() const noexcept { return continued_; }

 private:
  enum class State : std::uint8_t {
    // lines, of which left_ says how much more is accepted
    start,
    reason,
    reason_lf,
    line_start,
    name,
    value,
    value_lf,
    blank_lf,
    chunk_start,
    chunk_size,
    chunk_extension,
    chunk_lf,
    data_cr,
    data_lf,
    // the end of some lines: lines() turns them into what comes next at once
    head_end,
    chunk_line_end,
    data_end,
    trailers_end,
    // bodies
    sized,
    chunk_data,
    until_close,
    // nothing is taken any more
    done,
    failed,
  };
  enum class Field : std::uint8_t { none, other, length, codings, options };

  static constexpr std::string_view kLength = "content-length";
  static constexpr std::string_view kCodings = "transfer-encoding";
  static constexpr std::string_view kOptions = "connection";
  static constexpr std::size_t kStatusLine = 12;  // "HTTP/1.1 200"

  bool is_interim() const noexcept { return status_ < 200 && status_ != 101; }
  bool in_lines() const noexcept { return state_ < State::head_end; }

  const char* fail(Fault fault, const char* at = nullptr) noexcept {
    state_ = State::failed;
    fault_ = fault;
    return at;
  }

  void begin_head() noexcept {
    state_ = State::start;
    left_ = bounds_.head;
    headers_ = 0;
    status_ = 0;
    position_ = 0;
    field_ = Field::none;
    length_ = {};
    codings_ = {};
    options_ = {};
  }

  // Lines up to the end of their section, or as far as the bytes and the bound of the section reach.
  const char* lines(const char* at, const char* end) noexcept {
    const char* const stop = at + std::min(static_cast<std::size_t>(end - at), std::size_t{left_});
    if (stop == at) return fail(too_long(), at);
    const char* const from = at;
    while (at != stop && in_lines()) at = step(at, stop);
    left_ -= static_cast<std::uint32_t>(at - from);
    end_section();
    return at;
  }

  Fault too_long() const noexcept {
    if (trailers_) return Fault::trailers_too_long;
    return state_ >= State::chunk_start ? Fault::chunk_line_too_long : Fault::head_too_long;
  }

  const char* step(const char* at, const char* stop) noexcept {
    switch (state_) {
      case State::start:
        return status_line(at, stop);
      case State::reason:
        return rest_of_line(at, stop, State::reason_lf, Fault::status_line);
      case State::reason_lf:
        return line_feed(at, State::line_start, Fault::status_line);
      case State::line_start:
        return line_start(at);
      case State::name:
        return name(at, stop);
      case State::value:
        return value(at, stop);
      case State::value_lf:
        return line_feed(at, State::line_start, Fault::header);
      case State::blank_lf:
        return line_feed(at, trailers_ ? State::trailers_end : State::head_end, Fault::header);
      case State::chunk_start:
      case State::chunk_size:
        return chunk_size(at, stop);
      case State::chunk_extension:
        return chunk_extension(at, stop);
      case State::chunk_lf:
        return line_feed(at, State::chunk_line_end, Fault::chunk);
      case State::data_cr:
        if (*at != '\r') return fail(Fault::chunk, at);
        state_ = State::data_lf;
        return at + 1;
      case State::data_lf:
        return line_feed(at, State::data_end, Fault::chunk);
      default:  // no other state has lines
        return fail(Fault::header, at);
    }
  }

  const char* line_feed(const char* at, State next, Fault fault) noexcept {
    if (*at != '\n') return fail(fault, at);
    state_ = next;
    return at + 1;
  }

  const char* status_line(const char* at, const char* stop) noexcept {
    for (; at != stop && position_ < kStatusLine; ++at, ++position_) {
      const Fault fault = status_character(*at);
      if (fault != Fault::none) return fail(fault, at);
    }
    if (at == stop) return at;
    if (*at == ' ') {
      state_ = State::reason;
      return at + 1;
    }
    // Some servers leave out the blank before no reason.
    if (*at != '\r' && *at != '\n') return fail(Fault::status_line, at);
    state_ = State::reason;
    return at;
  }

  Fault status_character(char c) noexcept {
    constexpr std::string_view kShape = "HTTP/1.# ###";
    if (kShape[position_] != '#') {
      if (c == kShape[position_]) return Fault::none;
      return position_ == 5 && is_digit(c) ? Fault::version : Fault::status_line;
    }
    if (!is_digit(c)) return Fault::status_line;
    if (position_ == 7) {
      minor_ = static_cast<std::uint8_t>(c - '0');
      return Fault::none;
    }
    // Only 100 to 599 are statuses (RFC 9110 15).
    if (position_ == 9 && (c < '1' || c > '5')) return Fault::status_line;
    status_ = static_cast<std::uint16_t>(status_ * 10 + (c - '0'));
    return Fault::none;
  }

  // What is of no interest, up to the end of a line that a bare LF may end.
  const char* rest_of_line(const char* at, const char* stop, State lf, Fault fault) noexcept {
    for (;; ++at) {
      at = find_control(at, stop);
      if (at == stop) return at;
      if (*at == '\n') {
        state_ = State::line_start;
        return at + 1;
      }
      if (*at == '\r') {
        state_ = lf;
        return at + 1;
      }
      if (*at == '\0') return fail(fault, at);
    }
  }

  // The byte after a line end: more of the last value, the blank line, or another field.
  const char* line_start(const char* at) noexcept {
    if (is_blank(*at) && field_ != Field::none) {
      state_ = State::value;
      return at;
    }
    if (!finish_field()) return at;
    if (*at == '\r') {
      state_ = State::blank_lf;
      return at + 1;
    }
    if (*at == '\n') {
      state_ = trailers_ ? State::trailers_end : State::head_end;
      return at + 1;
    }
    return begin_field(at);
  }

  bool finish_field() noexcept {
    if (field_ == Field::length && !length_.finish()) fail(Fault::content_length);
    if (field_ == Field::codings && !codings_.finish()) fail(Fault::transfer_encoding);
    if (field_ == Field::options) options_.finish();
    field_ = Field::none;
    return !failed();
  }

  // Which field it may become shows in its first letter; `name` corrects that.
  const char* begin_field(const char* at) noexcept {
    const char lower = token(*at);
    if (lower == 0) return fail(Fault::header, at);
    field_ = Field::other;
    if (!trailers_) {
      if (headers_ == bounds_.headers) return fail(Fault::too_many_headers, at);
      ++headers_;
      if (lower == 'c') field_ = Field::length;
      if (lower == 't') field_ = Field::codings;
    }
    position_ = 1;
    state_ = State::name;
    return at + 1;
  }

  static constexpr std::string_view name_of(Field field) noexcept {
    return field == Field::length ? kLength : field == Field::codings ? kCodings : kOptions;
  }

  const char* name(const char* at, const char* stop) noexcept {
    for (; at != stop && field_ != Field::other; ++at, ++position_) {
      const char lower = token(*at);
      if (position_ == 3 && lower == 'n' && field_ == Field::length) field_ = Field::options;  // "con" is in both
      const std::string_view whole = name_of(field_);
      if (position_ == whole.size() && *at == ':') break;
      if (position_ == whole.size() || lower != whole[position_]) field_ = Field::other;
      if (lower == 0) break;
    }
    while (at != stop && token(*at) != 0) ++at;
    if (at == stop) return at;
    if (*at != ':') return fail(Fault::header, at);
    state_ = State::value;
    return at + 1;
  }

  const char* value(const char* at, const char* stop) noexcept {
    switch (field_) {
      case Field::length:
        return framing_value(at, stop, length_, Fault::content_length);
      case Field::codings:
        return framing_value(at, stop, codings_, Fault::transfer_encoding);
      case Field::options:
        return framing_value(at, stop, options_, Fault::header);
      default:
        return rest_of_line(at, stop, State::value_lf, Fault::header);
    }
  }

  template <class Value>
  const char* framing_value(const char* at, const char* stop, Value& value, Fault fault) noexcept {
    for (; at != stop; ++at) {
      if (*at == '\r' || *at == '\n') {
        state_ = *at == '\r' ? State::value_lf : State::line_start;
        return at + 1;
      }
      if (!value.take(*at)) return fail(fault, at);
    }
    return at;
  }

  static constexpr unsigned hexadecimal(char c) noexcept {
    if (is_digit(c)) return static_cast<unsigned>(c - '0');
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a') + 10 : 16;
  }

  const char* chunk_size(const char* at, const char* stop) noexcept {
    for (; at != stop; ++at) {
      const unsigned digit = hexadecimal(*at);
      if (digit == 16) {
        // Some servers pad the size with blanks.
        const bool ends = *at == '\r' || *at == ';' || is_blank(*at);
        if (!ends || state_ == State::chunk_start) return fail(Fault::chunk, at);
        state_ = State::chunk_extension;
        blank_ = true;
        return at;
      }
      if (!append_digit(remaining_, 16, digit)) return fail(Fault::chunk, at);
      state_ = State::chunk_size;
    }
    return at;
  }

  // Blanks, and from a semicolon on whatever stands there.
  const char* chunk_extension(const char* at, const char* stop) noexcept {
    for (; at != stop && blank_; ++at) {
      if (*at == '\r') break;
      if (*at == ';') blank_ = false;
      if (blank_ && !is_blank(*at)) return fail(Fault::chunk, at);
    }
    for (;; ++at) {
      at = find_control(at, stop);
      if (at == stop) return at;
      if (*at == '\n' || *at == '\0') return fail(Fault::chunk, at);
      if (*at == '\r') {
        state_ = State::chunk_lf;
        return at + 1;
      }
    }
  }

  void end_section() noexcept {
    switch (state_) {
      case State::head_end:
        return finish_head();
      case State::data_end:
        return begin_chunk();
      case State::chunk_line_end:
        state_ = State::chunk_data;
        if (remaining_ == 0) begin_trailers();
        return;
      case State::trailers_end:
        state_ = State::done;
        return;
      default:
        return;
    }
  }

  void finish_head() noexcept {
    if (codings_.any() && (minor_ == 0 || length_.any() || codings_.empty())) {
      fail(Fault::transfer_encoding);
    } else if (is_interim()) {
      finish_interim();
    } else {
      begin_body();
    }
  }

  void finish_interim() noexcept {
    if (interims_ == bounds_.interims) {
      fail(Fault::too_many_interims);
      return;
    }
    ++interims_;
    continued_ |= status_ == 100;
    begin_head();
  }

  // RFC 9112 6.3, in its order.
  void begin_body() noexcept {
    if (to_head_ || status_ == 101 || status_ == 204 || status_ == 304) {
      closes_ = status_ == 101;
      state_ = State::done;
    } else if (codings_.chunked()) {
      begin_chunk();
    } else if (length_.any() && !codings_.any()) {
      remaining_ = length_.value();
      state_ = remaining_ == 0 ? State::done : State::sized;
    } else {
      closes_ = true;
      state_ = State::until_close;
    }
  }

  void begin_chunk() noexcept {
    state_ = State::chunk_start;
    left_ = bounds_.chunk_line;
    remaining_ = 0;
  }

  void begin_trailers() noexcept {
    state_ = State::line_start;
    left_ = bounds_.trailers;
    trailers_ = true;
    field_ = Field::none;
  }

  // How much of the next `size` bytes is body, counted.
  std::size_t piece(std::size_t size) noexcept {
    if (state_ != State::until_close) {
      size = static_cast<std::size_t>(std::min<std::uint64_t>(size, remaining_));
      remaining_ -= size;
      if (remaining_ == 0) end_data();
    }
    body_bytes_ += size;
    return size;
  }

  void end_data() noexcept {
    const bool last = state_ == State::sized;
    state_ = last ? State::done : State::data_cr;
    left_ = 2;  // the CRLF behind a chunk
  }

  Bounds bounds_;
  std::uint32_t left_ = 0;
  std::uint64_t remaining_ = 0;  // of the body or chunk
  std::uint64_t body_bytes_ = 0;
  LengthValue length_;
  CodingsValue codings_;
  OptionsValue options_;
  std::uint32_t headers_ = 0;
  std::uint32_t interims_ = 0;
  std::uint16_t status_ = 0;
  State state_ = State::start;
  Fault fault_ = Fault::none;
  Field field_ = Field::none;
  std::uint8_t position_ = 0;  // within the status line or a name
  std::uint8_t minor_ = 0;
  bool to_head_ : 1 = false;
  bool started_ : 1 = false;
  bool continued_ : 1 = false;
  bool closes_ : 1 = false;
  bool trailers_ : 1 = false;
  bool blank_ : 1 = false;
};

static_assert(std::is_trivially_copyable_v<ResponseParser>);
static_assert(sizeof(ResponseParser) <= 96);

}  // namespace seawall::http
