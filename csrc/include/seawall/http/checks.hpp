// What an answer must be for a load test to count it as good: its status, what its body contains, how long it is.
//
// Checks are shared and never change; Checking is the place of one response within them, a few bytes. Guarantees: the
// verdict is the same however the body is cut into pieces. Mechanism: Knuth, Morris and Pratt's search, whose state is
// one number, so that no byte is kept; between candidates memchr looks for the first byte. Bodies are compared as
// they come, after chunked and before any content coding: a gzipped page contains no text. Thread safety: any number
// of threads over one Checks, one over a Checking. Cost: none without `contains`; else up to 2 ns a byte.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "seawall/load/outcome.hpp"

namespace seawall::http {

inline constexpr std::size_t kLongestNeedle = 1 << 20;  // bytes

// A set of statuses, 100 to 599.
class Statuses {
 public:
  // first <= status < end.
  static Statuses between(int first, int end) noexcept {
    Statuses out;
    for (int status = first; status < end; ++status) out.add(status);
    return out;
  }

  // False for what is no status.
  bool add(int status) noexcept {
    if (!is_status(status)) return false;
    bits_.set(static_cast<std::size_t>(status - load::kFirstStatus));
    return true;
  }
  bool has(int status) const noexcept {
    return is_status(status) && bits_[static_cast<std::size_t>(status - load::kFirstStatus)];
  }
  bool empty() const noexcept { return bits_.none(); }

 private:
  static constexpr bool is_status(int status) noexcept {
    return status >= load::kFirstStatus && status < load::kFirstNamed;
  }

  std::bitset<load::kFirstNamed - load::kFirstStatus> bits_;
};

// A text to be found in bytes that come in pieces.
class Needle {
 public:
  Needle() = default;
  explicit Needle(std::string text) : text_(std::move(text)), fallback_(text_.size()) {
    for (std::size_t i = 1, matched = 0; i < text_.size(); ++i) {
      while (matched != 0 && text_[i] != text_[matched]) matched = fallback_[matched - 1];
      if (text_[i] == text_[matched]) ++matched;
      fallback_[i] = static_cast<std::uint32_t>(matched);
    }
  }

  std::string_view text() const noexcept { return text_; }

  // How many bytes of the needle the haystack so far ends with, `matched` before this piece; all of them once found.
  std::uint32_t advance(std::uint32_t matched, std::string_view piece) const noexcept {
    const char* at = piece.data();
    const char* const end = at + piece.size();
    while (at != end && matched != text_.size()) {
      if (matched == 0) {
        at = static_cast<const char*>(std::memchr(at, text_[0], static_cast<std::size_t>(end - at)));
        if (at == nullptr) return 0;
        matched = 1;
      } else {
        while (matched != 0 && *at != text_[matched]) matched = fallback_[matched - 1];
        if (*at == text_[matched]) ++matched;
      }
      ++at;
    }
    return matched;
  }

 private:
  std::string text_;
  std::vector<std::uint32_t> fallback_;  // of each beginning: its longest end that is a shorter beginning
};

struct Checks {
  Statuses accepted = Statuses::between(100, 400);
  Needle contains;  // empty: anything
  std::uint64_t least = 0;
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();  // bytes of the decoded body
};

// What a Checking takes for granted.
inline bool valid(const Checks& checks) noexcept {
  return !checks.accepted.empty() && checks.contains.text().size() <= kLongestNeedle && checks.least <= checks.most;
}

// A response to HEAD has no body: only its status can pass a test of what is in one.
class Checking {
 public:
  void begin() noexcept { *this = {}; }

  void piece(const Checks& checks, std::string_view piece) noexcept {
    size_ += piece.size();
    matched_ = checks.contains.advance(matched_, piece);
  }

  // The status, or the first check that failed.
  load::Code verdict(const Checks& checks, int status) const noexcept {
    if (!checks.accepted.has(status)) return load::kWrongStatus;
    if (matched_ != checks.contains.text().size()) return load::kWrongBody;
    if (size_ < checks.least || size_ > checks.most) return load::kWrongSize;
    return static_cast<load::Code>(status);
  }

 private:
  std::uint64_t size_ = 0;
  std::uint32_t matched_ = 0;
};

}  // namespace seawall::http
