// A directory of recordings for one test, and segments in it. Single-thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>
#include <reel_test/scratch_dir.hpp>

#include "catalog/catalog.hpp"
#include "catalog/index.hpp"
#include "catalog/segment_name.hpp"

namespace record_test {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
/// 2026-11-22T07:31:16.345Z
constexpr std::int64_t kMorning = 1'795'332'676'345'000'000;

/// A segment of 20 s with all that a manifest can hold, of which nothing lies on the disk yet.
inline record::SegmentRecord segment(const std::string& recording = "door",
                                     std::int64_t start_utc_ns = kMorning) {
  record::SegmentRecord made;
  made.recording = recording;
  made.container = "matroska";
  made.start_ns = 5 * kSecond;
  made.end_ns = 25 * kSecond;
  made.start_utc_ns = start_utc_ns;
  made.end_utc_ns = start_utc_ns + 20 * kSecond;
  made.tracks = {
      {"camera", "video", "h264", "video/x-h264, width=(int)640", 500, 125, 5 * kSecond, 25 * kSecond},
      {"microphone", "audio", "aac", "audio/mpeg", 900, 225, 5 * kSecond, 25 * kSecond}};
  made.gaps = {{"camera", 7 * kSecond, 9 * kSecond, 50, "the spool was full"}};
  made.clocks = {{5 * kSecond, 100 * kSecond, start_utc_ns}};
  return made;
}

class CatalogTest : public testing::Test {
 protected:
  [[nodiscard]] record::StoreOptions options() const { return {scratch.file("recordings"), true, {}}; }

  /// Begun, `bytes` written, finished.
  static record::SegmentRecord finished(record::Catalog& catalog, record::SegmentRecord record,
                                        std::size_t bytes = 100) {
    const record::OpenSegment open = begun(catalog, record, bytes);
    record.state = record::SegmentState::finished;
    catalog.finish(record);
    return record;
  }
  static record::OpenSegment begun(record::Catalog& catalog, record::SegmentRecord& record,
                                   std::size_t bytes = 100) {
    record::OpenSegment open = catalog.begin(record);
    const std::string content(bytes, 'x');
    EXPECT_EQ(::write(open.fd.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    return open;
  }
  static std::vector<std::string> paths(const std::vector<record::SegmentRecord>& segments) {
    std::vector<std::string> all;
    for (const auto& each : segments) all.push_back(each.path);
    return all;
  }

  reel_test::ScratchDir scratch;
};

class RecordingsTest : public CatalogTest {
 protected:
  [[nodiscard]] std::string index_file() const { return scratch.file("recordings/index.sqlite"); }
  /// `count` segments, one after the other.
  std::vector<record::SegmentRecord> recorded(record::Catalog& catalog, int count,
                                              const std::string& name = "door") {
    std::vector<record::SegmentRecord> all;
    for (int i = 0; i < count; ++i)
      all.push_back(finished(catalog, segment(name, kMorning + i * 20 * kSecond)));
    return all;
  }
  /// What any number of ways to look must agree on.
  void expect_found(const std::vector<record::SegmentRecord>& expected) const {
    record::Catalog catalog(options());
    const std::vector<record::SegmentRecord> found = catalog.find();
    ASSERT_EQ(paths(found), paths(expected));
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(to_json(found[i]), to_json(expected[i]));
    std::uint64_t segments = 0;
    catalog.look([&](const record::Index& index) {
      segments = 0;
      for (const record::Total& each : index.totals()) segments += each.segments;
    });
    EXPECT_EQ(segments, expected.size());
  }
};

}  // namespace record_test
