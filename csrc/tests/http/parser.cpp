// Every rule of ResponseParser by example. Each example is fed whole, byte by byte and cut at every place.
#include "seawall/http/parser.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "http/drive.hpp"

using namespace seawall::http;
using drive::Outcome;
using std::string;

namespace {

constexpr bool kHead = true;

// What comes of bytes, after it was made sure that the cut does not matter and the oracle agrees.
Outcome read(const string& bytes, bool to_head = false, const Bounds& bounds = {}) {
  ResponseParser parser(bounds);
  Outcome whole;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    whole = drive::read(parser, bytes, to_head, bounds, {cut});
  }
  return whole;
}

Fault fault(const string& bytes, const Bounds& bounds = {}) { return read(bytes, false, bounds).fault; }

// A response with that header line or lines, and a body of five bytes.
Outcome with(const string& lines) { return read("HTTP/1.1 200 OK\r\n" + lines + "\r\n\r\nhello"); }

Outcome chunked(const string& body) { return read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body); }

}  // namespace

TEST_CASE("a response ends where its Content-Length says, and the rest is left") {
  const auto got = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 404 Not Found\r\n\r\n");
  CHECK(got.done);
  CHECK(got.status == 200);
  CHECK(got.body == "hello");
  CHECK(got.consumed == 43);
  CHECK(got.keep_alive);
}

TEST_CASE("a response of no length is complete with its head") {
  const auto got = read("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
  CHECK(got.done);
  CHECK(got.status == 500);
  CHECK(got.body.empty());
  CHECK(got.keep_alive);
}

TEST_CASE("a response without a length ends with the connection") {
  const auto got = read("HTTP/1.1 200 OK\r\nServer: x\r\n\r\nall there is");
  CHECK(got.done);
  CHECK(got.body == "all there is");
  CHECK_FALSE(got.keep_alive);
}

TEST_CASE("status lines") {
  const auto status = [](const string& line) { return read(line + "\r\nContent-Length: 0\r\n\r\n").status; };
  CHECK(status("HTTP/1.1 200 OK") == 200);
  CHECK(status("HTTP/1.1 200 ") == 200);
  CHECK(status("HTTP/1.1 200") == 200);
  CHECK(status("HTTP/1.1 599 \xc3\xa9\t") == 599);
  CHECK(status("HTTP/1.9 200 OK") == 200);
  for (const char* line :
       {"http/1.1 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 600 X", "HTTP/1.1 099 X",
        "HTTP/1.x 200 OK", "HTTP/x.1 200 OK", "HTTP/1.1\t200 OK", "HTTP/11.1 200 OK", "ICY 200 OK", " HTTP/1.1 200 OK",
        "\r\nHTTP/1.1 200 OK", "HTTP/1.1 200 O\rK", "<html>"}) {
    CAPTURE(line);
    CHECK(fault(string(line) + "\r\n\r\n") == Fault::status_line);
  }
  CHECK(fault(string("HTTP/1.1 200 O\0K\r\n\r\n", 20)) == Fault::status_line);
  CHECK(fault("HTTP/2.0 200 OK\r\n\r\n") == Fault::version);
  CHECK(fault("HTTP/0.9 200 OK\r\n\r\n") == Fault::version);
}

TEST_CASE("interim responses are skipped, and 100 is remembered") {
  const string last = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
  const auto got = read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + last);
  CHECK(got.status == 200);
  CHECK(got.body == "x");
  CHECK(got.continued);
  CHECK(got.keep_alive);
  CHECK_FALSE(read("HTTP/1.1 102 Processing\r\nConnection: close\r\n\r\n" + last).continued);
  CHECK(read("HTTP/1.1 102 Processing\r\nConnection: close\r\n\r\n" + last).keep_alive);
  CHECK(fault("HTTP/1.1 100 Continue\r\n\r\n") == Fault::truncated);
}

TEST_CASE("what an interim response says of lengths does not reach the final one") {
  const auto got = read("HTTP/1.1 103 X\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  CHECK(got.body == "hi");
  CHECK(
      read("HTTP/1.1 103 X\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").body ==
      "hi");
}

TEST_CASE("101 is final, has no body and ends the use of the connection") {
  const auto got = read("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(got.done);
  CHECK(got.status == 101);
  CHECK(got.body.empty());
  CHECK(got.consumed == 67);
  CHECK_FALSE(got.keep_alive);
}

TEST_CASE("204, 304 and answers to HEAD have no body, whatever they announce") {
  for (const char* status : {"204 No Content", "304 Not Modified"}) {
    const auto got = read(string("HTTP/1.1 ") + status + "\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(got.done);
    CHECK(got.body.empty());
    CHECK(got.keep_alive);
  }
  for (const char* header : {"Content-Length: 5", "Transfer-Encoding: chunked", "Server: x"}) {
    const auto got = read(string("HTTP/1.1 200 OK\r\n") + header + "\r\n\r\n", kHead);
    CHECK(got.done);
    CHECK(got.body.empty());
    CHECK(got.keep_alive);
  }
}

TEST_CASE("HTTP/1.1 keeps the connection unless told otherwise, HTTP/1.0 closes it unless told otherwise") {
  const auto keeps = [](const char* version, const string& header) {
    const auto got = read(string("HTTP/") + version + " 200 OK\r\n" + header + "Content-Length: 0\r\n\r\n");
    CHECK(got.done);
    return got.keep_alive;
  };
  CHECK(keeps("1.1", ""));
  CHECK_FALSE(keeps("1.0", ""));
  CHECK_FALSE(keeps("1.1", "Connection: close\r\n"));
  CHECK_FALSE(keeps("1.1", "connection: Upgrade ,\tCLOSE \r\n"));
  CHECK_FALSE(keeps("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  CHECK_FALSE(keeps("1.1", "Connection: x,\r\n close\r\n"));
  CHECK(keeps("1.1", "Connection: closed, close x, clo se, clos, \"close\", @close, close@\r\n"));
  CHECK_FALSE(keeps("1.0", "Connection: keep-ali ve\r\n"));
  CHECK(keeps("1.1", "Connections: close\r\nConn: close\r\nConnectio: close\r\n"));
  CHECK(keeps("1.0", "Connection: Keep-Alive\r\n"));
  CHECK_FALSE(keeps("1.0", "Connection: keep-alive, close\r\n"));
  CHECK_FALSE(keeps("1.0", "Connection: keep-alive-not\r\n"));
}

TEST_CASE("equal Content-Lengths are one, different or malformed ones a fault") {
  for (const char* lines : {"Content-Length: 5", "content-length:5", "CONTENT-LENGTH: \t005\t ", "Content-Length: 5, 5",
                            "Content-Length: 5,05 ,5", "Content-Length: 5\r\nX: y\r\nContent-Length: 5",
                            "Content-Length:\r\n 5", "Content-Length: 5\r\n \r\n\t,5"}) {
    CAPTURE(lines);
    CHECK(with(lines).body == "hello");
    CHECK(with(lines).keep_alive);
  }
  for (const char* lines :
       {"Content-Length: 5, 6", "Content-Length: 5\r\nContent-Length: 6", "Content-Length:", "Content-Length: ",
        "Content-Length: ,5", "Content-Length: 5,", "Content-Length: 5,,5", "Content-Length: 5 5", "Content-Length: +5",
        "Content-Length: -5", "Content-Length: 0x5", "Content-Length: 5.0", "Content-Length: 5;",
        "Content-Length: 1\r\n 5", "Content-Length: 18446744073709551616", "Content-Length: 5, 18446744073709551621"}) {
    CAPTURE(lines);
    CHECK(with(lines).fault == Fault::content_length);
  }
  CHECK(with(string("Content-Length: 5\0", 18)).fault == Fault::content_length);
  CHECK(with("Content-Length: 18446744073709551615").fault == Fault::truncated);
}

TEST_CASE("names that only begin or end like Content-Length are other headers") {
  for (const char* line : {"Content-Lengt: 1", "Content-Lengths: 1", "Content-Type: 1", "XContent-Length: 1",
                           "Content: 1", "C: 1", "Content_Length: 1", "Con: 1", "Contn-Length: 1"}) {
    CAPTURE(line);
    CHECK(with(line).body == "hello");
    CHECK_FALSE(with(line).keep_alive);
  }
}

TEST_CASE("Transfer-Encoding beside Content-Length, in either order, is a fault") {
  CHECK(with("Content-Length: 5\r\nTransfer-Encoding: chunked").fault == Fault::transfer_encoding);
  CHECK(with("Transfer-Encoding: chunked\r\nContent-Length: 5").fault == Fault::transfer_encoding);
  CHECK(with("Transfer-Encoding: gzip\r\nContent-Length: 5").fault == Fault::transfer_encoding);
}

TEST_CASE("a final coding of chunked is decoded") {
  for (const char* line :
       {"Transfer-Encoding: chunked", "transfer-encoding:CHUNKED \t", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: , gzip ;q=\"a, \\\"b\" , chunked,", "Transfer-Encoding: x\r\n ,\r\n\tchunked",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"}) {
    CAPTURE(line);
    const auto got = read(string("HTTP/1.1 200 OK\r\n") + line + "\r\n\r\n5\r\nhello\r\n0\r\n\r\nrest");
    CHECK(got.done);
    CHECK(got.body == "hello");
    CHECK(got.keep_alive);
  }
}

TEST_CASE("another final coding ends with the connection") {
  for (const char* line : {"Transfer-Encoding: gzip", "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: identity",
                           "Transfer-Encoding: chunke", "Transfer-Encoding: chunkedd",
                           "Transfer-Encoding: chunked\r\nTransfer-Encoding: x"}) {
    CAPTURE(line);
    CHECK(with(line).body == "hello");
    CHECK_FALSE(with(line).keep_alive);
  }
}

TEST_CASE("malformed codings are a fault") {
  for (const char* line :
       {"Transfer-Encoding:", "Transfer-Encoding: ,", "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked;a=b",
        "Transfer-Encoding: chunked ; a", "Transfer-Encoding: chun ked", "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: gzip;a=\"b", "Transfer-Encoding: gzip;a=\"b\\", "Transfer-Encoding: ;a, chunked",
        "Transfer-Encoding: \x0b"
        "chunked",
        "Transfer-Encoding: chunked\x0b"}) {
    CAPTURE(line);
    CHECK(with(line).fault == Fault::transfer_encoding);
  }
  CHECK(fault("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == Fault::transfer_encoding);
}

TEST_CASE("chunks") {
  const auto body = [](const string& bytes) {
    const auto got = chunked(bytes);
    CHECK(got.done);
    return got.body;
  };
  CHECK(body("0\r\n\r\n") == "");
  CHECK(body("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n") == "hello world");
  CHECK(body("000A\r\n0123456789\r\n00\r\n\r\n") == "0123456789");
  CHECK(body("a;x=\"y;z\";w\r\n0123456789\r\n0;last\r\n\r\n") == "0123456789");
  CHECK(body("5  \r\nhello\r\n0\t;a\tb\r\n\r\n") == "hello");
  CHECK(body("2\r\n\r\n\r\n0\r\n\r\n") == "\r\n");
  CHECK(body("0000000000000000000000001\r\nx\r\n0\r\n\r\n") == "x");
}

TEST_CASE("malformed chunks are a fault") {
  for (const char* bytes :
       {"\r\n", ";a\r\n", "x\r\n", "0x5\r\nhello\r\n", "-1\r\n", " 5\r\nhello\r\n", "5\nhello\r\n", "5\rhello\r\n",
        "5 5\r\nhello\r\n", "5;a\nhello\r\n", "5;a\rb\r\n", "5\r\nhello0\r\n", "5\r\nhello\n0\r\n", "5\r\nhello\r0\r\n",
        "5\r\nhello!\r\n", "10000000000000000\r\n", "fffffffffffffffff\r\n", "5\r\nhello\r\n\r\n"}) {
    CAPTURE(bytes);
    CHECK(chunked(bytes).fault == Fault::chunk);
  }
  CHECK(chunked(string("5;\0\r\n", 5)).fault == Fault::chunk);
  CHECK(chunked("ffffffffffffffff\r\nhello").fault == Fault::truncated);
  CHECK(chunked("5\r\nhello\r\n0\r\n").fault == Fault::truncated);
}

TEST_CASE("trailers are read over, and frame nothing") {
  const auto got =
      chunked("1\r\nx\r\n0\r\nContent-Length: 7\r\nTransfer-Encoding: a b\r\n folded\r\nConnection: close\n\nrest");
  CHECK(got.done);
  CHECK(got.body == "x");
  CHECK(got.keep_alive);
  CHECK(chunked("0\r\nX : y\r\n\r\n").fault == Fault::header);
  CHECK(chunked("0\r\n folded\r\n\r\n").fault == Fault::header);
  CHECK(chunked("0\r\nX: a\rb\r\n\r\n").fault == Fault::header);
}

TEST_CASE("a bare LF ends lines of the head") {
  const auto got = read("HTTP/1.1 200 OK\nContent-Length: 5\nX: y\n\nhello");
  CHECK(got.done);
  CHECK(got.body == "hello");
}

TEST_CASE("malformed header lines are a fault") {
  for (const char* line :
       {"X : y", "X\t: y", ": y", "X", "X y: z", "X(: y", "X\xc3\xa9: y", "X: a\rb", "X: a\r\r", "X\r: y",
        "Content-Length : 5", "Transfer-Encoding : chunked", "Content-Length", "Content-Length: 5\rx", "=: y"}) {
    CAPTURE(line);
    CHECK(with(line).fault == Fault::header);
  }
  CHECK(with(string("X: a\0b", 6)).fault == Fault::header);
  CHECK(with(string("X\0: a", 5)).fault == Fault::header);
  CHECK(with(string("Connection: \0", 13)).fault == Fault::header);
  CHECK(fault("HTTP/1.1 200 OK\r\n folded: before any field\r\n\r\n") == Fault::header);
  CHECK(fault("HTTP/1.1 200 OK\r\n\rX") == Fault::header);
}

TEST_CASE("control characters other than CR, LF and NUL pass in values") {
  CHECK(with("X: \x01\x7f\x0b\tb\xff\r\nContent-Length: 5").keep_alive);
}

TEST_CASE("bounds hold to the byte") {
  const string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  Bounds bounds;
  bounds.head = static_cast<std::uint32_t>(head.size());
  CHECK(fault(head, bounds) == Fault::none);
  CHECK(fault("HTTP/1.1 100 Continue\r\n\r\n" + head, bounds) == Fault::none);
  --bounds.head;
  CHECK(fault(head, bounds) == Fault::head_too_long);
  bounds.head = 0;
  CHECK(fault(head, bounds) == Fault::head_too_long);

  bounds = {};
  bounds.headers = 1;
  CHECK(fault(head, bounds) == Fault::none);
  CHECK(fault("HTTP/1.1 204 X\r\nA: b\r\n c\r\n\r\n", bounds) == Fault::none);
  CHECK(fault("HTTP/1.1 204 X\r\nA: b\r\nC: d\r\n\r\n", bounds) == Fault::too_many_headers);

  bounds = {};
  bounds.interims = 2;
  const string interim = "HTTP/1.1 100 Continue\r\n\r\n";
  CHECK(fault(interim + interim + head, bounds) == Fault::none);
  CHECK(fault(interim + interim + interim + head, bounds) == Fault::too_many_interims);

  bounds = {};
  bounds.chunk_line = 4;
  bounds.trailers = 8;
  const string start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(fault(start + "01\r\nx\r\n00\r\nX: y\r\n\r\n", bounds) == Fault::none);
  CHECK(fault(start + "001\r\nx\r\n00\r\n\r\n", bounds) == Fault::chunk_line_too_long);
  CHECK(fault(start + "1\r\nx\r\n0;a\r\n\r\n", bounds) == Fault::chunk_line_too_long);
  CHECK(fault(start + "0\r\nX: yz\r\n\r\n", bounds) == Fault::trailers_too_long);
}

TEST_CASE("a connection closed too early is told from a response cut short") {
  CHECK(fault("") == Fault::closed_early);
  CHECK(fault("H") == Fault::truncated);
  CHECK(fault("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell") == Fault::truncated);
}

TEST_CASE("large bodies pass through as they were fed, without a copy") {
  const string body(1 << 20, 'x');
  ResponseParser parser;
  const auto none = [](std::string_view) { FAIL("there is no body yet"); };
  for (const bool chunks : {false, true}) {
    parser.begin(false);
    const string head = string("HTTP/1.1 200 OK\r\n") +
                        (chunks ? "Transfer-Encoding: chunked\r\n\r\n100000\r\n" : "Content-Length: 1048576\r\n\r\n");
    REQUIRE(parser.feed(head, none) == head.size());
    int pieces = 0;
    parser.feed(body, [&](std::string_view piece) {
      ++pieces;
      CHECK(piece.data() == body.data());
      CHECK(piece.size() == body.size());
    });
    CHECK(pieces == 1);
    CHECK(parser.body_bytes() == body.size());
    CHECK(parser.done() == !chunks);
  }
}

TEST_CASE("between the pieces it tells how far a response came") {
  ResponseParser parser;
  const auto ignore = [](std::string_view) {};
  CHECK_FALSE(parser.started());
  CHECK(parser.status() == 0);
  parser.feed("HTTP/1.1 100 Continue\r\n\r", ignore);
  CHECK(parser.started());
  CHECK_FALSE(parser.continued());
  parser.feed("\n", ignore);
  CHECK(parser.continued());
  CHECK(parser.status() == 0);
  parser.feed("HTTP/1.1 20", ignore);
  CHECK(parser.status() == 0);
  parser.feed("1 Created\r\nContent-Length: 4\r\n\r\nab", ignore);
  CHECK(parser.status() == 201);
  CHECK(parser.body_bytes() == 2);
  CHECK_FALSE(parser.done());
  CHECK_FALSE(parser.keep_alive());
  parser.begin(false);
  CHECK_FALSE(parser.started());
  CHECK_FALSE(parser.continued());
  CHECK(parser.status() == 0);
  CHECK(parser.body_bytes() == 0);
}

TEST_CASE("every fault has words of its own") {
  std::vector<string> words;
  for (int fault = 0; fault <= static_cast<int>(Fault::closed_early); ++fault) {
    const string said = describe(static_cast<Fault>(fault));
    CHECK(said != "unknown");
    for (const auto& other : words) CHECK(other != said);
    words.push_back(said);
  }
}
