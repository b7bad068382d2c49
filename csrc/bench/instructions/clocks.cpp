// Logical clocks. Wall time is an argument.
#include "clocks.hpp"

#include <new>

#include "seawall/clocks/hybrid.hpp"
#include "seawall/clocks/lamport.hpp"
#include "seawall/clocks/vector.hpp"

namespace seawall::instructions {

namespace {

Operation lamport_tick() {
  return [at = new (zeroed(sizeof(clocks::Lamport))) clocks::Lamport](std::uint64_t n) {
    const auto before = at->value();
    for (std::uint64_t i = 0; i < n; ++i) at->tick();
    return at->value() - before == n;
  };
}

// Ten stamps a unit of time.
Operation hybrid_now() {
  return [at = new (zeroed(sizeof(clocks::Hybrid))) clocks::Hybrid, wall = clocks::Ns{1}](std::uint64_t n) mutable {
    bool right = true;
    for (; n != 0; --n) right &= at->now(wall += 1'500).answer == clocks::Answer::given;
    return right;
  };
}

Operation hybrid_receive() {
  return [at = new (zeroed(sizeof(clocks::Hybrid))) clocks::Hybrid, wall = clocks::Ns{1}](std::uint64_t n) mutable {
    bool right = true;
    for (; n != 0; --n) {
      wall += 1'500;
      const auto remote = clocks::units_of(wall) << clocks::kCountBits | (n & 7);
      right &= at->receive(remote, wall, 1).answer == clocks::Answer::given;
    }
    return right;
  };
}

// Two clocks of ten nodes, of which the second has one event more.
Operation vector_compare() {
  std::string one, two;
  clocks::put_head(one, 0, "", 0, 10);
  clocks::put_head(two, 0, "", 0, 10);
  for (char i = '0'; i <= '9'; ++i) {
    const auto name = std::string("node-") + i;
    clocks::put_entry(one, {name, 300, 1'800'000'000'000});
    clocks::put_entry(two, {name, i == '7' ? 301u : 300u, 1'800'000'000'000});
  }
  return [one, two](std::uint64_t n) {
    bool right = true;
    for (; n != 0; --n) right &= clocks::compare(one, two) == clocks::Order::before;
    return right;
  };
}

}  // namespace

std::vector<Named> clock_operations() {
  return {{"Lamport tick", lamport_tick()},
          {"hybrid clock now", hybrid_now()},
          {"hybrid clock receive", hybrid_receive()},
          {"vector clocks of ten compared", vector_compare()}};
}

}  // namespace seawall::instructions
