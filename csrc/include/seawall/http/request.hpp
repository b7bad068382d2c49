// A request as the bytes that go over the wire, rendered once and sent many times.
//
// Guarantees: no method, target, host or header can end its line early, so nothing given by a user becomes a second
// header or request; a body always goes with the one Content-Length that is true. Pure functions, any thread.
// Source: RFC 9112 (3, 5), RFC 9110 (5.5, 7.2, 8.6, 9.2.2, 10.1.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/http/text.hpp"

namespace seawall::http {

struct Header {
  std::string name;
  std::string value;
};

// What is asked for. Headers go out in their order, after Host and User-Agent unless they are among them.
struct Ask {
  std::string method = "GET";
  std::string host;  // a name, an IPv4 address, or an IPv6 address with or without brackets
  std::uint16_t port = 80;
  bool tls = false;
  std::string target = "/";  // path and query, percent-encoded
  std::vector<Header> headers;
  std::optional<std::string> body;
  std::string agent = "seawall";  // User-Agent; empty: none
};

struct Request {
  std::string bytes;
  std::size_t head = 0;  // bytes before the body
  bool to_head = false;  // the response will have no body
  bool idempotent = false;
  bool expects_continue = false;  // the body waits for 100 Continue
  bool closes = false;            // asks the server to close the connection after the response
};

// A request, or why there is none.
struct Rendered {
  Request request;
  std::string problem;

  explicit operator bool() const noexcept { return problem.empty(); }
};

namespace detail {

// For messages: short, and without the characters that were refused.
inline std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 60;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "'";
  for (const char c : text.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
  }
  return out.append(text.size() > kMost ? "...'" : "'");
}

constexpr bool is_visible(char c) noexcept { return c > 0x20 && c < 0x7f; }

inline bool is_value(std::string_view text) noexcept {
  for (const char c : text) {
    if ((is_control(c) && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

inline std::string_view without_brackets(std::string_view host) noexcept {
  const bool both = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return both ? host.substr(1, host.size() - 2) : host;
}

inline bool is_name(std::string_view host) noexcept {
  for (const char c : host) {
    if (!is_visible(c) || std::string_view("\"#/:<>?@[\\]^`{|}").find(c) != std::string_view::npos) return false;
  }
  return !host.empty();
}

// The characters of an IPv6 address, behind a % those of a zone: enough to tell it from a name with a port.
inline bool is_address(std::string_view host) noexcept {
  const std::string_view address = host.substr(0, host.find('%'));
  const bool colons = address.find(':') != address.rfind(':');
  return colons && address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos &&
         (address.size() == host.size() || is_name(host.substr(address.size() + 1)));
}

inline bool is_host(std::string_view host) noexcept {
  const std::string_view inner = without_brackets(host);
  return is_address(inner) || (inner.size() == host.size() && is_name(host));
}

inline bool is_target(const Ask& ask) noexcept {
  for (const char c : ask.target) {
    if (!is_visible(c) || c == '#') return false;
  }
  return ask.target.starts_with('/') || (ask.target == "*" && ask.method == "OPTIONS");
}

inline const Header* find(const Ask& ask, std::string_view lower) noexcept {
  for (const auto& header : ask.headers) {
    if (same_name(header.name, lower)) return &header;
  }
  return nullptr;
}

inline std::size_t count(const Ask& ask, std::string_view lower) noexcept {
  std::size_t n = 0;
  for (const auto& header : ask.headers) n += same_name(header.name, lower);
  return n;
}

// Is the word among those of all the headers of that name?
inline bool lists(const Ask& ask, std::string_view name, std::string_view word) noexcept {
  for (const auto& header : ask.headers) {
    if (!same_name(header.name, name)) continue;
    for (std::string_view rest = header.value; !rest.empty();) {
      std::string_view item = rest.substr(0, rest.find(','));
      rest.remove_prefix(item.size() == rest.size() ? item.size() : item.size() + 1);
      while (!item.empty() && is_blank(item.front())) item.remove_prefix(1);
      while (!item.empty() && is_blank(item.back())) item.remove_suffix(1);
      if (is_token(item) && same_name(item, word)) return true;
    }
  }
  return false;
}

inline bool one_of(std::string_view word, std::initializer_list<std::string_view> words) noexcept {
  for (const auto& each : words) {
    if (word == each) return true;
  }
  return false;
}

inline std::size_t length_of(const Ask& ask) noexcept { return ask.body ? ask.body->size() : 0; }

inline std::string header_problem(const Header& header) {
  if (!is_token(header.name)) {
    return "header name must be letters, digits and any of !#$%&'*+-.^_`|~, got " + shown(header.name);
  }
  if (!is_value(header.value)) {
    return "header " + header.name + " must be one line without control characters, got " + shown(header.value);
  }
  if (same_name(header.name, "transfer-encoding")) {
    return "header Transfer-Encoding cannot be set: a body is sent whole, with Content-Length";
  }
  return {};
}

inline std::string headers_problem(const Ask& ask) {
  for (const auto& header : ask.headers) {
    if (auto problem = header_problem(header); !problem.empty()) return problem;
  }
  for (const std::string_view name : {"host", "content-length"}) {
    if (count(ask, name) > 1) {
      return "header " + find(ask, name)->name + " must be given once, got " + std::to_string(count(ask, name)) +
             " of them";
    }
  }
  const std::string length = std::to_string(length_of(ask));
  if (const auto* given = find(ask, "content-length"); given != nullptr && given->value != length) {
    return "header Content-Length must be the length of the body, " + length + ", got " + shown(given->value) +
           "; leave it out to have it set";
  }
  if (length_of(ask) == 0 && lists(ask, "expect", "100-continue")) {
    return "header Expect: 100-continue needs a body to wait with, got none";
  }
  return {};
}

}  // namespace detail

// Why an Ask cannot be rendered; empty where it can.
inline std::string problem_of(const Ask& ask) {
  using detail::shown;
  if (!is_token(ask.method)) return "method must be one word like GET, got " + shown(ask.method);
  if (ask.method == "CONNECT") return "method must be one that gets a response, got 'CONNECT', which opens a tunnel";
  if (!detail::is_host(ask.host)) {
    return "host must be a name or an address without a port, got " + shown(ask.host);
  }
  if (ask.port == 0) return "port must be between 1 and 65,535, got 0";
  if (!detail::is_target(ask)) {
    return "target must begin with / and have no blanks, control characters or fragment, got " + shown(ask.target) +
           "; percent-encode what else is meant";
  }
  if (!detail::is_value(ask.agent)) {
    return "agent must be one line without control characters, got " + shown(ask.agent);
  }
  if (ask.method == "TRACE" && detail::length_of(ask) != 0) {
    return "body must be empty for TRACE, got " + std::to_string(detail::length_of(ask)) + " bytes";
  }
  return detail::headers_problem(ask);
}

// The value of Host: the port only where it is not the scheme's own, an IPv6 address in brackets and without its zone.
inline std::string host_of(const Ask& ask) {
  std::string_view host = detail::without_brackets(ask.host);
  const bool six = host.find(':') != std::string_view::npos;
  if (six) host = host.substr(0, host.find('%'));
  std::string out(six ? "[" : "");
  out.append(host).append(six ? "]" : "");
  if (ask.port != (ask.tls ? 443 : 80)) out.append(":").append(std::to_string(ask.port));
  return out;
}

namespace detail {

inline std::string head_of(const Ask& ask) {
  std::string out = ask.method + " " + ask.target + " HTTP/1.1\r\n";
  const auto add = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  if (find(ask, "host") == nullptr) add("Host", host_of(ask));
  if (find(ask, "user-agent") == nullptr && !ask.agent.empty()) add("User-Agent", ask.agent);
  for (const auto& header : ask.headers) add(header.name, header.value);
  // Methods whose requests are expected to have a body say that it is empty (RFC 9110 8.6).
  const bool announced = ask.body.has_value() || one_of(ask.method, {"POST", "PUT", "PATCH"});
  if (announced && find(ask, "content-length") == nullptr) add("Content-Length", std::to_string(length_of(ask)));
  return out.append("\r\n");
}

}  // namespace detail

inline Rendered render(const Ask& ask) {
  Rendered out;
  out.problem = problem_of(ask);
  if (!out) return out;
  Request& request = out.request;
  request.bytes = detail::head_of(ask);
  request.head = request.bytes.size();
  if (ask.body) request.bytes += *ask.body;
  request.to_head = ask.method == "HEAD";
  request.idempotent = detail::one_of(ask.method, {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"});
  request.expects_continue = detail::lists(ask, "expect", "100-continue");
  request.closes = detail::lists(ask, "connection", "close");
  return out;
}

}  // namespace seawall::http
