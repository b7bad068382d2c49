// What a table says at one moment, while everybody goes on counting.
//
// Progress: wait-free, read only. Each number is whole; numbers of different series are of slightly different moments.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "seawall/metrics/exemplars.hpp"
#include "seawall/metrics/table.hpp"

namespace seawall::metrics {

// A count in whole ones and billionths.
struct Amount {
  std::uint64_t whole, billionths;
};

inline Amount amount_of(const Table& table, const Series& series) noexcept {
  const auto part = series.extra.load(std::memory_order_relaxed);  // relaxed: a count
  return {total(table.cell(series)) + part / kBillion, part % kBillion};
}

inline void add_part(Series& series, std::uint64_t billionths) noexcept {
  series.extra.fetch_add(billionths, std::memory_order_relaxed);  // relaxed: a count publishes nothing
}

inline Word& gauge_word(const Table& table, const Series& series, std::uint64_t line) noexcept {
  return word_of(table.cell(series), line);
}
inline Word& turn_word(const Table& table, const Series& series, std::uint64_t line) noexcept {
  return word_of(table.at<char>(series.cell + sizeof(Word)), line);
}

inline void set(const Table& table, Series& series, bool last, std::uint64_t line, double x) noexcept {
  gauge_word(table, series, line).store(word_for(x), std::memory_order_relaxed);  // relaxed: see cells.hpp
  if (last) {
    const auto turn = series.extra.fetch_add(1, std::memory_order_relaxed) + 1;
    turn_word(table, series, line).store(turn, std::memory_order_relaxed);
  }
}

inline void unset(const Table& table, const Series& series, std::uint64_t line) noexcept {
  gauge_word(table, series, line).store(0, std::memory_order_relaxed);  // relaxed: as in set
}

// Over the living workers that have set it; nothing where none has.
inline std::optional<double> gauge_of(const Table& table, const Family& family, const Series& series,
                                      const std::vector<bool>& living) noexcept {
  std::optional<double> seen;
  std::uint64_t latest = 0;
  for (std::uint64_t line = 0; line < living.size(); ++line) {
    const auto word = gauge_word(table, series, line).load(std::memory_order_relaxed);
    if (!living[line] || !is_set(word)) continue;
    const double x = number_of(word);
    const auto turn = family.across == Across::last ? turn_word(table, series, line).load() : 0;
    if (!seen) {
      seen = x;
    } else if (family.across == Across::sum) {
      *seen += x;
    } else if (family.across == Across::min) {
      seen = std::min(*seen, x);
    } else if (family.across == Across::max) {
      seen = std::max(*seen, x);
    } else if (turn > latest) {
      seen = x;
    }
    latest = std::max(latest, turn);
  }
  return seen;
}

inline std::optional<Example> example_of(const Table& table, const Series& series) {
  const auto offset = series.exemplar.load(std::memory_order_acquire);  // acquire: as in Table::exemplar
  return offset == 0 ? std::nullopt : read(*table.at<Exemplar>(offset));
}

// Adds to `into` what `source` has more than `taken`, and to `taken` too; all of `source` where that began anew. All
// have one layout, and `taken` belongs to the caller.
inline void follow(const histogram::Histogram& into, const histogram::Histogram& source,
                   const histogram::Histogram& taken) noexcept {
  const auto sum = source.state->sum.load(), carry = source.state->carry.load();
  const auto before = taken.state->sum.load(), before_carry = taken.state->carry.load();
  histogram::for_used(source, [&](std::uint64_t index, Word& word) {
    const auto now = word.load(std::memory_order_relaxed);  // relaxed: see histogram.hpp
    auto& seen = taken.counts()[index];
    const auto was = seen.load(std::memory_order_relaxed);
    if (now != was) into.count_at(index, now > was ? now - was : now);
    seen.store(now, std::memory_order_relaxed);
  });
  const auto whole = static_cast<histogram::Wide>(carry) << 64 | sum;
  const auto known = static_cast<histogram::Wide>(before_carry) << 64 | before;
  into.add_to_sum(whole >= known ? whole - known : whole);
  taken.state->sum.store(sum);
  taken.state->carry.store(carry);
  const auto least = source.state->least.load();
  if (least != 0) into.widen(~least, source.state->most.load());
  const auto clipped = source.state->clipped.load(), were = taken.state->clipped.load();
  into.note_clipped(clipped >= were ? clipped - were : clipped);
  taken.state->clipped.store(clipped);
}

struct Reading {
  const Series* series;
  double number = 0.0;
  Amount amount{};
  std::vector<std::uint64_t> places, counts;
  std::uint64_t sum_high = 0, sum_low = 0;  // of a histogram, in billionths
  bool has_example = false;
  Example example{};
};

inline void read_histogram(const histogram::Histogram& from, Reading& into) {
  histogram::for_used(from, [&](std::uint64_t index, const Word& word) {
    const auto n = word.load(std::memory_order_relaxed);  // relaxed: see histogram.hpp
    if (n == 0) return;
    into.places.push_back(index);
    into.counts.push_back(n);
  });
  into.sum_high = from.state->carry.load(std::memory_order_relaxed);
  into.sum_low = from.state->sum.load(std::memory_order_relaxed);
}

// False for what there is nothing to say of: a gauge that nobody who lives has set, an overflow series never needed.
inline bool read_series(const Table& table, const Family& family, const Series& series, const std::vector<bool>& living,
                        Reading& into) {
  into.series = &series;
  bool empty = true;
  if (family.kind == Kind::counter) {
    into.amount = amount_of(table, series);
    empty = into.amount.whole == 0 && into.amount.billionths == 0;
  } else if (family.kind == Kind::gauge) {
    const auto value = gauge_of(table, family, series, living);
    if (!value) return false;
    into.number = *value;
    empty = false;
  } else {
    read_histogram(table.histogram(family, series), into);
    empty = into.counts.empty();
  }
  return !empty || family.overflow == 0 || &series != table.at<Series>(family.overflow);
}

inline std::vector<Reading> read_family(const Table& table, const Family& family, const std::vector<bool>& living) {
  std::vector<Reading> all;
  for (const auto* const series : table.series_of(family)) {
    Reading one{};
    if (!read_series(table, family, *series, living, one)) continue;
    if (auto example = example_of(table, *series)) {
      one.has_example = true;
      one.example = *std::move(example);
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace seawall::metrics
