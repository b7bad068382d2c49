#include "seawall/http/text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace seawall::http;

TEST_CASE("the first control character is found wherever it stands among whatever bytes") {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t place = 0; place < 20; ++place) {
      // Bytes that a borrow from the one below could mark wrongly stand behind it.
      std::string text = std::string(place, '\xff') + static_cast<char>(byte) + std::string(20 - place, ' ');
      const auto found = find_control(text.data(), text.data() + text.size());
      if (found != text.data() + (byte < 0x20 ? place : text.size())) FAIL(byte, " at ", place);
    }
  }
}

TEST_CASE("tokens are the characters of RFC 9110 5.6.2, in lower case") {
  std::string all, lower;
  for (int byte = 0; byte < 256; ++byte) {
    if (const char c = token(static_cast<char>(byte)); c != 0) {
      all += static_cast<char>(byte);
      lower += c;
    }
  }
  CHECK(all == "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
  CHECK(lower == "!#$%&'*+-.0123456789abcdefghijklmnopqrstuvwxyz^_`abcdefghijklmnopqrstuvwxyz|~");
}

TEST_CASE("names differ in nothing but case, or differ") {
  CHECK(same_name("Content-Length", "content-length"));
  CHECK_FALSE(same_name("Content-Lengt", "content-length"));
  for (const char c : std::string("!#$%&'*+.^_`|~0M")) CHECK_FALSE(same_name(std::string("a") + c, "a-"));
}
