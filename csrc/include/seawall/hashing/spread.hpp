// Which nodes hold the copies of a key: in its order of preference, but with each zone in turn.
//
// Pure function of the order and the zones. Cost: as many steps along the order as it takes to meet n zones; all of it
// when there are fewer. Source: the racks of Cassandra's NetworkTopologyStrategy, made even.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace seawall::hashing {

inline constexpr std::int32_t kGone = -1;  // no node

// The first n nodes of `order` (anything with next(), which ends with kGone).
template <class Order>
std::vector<std::int32_t> leading(Order& order, std::size_t n) {
  std::vector<std::int32_t> chosen;
  while (chosen.size() < n) {
    const auto node = order.next();
    if (node == kGone) break;
    chosen.push_back(node);
  }
  return chosen;
}

// n nodes of `order`: the first of each zone, then the second of each, and so on; `zones[node]` is below `zone_count`.
// Whatever n is, the nodes for less are the first of those for more.
template <class Order>
std::vector<std::int32_t> spread(Order& order, const std::vector<std::int32_t>& zones, std::size_t zone_count,
                                 std::size_t n) {
  std::vector<std::int32_t> chosen;
  std::vector<std::int32_t> waiting;
  std::vector<std::size_t> held(zone_count, 0);
  const auto fits = [&](std::int32_t node, std::size_t round) {
    auto& count = held[static_cast<std::size_t>(zones[static_cast<std::size_t>(node)])];
    if (count >= round || chosen.size() == n) return false;
    ++count;
    chosen.push_back(node);
    return true;
  };
  while (chosen.size() < n && chosen.size() < zone_count) {
    const auto node = order.next();
    if (node == kGone) break;
    if (!fits(node, 1)) waiting.push_back(node);
  }
  if (chosen.size() < n) {
    for (auto node = order.next(); node != kGone; node = order.next()) waiting.push_back(node);
  }
  for (std::size_t round = 2; chosen.size() < n && !waiting.empty(); ++round) {
    std::erase_if(waiting, [&](std::int32_t node) { return fits(node, round); });
  }
  return chosen;
}

// A zone count of 0: whatever comes next.
template <class Order>
std::vector<std::int32_t> choose(Order order, const std::vector<std::int32_t>& zones, std::size_t zone_count,
                                 std::size_t n) {
  return zone_count == 0 ? leading(order, n) : spread(order, zones, zone_count, n);
}

}  // namespace seawall::hashing
