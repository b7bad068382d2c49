// The values of the three headers that frame a response, read a character at a time.
//
// Each reader takes the characters of every line of its header, folded lines as if their line ends were not there, and
// keeps what it learned when the header is repeated. A few bytes each, no heap. Source: RFC 9112 6, RFC
// 9110 8.6, 7.6.1.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "seawall/http/text.hpp"

namespace seawall::http {

// Adds a digit; false where the number would not fit.
constexpr bool append_digit(std::uint64_t& number, unsigned base, unsigned digit) noexcept {
  if (number > (std::numeric_limits<std::uint64_t>::max() - digit) / base) return false;
  number = number * base + digit;
  return true;
}

// Follows one word, character by character.
class Match {
 public:
  constexpr void take(char lower, std::string_view word) noexcept {
    at_ = at_ < word.size() && word[at_] == lower ? static_cast<std::uint8_t>(at_ + 1) : kMissed;
  }
  constexpr bool complete(std::string_view word) const noexcept { return at_ == word.size(); }

 private:
  static constexpr std::uint8_t kMissed = 255;
  std::uint8_t at_ = 0;
};

// Content-Length: whole numbers that are all the same, however often and in however many lines.
class LengthValue {
 public:
  constexpr bool any() const noexcept { return any_; }
  constexpr std::uint64_t value() const noexcept { return value_; }

  constexpr bool take(char c) noexcept {
    if (is_digit(c)) {
      if (step_ == Step::after) return false;
      step_ = Step::within;
      return append_digit(number_, 10, static_cast<unsigned>(c - '0'));
    }
    if (c == ',') return finish();
    if (!is_blank(c)) return false;
    if (step_ == Step::within) step_ = Step::after;
    return true;
  }

  // The end of a number, by a comma or by the end of the header.
  constexpr bool finish() noexcept {
    if (step_ == Step::before || (any_ && number_ != value_)) return false;
    value_ = number_;
    any_ = true;
    number_ = 0;
    step_ = Step::before;
    return true;
  }

 private:
  enum class Step : std::uint8_t { before, within, after };
  std::uint64_t value_ = 0;
  std::uint64_t number_ = 0;
  Step step_ = Step::before;
  bool any_ = false;
};

// Transfer-Encoding: codings with parameters. Only one question matters: is the last one `chunked`, and the only such?
class CodingsValue {
 public:
  constexpr bool any() const noexcept { return any_; }
  constexpr bool empty() const noexcept { return !codings_; }
  constexpr bool chunked() const noexcept { return last_chunked_; }

  constexpr bool take(char c) noexcept {
    switch (step_) {
      case Step::before:
        return is_blank(c) || c == ',' || (token(c) != 0 && start(c));
      case Step::name:
        if (const char lower = token(c); lower != 0) {
          match_.take(lower, kChunked);
          return true;
        }
        return end_name() && delimit(c);
      case Step::after:
        return delimit(c);
      case Step::parameters:
        if (c == ',') step_ = Step::before;
        if (c == '"') step_ = Step::quoted;
        return c != '\0';
      case Step::quoted:
        if (c == '"') step_ = Step::parameters;
        if (c == '\\') step_ = Step::escaped;
        return c != '\0';
      case Step::escaped:
        step_ = Step::quoted;
        return c != '\0';
    }
    return false;
  }

  // The end of a header.
  constexpr bool finish() noexcept {
    const bool whole = step_ != Step::quoted && step_ != Step::escaped && (step_ != Step::name || end_name());
    step_ = Step::before;
    any_ = true;
    return whole;
  }

 private:
  enum class Step : std::uint8_t { before, name, after, parameters, quoted, escaped };
  static constexpr std::string_view kChunked = "chunked";

  constexpr bool start(char c) noexcept {
    step_ = Step::name;
    match_ = {};
    match_.take(token(c), kChunked);
    return true;
  }

  // False for `chunked` a second time.
  constexpr bool end_name() noexcept {
    const bool chunked = match_.complete(kChunked);
    const bool again = chunked && some_chunked_;
    codings_ = true;
    last_chunked_ = chunked;
    some_chunked_ |= chunked;
    step_ = Step::after;
    return !again;
  }

  // Behind a name: blanks, a comma, or parameters, of which `chunked` has none.
  constexpr bool delimit(char c) noexcept {
    if (c == ',') step_ = Step::before;
    if (c == ';') step_ = Step::parameters;
    return is_blank(c) || c == ',' || (c == ';' && !last_chunked_);
  }

  Step step_ = Step::before;
  Match match_;
  bool any_ = false;
  bool codings_ = false;
  bool last_chunked_ = false;
  bool some_chunked_ = false;
};

// Connection: is `close` or `keep-alive` among the options? What else stands there does not matter.
class OptionsValue {
 public:
  constexpr bool close() const noexcept { return close_; }
  constexpr bool keep_alive() const noexcept { return keep_alive_; }

  constexpr bool take(char c) noexcept {
    if (const char lower = token(c); lower != 0) {
      if (step_ == Step::before) start(lower);
      // A second word makes the option none that is known.
      match_.take(step_ == Step::after ? '\0' : lower, word());
      return true;
    }
    if (c == ',') return finish();
    if (!is_blank(c)) match_.take('\0', word());
    if (step_ == Step::within || !is_blank(c)) step_ = Step::after;
    return c != '\0';
  }

  // The end of an option, by a comma or by the end of the header.
  constexpr bool finish() noexcept {
    if (match_.complete(word())) (keeping_ ? keep_alive_ : close_) = true;
    match_ = {};
    step_ = Step::before;
    return true;
  }

 private:
  enum class Step : std::uint8_t { before, within, after };

  constexpr std::string_view word() const noexcept { return keeping_ ? "keep-alive" : "close"; }
  constexpr void start(char lower) noexcept {
    keeping_ = lower == 'k';
    step_ = Step::within;
  }

  Step step_ = Step::before;
  Match match_;
  bool keeping_ = false;
  bool close_ = false;
  bool keep_alive_ = false;
};

}  // namespace seawall::http
