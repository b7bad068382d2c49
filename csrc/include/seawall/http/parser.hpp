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
#include <string_view>
#include <type_traits>

#include "seawall/http/fault.hpp"
#include "seawall/http/lines.hpp"

namespace seawall::http {

class ResponseParser : private detail::ResponseLines {
 public:
  explicit ResponseParser(const Bounds& bounds = {}) noexcept : ResponseLines(bounds) {}

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
        end_section();
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
  bool is_interim() const noexcept { return status_ < 200 && status_ != 101; }

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

  std::uint64_t body_bytes_ = 0;
  std::uint32_t interims_ = 0;
  bool to_head_ : 1 = false;
  bool started_ : 1 = false;
  bool continued_ : 1 = false;
  bool closes_ : 1 = false;
};

static_assert(std::is_trivially_copyable_v<ResponseParser>);
static_assert(sizeof(ResponseParser) <= 96);

}  // namespace seawall::http
