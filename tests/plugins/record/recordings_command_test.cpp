// `reel recordings` from outside, on a directory with real segments in it.
#include <filesystem>

#include <reel_test/child_process.hpp>
#include <reel_test/run_reel.hpp>

#include "catalog_fixture.hpp"

namespace {

using namespace record;
using record_test::kMorning;
using record_test::kSecond;
using reel_test::run_reel;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RecordingsCommand : public record_test::CatalogTest {
 protected:
  /// Copies of a clip of 249 pictures and 8.4 s, 20 s between their beginnings.
  void SetUp() override {
    std::filesystem::create_directories(scratch.file("recordings/2026-11-22"));
    for (int i = 0; i < 3; ++i) std::filesystem::copy_file(CLIP, directory + "/" + path_of("door", i));
    std::filesystem::copy_file(CLIP, directory + "/" + path_of("garden", 0));
    ASSERT_EQ(run("reindex").status, 0);
  }

  [[nodiscard]] static std::string path_of(const std::string& recording, int i) {
    return to_path({recording, kMorning + i * 20 * kSecond, false, 1, "mp4", false});
  }
  [[nodiscard]] reel_test::ReelRun run(const std::string& action,
                                       const std::vector<std::string>& rest = {}) const {
    std::vector<std::string> arguments{"recordings", action, directory};
    arguments.insert(arguments.end(), rest.begin(), rest.end());
    return run_reel(arguments);
  }
  [[nodiscard]] std::vector<std::string> listed(std::vector<std::string> rest = {}) const {
    rest.emplace_back("--json");
    std::vector<std::string> found;
    for (const auto& each : run("ls", rest).json()) found.push_back(each["path"]);
    return found;
  }

  const std::string directory = scratch.file("recordings");
};

TEST_F(RecordingsCommand, ListsThoseThatAreChosen) {
  EXPECT_THAT(listed(), SizeIs(4));
  EXPECT_THAT(listed({"--recording", "garden"}), ElementsAre(path_of("garden", 0)));
  EXPECT_THAT(
      listed({"--recording", "door", "--from", "2026-11-22T07:31:37Z", "--to", "2026-11-22T07:31:50Z"}),
      ElementsAre(path_of("door", 1)));
  EXPECT_THAT(listed({"--class", "event"}), IsEmpty());
  const auto table = run("ls", {"--recording", "door"});
  EXPECT_EQ(table.status, 0) << table.errors;
  EXPECT_THAT(table.output, HasSubstr(path_of("door", 2)));
  EXPECT_THAT(table.output, HasSubstr("249"));
  EXPECT_THAT(table.output, HasSubstr("3 segments, 25.1s"));
  EXPECT_THAT(run("ls", {"--to", "2026-01-01"}).output, HasSubstr("no such recordings"));
}

TEST_F(RecordingsCommand, ListsAndVerifiesMoreThanItHoldsAtOnce) {
  for (int i = 10; i < 1010; ++i) scratch.write("recordings/" + path_of("garden", i), "");
  EXPECT_THAT(run("ls").output, HasSubstr("1004 segments"));
  EXPECT_THAT(run("verify", {"--recording", "garden"}).output, HasSubstr("1001 segments read, 1000 bad"));
}

TEST_F(RecordingsCommand, ShowsAllOfOne) {
  for (const std::string& name :
       {path_of("door", 1), directory + "/" + path_of("door", 1), path_of("door", 1).substr(11)}) {
    const auto shown = run("show", {name});
    EXPECT_EQ(shown.status, 0) << shown.errors;
    EXPECT_THAT(shown.output, testing::StartsWith(path_of("door", 1)));
    EXPECT_THAT(shown.output, HasSubstr("h264"));
    EXPECT_THAT(shown.output, HasSubstr("aac"));
  }
  EXPECT_EQ(run("show", {path_of("door", 1), "--json"}).json()[0]["tracks"][0]["frames"], 249);
  const auto missing = run("show", {"nothing.mkv"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.errors, HasSubstr("no segment 'nothing.mkv'"));
}

TEST_F(RecordingsCommand, VerifiesThemAgainstTheirManifests) {
  const auto good = run("verify", {"--decode"});
  EXPECT_EQ(good.status, 0) << good.output << good.errors;
  EXPECT_THAT(good.output, HasSubstr("4 segments decoded, 0 bad"));

  std::filesystem::resize_file(directory + "/" + path_of("door", 0), 0);
  std::filesystem::resize_file(directory + "/" + path_of("door", 1), 100'000);
  const auto bad = run("verify", {"--json"});
  EXPECT_EQ(bad.status, 1);
  std::vector<std::string> broken;
  for (const auto& each : bad.json()) {
    if (!each["ok"].get<bool>()) broken.push_back(each["path"]);
  }
  EXPECT_THAT(broken, testing::UnorderedElementsAre(path_of("door", 0), path_of("door", 1)));
}

TEST_F(RecordingsCommand, NamesThePicturesThatAreThereTwice) {
  {
    Catalog catalog({directory, false, {}});
    for (int i = 0; i < 2; ++i) {
      SegmentRecord record = catalog.get(path_of("door", i)).value();
      record.tracks[0].first_frame = i == 0 ? 0 : 240;
      catalog.store().save(record);
    }
  }
  const auto said = run("verify", {"--recording", "door"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.output, HasSubstr("begins with frame 240, and the segment before goes to 248"));
}

TEST_F(RecordingsCommand, ExportsAcrossSegments) {
  const std::string output = scratch.file("out.mp4");
  const auto said = run("export", {"--recording", "door", "--output", output, "--json"});
  ASSERT_EQ(said.status, 0) << said.errors;
  EXPECT_EQ(said.json()["segments"], 3);
  EXPECT_EQ(said.json()["tracks"][0]["frames"], 3 * 249);
  EXPECT_TRUE(std::filesystem::exists(output));

  const auto again = run("export", {"--recording", "door", "--output", output});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.errors, HasSubstr(output));

  const auto some = run("export", {"--recording", "door", "--from", "2026-11-22T07:31:40Z", "--output",
                                   scratch.file("some.mkv"), "--json"});
  ASSERT_EQ(some.status, 0) << some.errors;
  EXPECT_EQ(some.json()["segments"], 2);
}

TEST_F(RecordingsCommand, ExportsNothingThatItCannot) {
  const auto refused = [&](const std::vector<std::string>& arguments, const char* words) {
    const auto said = run("export", arguments);
    EXPECT_EQ(said.status, 2);
    EXPECT_THAT(said.errors, HasSubstr(words));
  };
  refused({}, "--output FILE");
  refused({"--output", scratch.file("x.mkv")}, "say which with --recording");
  std::filesystem::copy_file(CLIP, directory + "/" + to_path({"garden", kMorning, true, 1, "mp4", false}));
  refused({"--recording", "garden", "--output", scratch.file("x.mkv")},
          "--class continuous or --class event");
  refused({"--output", scratch.file("x.mkv"), "--from", "now"}, "nothing finished was recorded");
  EXPECT_FALSE(std::filesystem::exists(scratch.file("x.mkv")));
}

TEST_F(RecordingsCommand, ProtectsAndRemoves) {
  EXPECT_EQ(run("protect", {path_of("door", 0)}).status, 0);
  const auto would = run("rm", {"--recording", "door", "--dry-run"});
  EXPECT_EQ(would.status, 1) << "one of them is protected";
  EXPECT_THAT(would.output, HasSubstr("would have removed 2 segments"));
  EXPECT_THAT(listed(), SizeIs(4));
  const auto removed = run("rm", {"--recording", "door"});
  EXPECT_EQ(removed.status, 1);
  EXPECT_THAT(removed.errors, HasSubstr("protect --off"));
  EXPECT_THAT(listed(), testing::UnorderedElementsAre(path_of("door", 0), path_of("garden", 0)));
  EXPECT_EQ(run("protect", {path_of("door", 0), "--off"}).status, 0);
  EXPECT_EQ(run("rm", {path_of("door", 0)}).status, 0);
  EXPECT_THAT(listed(), ElementsAre(path_of("garden", 0)));
}

TEST_F(RecordingsCommand, RemovesNothingThatIsNotNamed) {
  const auto said = run("rm");
  EXPECT_EQ(said.status, 2);
  EXPECT_THAT(said.errors, HasSubstr("name segments"));
  EXPECT_THAT(listed(), SizeIs(4));
}

TEST_F(RecordingsCommand, KeepsToLimits) {
  const auto would = run("retain", {"--max-bytes", "10MB", "--dry-run", "--json"});
  ASSERT_EQ(would.status, 0) << would.errors;
  ASSERT_THAT(would.json(), SizeIs(2));
  EXPECT_THAT(would.json()[0]["reason"], HasSubstr("max_bytes is 10 MB"));
  EXPECT_THAT(listed(), SizeIs(4));
  EXPECT_EQ(run("retain", {"--max-bytes", "10MB"}).status, 0);
  EXPECT_THAT(listed(), ElementsAre(path_of("door", 1), path_of("door", 2)));
  EXPECT_EQ(run("retain").status, 2);
}

TEST_F(RecordingsCommand, MakesTheIndexAnew) {
  std::filesystem::remove(directory + "/index.sqlite");
  scratch.write("recordings/index.sqlite", "garbage");
  EXPECT_THAT(run("reindex").output, HasSubstr("4 segments"));
  EXPECT_THAT(listed(), SizeIs(4));
}

TEST_F(RecordingsCommand, RefusesWhatMeansNothing) {
  const auto refused = [&](const std::string& action, const std::vector<std::string>& rest,
                           const char* words) {
    const auto said = run(action, rest);
    EXPECT_EQ(said.status, 2);
    EXPECT_THAT(said.errors, HasSubstr(words));
  };
  refused("ls", {"--output", "x.mkv"}, "--output means nothing to `ls`: it is for export");
  refused("ls", {"x.mkv"}, "a SEGMENT ('x.mkv') means nothing to `ls`");
  refused("ls", {"--from", "noon"}, "'noon' is not a time");
  refused("ls", {"--from", "now", "--to", "-1h"}, "--from must be before --to");
  refused("retain", {"--max-age", "long"}, "'long' is not a duration");
  refused("retain", {"--min-free", "much"}, "'much' is not a number of bytes");
  refused("list", {}, "list");
  EXPECT_THAT(run_reel({"recordings", "ls", scratch.file("nothing")}).errors,
              HasSubstr(scratch.file("nothing")));
}

TEST_F(RecordingsCommand, SaysWhatToInstallWhereItWasNotBuilt) {
  std::filesystem::create_directory(scratch.file("bin"));
  std::filesystem::copy_file(reel_test::reel_command(), scratch.file("bin/reel"));
  auto alone = reel_test::ChildProcess::program(
      scratch.file("bin/reel"), {"recordings", "ls", directory},
      {{"LD_LIBRARY_PATH",
        std::filesystem::path(reel_test::reel_command()).parent_path().parent_path() / "lib"}});
  EXPECT_EQ(alone.wait().code, 1);
  EXPECT_THAT(alone.errors(), HasSubstr("built without recording (Debian: libsqlite3-dev"));
}

// While it is recorded.

TEST_F(RecordingsCommand, LeavesAnOpenOneAlone) {
  Catalog catalog({directory, false, {}});
  SegmentRecord record = record_test::segment("yard");
  const OpenSegment open = begun(catalog, record);
  EXPECT_THAT(run("ls", {"--recording", "yard"}).output, HasSubstr("continuous, open"));
  for (const char* action : {"rm", "protect"}) {
    const auto said = run(action, {record.path});
    EXPECT_EQ(said.status, 1);
    EXPECT_THAT(said.errors, HasSubstr("being written"));
  }
  EXPECT_TRUE(std::filesystem::exists(open.file));
}

}  // namespace
