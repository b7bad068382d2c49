// Serialises the rare changes to a segment: creating a slot, replacing a configuration. Never taken on a hot path.
//
// Guarantees: the kernel releases it when its holder dies, however it dies; a forked child never inherits it; a holder
// that is stopped makes others fail after a bounded wait, with its process id. Mechanism: a POSIX record lock excludes
// other processes, a flag tagged with the process id excludes other threads of this one (a child finds its parent's tag
// and takes it over, as the thread that set it does not exist there). Source: fcntl(2).
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <string>

#include "seawall/memory/file.hpp"
#include "seawall/time/monotonic.hpp"

namespace seawall::memory {

inline constexpr std::int64_t kLockPatienceNs = 5'000'000'000;

// One for the process: closing any descriptor of a file drops this process's record locks on it, so opening, closing
// and locking exclude each other.
class ProcessLock {
 public:
  ProcessLock() {
    const std::int64_t deadline = time::monotonic_ns() + 2 * kLockPatienceNs;
    const pid_t me = ::getpid();
    for (;;) {
      pid_t holder = 0;
      if (holder_.compare_exchange_strong(holder, me) ||
          (holder != me && holder_.compare_exchange_strong(holder, me))) {
        return;
      }
      if (time::monotonic_ns() > deadline) {
        throw Fault(
            "another thread of this process has been changing a segment for 10 s; is it stopped in a debugger?");
      }
      pause();
    }
  }
  ~ProcessLock() { holder_.store(0); }
  ProcessLock(const ProcessLock&) = delete;
  ProcessLock& operator=(const ProcessLock&) = delete;

  static void pause() noexcept {
    const std::timespec nap{0, 100'000};
    ::nanosleep(&nap, nullptr);
  }

 private:
  static inline std::atomic<pid_t> holder_{0};
};

// Taken inside a ProcessLock, always: record locks do not exclude threads.
class FileLock {
 public:
  FileLock(const ProcessLock&, const Descriptor& fd, const std::string& path) : fd_(fd.get()) {
    const std::int64_t deadline = time::monotonic_ns() + kLockPatienceNs;
    struct flock lock = whole(F_WRLCK);
    while (::fcntl(fd_, F_SETLK, &lock) != 0) {
      if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
        fail("cannot lock segment file " + path, errno);
      }
      if (time::monotonic_ns() > deadline) {
        struct flock who = whole(F_WRLCK);
        ::fcntl(fd_, F_GETLK, &who);
        throw Fault("segment file " + path + " has been locked by process " + std::to_string(who.l_pid) +
                    " for 5 s; is it stopped? Its limits go on working, only changes wait");
      }
      ProcessLock::pause();
    }
  }
  ~FileLock() {
    struct flock lock = whole(F_UNLCK);
    ::fcntl(fd_, F_SETLK, &lock);
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  static struct flock whole(short type) noexcept {
    struct flock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
  }

  int fd_;
};

}  // namespace seawall::memory
