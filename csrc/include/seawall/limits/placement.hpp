// The idea all limits share: a limit is a cursor in time, and admitting a call is finding it a place.
//
// Each algorithm answers one question, purely: given the state, the time and a cost, at which instant does the cost
// fit, and what is the state then? "Now" is an admission, "later" is a refusal that knows when, or a reservation.
#pragma once

#include <cstdint>

#include "seawall/limits/word.hpp"

namespace seawall::limits {

struct Placement {
  bool now;            // fits at this very instant
  bool full;           // may not even be reserved: the queue has no room (leaky bucket)
  std::uint64_t at;    // when it fits, in the algorithm's own unit; meaningless when `now`
  std::uint64_t next;  // the state after taking that place
  std::uint64_t open;  // when `full`: when the queue has room
};

// What a call is told.
struct Verdict {
  bool admitted = false;
  bool overflow = false;        // keyed table: no room for one more live key
  Ns at = kNever;               // admitted or admissible at this instant
  Ns reset_at = 0;              // when everything is as if nobody had ever called
  std::uint64_t remaining = 0;  // how much more would be admitted at this instant
  std::uint64_t limit = 0;
};

// How to give a place back: the words before and after it was taken, what it held, and under which configuration.
struct Ticket {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  std::uint64_t cost = 0;
  Ns at = 0;
  std::uint64_t epoch = 0;
};

// What a call wants: try (horizon 0), reserve (horizon > 0) or only look (commit false).
struct Ask {
  Ns now;
  std::uint64_t cost;
  Ns horizon = 0;
  bool commit = true;
};

}  // namespace seawall::limits
