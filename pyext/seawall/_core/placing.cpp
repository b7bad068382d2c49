// Consistent hashing where it meets arrays: hashes of many keys, builds, batches, and what moves. What is built comes
// as a capsule, which seawall._core.hashing asks one key at a time.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "key.hpp"
#include "seawall/hashing/bounded.hpp"
#include "seawall/hashing/jump.hpp"
#include "seawall/hashing/maglev.hpp"
#include "seawall/hashing/moved.hpp"
#include "seawall/hashing/rendezvous.hpp"
#include "seawall/hashing/ring.hpp"

namespace nb = nanobind;
using namespace nb::literals;
namespace hashing = seawall::hashing;

namespace {

constexpr std::size_t kWorthTheGil = 8'192;  // keys that take about as long as handing the GIL over and back, tenfold

using Hashes = nb::ndarray<const std::uint64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Loads = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Array = nb::ndarray<nb::numpy, T, nb::ndim<1>>;
using Indices = std::vector<std::int32_t>;
using Names = std::vector<std::string>;
using Several = nb::typed<nb::tuple, nb::any, nb::ellipsis>;

template <class... T>
Several several(T... items) {
  return nb::borrow<Several>(nb::make_tuple(std::move(items)...));
}

template <class T>
Array<T> as_array(std::vector<T> numbers) {
  auto owned = std::make_unique<std::vector<T>>(std::move(numbers));
  auto* const kept = owned.get();
  nb::capsule owner(owned.release(), [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return Array<T>(kept->data(), {kept->size()}, owner);
}

// Names of capsules; seawall._core.hashing knows them, too.
template <class T>
constexpr const char* kName = nullptr;
template <>
constexpr const char* kName<hashing::Ring> = "seawall.hashing.Ring";
template <>
constexpr const char* kName<hashing::Rendezvous> = "seawall.hashing.Rendezvous";
template <>
constexpr const char* kName<hashing::Maglev> = "seawall.hashing.Maglev";
template <>
constexpr const char* kName<hashing::Bounded> = "seawall.hashing.Bounded";

template <class T>
nb::capsule as_capsule(T built) {
  auto owned = std::make_unique<T>(std::move(built));
  return nb::capsule(owned.release(), kName<T>, [](void* p) noexcept { delete static_cast<T*>(p); });
}

template <class T>
const T& kernel(const nb::capsule& capsule) {
  void* const found = PyCapsule_GetPointer(capsule.ptr(), kName<T>);
  if (found == nullptr) throw nb::python_error();
  return *static_cast<const T*>(found);
}

// Runs `work` without the GIL where that pays.
template <class Work>
void run(std::size_t size, Work work) {
  if (size < kWorthTheGil) return work();
  nb::gil_scoped_release released;
  work();
}

std::vector<std::string_view> views(const Names& names) { return {names.begin(), names.end()}; }

Array<std::uint64_t> hash_keys(const Several& keys) {
  std::vector<std::uint64_t> out(keys.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (seawall::pyext::key_hash(PyTuple_GET_ITEM(keys.ptr(), static_cast<Py_ssize_t>(i)), out[i]) < 0) {
      throw nb::python_error();
    }
  }
  return as_array(std::move(out));
}

Array<std::uint64_t> hash_numbers(const Hashes& numbers) {
  std::vector<std::uint64_t> out(numbers.size());
  run(out.size(), [&] { hashing::stable_hashes(numbers.data(), out.size(), out.data()); });
  return as_array(std::move(out));
}

Array<std::int32_t> jump_many(const Hashes& hashes, std::int32_t buckets) {
  Indices out(hashes.size());
  run(out.size(), [&] { hashing::jump_many(hashes.data(), out.size(), buckets, out.data()); });
  return as_array(std::move(out));
}

// In blocks, so that hashes are still at hand when they are asked for.
Array<std::int32_t> jump_numbers(const Hashes& numbers, std::int32_t buckets) {
  Indices out(numbers.size());
  run(out.size(), [&] {
    std::uint64_t hashes[512];
    for (std::size_t from = 0; from < out.size(); from += 512) {
      const std::size_t n = std::min<std::size_t>(512, out.size() - from);
      hashing::stable_hashes(numbers.data() + from, n, hashes);
      hashing::jump_many(hashes, n, buckets, out.data() + from);
    }
  });
  return as_array(std::move(out));
}

nb::capsule ring(const nb::object& old, const Indices& now, const Names& names, const Indices& nodes,
                 const std::vector<std::uint32_t>& points) {
  const hashing::Ring empty;
  const auto& before = old.is_none() ? empty : kernel<hashing::Ring>(nb::cast<nb::capsule>(old));
  std::vector<hashing::Arrival> arrivals;
  for (std::size_t i = 0; i < names.size(); ++i) arrivals.push_back({names[i], nodes[i], points[i]});
  hashing::Ring after;
  run(kWorthTheGil, [&] { after = before.changed(now, arrivals); });
  return as_capsule(std::move(after));
}

nb::capsule rendezvous(const Names& names, std::vector<double> weights) {
  return as_capsule(hashing::Rendezvous(views(names), std::move(weights)));
}

nb::capsule maglev(const Names& names, const std::vector<double>& weights, std::uint32_t slots) {
  std::unique_ptr<hashing::Maglev> built;
  run(kWorthTheGil, [&] { built = std::make_unique<hashing::Maglev>(views(names), weights, slots); });
  return as_capsule(std::move(*built));
}

nb::capsule bounded(std::vector<double> shares, double headroom, const nb::object& old, const Indices& was) {
  const auto* const before = old.is_none() ? nullptr : &kernel<hashing::Bounded>(nb::cast<nb::capsule>(old));
  return as_capsule(hashing::Bounded(std::move(shares), headroom, before, was));
}

template <class T>
Array<std::int32_t> owners(const nb::capsule& capsule, const Hashes& hashes) {
  const auto& table = kernel<T>(capsule);
  Indices out(hashes.size());
  run(out.size(), [&] { hashing::owners(table, hashes.data(), out.size(), out.data()); });
  return as_array(std::move(out));
}

Array<std::int32_t> bounded_owners(const nb::capsule& ring, const nb::capsule& bounds, const Hashes& hashes,
                                   const Loads& loads, bool adding) {
  const auto& on = kernel<hashing::Ring>(ring);
  const auto& by = kernel<hashing::Bounded>(bounds);
  Indices out(hashes.size());
  std::vector<std::int64_t> carried(loads.data(), loads.data() + loads.size());
  run(out.size(), [&] { by.many(on, {hashes.data(), hashes.size()}, std::move(carried), adding, out.data()); });
  return as_array(std::move(out));
}

Several points(const nb::capsule& capsule) {
  std::vector<std::uint64_t> at;
  Indices nodes;
  for (const auto& point : kernel<hashing::Ring>(capsule).points()) {
    at.push_back(point.at);
    nodes.push_back(point.node);
  }
  return several(as_array(std::move(at)), as_array(std::move(nodes)));
}

Array<std::int32_t> slots(const nb::capsule& capsule) { return as_array(kernel<hashing::Maglev>(capsule).table()); }

Several moved(const nb::capsule& before, const nb::capsule& after, const Indices& now) {
  const auto moves = hashing::moved(kernel<hashing::Ring>(before), kernel<hashing::Ring>(after), now);
  std::vector<std::uint64_t> starts;
  std::vector<std::uint64_t> ends;
  Indices sources;
  Indices targets;
  for (const auto& move : moves) {
    starts.push_back(move.start);
    ends.push_back(move.end);
    sources.push_back(move.source);
    targets.push_back(move.target);
  }
  return several(as_array(std::move(starts)), as_array(std::move(ends)), as_array(std::move(sources)),
                 as_array(std::move(targets)));
}

}  // namespace

NB_MODULE(placing, m) {
  m.doc() = "Consistent hashing where it meets arrays.";
  m.def("hash_keys", &hash_keys, "keys"_a, "The stable hash of each key: (n,) uint64.");
  m.def("hash_numbers", &hash_numbers, "numbers"_a.noconvert(), "The stable hash of each number: (n,) uint64.");
  m.def("jump_many", &jump_many, "hashes"_a.noconvert(), "buckets"_a, "The bucket of each hash: (n,) int32.");
  m.def("jump_numbers", &jump_numbers, "numbers"_a.noconvert(), "buckets"_a, "The bucket of each number: (n,) int32.");
  m.def("ring", &ring, "old"_a.none(), "now"_a, "names"_a, "nodes"_a, "points"_a,
        "A ring with the nodes of `old` renumbered to `now` (-1: gone) and others added.");
  m.def("rendezvous", &rendezvous, "names"_a, "weights"_a, "Nodes by rendezvous.");
  m.def("maglev", &maglev, "names"_a, "weights"_a, "slots"_a, "A filled table.");
  m.def("bounded", &bounded, "shares"_a, "headroom"_a, "old"_a.none(), "was"_a,
        "Loads of nodes; those of `old` go on where `was` (-1: new) says.");
  m.def("ring_owners", &owners<hashing::Ring>, "ring"_a, "hashes"_a.noconvert(), "The node of each hash: (n,) int32.");
  m.def("rendezvous_owners", &owners<hashing::Rendezvous>, "rendezvous"_a, "hashes"_a.noconvert(),
        "The node of each hash: (n,) int32.");
  m.def("maglev_owners", &owners<hashing::Maglev>, "maglev"_a, "hashes"_a.noconvert(),
        "The node of each hash: (n,) int32.");
  m.def("bounded_owners", &bounded_owners, "ring"_a, "bounds"_a, "hashes"_a.noconvert(), "loads"_a.noconvert(),
        "adding"_a, "The node of each hash under loads, which grow by each when `adding`: (n,) int32.");
  m.def("points", &points, "ring"_a, "The points of a ring and whose they are.");
  m.def("slots", &slots, "maglev"_a, "The node of each slot: (slots,) int32.");
  m.def("moved", &moved, "before"_a, "after"_a, "now"_a,
        "Where ownership differs: starts, ends (0: 2**64), nodes of before, nodes of after.");
}
