// Disks that fail while something is recorded on them: whatever happens, all files are whole in the end, and
// each frame is in one of them or counted where it is missing.
#include "failing_disk.hpp"
#include "recorder_fixture.hpp"
#include "recordings.hpp"

#include <recorder/recorder.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>
#include <gmock/gmock.h>
#include <reel_test/wait_until.hpp>

#include <media/reader.hpp>

namespace reel_test {
namespace {

namespace fs = std::filesystem;
using record::Recorder;
using record::RecordSettings;
using record::SegmentRecord;
using record::SegmentState;
using ::testing::HasSubstr;
using ::testing::Not;

std::uint64_t value_of(const reel::MetricTable& table, const std::string& name) {
  for (const reel::MetricSlot& slot : table.slots)
    if (name == slot.name.data()) return slot.bits;
  return 0;
}

/// Standard error goes there meanwhile.
class LogInFile {
 public:
  explicit LogInFile(const std::string& path) : before_(::dup(STDERR_FILENO)) {
    const reel::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    ::dup2(file.get(), STDERR_FILENO);
  }
  LogInFile(const LogInFile&) = delete;
  LogInFile& operator=(const LogInFile&) = delete;
  ~LogInFile() { ::dup2(before_.get(), STDERR_FILENO); }

 private:
  reel::UniqueFd before_;
};

class RecorderFaults : public ::testing::Test {
 protected:
  RecorderFaults() : settings_(settings_in(scratch_)) { settings_.patience_ns = 100'000'000; }
  ~RecorderFaults() override { mend_disk(); }

  void put(Recorder& recorder, int frames) {
    for (int i = 0; i < frames; ++i) {
      ASSERT_TRUE(wait_until([&] { return recorder.spool().counts().frames < 20; }));
      (void)recorder.spool().put(camera_.next());
    }
  }
  /// Puts frames until it is so.
  template <typename Condition>
  void put_until(Recorder& recorder, Condition condition) {
    ASSERT_TRUE(wait_until([&] {
      if (recorder.spool().counts().frames < 20) (void)recorder.spool().put(camera_.next());
      return condition();
    }));
  }
  [[nodiscard]] std::vector<std::string> files(const std::string& ending) const {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(settings_.directory, ignored))
      if (entry.path().string().ends_with(ending)) found.push_back(entry.path().string());
    return found;
  }
  /// All files whole, each frame in one of them or in a gap; so many were lost.
  void expect_all_accounted_for(std::uint64_t counted) const {
    EXPECT_TRUE(files(".open.mkv").empty()) << files(".open.mkv").front();
    const std::vector<SegmentRecord> all = segments_in(settings_.directory);
    const std::vector<SegmentRecord> whole = finished_in(settings_.directory);
    EXPECT_EQ(all.size(), whole.size());
    expect_intact(settings_.directory, whole);
    const std::uint64_t lost = lost_frames(all, "camera");
    EXPECT_EQ(pictures_in(whole) + lost, camera_.frames());
    EXPECT_EQ(lost, counted) << "the numbers say the same";
    for (const SegmentRecord& segment : whole) {
      record::UnitReader reader(settings_.directory + "/" + segment.path);
      const auto first = reader.next();
      ASSERT_TRUE(first);
      EXPECT_TRUE(first->key) << segment.path;
    }
  }
  [[nodiscard]] std::size_t repaired() const {
    const std::vector<SegmentRecord> all = segments_in(settings_.directory);
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const SegmentRecord& segment) {
      return segment.state == SegmentState::repaired;
    }));
  }
  [[nodiscard]] std::uint64_t lost_because(const std::string& reason) const {
    std::uint64_t lost = 0;
    for (const SegmentRecord& segment : segments_in(settings_.directory))
      for (const record::Gap& gap : segment.gaps)
        if (gap.reason.find(reason) != std::string::npos) lost += gap.frames;
    return lost;
  }

  ScratchDir scratch_;
  RecordSettings settings_;
  Camera camera_{320, 240};
};

TEST_F(RecorderFaults, RepairAFileThatCannotBeWrittenAnyMoreAndCountWhatItLacks) {
  std::uint64_t lost = 0;
  {
    Recorder recorder(settings_, {"camera"});
    put_until(recorder,
              [&] { return !files(".open.mkv").empty() && fs::file_size(files(".open.mkv")[0]) > 0; });
    put(recorder, 60);
    fail_disk({".open.", EIO, 2000, 0, 0, 0});
    put_until(recorder, [] { return failures() > 0; });
    mend_disk();
    put_until(recorder, [&] { return repaired() > 0; });
    EXPECT_TRUE(wait_until([&] { return files(".open.mkv").size() <= 1; })) << "not only at the next start";
    recorder.finish();
    recorder.wait_for_files();
    lost = recorder.counts().lost;
  }
  EXPECT_GT(lost, 0U);
  EXPECT_GT(lost_because("files could not be written"), 0U);
  expect_all_accounted_for(lost);
}

TEST_F(RecorderFaults, RepairAFileWhoseEndCannotBeWritten) {
  std::uint64_t lost = 0;
  {
    Recorder recorder(settings_, {"camera"});
    fail_disk({".open.", 0, 0, 0, 0, EIO});
    put(recorder, 30);
    recorder.finish();
    ASSERT_TRUE(wait_until([] { return failures() > 0; }));
    mend_disk();
    recorder.wait_for_files();
    ASSERT_TRUE(wait_until([&] { return files(".open.mkv").empty(); }));
    lost = recorder.counts().lost;
  }
  EXPECT_EQ(repaired(), 1U);
  EXPECT_EQ(lost, 0U) << "only its index was missing";
  expect_all_accounted_for(lost);
}

TEST_F(RecorderFaults, CountWhatIsInNoFileInTheLastManifest) {
  std::uint64_t lost = 0;
  ::testing::internal::CaptureStderr();
  {
    Recorder recorder(settings_, {"camera"});
    put_until(recorder, [&] { return !finished_in(settings_.directory).empty(); });
    fail_disk({".open.", EIO, 0, 0, 0, 0});
    put_until(recorder, [] { return failures() > 3; });
    recorder.finish();
    recorder.wait_for_files();
    lost = recorder.counts().lost;
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_GT(lost, 0U);
  expect_all_accounted_for(lost);
  const std::string told = "tried again in a new file";
  EXPECT_EQ(log.find(told), log.rfind(told)) << "once: " << log;
}

TEST_F(RecorderFaults, DoNotCallAFileFinishedThatDidNotReachTheDisk) {
  settings_.sync_interval_ns = 10'000'000;
  std::uint64_t lost = 0;
  {
    Recorder recorder(settings_, {"camera"});
    put_until(recorder, [&] { return !files(".open.mkv").empty(); });
    fail_disk({".open.", 0, 0, EIO, 0, 0});
    put_until(recorder, [] { return failures() > 0; });
    mend_disk();  // as the kernel does: it says it once
    put(recorder, 30);
    recorder.finish();
    recorder.wait_for_files();
    lost = recorder.counts().lost;
  }
  EXPECT_GE(repaired(), 1U);
  expect_all_accounted_for(lost);
  EXPECT_EQ(lost, 0U) << "all of it could be read";
}

TEST_F(RecorderFaults, TryAgainWhereTheEndDoesNotReachTheDisk) {
  {
    Recorder recorder(settings_, {"camera"});
    put(recorder, 30);
    fail_disk({"door_", 0, 0, EIO, 0, 0});
    recorder.finish();
    ASSERT_TRUE(wait_until([] { return failures() > 1; })) << "it is tried again";
    EXPECT_EQ(finished_in(settings_.directory).size(), 0U);
    mend_disk();
    ASSERT_TRUE(wait_until([&] { return files(".open.mkv").empty(); }));
  }
  EXPECT_EQ(repaired(), 1U);
  expect_all_accounted_for(0);
}

TEST_F(RecorderFaults, GoOnWhenTheDirectoryIsBack) {
  const std::string away = scratch_.path() + "/away";
  std::uint64_t lost = 0;
  {
    Recorder recorder(settings_, {"camera"});
    put_until(recorder, [&] { return files(".mkv").size() >= 2; });
    const LogInFile logged(scratch_.path() + "/log");
    fs::rename(settings_.directory, away);
    for (int i = 0; i < 120; ++i) EXPECT_TRUE(recorder.spool().put(camera_.next()));
    ASSERT_TRUE(wait_until([&] { return scratch_.read("log").find("in a new file") != std::string::npos; }));
    fs::rename(away, settings_.directory);
    put(recorder, 60);
    recorder.finish();
    recorder.wait_for_files();
    const std::string log = scratch_.read("log");
    EXPECT_THAT(log, HasSubstr("can be written again"));
    EXPECT_LT(std::count(log.begin(), log.end(), '\n'), 20) << log;
    ASSERT_TRUE(wait_until([&] { return files(".open.mkv").empty(); })) << log;
    lost = recorder.counts().lost;
  }
  expect_all_accounted_for(lost);
}

TEST_F(RecorderFaults, CountWhatIsLeftWhenTheDirectoryStaysAwayAndTheNextStartClosesTheRest) {
  std::uint64_t lost = 0;
  const std::string away = scratch_.path() + "/away";
  reel::MetricTable table;
  reel::StageMetrics metrics(table);
  {
    Recorder recorder(settings_, {"camera"}, record::Numbers(metrics));
    put(recorder, 30);
    put_until(recorder, [&] { return !files(".open.mkv").empty(); });
    fs::rename(settings_.directory, away);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(recorder.spool().put(camera_.next()));
    recorder.finish();
    recorder.wait_for_files();
    lost = recorder.counts().lost;
  }
  EXPECT_GT(lost, 0U);
  EXPECT_EQ(value_of(table, "lost_frames"), lost);
  fs::rename(away, settings_.directory);
  EXPECT_FALSE(files(".open.mkv").empty());
  { Recorder again(settings_, {"camera"}); }
  EXPECT_TRUE(files(".open.mkv").empty());
  expect_intact(settings_.directory, finished_in(settings_.directory));
  EXPECT_EQ(pictures_in(finished_in(settings_.directory)) + lost, camera_.frames());
}

TEST_F(RecorderFaults, CountWhatWasInAFileThatIsGone) {
  std::uint64_t lost = 0;
  {
    Recorder recorder(settings_, {"camera"});
    put(recorder, 30);
    put_until(recorder, [&] { return !files(".open.mkv").empty(); });
    fs::remove_all(settings_.directory);
    fs::create_directory(settings_.directory);
    put_until(recorder, [&] { return files(".mkv").size() >= 2; });
    recorder.finish();
    recorder.wait_for_files();
    lost = recorder.counts().lost;
  }
  EXPECT_GT(lost, 30U);
  expect_all_accounted_for(lost);
}

TEST_F(RecorderFaults, BeginANewFileWhereOneMayNotGrow) {
  std::uint64_t lost = 0;
  {
    Recorder recorder(settings_, {"camera"});
    put(recorder, 30);
    ::testing::internal::CaptureStderr();
    fail_disk({".open.", 0, 0, 0, EFBIG, 0});
    camera_.resize(1280, 720);  // a file that needs room
    put_until(recorder, [] { return failures() > 0; });
    mend_disk();
    put(recorder, 60);
    recorder.finish();
    recorder.wait_for_files();
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                ::testing::AllOf(HasSubstr("segment_bytes"), Not(HasSubstr("is full"))));
    lost = recorder.counts().lost;
  }
  expect_all_accounted_for(lost);
}

TEST(Numbers, CountBytesOnceWhateverBecomesOfAFile) {
  reel::MetricTable table;
  reel::StageMetrics metrics(table);
  record::Numbers numbers(metrics);
  const int first = 0, second = 0;
  numbers.open_file(&first, 100, 0);
  numbers.open_file(&first, 90, 0);  // the muxer has some of them in hand
  numbers.open_file(&second, 10, 0);
  numbers.dropped_file(&first, 110);
  EXPECT_EQ(value_of(table, "written_bytes"), 120U);
  numbers.open_file(&first, 50, 0);  // another one, at the same address
  numbers.closed_file(&first, 60);
  EXPECT_EQ(value_of(table, "written_bytes"), 180U);
  EXPECT_EQ(value_of(table, "segments"), 1U);
}

TEST(Syncer, BringsEachFileToTheDiskThoughAnotherFails) {
  const ScratchDir scratch;
  const auto open = [&](const std::string& name) {
    const std::string path = scratch.path() + "/" + name;
    return std::make_shared<record::SyncedFile>(
        reel::UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)), path);
  };
  const auto bad = open("bad.open.mkv"), good = open("good.mkv");
  fail_disk({"bad.open.", 0, 0, EIO, 0, 0});
  {
    record::Syncer syncer(1'000'000);
    syncer.add(bad);
    syncer.add(good);
    EXPECT_TRUE(wait_until([&] { return syncs_of(scratch.path() + "/good.mkv") > 1 && failures() > 1; }));
  }
  mend_disk();
  EXPECT_TRUE(good->sync());
  EXPECT_FALSE(bad->sync()) << "it has forgotten what it said before";
}

}  // namespace
}  // namespace reel_test
