#include "seawall/memory/segment.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

using namespace seawall::memory;

namespace {

struct Path {
  std::string at = "/tmp/seawall-test-" + std::to_string(::getpid());
  Path() { Segment::remove(at); }
  ~Path() { Segment::remove(at); }
};

const std::uint64_t kImage[] = {1, 2, 3};

}  // namespace

TEST_CASE("a slot is found by name from every mapping of the file") {
  Path path;
  Segment one(path.at, 65'536), two(path.at, 0);
  const Slot made = one.slot("a", "kind", 1, 100, kImage, sizeof kImage);
  const Slot found = two.slot("a", "kind", 1, 100, kImage, sizeof kImage);
  CHECK(made.created);
  CHECK_FALSE(found.created);
  static_cast<std::uint64_t*>(made.state)[2] = 77;
  CHECK(static_cast<std::uint64_t*>(found.state)[2] == 77);
  CHECK(reinterpret_cast<std::uintptr_t>(found.state) % 128 == 0);
  CHECK(one.list().size() == 1);
}

TEST_CASE("threads that create the same slots agree on them") {
  Path path;
  Segment segment(path.at, 1 << 20);
  constexpr int kThreads = 4, kSlots = 50;
  std::vector<void*> seen[kThreads];
  std::atomic<int> created{0};
  std::vector<std::thread> threads;
  for (auto& mine : seen) {
    threads.emplace_back([&] {
      for (int i = 0; i < kSlots; ++i) {
        const Slot s = segment.slot("slot " + std::to_string(i), "kind", 1, 64, kImage, sizeof kImage);
        mine.push_back(s.state);
        created += s.created;
      }
    });
  }
  for (auto& t : threads) {
    t.join();
  }
  CHECK(created == kSlots);
  for (const auto& mine : seen) {
    CHECK(mine == seen[0]);
  }
}

TEST_CASE("errors say what is wrong and what to do") {
  Path path;
  Segment segment(path.at, kSmallest);
  segment.slot("a", "kind", 1, 64, kImage, sizeof kImage);
  CHECK_THROWS_WITH_AS(segment.slot("a", "other", 1, 64, kImage, sizeof kImage),
                       doctest::Contains("holds a kind, not a other; choose another name"), Fault);
  CHECK_THROWS_WITH_AS(segment.slot("a", "kind", 2, 64, kImage, sizeof kImage),
                       doctest::Contains("has layout 1 of kind, this seawall reads layout 2"), Fault);
  CHECK_THROWS_WITH_AS(segment.slot("b", "kind", 1, 1 << 20, kImage, sizeof kImage), doctest::Contains("is too small"),
                       Fault);
  CHECK(segment.list().size() == 1);
}
