// How a request of a load test can end, as one small number: below 100 without a response to speak of, from 100 to 599
// the status of a response, above that whatever the run names while it goes on.
#pragma once

#include <cstdint>

namespace seawall::load {

using Code = std::uint16_t;

enum Outcome : Code {
  kDone = 0,  // a call that is not HTTP returned
  kRefused,   // nobody listens there
  kConnectTimeout,
  kDns,
  kUnreachable,
  kTls,
  kTimeout,
  kReset,
  kDisconnected,  // closed before the first byte of a response
  kTruncated,     // closed or broken within a response
  kBadResponse,   // not HTTP, or beyond its bounds
  kNoFiles,       // this machine's own limit of open files
  kWrongStatus,   // the checks of the test failed
  kWrongBody,
  kWrongSize,
  kFirstStatus = 100,
  kFirstNamed = 600,
  kCodes = 1024,
};

}  // namespace seawall::load
