// A run of the engine against scripted servers, and what it recorded.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "http_engine/server.hpp"
#include "seawall/http/engine.hpp"

namespace seawall::http::testing {

constexpr Ns kMs = 1'000'000, kSecond = 1'000 * kMs;

struct Start {
  std::uint64_t due, started;
  bool late;
};
struct End {
  std::uint64_t due, started, ended;
  load::Code code;
  std::uint64_t body_bytes;
  bool succeeded;
};

// Keeps everything.
struct Record {
  std::mutex mutex;
  std::vector<Start> starts;
  std::vector<End> ends;
  std::atomic<std::uint64_t> turns{0};

  void start(std::uint64_t due, std::uint64_t started, bool late) noexcept {
    const std::lock_guard lock(mutex);
    starts.push_back({due, started, late});
  }
  void end(std::uint64_t due, std::uint64_t started, std::uint64_t ended, load::Code code, std::uint64_t body_bytes,
           bool succeeded) noexcept {
    const std::lock_guard lock(mutex);
    ends.push_back({due, started, ended, code, body_bytes, succeeded});
  }
  void turn(std::uint64_t) noexcept { ++turns; }

  std::map<load::Code, int> codes() {
    const std::lock_guard lock(mutex);
    std::map<load::Code, int> counts;
    for (const End& end : ends) ++counts[end.code];
    return counts;
  }
};
using Codes = std::map<load::Code, int>;

inline Address loopback(std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(port);
  return Address::of(reinterpret_cast<sockaddr*>(&at), sizeof at);
}

// A port where nobody listens: bound, so that nobody else takes it.
struct ClosedPort {
  std::uint16_t port = 0;
  int fd = bound_socket(AF_INET, port);
  ~ClosedPort() { ::close(fd); }
};

inline Request request(const std::string& target = "/", const std::string& method = "GET",
                       std::optional<std::string> body = {}, std::vector<Header> headers = {}) {
  Ask ask;
  ask.method = method;
  ask.host = "127.0.0.1";
  ask.target = target;
  ask.body = std::move(body);
  ask.headers = std::move(headers);
  Rendered rendered = render(ask);
  REQUIRE(rendered.problem == "");
  return rendered.request;
}

inline Plan plan(std::vector<Address> addresses, Options options = {}) {
  Plan made;
  made.options = options;
  made.addresses = std::move(addresses);
  made.requests = {request()};
  return made;
}
inline Plan plan(const Server& server, Options options = {}) { return plan({loopback(server.port)}, options); }

// An engine that has been started, with its record.
struct Run {
  explicit Run(Plan plan) : engine(std::move(plan), record) { engine.start(zero); }

  void feed(std::vector<Ns> due) { engine.feed(due); }
  Ns now() const { return time::monotonic_ns() - zero; }
  void finish() {
    engine.finish_feed();
    REQUIRE(engine.join(20 * kSecond));
  }
  // Until something that the engine does by itself has happened.
  template <class Happened>
  void until(Happened happened) {
    for (const Ns begun = now(); !happened() && now() - begun < 20 * kSecond;) std::this_thread::yield();
    REQUIRE(happened());
  }
  void until_ended(std::uint64_t n) {
    until([&] { return engine.counts().ended >= n; });
  }
  void one_after_another(int n) {
    for (int i = 0; i < n; ++i) {
      feed({now()});
      until_ended(static_cast<std::uint64_t>(i) + 1);
    }
    finish();
  }

  Record record;
  const Ns zero = time::monotonic_ns();
  Engine<Record> engine;
};

// A gate that a script waits at until the test opens it.
class Gate {
 public:
  void open() {
    open_ = true;
    open_.notify_all();
  }
  void wait() const { open_.wait(false); }

 private:
  std::atomic<bool> open_{false};
};

}  // namespace seawall::http::testing
