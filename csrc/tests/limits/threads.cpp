#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "limits/box.hpp"

using namespace seawall::limits;

namespace {

constexpr int kThreads = 4;

template <class F>
void together(F&& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&work, i] { work(i); });
  }
  for (auto& t : threads) {
    t.join();
  }
}

}  // namespace

TEST_CASE("threads that share an instant are admitted exactly the limit") {
  for (const Kind kind : {Kind::token_bucket, Kind::fixed_window, Kind::sliding_window, Kind::sliding_log}) {
    Box box(kind, 1000, kSecond, 1000);
    std::atomic<int> admitted{0};
    together([&](int) {
      for (int i = 0; i < 2000; ++i) {
        admitted += box.take(77);
      }
    });
    CHECK(admitted == 1000);
    CHECK(box.limit->admitted.load() == 1000);
    CHECK(box.limit->refused.load() == kThreads * 2000 - 1000);
  }
}

TEST_CASE("threads with clocks of their own never get more than burst + rate x time") {
  for (const Kind kind : kAll) {
    Box box(kind, 100, kSecond, 10);
    std::atomic<Ns> time{0};
    std::vector<Ns> admitted[kThreads];
    together([&](int who) {
      for (int i = 0; i < 5000; ++i) {
        const Ns now = time.fetch_add(100'000) - (i % 7) * 50'000;  // late and early readings
        Ticket ticket;
        const Verdict v = decide(box.kind, *box.limit, Ask{std::max<Ns>(now, 0), 1}, &ticket);
        if (v.admitted) {
          admitted[who].push_back(v.at);
        }
      }
    });
    std::size_t total = 0;
    std::vector<Ns> all;
    for (const auto& one : admitted) {
      total += one.size();
      all.insert(all.end(), one.begin(), one.end());
    }
    const double elapsed = static_cast<double>(time.load()) / kSecond;
    const double allowed =
        kind == Kind::token_bucket || kind == Kind::leaky_bucket ? 10 + 100 * elapsed : 10 * (elapsed + 1);
    CHECK(static_cast<double>(total) <= allowed);
    if (kind == Kind::sliding_log) {
      std::sort(all.begin(), all.end());
      for (std::size_t i = 10; i < all.size(); ++i) {
        REQUIRE(all[i] - all[i - 10] >= kSecond);
      }
    }
  }
}

TEST_CASE("cancelling threads never hold more than the limit") {
  for (const Kind kind : {Kind::token_bucket, Kind::fixed_window, Kind::sliding_window, Kind::sliding_log}) {
    Box box(kind, 1, 1000 * kSecond, 20);
    std::atomic<int> held{0};
    std::atomic<int> most{0};
    together([&](int who) {
      for (int i = 0; i < 3000; ++i) {
        Ticket ticket;
        if (!decide(box.kind, *box.limit, Ask{5 + i % 3, 1 + static_cast<std::uint64_t>(who % 2)}, &ticket).admitted) {
          continue;
        }
        const int now = held += static_cast<int>(ticket.cost);
        int seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        held -= static_cast<int>(ticket.cost);
        refund(box.kind, *box.limit, ticket, 5 + i % 3);
      }
    });
    CHECK(most <= 20);
    int left = 0;
    while (box.take(10)) {
      ++left;
    }
    CHECK(left <= 20);
  }
}

TEST_CASE("threads keep going and lose nothing while the configuration changes under them") {
  for (const Kind kind : kAll) {
    Box box(kind, 1000, kSecond, 50);
    std::atomic<bool> stop{false};
    std::atomic<int> admitted{0};
    std::thread changer([&] {
      for (int i = 0; i < 200; ++i) {
        Config c = config(kind, i % 2 ? 1000 : 2000, kSecond, i % 2 ? 50 : 40, box.cells);
        c.since = 1;
        reconfigure(kind, *box.limit, c);
      }
      stop = true;
    });
    together([&](int) {
      do {
        admitted += box.take(1);
      } while (!stop);
    });
    changer.join();
    CHECK(admitted <= 50);
    CHECK(admitted >= 1);
  }
}
