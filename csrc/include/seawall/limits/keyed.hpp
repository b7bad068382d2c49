// A bounded table of limits by key, for millions of keys, that never forgets a live one.
//
// Guarantees: lookups and admissions of known keys are lock-free, taking an entry over is obstruction-free; an entry
// changes hands only when its limit is fully replenished, so forgetting it changes no answer; when all 16 places of a
// key are live, a new key is refused and counted (`overflowed`). Mechanism: two buckets of eight entries a key
// (partial-key cuckoo addressing without moves). An entry is a key word (48 bits of keyed hash, 13 of generation) and a
// state word. To take an entry over, a caller swaps the replenished state for a CLAIM naming its key, looks for the
// same key elsewhere, swaps the claim for a COMMIT, then writes the key and a fresh state. Every step is a
// compare-and-swap that anyone who meets it can finish or undo, so a process killed in the middle leaves nothing
// behind. State positions only grow, so a stale compare-and-swap of a former owner fails. Space: 24 bytes a key (16 an
// entry, two thirds full), the log 8 more for each place of its ring and entry. Two choices of eight places hold the
// promised number of keys: in simulation of 20 million keys at this load none found no place. Cost: one to three cache
// misses. Source: Fan et al., Cuckoo filter (2014), for the addressing.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "seawall/hashing/siphash.hpp"
#include "seawall/limits/kind.hpp"

namespace seawall::limits {

inline constexpr std::size_t kWays = 8;
inline constexpr std::uint64_t kStripes = 8;

// Statistics, by bucket, so that workers rarely write the same line.
struct alignas(64) KeyedStats {
  Word admitted{0};
  Word refused{0};
  Word overflowed{0};
  Word evicted{0};
};

// One pair of lines, which processors fetch together.
struct alignas(128) Bucket {
  Word keys[kWays];
  Word states[kWays];
};

// The table as it lies in memory: this header, then the buckets, then the cells of a log (cells per entry each).
struct alignas(128) Keyed {
  Control control;
  std::uint64_t k0 = 0, k1 = 0;  // the secret; set before the table is published
  std::uint64_t buckets = 0;     // at least 2
  std::uint64_t cells = 0;       // per entry; 0 but for the log
  KeyedStats stats[kStripes];

  hashing::Seed seed() const noexcept { return {k0, k1}; }
  Bucket* bucket(std::uint64_t i) noexcept { return reinterpret_cast<Bucket*>(this + 1) + i; }
  Word* log(std::uint64_t entry) noexcept { return reinterpret_cast<Word*>(bucket(buckets)) + entry * cells; }

  static std::uint64_t buckets_for(std::uint64_t keys) noexcept {
    return std::max<std::uint64_t>(2, (3 * keys + 2 * kWays - 1) / (2 * kWays));
  }
  static std::uint64_t bytes(std::uint64_t buckets, std::uint64_t cells) noexcept {
    return sizeof(Keyed) + buckets * (sizeof(Bucket) + kWays * cells * sizeof(Word));
  }
};

static_assert(sizeof(Keyed) == 896 && sizeof(Bucket) == 128);  // the layout of segments

template <class A>
class Table {
 public:
  explicit Table(Keyed& at) noexcept : t_(at) {}

  // The misses of a look-up, taken side by side.
  void prefetch(std::uint64_t hash) const noexcept {
    const Bucket* b = t_.bucket(first(hash));
    __builtin_prefetch(b->keys);
    __builtin_prefetch(b->states);
    __builtin_prefetch(t_.bucket(second(hash))->keys);
  }

  template <bool When>
  bool acquire(std::uint64_t hash, const Ask& ask, Verdict* out, Ticket* ticket) {
    prefetch(hash);
    const Answer answer = find_place<When>(hash, ask, out, ticket);
    if (ask.commit) {
      KeyedStats& s = stripe(hash);
      (answer == Answer::admitted ? s.admitted : s.refused).fetch_add(1, std::memory_order_relaxed);  // a statistic
    }
    return answer == Answer::admitted;
  }

  bool refund(std::uint64_t hash, const Ticket& ticket, Ns now) {
    stripe(hash).admitted.fetch_sub(
        1, std::memory_order_relaxed);  // a statistic: a place given back was never an admission
    Entry e;
    return find(hash, e) && limits::refund<A>(t_.control, *e.state, e.cells, e.loader(), ticket, now);
  }

  bool undo(std::uint64_t hash, const Ticket& ticket, Ns now) {
    Entry e;
    const bool done = find(hash, e) && limits::undo<A>(t_.control, *e.state, e.cells, e.loader(), ticket, now);
    stripe(hash).admitted.fetch_sub(done ? 1 : 0, std::memory_order_relaxed);  // a statistic
    return done;
  }

  // Part of a reconfiguration: no entry keeps the configuration before the last.
  void migrate(Ns now) {
    for (std::uint64_t i = 0; i < t_.buckets * kWays; ++i) {
      Entry e = entry(i);
      settle(e, now);
      limits::migrate<A>(t_.control, *e.state);
    }
  }

  // Keys whose limit is not fully replenished. A scan of the whole table.
  std::uint64_t live(Ns now) {
    Config c;
    const std::uint64_t epoch = t_.control.read(c);
    std::uint64_t count = 0;
    for (std::uint64_t i = 0; i < t_.buckets * kWays; ++i) {
      Entry e = entry(i);
      const std::uint64_t key = look(*e.key), word = look(*e.state);
      std::uint64_t value;
      count += key != 0 && tag_of(word) < kClaim && detail::current<A>(t_.control, epoch, word, value) &&
               !forgettable(c, value, e, now);
    }
    return count;
  }

 private:
  struct Entry {
    std::uint64_t index;
    Word* key;
    Word* state;
    Word* cells;
    std::uint64_t owner;  // the key word under which we met it

    // The state, provided the entry still belonged to `owner` when it was read.
    auto loader() const noexcept {
      return [key = key, state = state, owner = owner] {
        const std::uint64_t word = look(*state);
        return look(*key) == owner ? word : pack(kClaim, 0);
      };
    }
  };

  // seq_cst (the default): two callers that claim different entries for one key must see each other's claim.
  static std::uint64_t look(const Word& word) noexcept { return word.load(); }

  static constexpr int kGenerationBits = 13;
  static constexpr std::uint64_t kGenerations = std::uint64_t{1} << kGenerationBits;

  // The low 48 bits name the key in its buckets, the high ones choose them.
  static std::uint64_t print(std::uint64_t hash) noexcept { return std::max<std::uint64_t>(hash << 16 >> 16, 1); }
  static std::uint64_t print_in(std::uint64_t word) noexcept { return value_of(word) >> kGenerationBits; }
  static std::uint64_t generation_in(std::uint64_t word) noexcept { return word % kGenerations; }
  static std::uint64_t name(std::uint64_t fp, std::uint64_t generation) noexcept {
    return fp << kGenerationBits | generation % kGenerations;
  }

  std::uint64_t first(std::uint64_t hash) const noexcept {
    return static_cast<std::uint64_t>(Wide{hash} * t_.buckets >> 64);
  }
  std::uint64_t second(std::uint64_t hash) const noexcept {
    const std::uint64_t other = first(hash * 0x9e3779b97f4a7c15u);
    return other != first(hash) ? other : other + 1 == t_.buckets ? 0 : other + 1;
  }
  KeyedStats& stripe(std::uint64_t hash) noexcept { return t_.stats[first(hash) % kStripes]; }

  Entry entry(std::uint64_t index) noexcept {
    Bucket* b = t_.bucket(index / kWays);
    return {index, &b->keys[index % kWays], &b->states[index % kWays], t_.cells ? t_.log(index) : nullptr, 0};
  }

  bool forgettable(const Config& c, std::uint64_t value, const Entry& e, Ns now) const noexcept {
    if constexpr (is_log<A>) {
      return A::forgettable(c, e.cells, now);
    } else {
      return A::forgettable(c, value, now);
    }
  }

  Ns forgettable_at(const Config& c, std::uint64_t value, const Entry& e) const noexcept {
    if constexpr (is_log<A>) {
      return A::forgettable_at(c, e.cells);
    } else {
      return A::forgettable_at(c, value);
    }
  }

  std::uint64_t fresh(Ns now) const noexcept {
    Config c;
    const std::uint64_t epoch = t_.control.read(c);
    return detail::pack_for<A>(epoch, A::fresh(c, now));
  }

  template <bool When>
  Answer find_place(std::uint64_t hash, const Ask& ask, Verdict* out, Ticket* ticket) {
    for (;;) {
      Entry e;
      if (!find(hash, e)) {
        const Answer got = insert(hash, ask, out);
        if (got != Answer::moved) {
          return got;
        }
        continue;
      }
      const Answer answer = attempt<A, When>(t_.control, *e.state, e.cells, e.loader(), ask, out, ticket);
      if (answer != Answer::moved) {
        return answer;
      }
      settle(e, ask.now);
    }
  }

  bool find_in(std::uint64_t bucket, std::uint64_t fp, Entry& out) noexcept {
    Bucket* b = t_.bucket(bucket);
    for (std::size_t i = 0; i < kWays; ++i) {
      const std::uint64_t key = look(b->keys[i]);
      if (print_in(key) == fp) {
        out = entry(bucket * kWays + i);
        out.owner = key;
        return true;
      }
    }
    return false;
  }

  bool find(std::uint64_t hash, Entry& out) noexcept {
    const std::uint64_t fp = print(hash);
    return find_in(first(hash), fp, out) || find_in(second(hash), fp, out);
  }

  // Ends a change of hands that was met half done: a claim is undone, a commit is finished.
  void settle(const Entry& e, Ns now) {
    std::uint64_t word = look(*e.state);
    if (tag_of(word) == kClaim) {
      e.state->compare_exchange_strong(word, fresh(now));
    } else if (tag_of(word) == kCommit) {
      finish(e, word, now);
    }
  }

  void settle_all(const std::uint64_t (&places)[2], Ns now) {
    for (const std::uint64_t place : places) {
      for (std::size_t i = 0; i < kWays; ++i) {
        settle(entry(place * kWays + i), now);
      }
    }
  }

  void finish(const Entry& e, std::uint64_t commit, Ns now) {
    std::uint64_t key = look(*e.key);
    const std::uint64_t state = fresh(now);
    if (generation_in(key) == generation_in(commit)) {
      const bool taken_over = key != 0;
      if (e.key->compare_exchange_strong(key, name(print_in(commit), generation_in(commit) + 1)) && taken_over) {
        t_.stats[e.index / kWays % kStripes].evicted.fetch_add(1, std::memory_order_relaxed);  // a statistic
      }
    }
    e.state->compare_exchange_strong(commit, state);
  }

  // Makes an entry for `hash`. `moved`: look again; `refused`: every place is live. A mere look makes none.
  Answer insert(std::uint64_t hash, const Ask& ask, Verdict* out) {
    const std::uint64_t fp = print(hash);
    const std::uint64_t places[2] = {first(hash), second(hash)};
    Config c;
    const std::uint64_t epoch = t_.control.read(c);
    Entry best{};
    std::uint64_t best_word = 0;
    std::size_t best_live = kWays + 1;
    Ns earliest = kNever;
    bool unsettled = false;
    for (const std::uint64_t place : places) {
      Entry candidate{};
      std::uint64_t candidate_word = 0;
      std::size_t live = 0;
      for (std::size_t i = 0; i < kWays; ++i) {
        Entry e = entry(place * kWays + i);
        e.owner = look(*e.key);
        const std::uint64_t word = e.loader()();
        if (tag_of(word) == kCommit) {
          finish(e, word, ask.now);
          return Answer::moved;
        }
        if (tag_of(word) == kClaim) {  // left alone while there is another candidate: its owner is probably at work
          unsettled = true;
          continue;
        }
        std::uint64_t value;
        if (!detail::current<A>(t_.control, epoch, word, value)) {
          return Answer::moved;
        }
        if (e.owner == 0 || forgettable(c, value, e, ask.now)) {
          if (candidate.key == nullptr || e.owner == 0) {
            candidate = e;
            candidate_word = word;
          }
        } else {
          ++live;
          earliest = std::min(earliest, forgettable_at(c, value, e));
        }
      }
      if (candidate.key != nullptr && live < best_live) {
        best = candidate;
        best_word = candidate_word;
        best_live = live;
      }
    }
    if (best.key == nullptr && !unsettled) {
      return overflow(hash, c, earliest, ask.commit, out);
    }
    if (!ask.commit) {
      return look_only(c, ask, out);
    }
    if (best.key == nullptr) {
      settle_all(places, ask.now);
      return Answer::moved;
    }
    const std::uint64_t claim = pack(kClaim, name(fp, generation_in(best.owner)));
    if (best.state->compare_exchange_strong(best_word, claim)) {
      commit(best, claim, places, ask.now);
    }
    return Answer::moved;
  }

  Answer overflow(std::uint64_t hash, const Config& c, Ns earliest, bool counted, Verdict* out) {
    stripe(hash).overflowed.fetch_add(counted ? 1 : 0, std::memory_order_relaxed);  // a statistic
    if (out != nullptr) {
      *out = {false, true, earliest, earliest, 0, c.limit};
    }
    return Answer::refused;
  }

  // A key without an entry has everything; only looking must not make one.
  Answer look_only(const Config& c, const Ask& ask, Verdict* out) noexcept {
    const bool fits = ask.cost <= c.limit;
    if (out != nullptr) {
      *out = {fits, false, fits ? ask.now : kNever, ask.now, c.limit, c.limit};
    }
    return fits ? Answer::admitted : Answer::refused;
  }

  // Turns our claim into the entry's new owner unless the key is found, claimed or committed elsewhere.
  void commit(const Entry& mine, std::uint64_t claim, const std::uint64_t (&places)[2], Ns now) {
    const std::uint64_t fp = print_in(claim);
    for (const std::uint64_t place : places) {
      for (std::size_t i = 0; i < kWays; ++i) {
        const Entry e = entry(place * kWays + i);
        if (e.index == mine.index) {
          continue;
        }
        std::uint64_t word = look(*e.state);
        const bool same = tag_of(word) >= kClaim && print_in(word) == fp;
        if (same && tag_of(word) == kClaim && e.index > mine.index) {
          if (e.state->compare_exchange_strong(word, fresh(now))) {
            continue;
          }
        }
        // Read after the state: a commit that ended between the two reads shows in the key.
        if (same || print_in(look(*e.key)) == fp) {
          abandon(mine, claim, now);
          return;
        }
      }
    }
    std::uint64_t expected = claim;
    const std::uint64_t committed = pack(kCommit, value_of(claim));
    if (mine.state->compare_exchange_strong(expected, committed)) {
      finish(mine, committed, now);
    }
  }

  void abandon(const Entry& mine, std::uint64_t claim, Ns now) {
    mine.state->compare_exchange_strong(claim, fresh(now));
  }

  Keyed& t_;
};

// The table by algorithm number, for callers that choose at run time.
inline bool keyed_try(Kind kind, Keyed& t, std::uint64_t hash, const Ask& ask) {
  return with(kind, [&]<class A>(A) { return Table<A>(t).template acquire<false>(hash, ask, nullptr, nullptr); });
}

inline Verdict keyed_decide(Kind kind, Keyed& t, std::uint64_t hash, const Ask& ask, Ticket* ticket) {
  Verdict out;
  with(kind, [&]<class A>(A) { Table<A>(t).template acquire<true>(hash, ask, &out, ticket); });
  return out;
}

// costs may be null (one each). Entries are prefetched a few keys ahead, as a batch of unknown keys is all cache
// misses.
inline void keyed_try_many(Kind kind, Keyed& t, const std::uint64_t* hashes, const std::uint64_t* costs, std::size_t n,
                           Ns now, bool* admitted) {
  constexpr std::size_t kAhead = 12;
  with(kind, [&]<class A>(A) {
    Table<A> table(t);
    for (std::size_t i = 0; i < n; ++i) {
      if (i + kAhead < n) {
        table.prefetch(hashes[i + kAhead]);
      }
      admitted[i] = table.template acquire<false>(hashes[i], Ask{now, costs ? costs[i] : 1}, nullptr, nullptr);
    }
  });
}

inline bool keyed_refund(Kind kind, Keyed& t, std::uint64_t hash, const Ticket& ticket, Ns now) {
  return with(kind, [&]<class A>(A) { return Table<A>(t).refund(hash, ticket, now); });
}

inline bool keyed_undo(Kind kind, Keyed& t, std::uint64_t hash, const Ticket& ticket, Ns now) {
  return with(kind, [&]<class A>(A) { return Table<A>(t).undo(hash, ticket, now); });
}

inline std::uint64_t keyed_live(Kind kind, Keyed& t, Ns now) {
  return with(kind, [&]<class A>(A) { return Table<A>(t).live(now); });
}

inline void keyed_reconfigure(Kind kind, Keyed& t, const Config& config) {
  const Ns now = static_cast<Ns>(config.since);
  with(kind, [&]<class A>(A) {
    Table<A>(t).migrate(now);  // a predecessor may have been killed before it finished
    t.control.publish(config);
    Table<A>(t).migrate(now);
  });
}

}  // namespace seawall::limits
