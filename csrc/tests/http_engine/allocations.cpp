#include "http_engine/allocations.hpp"

#ifdef SEAWALL_COUNTS_ALLOCATIONS

#include "http_engine/runs.hpp"

using namespace seawall;
using namespace seawall::http;
using namespace seawall::http::testing;

namespace {

// Allocates nothing itself.
struct Quiet {
  std::atomic<std::uint64_t> ends{0}, most{0};
  void start(std::uint64_t, std::uint64_t, bool) noexcept {}
  void end(std::uint64_t, std::uint64_t, std::uint64_t, load::Code, std::uint64_t, bool) noexcept { ++ends; }
  void turn(std::uint64_t) noexcept { most = std::max(most.load(), allocations()); }
};

}  // namespace

TEST_CASE("a thread of the engine allocates nothing, on kept connections and on fresh ones") {
  REQUIRE(allocations() > 0);  // or else nothing is counted
  Server server([](Peer& peer, int n) {
    if (n % 2 == 0) return peer.answer_all();
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
  });
  Quiet quiet;
  Plan made = plan(server);
  made.options.max_connections = 4;
  made.checks.contains = Needle("ok");
  Engine<Quiet> engine(made, quiet);
  engine.feed(std::vector<Ns>(500, 0));
  engine.finish_feed();
  engine.start(time::monotonic_ns());
  REQUIRE(engine.join(20 * kSecond));
  CHECK(quiet.ends == 500);
  CHECK(quiet.most == 0);
}

#endif
