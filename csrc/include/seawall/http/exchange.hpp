// One request after the other on the places of one thread: from its start over its bytes to its one end.
//
// Not thread-safe: one loop owns it. Guarantees: whatever the target does, a request that was begun ends exactly once,
// unless the loop stops. Mechanism: callbacks of the loop (an event, a moment that has come) move a place on; the
// parser says when a response is whole, the wire what the socket said. Cost: no allocation, about two system calls a
// request on a kept connection.
#pragma once

#include "seawall/http/wire.hpp"
#include "seawall/time/monotonic.hpp"

namespace seawall::http {

template <class Tally>
class Exchange {
 public:
  Exchange(const Plan& plan, Shared& shared, Counters& counters, Tally& tally, Users& users, std::uint32_t places)
      : plan_(plan),
        shared_(shared),
        counters_(counters),
        tally_(tally),
        users_(users),
        wire_(plan, shared, counters),
        places_(places) {}

  void set_zero(Ns zero) noexcept { zero_ = zero; }
  Ns now() const noexcept { return time::monotonic_ns() - zero_; }
  Poller& poller() noexcept { return wire_.poller(); }
  bool full() const noexcept { return places_.none_free(); }
  bool any_under_way() const noexcept { return places_.any_under_way(); }

  // Precondition: not full. `order` counts the requests of the whole run.
  void begin(std::uint64_t order, Ns due, Ns now, bool late) noexcept {
    const Index i = places_.take();
    Place& place = places_[i];
    const auto& o = plan_.options;
    place.body = static_cast<std::uint32_t>(body_of(order, o.first, o.stride, plan_.requests.size()));
    place.due = due;
    place.started = now;
    place.reused = place.fd >= 0;
    place.resent = false;
    rewind(place);
    bump(counters_.started);
    tally_.start(unsigned_of(due), unsigned_of(now), late);
    if (place.reused) {
      send(place, i, now);
    } else {
      connect(place, i);
    }
  }

  void on_event(const epoll_event& event) noexcept {
    const auto i = static_cast<Index>(event.data.u64);
    Place& place = places_[i];
    if (Wire::key_of(place, i) != event.data.u64) return;  // of a connection that is closed
    if (place.state == Place::State::kIdle) return on_idle(place, i);
    if (place.state == Place::State::kConnecting) return on_connecting(place, i);
    if ((event.events & ~std::uint32_t{EPOLLOUT}) != 0) receive(place, i, event.events);
    if ((event.events & EPOLLOUT) != 0 && Wire::key_of(place, i) == event.data.u64 && place.under_way()) {
      send(place, i, now());
    }
  }

  // Ends what has run out of time, and sends the bodies for which "100 Continue" has not come.
  void on_time(Ns now) noexcept {
    for (Index i = places_.oldest(); i != kNone && places_[i].started + plan_.options.timeout <= now;
         i = places_.oldest()) {
      const bool connecting = places_[i].state == Place::State::kConnecting;
      fail(places_[i], i, connecting ? load::kConnectTimeout : load::kTimeout, ETIMEDOUT);
    }
    for (Index i = places_.longest_paused(); i != kNone && places_[i].paused + kPause <= now;
         i = places_.longest_paused()) {
      go_on(places_[i], i, now);
    }
  }

  // When on_time is needed next.
  Ns next_time() noexcept {
    const Index oldest = places_.oldest(), paused = places_.longest_paused();
    const Ns end = oldest == kNone ? kNever : places_[oldest].started + plan_.options.timeout;
    return paused == kNone ? end : std::min(end, places_[paused].paused + kPause);
  }

  // Cuts what is under way, without an end.
  void close_all() noexcept {
    for (Index i = 0; i < places_.size(); ++i) wire_.close(places_[i]);
  }

 private:
  static constexpr Ns kPause = 1'000'000'000;  // RFC 9110 10.1.1: no indefinite wait for 100

  static constexpr int kFirstError = 400;

  const Request& request_of(const Place& place) const noexcept { return plan_.requests[place.body]; }

  static std::uint64_t unsigned_of(Ns ns) noexcept { return static_cast<std::uint64_t>(ns); }

  void rewind(Place& place) noexcept {
    const Request& request = request_of(place);
    place.parser.begin(request.to_head);
    place.checking.begin();
    place.broken = 0;
    place.sent = 0;
    place.goal = request.expects_continue ? request.head : request.bytes.size();
  }

  void connect(Place& place, Index i) noexcept {
    wire_.aim(place);
    if (plan_.addresses.empty()) return fail(place, i, load::kDns, 0);
    const int error = wire_.connect(place, i);
    if (error != 0) fail(place, i, code_of_connect(error), error);
  }

  void on_connecting(Place& place, Index i) noexcept {
    const int error = wire_.proceed(place, i);
    if (error != 0) return fail(place, i, code_of_connect(error), error);
    if (place.state == Place::State::kConnected) send(place, i, now());
  }

  // Bytes or an end that nobody asked for.
  void on_idle(Place& place, Index i) noexcept {
    int error = 0;
    const std::string_view bytes = wire_.receive(place, error);
    if (try_again(error)) return;
    if (!bytes.empty()) bump(counters_.dirty);
    wire_.close(place);
    places_.cool(i);
  }

  void send(Place& place, Index i, Ns now) noexcept {
    wire_.send(place, i);
    if (place.broken != 0) return receive(place, i, EPOLLHUP);
    const bool head_only = place.goal < request_of(place).bytes.size();
    if (head_only && place.sent == place.goal && !place.pausing) places_.begin_pause(i, now);
  }

  // The body may follow the head.
  void go_on(Place& place, Index i, Ns now) noexcept {
    places_.end_pause(i);
    place.goal = request_of(place).bytes.size();
    send(place, i, now);
  }

  void receive(Place& place, Index i, std::uint32_t events) noexcept {
    int error = 0;
    const std::string_view bytes = wire_.receive(place, error);
    if (!bytes.empty()) return on_bytes(place, i, bytes, events);
    if (try_again(error)) {
      if (place.broken != 0) on_break(place, i, place.broken);
      return;
    }
    on_break(place, i, error != 0 ? error : place.broken);
  }

  void on_bytes(Place& place, Index i, std::string_view bytes, std::uint32_t events) noexcept {
    const std::size_t used =
        place.parser.feed(bytes, [&](std::string_view body) { place.checking.piece(plan_.checks, body); });
    if (place.parser.failed()) return fail(place, i, load::kBadResponse, 0);
    if (place.parser.done()) {
      const bool closing = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
      return finish(place, i, used < bytes.size(), closing);
    }
    if (place.pausing && place.parser.continued()) go_on(place, i, now());
  }

  // The stream ended, by `error` or in order.
  void on_break(Place& place, Index i, int error) noexcept {
    if (error == 0 || error == EPIPE) {
      place.parser.end_of_stream();
      if (place.parser.done()) return finish(place, i, false, true);
    }
    if (place.parser.started()) return fail(place, i, load::kTruncated, error);
    if (place.reused && !place.resent && request_of(place).idempotent) return resend(place, i);
    fail(place, i, code_of_break(error), error);
  }

  // The target closed the kept connection just when this request set out.
  void resend(Place& place, Index i) noexcept {
    bump(counters_.resent);
    places_.end_pause(i);
    wire_.close(place);
    place.state = Place::State::kConnecting;
    place.resent = true;
    rewind(place);
    connect(place, i);
  }

  // A whole response.
  void finish(Place& place, Index i, bool dirty, bool closing) noexcept {
    const Request& request = request_of(place);
    const bool keeps = place.parser.keep_alive() && !request.closes;
    if (keeps && dirty) bump(counters_.dirty);
    if (!keeps || dirty || closing || place.sent != request.bytes.size()) wire_.close(place);
    const load::Code verdict = place.checking.verdict(plan_.checks, place.parser.status());
    // A status that is an error says more than that it was not accepted.
    const bool speaks = verdict == load::kWrongStatus && place.parser.status() >= kFirstError;
    end(place, i, speaks ? static_cast<load::Code>(place.parser.status()) : verdict, verdict >= load::kFirstStatus);
  }

  void fail(Place& place, Index i, load::Code code, int error) noexcept {
    wire_.close(place);
    shared_.note_error(code, error);
    end(place, i, code, false);
  }

  void end(Place& place, Index i, load::Code code, bool succeeded) noexcept {
    const Ns ended = now();
    places_.give_back(i);
    if (plan_.options.closed) users_.back_at(ended + plan_.options.think);
    bump(counters_.ended);
    tally_.end(unsigned_of(place.due), unsigned_of(place.started), unsigned_of(ended), code, place.parser.body_bytes(),
               succeeded);
    shared_.note_end(code, plan_.options.give_up_after);
  }

  const Plan& plan_;
  Shared& shared_;
  Counters& counters_;
  Tally& tally_;
  Users& users_;
  Wire wire_;
  Places places_;
  Ns zero_ = 0;
};

}  // namespace seawall::http
