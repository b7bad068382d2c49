// The configuration of a limit, beside its state, replaceable while everybody uses it.
//
// Readers are wait-free: one epoch word names the entry of a small ring that is in force. A writer fills the next entry
// and then publishes the new epoch; state words carry the epoch they were made under and are translated when they are
// met. Writers must be serialised by the caller (Segment::Lock across processes, a mutex inside one).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "seawall/limits/word.hpp"

namespace seawall::limits {

// What an algorithm is asked to do (amount, period, limit), since when, and what it derived from that.
struct Config {
  std::uint64_t amount = 0;  // tokens per period
  std::uint64_t period = 0;  // nanoseconds; the window of window algorithms
  std::uint64_t limit = 0;   // burst, capacity or limit: no cost above it is ever admitted
  std::uint64_t since = 0;   // nanoseconds; when this configuration took effect
  std::uint64_t origin = 0;  // nanoseconds; windows are counted from here
  std::uint64_t scale = 0;   // cursors: ticks per nanosecond.  windows: bits per count
  std::uint64_t token = 0;   // cursors: ticks a token takes.   log: mask of the ring
  std::uint64_t span = 0;    // cursors: ticks the limit takes
};

inline constexpr std::size_t kConfigWords = 8;
static_assert(sizeof(Config) == kConfigWords * sizeof(std::uint64_t));

class alignas(64) Control {
 public:
  // The configuration in force and its epoch. Wait-free unless a writer laps the ring during the read.
  std::uint64_t read(Config& out) const noexcept {
    for (;;) {
      // acquire: the entry was written before the epoch that names it.
      const std::uint64_t epoch = epoch_.load(std::memory_order_acquire);
      load(epoch, out);
      // relaxed: the acquire loads above keep it behind them; a changed epoch means the ring may have been rewritten.
      if (epoch_.load(std::memory_order_relaxed) == epoch) [[likely]] {
        return epoch;
      }
    }
  }

  std::uint64_t epoch() const noexcept { return epoch_.load(std::memory_order_acquire); }  // acquire: as in read

  void previous(std::uint64_t epoch, Config& out) const noexcept { load(epoch - 1, out); }

  // Before anyone else can see it.
  void start(const Config& config) noexcept { store(0, config); }

  // Publishes `config` as the next epoch. Callers are serialised and have translated every word to the current epoch.
  void publish(const Config& config) noexcept {
    const std::uint64_t next =
        epoch_.load(std::memory_order_relaxed) + 1;  // relaxed: only serialised writers change it
    store(next, config);
    epoch_.store(next, std::memory_order_seq_cst);
  }

 private:
  // acquire: so that the second look at the epoch (read) cannot come before these.
  void load(std::uint64_t epoch, Config& out) const noexcept {
    const auto& entry = ring_[epoch % kEpochs];
    out.amount = entry[0].load(std::memory_order_acquire);
    out.period = entry[1].load(std::memory_order_acquire);
    out.limit = entry[2].load(std::memory_order_acquire);
    out.since = entry[3].load(std::memory_order_acquire);
    out.origin = entry[4].load(std::memory_order_acquire);
    out.scale = entry[5].load(std::memory_order_acquire);
    out.token = entry[6].load(std::memory_order_acquire);
    out.span = entry[7].load(std::memory_order_acquire);
  }

  // relaxed: ordered by the epoch word that publishes the entry.
  void store(std::uint64_t epoch, const Config& config) noexcept {
    auto& entry = ring_[epoch % kEpochs];
    const std::uint64_t words[kConfigWords] = {config.amount, config.period, config.limit, config.since,
                                               config.origin, config.scale,  config.token, config.span};
    for (std::size_t i = 0; i < kConfigWords; ++i) {
      entry[i].store(words[i], std::memory_order_relaxed);
    }
  }

  Word epoch_{0};
  alignas(64) std::array<std::array<Word, kConfigWords>, kEpochs> ring_{};
};

}  // namespace seawall::limits
