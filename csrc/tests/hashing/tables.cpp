#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "seawall/hashing/maglev.hpp"
#include "seawall/hashing/rendezvous.hpp"

using namespace seawall::hashing;

TEST_CASE("the draw is the logarithm to within two units of the last place, and never zero") {
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const auto hash = stable_hash(i) >> (i % 50);
    const double share = (static_cast<double>(hash >> 12) + 0.5) * 0x1p-52;
    CHECK(std::abs(draw(hash) + std::log(share)) <= 4.5e-16 * std::abs(std::log(share)));
  }
  CHECK(draw(~std::uint64_t{0}) > 0.0);
  CHECK(draw(0) < 37.0);
}

TEST_CASE("the best node is the first of the order, alike in weight or not") {
  std::vector<std::string> kept;
  for (int i = 0; i < 300; ++i) kept.push_back("n" + std::to_string(i));  // more than are met at once
  const std::vector<std::string_view> names(kept.begin(), kept.end());
  std::vector<double> weights;
  for (int i = 0; i < 300; ++i) weights.push_back(1.0 + i % 5);
  const Rendezvous alike(names, std::vector<double>(300, 2.0));
  const Rendezvous weighted(names, weights);
  for (std::uint64_t key = 0; key < 500; ++key) {
    const auto hash = stable_hash(key);
    CHECK(alike.best(hash) == alike.order(hash, 1).front());
    CHECK(weighted.best(hash) == weighted.order(hash, 300).front());
    const auto some = weighted.order(hash, 4);
    const auto all = weighted.order(hash, 300);
    CHECK(std::equal(some.begin(), some.begin() + 4, all.begin()));
  }
}

TEST_CASE("nodes of a weight have the same number of slots, to one, and none is empty") {
  const std::vector<std::string_view> names = {"a", "b", "c", "d", "e", "f", "g"};
  const Maglev maglev(names, std::vector<double>(7, 3.0), 65'537);
  std::vector<int> counts(7, 0);
  for (const auto node : maglev.table()) ++counts[static_cast<std::size_t>(node)];
  CHECK(*std::max_element(counts.begin(), counts.end()) - *std::min_element(counts.begin(), counts.end()) <= 1);
}

TEST_CASE("the table is filled as the paper says") {
  // Slow and obvious: whole permutations, a turn each.
  const std::vector<std::string_view> names = {"x", "y", "z"};
  const std::uint32_t slots = 13;
  std::vector<std::int32_t> table(slots, kGone);
  std::vector<std::uint64_t> next(3, 0);
  for (std::uint32_t filled = 0; filled < slots;) {
    for (std::size_t i = 0; i < 3 && filled < slots; ++i) {
      const auto offset = stable_hash(names[i].data(), 1, 1) % slots;
      const auto skip = stable_hash(names[i].data(), 1, 2) % (slots - 1) + 1;
      std::uint64_t at = (offset + next[i] * skip) % slots;
      while (table[at] != kGone) at = (offset + ++next[i] * skip) % slots;
      table[at] = static_cast<std::int32_t>(i);
      ++filled;
    }
  }
  CHECK(Maglev(names, {1.0, 1.0, 1.0}, slots).table() == table);
}
