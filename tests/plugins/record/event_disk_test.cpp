// Events while the disk is full: what fits is kept, what does not is counted in their files, and they go on
// once there is room.
#include "recordings.hpp"
#include "small_disk.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <reel/base/clock.hpp>
#include <reel/base/unique_fd.hpp>
#include <reel_test/container.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/runtime_dir.hpp>
#include <unistd.h>

namespace reel_test {
namespace {

namespace fs = std::filesystem;
using record::SegmentClass;
using record::SegmentRecord;
using ::testing::IsEmpty;

std::string recorder(const std::string& mode) {
  return "  " + mode +
         ":\n    use: record\n    in: pictures\n    options: {directory: disk/recordings, codec: mjpeg, "
         "segment: 1s, "
         "pre_roll: 1s, post_roll: 500ms, spool_memory: 3MB, full_spool: lose, mode: " +
         mode + "}\n";
}

/// Whether a line of the stage's holds the text.
bool says(const std::string& log, const std::string& stage, const std::string& text) {
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);)
    if (line.find(" " + stage + ": ") != std::string::npos && line.find(text) != std::string::npos)
      return true;
  return false;
}

/// Takes all of the room that is left.
void fill(const std::string& file) {
  const reel::UniqueFd filler(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(filler);
  const std::string block(64 * 1024, 'x');
  while (::write(filler.get(), block.data(), block.size()) > 0) {
  }
}

std::vector<SegmentRecord> of(const std::vector<SegmentRecord>& all, const std::string& recording,
                              SegmentClass kind) {
  std::vector<SegmentRecord> chosen;
  for (const SegmentRecord& record : all)
    if (record.recording == recording && record.kind == kind) chosen.push_back(record);
  return chosen;
}

/// Each frame is there, or in a gap.
void expect_accounted(const std::string& directory, const std::vector<SegmentRecord>& segments) {
  const auto numbers = numbers_of(directory, segments, "pictures");
  EXPECT_GT(lost_frames(segments, "pictures"), 0U);
  EXPECT_EQ(numbers.back() + 1 - numbers.front() - numbers.size(), lost_frames(segments, "pictures"));
}

void expect_whole_pictures(const std::string& directory, const std::vector<SegmentRecord>& segments) {
  std::set<std::string> named;
  for (const SegmentRecord& segment : segments)
    for (const record::EventMark& mark : segment.events) {
      named.insert(mark.picture);
      named.insert(mark.thumbnail);
    }
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const std::string path = entry.path().lexically_relative(directory).string();
    if (path.find(".jpg") == std::string::npos) continue;
    EXPECT_TRUE(named.contains(path)) << path << " is in no mark";
    const std::string bytes = read_file(entry.path().string());
    EXPECT_TRUE(bytes.starts_with("\xff\xd8") && bytes.ends_with("\xff\xd9")) << path;
  }
}

TEST(EventDisk, ThatIsFullLosesAndCountsInFilesOfEventsAndTheyGoOn) {
  if (const std::string missing = missing_containers(); !missing.empty()) GTEST_SKIP() << missing;
  const TempRuntimeDir runtime;
  const std::vector<std::string> modes{"both", "events"};
  OnASmallDisk pipeline("24m", recorder("both") + recorder("events"));
  const auto all_say = [&](const std::string& text) {
    return wait_until([&] {
      return std::all_of(modes.begin(), modes.end(),
                         [&](const std::string& mode) { return says(pipeline.log(), mode, text); });
    });
  };
  ASSERT_TRUE(pipeline.wait_for_log("wrote ")) << pipeline.log();
  for (const std::string& mode : modes)
    ASSERT_EQ(run_reel({"event", mode, "--kind", "bell", "--duration", "1h"}).status, 0) << pipeline.log();
  ASSERT_TRUE(all_say("-bell begins")) << pipeline.log();
  fill(pipeline.disk_from_here() + "/filler");
  ASSERT_TRUE(all_say("is full")) << pipeline.log();
  ASSERT_TRUE(all_say("frames were lost in the last")) << pipeline.log();
  // One of which nothing is recorded: it is over before there is room.
  for (const std::string& mode : modes) ASSERT_EQ(run_reel({"event", mode, "--kind", "knock"}).status, 0);
  const std::int64_t over_ns = reel::monotonic_ns() + 700'000'000;
  ASSERT_TRUE(wait_until([&] { return reel::monotonic_ns() > over_ns; }));
  fs::remove(pipeline.disk_from_here() + "/filler");
  ASSERT_TRUE(all_say("has room again")) << pipeline.log();
  for (const std::string& mode : modes) ASSERT_EQ(run_reel({"event", mode, "--stop"}).status, 0);
  ASSERT_TRUE(all_say("-bell has ended")) << pipeline.log();
  pipeline.end();
  const auto all = segments_in(pipeline.recordings());
  expect_intact(pipeline.recordings(), all);
  expect_whole_pictures(pipeline.recordings(), all);
  for (const std::string& mode : modes) {
    SCOPED_TRACE(mode + "\n" + pipeline.log());
    const auto events = of(all, mode, SegmentClass::event);
    ASSERT_THAT(events, ::testing::Not(IsEmpty()));
    expect_accounted(pipeline.recordings(), events);
    if (mode == "both") expect_accounted(pipeline.recordings(), of(all, mode, SegmentClass::continuous));
    std::int64_t gap_end_ns = 0;
    for (const SegmentRecord& segment : events)
      for (const record::Gap& gap : segment.gaps) gap_end_ns = std::max(gap_end_ns, gap.end_ns);
    EXPECT_GT(events.back().end_ns, gap_end_ns) << "it went on";
    for (const std::string kind : {"bell", "knock"})
      EXPECT_TRUE(std::any_of(events.begin(), events.end(), [&](const SegmentRecord& segment) {
        return std::any_of(segment.events.begin(), segment.events.end(),
                           [&](const record::EventMark& mark) { return mark.kind == kind; });
      })) << kind;
  }
}

}  // namespace
}  // namespace reel_test
