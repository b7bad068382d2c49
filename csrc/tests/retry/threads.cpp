#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <thread>
#include <vector>

#include "seawall/retry/budget.hpp"

using namespace seawall::retry;

namespace {

constexpr int kThreads = 4;
constexpr Ns kSecond = 1'000'000'000;

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

struct Shared {
  RetryBudget budget;
  std::atomic<std::uint64_t> calls{0};
};

}  // namespace

TEST_CASE("racing threads never withdraw more than the deposits of the window and the reserve pay for") {
  for (int round = 0; round < 30; ++round) {
    RetryBudget b;
    b.control.start({kSecond, kOne / 5, 7 * kOne});
    std::atomic<std::uint64_t> deposits{0}, granted{0};
    together([&](int) {
      for (int i = 0; i < 1000; ++i) {
        deposits += 1;  // before it is made: the sum below is never too small
        b.deposit(kSecond + i);
        for (int k = 0; k < 3; ++k) {
          granted += b.withdraw(kSecond + i);
          REQUIRE(granted * 5 <= deposits * 1 + 7 * 5);
        }
      }
    });
    CHECK(b.balance(kSecond) == (kThreads * 1000 * (kOne / 5) >> 32) + 7 - granted);
    CHECK(granted + b.refused == kThreads * 3000);
  }
}

TEST_CASE("racing threads whose clock goes on never withdraw more than the reserve in any window") {
  RetryBudget b;
  b.control.start({kSecond, 0, 20 * kOne});
  std::atomic<Ns> time{0};
  std::atomic<std::uint64_t> granted[400]{};
  together([&](int who) {
    for (int i = 0; i < 10'000; ++i) {
      const Ns now = time.fetch_add(kSecond / 200);
      granted[now / kSecond] += b.withdraw(who == 0 && now > kSecond ? now - kSecond / 2 : now);
    }
  });
  // A thread held up between its clock and its call lands in a later bucket: windows one bucket shorter are counted.
  std::uint64_t total = 0;
  for (const auto& bucket : granted) {
    total += bucket;
  }
  CHECK(total <= 20 * (200 / kBuckets + 2));
  CHECK(total >= 20);
}

TEST_CASE("a process killed at any instruction costs at most one withdrawal, and nothing once its bucket has passed") {
  void* where = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(where != MAP_FAILED);
  Shared& s = *new (where) Shared;
  constexpr std::uint64_t kReserve = 1000, kKills = 100;
  s.budget.control.start({kSecond, 0, kReserve * kOne});
  std::uint64_t granted = 0;
  while (s.budget.withdraw(0)) {
    ++granted;
  }
  CHECK(granted == kReserve);
  for (std::uint64_t i = 0; i < kKills; ++i) {
    const std::uint64_t before = s.calls.load();
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) {
        s.budget.withdraw(9 * kSecond);  // always one too many: added, summed and taken back
        s.calls.fetch_add(1);
      }
    }
    while (s.calls.load() < before + 50 + 7 * i) {
      ::sched_yield();
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  const std::uint64_t left = s.budget.balance(10 * kSecond);
  CHECK(left <= kReserve);
  CHECK(left >= kReserve - kKills);
  CHECK(s.budget.balance(19 * kSecond) == kReserve);
  ::munmap(where, sizeof(Shared));
}
