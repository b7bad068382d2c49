// The clockwork of a thread that looks at other threads: waits without the GIL, then gets it at once.
#pragma once

#include <Python.h>
#include <dlfcn.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

namespace seawall::binding {

// Whoever asks for the GIL waits up to the switch interval (5 ms) before the holder is told, and gets it earlier only
// where the holder lets go by itself, around system calls: a sampler that waits like that sees system calls far too
// often. A pending call reaches the main thread between two of its instructions instead, and there it gives way.
// One sleeper, any number of ringers.
class Tick {
 public:
  // Without the GIL: sleeps, then asks the main thread to give way. False when it was rung.
  bool wait(std::int64_t ns) {
    done();
    std::unique_lock lock(shared_->mutex);
    const auto rung = [this] { return rung_; };
    if (shared_->changed.wait_for(lock, std::chrono::nanoseconds(ns), rung)) {
      rung_ = false;
      return false;
    }
    ++shared_->asked;
    lock.unlock();
    auto* share = new std::shared_ptr<Shared>(shared_);
    if (Py_AddPendingCall(&give_way, share) != 0) {
      delete share;  // there is no room: wait like others
    } else if (const Nudge nudge = find_nudge()) {
      nudge(PyInterpreterState_Main());
    }
    return true;
  }

  // The look is over: whoever gave way goes on. `wait` does this, too.
  void done() {
    const std::lock_guard lock(shared_->mutex);
    shared_->served = shared_->asked;
    shared_->changed.notify_all();
  }

  void ring() {
    const std::lock_guard lock(shared_->mutex);
    rung_ = true;
    shared_->changed.notify_all();
  }

 private:
  using Nudge = void (*)(PyInterpreterState*);

  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t asked = 0, served = 0;
    pid_t process = getpid();
  };

  // Up to 3.12 a pending call of another thread is only seen when something else makes the interpreter look; this
  // sets the flag that makes it look, and nothing else. Later versions set it themselves, and do not export this.
  static Nudge find_nudge() noexcept {
    static const Nudge found = reinterpret_cast<Nudge>(dlsym(RTLD_DEFAULT, "_PyEval_SignalAsyncExc"));
    return found;
  }

  static int give_way(void* pointer) {
    const std::unique_ptr<std::shared_ptr<Shared>> share(static_cast<std::shared_ptr<Shared>*>(pointer));
    Shared& shared = **share;
    if (shared.process != getpid()) return 0;  // forked: the sleeper stayed behind, maybe with the mutex
    PyThreadState* state = PyEval_SaveThread();
    {
      std::unique_lock lock(shared.mutex);
      // The sleeper may be held up by others who want the GIL.
      shared.changed.wait_for(lock, std::chrono::milliseconds(5), [&] { return shared.served == shared.asked; });
    }
    PyEval_RestoreThread(state);
    return 0;
  }

  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  bool rung_ = false;
};

}  // namespace seawall::binding
