// What one side calls a detection is the other's region of interest. Detections become
// GstVideoRegionOfInterestMeta whose parameter structure "detection" keeps what pixels cannot (score, track
// id, who found it, the box as floats), so that a detection that was only passed through comes back exactly.
// Elements that scale lose parameters (videoconvert of 1.22, too): the entry goes beside them, found again by
// the regions' ids. Regions of others become detections of "gst.roi", with an entry "gst.region" beside them
// for what a detection has no place for (parameters, ids, long names).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gst/gst.h>
#include <gst/video/video.h>

#include <reel/format/side_data.hpp>

#include "lost_metas.hpp"
#include "structure_bytes.hpp"

namespace reel::gst {

inline constexpr const char* kRegionDetails = "gst.region";  // name of the entries

/// The regions of one buffer, on their way into side data. Single-thread; refers to the buffer's metas.
class RegionsIn {
 public:
  void add(const GstVideoRegionOfInterestMeta& region) { regions_.push_back(&region); }
  /// Detections that RegionsOut::attach() made regions of, the first with the id `first_id`.
  void know(guint first_id, std::string_view source, std::span<const Detection> detections);
  /// Detections grouped by who found them, in the order of their first, and details.
  void write(SideDataWriter& side_data, LostMetas& lost) const;

 private:
  struct Known {
    std::string source;
    Detection detection;
  };
  [[nodiscard]] const Known* known(const GstVideoRegionOfInterestMeta& region) const;

  std::vector<const GstVideoRegionOfInterestMeta*> regions_;
  std::map<guint, Known> known_;  // by id
};

/// What a detection has no place for.
struct RegionExtra {
  guint x = 0, y = 0, width = 0, height = 0;
  gint id = 0, parent_id = 0;
  std::string type;
  std::vector<StructurePtr> params;
};

/// The detections of one frame, on their way to regions. Single-thread. The bytes may be anybody's.
class RegionsOut {
 public:
  explicit RegionsOut(const SideDataView& side_data);

  /// A region of `buffer`, which is writable, for each detection of `entry`. Returns the id of the first, the
  /// others count on from there; 0 for regions that were not detections in the first place.
  guint attach(GstBuffer* buffer, const SideDataView::Entry& entry);

 private:
  void unpack(std::span<const std::byte> data);

  std::map<std::pair<std::string, std::uint32_t>, RegionExtra> extras_;  // by source and index
  guint next_id_;
};

}  // namespace reel::gst
