// A bounded table of names and of the first words said under each, filled by many threads and processes.
//
// Progress: lock-free. An entry is claimed, written and published once, and never changes. A process killed while it
// writes leaves an entry that nobody uses; the next one that needs it takes another, so a name can be in two entries,
// and readers add up what they find under a name. Cost: a scan of the entries, once for each new kind of error.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace seawall::load {

struct Entry {
  enum : std::uint64_t { kFree, kClaimed, kReady };

  std::atomic<std::uint64_t> state;
  std::array<char, 56> name;  // both end with a zero byte
  std::array<char, 192> words;

  bool ready() const noexcept {
    return state.load(std::memory_order_acquire) == kReady;  // acquire: the text was written before
  }
  bool claim() noexcept {
    auto expected = std::uint64_t{kFree};
    // relaxed: claiming publishes nothing.
    return state.compare_exchange_strong(expected, kClaimed, std::memory_order_relaxed);
  }
  void publish(std::string_view as, std::string_view said) noexcept {
    write(name, as);
    write(words, said);
    state.store(kReady, std::memory_order_release);  // release: whoever sees it ready sees the text
  }
  bool is(std::string_view wanted) const noexcept { return ready() && cut(wanted, name.size()) == name.data(); }

 private:
  // Text of UTF-8 is cut between letters, never within one.
  static std::string_view cut(std::string_view text, std::size_t room) noexcept {
    auto n = std::min(text.size(), room - 1);
    if (n < text.size()) {
      while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0U) == 0x80U) --n;
    }
    return text.substr(0, n);
  }
  template <std::size_t N>
  static void write(std::array<char, N>& into, std::string_view text) noexcept {
    const auto kept = cut(text, N);
    std::memcpy(into.data(), kept.data(), kept.size());
    into[kept.size()] = '\0';
  }
};
static_assert(sizeof(Entry) == 256);

}  // namespace seawall::load
