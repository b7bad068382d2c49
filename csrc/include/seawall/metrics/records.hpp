// What lies in the table of metrics: its head, families, series and exemplars, named by their distance from the head.
//
// Flat, without pointers, all zero before use, so the same bytes serve one process and many. What is constant is
// written before a record is published, everything else is a word. Texts are a length and bytes, one after the other.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/metrics/cells.hpp"

namespace seawall::metrics {

inline constexpr std::uint64_t kTableLayout = 1;
inline constexpr std::uint64_t kMostKeyBytes = 2048;  // of all label values of a series
inline constexpr std::size_t kExemplarBytes = 256;    // of an exemplar's labels
inline constexpr std::uint64_t kOffsetMask = (std::uint64_t{1} << 40) - 1;

enum class Kind : std::uint64_t { counter = 1, gauge = 2, histogram = 3 };
enum class Across : std::uint64_t { sum = 0, min = 1, max = 2, last = 3 };

struct alignas(64) Head {
  std::uint64_t bytes;    // of the whole table
  std::uint64_t buckets;  // of the index, a power of two
  std::uint64_t workers;
  Word top;       // what lies above was never used
  Word entries;   // in the index
  Word pending;   // a record that is being published; whoever has the lock next finishes it
  Word families;  // the newest
  Word dropped;   // exemplars for which there was no memory, and processes that found no place as a worker
};
static_assert(sizeof(Head) == 64);

struct Worker {
  Word pid;    // 0: free
  Word start;  // when that process started, as the system tells it: ids are used again
};

struct Record {
  Word next;  // the one published before it
  std::uint64_t hash;
  std::uint64_t family;   // 0 for a family itself
  std::uint32_t ordinal;  // how many were published before it
  std::uint32_t key_bytes;
};

struct Family {
  Record record;
  Word series;      // the newest
  Word overflowed;  // how often a series was asked for that found no room
  Word full;        // 1: no memory for another series
  Word bank;        // from which the next cell is cut
  Word bank_used;
  std::uint64_t overflow;  // the series of all that find no room; 0 without labels
  std::uint64_t created_ns;
  Kind kind;
  Across across;
  std::uint64_t lowest, highest, digits;  // of the histograms
  std::uint64_t max_series;
  std::uint64_t bounds, labels;  // how many
  // then: bounds, name (the key), unit, help, names of the labels
};

struct Series {
  Record record;
  std::uint64_t cell;
  std::uint64_t created_ns;
  Word extra;     // counters: billionths beside the whole ones. Gauges: how often the last value was set
  Word exemplar;  // 0: none yet
  // then: the values of the labels
};

struct Exemplar {
  Word check;  // of all that follows: whoever reads while it is written, or after a writer was killed, sees that
  Word value;  // bits of a double
  Word at_ns;
  Word bytes;
  std::array<Word, kExemplarBytes / sizeof(Word)> text;  // name, value, name, value
};

// What a family is made of.
struct Definition {
  Kind kind;
  Across across;
  std::uint64_t lowest, highest, digits, max_series;
  std::vector<std::uint64_t> bounds;  // billionths
  std::string name, unit, help;
  std::vector<std::string> labels;
};

inline void put_text(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(text);
}

// Reads texts one after the other; empty ones where the bytes end too early.
class Texts {
 public:
  Texts() = default;
  explicit Texts(std::string_view bytes) noexcept : left_(bytes) {}
  bool done() const noexcept { return left_.empty(); }
  std::string_view next() noexcept {
    std::uint32_t size = 0;
    if (left_.size() < sizeof size) {
      left_ = {};
      return {};
    }
    std::memcpy(&size, left_.data(), sizeof size);
    left_.remove_prefix(sizeof size);
    const auto text = left_.substr(0, size);
    left_.remove_prefix(text.size());
    return text;
  }

 private:
  std::string_view left_;
};

inline const std::uint64_t* bounds_of(const Family& family) noexcept {
  return reinterpret_cast<const std::uint64_t*>(&family + 1);
}
// Name, unit, help, and the labels of a family.
inline Texts texts_of(const Family& family) noexcept {
  const auto* const text = reinterpret_cast<const char*>(bounds_of(family) + family.bounds);
  return Texts({text, family.record.key_bytes});
}
inline std::string_view key_of(const Series& series) noexcept {
  return {reinterpret_cast<const char*>(&series + 1), series.record.key_bytes};
}

inline std::uint64_t hash_of(std::uint64_t family, std::string_view key) noexcept {  // FNV-1a, stirred
  std::uint64_t h = 0xcbf29ce484222325 ^ family * 0x9e3779b97f4a7c15;
  for (const char c : key) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  h = (h ^ h >> 32) * 0xd6e8feb86659fd93;
  return h ^ h >> 32;
}

}  // namespace seawall::metrics
