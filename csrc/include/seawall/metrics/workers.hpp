// Which processes live: each has a line of its own in every bank of gauges, which vanishes with it.
//
// Mechanism: a place is a process id and the start of that process, so an id that is used again is another process. A
// process that ended and was not waited for counts as dead. All workers must see each other's ids (one pid namespace).
// Cost: one system call a living worker, two and a read of /proc where the id is taken. Source: proc_pid_stat(5).
#pragma once

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#ifdef __APPLE__
#include <sys/sysctl.h>
#include <sys/types.h>
#endif

namespace seawall::metrics {

// How often this process descends from one that was forked since it loaded this: who remembers the number sees a fork.
inline std::atomic<std::uint32_t> forks{0};
inline void count_forks() noexcept {
  static const int registered = ::pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1); });
  static_cast<void>(registered);
}

// When a process started, in units of the system; 0 where it is dead or cannot be seen.
inline std::uint64_t start_of(pid_t pid) noexcept {
#ifdef __APPLE__
  struct kinfo_proc info;
  std::size_t size = sizeof info;
  int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
  if (::sysctl(name, 4, &info, &size, nullptr, 0) != 0 || size == 0 || info.kp_proc.p_stat == SZOMB) return 0;
  const auto& start = info.kp_proc.p_starttime;
  return static_cast<std::uint64_t>(start.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(start.tv_usec);
#else
  char path[40], text[1024];
  std::snprintf(path, sizeof path, "/proc/%ld/stat", static_cast<long>(pid));
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const auto size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0) return 0;
  text[size] = 0;
  const char* at = std::strrchr(text, ')');  // the name before it may hold anything
  if (at == nullptr || at[1] == 0 || at[2] == 'Z' || at[2] == 'X') return 0;
  ++at;
  for (int field = 3; field <= 22 && at != nullptr; ++field) at = std::strchr(at + 1, ' ');
  // Field 3 follows the first blank, so field 22 follows the twentieth; the loop stands on the one after it.
  if (at == nullptr) return 0;
  while (at > text && at[-1] != ' ') --at;
  return std::strtoull(at, nullptr, 10);
#endif
}

inline bool lives(std::uint64_t pid, std::uint64_t start) noexcept {
  if (pid == 0 || (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH)) return false;
  return start_of(static_cast<pid_t>(pid)) == start;
}

}  // namespace seawall::metrics
