// What is found is what lies in the directory.
#include <filesystem>
#include <fstream>

#include <reel_test/child_process.hpp>
#include <reel_test/expect_error.hpp>

#include "catalog_fixture.hpp"

namespace {

using namespace record;
using record_test::kMorning;
using record_test::kSecond;
using record_test::segment;
using reel::ErrorCode;
using reel_test::ChildProcess;
using reel_test::expect_error;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Recordings : public record_test::RecordingsTest {};

TEST_F(Recordings, AreFoundAsTheyWereRecorded) {
  std::vector<SegmentRecord> all;
  {
    Catalog catalog(options());
    all = recorded(catalog, 3);
    EXPECT_EQ(all[2].sequence, 3u);
    EXPECT_EQ(to_json(catalog.get(all[1].path).value()), to_json(all[1]));
    EXPECT_EQ(catalog.newest("door")->path, all[2].path);
    EXPECT_FALSE(catalog.newest("garden"));
  }
  expect_found(all);
}

TEST_F(Recordings, AreFoundByWhatIsAsked) {
  Catalog catalog(options());
  std::vector<SegmentRecord> all = recorded(catalog, 4);
  SegmentRecord other = segment("garden", kMorning + 10 * kSecond);
  other.kind = SegmentClass::event;
  other.tracks[0].stream = "lawn";
  other.events = {{"e1", "motion", 5 * kSecond, 6 * kSecond, "", 0.5, 0, "", ""}};
  other.sightings = {{"lawn", "detections", "opencv.people", "person", 3, 0.9, 5 * kSecond, 6 * kSecond}};
  other = finished(catalog, other);
  SegmentRecord open = segment("door", kMorning + 80 * kSecond);
  const OpenSegment writing = begun(catalog, open);

  const auto found = [&](const Query& query) { return paths(catalog.find(query)); };
  EXPECT_THAT(found({}), SizeIs(6));
  EXPECT_EQ(found({.recording = "garden"}), (std::vector{other.path}));
  EXPECT_EQ(found({.stream = "lawn"}), (std::vector{other.path}));
  EXPECT_EQ(found({.event = "motion"}), (std::vector{other.path}));
  EXPECT_EQ(found({.label = "person"}), (std::vector{other.path}));
  EXPECT_EQ(found({.kind = SegmentClass::event}), (std::vector{other.path}));
  EXPECT_EQ(found({.state = SegmentState::open}), (std::vector{open.path}));
  EXPECT_THAT(found({.recording = "door", .with_open = false}), SizeIs(4));
  EXPECT_EQ(found({.newest_first = true, .most = 2}), (std::vector{open.path, other.path}));
  // Some of it lies in the time: the first ends at 20 s, the third begins at 40 s.
  EXPECT_EQ(found({.recording = "door",
                   .from_utc_ns = kMorning + 21 * kSecond,
                   .to_utc_ns = kMorning + 40 * kSecond}),
            (std::vector{all[1].path}));
  EXPECT_EQ(found({.from_utc_ns = kMorning + 200 * kSecond}), (std::vector{open.path}))
      << "an open one goes on";
}

TEST_F(Recordings, RefreshSeesWhatOthersDid) {
  Catalog catalog(options());
  std::vector<SegmentRecord> all = recorded(catalog, 3);
  EXPECT_EQ(catalog.refresh().read, 0u);
  std::filesystem::remove(scratch.file("recordings/" + all[1].path));
  {
    Catalog other(options());
    all.push_back(finished(other, segment("garden", kMorning + 60 * kSecond)));
  }
  const Catalog::Changes changes = catalog.refresh();
  EXPECT_EQ(paths(catalog.find()), (std::vector{all[0].path, all[2].path, all[3].path}));
  EXPECT_EQ(changes.dropped, 0u) << "the other one saw it first, in the index that they share";
  std::filesystem::remove_all(scratch.file("recordings/2026-11-22"));
  EXPECT_EQ(catalog.refresh().dropped, 3u);
  EXPECT_THAT(catalog.find(), IsEmpty());
}

TEST_F(Recordings, WithoutAManifestAreKnownByTheirName) {
  std::vector<SegmentRecord> all;
  {
    Catalog catalog(options());
    all = recorded(catalog, 3);
  }
  std::filesystem::remove(scratch.file("recordings/" + manifest_path_of(all[0].path)));
  scratch.write("recordings/" + manifest_path_of(all[1].path), "");  // as a power cut may leave it
  scratch.write("recordings/" + manifest_path_of(all[2].path), to_json(all[2]).substr(0, 90));
  Catalog catalog(options());
  const std::vector<SegmentRecord> found = catalog.find();
  ASSERT_EQ(paths(found), paths(all));
  for (const SegmentRecord& each : found) {
    EXPECT_EQ(each.recording, "door");
    EXPECT_EQ(each.state, SegmentState::finished);
    EXPECT_EQ(each.bytes, 100u);
    EXPECT_THAT(each.tracks, IsEmpty());
  }
  EXPECT_EQ(found[2].start_utc_ns, all[2].start_utc_ns);
}

TEST_F(Recordings, WithoutAManifestLieOnTheLineOfTheRest) {
  Catalog catalog(options());
  const std::vector<SegmentRecord> all = recorded(catalog, 2);
  std::filesystem::remove(scratch.file("recordings/" + manifest_path_of(all[1].path)));
  (void)catalog.refresh();
  EXPECT_EQ(catalog.newest("door")->path, all[0].path) << "of the other nothing is known";
  (void)catalog.reindex([](const std::string&, SegmentRecord& found) {
    found.tracks = {{"video", "video", "h264", "", 1, 0, 0, 0}};
  });
  EXPECT_EQ(catalog.get(all[1].path)->start_ns, all[0].start_ns + 20 * kSecond);
  scratch.write("recordings/2026-11-22/door_20261122T073216.345Z.open.mkv", "");
  EXPECT_EQ(catalog.abandoned("door").at(0).record.start_ns, all[0].start_ns + 60 * kSecond);
}

TEST_F(Recordings, WithoutAManifestGetOneOfWhatAProbeFinds) {
  Catalog catalog(options());
  const SegmentRecord whole = finished(catalog, segment());
  std::filesystem::remove(scratch.file("recordings/" + manifest_path_of(whole.path)));
  int probed = 0;
  const auto probe = [&](const std::string& file, SegmentRecord& found) {
    ++probed;
    EXPECT_EQ(file, scratch.file("recordings/" + whole.path));
    found.tracks = whole.tracks;
  };
  EXPECT_EQ(catalog.reindex(probe).read, 1u);
  EXPECT_THAT(catalog.get(whole.path)->tracks, SizeIs(2));
  (void)catalog.reindex(probe);
  EXPECT_EQ(probed, 1) << "it has a manifest now";
}

TEST_F(Recordings, OfZeroLengthAreKnownAndCanBeRemoved) {
  Catalog catalog(options());
  const std::string path = "2026-11-22/door_20261122T073116.345Z.mkv";
  scratch.write("recordings/" + path, "");
  (void)catalog.refresh();
  ASSERT_EQ(paths(catalog.find()), (std::vector{path}));
  EXPECT_EQ(catalog.get(path)->bytes, 0u);
  EXPECT_TRUE(catalog.remove(path, "a test"));
  EXPECT_THAT(catalog.find(), IsEmpty());
}

TEST_F(Recordings, AreProtectedAndReleasedAgain) {
  Catalog catalog(options());
  SegmentRecord event = segment();
  event.kind = SegmentClass::event;
  event = finished(catalog, event);
  catalog.protect(event.path, true);
  EXPECT_EQ(catalog.get(event.path)->kind, SegmentClass::protected_);
  (void)catalog.reindex();
  EXPECT_EQ(catalog.get(event.path)->kind, SegmentClass::protected_) << "it is not in the manifest";
  catalog.protect(event.path, false);
  EXPECT_EQ(catalog.get(event.path)->kind, SegmentClass::event);
  expect_error(ErrorCode::not_found, {"no such segment"},
               [&] { catalog.protect("2026-11-22/nothing.mkv", true); });
  SegmentRecord open = segment("garden");
  const OpenSegment writing = begun(catalog, open);
  expect_error(ErrorCode::in_use, {open.path}, [&] { catalog.protect(open.path, true); });
}

// Recorders that were killed.

const reel_test::Role killed("killed", [](const std::vector<std::string>& arguments) {
  Catalog catalog({arguments.at(0), true, {}});
  const RecordingLock lock = catalog.store().lock("door");
  SegmentRecord record = segment();
  const OpenSegment open = catalog.begin(record);
  (void)!::write(open.fd.get(), "half a file", 11);
  reel_test::say(open.path);
  (void)reel_test::hear();
  return 0;
});

TEST_F(Recordings, LeftOpenAreFoundByTheNextRecorder) {
  ChildProcess child = ChildProcess::role("killed", {scratch.file("recordings")});
  const std::string path = child.read_line().value_or("");
  child.signal(SIGKILL);
  (void)child.wait();

  Catalog catalog(options());
  const RecordingLock lock = catalog.store().lock("door");
  EXPECT_THAT(catalog.abandoned("garden"), IsEmpty());
  const std::vector<Abandoned> left = catalog.abandoned("door");
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].record.path, path);
  EXPECT_EQ(left[0].record.bytes, 11u);
  EXPECT_TRUE(left[0].manifest);
  EXPECT_EQ(reel_test::read_file(left[0].file), "half a file");
  SegmentRecord record = left[0].record;
  record.state = SegmentState::repaired;
  catalog.finish(record);
  EXPECT_THAT(catalog.abandoned("door"), IsEmpty());
  EXPECT_EQ(catalog.get(path)->state, SegmentState::repaired);
}

TEST_F(Recordings, KilledBeforeTheyGotTheirNameAreStillOpen) {
  Catalog catalog(options());
  SegmentRecord record = segment();
  const OpenSegment open = begun(catalog, record);
  record.state = SegmentState::finished;
  catalog.save(record);  // the manifest says so, the name does not yet
  (void)catalog.reindex();
  EXPECT_THAT(catalog.abandoned("door"), SizeIs(1));
}

TEST_F(Recordings, LeftOpenWithALostManifestAreFoundToo) {
  scratch.write("recordings/2026-11-22/door_20261122T073116.345Z.open.mkv", "");
  scratch.write("recordings/2026-11-22/door_20261122T073116.345Z.json", "");
  Catalog catalog(options());
  const std::vector<Abandoned> left = catalog.abandoned("door");
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_FALSE(left[0].manifest);
  EXPECT_EQ(left[0].record.bytes, 0u);
  EXPECT_EQ(left[0].record.start_utc_ns, kMorning);
  catalog.discard(left[0].record.path, "it is empty");
  EXPECT_THAT(catalog.find(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(scratch.file("recordings/2026-11-22")));
}

TEST_F(Recordings, ThatAreFinishedAreNotDiscardedWithWhatIsOpenUnderTheirName) {
  Catalog catalog(options());
  const SegmentRecord kept = finished(catalog, segment());
  const std::string open = catalog.store().whole_path(record::open_path_of(kept.path));
  std::ofstream(open) << "left";
  catalog.discard(kept.path, "nothing is in it");
  EXPECT_FALSE(std::filesystem::exists(open));
  EXPECT_TRUE(std::filesystem::exists(catalog.store().whole_path(kept.path)));
  EXPECT_TRUE(std::filesystem::exists(catalog.store().whole_path(record::manifest_path_of(kept.path))));
  expect_found({kept});
}

}  // namespace
