// What the threads of one run tell each other.
//
// Progress: wait-free but for the bells. Thread safety: any thread; `pollers` is filled before the first one starts.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "seawall/http/poller.hpp"
#include "seawall/load/outcome.hpp"

namespace seawall::http {

struct Shared {
  std::atomic<bool> stop{false};
  std::atomic<bool> reached{false};           // some request reached the target
  std::atomic<bool> hopeless{false};          // so many ended without reaching it that more would tell nothing new
  std::atomic<std::uint64_t> missed{0};       // requests that ended before anyone reached the target
  std::atomic<std::uint32_t> good{0};         // the address that was connected to last
  std::atomic<std::uint64_t> first_error{0};  // (code << 32 | errno) of the first end without a response
  std::vector<Poller*> pollers;

  void ring_all() noexcept {
    for (Poller* const poller : pollers) poller->ring();
  }

  // relaxed, here and below: hints that stand for themselves.
  void note_error(load::Code code, int error) noexcept {
    if (first_error.load(std::memory_order_relaxed) != 0) return;
    std::uint64_t none = 0;
    const auto words = std::uint64_t{code} << 32 | static_cast<std::uint32_t>(error);
    first_error.compare_exchange_strong(none, words, std::memory_order_relaxed);
  }

  // A request ended; everybody is woken when that makes the run hopeless. `give_up_after` 0: it never is.
  void note_end(load::Code code, std::uint64_t give_up_after) noexcept {
    if (reached.load(std::memory_order_relaxed)) return;
    if (code < load::kRefused || code > load::kTls) {
      reached.store(true, std::memory_order_relaxed);
      return;
    }
    const auto so_far = missed.fetch_add(1, std::memory_order_relaxed) + 1;
    if (give_up_after == 0 || so_far < give_up_after || reached.load(std::memory_order_relaxed)) return;
    if (!hopeless.exchange(true, std::memory_order_relaxed)) ring_all();
  }
};

}  // namespace seawall::http
