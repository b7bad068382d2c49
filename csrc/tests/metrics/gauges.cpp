#include <doctest/doctest.h>
#include <sys/wait.h>

#include <memory>
#include <thread>

#include "metrics/table.hpp"

using namespace seawall::metrics;

namespace {

// A table as a segment has it, in memory of this process: owners are told apart by ids that need not live.
struct World {
  explicit World(std::uint64_t workers = 3) : memory(1 << 20), table(place(), nullptr) {
    start_head(*static_cast<Head*>(place()), 1 << 20, workers);
  }
  void* place() { return reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 127) / 128 * 128); }
  std::optional<double> value(Family& family, std::vector<bool> living) {
    return gauge_of(table, family, only(table, family), living);
  }
  std::vector<char> memory = std::vector<char>((1 << 20) + 128);
  Table table;
};

}  // namespace

TEST_CASE("gauges of several workers are their sum, least, most or last") {
  for (const auto& [across, wanted] : {std::pair{Across::sum, 4.0}, std::pair{Across::min, -1.0},
                                       std::pair{Across::max, 3.0}, std::pair{Across::last, 2.0}}) {
    World world;
    auto& family = *world.table.family(gauges("g", across), 1);
    auto& series = only(world.table, family);
    const std::vector<bool> all(4, true);
    CHECK_FALSE(world.value(family, all).has_value());
    set(world.table, series, across == Across::last, 2, -1.0);
    set(world.table, series, across == Across::last, 0, 3.0);
    set(world.table, series, across == Across::last, 1, 2.0);
    CHECK(world.value(family, all) == wanted);
    unset(world.table, series, 1);
    CHECK(world.value(family, {false, true, true, true}) == -1.0);
    CHECK_FALSE(world.value(family, {false, true, false, true}).has_value());
  }
}

TEST_CASE("zero and negative zero are set, not nothing") {
  World world;
  auto& family = *world.table.family(gauges("g", Across::max), 1);
  set(world.table, only(world.table, family), false, 0, 0.0);
  CHECK(world.value(family, std::vector<bool>(4, true)) == 0.0);
  set(world.table, only(world.table, family), false, 0, -0.0);
  CHECK(world.value(family, std::vector<bool>(4, true)).has_value());
}

TEST_CASE("a move beyond the largest float is refused and changes nothing") {
  Word word{0};
  CHECK(move(word, 1.7e308));
  CHECK_FALSE(move(word, 1.7e308));
  CHECK(number_of(word.load()) == 1.7e308);
}

TEST_CASE("a place whose owner is dead is taken and cleared, one whose owner lives is not") {
  World world(2);
  auto& family = *world.table.family(gauges("g", Across::sum), 1);
  const auto me = static_cast<std::uint64_t>(::getpid());
  const auto mine = world.table.claim(me, start_of(::getpid()));
  CHECK(world.table.claim(me, start_of(::getpid())) == mine);         // the same process again
  const auto dead = world.table.claim(me, start_of(::getpid()) + 1);  // an id that was used before
  CHECK(dead != mine);
  set(world.table, only(world.table, family), false, dead, 5.0);
  set(world.table, only(world.table, family), false, mine, 1.0);
  CHECK(world.table.claim(me, start_of(::getpid()) + 2) == dead);
  CHECK(gauge_word(world.table, only(world.table, family), dead).load() == 0);
  CHECK(gauge_word(world.table, only(world.table, family), mine).load() == word_for(1.0));
}

TEST_CASE("where all owners live, newcomers share the last line and are counted") {
  World world(1);
  CHECK(world.table.claim(static_cast<std::uint64_t>(::getpid()), start_of(::getpid())) == 0);
  const auto parent = ::getppid();
  CHECK(world.table.claim(static_cast<std::uint64_t>(parent), start_of(parent)) == 1);
  CHECK(world.table.head().dropped.load() == 1);
}

TEST_CASE("a process lives until it ends, also before anybody waits for it") {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const auto child = ::fork();
  if (child == 0) {
    char byte;
    ::close(pipe[1]);
    ::_exit(static_cast<int>(::read(pipe[0], &byte, 1)));
  }
  const auto start = start_of(child);
  CHECK(start != 0);
  CHECK(lives(static_cast<std::uint64_t>(child), start));
  CHECK_FALSE(lives(static_cast<std::uint64_t>(child), start + 1));
  ::close(pipe[1]);
  ::siginfo_t info;
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) ==
          0);  // it is dead, and not yet waited for
  CHECK_FALSE(lives(static_cast<std::uint64_t>(child), start));
  ::waitpid(child, nullptr, 0);
  CHECK_FALSE(lives(static_cast<std::uint64_t>(child), start));
}

TEST_CASE("exemplars of writers that meet are whole or none") {
  const auto slot = std::make_unique<Exemplar>();
  std::atomic<bool> stop{false};
  std::vector<std::jthread> writers;
  for (int t = 0; t < 3; ++t) {
    writers.emplace_back([&, t] {
      const std::string text =
          key({"trace", std::string(static_cast<std::size_t>(20 + t * 40), static_cast<char>('a' + t))});
      while (!stop) write(*slot, t, static_cast<std::uint64_t>(t), text);
    });
  }
  int whole = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto seen = read(*slot);
    if (!seen) continue;
    ++whole;
    const auto t = static_cast<int>(seen->value);
    CHECK(seen->at_ns == static_cast<std::uint64_t>(t));
    CHECK(seen->text == key({"trace", std::string(static_cast<std::size_t>(20 + t * 40), static_cast<char>('a' + t))}));
  }
  stop = true;
  writers.clear();
  write(*slot, 1.0, 2, "");
  CHECK(read(*slot)->value == 1.0);
}
