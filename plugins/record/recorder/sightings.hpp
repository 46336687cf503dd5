// Sums up, for the index, what vision and hearing said of the frames of one segment. Called by SegmentFile.
// Single-thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <reel/format/side_data.hpp>

#include "catalog/segment.hpp"

namespace record {

class Sightings {
 public:
  void add(const std::string& stream, std::int64_t media_ns, const reel::SideDataView& side);
  [[nodiscard]] const std::vector<Sighting>& all() const noexcept { return all_; }

 private:
  struct Seen {
    std::string_view type, name, label;
    double value = 0;
  };
  void count(const std::string& stream, std::int64_t media_ns, const Seen& seen);

  std::vector<Sighting> all_;
};

}  // namespace record
