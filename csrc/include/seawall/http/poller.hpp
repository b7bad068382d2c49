// Waits for the sockets of one thread, for a bell that others ring, and for a moment given in nanoseconds.
//
// Thread safety: ring() from any thread, the rest from the owner. Mechanism: a level-triggered epoll and an eventfd;
// waits are epoll_pwait2 (Linux 5.11), or else a timerfd. The kernel may wake a thread 50 us late by default to save
// power: sharpen() asks it not to. Cost: one system call a wait.
#pragma once

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>
#include <system_error>

#include "seawall/http/schedule.hpp"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441  // the same on every architecture
#endif

namespace seawall::http {

// A file that closes itself.
class File {
 public:
  explicit File(int fd) : fd_(fd) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "a load thread could not be set up");
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

class Poller {
 public:
  static constexpr std::uint64_t kOwn = ~std::uint64_t{0};  // the key of the bell and of the timer

  explicit Poller(bool precise)
      : precise_(precise),
        poll_(::epoll_create1(EPOLL_CLOEXEC)),
        bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    if (!add(bell_.get(), EPOLLIN, kOwn) || !add(timer_.get(), EPOLLIN, kOwn)) {
      throw std::system_error(errno, std::generic_category(), "a load thread could not be set up");
    }
  }

  static void sharpen() noexcept { ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

  bool add(int fd, std::uint32_t events, std::uint64_t key) noexcept { return control(EPOLL_CTL_ADD, fd, events, key); }
  void change(int fd, std::uint32_t events, std::uint64_t key) noexcept { control(EPOLL_CTL_MOD, fd, events, key); }

  void ring() noexcept {
    const std::uint64_t one = 1;
    // A full counter has been rung already.
    [[maybe_unused]] const auto done = ::write(bell_.get(), &one, sizeof one);
  }

  // What is ready, after at most `wait` nanoseconds (kNever: any time). Bell and timer are drained, not reported.
  std::span<const epoll_event> wait(Ns wait) noexcept {
    const int n = precise_ ? wait_precisely(wait) : wait_by_timer(wait);
    std::size_t kept = 0;
    for (int i = 0; i < n; ++i) {
      if (events_[static_cast<std::size_t>(i)].data.u64 == kOwn) {
        drain(bell_.get());
        if (!precise_) drain(timer_.get());
      } else {
        events_[kept++] = events_[static_cast<std::size_t>(i)];
      }
    }
    return {events_.data(), kept};
  }

 private:
  static constexpr int kBatch = 32;  // small, so that what is due is started between two batches

  static timespec as_timespec(Ns ns) noexcept { return {ns / 1'000'000'000, ns % 1'000'000'000}; }

  static void drain(int fd) noexcept {
    std::uint64_t rung;
    [[maybe_unused]] const auto done = ::read(fd, &rung, sizeof rung);
  }

  bool control(int what, int fd, std::uint32_t events, std::uint64_t key) noexcept {
    epoll_event event{};
    event.events = events;
    event.data.u64 = key;
    return ::epoll_ctl(poll_.get(), what, fd, &event) == 0;
  }

  int wait_precisely(Ns wait) noexcept {
    const timespec timeout = as_timespec(wait);
    const long n = ::syscall(SYS_epoll_pwait2, poll_.get(), events_.data(), kBatch, wait == kNever ? nullptr : &timeout,
                             nullptr, std::size_t{0});
    // EPERM: some sandboxes answer so to what they do not know.
    if (n < 0 && (errno == ENOSYS || errno == EPERM)) {
      precise_ = false;
      return wait_by_timer(wait);
    }
    return static_cast<int>(n);
  }

  int wait_by_timer(Ns wait) noexcept {
    if (wait > 0) {
      const itimerspec timeout{{}, wait == kNever ? timespec{} : as_timespec(wait)};
      ::timerfd_settime(timer_.get(), 0, &timeout, nullptr);
    }
    return ::epoll_wait(poll_.get(), events_.data(), kBatch, wait > 0 ? -1 : 0);
  }

  bool precise_;
  File poll_, bell_, timer_;
  std::array<epoll_event, kBatch> events_{};
};

}  // namespace seawall::http
