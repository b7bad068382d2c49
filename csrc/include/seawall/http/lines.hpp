// The lines of a response: status line, fields, chunk sizes, trailers. ResponseParser is what strings them together.
//
// A state machine over bytes that stops at the end of each section. Not for use alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "seawall/http/fault.hpp"
#include "seawall/http/fields.hpp"
#include "seawall/http/text.hpp"

namespace seawall::http::detail {

class ResponseLines {
 protected:
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
    // the end of a section of lines: gone before anything else is read
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
  // Of the value being read; of a header no body depends on: other.
  enum class Field : std::uint8_t { none, other, length, codings, options };

  explicit ResponseLines(const Bounds& bounds) noexcept : bounds_(bounds) { begin_head(); }

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

  // Lines up to the end of their section, or as far as the bytes and the bound of the section reach.
  const char* lines(const char* at, const char* end) noexcept {
    const char* const stop = at + std::min(static_cast<std::size_t>(end - at), std::size_t{left_});
    if (stop == at) return fail(too_long(), at);
    const char* const from = at;
    while (at != stop && state_ < State::head_end) at = step(at, stop);
    left_ -= static_cast<std::uint32_t>(at - from);
    return at;
  }

 private:
  static constexpr std::string_view kLength = "content-length";
  static constexpr std::string_view kCodings = "transfer-encoding";
  static constexpr std::string_view kOptions = "connection";
  static constexpr std::size_t kStatusLine = 12;  // "HTTP/1.1 200"

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
        return line_start(at, stop);
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
    if (position_ == 0 && stop - at >= static_cast<std::ptrdiff_t>(kStatusLine) && whole_status_line(at)) {
      at += kStatusLine;
    }
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

  // All of it at once, as it nearly always comes; what is wrong with it is for status_character to find.
  bool whole_status_line(const char* at) noexcept {
    const bool shape = std::memcmp(at, "HTTP/1.", 7) == 0 && is_digit(at[7]) && at[8] == ' ';
    if (!shape || at[9] < '1' || at[9] > '5' || !is_digit(at[10]) || !is_digit(at[11])) return false;
    minor_ = static_cast<std::uint8_t>(at[7] - '0');
    status_ = static_cast<std::uint16_t>((at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0'));
    position_ = kStatusLine;
    return true;
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
  const char* line_start(const char* at, const char* stop) noexcept {
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
    return begin_field(at, stop);
  }

  bool finish_field() noexcept {
    if (field_ == Field::length && !length_.finish()) fail(Fault::content_length);
    if (field_ == Field::codings && !codings_.finish()) fail(Fault::transfer_encoding);
    if (field_ == Field::options) options_.finish();
    field_ = Field::none;
    return state_ != State::failed;
  }

  const char* begin_field(const char* at, const char* stop) noexcept {
    if (token(*at) == 0) return fail(Fault::header, at);
    if (!trailers_) {
      if (headers_ == bounds_.headers) return fail(Fault::too_many_headers, at);
      ++headers_;
    }
    const char* const end = find_end_of_token(at, stop);
    if (end == stop) return begin_cut_name(at);
    field_ = trailers_ ? Field::other : field_named(std::string_view(at, static_cast<std::size_t>(end - at)));
    return colon(end);
  }

  const char* colon(const char* at) noexcept {
    if (*at != ':') return fail(Fault::header, at);
    state_ = State::value;
    return at + 1;
  }

  static Field field_named(std::string_view name) noexcept {
    if (same_name(name, kLength)) return Field::length;
    if (same_name(name, kCodings)) return Field::codings;
    return same_name(name, kOptions) ? Field::options : Field::other;
  }

  // Which field it may become shows in its first letter; `name` corrects that.
  const char* begin_cut_name(const char* at) noexcept {
    const char lower = trailers_ ? '\0' : token(*at);
    field_ = lower == 'c' ? Field::length : lower == 't' ? Field::codings : Field::other;
    position_ = 1;
    state_ = State::name;
    return at + 1;
  }

  static constexpr std::string_view name_of(Field field) noexcept {
    return field == Field::length ? kLength : field == Field::codings ? kCodings : kOptions;
  }

  // A name of which a part came before.
  const char* name(const char* at, const char* stop) noexcept {
    for (; at != stop && field_ != Field::other; ++at, ++position_) {
      const char lower = token(*at);
      if (position_ == 3 && lower == 'n' && field_ == Field::length) field_ = Field::options;  // "con" is in both
      const std::string_view whole = name_of(field_);
      if (position_ == whole.size() && *at == ':') break;
      if (position_ == whole.size() || lower != whole[position_]) field_ = Field::other;
      if (lower == 0) break;
    }
    at = find_end_of_token(at, stop);
    return at == stop ? at : colon(at);
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

 protected:
  Bounds bounds_;
  std::uint32_t left_ = 0;
  std::uint64_t remaining_ = 0;  // of the body or chunk
  LengthValue length_;
  CodingsValue codings_;
  OptionsValue options_;
  std::uint32_t headers_ = 0;
  std::uint16_t status_ = 0;
  State state_ = State::start;
  Fault fault_ = Fault::none;
  Field field_ = Field::none;
  std::uint8_t position_ = 0;  // within the status line or a name
  std::uint8_t minor_ = 0;
  bool trailers_ : 1 = false;
  bool blank_ : 1 = false;
};

}  // namespace seawall::http::detail
