// Encoded pictures that come in another order than they are shown in (B frames): passed through as they are.
#include <gmock/gmock.h>

#include <media/join.hpp>
#include <media/reader.hpp>
#include <media/repair.hpp>
#include <reel/gst/caps.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/scratch_dir.hpp>

#include "media_fixture.hpp"

namespace {

using namespace record_test;
using record::Container;
using record::Piece;
using record::Unit;

class Reordered : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    begin_gstreamer();
    record::Chain::Settings settings;
    settings.format = picture_format();
    settings.coding.codec = "h264";
    settings.coding.video = true;
    settings.coding.launch =
        "x264enc bframes=3 b-adapt=false key-int-max=30 ! capsfilter caps=video/x-h264,stream-format=avc";
    record::Chain chain(std::move(settings));
    for (const Piece& piece : pictures(picture_format(), 90, 40 * kMs)) chain.push(piece);
    const auto encoded = chain.drain();
    std::vector<Piece> pieces;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
      Piece piece;
      piece.buffer = encoded[i].buffer;
      piece.time_ns = encoded[i].time_ns;
      if (GetParam()) piece.decode_ns = (static_cast<std::int64_t>(i) - 2) * 40 * kMs;
      piece.duration_ns = 40 * kMs;
      piece.key = encoded[i].key;
      piece.frame = i;
      pieces.push_back(piece);
    }
    units_ = encode(reel::gst::format_from_caps(encoded.at(0).caps.get()), {}, pieces);
  }

  // Every picture once, in the order of decoding, shown at its time.
  void check(const std::string& path) const {
    SCOPED_TRACE(path);
    record::UnitReader reader(path);
    std::vector<std::int64_t> times;
    std::int64_t last_ns = INT64_MIN;
    while (const auto unit = reader.next()) {
      times.push_back(unit->time_ns);
      EXPECT_GE(unit->decode_ns, last_ns);
      last_ns = unit->decode_ns;
    }
    ASSERT_EQ(times.size(), 90U);
    const std::int64_t shift_ns = times[0];
    for (std::size_t i = 0; i < times.size(); ++i)
      EXPECT_NEAR(static_cast<double>(times[i] - shift_ns),
                  static_cast<double>(units_[i].time_ns - units_[0].time_ns), 1e6)
          << i;
    const record::Probe probe = record::probe(path, true);
    EXPECT_EQ(probe.fault, "");
    EXPECT_EQ(probe.tracks.at(0).decoded, 90U);
    EXPECT_EQ(ffprobe_packets(path, "v:0"), 90U);
  }

  std::vector<Unit> units_;
  reel_test::ScratchDir dir_;
};

TEST_P(Reordered, PassesThroughIntoFilesAndOutOfThem) {
  REEL_NEEDS(reel_test::missing_programs({"ffprobe"}));
  ASSERT_EQ(units_.size(), 90U);
  ASSERT_FALSE(std::is_sorted(units_.begin(), units_.end(), [](const Unit& one, const Unit& other) {
    return one.time_ns < other.time_ns;
  }));
  for (const Container container : {Container::matroska, Container::mp4}) {
    const std::string path = dir_.file("a." + std::string(extension_of(container)));
    // Fragments cannot say that a picture is shown before it is decoded, as those seem to be whose times of
    // decoding are guessed before the stream has shown its order.
    if (container == Container::mp4 && !GetParam()) continue;
    write_file(path, container, 1, units_);
    check(path);
    const record::Probe closed = record::repair(path, path + ".again").probe;
    EXPECT_EQ(closed.fault, "");
    check(path + ".again");
    for (const Container into : {Container::matroska, Container::mp4}) {
      const std::string joined = path + ".joined." + std::string(extension_of(into));
      record::JoinSettings settings;
      settings.container = into;
      const record::Probe made = record::join({{path, 0}}, settings, joined);
      EXPECT_EQ(made.fault, "");
      check(joined);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(WithDecodeTimes, Reordered, ::testing::Bool());

}  // namespace
