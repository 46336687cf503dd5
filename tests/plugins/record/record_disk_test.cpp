// A disk that fills: retention keeps it from that; without it frames wait, the newest are lost and counted,
// and recording goes on by itself once there is room.
#include "recordings.hpp"
#include "small_disk.hpp"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <reel_test/container.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

std::string recorder(const std::string& options) {
  return "  recorder:\n    use: record\n    in: pictures\n    options: {directory: disk/recordings, segment: "
         "1s, codec: mjpeg, " +
         options + "}\n";
}

/// The same on a disk that can be taken away while files are open on it, and brought back.
class OnALooseDisk {
 public:
  OnALooseDisk(const OnALooseDisk&) = delete;
  OnALooseDisk& operator=(const OnALooseDisk&) = delete;
  ~OnALooseDisk() {
    if (reel_ > 0) ::kill(reel_, SIGKILL);
  }
  OnALooseDisk()
      : made_(std::filesystem::create_directory(disk()) && std::filesystem::create_directory(store())),
        shell_(ChildProcess::program(
            "unshare", {"--map-root-user", "--mount", "--propagation", "unchanged", "sh", "-c",
                        "mount -t tmpfs none " + store() + " && mount --bind " + store() + " " + disk() +
                            R"( || exit 9; "$1" run "$2" & reel=$!; echo $reel
                            while read -r command; do eval "$command"; done)",
                        "sh", reel_command(), scratch_.write("pipeline.yaml", kText)})) {
    reel_ = std::stoi(shell_.read_line().value_or("0"));
  }
  void lose() { run("umount -l " + disk()); }
  void bring_back() { run("mount --bind " + store() + " " + disk()); }
  [[nodiscard]] std::string log() const { return shell_.errors(); }
  [[nodiscard]] bool wait_for_log(const std::string& line) const {
    return wait_until([&] { return log().find(line) != std::string::npos; });
  }
  /// What is on the disk, wherever that is.
  [[nodiscard]] std::string recordings() const { return seen_here(store()); }
  /// What lies where it is mounted.
  [[nodiscard]] std::string place() const { return seen_here(disk()); }
  void end() {
    ASSERT_GT(reel_, 0) << log();
    ::kill(reel_, SIGINT);
    shell_.send("wait $reel; echo ended $?");
    EXPECT_EQ(shell_.wait_for_line("ended"), "ended 0") << log();
    reel_ = 0;
  }

 private:
  static constexpr const char* kText = R"(
version: 1
name: loose
stages:
  source:
    use: synthetic.source
    options: {width: 320, height: 240, fps: 30, live: true}
    out: pictures
  recorder:
    use: record
    in: pictures
    options: {directory: disk, require_mount: disk, segment: 1s, codec: mjpeg}
)";
  [[nodiscard]] std::string disk() const { return scratch_.path() + "/disk"; }
  [[nodiscard]] std::string store() const { return scratch_.path() + "/store"; }
  [[nodiscard]] std::string seen_here(const std::string& path) const {
    return "/proc/" + std::to_string(shell_.pid()) + "/root" + path;
  }
  void run(const std::string& command) {
    shell_.send(command + "; echo did $?");
    EXPECT_EQ(shell_.wait_for_line("did"), "did 0") << log();
  }

  ScratchDir scratch_;
  bool made_;
  ChildProcess shell_;
  int reel_ = 0;
};

TEST(RecordDisk, NeverFillsWhereRetentionKeepsRoom) {
  if (const std::string missing = missing_containers(); !missing.empty()) GTEST_SKIP() << missing;
  const TempRuntimeDir runtime;
  OnASmallDisk pipeline("16m", recorder("max_bytes: 6MB"));
  ASSERT_TRUE(pipeline.wait_for_log("removed ")) << pipeline.log();
  pipeline.end();
  EXPECT_THAT(pipeline.log(), HasSubstr("max_bytes"));
  EXPECT_THAT(pipeline.log(), HasSubstr(" 0 frames were lost"));
  const auto segments = finished_in(pipeline.recordings());
  expect_intact(pipeline.recordings(), segments);
  EXPECT_GT(segments.front().sequence, 1U) << "the oldest went first";
}

TEST(RecordDisk, ThatIsFullLosesTheNewestAndSaysHowManyUntilThereIsRoom) {
  if (const std::string missing = missing_containers(); !missing.empty()) GTEST_SKIP() << missing;
  const TempRuntimeDir runtime;
  OnASmallDisk pipeline("12m", recorder("spool_memory: 8MB, full_spool: lose"));
  ASSERT_TRUE(pipeline.wait_for_log("is full")) << pipeline.log();
  // Of those that waited in the spool meanwhile none is lost yet: those that no longer fit are.
  const std::string told = "frames were lost in the last";
  ASSERT_TRUE(wait_until([&] {
    return pipeline.log().find(told, pipeline.log().find("is full")) != std::string::npos;
  })) << pipeline.log();
  const auto before = finished_in(pipeline.recordings());
  ASSERT_FALSE(before.empty());
  for (const auto& segment : before) std::filesystem::remove(pipeline.recordings() + "/" + segment.path);
  ASSERT_TRUE(pipeline.wait_for_log("has room again")) << pipeline.log();
  ASSERT_TRUE(pipeline.wait_for_log(" frames lost")) << pipeline.log();
  pipeline.end();
  const auto segments = finished_in(pipeline.recordings());
  EXPECT_EQ(segments_in(pipeline.recordings()).size(), segments.size()) << "one was left open";
  expect_intact(pipeline.recordings(), segments);
  const std::uint64_t lost = lost_frames(segments, "pictures");
  EXPECT_GT(lost, 0U) << pipeline.log();
  EXPECT_TRUE(std::any_of(segments.begin(), segments.end(), [](const record::SegmentRecord& segment) {
    return std::any_of(segment.gaps.begin(), segment.gaps.end(), [](const record::Gap& gap) {
      return gap.reason.find("disk was full") != std::string::npos;
    });
  })) << pipeline.log();
}

TEST(RecordDisk, ThatIsLostIsNotReplacedByTheOneBelowAndLosesNothingThatFitsIntoTheSpool) {
  if (const std::string missing = missing_containers(); !missing.empty()) GTEST_SKIP() << missing;
  const TempRuntimeDir runtime;
  OnALooseDisk pipeline;
  ASSERT_TRUE(pipeline.wait_for_log("wrote ")) << pipeline.log();
  pipeline.lose();
  ASSERT_TRUE(pipeline.wait_for_log("nothing is mounted at")) << pipeline.log();
  EXPECT_TRUE(std::filesystem::is_empty(pipeline.place()));
  pipeline.bring_back();
  ASSERT_TRUE(pipeline.wait_for_log("can be written again")) << pipeline.log();
  pipeline.end();
  EXPECT_THAT(pipeline.log(), HasSubstr(" 0 frames were lost"));
  const auto segments = finished_in(pipeline.recordings());
  ASSERT_GE(segments.size(), 2U) << pipeline.log();
  EXPECT_EQ(segments_in(pipeline.recordings()).size(), segments.size()) << "one was left open";
  expect_intact(pipeline.recordings(), segments);
  EXPECT_EQ(lost_frames(segments, "pictures"), 0U);
  const std::vector<std::uint64_t> numbers = numbers_of(pipeline.recordings(), segments, "pictures");
  EXPECT_EQ(numbers.size(), numbers.back() + 1) << "each is there, once";
  std::uint64_t pictures = 0;
  for (const auto& segment : segments) pictures += segment.tracks[0].frames;
  EXPECT_EQ(pictures, numbers.size());
}

}  // namespace
}  // namespace reel_test
