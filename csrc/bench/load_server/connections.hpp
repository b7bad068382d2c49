// Connections of the server: where one request ends and the next begins, and the answers to them.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::bench {

inline constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Counts the heads of requests without a body in a stream that may be cut anywhere.
class Heads {
 public:
  unsigned read(const char* bytes, std::size_t n) noexcept {
    unsigned ended = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (bytes[i] == kEnd[matched_]) {
        if (++matched_ == kEnd.size()) ++ended, matched_ = 0;
      } else {
        matched_ = bytes[i] == kEnd[0] ? 1 : 0;
      }
    }
    return ended;
  }

 private:
  static constexpr std::string_view kEnd = "\r\n\r\n";
  std::uint8_t matched_ = 0;
};

struct Connection {
  Heads heads;
  std::uint32_t life = 0;  // grows when the file number is used again, so that a late answer finds its own connection
  bool open = false;
};

// Connections by file number.
class Connections {
 public:
  std::uint64_t opened = 0;

  Connection& operator[](int fd) { return all_[static_cast<std::size_t>(fd)]; }

  void open(int fd) {
    if (static_cast<std::size_t>(fd) >= all_.size()) all_.resize(static_cast<std::size_t>(fd) * 2 + 1);
    auto& made = (*this)[fd];
    made = {Heads{}, made.life + 1, true};
    ++opened;
  }
  void close(int fd) {
    (*this)[fd].open = false;
    ::close(fd);
  }
  // The answers are small: one that does not fit into an empty socket buffer means that nobody reads.
  void answer(int fd, std::uint32_t life, unsigned times) {
    if (!(*this)[fd].open || (*this)[fd].life != life) return;
    const std::string_view bytes = times == 1 ? kAnswer : repeated(times);
    if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) close(fd);
  }

 private:
  std::string_view repeated(unsigned times) {
    many_.clear();
    while (times-- > 0) many_ += kAnswer;
    return many_;
  }

  std::vector<Connection> all_;
  std::string many_;
};

}  // namespace seawall::bench
