#include <doctest/doctest.h>

#include "limits/box.hpp"

using namespace seawall::limits;

TEST_CASE("two cancels do not give back what time has given back already") {
  Box box(Kind::token_bucket, 1, kSecond, 4);
  Ticket first, second;
  box.reserve(0, first, 3);
  box.reserve(0, second, 1);
  CHECK(refund(box.kind, *box.limit, first, 0));
  CHECK(box.take(3 * kSecond, 4));
  CHECK_FALSE(refund(box.kind, *box.limit, second, 3 * kSecond));
  CHECK_FALSE(box.take(3 * kSecond));
}

TEST_CASE("a state that has become the same again is not taken for an untouched one") {
  Box box(Kind::token_bucket, 1, kSecond, 4);
  Ticket first, second;
  box.reserve(0, first, 1);
  box.reserve(0, second, 1);
  CHECK(refund(box.kind, *box.limit, first, 0));
  CHECK(box.take(kSecond, 1));  // the word is what it was after the second place
  CHECK_FALSE(refund(box.kind, *box.limit, second, kSecond));
  CHECK(box.take(kSecond, 3));
  CHECK_FALSE(box.take(kSecond));
}

TEST_CASE("a place taken before a change of limits is not given back with others behind it") {
  for (const Kind kind : kAll) {
    if (kind == Kind::sliding_log) {
      continue;  // its cells carry their own times
    }
    Box box(kind, 4, kSecond, 4);
    Ticket ticket;
    box.reserve(0, ticket, 2);
    Config changed = config(kind, 4, 3 * kSecond, 4, 0);
    changed.since = kSecond / 2;
    changed.origin = kSecond / 2;
    reconfigure(kind, *box.limit, changed);
    const Verdict before = box.look(kSecond);
    CHECK_FALSE(refund(kind, *box.limit, ticket, kSecond));
    CHECK(box.look(kSecond).remaining == before.remaining);
  }
}

TEST_CASE("a refusal names the first instant at which the same call is admitted") {
  for (const Kind kind : kAll) {
    Box box(kind, 7, kSecond, 7);
    for (Ns now = 0; now < 5 * kSecond; now += 13'000'001) {
      if (!box.take(now)) {
        const Verdict v = box.look(now);
        REQUIRE_FALSE(v.admitted);
        REQUIRE(v.at > now);
        CHECK_FALSE(box.look(v.at - 1).admitted);
        CHECK(box.look(v.at).admitted);
      }
    }
  }
}

TEST_CASE("a reservation undone leaves the state it found") {
  for (const Kind kind : kAll) {
    Box box(kind, 5, kSecond, 5);
    box.take(10);
    box.take(20);
    const Verdict before = box.look(30);
    Ticket ticket;
    REQUIRE(box.reserve(30, ticket, 3).admitted);
    REQUIRE(undo(kind, *box.limit, ticket, 30));
    const Verdict after = box.look(30);
    CHECK(after.remaining == before.remaining);
    CHECK(after.at == before.at);
    CHECK(after.reset_at == before.reset_at);
  }
}

TEST_CASE("a clock that steps back admits nothing extra") {
  for (const Kind kind : kAll) {
    Box box(kind, 10, kSecond, 10);
    const Ns now = 100 * kSecond;
    while (box.take(now)) {
    }
    for (Ns back = 0; back < 90 * kSecond; back += kSecond) {
      CHECK_FALSE(box.take(now - back));
    }
  }
}

TEST_CASE("a cost above the limit is never admitted and says so") {
  for (const Kind kind : kAll) {
    Box box(kind, 3, kSecond, 3);
    const Verdict v = box.look(0, 4);
    CHECK_FALSE(v.admitted);
    CHECK(v.at == kNever);
  }
}

TEST_CASE("a reconfiguration keeps what was admitted") {
  for (const Kind kind : {Kind::token_bucket, Kind::fixed_window, Kind::sliding_window, Kind::sliding_log}) {
    Box box(kind, 10, kSecond, 10);
    for (int i = 0; i < 10; ++i) {
      REQUIRE(box.take(5));
    }
    Config c = config(kind, 4, kSecond, 4, box.cells);
    c.since = 6;
    reconfigure(kind, *box.limit, c);
    CHECK_FALSE(box.take(6));
    int admitted = 0;
    for (Ns now = 6; now < kSecond / 2; now += 1'000'000) {
      admitted += box.take(now);
    }
    CHECK(admitted == 0);
  }
}

TEST_CASE("the log frees exactly what was refunded, also in the middle") {
  Box box(Kind::sliding_log, 4, kSecond, 4);
  Ticket tickets[4];
  for (int i = 0; i < 4; ++i) {
    REQUIRE(box.reserve(i, tickets[i]).admitted);
  }
  REQUIRE_FALSE(box.take(10));
  REQUIRE(refund(Kind::sliding_log, *box.limit, tickets[1], 10));
  REQUIRE(refund(Kind::sliding_log, *box.limit, tickets[2], 10));
  CHECK(box.look(10).remaining == 2);
  CHECK(box.take(10));
  CHECK(box.take(11));
  CHECK_FALSE(box.take(12));
  CHECK(box.look(12).at == kSecond);  // the first admission leaves the window
  CHECK(box.take(kSecond));
}
