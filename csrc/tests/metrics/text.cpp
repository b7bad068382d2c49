#include "seawall/metrics/text.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "metrics/table.hpp"

using namespace seawall::metrics;

namespace {

std::string decimal(std::uint64_t whole, std::uint64_t billionths, bool point) {
  std::string out;
  put_decimal(out, whole, billionths, point);
  return out;
}

std::string shortest(double x) {
  std::string out;
  put_double(out, x);
  return out;
}

}  // namespace

TEST_CASE("numbers are exact and as short as they can be") {
  CHECK(decimal(0, 0, false) == "0");
  CHECK(decimal(7, 0, true) == "7.0");
  CHECK(decimal(18446744073709551615u, 5'000'000, true) == "18446744073709551615.005");
  CHECK(decimal(1, 1, false) == "1.000000001");
  CHECK(shortest(0.1) == "0.1");
  CHECK(shortest(-2.0) == "-2");
  for (const double x : {1e300, -1.7976931348623157e308, 5e-324, 0.1 + 0.2})
    CHECK(std::strtod(shortest(x).c_str(), nullptr) == x);
}

TEST_CASE("counters, gauges and labels as Prometheus reads them") {
  Block block(1 << 20, 1);
  Table table(block.at(), nullptr);
  auto definition = counters("served", {"path"});
  definition.help = "Calls \\ \"answered\".\nAll.";
  auto& family = *table.family(definition, 1);
  add(table.cell(*table.series(family, key({"a\"b\\c\nd\xF0\x9F\x98\x80"}), 1)), 3);
  auto& part = *table.series(family, key({""}), 1);
  add(table.cell(part), 1);
  add_part(part, 250'000'000);
  auto& level = *table.family(gauges("level", Across::sum), 1);
  set(table, only(table, level), false, 0, -0.5);
  CHECK(Writer(table, {false, false, "job=\"w\","}).write() ==
        "# HELP served_total Calls \\\\ \"answered\".\\nAll.\n"
        "# TYPE served_total counter\n"
        "served_total{job=\"w\",path=\"a\\\"b\\\\c\\nd\xF0\x9F\x98\x80\"} 3\n"
        "served_total{job=\"w\",path=\"\"} 1.25\n"
        "# TYPE level gauge\n"
        "level{job=\"w\"} -0.5\n");
}

TEST_CASE("a histogram as OpenMetrics, with its exemplar at the bound it lies under") {
  Block block(1 << 20, 1);
  Table table(block.at(), nullptr);
  auto definition = histograms("latency_seconds", {kBillion / 10, kBillion, 100 * kBillion});
  definition.unit = "seconds";
  auto& family = *table.family(definition, 1'500'000'000);
  auto& series = only(table, family);
  const auto histogram = table.histogram(family, series);
  for (const auto value : {kBillion / 20, kBillion / 10, kBillion / 2, 50 * kBillion, 500 * kBillion}) {
    histogram.record(value);
  }
  write(*table.exemplar(series), 0.5, 2'000'000'000, key({"trace_id", "a\\b"}));
  CHECK(Writer(table, {true, false, ""}).write() ==
        "# TYPE latency_seconds histogram\n"
        "# UNIT latency_seconds seconds\n"
        "latency_seconds_bucket{le=\"0.1\"} 2\n"
        "latency_seconds_bucket{le=\"1.0\"} 3 # {trace_id=\"a\\\\b\"} 0.5 2.0\n"
        "latency_seconds_bucket{le=\"100.0\"} 4\n"
        "latency_seconds_bucket{le=\"+Inf\"} 5\n"
        "latency_seconds_count 5\n"
        "latency_seconds_sum 150.65\n"
        "# EOF\n");
}

TEST_CASE("what found no room is told, and an overflow series only where it was needed") {
  Block block(1 << 20, 1);
  Table table(block.at(), nullptr);
  auto& family = *table.family(counters("served", {"user"}, 1), 1);
  add(table.cell(*table.series(family, key({"a"}), 1)), 1);
  CHECK(Writer(table, {false, false, ""}).write() == "# TYPE served_total counter\nserved_total{user=\"a\"} 1\n");
  add(table.cell(*table.series(family, key({"b"}), 1)), 2);
  CHECK(Writer(table, {true, false, ""}).write() ==
        "# TYPE served counter\n"
        "served_total{user=\"overflow\"} 2.0\n"
        "served_total{user=\"a\"} 1.0\n"
        "# HELP seawall_metrics_dropped " +
            std::string(kDroppedHelp) +
            "\n# TYPE seawall_metrics_dropped counter\n"
            "seawall_metrics_dropped_total{metric=\"served\"} 1.0\n"
            "# EOF\n");
}
