// The work of one thread: starts what is due, never earlier and never waiting for an answer, until the plan is over.
//
// Thread safety: feed, poller and counters are for others too; run() belongs to its thread, report() to whoever has
// joined it. Mechanism: one turn handles a batch of events, then what has run out of time, then starts what is due, and
// waits for the next of these. Due times are absolute, so nothing drifts. Cost: two clock reads and one wait a turn.
#pragma once

#include <sys/resource.h>

#include <cstdio>
#include <ctime>

#include "seawall/http/exchange.hpp"

namespace seawall::http {

template <class Tally>
class Loop {
 public:
  Loop(const Plan& plan, Shared& shared, Tally& tally, unsigned index)
      : plan_(plan),
        shared_(shared),
        tally_(tally),
        index_(index),
        users_(plan.options.closed ? places_of(plan, index) : 0),
        exchange_(plan, shared, counters_, tally, users_, places_of(plan, index)) {}

  Feed& feed() noexcept { return feed_; }
  Poller& poller() noexcept { return exchange_.poller(); }
  const Counters& counters() const noexcept { return counters_; }
  const Report& report() const noexcept { return report_; }

  void run(Ns zero) noexcept {
    exchange_.set_zero(zero);
    Poller::sharpen();
    const Ns began = exchange_.now();
    take_turns();
    exchange_.close_all();
    write_report(exchange_.now() - began);
  }

 private:
  static constexpr int kBurst = 32;  // as many starts at most before answers are read again

  static std::uint32_t places_of(const Plan& plan, unsigned index) noexcept {
    return static_cast<std::uint32_t>(share_of(plan.options.max_connections, index, plan.options.threads));
  }

  void take_turns() noexcept {
    std::span<const epoll_event> events;
    for (;;) {
      const Ns woke = exchange_.now();
      const bool was_full = exchange_.full();
      for (const epoll_event& event : events) exchange_.on_event(event);
      exchange_.on_time(exchange_.now());
      // While full, a thread sleeps through due times; the event that woke it may have made room already.
      if (was_full && !plan_.options.closed && next_due() < exchange_.now()) line_.hold();
      const bool more = start_due();
      const Ns ready = exchange_.now();
      tally_.turn(static_cast<std::uint64_t>(ready - woke));
      if (over(ready)) return;
      events = exchange_.poller().wait(more ? 0 : until_next(ready));
    }
  }

  Ns next_due() { return plan_.options.closed ? users_.peek() : feed_.peek(); }

  // Whether more is due right now.
  bool start_due() noexcept {
    for (int n = 0; n < kBurst; ++n) {
      const Ns due = next_due(), now = exchange_.now();
      if (due > now || now >= plan_.options.until || cut()) return false;
      if (exchange_.full()) {
        line_.hold();
        return false;
      }
      start(due, now);
    }
    return true;
  }

  void start(Ns due, Ns now) noexcept {
    const auto order = order_of(taken_++, index_, plan_.options.threads);
    if (plan_.options.closed) {
      users_.pop();
      return exchange_.begin(order, now, now, false);
    }
    feed_.pop();
    exchange_.begin(order, due, now, line_.leave(due, now));
  }

  bool cut() const noexcept {
    // relaxed: whoever sets these rings the bell afterwards.
    return shared_.stop.load(std::memory_order_relaxed) || shared_.hopeless.load(std::memory_order_relaxed);
  }

  bool over(Ns now) {
    if (cut()) return true;
    if (exchange_.any_under_way()) return false;
    return now >= plan_.options.until || (!plan_.options.closed && feed_.exhausted());
  }

  Ns until_next(Ns now) {
    Ns next = exchange_.next_time();
    if (now < plan_.options.until) {
      next = std::min(next, plan_.options.until);
      if (!exchange_.full()) next = std::min(next, next_due());
    }
    return next == kNever ? kNever : std::max<Ns>(next - now, 0);
  }

  void write_report(Ns wall) noexcept {
    timespec cpu{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    report_.cpu_seconds = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9;
    report_.wall_seconds = static_cast<double>(wall) / 1e9;
    report_.delayed_seconds = static_cast<double>(delayed_ns()) / 1e9;
    report_.naps = static_cast<std::uint64_t>(usage.ru_nvcsw);
  }

  static unsigned long long delayed_ns() noexcept {
    unsigned long long ran = 0, delayed = 0;
    if (std::FILE* file = std::fopen("/proc/thread-self/schedstat", "re")) {
      if (std::fscanf(file, "%llu %llu", &ran, &delayed) != 2) delayed = 0;
      std::fclose(file);
    }
    return delayed;
  }

  const Plan& plan_;
  Shared& shared_;
  Tally& tally_;
  const unsigned index_;
  Feed feed_;
  Users users_;
  Line line_;
  Counters counters_;
  Report report_;
  std::uint64_t taken_ = 0;
  Exchange<Tally> exchange_;
};

}  // namespace seawall::http
