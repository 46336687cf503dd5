// Where a recording stood: numbers, what was missed, and what is recorded already.
#include "recorder_fixture.hpp"

#include <recorder/recorder.hpp>
#include <recorder/resume.hpp>

#include <filesystem>
#include <fstream>
#include <system_error>

#include <catalog/catalog.hpp>
#include <catalog/segment_name.hpp>
#include <facts/frame_facts.hpp>
#include <gmock/gmock.h>
#include <reel/base/error.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using record::Recorder;
using record::RecordSettings;
using record::SpooledFrame;
using record::Standing;

constexpr std::int64_t kSecond_ns = 1'000'000'000;

Standing standing() {
  Standing stood;
  stood.next_number = 70;
  stood.sequence = 100;
  stood.published_ns = 5 * kSecond_ns;
  return stood;
}

TEST(Resume, CountsWhatTheSameWriterPublishedMeanwhile) {
  EXPECT_EQ(standing().missed_until(101, 0, kSecond_ns), 0U);
  EXPECT_EQ(standing().missed_until(140, 3, kSecond_ns), 39U);
}

TEST(Resume, TakesNoFrameTwice) {
  EXPECT_EQ(standing().missed_until(100, 0, kSecond_ns), std::nullopt);
}

TEST(Resume, KnowsNothingOfAnotherWriter) {
  EXPECT_EQ(standing().missed_until(140, 3, 6 * kSecond_ns), 3U) << "its memory is newer than the last frame";
  EXPECT_EQ(standing().missed_until(7, 3, 6 * kSecond_ns), 3U);
  EXPECT_EQ(standing().missed_until(140, 3, reel::kNoTime), 3U);
  EXPECT_EQ(Standing{}.missed_until(140, 3, kSecond_ns), 3U) << "nothing was recorded before";
}

TEST(Resume, DoesNotCountWhatIsPassedOverOnPurpose) {
  Standing every_third = standing();
  every_third.all_taken = false;
  EXPECT_EQ(every_third.missed_until(140, 3, kSecond_ns), 3U);
}

/// Blocks of 20 ms, which the codec's own packets do not fall together with.
SpooledFrame block(std::uint64_t number, std::uint64_t sequence) {
  SpooledFrame made;
  made.number = number;
  made.sequence = sequence;
  made.format = std::make_shared<reel::Format>(reel::AudioFormat{reel::SampleFormat::S16LE, 48'000, 1});
  made.info.pts_ns = static_cast<std::int64_t>(number) * 20'000'000;
  made.info.duration_ns = 20'000'000;
  made.published_ns = reel::monotonic_ns();
  made.buffer = std::shared_ptr<GstBuffer>(gst_buffer_new_allocate(nullptr, 1920, nullptr),
                                           [](GstBuffer* it) { gst_buffer_unref(it); });
  gst_buffer_memset(made.buffer.get(), 0, 0, 1920);
  return made;
}

TEST(Resume, NumbersSoundByItsBlocks) {
  gst_init(nullptr, nullptr);
  const ScratchDir scratch;
  RecordSettings settings;
  settings.directory = scratch.path() + "/recordings";
  settings.name = "door";
  settings.segment_ns = 10 * kSecond_ns;
  settings.sync_interval_ns = kSecond_ns;
  settings.patience_ns = kSecond_ns;
  settings.spool_memory = 256'000'000;
  {
    Recorder recorder(settings, {"microphone"});
    for (std::uint64_t i = 0; i < 100; ++i) EXPECT_TRUE(recorder.spool().put(block(i, i + 1)));
  }
  const Recorder recorder(settings, {"microphone", "camera"});
  EXPECT_EQ(recorder.standing(0).next_number, 100U);
  EXPECT_EQ(recorder.standing(0).sequence, 100U);
  EXPECT_EQ(recorder.standing(0).end_ns, 2 * kSecond_ns);
  EXPECT_TRUE(recorder.standing(0).all_taken);
  EXPECT_EQ(recorder.standing(1).next_number, 0U);
}

record::SegmentRecord recorded(const std::string& directory, const std::string& name,
                               record::SegmentClass kind, std::int64_t utc_ns, std::uint64_t first,
                               std::uint64_t frames, std::vector<record::Gap> gaps = {},
                               const std::string& stream = "camera") {
  record::Catalog catalog({directory, true, {}});
  const record::RecordingLock lock = catalog.store().lock(name);
  record::SegmentRecord record;
  record.recording = name;
  record.kind = kind;
  record.container = "matroska";
  record.start_ns = static_cast<std::int64_t>(first) * kSecond_ns;
  record.end_ns = static_cast<std::int64_t>(first + frames) * kSecond_ns;
  record.start_utc_ns = utc_ns;
  record.end_utc_ns = utc_ns + (record.end_ns - record.start_ns);
  record.clocks.push_back({0, reel::monotonic_ns(), reel::realtime_ns()});
  const record::OpenSegment open = catalog.begin(record);
  record::Track track;
  track.stream = stream;
  track.media = "video";
  track.frames = frames;
  track.first_frame = first;
  track.start_ns = record.start_ns;
  track.end_ns = record.end_ns;
  record.tracks.push_back(track);
  record.gaps = std::move(gaps);
  const std::vector<record::FactsTrack> header{{stream, "video", "video/x-raw"}};
  std::ofstream facts(open.frames_file);
  facts << record::facts_header(header);
  for (std::uint64_t i = 0; i < frames; ++i) {
    record::FrameFacts each;
    each.frame = first + i;
    each.sequence = first + i + 1;
    each.published_ns = 1;
    each.media_ns = record.start_ns + static_cast<std::int64_t>(i) * kSecond_ns;
    each.info.duration_ns = kSecond_ns;
    facts << record::facts_line(each);
  }
  facts.close();
  record.state = record::SegmentState::finished;
  catalog.finish(record);
  return record;
}

constexpr std::int64_t kNoon_ns = 1'795'000'000'000'000'000;

record::Resumed resumed(const std::string& directory,
                        record::RecordMode mode = record::RecordMode::continuous) {
  RecordSettings settings;
  settings.name = "door";
  settings.mode = mode;
  std::vector<record::Abandoned> none_left;
  return record::resume(record::Catalog({directory, false, {}}), settings, {"camera"}, none_left);
}

TEST(Resume, GoesByTheOrderInWhichFilesWereBegunWhateverTheClockSaid) {
  const ScratchDir scratch;
  const std::string directory = scratch.path() + "/recordings";
  for (std::uint64_t i = 0; i < 6; ++i)  // a clock that is a day ahead, and set right after the first five
    recorded(directory, "door", record::SegmentClass::continuous,
             kNoon_ns + static_cast<std::int64_t>(i) * 20 * kSecond_ns + (i < 5 ? 86'400 * kSecond_ns : 0),
             i * 20, 20);
  EXPECT_EQ(resumed(directory).streams[0].next_number, 120U);
}

TEST(Resume, LooksAtFilesOfEachClass) {
  const ScratchDir scratch;
  const std::string directory = scratch.path() + "/recordings";
  recorded(directory, "door", record::SegmentClass::continuous, kNoon_ns, 0, 100);
  for (std::uint64_t i = 0; i < 6; ++i)
    recorded(directory, "door", record::SegmentClass::event,
             kNoon_ns + static_cast<std::int64_t>(i + 1) * 10 * kSecond_ns, i * 10, 5);
  EXPECT_EQ(resumed(directory).streams[0].next_number, 100U);
  EXPECT_EQ(resumed(directory).streams[0].end_ns, 100 * kSecond_ns);
}

TEST(Resume, KnowsOfAFileOfOneFrameByThoseBeforeIt) {
  const ScratchDir scratch;
  const std::string directory = scratch.path() + "/recordings";
  recorded(directory, "door", record::SegmentClass::continuous, kNoon_ns, 0, 1);
  EXPECT_FALSE(resumed(directory).streams[0].all_taken) << "one frame alone tells nothing";
  recorded(directory, "door", record::SegmentClass::continuous, kNoon_ns + kSecond_ns, 1, 10);
  recorded(directory, "door", record::SegmentClass::continuous, kNoon_ns + 11 * kSecond_ns, 11, 1);
  EXPECT_TRUE(resumed(directory).streams[0].all_taken);
  EXPECT_EQ(resumed(directory).streams[0].sequence, 12U);
}

TEST(Resume, CountsNotAgainWhatTheLastManifestTellsOf) {
  const ScratchDir scratch;
  const std::string directory = scratch.path() + "/recordings";
  recorded(directory, "door", record::SegmentClass::continuous, kNoon_ns, 0, 10,
           {{"camera", 3 * kSecond_ns, 4 * kSecond_ns, 2, "in the middle"},
            {"camera", 10 * kSecond_ns, 10 * kSecond_ns, 7, "at the end"}});
  const Standing stood = resumed(directory).streams[0];
  EXPECT_EQ(stood.next_number, 17U);
  EXPECT_EQ(stood.sequence, 17U);
  EXPECT_TRUE(stood.all_taken);
  EXPECT_FALSE(resumed(directory, record::RecordMode::events).streams[0].all_taken)
      << "what came between events was not to be recorded";
}

TEST(Resume, CountsOnWhereAStreamHasBeenAwayForManyFiles) {
  const ScratchDir scratch;
  const std::string directory = scratch.path() + "/recordings";
  const auto at = [](std::uint64_t second) {
    return kNoon_ns + static_cast<std::int64_t>(second) * kSecond_ns;
  };
  const auto continuous = record::SegmentClass::continuous;
  const record::SegmentRecord kept = recorded(directory, "door", continuous, at(0), 0, 5);
  recorded(directory, "door", continuous, at(5), 5, 5);
  recorded(directory, "door", continuous, at(10), 10, 1);
  for (std::uint64_t i = 11; i < 20; ++i) recorded(directory, "door", continuous, at(i), i, 1, {}, "other");
  record::Catalog({directory, true, {}}).protect(kept.path, true);
  const Standing stood = resumed(directory).streams[0];
  EXPECT_EQ(stood.next_number, 11U);
  EXPECT_EQ(stood.sequence, 11U);
  EXPECT_TRUE(stood.all_taken) << "else what comes before its next frame is not counted";
}

/// Two files that were open when a recorder was killed.
std::vector<record::Gap> told_of_left(std::vector<std::vector<record::Gap>> manifests) {
  const ScratchDir scratch;
  const std::string directory = scratch.path() + "/recordings";
  recorded(directory, "door", record::SegmentClass::continuous, kNoon_ns, 0, 10,
           {{"camera", 5 * kSecond_ns, 6 * kSecond_ns, 1, "full"}});
  std::vector<record::Abandoned> left;
  for (std::vector<record::Gap>& gaps : manifests) {
    record::Abandoned& file = left.emplace_back();
    file.record.path = "2026-11-22/door_2026112" + std::to_string(left.size()) + "T000000.000Z.mkv";
    file.file = directory + "/none.open.mkv";
    file.record.gaps = std::move(gaps);
  }
  RecordSettings settings;
  settings.name = "door";
  (void)record::resume(record::Catalog({directory, false, {}}), settings, {"camera"}, left);
  std::vector<record::Gap> told;
  for (const record::Abandoned& file : left)
    told.insert(told.end(), file.record.gaps.begin(), file.record.gaps.end());
  return told;
}

TEST(Resume, TellsEachGapInOneManifestWhicheverIsTheNewer) {
  const record::Gap part{"camera", 10 * kSecond_ns, 12 * kSecond_ns, 4, "full"};
  const record::Gap whole{"camera", 10 * kSecond_ns, 20 * kSecond_ns, 9, "full"};
  const record::Gap other{"camera", 20 * kSecond_ns, 21 * kSecond_ns, 1, "else"};
  const record::Gap finished{"camera", 5 * kSecond_ns, 6 * kSecond_ns, 1, "full"};
  for (const auto& told : {told_of_left({{part, finished}, {whole, other}}),
                           told_of_left({{other, whole}, {part}}), told_of_left({{whole}, {other, whole}})}) {
    std::uint64_t frames = 0;
    for (const record::Gap& gap : told) frames += gap.frames;
    EXPECT_EQ(told.size(), 2U);
    EXPECT_EQ(frames, 10U);
  }
}

TEST(Resume, CountsNotAgainWhatALaterManifestTellsOf) {
  const ScratchDir scratch;
  const std::string directory = scratch.path() + "/recordings";
  const auto continuous = record::SegmentClass::continuous;
  recorded(directory, "door", continuous, kNoon_ns, 0, 10);
  recorded(directory, "door", continuous, kNoon_ns + 10 * kSecond_ns, 10, 10,
           {{"camera", 10 * kSecond_ns, 14 * kSecond_ns, 4, "full"}, {"other", 0, kSecond_ns, 9, "full"}},
           "other");
  EXPECT_EQ(resumed(directory).streams[0].next_number, 14U);
  EXPECT_EQ(resumed(directory).streams[0].sequence, 14U);
}

/// As a kill would leave it right now: the index is made anew.
std::string left_by_a_kill(const ScratchDir& scratch, const std::string& directory, const std::string& name) {
  namespace fs = std::filesystem;
  const std::string copy = scratch.path() + "/" + name;
  EXPECT_TRUE(wait_until([&] {  // of its files, one may be on its way to its name
    std::error_code error;
    fs::remove_all(copy, error);
    fs::copy(directory, copy, fs::copy_options::recursive, error);
    return !error;
  }));
  for (const char* of_index : {"", "-wal", "-shm"}) fs::remove(copy + "/index.sqlite" + of_index);
  return copy;
}

/// That the facts tell of by now.
std::size_t frames_in(const std::string& directory) {
  try {
    return numbers_of(directory, segments_in(directory), "camera").size();
  } catch (const reel::Error&) {
    return 0;  // they are not made yet
  }
}

TEST(Resume, TellsOfALossOfWhichNoManifestTellsYet) {
  const ScratchDir scratch;
  RecordSettings settings = settings_in(scratch);
  settings.segment_ns = 60 * kSecond_ns;
  Recorder recorder(settings, {"camera"});
  Camera camera;
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(recorder.spool().put(camera.next()));
  ASSERT_TRUE(wait_until([&] { return frames_in(settings.directory) == 25; }));
  for (int loss = 0; loss < 2; ++loss) {
    Camera lost = camera;
    recorder.spool().put_lost(lost.next(), 7, "the reader was too slow");
    camera.skip(7);
    for (int i = 0; i < 25; ++i) EXPECT_TRUE(recorder.spool().put(camera.next()));
  }
  ASSERT_TRUE(wait_until([&] { return frames_in(settings.directory) == 75; }));
  const std::string without_manifest = left_by_a_kill(scratch, settings.directory, "without_manifest");
  std::filesystem::remove(without_manifest + "/" +
                          record::manifest_path_of(segments_in(without_manifest).at(0).path));
  ASSERT_TRUE(wait_until([&] { return lost_frames(segments_in(settings.directory), "camera") == 14; }));
  const std::string later = left_by_a_kill(scratch, settings.directory, "later");
  for (const std::string& directory : {without_manifest, later}) {
    settings.directory = directory;
    Recorder next(settings, {"camera"});
    EXPECT_EQ(next.standing(0).next_number, 89U);
    next.finish();
    next.wait_for_files();
    const auto segments = finished_in(directory);
    ASSERT_EQ(segments.size(), 1U) << directory;
    // Of the last pictures some may have been in the muxer.
    EXPECT_EQ(pictures_in(segments) + lost_frames(segments, "camera"), 89U) << directory;
    std::vector<record::Gap> gaps = segments[0].gaps;
    std::erase_if(gaps, [](const record::Gap& gap) { return gap.reason != "the reader was too slow"; });
    ASSERT_EQ(gaps.size(), 2U) << directory;
    EXPECT_EQ(gaps[0].frames, 7U);
    EXPECT_EQ(gaps[1].frames, 7U);
    EXPECT_EQ(gaps[0].start_ns, segments[0].start_ns + kSecond_ns);
    EXPECT_EQ(gaps[0].end_ns, segments[0].start_ns + kSecond_ns + 7 * kStep_ns);
  }
}

}  // namespace
}  // namespace reel_test
