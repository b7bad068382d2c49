#include "seawall/breaker/era.hpp"

#include <set>

#include "breaker/box.hpp"

using namespace seawall::breaker;

TEST_CASE("an era's word holds its state, trips and time, and zero is a closed breaker") {
  const std::uint64_t era = successor(0, State::open, 3, units_up(kSecond));
  CHECK(state_of(era) == State::open);
  CHECK(trips_of(era) == 3);
  CHECK(counter_of(era) == 1);
  CHECK(time_of(era) >= kSecond);
  CHECK(time_of(era) < kSecond + 1024);
  CHECK(state_of(0) == State::closed);
  CHECK(trips_of(successor(era, State::metrics_only, 99, 0)) == kMostTrips);
  CHECK(state_of(successor(era, State::metrics_only, 99, kLastUnit)) == State::metrics_only);
}

TEST_CASE("times out of range stay at the ends") {
  CHECK(units(-5) == 0);
  CHECK(units(kNever) == kLastUnit);
  CHECK(units_up(kNever) == kLastUnit);
  CHECK(units_up(0) == 0);
  CHECK(units_up(1) == 1);
  CHECK(units_up(1024) == 1);
  CHECK(after(kNever - 1, 2) == kNever);
  CHECK(after(-3, 2) == -1);
}

TEST_CASE("255 eras in a row have tags of their own, even at one instant") {
  std::set<std::uint64_t> words, longer, shorter, windows;
  std::uint64_t era = 0;
  for (int i = 0; i < 255; ++i) {
    era = successor(era, State::half_open, 0, units(kSecond));
    words.insert(era);
    longer.insert(tag32(mixed(era)));
    shorter.insert(short_tag<14>(era));
    windows.insert(window_tag(era, BreakerConfig{}));
  }
  CHECK(words.size() == 255);
  CHECK(longer.size() == 255);
  CHECK(shorter.size() == 255);
  CHECK(windows.size() == 255);
}

TEST_CASE("a word is not written for an era that has ended") {
  Word state{7}, word{1};
  const auto next = [](std::uint64_t seen) { return seen + 1; };
  CHECK(update(Era{state, 7, 0}, word, next));
  CHECK_FALSE(update(Era{state, 8, 0}, word, next));
  CHECK(word.load() == 2);
}
