// A table as Prometheus and OpenMetrics text.
//
// Progress: as reading.hpp; allocates only what it answers. Histograms are classic: counts up to each bound of their
// family, where the bucket that holds a bound counts whole. Exemplars are in OpenMetrics only, that of a histogram at
// the bound it lies under. Cost: some 0.2 us a counter or gauge, 3 us a histogram. Source: Prometheus text format
// 0.0.4; OpenMetrics 1.0.0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "seawall/metrics/numbers.hpp"
#include "seawall/metrics/reading.hpp"

namespace seawall::metrics {

struct Style {
  bool open;             // OpenMetrics
  bool created;          // with the times at which series began; OpenMetrics only
  std::string constant;  // labels of every series as written, each followed by a comma
};

inline constexpr std::string_view kDropped = "seawall_metrics_dropped";
inline constexpr std::string_view kDroppedHelp =
    "How often a series, an exemplar or a place for a worker was asked for that found no room.";

class Writer {
 public:
  Writer(const Table& table, Style style) : table_(table), style_(std::move(style)), living_(table.living()) {}

  std::string write() {
    const auto families = table_.families();
    for (const auto* const family : families) put_family(*family);
    put_dropped(families);
    if (style_.open) out_ += "# EOF\n";
    return std::move(out_);
  }

 private:
  void put_head(std::string_view name, Kind kind, std::string_view unit, std::string_view help) {
    const std::string_view suffix = kind == Kind::counter && !style_.open ? "_total" : "";
    if (!help.empty()) {
      put("# HELP ", name, suffix, " ");
      put_escaped(out_, help, style_.open);
      out_ += '\n';
    }
    const std::string_view kinds[] = {"counter", "gauge", "histogram"};
    put("# TYPE ", name, suffix, " ", kinds[static_cast<std::uint64_t>(kind) - 1], "\n");
    if (style_.open && !unit.empty()) put("# UNIT ", name, " ", unit, "\n");
  }

  void put_family(const Family& family) {
    auto texts = texts_of(family);
    name_ = texts.next();
    const auto unit = texts.next(), help = texts.next();
    label_names_.clear();
    for (std::uint64_t i = 0; i < family.labels; ++i) label_names_.push_back(texts.next());
    put_head(name_, family.kind, unit, help);
    for (const auto* const series : table_.series_of(family)) put_series(family, *series);
  }

  void put_series(const Family& family, const Series& series) {
    labels_ = style_.constant;
    Texts values(key_of(series));
    for (const auto name : label_names_) {
      labels_.append(name).append("=\"");
      put_escaped(labels_, values.next());
      labels_ += "\",";
    }
    const bool crowd = family.overflow != 0 && &series == table_.at<Series>(family.overflow);
    if (family.kind == Kind::counter) {
      put_counter(series, crowd);
    } else if (family.kind == Kind::gauge) {
      put_gauge(family, series);
    } else {
      put_histogram(family, series, crowd);
    }
  }

  void put_counter(const Series& series, bool crowd) {
    const auto amount = amount_of(table_, series);
    if (crowd && amount.whole == 0 && amount.billionths == 0) return;
    put_name("_total");
    put_decimal(out_, amount.whole, amount.billionths, style_.open);
    if (style_.open) put_example(example_of(table_, series));
    out_ += '\n';
    put_created(series);
  }

  void put_gauge(const Family& family, const Series& series) {
    const auto value = gauge_of(table_, family, series, living_);
    if (!value) return;
    put_name("");
    put_double(out_, *value);
    out_ += '\n';
  }

  void put_histogram(const Family& family, const Series& series, bool crowd) {
    const auto histogram = table_.histogram(family, series);
    counts_.assign(family.bounds + 1, 0);
    const auto* const bounds = bounds_of(family);
    std::uint64_t at = 0;
    histogram::for_used(histogram, [&](std::uint64_t index, const Word& word) {
      while (at < family.bounds && index > histogram.layout.index_of(bounds[at])) ++at;
      counts_[at] += word.load(std::memory_order_relaxed);  // relaxed: see histogram.hpp
    });
    part_clipped(family, histogram);
    auto example = style_.open ? example_of(table_, series) : std::nullopt;
    const auto place = example ? place_of(family, histogram.layout, example->value) : 0;
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i <= family.bounds; ++i) sum += counts_[i];
    if (crowd && sum == 0) return;
    std::uint64_t up_to = 0;
    for (std::uint64_t i = 0; i <= family.bounds; ++i) {
      put(name_, "_bucket{", labels_, "le=\"");
      if (i < family.bounds) {
        put_decimal(out_, bounds[i] / kBillion, bounds[i] % kBillion, true);
      } else {
        out_ += "+Inf";
      }
      out_ += "\"} ";
      put_whole(out_, up_to += counts_[i]);
      if (example && i == place) put_example(example);
      out_ += '\n';
    }
    put_name("_count");
    put_whole(out_, sum);
    out_ += '\n';
    put_name("_sum");
    put_sum(*histogram.state);
    put_created(series);
  }

  // Of a clipped value only that it is above `highest` is known, so it is up to no bound.
  void part_clipped(const Family& family, const histogram::Histogram& histogram) {
    const auto top = histogram.layout.index_of(family.highest);
    const auto* const bounds = bounds_of(family);
    if (family.bounds == 0 || histogram.layout.index_of(bounds[family.bounds - 1]) < top) return;
    std::uint64_t at = 0;
    while (histogram.layout.index_of(bounds[at]) < top) ++at;
    const auto clipped = std::min(histogram.state->clipped.load(std::memory_order_relaxed), counts_[at]);
    counts_[at] -= clipped;
    counts_[family.bounds] += clipped;
  }

  static std::uint64_t place_of(const Family& family, const histogram::Layout& layout, double value) noexcept {
    const double scaled = value * static_cast<double>(kBillion);
    if (!(scaled <= static_cast<double>(family.highest))) return family.bounds;
    const auto index = layout.index_of(static_cast<std::uint64_t>(scaled));
    std::uint64_t at = 0;
    while (at < family.bounds &&
           (index > layout.index_of(bounds_of(family)[at]) || scaled > static_cast<double>(bounds_of(family)[at])))
      ++at;
    return at;
  }

  void put_sum(const histogram::State& state) {
    // relaxed: see histogram.hpp
    const auto high = state.carry.load(std::memory_order_relaxed), low = state.sum.load(std::memory_order_relaxed);
    const auto total = static_cast<histogram::Wide>(high) << 64 | low;
    put_decimal(out_, static_cast<std::uint64_t>(total / kBillion), static_cast<std::uint64_t>(total % kBillion), true);
    out_ += '\n';
  }

  void put_created(const Series& series) {
    if (!style_.open || !style_.created) return;
    put_name("_created");
    put_decimal(out_, series.created_ns / kBillion, series.created_ns % kBillion, true);
    out_ += '\n';
  }

  void put_example(const std::optional<Example>& example) {
    if (!example) return;
    out_ += " # {";
    for (Texts texts(example->text); !texts.done();) {
      put(texts.next(), "=\"");
      put_escaped(out_, texts.next());
      out_ += texts.done() ? "\"" : "\",";
    }
    out_ += "} ";
    put_double(out_, example->value);
    out_ += ' ';
    put_decimal(out_, example->at_ns / kBillion, example->at_ns % kBillion, true);
  }

  void put_dropped(const std::vector<Family*>& families) {
    bool any = false;
    const auto say = [&](std::string_view metric, std::uint64_t n) {
      if (n == 0) return;
      if (!any) put_head(kDropped, Kind::counter, "", kDroppedHelp);
      any = true;
      put(kDropped, "_total{", style_.constant, "metric=\"", metric, "\"} ");
      put_decimal(out_, n, 0, style_.open);
      out_ += '\n';
    };
    for (const auto* const family : families) {
      say(texts_of(*family).next(), family->overflowed.load(std::memory_order_relaxed));  // relaxed: a count
    }
    say("", table_.head().dropped.load(std::memory_order_relaxed));
  }

  // The name of a series with its labels, and the blank before its value.
  void put_name(std::string_view suffix) {
    put(name_, suffix);
    if (!labels_.empty()) put("{", std::string_view(labels_).substr(0, labels_.size() - 1), "}");
    out_ += ' ';
  }

  template <class... Parts>
  void put(const Parts&... parts) {
    (out_.append(parts), ...);
  }

  const Table& table_;
  Style style_;
  std::vector<bool> living_;
  std::string out_, labels_;
  std::string_view name_;
  std::vector<std::string_view> label_names_;
  std::vector<std::uint64_t> counts_;
};

}  // namespace seawall::metrics
