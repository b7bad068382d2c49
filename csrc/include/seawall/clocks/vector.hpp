// Vector clocks as flat bytes: compared, merged and advanced without being unpacked.
//
// Form: version (1), number of heads, number of marks, the marks (heads first, each part ascending), then as varints
// (LEB128): the highest count that was pruned, the number of entries; then the entries ascending by name: length
// (1 byte), name, count, time in ms. Every clock has one form only. A mark (generation of 4 bytes, digest of 12) names
// what a pruning took away; whoever carries it knows all that. The heads stand for everything pruned, the other marks
// were heads of ancestors.
// Guarantees: `compare` tells an order only where it is certain (docs/decisions/0015): after pruning it may answer
// concurrent instead, never a wrong order. Thread safety: no state. Cost: one pass over both clocks, a memcmp an entry.
// Source: Fidge 1988, Mattern 1989; Dynamo (DeCandia et al. 2007, section 4.4) for pruning.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace seawall::clocks {

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kMarkBytes = 16;
inline constexpr std::size_t kMostMarks = 16;  // in one clock, heads included
inline constexpr std::size_t kMostEntries = 4096;
inline constexpr std::uint64_t kMostCount = (std::uint64_t{1} << 63) - 1;
inline constexpr std::uint64_t kMostTime = (std::uint64_t{1} << 48) - 1;

enum class Order : int { equal, before, after, concurrent };

struct Entry {
  std::string_view name;
  std::uint64_t count = 0;
  std::uint64_t at = 0;
};

namespace detail {

inline std::uint64_t get(const char*& at) noexcept {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(*at++);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

inline void put(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// As get, of bytes that may be anything: false for a value cut off, above `most`, or not in its shortest form.
inline bool get_checked(const char*& at, const char* end, std::uint64_t most, std::uint64_t& value) noexcept {
  value = 0;
  for (int shift = 0; shift < 63; shift += 7) {
    if (at == end) return false;
    const auto byte = static_cast<std::uint8_t>(*at++);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value <= most && (byte != 0 || shift == 0);
  }
  return false;
}

}  // namespace detail

// Reads a clock whose form is known to be right.
class Reader {
 public:
  explicit Reader(std::string_view form) noexcept
      : heads_(static_cast<std::uint8_t>(form[1])),
        marks_(static_cast<std::uint8_t>(form[2])),
        first_(form.data() + 3) {
    at_ = first_ + marks_ * kMarkBytes;
    most_ = detail::get(at_);
    left_ = detail::get(at_);
    step();
  }

  std::size_t heads() const noexcept { return heads_; }
  std::size_t marks() const noexcept { return marks_; }
  std::string_view mark(std::size_t i) const noexcept { return {first_ + i * kMarkBytes, kMarkBytes}; }
  std::uint64_t most() const noexcept { return most_; }
  std::size_t size() const noexcept { return left_ + (more_ ? 1 : 0); }  // entries from the current one on

  bool more() const noexcept { return more_; }
  const Entry& entry() const noexcept { return entry_; }
  void step() noexcept {
    more_ = left_ != 0;
    if (!more_) return;
    --left_;
    const auto length = static_cast<std::uint8_t>(*at_++);
    entry_.name = {at_, length};
    at_ += length;
    entry_.count = detail::get(at_);
    entry_.at = detail::get(at_);
  }

  bool has(std::string_view wanted) const noexcept {
    for (std::size_t i = 0; i < marks_; ++i) {
      if (mark(i) == wanted) return true;
    }
    return false;
  }
  bool has_heads_of(const Reader& other) const noexcept {
    for (std::size_t i = 0; i < other.heads_; ++i) {
      if (!has(other.mark(i))) return false;
    }
    return true;
  }

 private:
  std::size_t heads_, marks_;
  const char* first_;
  const char* at_;
  std::uint64_t most_ = 0, left_ = 0;
  bool more_ = false;
  Entry entry_;
};

// Whether bytes from anywhere are a clock in its one form.
inline bool valid(std::string_view form) noexcept {
  if (form.size() < 5 || form[0] != kVersion) return false;
  const std::size_t heads = static_cast<std::uint8_t>(form[1]), marks = static_cast<std::uint8_t>(form[2]);
  const char* at = form.data() + 3;
  const char* const end = form.data() + form.size();
  if (marks > kMostMarks || heads > marks || (heads == 0) != (marks == 0)) return false;
  if (static_cast<std::size_t>(end - at) < marks * kMarkBytes) return false;
  for (std::size_t i = 1; i < marks; ++i) {
    if (i != heads && std::memcmp(at + (i - 1) * kMarkBytes, at + i * kMarkBytes, kMarkBytes) >= 0) return false;
  }
  at += marks * kMarkBytes;
  std::uint64_t most = 0, entries = 0, value = 0;
  if (!detail::get_checked(at, end, kMostCount, most) || (most == 0) != (marks == 0)) return false;
  if (!detail::get_checked(at, end, kMostEntries, entries)) return false;
  std::string_view before;
  for (; entries != 0; --entries) {
    if (at == end) return false;
    const auto length = static_cast<std::uint8_t>(*at++);
    if (length == 0 || end - at < length) return false;
    const std::string_view name(at, length);
    if (name <= before) return false;
    before = name;
    at += length;
    if (!detail::get_checked(at, end, kMostCount, value) || value == 0) return false;
    if (!detail::get_checked(at, end, kMostTime, value)) return false;
  }
  return at == end;
}

// What is certain of one side: it knows nothing the other does not (within), and the other knows more (short_of).
struct Side {
  bool within;
  bool short_of = false;
};

// An event of `other` is surely unknown here when its count is above the count here and above all that was pruned here.
inline Order compare(std::string_view one, std::string_view two) noexcept {
  Reader a(one), b(two);
  Side left{b.has_heads_of(a)}, right{a.has_heads_of(b)};
  std::uint64_t top_a = a.most(), top_b = b.most();
  while (a.more() || b.more()) {
    const int by_name = !a.more() ? 1 : !b.more() ? -1 : a.entry().name.compare(b.entry().name);
    const std::uint64_t in_a = by_name <= 0 ? a.entry().count : 0, in_b = by_name >= 0 ? b.entry().count : 0;
    left.within &= in_a <= in_b;
    right.within &= in_b <= in_a;
    left.short_of |= in_b > std::max(in_a, a.most());
    right.short_of |= in_a > std::max(in_b, b.most());
    top_a = std::max(top_a, in_a);
    top_b = std::max(top_b, in_b);
    if (by_name <= 0) a.step();
    if (by_name >= 0) b.step();
  }
  if (left.within && right.within) return Order::equal;
  if (left.within && (left.short_of || top_b > top_a)) return Order::before;
  if (right.within && (right.short_of || top_a > top_b)) return Order::after;
  return Order::concurrent;
}

inline void put_entry(std::string& out, const Entry& entry) {
  out.push_back(static_cast<char>(entry.name.size()));
  out.append(entry.name);
  detail::put(out, entry.count);
  detail::put(out, entry.at);
}

// Everything in front of the entries. Marks: `heads` ascending, then the others ascending.
inline void put_head(std::string& out, std::size_t heads, std::string_view marks, std::uint64_t most,
                     std::size_t entries) {
  out.push_back(static_cast<char>(kVersion));
  out.push_back(static_cast<char>(heads));
  out.push_back(static_cast<char>(marks.size() / kMarkBytes));
  out.append(marks);
  detail::put(out, most);
  detail::put(out, entries);
}

// The next event of `name`: above every count it had, pruned ones included. False where the clock has no room for it:
// kMostEntries, or the end of the range.
inline bool advance(std::string_view form, std::string_view name, std::uint64_t at_ms, std::string& out) {
  Reader reader(form);
  const std::size_t before = reader.size();
  const std::string_view marks(form.data() + 3, reader.marks() * kMarkBytes);
  std::string entries;
  entries.reserve(form.size() + name.size() + 24);
  Entry next{name, reader.most(), at_ms};
  std::size_t size = before + 1;
  for (; reader.more() && reader.entry().name < name; reader.step()) put_entry(entries, reader.entry());
  if (reader.more() && reader.entry().name == name) {
    next.count = std::max(next.count, reader.entry().count);
    next.at = std::max(at_ms, reader.entry().at);
    size = before;
    reader.step();
  }
  if (next.count >= kMostCount || size > kMostEntries) return false;
  ++next.count;
  put_entry(entries, next);
  for (; reader.more(); reader.step()) put_entry(entries, reader.entry());
  put_head(out, static_cast<std::uint8_t>(form[1]), marks, reader.most(), size);
  out.append(entries);
  return true;
}

// The entries of both, each with the greater count, in the form of entries; returns how many.
inline std::size_t merge_entries(std::string_view one, std::string_view two, std::string& out) {
  Reader a(one), b(two);
  std::size_t size = 0;
  for (; a.more() || b.more(); ++size) {
    const int by_name = !a.more() ? 1 : !b.more() ? -1 : a.entry().name.compare(b.entry().name);
    Entry entry = by_name <= 0 ? a.entry() : b.entry();
    if (by_name == 0) {
      const bool later = b.entry().count > entry.count || (b.entry().count == entry.count && b.entry().at > entry.at);
      if (later) entry = b.entry();
    }
    put_entry(out, entry);
    if (by_name <= 0) a.step();
    if (by_name >= 0) b.step();
  }
  return size;
}

}  // namespace seawall::clocks
