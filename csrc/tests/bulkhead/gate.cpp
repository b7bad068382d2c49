#include "seawall/bulkhead/gate.hpp"

#include <doctest/doctest.h>

#include <random>
#include <thread>
#include <vector>

using namespace seawall::bulkhead;

TEST_CASE("as many enter as there are places, and a place left can be taken again") {
  Gate gate(2);
  CHECK(gate.try_enter());
  CHECK(gate.try_enter());
  CHECK_FALSE(gate.try_enter());
  CHECK(gate.try_leave() == Exit::left);
  CHECK(gate.try_enter());
  CHECK(gate.in_flight() == 2);
  CHECK(gate.admitted() == 3);
}

TEST_CASE("nobody can leave who has not entered") {
  Gate gate(1);
  CHECK(gate.try_leave() == Exit::nobody_in);
  CHECK(gate.in_flight() == 0);
}

TEST_CASE("places are handed over in the order of joining, and nobody overtakes") {
  Gate gate(1, 2);
  Waiter a, b, c;
  CHECK(gate.try_enter());
  CHECK(gate.join(a) == Entry::joined);
  CHECK(gate.join(b) == Entry::joined);
  CHECK(gate.join(c) == Entry::full);
  CHECK(gate.refused() == 1);
  CHECK(gate.try_leave() == Exit::waited_for);
  CHECK(gate.hand_over() == &a);
  CHECK(a.place.load() == Place::admitted);
  CHECK_FALSE(gate.try_enter());
  CHECK(gate.hand_over() == &b);
  CHECK(gate.hand_over() == nullptr);
  CHECK(gate.in_flight() == 0);
}

TEST_CASE("joining a gate with a free place enters it") {
  Gate gate(1, 0);
  Waiter a;
  CHECK(gate.join(a) == Entry::admitted);
  CHECK(gate.in_flight() == 1);
  CHECK_FALSE(gate.quit(a));
}

TEST_CASE("whoever quits is passed over; whoever was admitted before it quit holds a place") {
  Gate gate(1, 3);
  Waiter a, b, c;
  gate.try_enter();
  gate.join(a);
  gate.join(b);
  gate.join(c);
  CHECK(gate.quit(b));
  CHECK_FALSE(gate.quit(b));
  CHECK(gate.hand_over() == &a);
  CHECK_FALSE(gate.quit(a));
  CHECK(gate.hand_over() == &c);
  CHECK(gate.queued() == 0);
}

TEST_CASE("more places admit those who wait; fewer places hand nothing over until enough have left") {
  Gate gate(1, 4);
  Waiter a, b, c;
  gate.try_enter();
  gate.join(a);
  gate.join(b);
  gate.join(c);
  Waiter* admitted = gate.resize(3, 4);
  CHECK(admitted == &a);
  CHECK(admitted->next == &b);
  CHECK(b.next == nullptr);
  CHECK(gate.resize(1, 4) == nullptr);
  CHECK(gate.hand_over() == nullptr);
  CHECK(gate.hand_over() == nullptr);
  CHECK(gate.in_flight() == 1);
  CHECK(gate.hand_over() == &c);
}

TEST_CASE("a place taken regardless is left like any other") {
  Gate gate(1);
  gate.try_enter();
  gate.enter_regardless();
  CHECK(gate.in_flight() == 2);
  CHECK(gate.try_leave() == Exit::left);
  CHECK_FALSE(gate.try_enter());
}

namespace {

void leave(Gate& gate) {
  if (gate.try_leave() == Exit::waited_for) gate.hand_over();  // spinning waiters need no waking
}

}  // namespace

TEST_CASE("threads that enter, wait, quit and leave never exceed the places and leave nothing behind") {
  constexpr int kThreads = 4, kPlaces = 2;
  Gate gate(kPlaces, 3);
  std::atomic<int> inside{0}, most{0};
  std::int64_t unguarded[kPlaces] = {};
  std::atomic<int> taken[kPlaces] = {};
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 chance(7u + static_cast<unsigned>(t));
      for (int i = 0; i < 4000; ++i) {
        if (!gate.try_enter()) {
          Waiter me;
          const Entry entry = gate.join(me);
          if (entry == Entry::full) continue;
          int patience = static_cast<int>(chance() % 200);
          while (me.place.load() == Place::waiting && patience-- > 0) std::this_thread::yield();
          if (me.place.load() == Place::waiting && gate.quit(me)) continue;
        }
        const int now = ++inside;
        int seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        for (int p = 0; p < kPlaces; ++p) {
          int no = 0;
          if (taken[p].compare_exchange_strong(no, 1)) {
            ++unguarded[p];
            taken[p].store(0);
            break;
          }
        }
        --inside;
        leave(gate);
      }
    });
  }
  threads.clear();
  CHECK(most.load() <= kPlaces);
  CHECK(gate.in_flight() == 0);
  CHECK(gate.queued() == 0);
}
