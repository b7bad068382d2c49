#include "seawall/clocks/vector.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace seawall::clocks;
using namespace std::string_literals;

namespace {

std::string empty() {
  std::string out;
  put_head(out, 0, "", 0, 0);
  return out;
}

std::string next(const std::string& form, std::string_view name, std::uint64_t at = 0) {
  std::string out;
  REQUIRE(advance(form, name, at, out));
  REQUIRE(valid(out));
  return out;
}

std::string merged(const std::string& a, const std::string& b) {
  std::string entries, out;
  const auto n = merge_entries(a, b, entries);
  put_head(out, 0, "", 0, n);
  return out + entries;
}

// `entries` under one mark, whose pruning took counts up to `most`.
std::string pruned(char mark, std::uint64_t most, const std::string& entries) {
  std::string out;
  put_head(out, 1, std::string(kMarkBytes, mark), most, Reader(entries).size());
  return out + entries.substr(empty().size());
}

}  // namespace

TEST_CASE("the form of a clock is fixed byte by byte") {
  CHECK(empty() == "\x01\x00\x00\x00\x00"s);
  const auto clock = next(next(next(empty(), "b", 300), "a", 1), "b", 299);
  CHECK(clock == "\x01\x00\x00\x00\x02\x01"s + "a\x01\x01\x01"s + "b\x02\xac\x02"s);
}

TEST_CASE("histories are equal, before, after or concurrent") {
  const auto a = next(empty(), "a"), ab = next(a, "b"), ac = next(a, "c"), both = merged(ab, ac);
  CHECK(compare(empty(), empty()) == Order::equal);
  CHECK(compare(empty(), a) == Order::before);
  CHECK(compare(ab, a) == Order::after);
  CHECK(compare(ab, ac) == Order::concurrent);
  CHECK(compare(ab, both) == Order::before);
  CHECK(compare(both, merged(ac, ab)) == Order::equal);
  CHECK(compare(next(a, "a"), ab) == Order::concurrent);
}

TEST_CASE("times are carried along and compare to nothing") {
  CHECK(compare(next(empty(), "a", 1), next(empty(), "a", 9)) == Order::equal);
  CHECK(merged(next(empty(), "a", 1), next(empty(), "a", 9)) == next(empty(), "a", 9));
}

TEST_CASE("what was pruned here is never told to be before who did not see the pruning") {
  const auto x = next(next(empty(), "x"), "x");
  const auto xy = next(x, "y");
  const auto only_y = pruned('m', 2, next(empty(), "y"));
  CHECK(compare(xy, only_y) == Order::concurrent);
  CHECK(compare(only_y, xy) == Order::concurrent);
  CHECK(compare(only_y, next(only_y, "y")) == Order::before);
  CHECK(compare(only_y, only_y) == Order::equal);
  CHECK(compare(only_y, pruned('n', 2, next(empty(), "y"))) == Order::concurrent);
}

TEST_CASE("a node whose entry was pruned counts on above it") {
  const auto clock = next(pruned('m', 7, empty()), "x");
  CHECK(Reader(clock).entry().count == 8);
}

TEST_CASE("bytes that are no clock in its one form are told apart") {
  const auto good = next(next(empty(), "a", 200), "b", 300);
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(valid(std::string_view(good).substr(0, size)));
  }
  CHECK_FALSE(valid(good + "x"));
  CHECK_FALSE(valid("\x02\x00\x00\x00\x00"s));
  CHECK_FALSE(valid("\x01\x00\x00\x00\x01\x00\x01\x00"s));             // no name
  CHECK_FALSE(valid("\x01\x00\x00\x00\x01\x01"s + "a\x00\x00"s));      // no event
  CHECK_FALSE(valid("\x01\x00\x00\x00\x01\x01"s + "a\x81\x00\x00"s));  // not the shortest form
  CHECK_FALSE(valid("\x01\x00\x00\x05\x00"s));                         // a count without a mark
  CHECK_FALSE(valid("\x01\x00\x00\x00\x02\x01"s + "b\x01\x00\x01"s + "a\x01\x00"s));
  CHECK_FALSE(valid("\x01\x00\x00\x00\x01\x01"s + "a" + std::string(9, '\xff') + "\x01\x00"s));
  CHECK_FALSE(valid("\x01\x01\x01"s));
  CHECK_FALSE(valid("\x01\x01\xff"s + std::string(255 * 16, 'm') + "\x01\x00"s));
  CHECK(valid(pruned('m', 1, empty())));
  CHECK_FALSE(valid(pruned('m', 0, empty())));
}

TEST_CASE("a full clock and a full count take no more") {
  auto clock = empty();
  for (std::size_t i = 0; i < kMostEntries; ++i) clock = next(clock, std::to_string(i));
  std::string out;
  CHECK_FALSE(advance(clock, "one more", 0, out));
  CHECK(advance(clock, "7", 0, out));
  std::string last;
  put_head(last, 0, "", 0, 1);
  put_entry(last, {"a", kMostCount, 0});
  REQUIRE(valid(last));
  CHECK_FALSE(advance(last, "a", 0, out));
}
