// A server that answers every GET alike, as fast as one thread can or after a delay, and stalls once when told to.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>

#include "connections.hpp"
#include "time.hpp"

namespace seawall::bench {

class Server {
 public:
  explicit Server(Ns delay) : delay_(delay), epoll_(::epoll_create1(EPOLL_CLOEXEC)), listener_(listen()) {
    watch(listener_);
    watch(STDIN_FILENO);
  }
  Server(const Server&) = delete;

  std::uint16_t port() const noexcept { return port_; }

  // From the first request on after this call: everything stands still `after` later, for `length`.
  void stall(Ns after, Ns length) noexcept {
    stall_after_ = after, stall_length_ = length, first_ = 0;
    stalls_ = true;
  }
  void reset() noexcept { requests_ = connections_.opened = most_waiting_ = 0, stalled_from_ = stalled_for_ = 0; }

  // One line of JSON; times in seconds, the stall's beginning since the first request after `stall`.
  void tell() const {
    std::printf(
        "{\"requests\": %llu, \"connections\": %llu, \"most_waiting\": %llu, \"cpu\": %.6f, \"stalled_from\": %.6f, "
        "\"stalled_for\": %.6f}\n",
        static_cast<unsigned long long>(requests_), static_cast<unsigned long long>(connections_.opened),
        static_cast<unsigned long long>(most_waiting_), seconds(used()), seconds(stalled_from_), seconds(stalled_for_));
    std::fflush(stdout);
  }

  // Serves until `command` says that there is nobody to serve for any more; it is called when standard input can be
  // read.
  template <class Command>
  void run(Command command) {
    epoll_event events[512];
    for (;;) {
      const int n = ::epoll_wait(epoll_, events, 512, patience());
      if (n < 0 && errno != EINTR) std::abort();
      for (int i = 0; i < n; ++i) {
        const int fd = events[i].data.fd;
        if (fd == STDIN_FILENO) {
          if (!command()) return;
        } else if (fd == listener_) {
          accept_all();
        } else {
          read(fd);
        }
      }
      answer_due();
      stall_if_due();
    }
  }

 private:
  struct Waiting {
    Ns due;
    int fd;
    std::uint32_t life;
    unsigned times;
  };

  int listen() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&at), length) != 0 || ::listen(fd, 16'384) != 0) std::abort();
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length);
    port_ = ntohs(at.sin_port);
    return fd;
  }
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) std::abort();
  }
  void accept_all() {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      connections_.open(fd);
      watch(fd);
    }
  }
  void read(int fd) {
    char buffer[16'384];
    const auto n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return connections_.close(fd);
    auto& connection = connections_[fd];
    const unsigned asked = connection.heads.read(buffer, static_cast<std::size_t>(n));
    if (asked == 0) return;
    requests_ += asked;
    if (stalls_ && first_ == 0) first_ = now();
    if (delay_ == 0) return connections_.answer(fd, connection.life, asked);
    waiting_.push_back({now() + delay_, fd, connection.life, asked});
    most_waiting_ = std::max<std::uint64_t>(most_waiting_, waiting_.size());
  }
  void answer_due() {
    while (!waiting_.empty() && waiting_.front().due <= now()) {
      const auto next = waiting_.front();
      waiting_.pop_front();
      connections_.answer(next.fd, next.life, next.times);
    }
  }
  void stall_if_due() {
    if (!stalls_ || first_ == 0 || now() < first_ + stall_after_) return;
    stalls_ = false;
    const Ns began = now();
    sleep(stall_length_);
    stalled_from_ = began - first_, stalled_for_ = now() - began;
  }
  int patience() const {
    Ns until = kNever;
    if (!waiting_.empty()) until = waiting_.front().due;
    if (stalls_ && first_ != 0) until = std::min(until, first_ + stall_after_);
    return until == kNever ? -1 : static_cast<int>(std::max<Ns>((until - now() + 999'999) / 1'000'000, 0));
  }

  Ns delay_;
  int epoll_;
  std::uint16_t port_ = 0;
  int listener_;
  Connections connections_;
  std::deque<Waiting> waiting_;  // all wait equally long, so the first come is the first to be answered
  std::uint64_t requests_ = 0, most_waiting_ = 0;
  bool stalls_ = false;
  Ns first_ = 0, stall_after_ = 0, stall_length_ = 0, stalled_from_ = 0, stalled_for_ = 0;
};

}  // namespace seawall::bench
