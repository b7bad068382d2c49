// The most recent exemplar of a series, written by anybody at any time.
//
// Progress: wait-free. Mechanism: words, and a check of them all that is written last; writers that meet, and one that
// is killed in the midst, leave words that do not fit their check, which readers take for none until the next is
// written.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/metrics/records.hpp"

namespace seawall::metrics {

struct Example {
  double value;
  std::uint64_t at_ns;
  std::string text;  // name, value, name, value
};

namespace detail {

inline std::uint64_t stir(std::uint64_t check, std::uint64_t word) noexcept {
  check = (check ^ word) * 0x9e3779b97f4a7c15;
  return check ^ check >> 29;
}

}  // namespace detail

inline std::size_t words_of(std::size_t bytes) noexcept { return (bytes + sizeof(Word) - 1) / sizeof(Word); }

// `text` has at most kExemplarBytes.
inline void write(Exemplar& into, double value, std::uint64_t at_ns, std::string_view text) noexcept {
  const auto number = std::bit_cast<std::uint64_t>(value);
  auto check = detail::stir(detail::stir(detail::stir(1, number), at_ns), text.size());
  // relaxed: the check tells words of two writers apart, in whatever order they arrive.
  into.value.store(number, std::memory_order_relaxed);
  into.at_ns.store(at_ns, std::memory_order_relaxed);
  into.bytes.store(text.size(), std::memory_order_relaxed);
  for (std::size_t i = 0; i < words_of(text.size()); ++i) {
    std::uint64_t word = 0;
    const auto part = text.substr(i * sizeof word, sizeof word);
    std::memcpy(&word, part.data(), part.size());
    check = detail::stir(check, word);
    into.text[i].store(word, std::memory_order_relaxed);
  }
  into.check.store(check, std::memory_order_release);  // release: most readers then find all the words
}

inline std::optional<Example> read(const Exemplar& from) {
  const auto wanted = from.check.load(std::memory_order_acquire);  // acquire: as release in write
  const auto number = from.value.load(std::memory_order_relaxed);  // relaxed, here and below: see write
  const auto at_ns = from.at_ns.load(std::memory_order_relaxed);
  const auto bytes = from.bytes.load(std::memory_order_relaxed);
  if (wanted == 0 || bytes > kExemplarBytes) return std::nullopt;
  auto check = detail::stir(detail::stir(detail::stir(1, number), at_ns), bytes);
  Example seen{std::bit_cast<double>(number), at_ns, std::string(words_of(bytes) * sizeof(Word), '\0')};
  for (std::size_t i = 0; i < words_of(bytes); ++i) {
    const auto word = from.text[i].load(std::memory_order_relaxed);
    check = detail::stir(check, word);
    std::memcpy(seen.text.data() + i * sizeof word, &word, sizeof word);
  }
  if (check != wanted) return std::nullopt;
  seen.text.resize(bytes);
  return seen;
}

}  // namespace seawall::metrics
