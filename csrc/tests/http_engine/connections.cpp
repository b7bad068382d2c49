#include "http_engine/runs.hpp"

using namespace seawall;
using namespace seawall::http;
using namespace seawall::http::testing;

namespace {

// Answers the first request; closes at the second on the first connection, answers it on others.
void close_at_second(Peer& peer, int n) {
  peer.read_request();
  peer.send(kOk);
  if (n > 0) return peer.answer_all();
  peer.read_request();
}

}  // namespace

TEST_CASE("a request that finds its kept connection closed is sent once more where that is harmless") {
  Server server(close_at_second);
  Run run(plan(server));
  run.one_after_another(3);
  CHECK(run.record.codes() == Codes{{200, 3}});
  CHECK(run.engine.counts().resent == 1);
  CHECK(run.engine.counts().started == 3);
  CHECK(server.connections == 2);
}

TEST_CASE("a request that must not be sent twice ends as disconnected instead") {
  Server server(close_at_second);
  Plan made = plan(server);
  made.requests = {request("/", "POST", "x")};
  Run run(std::move(made));
  run.one_after_another(3);
  CHECK(run.record.codes() == Codes{{200, 2}, {load::kDisconnected, 1}});
  CHECK(run.engine.counts().resent == 0);
}

TEST_CASE("a request is sent once more only once, and not after a byte of the response") {
  Server server([](Peer& peer, int n) {
    peer.read_request();
    if (n > 0) return;  // the fresh connection of the second try
    peer.send(kOk);
    peer.read_request();
  });
  Run run(plan(server));
  run.one_after_another(2);
  CHECK(run.record.codes() == Codes{{200, 1}, {load::kDisconnected, 1}});
  CHECK(run.engine.counts().resent == 1);
  Server partial([](Peer& peer, int) {
    peer.read_request();
    peer.send(kOk);
    peer.read_request();
    peer.send("H");
  });
  Run other(plan(partial));
  other.one_after_another(2);
  CHECK(other.record.codes() == Codes{{200, 1}, {load::kTruncated, 1}});
}

TEST_CASE("a connection closed while idle is noticed then, and costs no request") {
  Server server([](Peer& peer, int n) {
    peer.read_request();
    peer.send(kOk);
    if (n > 0) peer.answer_all();
  });
  Plan made = plan(server);
  made.requests = {request("/", "POST", "x")};
  Run run(std::move(made));
  run.feed({0});
  run.until([&] { return run.engine.counts().closed == 1; });
  run.feed({run.now()});
  run.finish();
  CHECK(run.record.codes() == Codes{{200, 2}});
  CHECK(run.engine.counts().resent == 0);
}

TEST_CASE("bytes behind a response spoil the connection, not the response") {
  Server server([](Peer& peer, int n) {
    if (n > 0) return peer.answer_all();
    peer.read_request();
    peer.send(std::string(kOk) + "more");
    peer.wait_for_close();
  });
  Run run(plan(server));
  run.one_after_another(2);
  CHECK(run.record.codes() == Codes{{200, 2}});
  CHECK(run.engine.counts().dirty == 1);
  CHECK(server.connections == 2);
}

TEST_CASE("bytes on an idle connection spoil it") {
  Gate gate;
  Server server([&](Peer& peer, int n) {
    if (n > 0) return peer.answer_all();
    peer.read_request();
    peer.send(kOk);
    gate.wait();
    peer.send("more");
    peer.wait_for_close();
  });
  Run run(plan(server));
  run.feed({0});
  run.until_ended(1);
  gate.open();
  run.until([&] { return run.engine.counts().dirty == 1; });
  run.feed({run.now()});
  run.finish();
  CHECK(run.record.codes() == Codes{{200, 2}});
  CHECK(server.connections == 2);
}

TEST_CASE("a connection that server or request closes is not used again") {
  const auto connections = [](std::string_view response, std::vector<Header> headers) {
    Server server([&](Peer& peer, int) {
      peer.read_request();
      peer.send(response);
      peer.wait_for_close();
    });
    Plan made = plan(server);
    made.requests = {request("/", "GET", {}, std::move(headers))};
    Run run(std::move(made));
    run.one_after_another(2);
    CHECK(run.record.codes() == Codes{{200, 2}});
    CHECK(run.engine.counts().closed == 2);
    return server.connections.load();
  };
  CHECK(connections("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", {}) == 2);
  CHECK(connections("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", {}) == 2);
  CHECK(connections(kOk, {{"Connection", "close"}}) == 2);
}

TEST_CASE("a body that only the end of the stream ends is whole, after an orderly end") {
  Server server([](Peer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n\r\nall of it");
    peer.half_close();
    peer.wait_for_close();
  });
  Run run(plan(server));
  run.one_after_another(1);
  CHECK(run.record.codes() == Codes{{200, 1}});
  CHECK(run.record.ends[0].body_bytes == 9);
}

TEST_CASE("a response to HEAD has no body") {
  Server server([](Peer& peer, int) { peer.answer_all("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"); });
  Plan made = plan(server);
  made.requests = {request("/", "HEAD")};
  Run run(std::move(made));
  run.one_after_another(2);
  CHECK(run.record.codes() == Codes{{200, 2}});
  CHECK(server.connections == 1);
}

TEST_CASE("the connection used last is used first, so few requests need few connections") {
  Server server([](Peer& peer, int) { peer.answer_all(); });
  Options o;
  o.max_connections = 50;
  Run run(plan(server, o));
  run.one_after_another(20);
  CHECK(server.connections == 1);
}

TEST_CASE("a body larger than any buffer arrives whole") {
  std::string body(20'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 >> 3);
  std::atomic<bool> whole{false};
  Gate gate;
  Server server([&](Peer& peer, int) {
    gate.wait();  // so that the socket fills up
    const auto request = peer.read_request();
    whole = request && request->ends_with(body);
    peer.send(kOk);
    peer.wait_for_close();
  });
  Plan made = plan(server);
  made.requests = {request("/", "POST", body)};
  Run run(std::move(made));
  run.feed({0});
  run.until([&] { return run.engine.counts().bytes_out > 0; });
  gate.open();
  run.finish();
  CHECK(run.record.codes() == Codes{{200, 1}});
  CHECK(whole);
}

TEST_CASE("an answer before the end of the body counts, and the connection is given up") {
  const std::string body(20'000'000, 'x');
  Server server([&](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    peer.wait_for_close();
  });
  Plan made = plan(server);
  made.requests = {request("/", "POST", body)};
  Run run(std::move(made));
  run.feed({0});
  run.finish();
  CHECK(run.record.codes() == Codes{{413, 1}});
  CHECK(run.engine.counts().closed == 1);
}

namespace {

Plan expecting(const Server& server) {
  Plan made = plan(server);
  made.requests = {request("/", "POST", "the body", {{"Expect", "100-continue"}})};
  return made;
}

}  // namespace

TEST_CASE("a body that waits for 100 Continue goes out after it") {
  std::string body;
  Server server([&](Peer& peer, int) {
    for (int i = 0; i < 2; ++i) {
      peer.read_head();
      peer.send("HTTP/1.1 100 Continue\r\n\r\n");
      body = *peer.read_bytes(8);
      peer.send(kOk);
    }
  });
  Run run(expecting(server));
  run.one_after_another(2);
  CHECK(run.record.codes() == Codes{{200, 2}});
  CHECK(body == "the body");
  CHECK(run.engine.counts().bytes_out ==
        2 * request("/", "POST", "the body", {{"Expect", "100-continue"}}).bytes.size());
}

TEST_CASE("a body that waits for 100 Continue is kept back by a final status") {
  Server server([&](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    peer.wait_for_close();
  });
  Run run(expecting(server));
  run.one_after_another(1);
  CHECK(run.record.codes() == Codes{{417, 1}});
  CHECK(run.engine.counts().bytes_out == request("/", "POST", "the body", {{"Expect", "100-continue"}}).head);
}

TEST_CASE("a body that waits for 100 Continue in vain goes out after a second") {
  Server server([&](Peer& peer, int) { peer.answer_all(); });
  Run run(expecting(server));
  run.one_after_another(1);
  CHECK(run.record.codes() == Codes{{200, 1}});
  CHECK(run.record.ends[0].ended - run.record.ends[0].started >= 1'000'000'000);
}
