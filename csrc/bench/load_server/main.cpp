// seawall_load_server [DELAY in ms]: writes its port, then obeys lines of standard input: `tell`, `reset`,
// `stall AFTER LENGTH` (in ms). It ends with its input, so it cannot outlive who started it.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "server.hpp"

namespace {

using namespace seawall::bench;

constexpr Ns kMillisecond = 1'000'000;

void obey(Server& server, const std::string& line) {
  long long after = 0, length = 0;
  if (line == "tell") return server.tell();
  if (line == "reset") return server.reset();
  if (std::sscanf(line.c_str(), "stall %lld %lld", &after, &length) == 2) {
    return server.stall(after * kMillisecond, length * kMillisecond);
  }
  std::fprintf(stderr, "seawall_load_server: %s?\n", line.c_str());
  std::exit(2);
}

}  // namespace

int main(int count, char** words) {
  Server server((count > 1 ? std::atoll(words[1]) : 0) * kMillisecond);
  std::printf("%u\n", server.port());
  std::fflush(stdout);
  std::string unread;
  server.run([&] {
    char buffer[256];
    const auto n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n <= 0) return false;
    unread.append(buffer, static_cast<std::size_t>(n));
    for (std::size_t end; (end = unread.find('\n')) != std::string::npos; unread.erase(0, end + 1)) {
      obey(server, unread.substr(0, end));
    }
    return true;
  });
}
