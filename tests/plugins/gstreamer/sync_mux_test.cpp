// A film through two streams into another process that muxes it: everything arrives, sound and picture as far
// apart as they were.
#include <csignal>
#include <cstdlib>

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>

#include "pipelines.hpp"
#include "tracks.hpp"

namespace gstreamer_test {
namespace {

using reel_test::ChildProcess;

enum class Order { sender_first, receiver_first };
struct Way {
  const char* name;
  const char* source;  // properties of both reelsrc
  const char* sink;    // of both reelsink
  Order order;
};

constexpr int kFrames = 249;

// What both decoded ways have in common: small pictures, so that a film fits a test.
const std::string kSmall = "videoconvert ! videoscale ! video/x-raw,format=I420,width=160,height=90";
const std::string kSound = "audioconvert ! audio/x-raw,format=S16LE,layout=interleaved";

class Mux : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
    set_up();
    for (const char* factory :
         {"qtdemux", "h264parse", "avdec_h264", "aacparse", "avdec_aac", "matroskamux"}) {
      GstElementFactory* found = gst_element_factory_find(factory);
      REEL_NEEDS(found != nullptr ? std::string() : std::string("no GStreamer element ") + factory);
      gst_object_unref(found);
    }
  }
  static std::string film() { return std::string("filesrc location=") + CLIP + " ! qtdemux name=d "; }
  [[nodiscard]] std::string sink(const char* which) const {
    return " ! reelsink wait-for-readers=1 " + std::string(GetParam().sink) + " stream=" + stream_ + which +
           " ";
  }
  [[nodiscard]] std::string source_line(const char* which) const {
    return " reelsrc policy=lossless " + std::string(GetParam().source) + " stream=" + stream_ + which +
           " ! queue max-size-buffers=0 max-size-bytes=0 max-size-time=0 ! ";
  }
  /// Both processes, to their ends.
  void run(const std::string& sender_line, const std::string& receiver_line) {
    std::optional<ChildProcess> sender, receiver;
    if (GetParam().order == Order::sender_first) {
      sender.emplace(launch(sender_line));
      ASSERT_TRUE(
          reel_test::wait_until([&] { return runtime_.entries().size() >= 2 || !sender->running(); }));
      receiver.emplace(launch("-e " + receiver_line));
    } else {
      receiver.emplace(launch("-e " + receiver_line));
      sender.emplace(launch(sender_line));
    }
    // The sender waits for its readers: one that failed says why.
    EXPECT_TRUE(receiver->wait().ok()) << receiver->errors();
    if (HasFailure()) sender->signal(SIGKILL);
    EXPECT_TRUE(sender->wait().ok()) << sender->errors();
  }
  static std::int64_t apart(const Film& film) {
    return static_cast<std::int64_t>(film.audio.pieces.front().pts) -
           static_cast<std::int64_t>(film.video.pieces.front().pts);
  }
  /// Of every picture to the first sound, within what a file's time scale keeps.
  static void expect_same_distances(const Film& got, const Film& source, GstClockTime within) {
    for (std::size_t i = 0; i < got.video.pieces.size(); ++i) {
      const auto distance = [&](const Film& of) {
        return static_cast<std::int64_t>(of.video.pieces[i].pts - of.audio.pieces.front().pts);
      };
      EXPECT_LE(std::llabs(distance(got) - distance(source)), static_cast<std::int64_t>(within))
          << "picture " << i;
    }
  }

  reel_test::TempRuntimeDir runtime_;
  const reel_test::ScratchDir scratch_;
  const std::string stream_ = reel_test::unique_name("film");
};

TEST_P(Mux, EveryDecodedFrameAndSampleArrivesInSync) {
  const Film source =
      play_film(film() + "d.video_0 ! queue ! h264parse ! avdec_h264 ! " + kSmall +
                " ! fakesink name=video sync=false d.audio_0 ! queue ! aacparse ! avdec_aac ! " + kSound +
                " ! fakesink name=audio sync=false");
  ASSERT_EQ(source.error, "");
  ASSERT_EQ(source.video.pieces.size(), kFrames);

  const std::string path = scratch_.file("film.mkv");
  run(film() + "d.video_0 ! queue ! h264parse ! avdec_h264 ! " + kSmall + sink("-v") +
          "d.audio_0 ! queue ! aacparse ! avdec_aac ! " + kSound + sink("-a"),
      "matroskamux name=m ! filesink location=" + path + source_line("-v") + "m.video_0" + source_line("-a") +
          "m.audio_0");

  const Film got = play_film("filesrc location=" + path +
                             " ! matroskademux name=d d.video_0 ! queue ! fakesink name=video sync=false "
                             "d.audio_0 ! queue ! fakesink name=audio sync=false");
  ASSERT_EQ(got.error, "");
  ASSERT_EQ(got.video.pieces.size(), kFrames);
  EXPECT_EQ(got.video.hash_of_all(), source.video.hash_of_all()) << "the pictures are the same";
  EXPECT_EQ(got.audio.bytes(), source.audio.bytes());
  EXPECT_EQ(got.audio.hash_of_all(), source.audio.hash_of_all()) << "every sample";
  const std::int64_t buffer_ns = static_cast<std::int64_t>(1024 * GST_SECOND / 48000);
  EXPECT_LE(std::llabs(apart(got) - apart(source)), buffer_ns);
  expect_same_distances(got, source, 2 * GST_MSECOND);
}

TEST_P(Mux, AccessUnitsArriveByteForByteAndPlay) {
  const std::string parsed_video = "h264parse ! video/x-h264,stream-format=avc,alignment=au";
  const Film source = play_film(
      film() + "d.video_0 ! queue ! " + parsed_video +
      " ! fakesink name=video sync=false d.audio_0 ! queue ! aacparse ! fakesink name=audio sync=false");
  ASSERT_EQ(source.error, "");
  ASSERT_EQ(source.video.pieces.size(), kFrames);

  for (const auto& [muxer, demuxer] : {std::pair{"matroskamux", "matroskademux"}, {"qtmux", "qtdemux"}}) {
    SCOPED_TRACE(muxer);
    const std::string path = scratch_.file(std::string("film.") + muxer);
    run(film() + "d.video_0 ! queue ! " + parsed_video + sink("-v") + "d.audio_0 ! queue ! aacparse" +
            sink("-a"),
        std::string(muxer) + " name=m ! filesink location=" + path + source_line("-v") + "m.video_0" +
            source_line("-a") + "m.audio_0");
    const Film got =
        play_film("filesrc location=" + path + " ! " + demuxer +
                  " name=d d.video_0 ! queue ! fakesink name=video sync=false d.audio_0 ! queue ! "
                  "fakesink name=audio sync=false");
    ASSERT_EQ(got.error, "");
    const auto contents = [](const Track& track) {
      std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
      for (const Track::Piece& piece : track.pieces) all.emplace_back(piece.bytes, piece.hash);
      return all;
    };
    EXPECT_EQ(contents(got.video), contents(source.video)) << "access units";
    EXPECT_EQ(contents(got.audio), contents(source.audio));
    EXPECT_LE(std::llabs(apart(got) - apart(source)), static_cast<std::int64_t>(1024 * GST_SECOND / 48000));
    const Film played = play_film("filesrc location=" + path + " ! " + demuxer +
                                  " name=d d.video_0 ! queue ! h264parse ! avdec_h264 ! fakesink name=video "
                                  "sync=false d.audio_0 ! queue ! aacparse ! avdec_aac ! fakesink name=audio "
                                  "sync=false");
    EXPECT_EQ(played.error, "");
    EXPECT_EQ(played.video.pieces.size(), kFrames);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Ways, Mux,
    ::testing::Values(Way{"NotLive", "is-live=false", "sync=false", Order::sender_first},
                      Way{"NotLiveReceiverFirst", "is-live=false", "sync=false", Order::receiver_first},
                      Way{"Live", "is-live=true", "sync=true", Order::sender_first},
                      Way{"LiveReceiverFirst", "is-live=true", "sync=true", Order::receiver_first}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace gstreamer_test
