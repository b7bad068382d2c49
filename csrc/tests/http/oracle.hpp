// The slow, obvious reader of responses: it has all bytes before it begins, splits them into lines and the lines into
// words, and knows nothing of states. What ResponseParser says must be what this says.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "seawall/http/fault.hpp"

namespace oracle {

using std::string;
using std::string_view;
using Fields = std::vector<std::pair<string, string>>;  // names in lower case, values with folds undone

struct Answer {
  bool good = false;
  int status = 0;
  string body;
  std::size_t consumed = 0;
  bool keep_alive = false;
  bool continued = false;
};

inline string lower(string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

inline bool only(string_view text, string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == string_view::npos;
}

inline bool is_token(string_view text) {
  return only(lower(string(text)), "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");
}

inline string trim(string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == string_view::npos ? "" : string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

// By commas that stand in no quoted string; nothing where a quoted string does not end.
inline std::optional<std::vector<string>> split(string_view text, bool quotes) {
  std::vector<string> items(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',' && !quoted) {
      items.emplace_back();
      continue;
    }
    if (text[i] == '"' && quotes) quoted = !quoted;
    items.back() += text[i];
    if (text[i] == '\\' && quoted) {
      if (++i == text.size()) return std::nullopt;
      items.back() += text[i];
    }
  }
  if (quoted) return std::nullopt;
  for (auto& item : items) item = trim(item);
  return items;
}

// The digits without zeros in front, so that numbers of any length can be compared.
inline string significant(string_view digits) {
  const auto first = digits.find_first_not_of('0');
  return first == string_view::npos ? "0" : string(digits.substr(first));
}

class Reader {
 public:
  Reader(string_view input, bool to_head, const seawall::http::Bounds& bounds)
      : input_(input), rest_(input), to_head_(to_head), bounds_(bounds) {}

  Answer read() {
    bool good = head();
    for (std::uint32_t interims = 0; good && answer_.status < 200 && answer_.status != 101;) {
      answer_.continued |= answer_.status == 100;
      good = ++interims <= bounds_.interims && head();
    }
    answer_.good = good && body();
    answer_.consumed = input_.size() - rest_.size();
    return answer_;
  }

 private:
  std::optional<string> line(bool bare_allowed) {
    const auto end = rest_.find('\n');
    if (end == string_view::npos) return std::nullopt;
    string out(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    const bool pair = !out.empty() && out.back() == '\r';
    if (pair) out.pop_back();
    if ((!pair && !bare_allowed) || out.find('\r') != string::npos || out.find('\0') != string::npos) return {};
    return out;
  }

  bool head() {
    const auto before = rest_.size();
    const auto status = line(true);
    if (!status || !status_line(*status) || !fields() || fields_.size() > bounds_.headers) return false;
    return before - rest_.size() <= bounds_.head && codings() && length() && options();
  }

  bool status_line(const string& text) {
    if (text.size() < 12 || text.substr(0, 7) != "HTTP/1." || text[8] != ' ') return false;
    if (!only(text.substr(7, 1) + text.substr(9, 3), "0123456789") || text[9] < '1' || text[9] > '5') return false;
    minor_ = text[7] - '0';
    answer_.status = std::stoi(text.substr(9, 3));
    return text.size() == 12 || text[12] == ' ';
  }

  bool fields() {
    fields_.clear();
    for (;;) {
      const auto text = line(true);
      if (!text || text->empty()) return text.has_value();
      if (text->front() == ' ' || text->front() == '\t') {
        if (fields_.empty()) return false;
        fields_.back().second += *text;
        continue;
      }
      const auto colon = text->find(':');
      if (colon == string::npos || !is_token(text->substr(0, colon))) return false;
      fields_.emplace_back(lower(text->substr(0, colon)), text->substr(colon + 1));
    }
  }

  bool codings() {
    codings_.clear();
    encoded_ = false;
    for (const auto& [name, value] : fields_) {
      if (name != "transfer-encoding") continue;
      encoded_ = true;
      const auto items = split(value, true);
      if (!items) return false;
      for (const auto& item : *items) {
        if (item.empty()) continue;
        const string coding = lower(trim(item.substr(0, item.find(';'))));
        if (!is_token(coding) || (coding == "chunked" && item.find(';') != string::npos)) return false;
        for (const auto& other : codings_) {
          if (coding == "chunked" && other == "chunked") return false;
        }
        codings_.push_back(coding);
      }
    }
    return !encoded_ || (!codings_.empty() && minor_ != 0);
  }

  bool length() {
    length_.reset();
    for (const auto& [name, value] : fields_) {
      if (name != "content-length") continue;
      const auto items = split(value, false);
      for (const auto& item : *items) {
        if (!only(item, "0123456789") || (length_ && *length_ != significant(item))) return false;
        length_ = significant(item);
      }
    }
    const string most = "18446744073709551615";
    const bool fits = !length_ || length_->size() < most.size() || (length_->size() == most.size() && *length_ <= most);
    return fits && !(length_ && encoded_);
  }

  bool options() {
    bool close = false, keep = false;
    for (const auto& [name, value] : fields_) {
      if (name != "connection") continue;
      const auto items = split(value, false);
      for (const auto& item : *items) {
        close |= lower(item) == "close";
        keep |= lower(item) == "keep-alive";
      }
    }
    answer_.keep_alive = !close && (minor_ != 0 || keep);
    return true;
  }

  bool body() {
    const int status = answer_.status;
    if (status == 101) answer_.keep_alive = false;
    if (to_head_ || status == 101 || status == 204 || status == 304) return true;
    if (encoded_ && codings_.back() == "chunked") return chunks();
    if (length_) return length_->size() < 19 && take(std::stoull(*length_));
    answer_.keep_alive = false;
    return take(rest_.size());
  }

  bool take(std::size_t size) {
    if (size > rest_.size()) return false;
    answer_.body += rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  bool chunks() {
    for (;;) {
      const auto text = line(false);
      if (!text || text->size() + 2 > bounds_.chunk_line) return false;
      const auto digits = text->substr(0, text->find_first_not_of("0123456789abcdefABCDEF"));
      const string after = trim(text->substr(digits.size()));
      if (digits.empty() || (!after.empty() && after.front() != ';') || significant(digits).size() > 15) return false;
      const auto size = std::stoull(digits, nullptr, 16);
      if (size == 0) break;
      if (!take(size) || rest_.substr(0, 2) != "\r\n") return false;
      rest_.remove_prefix(2);
    }
    const auto before = rest_.size();
    return fields() && before - rest_.size() <= bounds_.trailers;
  }

  string_view input_, rest_;
  bool to_head_;
  seawall::http::Bounds bounds_;
  int minor_ = 0;
  Fields fields_;
  bool encoded_ = false;
  std::vector<string> codings_;
  std::optional<string> length_;
  Answer answer_;
};

inline Answer read(string_view input, bool to_head, const seawall::http::Bounds& bounds) {
  return Reader(input, to_head, bounds).read();
}

}  // namespace oracle
