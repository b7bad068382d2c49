// An HTTP/1.1 load engine: some threads that start requests at given times, whatever the target answers, and tell a
// tally what became of each.
//
// Guarantees: no request starts before it is due, none after `until`, each at most once, and every one that started
// ends exactly once, unless the run is stopped or given up: then what is under way is cut and has no end. Thread
// safety: feed and finish_feed from one thread at a time, everything else from any. Progress: stop never waits; the
// threads work without locks but for taking over a block of due times. The tally is any class with
//   void start(std::uint64_t due, std::uint64_t started, bool late) noexcept;
//   void end(std::uint64_t due, std::uint64_t started, std::uint64_t ended, load::Code, std::uint64_t body_bytes,
//            bool succeeded) noexcept;
//   void turn(std::uint64_t ns) noexcept;  // how long one turn of a loop worked between two waits
// in nanoseconds since zero, called from all threads at once.
#pragma once

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "seawall/http/loop.hpp"

namespace seawall::http {

// Why a plan cannot be run; empty where it can. Durations are told in seconds.
inline std::string problem_of(const Plan& plan) {
  const Options& o = plan.options;
  const auto seconds = [](Ns ns) { return std::to_string(static_cast<double>(ns) / 1e9); };
  if (o.threads < 1 || o.threads > kMostThreads) {
    return "threads must be between 1 and 64, got " + std::to_string(o.threads);
  }
  if (o.max_connections < 1 || o.max_connections > kMostConnections) {
    return "max_connections must be between 1 and 1,000,000, got " + std::to_string(o.max_connections);
  }
  if (o.timeout < 1 || o.timeout > kLongest) {
    return "timeout must be more than 0 seconds and at most a year, got " + seconds(o.timeout);
  }
  if (o.until < 0) return "until must be 0 seconds or more, got " + seconds(o.until);
  if (o.think < 0 || o.think > kLongest) {
    return "think must be between 0 seconds and a year, got " + seconds(o.think);
  }
  if (plan.requests.empty() || plan.requests.size() >= kNone) {
    return "requests must be between 1 and 4,294,967,294, got " + std::to_string(plan.requests.size());
  }
  return {};
}

template <class Tally>
class Engine {
 public:
  // A thread without a connection would have nothing to do, so there are at most as many as connections.
  Engine(Plan plan, Tally& tally) : plan_(std::move(plan)) {
    if (const std::string problem = problem_of(plan_); !problem.empty()) throw std::invalid_argument(problem);
    plan_.options.threads = std::min(plan_.options.threads, plan_.options.max_connections);
    for (unsigned i = 0; i < plan_.options.threads; ++i) {
      loops_.push_back(std::make_unique<Loop<Tally>>(plan_, shared_, tally, i));
      shared_.pollers.push_back(&loops_.back()->poller());
    }
  }

  ~Engine() {
    stop();
    for (auto& thread : threads_) thread.join();
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  unsigned threads() const noexcept { return plan_.options.threads; }

  // Appends due times, ascending over the whole run; before or after the start.
  void feed(std::span<const Ns> due) {
    if (finished_) throw std::logic_error("the feed is finished, nothing more can be due");
    std::vector<std::vector<Ns>> shares(loops_.size());
    for (auto& share : shares) share.reserve(due.size() / loops_.size() + 1);
    for (std::size_t i = 0; i < due.size(); ++i) shares[(fed_ + i) % loops_.size()].push_back(due[i]);
    for (std::size_t i = 0; i < loops_.size(); ++i) loops_[i]->feed().give(shares[i]);
    fed_ += due.size();
    shared_.ring_all();
  }
  void finish_feed() noexcept {
    finished_ = true;
    for (auto& loop : loops_) loop->feed().finish();
    shared_.ring_all();
  }
  std::uint64_t fed() const noexcept { return fed_.load(std::memory_order_relaxed); }  // relaxed: a count

  // Once. `zero` is a moment of CLOCK_MONOTONIC, past or future, to which all times relate.
  void start(Ns zero) {
    const std::lock_guard lock(mutex_);
    if (!threads_.empty()) throw std::logic_error("an engine runs once");
    const NoSignals none;  // those are for the threads of the caller
    running_ = threads();
    try {
      for (auto& loop : loops_) threads_.emplace_back([this, zero, &loop] { run(*loop, zero); });
    } catch (...) {
      running_ -= static_cast<unsigned>(loops_.size() - threads_.size());
      stop();
      throw;
    }
  }

  // Whether all threads have ended, after waiting for at most `wait` nanoseconds.
  bool join(Ns wait) {
    std::unique_lock lock(mutex_);
    if (threads_.empty()) throw std::logic_error("an engine that has not been started cannot be waited for");
    return ended_.wait_for(lock, std::chrono::nanoseconds(wait), [this] { return running_ == 0; });
  }

  void stop() noexcept {
    shared_.stop.store(true, std::memory_order_relaxed);  // relaxed: the bell follows
    shared_.ring_all();
  }

  Counts counts() const noexcept {
    Counts sum;
    for (const auto& loop : loops_) loop->counters().add_to(sum);
    return sum;
  }
  // relaxed, here and below: each stands for itself.
  bool hopeless() const noexcept { return shared_.hopeless.load(std::memory_order_relaxed); }
  load::Code first_error_code() const noexcept {
    return static_cast<load::Code>(shared_.first_error.load(std::memory_order_relaxed) >> 32);
  }
  int first_errno() const noexcept {
    return static_cast<int>(shared_.first_error.load(std::memory_order_relaxed) & 0xffff'ffff);
  }
  // One a thread; all zero until it has ended.
  std::vector<Report> reports() {
    const std::lock_guard lock(mutex_);
    std::vector<Report> made(loops_.size());
    for (std::size_t i = 0; running_ == 0 && i < loops_.size(); ++i) made[i] = loops_[i]->report();
    return made;
  }

 private:
  // What is started while this lives receives no signals.
  class NoSignals {
   public:
    NoSignals() {
      sigset_t all;
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    NoSignals(const NoSignals&) = delete;
    NoSignals& operator=(const NoSignals&) = delete;

   private:
    sigset_t before_;
  };

  void run(Loop<Tally>& loop, Ns zero) noexcept {
    loop.run(zero);
    const std::lock_guard lock(mutex_);
    --running_;
    ended_.notify_all();
  }

  Plan plan_;
  Shared shared_;
  std::vector<std::unique_ptr<Loop<Tally>>> loops_;
  std::atomic<std::uint64_t> fed_{0};
  bool finished_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  unsigned running_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace seawall::http
