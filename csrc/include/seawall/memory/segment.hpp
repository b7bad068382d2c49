// A named shared mapping of named, typed slots, used by all processes of one user on one machine.
//
// Guarantees: finding a slot is lock-free; a slot is complete when it becomes visible and never moves; a process killed
// at any instruction leaves the segment usable (an unpublished slot's space is simply used by the next). Space is
// reserved when the file is made, so later writes cannot fault. Mechanism: a directory of offsets, filled by
// compare-and-swap, linear probing by hash of the name; creators are serialised by a lock that dies with its holder,
// readers take no lock. Thread safety: all functions. Cost: attach some system calls; find about 100 ns.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/memory/file.hpp"
#include "seawall/memory/lock.hpp"

namespace seawall::memory {

inline constexpr std::uint64_t kMagic = 0x316c6c6177616573;  // "seawall1"
inline constexpr std::uint64_t kLayout = 1;
inline constexpr std::uint64_t kDirectory = 1024;  // slots at most
inline constexpr std::size_t kNameBytes = 128;
inline constexpr std::size_t kKindBytes = 48;

struct SegmentHeader {
  std::uint64_t magic;
  std::uint64_t layout;
  std::uint64_t size;
  std::uint64_t boot[2];
  std::uint64_t unused[3];
  std::atomic<std::uint64_t> directory[kDirectory];  // offset of a slot, 0 for none
};

struct alignas(128) SlotHeader {
  std::uint64_t bytes;  // of the state that follows
  std::uint64_t layout;
  char kind[kKindBytes];
  char name[kNameBytes];

  void* state() noexcept { return this + 1; }
  std::uint64_t end(std::uint64_t offset) const noexcept {
    return offset + sizeof(SlotHeader) + (bytes + 127) / 128 * 128;
  }
};

inline constexpr std::uint64_t kFirstSlot = (sizeof(SegmentHeader) + 127) / 128 * 128;
inline constexpr std::uint64_t kSmallest = kFirstSlot + 4096;

struct Slot {
  void* state;
  std::uint64_t bytes;
  bool created;
};

struct Listing {
  std::string name, kind;
  std::uint64_t layout, bytes;
};

class Segment {
 public:
  // Attaches to the segment at `path`, creating it with `size` bytes when there is none and size is not 0.
  Segment(std::string path, std::uint64_t size) : path_(std::move(path)) {
    const ProcessLock threads;
    for (;;) {
      if (attach(threads) || (size != 0 && create(size))) {
        return;
      }
      if (size == 0) {
        throw Fault("there is no segment at " + path_ + "; create it with a size first");
      }
    }
  }

  ~Segment() {
    ::munmap(header_, size_);
    try {
      const ProcessLock threads;
      fd_ = Descriptor();
    } catch (const Fault&) {
      std::terminate();  // a thread has held the process lock for ten seconds: nothing here can be trusted any more
    }
  }

  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  // Finds the slot, or makes it from `image` followed by zeros.
  Slot slot(std::string_view name, std::string_view kind, std::uint64_t layout, std::uint64_t bytes, const void* image,
            std::uint64_t image_bytes) {
    if (SlotHeader* found = find(name)) {
      return check(*found, kind, layout);
    }
    const ProcessLock threads;
    const FileLock lock(threads, fd_, path_);
    if (SlotHeader* found = find(name)) {
      return check(*found, kind, layout);
    }
    return {make(name, kind, layout, bytes, image, image_bytes)->state(), bytes, true};
  }

  std::vector<Listing> list() const {
    std::vector<Listing> all;
    for (const auto& entry : header_->directory) {
      // acquire: the slot was complete before its offset was published.
      if (const std::uint64_t offset = entry.load(std::memory_order_acquire)) {
        const SlotHeader& s = *at(offset);
        all.push_back({s.name, s.kind, s.layout, s.bytes});
      }
    }
    return all;
  }

  std::uint64_t used() const noexcept {
    std::uint64_t end = kFirstSlot;
    for (const auto& entry : header_->directory) {
      if (const std::uint64_t offset = entry.load(std::memory_order_acquire)) {  // acquire: as in list
        end = std::max(end, at(offset)->end(offset));
      }
    }
    return end;
  }

  // Runs `change` while no other process or thread changes this segment.
  template <class Change>
  void exclusively(Change&& change) {
    const ProcessLock threads;
    const FileLock lock(threads, fd_, path_);
    change();
  }

  std::uint64_t size() const noexcept { return size_; }
  const std::string& path() const noexcept { return path_; }

  // False when there was none. Processes that are attached keep what they have until they let go.
  static bool remove(const std::string& path) {
    if (::unlink(path.c_str()) == 0) {
      return true;
    }
    if (errno != ENOENT) {
      fail("cannot remove segment file " + path, errno);
    }
    return false;
  }

 private:
  bool attach(const ProcessLock& threads) {
    std::uint64_t size = 0;
    Descriptor fd = open_file(path_, size);
    if (!fd) {
      return false;
    }
    if (size < sizeof(SegmentHeader)) {
      throw Fault("segment file " + path_ + " is truncated: " + std::to_string(size) +
                  " bytes do not hold a header; remove it and start again");
    }
    map(fd, size);
    try {
      verify();
    } catch (...) {
      ::munmap(header_, size_);
      throw;
    }
    const bool stale = boot_id() != std::array<std::uint64_t, 2>{header_->boot[0], header_->boot[1]};
    if (stale) {
      ::munmap(header_, size_);
      retire(threads, fd);
      return false;
    }
    fd_ = std::move(fd);
    return true;
  }

  // The file outlived a reboot. Whoever holds its lock while the path still names it unlinks it, so a new one is never
  // hit.
  void retire(const ProcessLock& threads, const Descriptor& fd) {
    const FileLock lock(threads, fd, path_);
    if (names(path_, fd)) {
      ::unlink(path_.c_str());
    }
  }

  bool create(std::uint64_t size) {
    std::string temporary;
    Descriptor fd = prepare_file(path_, size, temporary);
    map(fd, size);
    const auto boot = boot_id();
    header_->magic = kMagic;
    header_->layout = kLayout;
    header_->size = size;
    header_->boot[0] = boot[0];
    header_->boot[1] = boot[1];
    if (!link_file(fd, temporary, path_)) {
      ::munmap(header_, size_);
      return false;
    }
    fd_ = std::move(fd);
    return true;
  }

  void map(const Descriptor& fd, std::uint64_t size) {
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (at == MAP_FAILED) {
      fail("cannot map segment file " + path_, errno);
    }
    header_ = static_cast<SegmentHeader*>(at);
    size_ = size;
  }

  void verify() const {
    if (header_->magic != kMagic) {
      throw Fault("file " + path_ +
                  " is not a seawall segment (its first bytes are foreign); choose another name or path");
    }
    if (header_->layout != kLayout) {
      throw Fault("segment file " + path_ + " has layout " + std::to_string(header_->layout) +
                  ", this seawall reads layout " + std::to_string(kLayout) + "; " +
                  (header_->layout > kLayout ? "upgrade this process" : "remove the segment") + " or use another name");
    }
    if (header_->size != size_) {
      throw Fault("segment file " + path_ + " is truncated: it has " + std::to_string(size_) + " of its " +
                  std::to_string(header_->size) + " bytes; remove it and start again");
    }
  }

  SlotHeader* at(std::uint64_t offset) const noexcept {
    return reinterpret_cast<SlotHeader*>(reinterpret_cast<char*>(header_) + offset);
  }

  static std::uint64_t hash(std::string_view name) noexcept {  // FNV-1a; names are few and ours
    std::uint64_t h = 0xcbf29ce484222325;
    for (const char c : name) {
      h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    return h;
  }

  SlotHeader* find(std::string_view name) const noexcept {
    const std::uint64_t from = hash(name);
    for (std::uint64_t i = 0; i < kDirectory; ++i) {
      // acquire: as in list
      const std::uint64_t offset = header_->directory[(from + i) % kDirectory].load(std::memory_order_acquire);
      if (offset == 0) {
        return nullptr;
      }
      if (name == at(offset)->name) {
        return at(offset);
      }
    }
    return nullptr;
  }

  Slot check(SlotHeader& s, std::string_view kind, std::uint64_t layout) const {
    if (kind != s.kind) {
      throw Fault("slot '" + std::string(s.name) + "' of segment " + path_ + " holds a " + s.kind + ", not a " +
                  std::string(kind) + "; choose another name");
    }
    if (layout != s.layout) {
      throw Fault("slot '" + std::string(s.name) + "' of segment " + path_ + " has layout " + std::to_string(s.layout) +
                  " of " + s.kind + ", this seawall reads layout " + std::to_string(layout) + "; choose another name");
    }
    return {s.state(), s.bytes, false};
  }

  SlotHeader* make(std::string_view name, std::string_view kind, std::uint64_t layout, std::uint64_t bytes,
                   const void* image, std::uint64_t image_bytes) {
    const std::uint64_t offset = used();
    const std::uint64_t free = size_ - offset;
    const std::uint64_t needed = sizeof(SlotHeader) + (bytes + 127) / 128 * 128;
    if (bytes > size_ || needed > free) {
      throw Fault("segment " + path_ + " is too small: slot '" + std::string(name) + "' needs " +
                  std::to_string(needed) + " bytes, " + std::to_string(free) + " of " + std::to_string(size_) +
                  " are free; remove the segment and create it with a larger size");
    }
    // Zeroed here, not assumed: a creator that was killed before it published may have written to this space.
    SlotHeader* s = at(offset);
    std::memset(static_cast<void*>(s), 0, needed);
    s->bytes = bytes;
    s->layout = layout;
    kind.copy(s->kind, kKindBytes - 1);
    name.copy(s->name, kNameBytes - 1);
    std::memcpy(s->state(), image, image_bytes);
    publish(hash(name), offset, name);
    return s;
  }

  void publish(std::uint64_t from, std::uint64_t offset, std::string_view name) {
    for (std::uint64_t i = 0; i < kDirectory; ++i) {
      std::uint64_t empty = 0;
      if (header_->directory[(from + i) % kDirectory].compare_exchange_strong(empty, offset)) {
        return;
      }
    }
    throw Fault("segment " + path_ + " is full: slot '" + std::string(name) + "' would be number " +
                std::to_string(kDirectory + 1) + "; use a second segment");
  }

  std::string path_;
  Descriptor fd_;
  SegmentHeader* header_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace seawall::memory
