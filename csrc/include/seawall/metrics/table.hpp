// Families and series of metrics in one block of memory, private or shared by all workers of a machine.
//
// Guarantees: a series is found without a lock and never moves; a process killed at any instruction leaves the table
// usable and loses nobody's counts. A series for which there is no room is the family's overflow series, and counted.
// Mechanism: records are cut from an arena and published by one store to the head of their family's chain, then entered
// into an open-addressed index; `pending` names the record between the two, and whoever takes the lock next finishes
// it. Registration is serialised by the segment's lock, or the process's where the table is private. Thread safety: all
// functions. Cost: a look-up about 50 ns; a registration some system calls.
#pragma once

#include <sys/mman.h>

#include <bit>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/histogram/histogram.hpp"
#include "seawall/memory/lock.hpp"
#include "seawall/memory/segment.hpp"
#include "seawall/metrics/records.hpp"
#include "seawall/metrics/workers.hpp"

namespace seawall::metrics {

inline constexpr std::size_t kArenaAlign = 64;

inline std::uint64_t buckets_for(std::uint64_t bytes) noexcept { return std::bit_ceil(bytes / 512); }

inline std::uint64_t first_of(std::uint64_t buckets, std::uint64_t workers) noexcept {
  const auto end = sizeof(Head) + workers * sizeof(Worker) + buckets * sizeof(Word);
  return (end + kArenaAlign - 1) / kArenaAlign * kArenaAlign;
}

// What a new table starts with; zeros follow.
inline void start_head(Head& head, std::uint64_t bytes, std::uint64_t workers) noexcept {
  head.bytes = bytes;
  head.workers = workers;
  head.buckets = buckets_for(bytes);
  head.top.store(first_of(head.buckets, workers));
}

class Table {
 public:
  // `segment` is null for a private table. The memory stays its owner's.
  Table(void* memory, memory::Segment* segment) noexcept : head_(static_cast<Head*>(memory)), segment_(segment) {}

  // Whether a block of this size can be what start_head made.
  bool is_sound(std::uint64_t bytes) const noexcept {
    return head_->bytes <= bytes && std::has_single_bit(head_->buckets) && head_->workers >= 1 &&
           head_->workers < 100'000 && first_of(head_->buckets, head_->workers) <= bytes;
  }

  Family* find_family(std::string_view name) const noexcept {
    return reinterpret_cast<Family*>(find(hash_of(0, name), 0, name));
  }

  // The family of this name, made where there is none; null where there is no memory. The caller compares definitions.
  Family* family(const Definition& definition, std::uint64_t now_ns) {
    if (auto* const found = find_family(definition.name)) return found;
    Family* made = nullptr;
    exclusively([&] {
      made = find_family(definition.name);
      if (made == nullptr) made = make_family(definition, now_ns);
    });
    return made;
  }

  // The series of these label values, made where there is none; the overflow series where there is no room.
  Series* series(Family& family, std::string_view key, std::uint64_t now_ns) noexcept {
    const auto hash = hash_of(offset_of(&family), key);
    if (auto* const found = find_series(hash, family, key)) return found;
    Series* made = nullptr;
    if (!is_full(family) && key.size() <= kMostKeyBytes) {
      try {
        exclusively([&] {
          made = find_series(hash, family, key);
          if (made == nullptr && !is_full(family)) made = make_series(family, key, hash, now_ns);
        });
      } catch (const memory::Fault&) {  // somebody stopped while holding the lock: counted like any other overflow
        made = nullptr;
      }
    }
    if (made != nullptr) return made;
    family.overflowed.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
    return family.overflow == 0 ? nullptr : at<Series>(family.overflow);
  }

  // Where the exemplar of a series is; null where there is no memory for it.
  Exemplar* exemplar(Series& series) noexcept {
    // acquire: what is zero was zeroed before the offset was published.
    if (const auto known = series.exemplar.load(std::memory_order_acquire)) return at<Exemplar>(known);
    Exemplar* made = nullptr;
    try {
      // Looked at before the lock is taken: memory that ended stays ended.
      if (room() >= sizeof(Exemplar))
        exclusively([&] {
          auto offset = series.exemplar.load();
          if (offset == 0 && (offset = cut(sizeof(Exemplar))) != 0) series.exemplar.store(offset);
          if (offset != 0) made = at<Exemplar>(offset);
        });
    } catch (const memory::Fault&) {
      made = nullptr;
    }
    if (made == nullptr) head_->dropped.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
    return made;
  }

  // The line of this process in banks of gauges: the first place whose owner is dead, cleared; where all live, the line
  // after the last, which newcomers share.
  std::uint64_t claim(std::uint64_t pid, std::uint64_t start) {
    std::uint64_t place = head_->workers;
    exclusively([&] {
      for (std::uint64_t i = head_->workers; i-- > 0;) {
        const auto owner = worker(i).pid.load(), since = worker(i).start.load();
        if (owner == pid && since == start) {
          place = i;
          return;
        }
        if (!lives(owner, since)) place = i;
      }
      if (place == head_->workers) {
        head_->dropped.fetch_add(1);
        return;
      }
      worker(place).pid.store(0);
      clear_line(place);
      worker(place).start.store(start);
      worker(place).pid.store(pid);
    });
    return place;
  }

  // For each line of a bank of gauges, whether its owner lives. The shared last one always counts.
  std::vector<bool> living() const {
    std::vector<bool> alive(head_->workers + 1, true);
    for (std::uint64_t i = 0; i < head_->workers; ++i) {
      alive[i] = segment_ == nullptr || lives(worker(i).pid.load(), worker(i).start.load());
    }
    return alive;
  }

  // Oldest first.
  std::vector<Family*> families() const { return chain<Family>(head_->families); }
  std::vector<Series*> series_of(const Family& family) const { return chain<Series>(family.series); }

  histogram::Histogram histogram(const Family& family, const Series& series) const noexcept {
    return {histogram::lay_out(family.lowest, family.highest, family.digits), at<histogram::State>(series.cell)};
  }
  void* cell(const Series& series) const noexcept { return at<char>(series.cell); }

  std::uint64_t offset_of(const void* record) const noexcept {
    return static_cast<std::uint64_t>(static_cast<const char*>(record) - reinterpret_cast<const char*>(head_));
  }
  template <class T>
  T* at(std::uint64_t offset) const noexcept {
    return reinterpret_cast<T*>(reinterpret_cast<char*>(head_) + offset);
  }
  const Head& head() const noexcept { return *head_; }

 private:
  Worker& worker(std::uint64_t i) const noexcept { return at<Worker>(sizeof(Head))[i]; }
  Word* index() const noexcept { return at<Word>(sizeof(Head) + head_->workers * sizeof(Worker)); }

  template <class Change>
  void exclusively(Change change) {
    const auto safely = [&] {
      finish();
      change();
    };
    if (segment_ != nullptr) {
      segment_->exclusively(safely);
    } else {
      const memory::ProcessLock threads;
      safely();
    }
  }

  static std::string_view key_of_record(const Record& record) noexcept {
    if (record.family != 0) return key_of(reinterpret_cast<const Series&>(record));
    return texts_of(reinterpret_cast<const Family&>(record)).next();
  }

  Record* find(std::uint64_t hash, std::uint64_t family, std::string_view key) const noexcept {
    const auto mask = head_->buckets - 1;
    for (auto i = hash & mask;; i = (i + 1) & mask) {
      // acquire: a record was complete before it was entered.
      const auto entry = index()[i].load(std::memory_order_acquire);
      if (entry == 0) return nullptr;
      if ((entry & ~kOffsetMask) != (hash & ~kOffsetMask)) continue;
      auto* const record = at<Record>(entry & kOffsetMask);
      if (record->hash == hash && record->family == family && key_of_record(*record) == key) return record;
    }
  }
  Series* find_series(std::uint64_t hash, const Family& family, std::string_view key) const noexcept {
    return reinterpret_cast<Series*>(find(hash, offset_of(&family), key));
  }

  template <class T>
  std::vector<T*> chain(const Word& newest) const {
    std::vector<T*> all;
    // acquire, here and below: a record was complete before it was published.
    auto offset = newest.load(std::memory_order_acquire);
    if (offset != 0) all.resize(at<Record>(offset)->ordinal + std::size_t{1});
    for (auto i = all.size(); i-- > 0; offset = at<Record>(offset)->next.load(std::memory_order_acquire)) {
      all[i] = at<T>(offset);
    }
    return all;
  }

  // Everything below runs under the lock.

  std::uint64_t room() const noexcept { return head_->bytes - head_->top.load(); }

  // 0 where the memory ends. Taken before it is used, so a process killed in between wastes it and harms nobody.
  std::uint64_t cut(std::uint64_t bytes) noexcept {
    bytes = (bytes + kArenaAlign - 1) / kArenaAlign * kArenaAlign;
    const auto start = head_->top.load();
    if (bytes > head_->bytes - start) return 0;
    head_->top.store(start + bytes);
    return start;
  }

  bool is_full(const Family& family) const noexcept {
    // The overflow series is one of the chain and takes no room of others.
    const auto newest = family.series.load();
    const auto count =
        newest == 0 ? 0 : at<Record>(newest)->ordinal + std::uint64_t{1} - (family.overflow != 0 ? 1 : 0);
    return family.full.load() != 0 || (family.labels != 0 && count >= family.max_series);
  }

  std::uint64_t lines_of(Kind kind) const noexcept {
    return kind == Kind::counter ? counter::kStripes : head_->workers + 1;
  }

  // A cell of a bank; a gauge that knows its last value takes two, for the value and its turn.
  std::uint64_t cell_for(Family& family) noexcept {
    if (family.kind == Kind::histogram) return histogram_cell(family);
    const std::uint64_t words = family.kind == Kind::gauge && family.across == Across::last ? 2 : 1;
    if (family.bank.load() == 0 || family.bank_used.load() + words > kSeriesOfBank) {
      const auto bank = cut(lines_of(family.kind) * kLine);
      if (bank == 0) return 0;
      family.bank.store(bank);
      family.bank_used.store(0);
    }
    const auto used = family.bank_used.load();
    family.bank_used.store(used + words);
    return family.bank.load() + used * sizeof(Word);
  }

  std::uint64_t histogram_cell(const Family& family) noexcept {
    const auto layout = histogram::lay_out(family.lowest, family.highest, family.digits);
    const auto offset = cut(histogram::bytes_of(layout));
    if (offset == 0) return 0;
    auto* const state = at<histogram::State>(offset);
    state->lowest.store(family.lowest);
    state->highest.store(family.highest);
    state->digits.store(family.digits);
    return offset;
  }

  Series* draft_series(Family& family, std::string_view key, std::uint64_t hash, std::uint64_t now_ns) noexcept {
    const auto before = head_->top.load();
    const auto offset = head_->entries.load() * 8 < head_->buckets * 7 ? cut(sizeof(Series) + key.size()) : 0;
    const auto cell = offset == 0 ? 0 : cell_for(family);
    if (cell == 0) {
      head_->top.store(before);
      return nullptr;
    }
    auto* const made = at<Series>(offset);
    made->record.hash = hash;
    made->record.family = offset_of(&family);
    made->record.key_bytes = static_cast<std::uint32_t>(key.size());
    made->cell = cell;
    made->created_ns = now_ns;
    key.copy(reinterpret_cast<char*>(made + 1), key.size());
    return made;
  }

  Series* make_series(Family& family, std::string_view key, std::uint64_t hash, std::uint64_t now_ns) noexcept {
    auto* const made = draft_series(family, key, hash, now_ns);
    if (made == nullptr) {
      family.full.store(1);
      return nullptr;
    }
    publish(made->record);
    return made;
  }

  static std::string texts_for(const Definition& definition) {
    std::string texts;
    for (const auto* text : {&definition.name, &definition.unit, &definition.help}) put_text(texts, *text);
    for (const auto& label : definition.labels) put_text(texts, label);
    return texts;
  }

  Family* make_family(const Definition& definition, std::uint64_t now_ns) {
    const auto texts = texts_for(definition);
    const auto before = head_->top.load();
    const auto bounds = definition.bounds.size() * sizeof(std::uint64_t);
    const auto offset = cut(sizeof(Family) + bounds + texts.size());
    if (offset == 0) return nullptr;
    auto& made = *at<Family>(offset);
    made.record.hash = hash_of(0, definition.name);
    made.record.key_bytes = static_cast<std::uint32_t>(texts.size());
    made.created_ns = now_ns;
    made.kind = definition.kind;
    made.across = definition.across;
    made.lowest = definition.lowest;
    made.highest = definition.highest;
    made.digits = definition.digits;
    made.max_series = definition.max_series;
    made.bounds = definition.bounds.size();
    made.labels = definition.labels.size();
    auto* const behind = reinterpret_cast<char*>(&made + 1);
    if (bounds != 0) std::memcpy(behind, definition.bounds.data(), bounds);
    texts.copy(behind + bounds, texts.size());
    if (made.labels == 0 ? !has_series(made, now_ns) : !reserve_overflow(made, now_ns)) {
      std::memset(static_cast<void*>(&made), 0, head_->top.load() - before);  // what is above `top` is zero
      head_->top.store(before);
      return nullptr;
    }
    publish(made.record);
    return &made;
  }

  // A family without labels has its one series from the start, and one with labels that of all that find no room: the
  // chain hangs on a family that is not published yet. Its index entry follows when it is first looked up.
  bool has_series(Family& family, std::uint64_t now_ns) noexcept {
    auto* const only = draft_series(family, {}, hash_of(offset_of(&family), {}), now_ns);
    if (only != nullptr) family.series.store(offset_of(only));
    return only != nullptr;
  }
  bool reserve_overflow(Family& family, std::uint64_t now_ns) {
    std::string key;
    for (std::uint64_t i = 0; i < family.labels; ++i) put_text(key, "overflow");
    auto* const made = draft_series(family, key, hash_of(offset_of(&family), key), now_ns);
    if (made == nullptr) return false;
    family.series.store(offset_of(made));
    family.overflow = offset_of(made);
    return true;
  }

  // The head of the chain a record belongs to.
  Word& newest_of(const Record& record) const noexcept {
    return record.family == 0 ? head_->families : at<Family>(record.family)->series;
  }

  void publish(Record& record) noexcept {
    auto& newest = newest_of(record);
    const auto before = newest.load();
    record.ordinal = before == 0 ? 0 : at<Record>(before)->ordinal + 1;
    record.next.store(before);
    head_->pending.store(offset_of(&record));
    newest.store(offset_of(&record));
    finish();
  }

  // Enters what `pending` names, and the first series of a family with it. Whoever was killed in the midst of a
  // publication left it here, in the chain or not.
  void finish() noexcept {
    const auto pending = head_->pending.load();
    if (pending == 0) return;
    auto& record = *at<Record>(pending);
    auto& newest = newest_of(record);
    if (newest.load() != pending) newest.store(pending);
    if (record.family == 0) {
      enter(*at<Record>(reinterpret_cast<Family&>(record).series.load()));
    }
    enter(record);
    head_->pending.store(0);
  }

  void enter(const Record& record) noexcept {
    const auto mask = head_->buckets - 1;
    const auto offset = offset_of(&record);
    for (auto i = record.hash & mask;; i = (i + 1) & mask) {
      const auto entry = index()[i].load();
      if (entry != 0 && (entry & kOffsetMask) == offset) return;
      if (entry != 0) continue;
      head_->entries.fetch_add(1);
      index()[i].store(offset | (record.hash & ~kOffsetMask));
      return;
    }
  }

  void clear_line(std::uint64_t line) noexcept {
    for (auto* const family : families()) {
      if (family->kind != Kind::gauge) continue;
      for (auto* const series : series_of(*family)) {
        word_of(cell(*series), line).store(0);
        if (family->across == Across::last) word_of(at<char>(series->cell + sizeof(Word)), line).store(0);
      }
    }
  }

  Head* head_;
  memory::Segment* segment_;
};

// A private table's memory: only what is used is ever touched.
class Block {
 public:
  Block(std::uint64_t bytes, std::uint64_t workers)
      : bytes_(bytes),
        at_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    if (at_ == MAP_FAILED) throw std::bad_alloc();
    start_head(*static_cast<Head*>(at_), bytes, workers);
  }
  ~Block() { ::munmap(at_, bytes_); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  void* at() const noexcept { return at_; }

 private:
  std::uint64_t bytes_;
  void* at_;
};

}  // namespace seawall::metrics
