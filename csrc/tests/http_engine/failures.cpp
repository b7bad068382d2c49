#include <fcntl.h>

#include "http_engine/runs.hpp"

using namespace seawall;
using namespace seawall::http;
using namespace seawall::http::testing;

namespace {

// How one request ends against a server whose connections follow the script.
Codes after(Server::Script script, int requests = 1, const std::function<void(Plan&)>& change = [](Plan&) {}) {
  Server server(std::move(script));
  Plan made = plan(server);
  change(made);
  Run run(std::move(made));
  run.one_after_another(requests);
  return run.record.codes();
}

}  // namespace

TEST_CASE("a connection that breaks before any byte was reset or disconnected") {
  CHECK(after([](Peer& peer, int) {
          peer.read_request();
          peer.reset();
        }) == Codes{{load::kReset, 1}});
  CHECK(after([](Peer& peer, int) { peer.read_request(); }) == Codes{{load::kDisconnected, 1}});
  CHECK(after([](Peer& peer, int) {
          peer.read_request();
          peer.half_close();
          peer.wait_for_close();
        }) == Codes{{load::kDisconnected, 1}});
}

TEST_CASE("a connection that breaks within a response truncates it, and the bytes so far count") {
  const std::string some = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
  Server server([&](Peer& peer, int n) {
    peer.read_request();
    peer.send(some);
    if (n == 1) peer.reset();
  });
  Run run(plan(server));
  run.one_after_another(2);
  CHECK(run.record.codes() == Codes{{load::kTruncated, 2}});
  CHECK(run.record.ends[0].body_bytes == 4);
  CHECK_FALSE(run.record.ends[0].succeeded);
  CHECK(run.engine.first_error_code() == load::kTruncated);
}

TEST_CASE("a target that breaks off while it is written to is a reset, and no signal") {
  CHECK(after(
            [](Peer& peer, int) {
              peer.read_head();
              peer.reset();
            },
            2, [](Plan& p) { p.requests = {request("/", "PUT", std::string(20'000'000, 'x'))}; }) ==
        Codes{{load::kReset, 2}});
}

TEST_CASE("what is not HTTP is a bad response") {
  CHECK(after([](Peer& peer, int) {
          peer.read_request();
          peer.send("SSH-2.0-OpenSSH\r\n");
          peer.wait_for_close();
        }) == Codes{{load::kBadResponse, 1}});
}

TEST_CASE("a status that is an error ends as itself, without success, and is not a first error") {
  Server server([](Peer& peer, int) { peer.answer_all("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"); });
  Run run(plan(server));
  run.one_after_another(3);
  CHECK(run.record.codes() == Codes{{503, 3}});
  CHECK_FALSE(run.record.ends[0].succeeded);
  CHECK(run.engine.first_error_code() == 0);
  CHECK(server.connections == 1);
}

TEST_CASE("the checks of a test end requests that a status alone would pass") {
  const Server::Script answering = [](Peer& peer, int) { peer.answer_all(); };
  CHECK(after(answering, 1, [](Plan& p) { p.checks.accepted = Statuses::between(201, 202); }) ==
        Codes{{load::kWrongStatus, 1}});
  CHECK(after(answering, 1, [](Plan& p) { p.checks.contains = Needle("no"); }) == Codes{{load::kWrongBody, 1}});
  CHECK(after(answering, 1, [](Plan& p) { p.checks.least = 3; }) == Codes{{load::kWrongSize, 1}});
  CHECK(after(answering, 1, [](Plan& p) { p.checks.contains = Needle("ok"); }) == Codes{{200, 1}});
}

TEST_CASE("a server that does not answer is timed out, each request from its own start") {
  Server server([](Peer& peer, int) { peer.wait_for_close(); });
  Options o;
  o.timeout = 20 * kMs;
  Run run(plan(server, o));
  run.feed({0, 1});
  run.finish();
  CHECK(run.record.codes() == Codes{{load::kTimeout, 2}});
  for (const End& end : run.record.ends) CHECK(end.ended - end.started >= 20'000'000);
  CHECK(run.engine.first_errno() == ETIMEDOUT);
}

TEST_CASE("a server that does not take the connection is a connect timeout") {
  std::uint16_t port = 0;
  const int listener = bound_socket(AF_INET, port);
  REQUIRE(::listen(listener, 0) == 0);
  std::vector<int> fill;
  const Address at = loopback(port);
  for (int i = 0; i < 4; ++i) fill.push_back(begin_connect(at.get(), at.length));
  Options o;
  o.timeout = 20 * kMs;
  Run run(plan({at}, o));
  run.feed({0});
  run.finish();
  CHECK(run.record.codes() == Codes{{load::kConnectTimeout, 1}});
  CHECK(run.engine.counts().opened == 0);
  for (const int fd : fill) ::close(fd);
  ::close(listener);
}

TEST_CASE("where nobody listens a run is given up after twenty requests") {
  const ClosedPort closed;
  Options o;
  o.threads = 2;
  o.max_connections = 4;
  Run run(plan({loopback(closed.port)}, o));
  run.feed(std::vector<Ns>(1'000, 0));
  REQUIRE(run.engine.join(20 * kSecond));
  CHECK(run.engine.hopeless());
  CHECK(run.engine.first_error_code() == load::kRefused);
  CHECK(run.engine.first_errno() == ECONNREFUSED);
  const Codes codes = run.record.codes();
  CHECK(codes.size() == 1);
  CHECK(codes.at(load::kRefused) >= 20);
  CHECK(codes.at(load::kRefused) < 1'000);
}

TEST_CASE("without an address every request ends as an unknown name, at once") {
  Options o;
  o.give_up_after = 0;
  Run run(plan(std::vector<Address>{}, o));
  run.feed(std::vector<Ns>(100, 0));
  run.finish();
  CHECK(run.record.codes() == Codes{{load::kDns, 100}});
  CHECK_FALSE(run.engine.hopeless());
}

TEST_CASE("the address that works is found behind those that do not, and used first from then on") {
  const ClosedPort closed;
  Server server([](Peer& peer, int) { peer.answer_all("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"); });
  sockaddr_in6 nowhere{};  // IPv6 may be missing here: refused or unreachable are alike
  nowhere.sin6_family = AF_INET6;
  nowhere.sin6_addr = in6addr_loopback;
  nowhere.sin6_port = htons(closed.port);
  Run run(plan({Address::of(reinterpret_cast<sockaddr*>(&nowhere), sizeof nowhere), loopback(closed.port),
                loopback(server.port)}));
  run.one_after_another(5);
  CHECK(run.record.codes() == Codes{{200, 5}});
  CHECK(server.connections == 5);
  CHECK(run.engine.first_error_code() == 0);
}

TEST_CASE("too many open files end a request as such, and the run goes on") {
  Server server([](Peer& peer, int) { peer.answer_all("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"); });
  Run run(plan(server));
  run.feed({0});
  run.until([&] { return run.engine.counts().closed == 1; });
  std::vector<int> taken;
  for (int fd; (fd = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0;) taken.push_back(fd);
  run.feed({run.now()});
  run.until_ended(2);
  for (const int fd : taken) ::close(fd);
  run.feed({run.now()});
  run.finish();
  CHECK(run.record.codes() == Codes{{200, 2}, {load::kNoFiles, 1}});
  CHECK(run.engine.first_errno() == EMFILE);
}
