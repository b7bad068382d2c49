// A real server on loopback whose every connection follows a script.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace seawall::http::testing {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// The server's end of one connection.
class Peer {
 public:
  Peer(int fd, std::atomic<int>& requests) : fd_(fd), requests_(requests) {
    const timeval patience{20, 0};  // a script that waits in vain fails instead of hanging
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Peer() { close(); }
  Peer(const Peer&) = delete;

  // Up to the blank line; nothing where the client closed.
  std::optional<std::string> read_head() {
    std::size_t end;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return std::nullopt;
    }
    return take(end + 4);
  }
  std::optional<std::string> read_bytes(std::size_t n) {
    while (unread_.size() < n) {
      if (!more()) return std::nullopt;
    }
    return take(n);
  }
  // Head and body.
  std::optional<std::string> read_request() {
    auto head = read_head();
    if (!head) return std::nullopt;
    const auto at = head->find("Content-Length: ");
    const auto length = at == std::string::npos ? 0 : std::strtoul(head->c_str() + at + 16, nullptr, 10);
    const auto body = read_bytes(length);
    if (!body) return std::nullopt;
    ++requests_;
    return *head + *body;
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void answer_all(std::string_view response = kOk) {
    while (read_request()) send(response);
  }
  void wait_for_close() {
    while (more()) unread_.clear();
  }
  void half_close() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  bool more() {
    char buffer[65'536];
    const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0) unread_.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  }
  std::string take(std::size_t n) {
    std::string taken = unread_.substr(0, n);
    unread_.erase(0, n);
    return taken;
  }

  int fd_;
  std::atomic<int>& requests_;
  std::string unread_;
};

inline int bound_socket(int family, std::uint16_t& port) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_storage at{};
  at.ss_family = static_cast<sa_family_t>(family);
  socklen_t length = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(at).sin6_addr = in6addr_loopback;
  } else {
    reinterpret_cast<sockaddr_in&>(at).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&at), length) != 0) std::abort();
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length);
  port = ntohs(reinterpret_cast<sockaddr_in&>(at).sin_port);  // at the same place in both families
  return fd;
}

// Runs the script for each connection, in a thread of its own; `n` counts the connections from 0.
class Server {
 public:
  using Script = std::function<void(Peer&, int n)>;

  explicit Server(Script script) : script_(std::move(script)), listener_(bound_socket(AF_INET, port)) {
    if (::listen(listener_, 4'096) != 0) std::abort();
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    for (auto& thread : serving_) thread.join();
  }
  Server(const Server&) = delete;

  std::uint16_t port = 0;
  std::atomic<int> connections{0}, requests{0};

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int n = connections++;
      serving_.emplace_back([this, fd, n] {
        Peer peer(fd, requests);
        script_(peer, n);
      });
    }
  }

  Script script_;
  int listener_;
  std::list<std::thread> serving_;
  std::thread accepting_;
};

}  // namespace seawall::http::testing
