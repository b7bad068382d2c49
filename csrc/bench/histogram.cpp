// What a histogram costs: one record, a percentile, an array; beside them the clock that every ratio is taken to.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "seawall/counter/stripes.hpp"
#include "seawall/histogram/bulk.hpp"
#include "seawall/histogram/reading.hpp"
#include "seawall/time/clock.hpp"

using namespace seawall::histogram;

namespace {

struct alignas(64) Line {
  char zeros[64]{};
};

struct Fixture {
  Layout layout = lay_out(1'000, 3'600'000'000'000, 3);
  std::vector<Line> lines{(bytes_of(layout) + 63) / 64};
  Histogram view{layout, reinterpret_cast<State*>(lines.data())};
};

std::vector<double> latencies(std::size_t n) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> latency(-3.0, 1.0);
  std::vector<double> values(n);
  for (auto& value : values) value = latency(random);
  return values;
}

void clock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(seawall::time::monotonic_ns());
}
BENCHMARK(clock);

void count(benchmark::State& state) {
  static seawall::counter::Stripes counter;
  for (auto _ : state) counter.add(1);
}
BENCHMARK(count)->Threads(1)->Threads(2);

void record(benchmark::State& state) {
  static Fixture fixture;
  static const auto values = latencies(4'096);
  std::size_t i = 0;
  for (auto _ : state) fixture.view.record(to_integer(values[i++ % 4'096]));
}
BENCHMARK(record)->Threads(1)->Threads(2);

void percentile(benchmark::State& state) {
  Fixture fixture;
  record_many(fixture.view, latencies(1'000'000));
  for (auto _ : state) benchmark::DoNotOptimize(at_percentile(fixture.view, survey(fixture.view), 99.9));
}
BENCHMARK(percentile);

void bulk(benchmark::State& state) {
  Fixture fixture;
  const auto values = latencies(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(record_many(fixture.view, values));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bulk)->Arg(100)->Arg(10'000)->Arg(10'000'000);

void swap(benchmark::State& state) {
  Fixture fixture, taken;
  const auto values = latencies(10'000);
  for (auto _ : state) {
    state.PauseTiming();
    record_many(fixture.view, values);
    state.ResumeTiming();
    swap_into(fixture.view, taken.view);
  }
}
BENCHMARK(swap);

}  // namespace
