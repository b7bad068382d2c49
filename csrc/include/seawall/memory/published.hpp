// A configuration beside the state it rules, replaceable while everybody uses it.
//
// Readers are wait-free: one epoch word names the entry of a small ring that is in force. A writer fills the next entry
// and then publishes the new epoch. Writers must be serialised by the caller (Segment::Lock across processes, a mutex
// inside one). Cost: one load a word, from lines that nobody writes.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "seawall/memory/word.hpp"

namespace seawall::memory {

// Config: a struct of nothing but std::uint64_t.
template <class Config>
class alignas(64) Published {
 public:
  static constexpr std::uint64_t kEpochs = 4;
  static constexpr std::size_t kWords = sizeof(Config) / sizeof(std::uint64_t);

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
  static_assert(std::is_trivially_copyable_v<Config> && std::has_unique_object_representations_v<Config>);
  static_assert(sizeof(Config) % sizeof(std::uint64_t) == 0 && alignof(Config) == alignof(std::uint64_t));

  using Plain = std::array<std::uint64_t, kWords>;

  // acquire: so that the second look at the epoch (read) cannot come before these.
  void load(std::uint64_t epoch, Config& out) const noexcept {
    const auto& entry = ring_[epoch % kEpochs];
    Plain words;
    for (std::size_t i = 0; i < kWords; ++i) {
      words[i] = entry[i].load(std::memory_order_acquire);
    }
    out = std::bit_cast<Config>(words);
  }

  // release: whoever reads a word of the next lap also sees the epochs that passed before it, and looks again.
  void store(std::uint64_t epoch, const Config& config) noexcept {
    auto& entry = ring_[epoch % kEpochs];
    const Plain words = std::bit_cast<Plain>(config);
    for (std::size_t i = 0; i < kWords; ++i) {
      entry[i].store(words[i], std::memory_order_release);
    }
  }

  Word epoch_{0};
  alignas(64) std::array<std::array<Word, kWords>, kEpochs> ring_{};
};

}  // namespace seawall::memory
