// The connections of one thread: made, written to, read from and closed, without a word about schedules or ends.
//
// Not thread-safe: one loop owns it. Mechanism: non-blocking sockets under one poller, one read buffer for all of
// them. No call blocks, allocates or raises SIGPIPE.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "seawall/http/counters.hpp"
#include "seawall/http/options.hpp"
#include "seawall/http/places.hpp"
#include "seawall/http/poller.hpp"
#include "seawall/http/shared.hpp"
#include "seawall/http/sockets.hpp"

namespace seawall::http {

class Wire {
 public:
  Wire(const Plan& plan, Shared& shared, Counters& counters)
      : plan_(plan), shared_(shared), counters_(counters), poller_(plan.options.precise_waits) {}

  Poller& poller() noexcept { return poller_; }

  static std::uint64_t key_of(const Place& place, Index i) noexcept {
    return std::uint64_t{place.generation} << 32 | i;
  }

  // From the address that was good last; the others follow in their order.
  void aim(Place& place) noexcept {
    place.address = shared_.good.load(std::memory_order_relaxed);  // relaxed: a hint
    place.tried = 0;
  }

  // Begins to connect to the next address that takes the attempt: 0, or the last error when there is none left.
  int connect(Place& place, Index i, int error = 0) noexcept {
    const auto n = static_cast<std::uint32_t>(plan_.addresses.size());
    while (place.tried < n) {
      const Address& address = plan_.addresses[(place.address + place.tried++) % n];
      const int fd = begin_connect(address.get(), address.length);
      if (fd >= 0) return attach(place, i, fd);
      error = errno;
      if (code_of_connect(error) == load::kNoFiles) return error;  // no other address would help
    }
    return error;
  }

  // The socket of a place that is connecting has something to say: 0 once connected or while another address is under
  // way (then still connecting), else the error that no address is left to mend.
  int proceed(Place& place, Index i) noexcept {
    const int error = connect_error(place.fd);
    if (error != 0) {
      detach(place);
      return connect(place, i, error);
    }
    const auto n = static_cast<std::uint32_t>(plan_.addresses.size());
    shared_.good.store((place.address + place.tried - 1) % n, std::memory_order_relaxed);  // relaxed: a hint
    place.state = Place::State::kConnected;
    bump(counters_.opened);
    return 0;
  }

  // Sends up to the goal. What does not fit goes on when the socket has room; what cannot be sent is noted in `broken`,
  // for the target may have answered all the same.
  void send(Place& place, Index i) noexcept {
    const std::string_view bytes = plan_.requests[place.body].bytes;
    ssize_t n = 0;
    if (place.sent < place.goal && place.broken == 0) {
      n = ::send(place.fd, bytes.data() + place.sent, place.goal - place.sent, MSG_NOSIGNAL);
      if (n < 0 && !try_again(errno)) place.broken = errno;
    }
    if (n > 0) {
      place.sent += static_cast<std::uint64_t>(n);
      bump(counters_.bytes_out, static_cast<std::uint64_t>(n));
    }
    want_out(place, i, place.sent < place.goal && place.broken == 0);
  }

  // Reads once. Valid until the next call; `error` is 0 for bytes or the end of the stream (then empty), else errno.
  std::string_view receive(Place& place, int& error) noexcept {
    const ssize_t n = ::recv(place.fd, buffer_->data(), buffer_->size(), 0);
    error = n < 0 ? errno : 0;
    if (n <= 0) return {};
    bump(counters_.bytes_in, static_cast<std::uint64_t>(n));
    return {buffer_->data(), static_cast<std::size_t>(n)};
  }

  void close(Place& place) noexcept {
    if (place.fd < 0) return;
    if (place.state != Place::State::kConnecting) bump(counters_.closed);
    detach(place);
  }

 private:
  static constexpr std::uint32_t kAlways = EPOLLIN | EPOLLRDHUP;

  int attach(Place& place, Index i, int fd) noexcept {
    place.fd = fd;
    ++place.generation;
    place.wants_out = true;
    if (poller_.add(fd, kAlways | EPOLLOUT, key_of(place, i))) return 0;
    const int error = errno;
    detach(place);
    return error;
  }

  void detach(Place& place) noexcept {
    ::close(place.fd);
    place.fd = -1;
    ++place.generation;
  }

  void want_out(Place& place, Index i, bool wanted) noexcept {
    if (place.wants_out == wanted) return;
    place.wants_out = wanted;
    poller_.change(place.fd, kAlways | (wanted ? EPOLLOUT : 0u), key_of(place, i));
  }

  static constexpr std::size_t kBuffer = 65'536;

  const Plan& plan_;
  Shared& shared_;
  Counters& counters_;
  Poller poller_;
  std::unique_ptr<std::array<char, kBuffer>> buffer_ = std::make_unique<std::array<char, kBuffer>>();
};

}  // namespace seawall::http
