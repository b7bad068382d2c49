// What a run is to do: fixed before it starts, read by all its threads.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "seawall/http/checks.hpp"
#include "seawall/http/request.hpp"
#include "seawall/http/schedule.hpp"

namespace seawall::http {

struct Options {
  unsigned threads = 1;                 // 1..kMostThreads, at most one a connection
  std::uint32_t max_connections = 1;    // shared out evenly: a thread that has used up its share holds its line back
  Ns timeout = 10'000'000'000;          // of a request, from its own start to the last byte of the response
  Ns until = kNever;                    // since zero: nothing starts any more
  bool closed = false;                  // closed model: each place starts its next request when the former ended
  Ns think = 0;                         // closed model: and this much later
  std::uint64_t give_up_after = 20;     // requests that ended without any having reached the target; 0: never
  std::uint64_t first = 0, stride = 1;  // request k of the run sends body (first + k * stride) % n
  bool precise_waits = true;            // false: as on a system without epoll_pwait2
};
inline constexpr unsigned kMostThreads = 64;
inline constexpr std::uint32_t kMostConnections = 1'000'000;
inline constexpr Ns kLongest = Ns{366} * 86'400 * 1'000'000'000;  // a year: far from overflow

// Where the target listens. A name with several addresses is several of these.
struct Address {
  sockaddr_storage at{};
  socklen_t length = 0;

  static Address of(const sockaddr* from, socklen_t length) noexcept {
    Address made;
    made.length = length < sizeof made.at ? length : static_cast<socklen_t>(sizeof made.at);
    std::memcpy(&made.at, from, made.length);
    return made;
  }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&at); }
};

struct Plan {
  Options options;
  std::vector<Address> addresses;  // tried in this order; none: the name could not be resolved
  std::vector<Request> requests;   // at least one, fewer than 2**32
  Checks checks;
};

}  // namespace seawall::http
