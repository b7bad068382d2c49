// The file under a segment: created whole or not at all, owned by one user, its space reserved.
//
// A new file is prepared without a name and linked into place when it is complete, so nobody ever meets half a segment.
// Errors are Fault with the whole story. Source: open(2) O_TMPFILE, posix_fallocate(3), fcntl(2) record locks.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#ifdef __APPLE__
#include <sys/sysctl.h>
#include <sys/time.h>
#endif

namespace seawall::memory {

struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] inline void fail(const std::string& what, int error) { throw Fault(what + ": " + std::strerror(error)); }

// Which start of the machine this is: state kept over a reboot would carry times of another clock.
inline std::array<std::uint64_t, 2> boot_id() {
  std::array<std::uint64_t, 2> id{};
#ifdef __APPLE__
  timeval boot{};
  std::size_t size = sizeof boot;
  if (::sysctlbyname("kern.boottime", &boot, &size, nullptr, 0) == 0) {
    id = {static_cast<std::uint64_t>(boot.tv_sec), static_cast<std::uint64_t>(boot.tv_usec)};
  }
#else
  if (std::FILE* file = std::fopen("/proc/sys/kernel/random/boot_id", "re")) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    unsigned long long e = 0;
    if (std::fscanf(file, "%8x-%4x-%4x-%4x-%12llx", &a, &b, &c, &d, &e) == 5) {
      id = {std::uint64_t{a} << 32 | b << 16 | c, std::uint64_t{d} << 48 | e};
    }
    std::fclose(file);
  }
#endif
  return id;
}

// An open file descriptor with an owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

inline void reserve_space(int fd, const std::string& path, std::uint64_t size) {
#ifdef __APPLE__
  fstore_t store{F_ALLOCATECONTIG | F_ALLOCATEALL, F_PEOFPOSMODE, 0, static_cast<off_t>(size), 0};
  if (::fcntl(fd, F_PREALLOCATE, &store) != 0) {
    fail("cannot reserve " + std::to_string(size) + " bytes for segment file " + path, errno);
  }
  const int error = ::ftruncate(fd, static_cast<off_t>(size)) == 0 ? 0 : errno;
#else
  const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
#endif
  if (error != 0) {
    fail("cannot reserve " + std::to_string(size) + " bytes for segment file " + path +
             "; ask for a smaller size, free space there, or name another file",
         error);
  }
}

// A writable file of `size` zero bytes that has no name yet, or only a temporary one (returned in `temporary`).
inline Descriptor prepare_file(const std::string& path, std::uint64_t size, std::string& temporary) {
  const std::string directory = path.substr(0, path.find_last_of('/') + 1);
#ifdef O_TMPFILE
  Descriptor fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
    fail("cannot create segment file " + path, errno);
  }
#else
  Descriptor fd;
#endif
  if (!fd) {
    temporary = path + ".new." + std::to_string(::getpid());
    ::unlink(temporary.c_str());
    fd = Descriptor(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) {
      fail("cannot create segment file " + path, errno);
    }
  }
  if (::fchmod(fd.get(), 0600) != 0) {  // whatever the umask took away
    fail("cannot set the mode of segment file " + path, errno);
  }
  reserve_space(fd.get(), path, size);
  return fd;
}

// Gives a prepared file its name; false when somebody else was first.
inline bool link_file(const Descriptor& fd, const std::string& temporary, const std::string& path) {
  int done;
  if (temporary.empty()) {
    const std::string self = "/proc/self/fd/" + std::to_string(fd.get());
    done = ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW);
  } else {
    done = ::link(temporary.c_str(), path.c_str());
  }
  const int error = errno;
  if (!temporary.empty()) {
    ::unlink(temporary.c_str());
  }
  if (done != 0 && error != EEXIST) {
    fail("cannot name segment file " + path, error);
  }
  return done == 0;
}

// Opens an existing segment file of this user; an empty descriptor when there is none.
inline Descriptor open_file(const std::string& path, std::uint64_t& size) {
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT) {
      return fd;
    }
    if (errno == EACCES || errno == EPERM) {
      throw Fault("segment file " + path + " belongs to another user; choose another name or path");
    }
    fail("cannot open segment file " + path, errno);
  }
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) {
    fail("cannot examine segment file " + path, errno);
  }
  if (!S_ISREG(info.st_mode)) {
    throw Fault("segment path " + path + " is not a regular file; choose another name or path");
  }
  if (info.st_uid != ::geteuid()) {
    throw Fault("segment file " + path + " belongs to user " + std::to_string(info.st_uid) + ", not to " +
                std::to_string(::geteuid()) + "; choose another name or path");
  }
  if ((info.st_mode & 077) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", info.st_mode & 07777u);
    throw Fault("segment file " + path + " has mode " + mode + ", so others could change it; it must be 0600");
  }
  size = static_cast<std::uint64_t>(info.st_size);
  return fd;
}

// Whether `path` still names the file behind the descriptor.
inline bool names(const std::string& path, const Descriptor& fd) {
  struct stat by_name, by_fd;
  return ::lstat(path.c_str(), &by_name) == 0 && ::fstat(fd.get(), &by_fd) == 0 && by_name.st_ino == by_fd.st_ino &&
         by_name.st_dev == by_fd.st_dev;
}

}  // namespace seawall::memory
