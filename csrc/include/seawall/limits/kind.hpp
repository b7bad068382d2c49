// The five algorithms by number, for callers that choose at run time.
#pragma once

#include <cstdint>

#include "seawall/limits/limiter.hpp"

namespace seawall::limits {

enum class Kind : std::uint64_t { token_bucket, leaky_bucket, fixed_window, sliding_window, sliding_log };

// Calls f with a value of the algorithm's type.
template <class F>
decltype(auto) with(Kind kind, F&& f) {
  switch (kind) {
    case Kind::token_bucket:
      return f(TokenBucket{});
    case Kind::leaky_bucket:
      return f(LeakyBucket{});
    case Kind::fixed_window:
      return f(FixedWindow{});
    case Kind::sliding_window:
      return f(SlidingWindow{});
    default:
      return f(SlidingLog{});
  }
}

inline const char* name_of(Kind kind) {
  constexpr const char* names[] = {"token_bucket", "leaky_bucket", "fixed_window", "sliding_window", "sliding_log"};
  return names[static_cast<std::size_t>(kind)];
}

// Fills what the algorithm derives; false when the state could not hold this configuration. cells: ring size of a log.
inline bool derive(Kind kind, Config& c, std::uint64_t cells) {
  return with(kind, [&]<class A>(A) {
    if constexpr (is_log<A>) {
      return A::derive(c, cells);
    } else {
      return A::derive(c);
    }
  });
}

// Like try_acquire for callers that will wait when refused: only an admission is counted.
inline bool admit_now(Kind kind, Single& limit, Ns now, std::uint64_t cost) {
  const bool admitted = with(kind, [&]<class A>(A) {
    return attempt<A, false>(limit.control, limit.state, limit.cells(), limit.loader(), Ask{now, cost}, nullptr,
                             nullptr) == Answer::admitted;
  });
  if (admitted) {
    limit.admitted.fetch_add(1, std::memory_order_relaxed);  // relaxed: a statistic
  }
  return admitted;
}

inline bool try_acquire(Kind kind, Single& limit, Ns now, std::uint64_t cost) {
  const bool admitted = admit_now(kind, limit, now, cost);
  if (!admitted) {
    limit.refused.fetch_add(1, std::memory_order_relaxed);  // relaxed: a statistic
  }
  return admitted;
}

// The full answer. Counts like try_acquire unless the ask only looks.
inline Verdict decide(Kind kind, Single& limit, const Ask& ask, Ticket* ticket) {
  Verdict out;
  with(kind, [&]<class A>(A) {
    attempt<A, true>(limit.control, limit.state, limit.cells(), limit.loader(), ask, &out, ticket);
  });
  if (ask.commit) {
    (out.admitted ? limit.admitted : limit.refused).fetch_add(1, std::memory_order_relaxed);  // relaxed: a statistic
  }
  return out;
}

// A place given back was never an admission.
inline bool refund(Kind kind, Single& limit, const Ticket& ticket, Ns now) {
  limit.admitted.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a statistic
  return with(kind, [&]<class A>(A) {
    return refund<A>(limit.control, limit.state, limit.cells(), limit.loader(), ticket, now);
  });
}

inline bool undo(Kind kind, Single& limit, const Ticket& ticket, Ns now) {
  const bool done = with(kind, [&]<class A>(A) {
    return undo<A>(limit.control, limit.state, limit.cells(), limit.loader(), ticket, now);
  });
  limit.admitted.fetch_sub(done ? 1 : 0, std::memory_order_relaxed);  // relaxed: a statistic
  return done;
}

inline void migrate(Kind kind, Single& limit) {
  with(kind, [&]<class A>(A) { migrate<A>(limit.control, limit.state); });
}

// New limits for everybody at once. Callers are serialised; `config` is derived and carries the time in `since`.
inline void reconfigure(Kind kind, Single& limit, const Config& config) {
  migrate(kind, limit);  // a predecessor may have been killed before it finished
  limit.control.publish(config);
  migrate(kind, limit);
}

}  // namespace seawall::limits
