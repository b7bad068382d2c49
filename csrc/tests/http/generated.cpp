// Responses made at random, right ones and ones with a few bytes changed, against the oracle and against themselves cut
// anywhere.
#include <doctest/doctest.h>

#include <random>

#include "http/drive.hpp"

namespace {

using std::string;

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

  template <std::size_t N>
  string one_of(const char* const (&words)[N]) {
    return words[below(N)];
  }

  string response() {
    string out;
    while (below(5) == 0)
      out += one_of(kVersions) + " 10" + std::to_string(below(4)) + one_of(kReasons) + fields("") + end();
    const string body(below(12), 'b');
    out += one_of(kVersions) + " " + one_of(kStatuses) + one_of(kReasons);
    switch (below(4)) {
      case 0:
        return out + fields("Content-Length: " + std::to_string(body.size()) + end()) + end() + body + "HTTP";
      case 1:
        return out + fields(one_of(kFraming) + end()) + end() + body;
      case 2:
        return out + fields("") + end() + body;
      default:
        return out + fields("Transfer-Encoding: " + one_of(kCodings) + end()) + end() + chunks();
    }
  }

  void mutate(string& bytes) {
    constexpr std::string_view kBytes("\r\n\0 \t:;,\"\\0159afHhc", 18);
    for (std::size_t changes = below(4); changes != 0 && !bytes.empty(); --changes) {
      const std::size_t at = below(bytes.size());
      switch (below(4)) {
        case 0:
          bytes[at] = kBytes[below(kBytes.size())];
          break;
        case 1:
          bytes.insert(at, 1, kBytes[below(kBytes.size())]);
          break;
        case 2:
          bytes.erase(at, 1 + below(3));
          break;
        default:
          bytes.insert(below(bytes.size()), bytes.substr(at, below(30)));
      }
    }
  }

 private:
  static constexpr const char* kVersions[] = {"HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2"};
  static constexpr const char* kStatuses[] = {"200", "200", "200", "204", "304", "404", "500", "101"};
  static constexpr const char* kReasons[] = {" OK\r\n", " \r\n", "\r\n", " a b\tc\n"};
  static constexpr const char* kFields[] = {"Server: x",
                                            "X:",
                                            "Date: Tue, 24 Nov 2026 11:47:26 GMT",
                                            "Connection: close",
                                            "connection: Keep-Alive",
                                            "Connection: a, close ,b",
                                            "Content-Type: a\r\n b",
                                            "Cookie: \t",
                                            "TE: chunked",
                                            "Transfer: x",
                                            "Content-Lengt: 4"};
  static constexpr const char* kFraming[] = {"Content-Length: 3, 3",
                                             "Content-Length: 3\r\nContent-Length: 4",
                                             "Content-Length:",
                                             "Transfer-Encoding: chunked\r\nContent-Length: 0",
                                             "Content-Length: 99999999999999999999",
                                             "Transfer-Encoding: gzip",
                                             "content-length :5",
                                             "Content-Length: 7\r\n\t"};
  static constexpr const char* kCodings[] = {
      "chunked", "chunked", "CHUNKED", "gzip, chunked", "gzip;a=\",\",chunked", "chunked, gzip", "chunked;a"};

  string end() { return below(6) == 0 ? "\n" : "\r\n"; }

  // A few, with the one that frames the response among them.
  string fields(const string& framing) {
    string out;
    for (std::size_t n = below(4); n != 0; --n) out += one_of(kFields) + end();
    out += framing;
    for (std::size_t n = below(3); n != 0; --n) out += one_of(kFields) + end();
    return out;
  }

  string chunks() {
    static constexpr const char* kExtensions[] = {"", "", "", ";a", " ;a=\"b\"", "  "};
    string out;
    for (std::size_t n = below(4); n != 0; --n) {
      const std::size_t size = 1 + below(15);
      out += "0123456789abcdef"[size] + one_of(kExtensions) + "\r\n" + string(size, '\r') + "\r\n";
    }
    return out + "0" + one_of(kExtensions) + "\r\n" + fields("") + end();
  }

  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("made and mutated responses come out as the oracle says, however they are cut") {
  constexpr std::uint64_t kSeed = 20261124;
  Maker maker(kSeed);
  const drive::Bounds small{120, 4, 1, 9, 30};
  int good = 0, bad = 0;
  for (int i = 0; i < 20'000; ++i) {
    string bytes = maker.response();
    maker.mutate(bytes);
    CAPTURE(kSeed);
    CAPTURE(i);
    const auto bounds = i % 4 == 0 ? small : drive::Bounds{};
    drive::ResponseParser parser(bounds);
    const std::size_t cut = maker.below(bytes.size() + 1);
    (drive::read(parser, bytes, i % 5 == 0, bounds, {cut, std::min(bytes.size(), cut + maker.below(4))}).done ? good
                                                                                                              : bad)++;
  }
  // The makers make what they should: neither side of the grammar is left out.
  CHECK(good > 4'000);
  CHECK(bad > 4'000);
}
