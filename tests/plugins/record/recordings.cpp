#include "recordings.hpp"

#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

#include <catalog/catalog.hpp>
#include <catalog/segment_name.hpp>
#include <facts/frame_facts.hpp>
#include <media/probe.hpp>
#include <media/reader.hpp>

namespace reel_test {
namespace {

using record::SegmentRecord;

const bool ready = (gst_init(nullptr, nullptr), true);

std::size_t index_of(const SegmentRecord& segment, const std::string& stream) {
  const auto found = std::find_if(segment.tracks.begin(), segment.tracks.end(),
                                  [&](const record::Track& track) { return track.stream == stream; });
  return static_cast<std::size_t>(found - segment.tracks.begin());
}

}  // namespace

std::vector<SegmentRecord> segments_in(const std::string& directory) {
  EXPECT_TRUE(ready);
  std::vector<SegmentRecord> all = record::Catalog({directory, false, {}}).find();
  std::sort(all.begin(), all.end(), [](const SegmentRecord& one, const SegmentRecord& other) {
    return one.sequence < other.sequence;
  });
  return all;
}

std::vector<SegmentRecord> finished_in(const std::string& directory) {
  std::vector<SegmentRecord> all = segments_in(directory);
  std::erase_if(all, [](const SegmentRecord& one) {
    return one.state == record::SegmentState::open || one.state == record::SegmentState::broken;
  });
  return all;
}

std::vector<RecordedUnit> units_of(const std::string& directory, const std::vector<SegmentRecord>& segments,
                                   const std::string& stream) {
  std::vector<RecordedUnit> units;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::size_t track = index_of(segments[i], stream);
    record::UnitReader reader(directory + "/" + segments[i].path);
    while (const auto unit = reader.next())
      if (unit->track == track) units.push_back({segments[i].start_ns + unit->time_ns, unit->duration_ns, i});
  }
  return units;
}

void expect_intact(const std::string& directory, const std::vector<SegmentRecord>& segments) {
  for (const SegmentRecord& segment : segments) {
    const record::Probe probe = record::probe(directory + "/" + segment.path, true);
    EXPECT_EQ(probe.fault, "") << segment.path;
    EXPECT_TRUE(probe.finished) << segment.path;
    EXPECT_EQ(probe.bytes, segment.bytes) << segment.path;
    ASSERT_EQ(probe.tracks.size(), segment.tracks.size()) << segment.path;
    for (std::size_t i = 0; i < probe.tracks.size(); ++i) {
      EXPECT_EQ(probe.tracks[i].frames, segment.tracks[i].frames) << segment.path << ", track " << i;
      if (!probe.tracks[i].video) continue;
      EXPECT_EQ(probe.tracks[i].decoded, segment.tracks[i].frames) << segment.path;
    }
  }
}

void expect_steady(const std::vector<RecordedUnit>& units, std::int64_t step_ns, std::int64_t tolerance_ns) {
  for (std::size_t i = 1; i < units.size(); ++i)
    EXPECT_LE(std::abs(units[i].media_ns - units[i - 1].media_ns - step_ns), tolerance_ns)
        << "unit " << i << " at " << units[i].media_ns << ", the one before at " << units[i - 1].media_ns
        << (units[i].segment == units[i - 1].segment ? "" : ", in another file");
}

std::uint64_t lost_frames(const std::vector<SegmentRecord>& segments, const std::string& stream) {
  std::uint64_t lost = 0;
  for (const SegmentRecord& segment : segments)
    for (const record::Gap& gap : segment.gaps)
      if (gap.stream == stream) lost += gap.frames;
  return lost;
}

std::vector<std::uint64_t> numbers_of(const std::string& directory,
                                      const std::vector<SegmentRecord>& segments, const std::string& stream) {
  std::vector<std::uint64_t> numbers;
  for (const SegmentRecord& segment : segments) {
    record::FactsReader reader(directory + "/" + record::frames_path_of(segment.path));
    while (const auto facts = reader.next())
      if (reader.tracks()[facts->track].stream == stream) numbers.push_back(facts->frame);
  }
  return numbers;
}

}  // namespace reel_test
