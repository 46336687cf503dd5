// What is written of a frame is read again, to the bit.
#include <facts/frame_facts.hpp>

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/scratch_dir.hpp>

namespace reel_test {
namespace {

using record::FactsReader;
using record::FactsTrack;
using record::FrameFacts;

const std::vector<FactsTrack> kTracks{{"door", "video", "video/x-raw, format=(string)I420"},
                                      {"hall", "audio", "audio/x-raw"}};

FrameFacts with_side_data(const std::function<void(reel::SideDataWriter&)>& add) {
  FrameFacts facts;
  facts.side_data.resize(4096);
  reel::SideDataWriter writer(facts.side_data);
  add(writer);
  facts.side_data.resize(writer.size());
  return facts;
}

std::string written(const ScratchDir& scratch, const std::string& text) {
  const std::string path = scratch.path() + "/x.frames";
  std::ofstream(path) << text;
  return path;
}

FrameFacts read_back(const FrameFacts& facts) {
  const ScratchDir scratch;
  FactsReader reader(written(scratch, record::facts_header(kTracks) + record::facts_line(facts)));
  EXPECT_EQ(reader.tracks(), kTracks);
  const auto read = reader.next();
  EXPECT_TRUE(read.has_value());
  EXPECT_FALSE(reader.next().has_value());
  return read.value_or(FrameFacts{});
}

TEST(FrameFacts, KeepTimesAndNumbers) {
  FrameFacts facts;
  facts.track = 1;
  facts.frame = 12'345'678'901;
  facts.media_ns = 31'536'000'000'000'001;
  facts.utc_ns = 1'795'333'333'123'456'789;
  facts.info.pts_ns = 7;
  facts.info.dts_ns = 5;
  facts.info.duration_ns = 40'000'000;
  facts.info.capture_ns = 99;
  facts.info.offset = 3;
  facts.info.offset_end = 4;
  facts.info.flags = reel::kDiscont | reel::kMediaFlags;
  const FrameFacts read = read_back(facts);
  EXPECT_EQ(read.track, facts.track);
  EXPECT_EQ(read.frame, facts.frame);
  EXPECT_EQ(read.media_ns, facts.media_ns);
  EXPECT_EQ(read.utc_ns, facts.utc_ns);
  EXPECT_EQ(read.info.pts_ns, facts.info.pts_ns);
  EXPECT_EQ(read.info.dts_ns, facts.info.dts_ns);
  EXPECT_EQ(read.info.duration_ns, facts.info.duration_ns);
  EXPECT_EQ(read.info.capture_ns, facts.info.capture_ns);
  EXPECT_EQ(read.info.offset, facts.info.offset);
  EXPECT_EQ(read.info.offset_end, facts.info.offset_end);
  EXPECT_EQ(read.info.flags, facts.info.flags);
}

TEST(FrameFacts, KeepWhatWasLostBeforeThem) {
  FrameFacts facts;
  facts.lost = {{1, 40'000'000'001, 7, "the spool was full"}, {40'000'000'001, 40'000'000'002, 0, "else"}};
  EXPECT_EQ(read_back(facts).lost, facts.lost);
}

TEST(FrameFacts, LeaveOutTimesThatAreNotSet) {
  const std::string line = record::facts_line({});
  for (const char* absent : {"pts", "dts", "dur", "cap", "utc", "off", "side", "lost"})
    EXPECT_THAT(line, ::testing::Not(::testing::HasSubstr(absent)));
  const FrameFacts read = read_back({});
  EXPECT_EQ(read.info.pts_ns, reel::kNoTime);
  EXPECT_EQ(read.info.offset, ~std::uint64_t{0});
  EXPECT_TRUE(read.side_data.empty());
}

TEST(FrameFacts, KeepSideDataOfEveryTypeToTheBit) {
  const FrameFacts facts = with_side_data([](reel::SideDataWriter& writer) {
    std::array<reel::Detection, 2> found{};
    found[0].set_label("cat \"Tom\"");
    found[0].score = 0.1F;
    found[0].x = 1.0F / 3;
    found[0].width = 16777217.0F;
    found[0].track_id = 4'000'000'000;
    found[1].set_label("Straße");
    ASSERT_TRUE(writer.add_detections("opencv.faces", found));
    ASSERT_TRUE(writer.add_motion("opencv.motion", {0.0123F}));
    reel::AudioLevel level;
    level.channels = 2;
    level.rms_dbfs = {-20.1F, -200};
    level.peak_dbfs = {-3.3F, 0};
    ASSERT_TRUE(writer.add_audio_level("audio.level", level));
    ASSERT_TRUE(writer.add_json("a", R"({"key":[1,2.5,"x"]})"));
    ASSERT_TRUE(writer.add_json("broken", "{not json"));
    const std::array bytes{std::byte{0}, std::byte{255}, std::byte{7}, std::byte{62}};
    for (std::size_t n = 0; n <= bytes.size(); ++n)
      ASSERT_TRUE(writer.add_bytes("b", std::span(bytes).first(n)));
  });
  EXPECT_EQ(read_back(facts).side_data, facts.side_data);
}

TEST(FrameFacts, OfManyFindingsFindRoom) {
  const std::vector<reel::Detection> found(500);
  FrameFacts facts;
  facts.side_data.resize(64 * 1024);
  reel::SideDataWriter writer(facts.side_data);
  ASSERT_TRUE(writer.add_detections("d", found));
  facts.side_data.resize(writer.size());
  EXPECT_EQ(read_back(facts).side_data, facts.side_data);
}

TEST(FrameFacts, KeepWhatIsNoNumberAsNone) {
  const FrameFacts facts = with_side_data([](reel::SideDataWriter& writer) {
    std::array<reel::Detection, 1> found{};
    found[0].score = std::nanf("");
    ASSERT_TRUE(writer.add_detections("d", found));
  });
  const FrameFacts read = read_back(facts);
  EXPECT_TRUE(std::isnan(reel::SideDataView::detections(*read.side().begin())[0].score));
}

TEST(FrameFacts, OfAKilledRecorderAreReadToTheLastWholeLine) {
  const ScratchDir scratch;
  const std::string line = record::facts_line({});
  FactsReader reader(
      written(scratch, record::facts_header(kTracks) + line + line.substr(0, line.size() - 1)));
  EXPECT_TRUE(reader.next().has_value());
  EXPECT_FALSE(reader.next().has_value());
}

TEST(FrameFacts, MayGainATrack) {
  const ScratchDir scratch;
  FrameFacts second;
  second.track = 1;
  FactsReader reader(written(scratch, record::facts_header(std::span(kTracks).first(1)) +
                                          record::facts_line({}) + record::facts_header(kTracks) +
                                          record::facts_line(second)));
  EXPECT_EQ(reader.tracks().size(), 1U);
  EXPECT_TRUE(reader.next().has_value());
  EXPECT_EQ(reader.next().value_or(FrameFacts{}).track, 1U);
  EXPECT_EQ(reader.tracks(), kTracks);
}

TEST(FrameFacts, RefuseWhatTheyAreNot) {
  const ScratchDir scratch;
  expect_error(reel::ErrorCode::not_found, {"none"}, [&] { FactsReader(scratch.path() + "/none"); });
  for (const char* text : {"", "hello\n", "{}\n", "[]\n", "{\"version\":1}\n"})
    expect_error(reel::ErrorCode::protocol, {"x.frames"}, [&] { FactsReader(written(scratch, text)); });
  expect_error(reel::ErrorCode::version, {"2", "1"},
               [&] { FactsReader(written(scratch, "{\"version\":2,\"tracks\":[]}\n")); });
}

TEST(FrameFacts, NameTheLineThatIsDamaged) {
  const ScratchDir scratch;
  FrameFacts beyond;
  beyond.track = 2;
  for (const std::string& bad : {std::string("garbage\n"), std::string("[]\n"), record::facts_line(beyond),
                                 std::string(R"({"t":0,"n":"x","m":0})") + "\n"}) {
    FactsReader reader(written(scratch, record::facts_header(kTracks) + record::facts_line({}) + bad));
    EXPECT_TRUE(reader.next().has_value());
    expect_error(reel::ErrorCode::protocol, {"x.frames:3"}, [&] { (void)reader.next(); });
  }
}

}  // namespace
}  // namespace reel_test
