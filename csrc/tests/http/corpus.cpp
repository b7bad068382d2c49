// What the fuzzers found worth keeping, replayed by every build.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "../../fuzz/http/checks.hpp"
#include "../../fuzz/http/parser.hpp"
#include "../../fuzz/http/request.hpp"

namespace {

int replay(const char* name, void (*fuzzer)(const std::uint8_t*, std::size_t)) {
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(SEAWALL_CORPUS) / "http" / "corpus" / name)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    fuzzer(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++files;
  }
  return files;
}

}  // namespace

TEST_CASE("the laws of the fuzzers hold for their corpus") {
  CHECK(replay("parser", fuzz::parser) >= 20);
  CHECK(replay("checks", fuzz::checks) >= 5);
  CHECK(replay("request", fuzz::request) >= 10);
}
