#include "seawall/hashing/ring.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "seawall/hashing/moved.hpp"

using namespace seawall::hashing;

namespace {

std::vector<std::string> names(std::size_t n) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back("node-" + std::to_string(i));
  return out;
}

std::vector<Arrival> arrivals(const std::vector<std::string>& names, std::uint32_t points) {
  std::vector<Arrival> out;
  for (std::size_t i = 0; i < names.size(); ++i) out.push_back({names[i], static_cast<std::int32_t>(i), points});
  return out;
}

// The first point beyond a hash, by looking at all.
std::int32_t owner_by_looking(const Ring& ring, std::uint64_t hash) {
  for (const auto& point : ring.points()) {
    if (point.at > hash) return point.node;
  }
  return ring.points().front().node;
}

std::vector<std::uint64_t> hashes_near(const Ring& ring) {
  std::vector<std::uint64_t> out = {0, 1, ~std::uint64_t{0}};
  for (const auto& point : ring.points()) {
    out.insert(out.end(), {point.at - 1, point.at, point.at + 1});
  }
  for (std::uint64_t i = 0; i < 1'000; ++i) out.push_back(stable_hash(i));
  return out;
}

}  // namespace

TEST_CASE("a hash belongs to the first point beyond it, on rings of any size") {
  for (const std::size_t nodes : {1, 2, 3, 7, 50}) {
    for (const std::uint32_t points : {1U, 2U, 5U, 40U}) {
      const auto named = names(nodes);
      const auto ring = Ring().changed({}, arrivals(named, points));
      for (const auto hash : hashes_near(ring)) CHECK(ring.owner(hash) == owner_by_looking(ring, hash));
    }
  }
}

TEST_CASE("a ring changed step by step is the ring built at once") {
  const auto named = names(20);
  const auto all = arrivals(named, 30);
  const auto whole = Ring().changed({}, all);
  Ring grown;
  std::vector<std::int32_t> same;
  for (std::size_t i = 0; i < all.size(); ++i) {
    grown = grown.changed(same, std::span(all).subspan(i, 1));
    same.push_back(static_cast<std::int32_t>(i));
  }
  same[3] = kGone;
  const auto without = whole.changed(same, {});
  const auto again = without.changed(std::vector<std::int32_t>(20, 0), {});
  CHECK(again.points().size() == 19 * 30);
  const auto back = without.changed(
      [] {
        std::vector<std::int32_t> now(20);
        for (std::int32_t i = 0; i < 20; ++i) now[static_cast<std::size_t>(i)] = i;
        return now;
      }(),
      std::span(all).subspan(3, 1));
  const auto alike = [](const Ring& a, const Ring& b) {
    return std::equal(a.points().begin(), a.points().end(), b.points().begin(), b.points().end(),
                      [](const Point& p, const Point& q) { return p.at == q.at && p.node == q.node; });
  };
  CHECK(alike(grown, whole));
  CHECK(alike(back, whole));
}

TEST_CASE("what moves between two rings is just what has another owner") {
  const auto named = names(12);
  const auto before = Ring().changed({}, arrivals(named, 20));
  std::vector<std::int32_t> now(12);
  for (std::int32_t i = 0; i < 12; ++i) now[static_cast<std::size_t>(i)] = i == 4 ? kGone : i > 4 ? i - 1 : i;
  const std::string fresh = "zone";
  const Arrival one[] = {{fresh, 11, 25}};
  const auto after = before.changed(now, one);
  const auto moves = moved(before, after, now);
  CHECK(!moves.empty());
  auto hashes = hashes_near(before);
  const auto more = hashes_near(after);
  hashes.insert(hashes.end(), more.begin(), more.end());
  for (const auto hash : hashes) {
    const auto covers = [&](const Moved& move) { return move.start <= hash && (hash < move.end || move.end == 0); };
    const auto found = std::count_if(moves.begin(), moves.end(), covers);
    const bool moves_it = now[static_cast<std::size_t>(before.owner(hash))] != after.owner(hash);
    CHECK(found == (moves_it ? 1 : 0));
  }
}

TEST_CASE("a walk meets every node once, its owner first") {
  const auto named = names(9);
  const auto ring = Ring().changed({}, arrivals(named, 5));
  for (std::uint64_t key = 0; key < 200; ++key) {
    const auto hash = stable_hash(key);
    const auto order = chosen(ring, hash, std::vector<std::int32_t>(9, 0), 0, 20);
    CHECK(order.front() == ring.owner(hash));
    CHECK(std::set<std::int32_t>(order.begin(), order.end()).size() == 9);
    CHECK(order.size() == 9);
  }
}

TEST_CASE("copies take the zones in turn, and more copies begin with those for less") {
  const auto named = names(9);
  const auto ring = Ring().changed({}, arrivals(named, 5));
  const std::vector<std::int32_t> zones = {0, 0, 0, 0, 0, 1, 1, 1, 2};
  for (std::uint64_t key = 0; key < 200; ++key) {
    const auto all = chosen(ring, stable_hash(key), zones, 3, 9);
    std::set<std::int32_t> first;
    for (std::size_t i = 0; i < 3; ++i) first.insert(zones[static_cast<std::size_t>(all[i])]);
    CHECK(first.size() == 3);
    CHECK(std::set<std::int32_t>(all.begin(), all.end()).size() == 9);
    for (std::size_t n = 1; n < 9; ++n) {
      const auto fewer = chosen(ring, stable_hash(key), zones, 3, n);
      CHECK(std::equal(fewer.begin(), fewer.end(), all.begin()));
      CHECK(fewer.size() == n);
    }
  }
}
