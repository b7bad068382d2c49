#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <set>

#include "seawall/http/chain.hpp"
#include "seawall/http/schedule.hpp"
#include "seawall/http/shared.hpp"
#include "seawall/time/monotonic.hpp"

using namespace seawall;
using namespace seawall::http;

namespace {

struct Item {
  Link link;
};

}  // namespace

TEST_CASE("a chain does what a deque does, in any order of operations") {
  std::mt19937 random(7);
  std::vector<Item> items(20);
  Chain<Item, &Item::link> chain;
  std::deque<Index> model;
  for (int n = 0; n < 20'000; ++n) {
    const Index i = random() % 20;
    const auto found = std::find(model.begin(), model.end(), i);
    if (found != model.end()) {
      chain.remove(items, i);
      model.erase(found);
    } else if (random() % 2 == 0) {
      chain.push_back(items, i);
      model.push_back(i);
    } else {
      chain.push_front(items, i);
      model.push_front(i);
    }
    if (random() % 5 == 0 && !model.empty()) {
      REQUIRE(chain.pop_front(items) == model.front());
      model.pop_front();
    }
    REQUIRE(chain.empty() == model.empty());
    REQUIRE(chain.first() == (model.empty() ? kNone : model.front()));
  }
}

TEST_CASE("due times come out once, in their order, however they are fed") {
  Feed feed;
  CHECK(feed.peek() == kNever);
  CHECK_FALSE(feed.exhausted());
  feed.give({1, 2});
  feed.give({});
  feed.give({3});
  CHECK(feed.peek() == 1);
  feed.pop();
  feed.give({4});
  feed.finish();
  for (const Ns due : {2, 3, 4}) {
    CHECK_FALSE(feed.exhausted());
    CHECK(feed.peek() == due);
    feed.pop();
  }
  CHECK(feed.peek() == kNever);
  CHECK(feed.exhausted());
}

TEST_CASE("users of the closed model are ready at zero and again when they are back") {
  Users users(2);
  CHECK(users.peek() == 0);
  users.pop();
  CHECK(users.peek() == 0);
  users.pop();
  CHECK(users.peek() == kNever);
  users.back_at(5);
  users.back_at(6);
  CHECK(users.peek() == 5);
  users.pop();
  users.back_at(9);
  CHECK(users.peek() == 6);
  users.pop();
  CHECK(users.peek() == 9);
}

TEST_CASE("late is what was due before the line was last held back, even with places free again") {
  Line line;
  CHECK_FALSE(line.leave(0, 10));  // nobody held it back: the generator itself was late
  line.hold();
  CHECK(line.leave(5, 20));
  CHECK(line.leave(19, 21));
  CHECK_FALSE(line.leave(20, 21));
  CHECK_FALSE(line.leave(30, 30));
}

TEST_CASE("bodies go round in the order of the run, whatever the numbers") {
  CHECK(body_of(0, 0, 1, 1) == 0);
  CHECK(body_of(7, 2, 3, 5) == (2 + 7 * 3) % 5);
  const std::uint64_t huge = ~std::uint64_t{0};
  CHECK(body_of(huge, huge, huge, 4'000'000'000) < 4'000'000'000);
  CHECK(body_of(huge, 0, 1, 10) == huge % 10);
  std::set<std::uint64_t> orders;
  for (std::uint64_t t = 0; t < 3; ++t) {
    for (std::uint64_t j = 0; j < 4; ++j) orders.insert(order_of(j, t, 3));
  }
  CHECK(orders.size() == 12);
  CHECK(*orders.rbegin() == 11);
}

TEST_CASE("shares add up to the whole and differ by one at most") {
  for (std::uint64_t whole = 1; whole < 30; ++whole) {
    for (std::uint64_t n = 1; n <= whole; ++n) {
      std::uint64_t sum = 0;
      for (std::uint64_t k = 0; k < n; ++k) {
        sum += share_of(whole, k, n);
        CHECK(share_of(whole, k, n) - whole / n <= 1);
      }
      CHECK(sum == whole);
    }
  }
}

TEST_CASE("a run is hopeless after so many misses, unless the target was reached once") {
  Shared shared;
  for (int i = 0; i < 2; ++i) shared.note_end(load::kRefused, 3);
  CHECK_FALSE(shared.hopeless);
  shared.note_end(load::kDns, 3);
  CHECK(shared.hopeless);
  Shared lucky;
  lucky.note_end(load::kTimeout, 3);  // connected, so it is there
  for (int i = 0; i < 9; ++i) lucky.note_end(load::kRefused, 3);
  CHECK_FALSE(lucky.hopeless);
  Shared patient;
  for (int i = 0; i < 99; ++i) patient.note_end(load::kRefused, 0);
  CHECK_FALSE(patient.hopeless);
}

TEST_CASE("a poller wakes at a bell, and after the time it was given, by either means of waiting") {
  for (const bool precise : {true, false}) {
    Poller poller(precise);
    poller.ring();
    CHECK(poller.wait(kNever).empty());
    const auto before = time::monotonic_ns();
    CHECK(poller.wait(2'000'000).empty());
    CHECK(time::monotonic_ns() - before >= 2'000'000);
    CHECK(poller.wait(0).empty());
  }
}
