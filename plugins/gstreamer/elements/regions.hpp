// What one side calls a detection is the other's region of interest. Detections become
// GstVideoRegionOfInterestMeta whose parameter structure "detection" keeps what pixels cannot (score, track
// id, who found it, the box as floats), so that a detection that was only passed through comes back exactly;
// regions of others become detections of "gst.roi", with an entry "gst.region" beside them for what a
// detection has no place for (parameters, ids, long names). Stateless.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gst/gst.h>
#include <gst/video/video.h>

#include <reel/format/side_data.hpp>

#include "lost_metas.hpp"

namespace reel::gst {

inline constexpr const char* kRegionDetails = "gst.region";  // name of the entries

/// The regions of one buffer, on their way into side data.
class RegionsIn {
 public:
  void add(GstVideoRegionOfInterestMeta& region);
  /// Detections grouped by who found them, in the order of their first, and details.
  void write(SideDataWriter& side_data, LostMetas& lost) const;

 private:
  struct Group {
    std::string source;
    std::vector<Detection> detections;
  };
  struct Details {
    std::string source;
    std::uint32_t index;  // of its detection
    const GstVideoRegionOfInterestMeta* region;
  };
  std::vector<Group> groups_;
  std::vector<Details> details_;
};

/// Every detection of `side_data` as a region of `buffer`, which is writable. The bytes may be anybody's.
void attach_regions(GstBuffer* buffer, const SideDataView& side_data);

}  // namespace reel::gst
