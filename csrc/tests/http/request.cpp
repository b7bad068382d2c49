#include "seawall/http/request.hpp"

#include <doctest/doctest.h>

using namespace seawall::http;
using std::string;

namespace {

Ask to(const string& host) {
  Ask ask;
  ask.host = host;
  return ask;
}

string bytes(const Ask& ask) {
  const auto out = render(ask);
  CHECK(out.problem == "");
  return out.request.bytes;
}

string host(const string& name, std::uint16_t port, bool tls) {
  Ask ask = to(name);
  ask.port = port;
  ask.tls = tls;
  const auto text = bytes(ask);
  return text.substr(22, text.find("\r\n", 22) - 22);
}

string problem(Ask ask, const std::vector<Header>& headers = {}) {
  ask.headers = headers;
  const auto out = render(ask);
  CHECK(out.request.bytes.empty());
  return out.problem;
}

}  // namespace

TEST_CASE("a request is its line, Host, User-Agent and the headers in their order") {
  Ask ask = to("example.org");
  ask.target = "/a?b=c";
  ask.headers = {{"B", "2"}, {"A", "1"}, {"B", ""}};
  CHECK(bytes(ask) == "GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nUser-Agent: seawall\r\nB: 2\r\nA: 1\r\nB: \r\n\r\n");
  ask.agent.clear();
  CHECK(bytes(ask) == "GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nB: 2\r\nA: 1\r\nB: \r\n\r\n");
}

TEST_CASE("Host has a port where it is not the scheme's, and brackets around an IPv6 address") {
  CHECK(host("example.org", 80, false) == "example.org");
  CHECK(host("example.org", 443, true) == "example.org");
  CHECK(host("example.org", 443, false) == "example.org:443");
  CHECK(host("example.org", 80, true) == "example.org:80");
  CHECK(host("127.0.0.1", 8080, false) == "127.0.0.1:8080");
  CHECK(host("::1", 80, false) == "[::1]");
  CHECK(host("[::1]", 8080, false) == "[::1]:8080");
  CHECK(host("fe80::1%eth0", 8080, false) == "[fe80::1]:8080");
}

TEST_CASE("Host and User-Agent can be given, and stand where they were given") {
  Ask ask = to("127.0.0.1");
  ask.headers = {{"X", "y"}, {"host", "other.example"}, {"user-agent", "mine"}};
  CHECK(bytes(ask) == "GET / HTTP/1.1\r\nX: y\r\nhost: other.example\r\nuser-agent: mine\r\n\r\n");
}

TEST_CASE("a body comes with its length, and the length of the head is told") {
  Ask ask = to("h");
  ask.agent.clear();
  ask.method = "POST";
  ask.body = string("a\0\r\n", 4);
  const auto out = render(ask);
  const string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n";
  CHECK(out.request.bytes == head + *ask.body);
  CHECK(out.request.head == head.size());
  ask.headers = {{"content-length", "4"}};
  CHECK(bytes(ask) == "POST / HTTP/1.1\r\nHost: h\r\ncontent-length: 4\r\n\r\n" + *ask.body);
}

TEST_CASE("methods that expect a body say when it is empty, others only when one was given") {
  Ask ask = to("h");
  const auto says = [&ask](const char* method) {
    ask.method = method;
    return bytes(ask).find("Content-Length: 0\r\n") != string::npos;
  };
  for (const char* method : {"POST", "PUT", "PATCH"}) CHECK(says(method));
  for (const char* method : {"GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "post"}) CHECK_FALSE(says(method));
  ask.body = "";
  CHECK(says("GET"));
}

TEST_CASE("it is known what kind of request it is") {
  Ask ask = to("h");
  const auto kind = [&ask](const char* method) {
    ask.method = method;
    return render(ask).request;
  };
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) CHECK(kind(method).idempotent);
  for (const char* method : {"POST", "PATCH", "get", "PURGE"}) CHECK_FALSE(kind(method).idempotent);
  CHECK(kind("HEAD").to_head);
  CHECK_FALSE(kind("GET").to_head);
  CHECK_FALSE(kind("PUT").expects_continue);
  CHECK_FALSE(kind("PUT").closes);
  ask.body = "x";
  ask.headers = {{"expect", "100-Continue"}, {"connection", "te, Close"}};
  CHECK(kind("PUT").expects_continue);
  CHECK(kind("PUT").closes);
  ask.headers = {{"Connection", "closed"}, {"X", "close"}};
  CHECK_FALSE(kind("PUT").closes);
}

TEST_CASE("OPTIONS can ask the server as a whole") {
  Ask ask = to("h");
  ask.method = "OPTIONS";
  ask.target = "*";
  CHECK(bytes(ask).starts_with("OPTIONS * HTTP/1.1\r\n"));
  ask.method = "GET";
  CHECK(
      problem(ask) ==
      "target must begin with / and have no blanks, control characters or fragment, got '*'; percent-encode what else "
      "is meant");
}

TEST_CASE("methods that are not one word are refused, and CONNECT") {
  Ask ask = to("h");
  for (const auto& [method, shown] : {std::pair{"", "''"}, {"G T", "'G T'"}, {"GET\r\nX:", "'GET\\x0d\\x0aX:'"}}) {
    ask.method = method;
    CHECK(problem(ask) == string("method must be one word like GET, got ") + shown);
  }
  ask.method = "CONNECT";
  CHECK(problem(ask) == "method must be one that gets a response, got 'CONNECT', which opens a tunnel");
}

TEST_CASE("hosts that are no name or address are refused") {
  for (const char* name :
       {"", "a b", "a/b", "a@b", "example.org:80", "[a]", "[::1", "::1]", "a\r\nX: y", "::g", "::1%a b", "b\xc3\xbc"}) {
    CAPTURE(name);
    CHECK(problem(to(name)).starts_with("host must be a name or an address without a port, got '"));
  }
  Ask ask = to("h");
  ask.port = 0;
  CHECK(problem(ask) == "port must be between 1 and 65,535, got 0");
}

TEST_CASE("targets with blanks, control characters, fragments or other alphabets are refused") {
  Ask ask = to("h");
  for (const char* target : {"", "a", "http://h/", "/a b", "/a\t", "/\r\nX: y", "/a#b", "/\x7f", "/\xc3\xbc"}) {
    CAPTURE(target);
    ask.target = target;
    CHECK(problem(ask).starts_with("target must begin with / and have no blanks"));
  }
}

TEST_CASE("headers cannot end their line early") {
  const Ask ask = to("h");
  CHECK(problem(ask, {{"X", "a\r\nY: b"}}) ==
        "header X must be one line without control characters, got 'a\\x0d\\x0aY: b'");
  for (const string value : {"a\nb", "a\rb", "\x01", "\x7f"}) CHECK_FALSE(problem(ask, {{"X", value}}).empty());
  CHECK_FALSE(problem(ask, {{"X", string("a\0b", 3)}}).empty());
  CHECK(problem(ask, {{"X: y\r\nZ", "a"}}) ==
        "header name must be letters, digits and any of !#$%&'*+-.^_`|~, got 'X: y\\x0d\\x0aZ'");
  for (const char* name : {"", " X", "X ", "X:", "\xc3\xbc"}) CHECK_FALSE(problem(ask, {{name, "a"}}).empty());
  Ask agent = ask;
  agent.agent = "a\r\nb";
  CHECK(problem(agent) == "agent must be one line without control characters, got 'a\\x0d\\x0ab'");
  Ask other = ask;
  other.headers = {{"X", "\xc3\xbc\ta"}};
  CHECK(bytes(other).find("X: \xc3\xbc\ta\r\n") != string::npos);
}

TEST_CASE("headers that would contradict the body are refused") {
  Ask ask = to("h");
  ask.body = "abc";
  CHECK(problem(ask, {{"Transfer-Encoding", "chunked"}}) ==
        "header Transfer-Encoding cannot be set: a body is sent whole, with Content-Length");
  CHECK(problem(ask, {{"Content-Length", "4"}}) ==
        "header Content-Length must be the length of the body, 3, got '4'; leave it out to have it set");
  CHECK(problem(ask, {{"Content-Length", "3"}, {"content-length", "3"}}) ==
        "header Content-Length must be given once, got 2 of them");
  CHECK(problem(ask, {{"host", "a"}, {"Host", "b"}}) == "header host must be given once, got 2 of them");
  ask.method = "TRACE";
  CHECK(problem(ask) == "body must be empty for TRACE, got 3 bytes");
  CHECK(problem(to("h"), {{"Expect", "100-continue"}}) ==
        "header Expect: 100-continue needs a body to wait with, got none");
}

TEST_CASE("messages show no more than the beginning of what was given") {
  Ask ask = to("h");
  ask.method = string(100, ' ');
  CHECK(problem(ask) == "method must be one word like GET, got '" + string(60, ' ') + "...'");
}
