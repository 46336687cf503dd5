// video-encoded and audio-encoded: what a recorder gets can be decoded, frame for frame.
#include "capture_fixture.hpp"

#include <filesystem>
#include <thread>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <reel_test/expect_error.hpp>

#include <reel/gst/caps.hpp>
#include <reel/gst/frame_info.hpp>
#include <reel/gst/pointers.hpp>

namespace capture_test {
namespace {

using namespace reel;

// Decodes what it is given and counts.
class Decoder {
 public:
  Decoder(const Format& format, const std::string& elements) {
    gst_init(nullptr, nullptr);
    const std::string line =
        "appsrc name=in format=time ! " + elements + " ! appsink name=out sync=false max-buffers=0";
    pipeline_.reset(gst_parse_launch(line.c_str(), nullptr));
    source_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "in"));
    sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "out"));
    const reel::gst::Ptr<GstCaps> caps = reel::gst::caps_from_format(format);
    gst_app_src_set_caps(GST_APP_SRC(source_.get()), caps.get());
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  }
  ~Decoder() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  void push(const Frame& frame) {
    GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, frame.data().size(), nullptr);
    gst_buffer_fill(buffer, 0, frame.data().data(), frame.data().size());
    reel::gst::set_frame_info(buffer, frame.info());
    gst_app_src_push_buffer(GST_APP_SRC(source_.get()), buffer);
  }
  /// After the last one: how many frames came out, and the bytes of them.
  [[nodiscard]] std::pair<int, std::size_t> finish() {
    gst_app_src_end_of_stream(GST_APP_SRC(source_.get()));
    std::pair<int, std::size_t> all{};
    while (const reel::gst::Ptr<GstSample> sample{gst_app_sink_pull_sample(GST_APP_SINK(sink_.get()))}) {
      ++all.first;
      all.second += gst_buffer_get_size(gst_sample_get_buffer(sample.get()));
    }
    return all;
  }

 private:
  reel::gst::Ptr<GstElement> pipeline_, source_, sink_;
};

class CaptureEncoded : public CaptureTest {
 protected:
  void start_ports(const Texts& texts, std::initializer_list<const char*> ports) {
    StageSetup setup;
    setup.name = "camera";
    setup.plugin = "capture";
    setup.base_directory = media_.path();
    setup.options = reel_test::options(texts);
    for (const char* port : ports) {
      WriterOptions writer;
      writer.wait_for = {port};
      writer.start_timeout_ms = 60'000;
      setup.outputs.push_back({port, stream(port), writer});
    }
    stage_.emplace(setup);
  }
  [[nodiscard]] std::string stream(const std::string& port) const { return video_stream_ + "." + port; }
  [[nodiscard]] std::optional<FrameReader> reader(const std::string& port) const {
    ReaderOptions options;
    options.name = port;
    options.policy = Policy::lossless;
    return std::optional<FrameReader>(std::in_place, stream(port), options);
  }
  [[nodiscard]] std::string h264_file() const {
    // Two reference pictures back and forth: decoding order is not that of the times.
    return media_.make("clip.mp4",
                       small_picture(50) + " ! x264enc bframes=2 key-int-max=10 ! h264parse ! mp4mux");
  }
};

TEST_F(CaptureEncoded, H264OfAFileCanBeDecodedFromWhatItsStreamSays) {
  start_ports({{"uri", h264_file()}, {"realtime", "false"}}, {"video-encoded"});
  auto video = reader("video-encoded");
  Frame frame = next(video);
  const Format format = frame.format();
  ASSERT_NE(format.encoded(), nullptr) << format.caps();
  EXPECT_EQ(format.encoded()->codec, Codec::h264);
  EXPECT_EQ(format.encoded()->width, 160U);
  EXPECT_FALSE(format.codec_data().empty());
  EXPECT_NE(frame.info().flags & kKeyFrame, 0U);
  Decoder decoder(format, "avdec_h264");
  int frames = 0, keys = 0, reordered = 0;
  std::int64_t last_dts = -1'000'000'000;
  do {
    EXPECT_NE(frame.info().pts_ns, kNoTime);
    if (frame.info().dts_ns != kNoTime) {
      EXPECT_GT(frame.info().dts_ns, last_dts);
      last_dts = frame.info().dts_ns;
      if (frame.info().dts_ns != frame.info().pts_ns) ++reordered;
    }
    ++frames;
    if ((frame.info().flags & kKeyFrame) != 0) ++keys;
    decoder.push(frame);
  } while (video->read(frame, 60'000) == ReadStatus::frame);
  EXPECT_EQ(frames, 50);
  EXPECT_EQ(keys, 5);
  EXPECT_GT(reordered, 10);
  EXPECT_EQ(decoder.finish().first, 50);
  stage_->join();
}

TEST_F(CaptureEncoded, H265OfAFileCanBeDecodedFromWhatItsStreamSays) {
  const std::string path = media_.make(
      "clip.mkv",
      small_picture(30) + " ! x265enc speed-preset=ultrafast key-int-max=10 ! h265parse ! matroskamux");
  start_ports({{"uri", path}, {"realtime", "false"}}, {"video-encoded"});
  auto video = reader("video-encoded");
  Frame frame = next(video);
  const Format format = frame.format();
  ASSERT_NE(format.encoded(), nullptr) << format.caps();
  EXPECT_EQ(format.encoded()->codec, Codec::h265);
  EXPECT_EQ(format.encoded()->width, 160U);
  EXPECT_NE(format.caps().find("hvc1"), std::string::npos) << format.caps();
  EXPECT_FALSE(format.codec_data().empty());
  EXPECT_NE(frame.info().flags & kKeyFrame, 0U);
  Decoder decoder(format, "avdec_h265");
  int frames = 0, keys = 0;
  do {
    EXPECT_NE(frame.info().pts_ns, kNoTime);
    ++frames;
    if ((frame.info().flags & kKeyFrame) != 0) ++keys;
    decoder.push(frame);
  } while (video->read(frame, 60'000) == ReadStatus::frame);
  EXPECT_EQ(frames, 30);
  EXPECT_EQ(keys, 3);
  EXPECT_EQ(decoder.finish().first, 30);
  stage_->join();
}

TEST_F(CaptureEncoded, PicturesComeEncodedAndDecodedBesideEachOther) {
  start_ports({{"uri", h264_file()}, {"realtime", "false"}}, {"video", "video-encoded"});
  auto raw = reader("video");
  auto encoded = reader("video-encoded");
  std::vector<Seen> passed;
  std::thread recorder([&] { passed = read_all_of(encoded); });
  const std::vector<Seen> decoded = read_all_of(raw);
  recorder.join();
  ASSERT_EQ(decoded.size(), 50U);
  ASSERT_EQ(passed.size(), 50U);
  std::vector<std::int64_t> times, raw_times;
  for (const Seen& frame : passed) times.push_back(frame.info.pts_ns);
  for (const Seen& frame : decoded) raw_times.push_back(frame.info.pts_ns);
  std::sort(times.begin(), times.end());
  EXPECT_EQ(times, raw_times);
  stage_->join();
}

TEST_F(CaptureEncoded, SoundOfTheShippedClipComesAsItIs) {
  if (!std::filesystem::exists(CLIP)) GTEST_SKIP() << "the clip is not in this tree: " << CLIP;
  start_ports({{"uri", CLIP}, {"realtime", "false"}}, {"audio-encoded"});
  auto audio = reader("audio-encoded");
  Frame frame = next(audio);
  ASSERT_NE(frame.format().encoded(), nullptr) << frame.format().caps();
  EXPECT_EQ(frame.format().encoded()->codec, Codec::aac);
  EXPECT_FALSE(frame.format().codec_data().empty());
  Decoder decoder(frame.format(), "avdec_aac");
  int units = 0;
  do {
    ++units;
    decoder.push(frame);
  } while (audio->read(frame, 60'000) == ReadStatus::frame);
  EXPECT_GE(units, 390);
  EXPECT_GE(decoder.finish().first, 389);
  stage_->join();
}

TEST_F(CaptureEncoded, StreamHeadersOfVorbisGoWithTheFormat) {
  const std::string path =
      media_.make("sound.mkv", small_sound(10) + " ! audioconvert ! vorbisenc ! matroskamux");
  start_ports({{"uri", path}, {"realtime", "false"}}, {"audio-encoded"});
  auto audio = reader("audio-encoded");
  Frame frame = next(audio);
  EXPECT_GE(frame.format().stream_headers().size(), 3U) << frame.format().caps();
  Decoder decoder(frame.format(), "vorbisdec");
  do decoder.push(frame);
  while (audio->read(frame, 60'000) == ReadStatus::frame);
  EXPECT_GE(decoder.finish().second / sizeof(float), 48'000U);  // the last packet is not cut
  stage_->join();
}

TEST_F(CaptureEncoded, NobodyNeedBeThereWhoCouldDecodeIt) {
  const std::string path = h264_file();
  GstPluginFeature* const feature = gst_registry_lookup_feature(gst_registry_get(), "avdec_h264");
  const guint rank = feature != nullptr ? gst_plugin_feature_get_rank(feature) : 0;
  if (feature != nullptr) gst_plugin_feature_set_rank(feature, GST_RANK_NONE);
  start_ports({{"uri", path}, {"realtime", "false"}}, {"video-encoded"});
  auto video = reader("video-encoded");
  EXPECT_EQ(read_all_of(video).size(), 50U);
  stage_->join();
  if (feature != nullptr) {
    gst_plugin_feature_set_rank(feature, rank);
    gst_object_unref(feature);
  }
}

TEST_F(CaptureEncoded, SoundThatIsNotThereEndsItsStreamsWhereItIsOptional) {
  start_ports({{"uri", h264_file()}, {"realtime", "false"}, {"audio", "optional"}},
              {"video-encoded", "audio", "audio-encoded"});
  auto video = reader("video-encoded");
  auto audio = reader("audio");
  auto sound = reader("audio-encoded");
  std::vector<Seen> pictures;
  std::thread recorder([&] { pictures = read_all_of(video); });
  std::thread listener([&] { EXPECT_TRUE(read_all_of(audio).empty()); });
  EXPECT_TRUE(read_all_of(sound).empty());
  listener.join();
  recorder.join();
  EXPECT_EQ(pictures.size(), 50U);
  stage_->join();
}

TEST_F(CaptureEncoded, WhatIsNotEncodedIsAnError) {
  const std::string path = media_.make("raw.avi", small_picture(3) + " ! avimux");
  start_ports({{"uri", path}, {"realtime", "false"}}, {"video-encoded"});
  reel_test::expect_error(ErrorCode::bad_config, {"raw.avi", "no encoded pictures", "'video-encoded'"},
                          [&] { stage_->join(); });
}

}  // namespace
}  // namespace capture_test
