// Weighted rendezvous: each node draws a cost for a key, the lowest has it. A node that leaves takes only its own keys.
//
// Immutable, so any number of threads may read it. The cost is exponential with the weight as its rate, so a node wins
// as often as its weight says. Cost: about 3 ns a node with AVX-512, else 16; alike in weight, 1 and 2. Source: Thaler
// and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (1998); the logarithm: Schindelhauer and
// Schomaker, "Weighted Distributed Hash Tables" (2005).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

#include "seawall/hashing/spread.hpp"
#include "seawall/hashing/stable.hpp"
#include "seawall/hashing/wide.hpp"

namespace seawall::hashing {

// -ln of the middle of the 2^-52 wide step of (0, 1) that the upper bits of a hash name. In additions, multiplications
// and divisions alone, in this order, so that it is the same double everywhere: no two libraries agree on the last bit
// of log.
inline double draw(std::uint64_t hash) noexcept {
  const double share = (static_cast<double>(static_cast<std::int64_t>(hash >> 12)) + 0.5) * 0x1p-52;
  const auto bits = std::bit_cast<std::uint64_t>(share);
  double power = static_cast<double>(static_cast<std::int64_t>(bits >> 52) - 1023);
  double part = std::bit_cast<double>((bits & 0x000F'FFFF'FFFF'FFFF) | 0x3FF0'0000'0000'0000);  // 1 .. 2
  const bool upper = part > 1.4142135623730951;
  part = upper ? part * 0.5 : part;
  power = upper ? power + 1.0 : power;
  const double s = (part - 1.0) / (part + 1.0);
  const double t = s * s;
  double sum = 1.0 / 21.0;
  sum = sum * t + 1.0 / 19.0;
  sum = sum * t + 1.0 / 17.0;
  sum = sum * t + 1.0 / 15.0;
  sum = sum * t + 1.0 / 13.0;
  sum = sum * t + 1.0 / 11.0;
  sum = sum * t + 1.0 / 9.0;
  sum = sum * t + 1.0 / 7.0;
  sum = sum * t + 1.0 / 5.0;
  sum = sum * t + 1.0 / 3.0;
  sum = sum * t + 1.0;
  return -(power * 0.6931471805599453 + 2.0 * s * sum);
}

// The hash of a key under the seed of each node.
SEAWALL_WIDEST inline void meet(std::uint64_t key, const std::uint64_t* __restrict seeds, std::size_t n,
                                std::uint64_t* __restrict out) noexcept {
  for (std::size_t i = 0; i < n; ++i) out[i] = stable_hash(key, seeds[i]);
}

SEAWALL_WIDEST inline void meet_weighted(std::uint64_t key, const std::uint64_t* __restrict seeds,
                                         const double* __restrict weights, std::size_t n,
                                         double* __restrict out) noexcept {
  for (std::size_t i = 0; i < n; ++i) out[i] = draw(stable_hash(key, seeds[i])) / weights[i];
}

class Rendezvous {
 public:
  // Names in their order; of two equal costs the first wins.
  Rendezvous(const std::vector<std::string_view>& names, std::vector<double> weights) : weights_(std::move(weights)) {
    for (const auto name : names) seeds_.push_back(stable_hash(name.data(), name.size()));
    alike_ = std::adjacent_find(weights_.begin(), weights_.end(), std::not_equal_to<>()) == weights_.end();
  }

  std::size_t size() const noexcept { return seeds_.size(); }

  std::int32_t best(std::uint64_t key) const noexcept { return alike_ ? highest(key) : cheapest(key); }

  // All nodes, the best first. Only the first `n` are in order.
  std::vector<std::int32_t> order(std::uint64_t key, std::size_t n) const {
    std::vector<std::int32_t> nodes(size());
    std::iota(nodes.begin(), nodes.end(), 0);
    std::vector<std::uint64_t> hashes(size());
    std::vector<double> costs(size(), 0.0);
    if (alike_) {
      meet(key, seeds_.data(), size(), hashes.data());
    } else {
      meet_weighted(key, seeds_.data(), weights_.data(), size(), costs.data());
    }
    const auto before = [&](std::int32_t a, std::int32_t b) {
      const auto i = static_cast<std::size_t>(a);
      const auto j = static_cast<std::size_t>(b);
      if (costs[i] != costs[j]) return costs[i] < costs[j];
      return hashes[i] != hashes[j] ? hashes[i] > hashes[j] : a < b;
    };
    std::partial_sort(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(n), nodes.end(), before);
    return nodes;
  }

 private:
  static constexpr std::size_t kBlock = 128;  // so many nodes are met at once, on the stack

  // Alike in weight, the lowest cost is the highest hash.
  std::int32_t highest(std::uint64_t key) const noexcept {
    std::uint64_t hashes[kBlock];
    std::size_t found = 0;
    std::uint64_t most = 0;
    for (std::size_t from = 0; from < size(); from += kBlock) {
      const std::size_t n = std::min(kBlock, size() - from);
      meet(key, seeds_.data() + from, n, hashes);
      for (std::size_t i = 0; i < n; ++i) {
        const bool better = hashes[i] > most;
        found = better ? from + i : found;
        most = better ? hashes[i] : most;
      }
    }
    return static_cast<std::int32_t>(found);
  }

  std::int32_t cheapest(std::uint64_t key) const noexcept {
    double costs[kBlock];
    std::size_t found = 0;
    double least = 1e308;  // the highest cost is 37 / the lowest weight
    for (std::size_t from = 0; from < size(); from += kBlock) {
      const std::size_t n = std::min(kBlock, size() - from);
      meet_weighted(key, seeds_.data() + from, weights_.data() + from, n, costs);
      for (std::size_t i = 0; i < n; ++i) {
        const bool better = costs[i] < least;
        found = better ? from + i : found;
        least = better ? costs[i] : least;
      }
    }
    return static_cast<std::int32_t>(found);
  }

  std::vector<std::uint64_t> seeds_;
  std::vector<double> weights_;
  bool alike_ = true;
};

// The owners of n hashes.
inline void owners(const Rendezvous& rendezvous, const std::uint64_t* hashes, std::size_t n,
                   std::int32_t* out) noexcept {
  for (std::size_t i = 0; i < n; ++i) out[i] = rendezvous.best(hashes[i]);
}

// Nodes that are in order already, one after the other.
class Listed {
 public:
  explicit Listed(std::vector<std::int32_t> nodes) : nodes_(std::move(nodes)) {}

  std::int32_t next() noexcept { return at_ == nodes_.size() ? kGone : nodes_[at_++]; }

 private:
  std::vector<std::int32_t> nodes_;
  std::size_t at_ = 0;
};

// By zones all nodes must be in order, else only those that are asked for.
inline std::vector<std::int32_t> chosen(const Rendezvous& rendezvous, std::uint64_t hash,
                                        const std::vector<std::int32_t>& zones, std::size_t zone_count, std::size_t n) {
  return choose(Listed(rendezvous.order(hash, zone_count == 0 ? n : rendezvous.size())), zones, zone_count, n);
}

}  // namespace seawall::hashing
