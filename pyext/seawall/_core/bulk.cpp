// Histograms where they meet arrays and bytes. Each function takes the capsule of a seawall._core.histogram.Histogram.
#include "seawall/histogram/bulk.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <memory>

#include "seawall/histogram/zigzag.hpp"

namespace nb = nanobind;
using namespace nb::literals;
namespace hist = seawall::histogram;

namespace {

constexpr std::size_t kWorthTheGil = 8'192;  // values that take about as long as handing the GIL over and back, tenfold

using Values = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Counts = nb::ndarray<nb::numpy, std::uint64_t, nb::ndim<1>>;
using LiveCounts = nb::ndarray<nb::numpy, const std::uint64_t, nb::ndim<1>>;

const hist::Histogram& kernel(const nb::capsule& capsule) {
  void* const found = PyCapsule_GetPointer(capsule.ptr(), "seawall.histogram");
  if (found == nullptr) throw nb::python_error();
  return *static_cast<const hist::Histogram*>(found);
}

std::vector<std::uint64_t> snapshot(const hist::Histogram& histogram) {
  std::vector<std::uint64_t> counts(histogram.layout.counts_len);
  // relaxed: buckets are independent words.
  hist::for_used(histogram,
                 [&](std::uint64_t i, const hist::Word& word) { counts[i] = word.load(std::memory_order_relaxed); });
  return counts;
}

Counts as_array(std::vector<std::uint64_t> numbers) {
  auto owned = std::make_unique<std::vector<std::uint64_t>>(std::move(numbers));
  auto* const kept = owned.get();
  nb::capsule owner(owned.release(), [](void* p) noexcept { delete static_cast<std::vector<std::uint64_t>*>(p); });
  return Counts(kept->data(), {kept->size()}, owner);
}

std::ptrdiff_t record_many(const nb::capsule& capsule, const Values& values) {
  const auto& into = kernel(capsule);
  const std::span<const double> all(values.data(), values.size());
  const auto record = [&] { return hist::record_many(into, all); };
  const auto bad = all.size() < kWorthTheGil ? record() : [&] {
    nb::gil_scoped_release released;
    return record();
  }();
  return bad == hist::kAllGood ? -1 : static_cast<std::ptrdiff_t>(bad);
}

Counts counts(const nb::capsule& capsule) { return as_array(snapshot(kernel(capsule))); }

LiveCounts live_counts(const nb::capsule& capsule) {
  const auto& histogram = kernel(capsule);
  return LiveCounts(reinterpret_cast<const std::uint64_t*>(histogram.counts()), {histogram.layout.counts_len}, capsule);
}

Counts lows(const nb::capsule& capsule) {
  const auto& layout = kernel(capsule).layout;
  std::vector<std::uint64_t> bounds(layout.counts_len + 1);
  for (std::uint64_t i = 0; i < bounds.size(); ++i) bounds[i] = layout.lowest_of(i);
  return as_array(std::move(bounds));
}

nb::bytes encode(const nb::capsule& capsule) {
  const auto bytes = hist::encode_counts(snapshot(kernel(capsule)));
  return nb::bytes(bytes.data(), bytes.size());
}

bool decode(const nb::capsule& capsule, const nb::bytes& bytes) {
  const auto& into = kernel(capsule);
  std::vector<std::uint64_t> counts(into.layout.counts_len);
  if (!hist::decode_counts({static_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, counts)) return false;
  for (std::uint64_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) into.count_at(i, counts[i]);
  }
  return true;
}

}  // namespace

NB_MODULE(bulk, m) {
  m.doc() = "Histograms where they meet arrays and bytes. Every function takes the capsule of a histogram.";
  m.def("record_many", &record_many, "capsule"_a, "values"_a.noconvert(),
        "Record all values, or none: then the index of the first one that cannot be recorded, otherwise -1.");
  m.def("counts", &counts, "capsule"_a, "A copy of the count of every bucket: (n,) uint64.");
  m.def("live_counts", &live_counts, "capsule"_a,
        "The counts themselves, read-only, changing as values are recorded: (n,) uint64.");
  m.def("lows", &lows, "capsule"_a,
        "The smallest integer of every bucket, and the end of the last one: (n + 1,) uint64.");
  m.def("encode", &encode, "capsule"_a, "The counts as HdrHistogram V2 writes them.");
  m.def("decode", &decode, "capsule"_a, "bytes"_a,
        "Add encoded counts; False, and nothing added, where they are malformed or too many.");
}
