#include "metrics/table.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <set>
#include <thread>

using namespace seawall::metrics;

TEST_CASE("a series is found again by its family and its values, and by nothing else") {
  Block block(1 << 20, 1);
  Table table(block.at(), nullptr);
  auto& one = *table.family(counters("one", {"a", "b"}), 1);
  auto& two = *table.family(counters("two", {"a", "b"}), 1);
  auto* const found = table.series(one, key({"x", "yz"}), 1);
  CHECK(table.series(one, key({"x", "yz"}), 1) == found);
  CHECK(table.series(one, key({"xy", "z"}), 1) != found);
  CHECK(table.series(two, key({"x", "yz"}), 1) != found);
  CHECK(table.family(counters("one", {"other"}), 1) == &one);  // whose definition the caller compares
}

TEST_CASE("beyond max_series everything is the overflow series, and counted") {
  Block block(1 << 20, 1);
  Table table(block.at(), nullptr);
  auto& family = *table.family(counters("hits", {"user"}, 3), 1);
  for (int i = 0; i < 10; ++i) add(table.cell(*table.series(family, key({std::to_string(i)}), 1)), 1);
  CHECK(table.series_of(family).size() == 4);
  CHECK(family.overflowed.load() == 7);
  CHECK(total(table.cell(*table.at<Series>(family.overflow))) == 7);
}

TEST_CASE("where memory ends a family is not made, a series overflows, and what is there goes on") {
  Block block(64 * 1024, 1);
  Table table(block.at(), nullptr);
  auto& family = *table.family(histograms("latency", {}, {"route"}), 1);
  for (int i = 0; i < 100; ++i) REQUIRE(table.series(family, key({std::to_string(i)}), 1) != nullptr);
  CHECK(family.overflowed.load() >= 97);
  CHECK(table.family(histograms("more", {}), 1) == nullptr);
  auto* const small = table.family(counters("small"), 1);
  REQUIRE(small != nullptr);
  CHECK(total(table.cell(only(table, *small))) == 0);
}

TEST_CASE("memory of a family that found no room is zero for the next") {
  Block block(64 * 1024, 1);
  Table table(block.at(), nullptr);
  auto definition = histograms("large", {1, 2, 3});
  definition.digits = 4;
  CHECK(table.family(definition, 1) == nullptr);
  auto& family = *table.family(counters("a", {"x"}), 1);
  CHECK(family.series.load() == family.overflow);
  CHECK(family.overflowed.load() == 0);
}

TEST_CASE("cells of a bank do not touch each other") {
  Block block(1 << 20, 1);
  Table table(block.at(), nullptr);
  auto& family = *table.family(counters("a", {"x"}), 1);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20'000; ++i) add(table.cell(*table.series(family, key({std::to_string(i % 20)}), 1)), t + 1);
    });
  }
  threads.clear();
  CHECK(table.series_of(family).size() == 21);
  for (const auto& reading : read_family(table, family, table.living())) CHECK(reading.amount.whole == 10'000);
}

TEST_CASE("threads that register, count and read at once see whole series, each once") {
  Block block(8 << 20, 1);
  Table table(block.at(), nullptr);
  std::atomic<bool> stop{false};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        auto& family = *table.family(counters("f" + std::to_string(i % 7), {"x"}), 1);
        auto& series = *table.series(family, key({std::to_string(i)}), 1);
        add(table.cell(series), 1);
        if (auto* const into = table.exemplar(series)) write(*into, t, 7, key({"trace", std::to_string(t)}));
      }
    });
  }
  std::jthread reader([&] {
    while (!stop) {
      for (const auto* const family : table.families()) {
        for (const auto& reading : read_family(table, *family, table.living())) {
          CHECK(reading.amount.whole <= 3);
          if (reading.has_example)
            CHECK(reading.example.text == key({"trace", std::to_string(int(reading.example.value))}));
        }
      }
    }
  });
  threads.clear();
  stop = true;
  reader.join();
  std::size_t series = 0;
  for (const auto* const family : table.families()) {
    for (const auto& reading : read_family(table, *family, table.living())) {
      CHECK(reading.amount.whole == 3);
      ++series;
    }
  }
  CHECK(series == 300);
}

TEST_CASE(
    "a process killed at any moment of a registration leaves a table in which every series is found and read once") {
  constexpr std::size_t kBytes = 16 << 20;
  auto* const shared = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  start_head(*static_cast<Head*>(shared), kBytes, 4);
  Table table(shared, nullptr);  // its lock is the process's: one child at a time, and the child's dies with it
  std::mt19937 random(7);
  constexpr int kChildren = 60;
  for (int child = 0; child < kChildren; ++child) {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    const auto pid = ::fork();
    if (pid == 0) {
      for (int i = 0; i < 300; ++i) {
        auto* const family =
            table.family(counters("f" + std::to_string(child) + "-" + std::to_string(i / 8), {"x"}), 1);
        if (family == nullptr) ::_exit(0);
        add(table.cell(*table.series(*family, key({std::to_string(i)}), 1)), 1);
        if (i == 0 && ::write(pipe[1], ".", 1) != 1) ::_exit(1);
      }
      for (;;) ::pause();  // it was not killed in time
    }
    char heard;
    REQUIRE(::read(pipe[0], &heard, 1) == 1);
    const auto until = seawall::time::monotonic_ns() + static_cast<std::int64_t>(random() % 200'000);
    while (seawall::time::monotonic_ns() < until) {
    }
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
    REQUIRE(table.family(counters("after" + std::to_string(child)), 1) != nullptr);
    CHECK(table.head().pending.load() == 0);
  }
  std::set<std::string> names;
  for (auto* const family : table.families()) {
    const std::string name(texts_of(*family).next());
    CHECK(names.insert(name).second);
    CHECK(table.find_family(name) == family);
    std::set<std::string> keys;
    for (auto* const series : table.series_of(*family)) {
      CHECK(keys.insert(std::string(key_of(*series))).second);
      CHECK(table.series(*family, key_of(*series), 1) == series);
      CHECK(total(table.cell(*series)) <= 1);
    }
    CHECK(family->overflowed.load() == 0);
  }
  CHECK(names.size() >= 2 * kChildren);
  ::munmap(shared, kBytes);
}

TEST_CASE("what `pending` names is finished by whoever registers next") {
  Block block(1 << 20, 1);
  Table table(block.at(), nullptr);
  auto& family = *table.family(counters("a", {"x"}), 1);
  auto* const series = table.series(family, key({"1"}), 1);
  // As a process leaves it that is killed before its record is in the chain, and in the index.
  family.series.store(series->record.next.load());
  const_cast<Head&>(table.head()).pending.store(table.offset_of(series));
  table.series(family, key({"2"}), 1);
  CHECK(table.series_of(family).size() == 3);
  CHECK(table.head().pending.load() == 0);
  CHECK(table.series(family, key({"1"}), 1) == series);
}
