#include "lost_metas.hpp"

#include <algorithm>

namespace reel::gst {

void LostMetas::count(std::string_view type, std::uint64_t metas) {
  std::string name(type);
  const auto fits = [](char c) { return g_ascii_isalnum(c) != FALSE || c == '_' || c == '-'; };
  std::replace_if(
      name.begin(), name.end(), [&](char c) { return !fits(c); }, '_');
  const std::lock_guard lock(mutex_);
  counts_[name] += metas;
}

void LostMetas::clear() {
  const std::lock_guard lock(mutex_);
  counts_.clear();
}

std::uint64_t LostMetas::total() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [type, metas] : counts_) sum += metas;
  return sum;
}

GstStructure* LostMetas::by_type() const {
  GstStructure* structure = gst_structure_new_empty("application/x-reel-metas-lost");
  const std::lock_guard lock(mutex_);
  for (const auto& [type, metas] : counts_)
    gst_structure_set(structure, type.c_str(), G_TYPE_UINT64, static_cast<guint64>(metas), nullptr);
  return structure;
}

}  // namespace reel::gst
