// The places of one thread: each is room for one request under way and for one connection.
//
// Not thread-safe: one loop owns them. Mechanism: a place is in exactly one of three chains: cold (no connection), idle
// (a kept connection; the one used last goes first, so that a quiet target sees few connections) or under way in the
// order of their starts. As all have the same timeout, that is also the order in which they run out of time. Cost: O(1)
// and no allocation for everything after the constructor; less than 300 bytes a place.
#pragma once

#include <cstdint>
#include <vector>

#include "seawall/http/chain.hpp"
#include "seawall/http/checks.hpp"
#include "seawall/http/parser.hpp"
#include "seawall/http/schedule.hpp"

namespace seawall::http {

struct Place {
  enum class State : std::uint8_t { kCold, kIdle, kConnecting, kConnected };

  Link turn;   // in one of the three chains
  Link pause;  // among those whose body waits for "100 Continue"
  int fd = -1;
  std::uint32_t generation = 0;  // of the connection: tells its events from those of the one before
  std::uint32_t body = 0;        // which request is sent
  std::uint32_t address = 0, tried = 0;
  int broken = 0;  // why nothing more could be written
  State state = State::kCold;
  bool reused = false, resent = false, pausing = false, wants_out = false;
  Ns due = 0, started = 0, paused = 0;
  std::uint64_t sent = 0, goal = 0;  // bytes of the request, and how many of them may go out for now
  ResponseParser parser;
  Checking checking;

  bool under_way() const noexcept { return state == State::kConnecting || state == State::kConnected; }
};
static_assert(sizeof(Place) <= 300);

class Places {
 public:
  explicit Places(std::uint32_t n) : all_(n) {
    for (Index i = n; i-- > 0;) cold_.push_front(all_, i);
  }

  Place& operator[](Index i) noexcept { return all_[i]; }
  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(all_.size()); }
  bool none_free() const noexcept { return cold_.empty() && idle_.empty(); }
  bool any_under_way() const noexcept { return !under_way_.empty(); }
  Index oldest() const noexcept { return under_way_.first(); }
  Index longest_paused() const noexcept { return paused_.first(); }

  // A place for a request that starts now. Precondition: one is free.
  Index take() noexcept {
    const Index i = (idle_.empty() ? cold_ : idle_).pop_front(all_);
    Place& place = all_[i];
    place.state = place.fd < 0 ? Place::State::kConnecting : Place::State::kConnected;
    under_way_.push_back(all_, i);
    return i;
  }

  // Its request ended; it keeps its connection if it still has one.
  void give_back(Index i) noexcept {
    end_pause(i);
    under_way_.remove(all_, i);
    const bool kept = all_[i].fd >= 0;
    all_[i].state = kept ? Place::State::kIdle : Place::State::kCold;
    (kept ? idle_ : cold_).push_front(all_, i);
  }

  // The connection of an idle place is gone.
  void cool(Index i) noexcept {
    idle_.remove(all_, i);
    all_[i].state = Place::State::kCold;
    cold_.push_front(all_, i);
  }

  void begin_pause(Index i, Ns now) noexcept {
    all_[i].pausing = true;
    all_[i].paused = now;
    paused_.push_back(all_, i);
  }
  void end_pause(Index i) noexcept {
    if (!all_[i].pausing) return;
    all_[i].pausing = false;
    paused_.remove(all_, i);
  }

 private:
  std::vector<Place> all_;
  Chain<Place, &Place::turn> cold_, idle_, under_way_;
  Chain<Place, &Place::pause> paused_;
};

}  // namespace seawall::http
