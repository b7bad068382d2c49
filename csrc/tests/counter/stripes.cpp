#include "seawall/counter/stripes.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <limits>
#include <memory>
#include <set>
#include <thread>
#include <vector>

using namespace seawall::counter;

TEST_CASE("threads that add at once lose nothing") {
  const auto counter = std::make_unique<Stripes>();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) counter->add(i % 3);
    });
  }
  threads.clear();
  CHECK(counter->value() == 8 * 19'999);
}

TEST_CASE("neighbouring threads draw different stripes") {
  std::set<std::uint32_t> seen;
  for (std::size_t t = 0; t < kStripes; ++t) std::thread([&] { seen.insert(my_stripe()); }).join();
  CHECK(seen.size() == kStripes);
}

TEST_CASE("the total wraps at 2**64") {
  const auto counter = std::make_unique<Stripes>();
  counter->add(std::numeric_limits<std::uint64_t>::max());
  counter->add(3);
  CHECK(counter->value() == 2);
}

TEST_CASE("forked children leave their parent's stripe, and their adds are counted") {
  auto* const shared = ::mmap(nullptr, sizeof(Stripes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  auto* const counter = static_cast<Stripes*>(shared);
  counter->add(1);  // the parent has drawn, as the children will find
  for (int child = 0; child < 4; ++child) {
    const auto pid = ::fork();
    if (pid == 0) {
      counter->add(1);
      ::_exit(0);
    }
    ::waitpid(pid, nullptr, 0);
  }
  int used = 0;
  for (const auto& stripe : counter->stripes) used += stripe.total.load() != 0 ? 1 : 0;
  CHECK(counter->value() == 5);
  CHECK(used >= 3);  // neighbouring process ids, so five stripes unless other programs started in between
  ::munmap(shared, sizeof(Stripes));
}
