// What `reel recordings` was asked for, as it hands it to this program: arguments "name=value", of which
// `reel` has checked the names. Values; single-thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/query.hpp"
#include "catalog/retention.hpp"

namespace record {

struct Request {
  std::string action;  // "ls", "show", ...
  std::string directory;
  std::vector<std::string> segments;  // paths below the directory, or whole, or names of files
  Query query;
  RetentionRule limits;   // of `retain`
  std::string output;     // of `export`
  bool filtered = false;  // the query says something
  bool json = false;
  bool dry_run = false;
  bool off = false;     // of `protect`
  bool decode = false;  // of `verify`
};

/// Throws reel::Error{bad_argument}: for values that are none, and options that the action does not have.
[[nodiscard]] Request request_from(const std::vector<std::string>& arguments, std::int64_t now_utc_ns);

}  // namespace record
