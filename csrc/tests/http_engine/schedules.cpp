#include "http_engine/runs.hpp"

using namespace seawall;
using namespace seawall::http;
using namespace seawall::http::testing;

namespace {

const Server::Script kAnswering = [](Peer& peer, int) { peer.answer_all(); };

Options with(unsigned threads, std::uint32_t connections) {
  Options o;
  o.threads = threads;
  o.max_connections = connections;
  return o;
}

}  // namespace

TEST_CASE("every request of a plan is sent once and ends once, on four threads, by either means of waiting") {
  for (const bool precise : {true, false}) {
    Server server(kAnswering);
    Options o = with(4, 10);
    o.precise_waits = precise;
    Run run(plan(server, o));
    for (int part = 0; part < 4; ++part) run.feed(std::vector<Ns>(501, part));
    run.finish();
    CHECK(run.record.codes() == Codes{{200, 2'004}});
    CHECK(server.requests == 2'004);
    CHECK(server.connections == 10);
    const Counts counts = run.engine.counts();
    CHECK(counts.started == 2'004);
    CHECK(counts.ended == 2'004);
    CHECK(counts.opened == 10);
    CHECK(counts.closed == 10);
    CHECK(counts.bytes_in == 2'004 * kOk.size());
    CHECK(counts.bytes_out == 2'004 * request().bytes.size());
    CHECK(run.record.turns > 0);
    CHECK(run.engine.reports().size() == 4);
    CHECK(run.engine.reports()[0].wall_seconds > 0);
  }
}

TEST_CASE("nothing starts before it is due, and what is not held back is not late") {
  Server server(kAnswering);
  Run run(plan(server, with(2, 200)));
  std::vector<Ns> due;
  for (Ns i = 0; i < 100; ++i) due.push_back(i * kMs / 2);
  run.feed(due);
  run.finish();
  REQUIRE(run.record.starts.size() == 100);
  std::vector<Ns> started;
  for (const Start& start : run.record.starts) {
    CHECK(start.started >= start.due);
    CHECK_FALSE(start.late);
    started.push_back(static_cast<Ns>(start.due));
  }
  std::sort(started.begin(), started.end());
  CHECK(started == due);
}

TEST_CASE("a zero that lies ahead holds back everything") {
  Server server(kAnswering);
  Record record;
  Engine<Record> engine(plan(server), record);
  engine.feed(std::vector<Ns>{0});
  engine.finish_feed();
  engine.start(time::monotonic_ns() + 20 * kMs);
  REQUIRE(engine.join(20 * kSecond));
  REQUIRE(record.starts.size() == 1);
  CHECK(static_cast<Ns>(record.starts[0].started) < 20 * kSecond);  // not below zero
}

TEST_CASE("those that wait in line for a place are late, the one that holds it and later ones are not") {
  Gate gate;
  Server server([&](Peer& peer, int) {
    peer.read_request();
    gate.wait();
    peer.send(kOk);
    peer.answer_all();
  });
  Run run(plan(server, with(1, 1)));
  run.feed({0, 1, 2});
  run.until([&] { return server.requests == 1; });
  run.feed({run.now()});
  gate.open();
  run.until_ended(4);
  run.feed({run.now()});
  run.finish();
  std::vector<bool> late;
  for (const Start& start : run.record.starts) late.push_back(start.late);
  CHECK(late == std::vector<bool>{false, true, true, true, false});
  CHECK(server.connections == 1);
}

TEST_CASE("nothing starts once the time is over: the rest is left, what is under way is waited for") {
  Gate gate;
  Server server([&](Peer& peer, int) {
    peer.read_request();
    gate.wait();
    peer.send(kOk);
    peer.answer_all();
  });
  Options o = with(1, 1);
  o.until = 20 * kMs;
  Run run(plan(server, o));
  run.feed({0, 1, 2, 40 * kMs});
  run.until([&] { return run.now() > o.until + kMs; });
  CHECK(run.engine.counts().started == 1);
  gate.open();
  run.finish();
  CHECK(run.record.codes() == Codes{{200, 1}});
  CHECK(run.engine.fed() - run.engine.counts().started == 3);
}

TEST_CASE("an unfinished feed keeps the threads waiting until the time is over, and no longer") {
  Server server(kAnswering);
  Options o;
  o.until = 20 * kMs;
  Run run(plan(server, o));
  CHECK(run.engine.join(20 * kSecond));
  CHECK(run.engine.counts().started == 0);
}

TEST_CASE("in the closed model each place goes on when its request ended, until the time is over") {
  Server server(kAnswering);
  Options o = with(2, 4);
  o.closed = true;
  o.until = 60 * kMs;
  Run run(plan(server, o));
  REQUIRE(run.engine.join(20 * kSecond));
  const auto starts = run.record.starts;
  CHECK(starts.size() > 4);
  CHECK(run.record.codes() == Codes{{200, static_cast<int>(starts.size())}});
  CHECK(server.requests == static_cast<int>(starts.size()));
  CHECK(server.connections == 4);
  for (const Start& start : starts) {
    CHECK(start.due == start.started);
    CHECK_FALSE(start.late);
  }
}

TEST_CASE("in the closed model a user who thinks is away for that long") {
  Server server(kAnswering);
  Options o = with(1, 1);
  o.closed = true;
  o.think = 5 * kMs;
  o.until = 40 * kMs;
  Run run(plan(server, o));
  REQUIRE(run.engine.join(20 * kSecond));
  REQUIRE(run.record.starts.size() >= 2);
  for (std::size_t i = 1; i < run.record.starts.size(); ++i) {
    CHECK(run.record.starts[i].started - run.record.ends[i - 1].ended >= 5'000'000);
  }
}

TEST_CASE("a stop cuts what is under way, without an end, and is over at once") {
  Gate gate;
  Server server([&](Peer& peer, int) {
    peer.read_request();
    gate.wait();
  });
  Run run(plan(server, with(2, 4)));
  run.feed({0, 0, 0, kSecond * 1'000});
  run.until([&] { return server.requests == 3; });
  run.engine.stop();
  CHECK(run.engine.join(20 * kSecond));
  gate.open();
  CHECK(run.engine.counts().started == 3);
  CHECK(run.record.ends.empty());
}

TEST_CASE("which body goes when is fixed by the order of due times, on any number of threads") {
  for (const unsigned threads : {1u, 3u}) {
    std::mutex mutex;
    std::map<std::string, int> seen;
    Server server([&](Peer& peer, int) {
      while (const auto request = peer.read_request()) {
        const std::lock_guard lock(mutex);
        ++seen[request->substr(0, request->find(" HTTP"))];
        peer.send(kOk);
      }
    });
    Options o = with(threads, 6);
    o.first = 1;
    o.stride = 2;
    Plan rotating = plan(server, o);
    rotating.requests = {request("/0"), request("/1"), request("/2"), request("/3")};
    Run run(std::move(rotating));
    run.feed({0, 0, 0});
    run.feed({0, 0});
    run.finish();
    const std::lock_guard lock(mutex);
    CHECK(seen == std::map<std::string, int>{{"GET /1", 3}, {"GET /3", 2}});
  }
}

TEST_CASE("more threads than connections are not started, and an engine runs once") {
  Server server(kAnswering);
  Run run(plan(server, with(8, 2)));
  CHECK(run.engine.threads() == 2);
  CHECK_THROWS_WITH_AS(run.engine.start(0), "an engine runs once", std::logic_error);
  run.finish();
  CHECK_THROWS_WITH_AS(run.feed({1}), "the feed is finished, nothing more can be due", std::logic_error);
}

TEST_CASE("an engine that was never started has nothing to wait for, and one stopped before starts nothing") {
  Server server(kAnswering);
  Record record;
  Engine<Record> engine(plan(server), record);
  CHECK_THROWS_WITH_AS(engine.join(0), "an engine that has not been started cannot be waited for", std::logic_error);
  engine.feed(std::vector<Ns>{0});
  engine.stop();
  engine.start(time::monotonic_ns());
  REQUIRE(engine.join(20 * kSecond));
  CHECK(engine.counts().started == 0);
}

TEST_CASE("a plan that cannot be run is refused in words") {
  Record record;
  const auto refused = [&](auto change, const char* words) {
    Plan made = plan({loopback(1)});
    change(made);
    CHECK_THROWS_WITH_AS(Engine<Record>(made, record), words, std::invalid_argument);
  };
  refused([](Plan& p) { p.options.threads = 0; }, "threads must be between 1 and 64, got 0");
  refused([](Plan& p) { p.options.max_connections = 0; }, "max_connections must be between 1 and 1,000,000, got 0");
  refused([](Plan& p) { p.options.timeout = 0; },
          "timeout must be more than 0 seconds and at most a year, got 0.000000");
  refused([](Plan& p) { p.options.until = -kSecond; }, "until must be 0 seconds or more, got -1.000000");
  refused([](Plan& p) { p.options.think = -kSecond; }, "think must be between 0 seconds and a year, got -1.000000");
  refused([](Plan& p) { p.requests.clear(); }, "requests must be between 1 and 4,294,967,294, got 0");
}
