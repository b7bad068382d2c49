#include "seawall/http/checks.hpp"

#include <doctest/doctest.h>

#include "../../fuzz/http/checks.hpp"

using namespace seawall::http;
namespace load = seawall::load;

namespace {

load::Code verdict(const Checks& checks, int status, std::string_view body) {
  const auto whole = fuzz::verdict(checks, status, body, body.size() + 1);
  CHECK(fuzz::verdict(checks, status, body, 1) == whole);
  return whole;
}

}  // namespace

TEST_CASE("without a word every status below 400 is good") {
  const Checks checks;
  REQUIRE(valid(checks));
  CHECK(verdict(checks, 200, "") == 200);
  CHECK(verdict(checks, 101, "") == 101);
  CHECK(verdict(checks, 399, "x") == 399);
  CHECK(verdict(checks, 400, "") == load::kWrongStatus);
  CHECK(verdict(checks, 599, "") == load::kWrongStatus);
}

TEST_CASE("statuses are those of a set") {
  Checks checks;
  checks.accepted = Statuses();
  CHECK_FALSE(valid(checks));
  CHECK(checks.accepted.add(503));
  CHECK_FALSE(checks.accepted.add(99));
  CHECK_FALSE(checks.accepted.add(600));
  CHECK(valid(checks));
  CHECK(verdict(checks, 503, "") == 503);
  CHECK(verdict(checks, 200, "") == load::kWrongStatus);
  CHECK_FALSE(checks.accepted.has(0));
  CHECK_FALSE(checks.accepted.has(-1));
  CHECK(Statuses::between(200, 300).has(299));
  CHECK_FALSE(Statuses::between(200, 300).has(300));
}

TEST_CASE("a body contains a text, wherever the pieces end") {
  Checks checks;
  checks.contains = Needle("aab");
  CHECK(verdict(checks, 200, "aab") == 200);
  CHECK(verdict(checks, 200, "xaaaaabx") == 200);
  CHECK(verdict(checks, 200, "aaxab aa") == load::kWrongBody);
  CHECK(verdict(checks, 200, "") == load::kWrongBody);
  checks.contains = Needle(std::string("\0\xff", 2));
  CHECK(verdict(checks, 200, std::string_view("\0\0\xff", 3)) == 200);
}

TEST_CASE("a body has a least and a most size") {
  Checks checks;
  checks.least = 2;
  checks.most = 3;
  CHECK(verdict(checks, 200, "x") == load::kWrongSize);
  CHECK(verdict(checks, 200, "xx") == 200);
  CHECK(verdict(checks, 200, "xxx") == 200);
  CHECK(verdict(checks, 200, "xxxx") == load::kWrongSize);
  checks.least = 4;
  CHECK_FALSE(valid(checks));
}

TEST_CASE("the status is judged before the body, the body before its size") {
  Checks checks;
  checks.contains = Needle("x");
  checks.least = 1;
  CHECK(verdict(checks, 500, "") == load::kWrongStatus);
  CHECK(verdict(checks, 200, "") == load::kWrongBody);
}

TEST_CASE("the next response starts afresh") {
  Checks checks;
  checks.contains = Needle("ab");
  Checking checking;
  checking.piece(checks, "ab");
  CHECK(checking.verdict(checks, 200) == 200);
  checking.begin();
  CHECK(checking.verdict(checks, 200) == load::kWrongBody);
}

TEST_CASE("a text is found in the same bytes as by the library, for every text and body over two letters") {
  const auto word = [](unsigned bits, unsigned size) {
    std::string out;
    for (unsigned i = 0; i < size; ++i) out += (bits >> i & 1) != 0 ? 'a' : 'b';
    return out;
  };
  for (unsigned size = 0; size <= 5; ++size) {
    for (unsigned bits = 0; bits < 1u << size; ++bits) {
      Checks checks;
      checks.contains = Needle(word(bits, size));
      for (unsigned body = 0; body < 1u << 9; ++body) {
        const auto text = word(body, 9);
        for (std::size_t step : {1, 2, 5, 9}) {
          if (fuzz::verdict(checks, 200, text, step) != fuzz::expected(checks, 200, text)) FAIL(text);
        }
      }
    }
  }
}
