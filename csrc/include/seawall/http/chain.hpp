// An intrusive doubly linked list over the items of an array, by index.
//
// Not thread-safe: one loop owns it. Mechanism: an item carries a Link for each chain it can be in at once; nothing is
// ever allocated. Cost: O(1), a few nanoseconds, for every operation.
#pragma once

#include <cstdint>
#include <span>

namespace seawall::http {

using Index = std::uint32_t;
inline constexpr Index kNone = ~Index{0};

struct Link {
  Index before = kNone, after = kNone;
};

template <class Item, Link Item::* kLink>
class Chain {
 public:
  bool empty() const noexcept { return first_ == kNone; }
  Index first() const noexcept { return first_; }

  void push_back(std::span<Item> items, Index i) noexcept {
    items[i].*kLink = {last_, kNone};
    (last_ == kNone ? first_ : (items[last_].*kLink).after) = i;
    last_ = i;
  }

  void push_front(std::span<Item> items, Index i) noexcept {
    items[i].*kLink = {kNone, first_};
    (first_ == kNone ? last_ : (items[first_].*kLink).before) = i;
    first_ = i;
  }

  void remove(std::span<Item> items, Index i) noexcept {
    const Link link = items[i].*kLink;
    (link.before == kNone ? first_ : (items[link.before].*kLink).after) = link.after;
    (link.after == kNone ? last_ : (items[link.after].*kLink).before) = link.before;
    items[i].*kLink = {};
  }

  Index pop_front(std::span<Item> items) noexcept {
    const Index i = first_;
    remove(items, i);
    return i;
  }

 private:
  Index first_ = kNone, last_ = kNone;
};

}  // namespace seawall::http
