// The system calls on one connection, and what their errors say about the end of a request.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "seawall/load/outcome.hpp"

namespace seawall::http {

// The end of a request whose connection could not be made.
inline load::Code code_of_connect(int error) noexcept {
  switch (error) {
    case ECONNREFUSED:
      return load::kRefused;
    case ETIMEDOUT:
      return load::kConnectTimeout;
    case EMFILE:
    case ENFILE:
      return load::kNoFiles;
    default:
      return load::kUnreachable;
  }
}

// The end of a request that broke before the first byte of its response; 0 is an orderly end of the stream.
inline load::Code code_of_break(int error) noexcept {
  switch (error) {
    case 0:
    case EPIPE:
      return load::kDisconnected;
    case ETIMEDOUT:
      return load::kTimeout;
    case EHOSTUNREACH:
    case ENETUNREACH:
      return load::kUnreachable;
    default:
      return load::kReset;
  }
}

inline bool try_again(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// A socket on its way to `at`, or -1 with errno set.
inline int begin_connect(const sockaddr* at, socklen_t length) noexcept {
  const int fd = ::socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd, at, length) == 0 || errno == EINPROGRESS) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

// How the connection attempt ended: 0, or its error.
inline int connect_error(int fd) noexcept {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

}  // namespace seawall::http
