// The HTTP load engine as objects. Threads of its own do the work, without the GIL.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <netdb.h>
#include <unistd.h>

#include <cmath>

#include "seawall/http/engine.hpp"
#include "seawall/load/tally.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace seawall;
using namespace seawall::http;

namespace {

constexpr Ns kSlice = 50'000'000;  // a wait looks for signals this often

using Times = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

[[noreturn]] void refuse(const std::string& words) {
  const nb::object error = nb::module_::import_("seawall.errors").attr("ConfigError");
  PyErr_SetString(error.ptr(), words.c_str());
  throw nb::python_error();
}

Ns ns_of(double seconds) {
  if (std::isnan(seconds)) refuse("durations must be numbers of seconds, got nan");
  constexpr double kMost = 2.0 * static_cast<double>(kLongest);
  return static_cast<Ns>(std::llround(std::clamp(seconds * 1e9, -kMost, kMost)));
}

std::string text(const nb::bytes& bytes) { return {bytes.c_str(), bytes.size()}; }

Address address_of(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0 || found == nullptr) {
    refuse("addresses must be numeric IPv4 or IPv6 addresses, got '" + host + "'; resolve names first");
  }
  const Address made = Address::of(found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return made;
}

Request make_request(std::string host, std::uint16_t port, std::string method, std::string target, const Pairs& headers,
                     const std::optional<nb::bytes>& body, std::string agent) {
  Ask ask;
  ask.method = std::move(method);
  ask.host = std::move(host);
  ask.port = port;
  ask.target = std::move(target);
  for (const auto& [name, value] : headers) ask.headers.push_back({name, value});
  if (body) ask.body = text(*body);
  ask.agent = std::move(agent);
  Rendered rendered = render(ask);
  if (!rendered) refuse(rendered.problem);
  return std::move(rendered.request);
}

Checks make_checks(const std::optional<std::vector<int>>& accepted, const nb::bytes& contains, std::uint64_t least,
                   std::optional<std::uint64_t> most) {
  Checks checks;
  if (accepted) checks.accepted = {};
  for (const int status : accepted.value_or(std::vector<int>{})) {
    if (!checks.accepted.add(status)) {
      refuse("accepted must be statuses between 100 and 599, got " + std::to_string(status));
    }
  }
  checks.contains = Needle(text(contains));
  checks.least = least;
  if (most) checks.most = *most;
  if (!valid(checks)) refuse("checks must let some response pass: statuses, least <= most, contains up to a megabyte");
  return checks;
}

load::Tally tally_in(const nb::capsule& capsule) {
  const void* const found = PyCapsule_GetPointer(capsule.ptr(), "seawall.tally");
  if (found == nullptr) throw nb::python_error();
  return *static_cast<const load::Tally*>(found);
}

// An engine with what it needs to be handled from Python.
class Handle {
 public:
  Handle(nb::capsule tally, Plan plan)
      : owner_(std::move(tally)),
        tally_(tally_in(owner_)),
        engine_(std::make_unique<Engine<const load::Tally>>(std::move(plan), tally_)) {}

  ~Handle() {
    // The threads did not come along into a forked child: there is nobody to join.
    if (::getpid() != process_) {
      static_cast<void>(engine_.release());
      return;
    }
    const nb::gil_scoped_release released;
    engine_.reset();
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  Engine<const load::Tally>* operator->() const noexcept { return engine_.get(); }

  void feed(const Times& times) {
    const std::span<const double> seconds(times.data(), times.size());
    std::size_t bad;
    {
      const nb::gil_scoped_release released;
      const std::lock_guard lock(feeding_);
      bad = feed_checked(seconds);
    }
    if (bad == seconds.size()) return;
    refuse("times must be finite seconds, not negative and ascending over the run, got " +
           std::string(nb::str(nb::float_(seconds[bad])).c_str()) + " at " + std::to_string(bad));
  }

  void finish_feed() {
    const nb::gil_scoped_release released;
    const std::lock_guard lock(feeding_);
    engine_->finish_feed();
  }

  bool join(double timeout) {
    for (Ns left = ns_of(timeout);; left -= kSlice) {
      bool ended;
      {
        const nb::gil_scoped_release released;
        ended = engine_->join(std::clamp<Ns>(left, 0, kSlice));
      }
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      if (ended || left <= kSlice) return ended;
    }
  }

 private:
  // Feeds all, or none: then the index of the first that is bad, else their number.
  std::size_t feed_checked(std::span<const double> seconds) {
    std::vector<Ns> due(seconds.size());
    double last = last_;
    for (std::size_t i = 0; i < seconds.size(); ++i) {
      if (!(seconds[i] >= last) || seconds[i] * 1e9 > static_cast<double>(kLongest)) return i;
      last = seconds[i];
      due[i] = std::llround(last * 1e9);
    }
    engine_->feed(due);
    last_ = last;
    return seconds.size();
  }

  const pid_t process_ = ::getpid();
  nb::capsule owner_;  // keeps the memory that the tally is a view of
  load::Tally tally_;
  std::mutex feeding_;
  double last_ = 0;
  std::unique_ptr<Engine<const load::Tally>> engine_;
};

void make_engine(Handle* at, const std::vector<std::pair<std::string, std::uint16_t>>& addresses,
                 const nb::typed<nb::list, Request>& requests, nb::capsule tally, const std::optional<Checks>& checks,
                 unsigned threads, std::uint32_t max_connections, double timeout, std::optional<double> until,
                 bool closed, double think, std::uint64_t give_up_after, std::uint64_t first, std::uint64_t stride) {
  Plan plan;
  plan.options = {threads,       max_connections, ns_of(timeout), until ? ns_of(*until) : kNever, closed, ns_of(think),
                  give_up_after, first,           stride};
  for (const auto& [host, port] : addresses) plan.addresses.push_back(address_of(host, port));
  for (const nb::handle request : requests) plan.requests.push_back(nb::cast<const Request&>(request));
  if (checks) plan.checks = *checks;
  try {
    new (at) Handle(std::move(tally), std::move(plan));
  } catch (const std::invalid_argument& error) {
    refuse(error.what());
  }
}

void bind_parts(nb::module_& m) {
  nb::class_<Request>(m, "Request", "A request as bytes, rendered once and sent many times.")
      .def(
          "__init__",
          [](Request* at, std::string host, std::uint16_t port, std::string method, std::string target,
             const Pairs& headers, const std::optional<nb::bytes>& body, std::string agent) {
            new (at) Request(make_request(std::move(host), port, std::move(method), std::move(target), headers, body,
                                          std::move(agent)));
          },
          nb::kw_only(), "host"_a, "port"_a = 80, "method"_a = "GET", "target"_a = "/", "headers"_a = Pairs{},
          "body"_a = nb::none(), "agent"_a = "seawall",
          "Raises ConfigError where that cannot be a request; Host and Content-Length are added.")
      .def_prop_ro(
          "rendered", [](const Request& r) { return nb::bytes(r.bytes.data(), r.bytes.size()); }, "What is sent.")
      .def_ro("idempotent", &Request::idempotent, "Whether it may be sent twice.");
  nb::class_<Checks>(m, "Checks", "What a response must be to count as good.")
      .def(
          "__init__",
          [](Checks* at, const std::optional<std::vector<int>>& accepted, const nb::bytes& contains,
             std::uint64_t least,
             std::optional<std::uint64_t> most) { new (at) Checks(make_checks(accepted, contains, least, most)); },
          nb::kw_only(), "accepted"_a = nb::none(), "contains"_a = nb::bytes("", 0), "least"_a = 0,
          "most"_a = nb::none(),
          "Statuses (100 to 399 where not given), a part of the body, and its least and most bytes.");
  nb::class_<Counts>(m, "Counts", "The counts of a moment; exact once the engine has ended.")
      .def_ro("started", &Counts::started)
      .def_ro("ended", &Counts::ended)
      .def_prop_ro(
          "under_way", [](const Counts& c) { return c.started - c.ended; },
          "Requests without an end yet; after a stop, those that were cut.")
      .def_ro("opened", &Counts::opened, "Connections that were established.")
      .def_prop_ro(
          "open", [](const Counts& c) { return c.opened - std::min(c.opened, c.closed); }, "Connections open now.")
      .def_ro("resent", &Counts::resent, "Requests sent once more, as their kept connection turned out closed.")
      .def_ro("dirty", &Counts::dirty, "Connections given up because of bytes that nobody had asked for.")
      .def_ro("bytes_in", &Counts::bytes_in)
      .def_ro("bytes_out", &Counts::bytes_out);
  nb::class_<Report>(m, "Report", "How one thread fared.")
      .def_ro("cpu_seconds", &Report::cpu_seconds)
      .def_ro("wall_seconds", &Report::wall_seconds)
      .def_ro("delayed_seconds", &Report::delayed_seconds,
              "Seconds it could have run but waited for a processor; 0 where the system does not say.")
      .def_ro("naps", &Report::naps, "How often it slept because there was nothing to do.");
}

void bind_engine(nb::module_& m) {
  nb::class_<Handle>(m, "Engine", R"(Threads that send requests when they are due, whatever the target answers.

Guarantees: nothing starts before it is due or after `until`; every time fed starts at most once; every request that
started ends exactly once, unless the run is stopped or hopeless. Thread safety: all methods from any thread; none holds
the GIL while it waits. Units: seconds since zero.)")
      .def("__init__", &make_engine, nb::kw_only(), "addresses"_a, "requests"_a, "tally"_a, "checks"_a = nb::none(),
           "threads"_a = 1, "max_connections"_a = 512, "timeout"_a = 10.0, "until"_a = nb::none(), "closed"_a = false,
           "think"_a = 0.0, "give_up_after"_a = 20, "first"_a = 0, "stride"_a = 1,
           R"(Args:
    addresses: Numeric addresses and ports of the target, tried in this order; none: every request ends as `dns`.
    requests: Request k of the run sends number (first + k * stride) % len(requests).
    tally: The capsule of a seawall._core.tally.Tally, where ends and times are counted.
    checks: What a response must be; None: a status from 100 to 399.
    threads: 1 to 64, at most one a connection.
    max_connections: 1 to 1,000,000, shared out evenly over the threads.
    timeout: Seconds from a request's own start to the last byte of its response.
    until: Nothing starts any more after this; None: no such time.
    closed: Each connection sends its next request when the former ended and `think` seconds have passed.
    give_up_after: Requests that ended without any having reached the target; 0: never.)")
      .def("feed", &Handle::feed, "times"_a.noconvert(),
           "Append due times, ascending over the run, or none of them. Shapes: (n,) float64.")
      .def("finish_feed", &Handle::finish_feed, "Nothing more will be due.")
      .def(
          "start", [](const Handle& e, std::optional<Ns> zero) { e->start(zero.value_or(time::monotonic_ns())); },
          "zero"_a = nb::none(),
          "Start the threads, once; `zero` is a moment of CLOCK_MONOTONIC in ns, by default now.")
      .def("join", &Handle::join, "timeout"_a, "Wait; return whether all threads have ended. Signals are handled.")
      .def(
          "stop", [](const Handle& e) { e->stop(); }, "Cut what is under way and end; returns at once.")
      .def(
          "counts", [](const Handle& e) { return e->counts(); }, "What happened so far.")
      .def(
          "reports", [](const Handle& e) { return e->reports(); }, "How each thread fared, once all have ended.")
      .def_prop_ro("threads", [](const Handle& e) { return e->threads(); })
      .def_prop_ro(
          "left", [](const Handle& e) { return e->fed() - std::min(e->fed(), e->counts().started); },
          "Times fed that have not started.")
      .def_prop_ro(
          "hopeless", [](const Handle& e) { return e->hopeless(); }, "Whether it ended as nothing reached the target.")
      .def_prop_ro(
          "first_error",
          [](const Handle& e) -> std::optional<std::pair<int, int>> {
            if (e->first_error_code() == 0) return std::nullopt;
            return std::pair<int, int>{e->first_error_code(), e->first_errno()};
          },
          "(code, errno) of the first request that ended without a whole response; errno 0 where there is none.");
}

}  // namespace

NB_MODULE(http, m) {
  nb::set_leak_warnings(false);  // what a program still holds when it ends is no mistake
  m.doc() = "An HTTP/1.1 load engine: open and closed model, on threads of its own. Linux only.";
  bind_parts(m);
  bind_engine(m);
}
