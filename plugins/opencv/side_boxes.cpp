#include "side_boxes.hpp"

#include <algorithm>
#include <utility>
#include <vector>

bool add_moved(const reel::SideDataView& from, reel::SideDataWriter& to, const BoxMove& move) {
  bool all = true;
  for (const auto& entry : from) {
    const auto found = reel::SideDataView::detections(entry);
    if (found.empty()) {
      all = to.add_entry(entry) && all;
      continue;
    }
    std::vector<reel::Detection> boxes(found.begin(), found.end());
    std::erase_if(boxes, [&move](reel::Detection& box) { return !move(box); });
    if (!boxes.empty()) all = to.add_detections(entry.name, boxes) && all;
  }
  return all;
}

bool cut_to(cv::Size picture, reel::Detection& box) {
  const float right = std::min(box.x + box.width, static_cast<float>(picture.width));
  const float bottom = std::min(box.y + box.height, static_cast<float>(picture.height));
  const float left = std::max(box.x, 0.0F), top = std::max(box.y, 0.0F);
  if (!(right > left && bottom > top)) return false;  // no number is no box either
  box = {box.label, box.score, left, top, right - left, bottom - top, box.track_id};
  return true;
}
