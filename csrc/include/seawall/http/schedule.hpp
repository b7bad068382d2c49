// When the requests of one thread are due, and which of them the bound held back.
//
// Thread safety: Feed is written by whoever feeds and read by its loop; the rest belongs to the loop alone. Progress:
// the loop takes a lock once a block of due times, and only when its own block is used up; peek and pop are otherwise
// a few loads. All times are nanoseconds since the run's zero.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

namespace seawall::http {

using Ns = std::int64_t;
inline constexpr Ns kNever = std::numeric_limits<Ns>::max();

// Due times on their way from the feeder to one loop, each taken once, in the order they were given.
class Feed {
 public:
  // Of the feeder.
  void give(const std::vector<Ns>& due) {
    const std::lock_guard lock(mutex_);
    given_.insert(given_.end(), due.begin(), due.end());
    changed_.store(true, std::memory_order_relaxed);  // relaxed: the lock orders what it announces
  }
  void finish() noexcept {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.store(true, std::memory_order_relaxed);  // relaxed: as above
  }

  // Of the loop. kNever where nothing more is known for now.
  Ns peek() {
    if (at_ == mine_.size()) [[unlikely]] {
      refill();
    }
    return at_ == mine_.size() ? kNever : mine_[at_];
  }
  void pop() noexcept { ++at_; }
  bool exhausted() {
    const bool empty = peek() == kNever;
    return empty && over_;
  }

 private:
  void refill() {
    // relaxed: a change seen late is announced by the bell that follows it.
    if (!changed_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    mine_.clear();
    std::swap(mine_, given_);  // the feeder goes on in the memory of the block just used up
    at_ = 0;
    over_ = finished_;
    changed_.store(false, std::memory_order_relaxed);  // relaxed: under the lock
  }

  std::mutex mutex_;
  std::vector<Ns> given_;
  bool finished_ = false;
  std::atomic<bool> changed_{false};
  std::vector<Ns> mine_;
  std::size_t at_ = 0;
  bool over_ = false;
};

// The closed model: as many users as places; each is ready again when its request ended and it has thought.
class Users {
 public:
  // All ready at zero.
  explicit Users(std::size_t n) : ready_(n, 0), count_(n) {}

  Ns peek() const noexcept { return count_ == 0 ? kNever : ready_[first_]; }
  void pop() noexcept {
    first_ = first_ + 1 == ready_.size() ? 0 : first_ + 1;
    --count_;
  }
  // Ascending: all think equally long.
  void back_at(Ns ready) noexcept {
    const std::size_t last = first_ + count_++;
    ready_[last < ready_.size() ? last : last - ready_.size()] = ready;
  }

 private:
  std::vector<Ns> ready_;
  std::size_t first_ = 0, count_;
};

// Which requests are late: those that were due before the last moment at which the bound held the line back, even if
// places are free by the time they start.
class Line {
 public:
  // The first one in line is due and finds no place.
  void hold() noexcept { held_ = true; }
  // A request that was due at `due` leaves the line at `now`.
  bool leave(Ns due, Ns now) noexcept {
    if (held_) {
      held_until_ = now;
      held_ = false;
    }
    return due < held_until_;
  }

 private:
  bool held_ = false;
  Ns held_until_ = 0;
};

// The j-th request of thread t of n, counted over the whole run in due order: times are dealt round robin.
inline std::uint64_t order_of(std::uint64_t j, std::uint64_t t, std::uint64_t n) noexcept { return j * n + t; }

// Request k of the run sends body (first + k * stride) % n of n, without overflow for n below 2**32.
inline std::uint64_t body_of(std::uint64_t k, std::uint64_t first, std::uint64_t stride, std::uint64_t n) noexcept {
  return (first % n + (k % n) * (stride % n)) % n;
}

// The k-th of `n` equal shares of `whole`; the first ones get one more where it does not divide.
inline std::uint64_t share_of(std::uint64_t whole, std::uint64_t k, std::uint64_t n) noexcept {
  return whole / n + (k < whole % n ? 1 : 0);
}

}  // namespace seawall::http
