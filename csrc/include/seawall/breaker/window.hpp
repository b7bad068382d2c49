// The newest outcomes of the era in force, by number of calls or by seconds.
//
// Guarantees: exact for every history of one thread; under concurrency each outcome is counted once, in some order; a
// writer killed anywhere leaves at most its own outcome half recorded. Mechanism: nothing is ever cleared: every word
// carries a tag mixed from the era and the window's shape (and the bucket's number) and means nothing under another.
// Progress: lock-free. Cost: one or two compare-and-swaps a call.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "seawall/breaker/era.hpp"

namespace seawall::breaker {

// An outcome's bits.
inline constexpr std::uint64_t kFailure = 1;
inline constexpr std::uint64_t kSlow = 2;

// The tag of an era's window. A window that is given another shape begins anew.
constexpr std::uint64_t window_tag(std::uint64_t era, const BreakerConfig& c) noexcept {
  const std::uint64_t shape = c.window == kCalls ? c.calls : c.bucket_ns;
  return tag32(mixed(era) ^ shape * 0xd1342543de82ef95u);
}

namespace detail {

constexpr std::uint64_t low(std::uint64_t word) noexcept { return word & 0xffff'ffff; }

// The number beside a 32-bit tag; nothing under another one.
constexpr std::uint64_t under(std::uint64_t tag, std::uint64_t word) noexcept {
  return word >> 32 == tag ? low(word) : 0;
}

}  // namespace detail

// A ring of exactly n outcomes of two bits, 16 in a word beside the tag. The head counts 0 to n-1 while the ring fills
// and n to 2n-1 for ever after.
struct CallsWindow {
  static constexpr std::uint64_t kPerWord = 16;

  Word head{0};
  Word outcomes[kMostCalls / kPerWord]{};

  bool record(const Era& era, std::uint64_t n, std::uint64_t bits) noexcept {
    std::uint64_t at = 0;
    const bool taken = update(era, head, [&](std::uint64_t seen) {
      at = detail::under(era.tag, seen);
      return era.tag << 32 | (at + 1 < 2 * n ? at + 1 : n);
    });
    at = at < n ? at : at - n;
    const std::uint64_t shift = 2 * (at % kPerWord);
    return taken && update(era, outcomes[at / kPerWord], [&](std::uint64_t seen) {
             const std::uint64_t others = detail::under(era.tag, seen) & ~(std::uint64_t{3} << shift);
             return era.tag << 32 | others | bits << shift;
           });
  }

  void count(std::uint64_t tag, std::uint64_t n, Counts& out) const noexcept {
    // acquire, here and below: what is counted was recorded before it is decided upon.
    out.calls = std::min(detail::under(tag, head.load(std::memory_order_acquire)), n);
    for (std::uint64_t first = 0; first < out.calls; first += kPerWord) {
      const std::uint64_t written = std::min(out.calls - first, kPerWord);
      const std::uint64_t mask = (std::uint64_t{1} << 2 * written) - 1;
      const std::uint64_t word = outcomes[first / kPerWord].load(std::memory_order_acquire);
      const std::uint64_t bits = detail::under(tag, word) & mask;
      out.failures += static_cast<std::uint64_t>(std::popcount(bits & 0x5555'5555));
      out.slow += static_cast<std::uint64_t>(std::popcount(bits & 0xaaaa'aaaa));
    }
  }
};

// Ten buckets, of which the newest has begun and not ended: the window is nine to ten of them long. Time that steps
// back stays in the newest bucket. Counts saturate.
struct SecondsWindow {
  static constexpr int kNumberBits = 40;  // of buckets of at least 1 ms in nine years

  struct Bucket {
    Word calls{0}, failures{0}, slow{0};
  };

  Word head{0};  // 24 bits of tag, the number of the newest bucket
  Bucket buckets[kBuckets]{};

  bool record(const Era& era, std::uint64_t bucket_ns, Ns now, std::uint64_t bits) noexcept {
    std::uint64_t number = number_at(bucket_ns, now);
    const bool taken = update(era, head, [&](std::uint64_t seen) {
      number = std::max(number, newest(era.tag, seen));
      return era.tag << kNumberBits | number;
    });
    Bucket& b = buckets[number % kBuckets];
    // Calls first: whoever counts in between sees a success, never a failure without its call.
    return taken && add(era, b.calls, number) && (!(bits & kFailure) || add(era, b.failures, number)) &&
           (!(bits & kSlow) || add(era, b.slow, number));
  }

  void count(std::uint64_t tag, std::uint64_t bucket_ns, Ns now, Counts& out) const noexcept {
    // acquire, here and below: as in CallsWindow.
    const std::uint64_t last = std::max(number_at(bucket_ns, now), newest(tag, head.load(std::memory_order_acquire)));
    for (std::uint64_t number = last < kBuckets ? 0 : last - kBuckets + 1; number <= last; ++number) {
      const Bucket& b = buckets[number % kBuckets];
      const std::uint64_t own = tag_in(tag, number);
      out.calls += detail::under(own, b.calls.load(std::memory_order_acquire));
      out.failures += detail::under(own, b.failures.load(std::memory_order_acquire));
      out.slow += detail::under(own, b.slow.load(std::memory_order_acquire));
    }
  }

 private:
  static std::uint64_t number_at(std::uint64_t bucket_ns, Ns now) noexcept {
    return std::min(static_cast<std::uint64_t>(std::max<Ns>(now, 0)), kLongestNs) / bucket_ns;
  }
  static std::uint64_t newest(std::uint64_t tag, std::uint64_t head) noexcept {
    const bool own = head >> kNumberBits == (tag << kNumberBits) >> kNumberBits;
    return own ? head & ((std::uint64_t{1} << kNumberBits) - 1) : 0;
  }
  // A sum, not a mix: buckets of one era never look alike.
  static std::uint64_t tag_in(std::uint64_t tag, std::uint64_t number) noexcept {
    return std::max<std::uint64_t>(detail::low(tag + number), 1);
  }

  bool add(const Era& era, Word& word, std::uint64_t number) noexcept {
    const std::uint64_t tag = tag_in(era.tag, number);
    return update(era, word, [&](std::uint64_t seen) {
      // relaxed: it follows an acquire load of the word, whose writer moved the head first. A later bucket has taken
      // this word over: the outcome has left the window before it was recorded.
      if (newest(era.tag, head.load(std::memory_order_relaxed)) >= number + kBuckets) {
        return seen;
      }
      return tag << 32 | std::min<std::uint64_t>(detail::under(tag, seen) + 1, 0xffff'ffff);
    });
  }
};

// Failures in a row, and whether the window may hold a bad outcome at all: without one there is nothing to count after
// a success. 32 bits of tag, 16 of version, 16 of failures; another era's word says that all is well.
struct Run {
  Word word{0};

  static std::uint64_t failures(std::uint64_t tag, std::uint64_t seen) noexcept {
    return detail::under(tag, seen) & kMostConsecutive;
  }

  // To be called when the outcome is in the window. Returns the failures in a row.
  std::uint64_t bad(const Era& era, bool failure) noexcept {
    std::uint64_t row = 0;
    update(era, word, [&](std::uint64_t seen) {
      row = failure ? std::min(failures(era.tag, seen) + 1, kMostConsecutive) : 0;
      const std::uint64_t version = ((seen >> 16) + 1) & 0xffff;  // so that `clean` never overlooks this
      return era.tag << 32 | version << 16 | row;
    });
    return row;
  }

  // A good outcome ends the row. True when the window may hold a bad one; `seen` is then for `clean`.
  bool good(const Era& era, std::uint64_t& seen) noexcept {
    seen = word.load(std::memory_order_acquire);  // acquire: comes before the counting
    if (seen >> 32 != era.tag) [[likely]] {
      return false;
    }
    update(era, word, [&](std::uint64_t now) {
      seen = now >> 32 == era.tag ? now & ~kMostConsecutive : now;
      return seen;
    });
    return true;
  }

  // Nothing bad was counted after `seen` was read. Fails when something came in between.
  void clean(std::uint64_t seen) noexcept { word.compare_exchange_strong(seen, detail::low(seen)); }
};

struct Window {
  alignas(64) Run run;
  CallsWindow calls;
  SecondsWindow seconds;

  // Records an outcome (false when the era has ended) and counts when anything bad may be in the window; `counts` stays
  // empty where a success found nothing to count.
  bool record(const Era& era, const BreakerConfig& c, Ns now, std::uint64_t bits, Counts& counts) noexcept {
    if (!(c.window == kCalls ? calls.record(era, c.calls, bits) : seconds.record(era, c.bucket_ns, now, bits))) {
      return false;
    }
    if (bits != 0) {
      run.bad(era, bits & kFailure);
      counts = count(era.tag, c, now);
      return true;
    }
    std::uint64_t seen;
    if (run.good(era, seen)) {
      counts = count(era.tag, c, now);
      if (counts.failures == 0 && counts.slow == 0) {
        run.clean(seen);
      }
    }
    return true;
  }

  Counts count(std::uint64_t tag, const BreakerConfig& c, Ns now) const noexcept {
    Counts out;
    if (c.window == kCalls) {
      calls.count(tag, c.calls, out);
    } else {
      seconds.count(tag, c.bucket_ns, now, out);
    }
    out.consecutive = Run::failures(tag, run.word.load(std::memory_order_acquire));  // acquire: as in CallsWindow
    return out;
  }
};

}  // namespace seawall::breaker
