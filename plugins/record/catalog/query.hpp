// Which segments are meant. A value.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "catalog/segment.hpp"

namespace record {

/// All that is set must be so.
struct Query {
  std::string path{};  // empty: any; the same for the next
  std::string recording{};
  std::string stream{};                                                 // one of its tracks is of it
  std::string event{};                                                  // kind of an event in it
  std::string label{};                                                  // of something sighted in it
  std::int64_t from_utc_ns = std::numeric_limits<std::int64_t>::min();  // some of it is at or after this
  std::int64_t to_utc_ns = std::numeric_limits<std::int64_t>::max();    // some of it is before this
  std::optional<SegmentClass> kind{};
  std::optional<SegmentState> state{};
  std::int64_t after_utc_ns = std::numeric_limits<std::int64_t>::min();  // behind the one that begins then,
  std::string after_path{};                                              // in the order of times: to go on
  bool with_open = true;
  bool newest_first = false;  // those begun last, whatever the clock said; else in the order of their times
  std::size_t most = std::numeric_limits<std::size_t>::max();
};

}  // namespace record
