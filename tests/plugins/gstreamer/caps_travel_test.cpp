// Streams of every kind through reelsink and reelsrc: caps and bytes must be what went in.
#include <gmock/gmock.h>
#include <gst/audio/audio.h>
#include <gst/video/video.h>
#include <reel_test/runtime_dir.hpp>

#include "loop.hpp"
#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string text_of(const GstCaps* caps) {
  return reel::gst::Text(gst_caps_to_string(caps)).get();
}

/// What a launch line's last element puts out, in this process.
struct Made {
  Ptr<GstCaps> caps;
  std::vector<Ptr<GstBuffer>> buffers;
};

GstPadProbeReturn keep(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer to) {
  auto* made = static_cast<Made*>(to);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    made->buffers.emplace_back(gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info)));
  } else if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0) {
    GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    for (guint i = 0; i < gst_buffer_list_length(list); ++i)
      made->buffers.emplace_back(gst_buffer_ref(gst_buffer_list_get(list, i)));
  } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(GST_PAD_PROBE_INFO_EVENT(info), &caps);
    made->caps.reset(gst_caps_ref(caps));
  }
  return GST_PAD_PROBE_OK;
}

std::unique_ptr<Made> make(const std::string& line) {
  auto made = std::make_unique<Made>();
  const Ptr<GstElement> pipeline(
      gst_parse_launch((line + " ! fakesink name=out sync=false").c_str(), nullptr));
  const Ptr<GstElement> out(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  const Ptr<GstPad> pad(gst_element_get_static_pad(out.get(), "sink"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM, keep, made.get(), nullptr);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const Ptr<GstBus> bus(gst_element_get_bus(pipeline.get()));
  const Ptr<GstMessage> end(gst_bus_timed_pop_filtered(
      bus.get(), 60 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  EXPECT_TRUE(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS) << line;
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return made;
}

class CapsTravel : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { set_up(); }
  static bool have(const char* factory) {
    GstElementFactory* found = gst_element_factory_find(factory);
    if (found != nullptr) gst_object_unref(found);
    return found != nullptr;
  }
  void open(const std::string& sink = {}) {
    collector_ = std::make_unique<Collector>(stream_);
    feeder_ = std::make_unique<Feeder>(stream_, "wait-for-readers=1 " + sink);
  }
  /// Of the caps events that came.
  [[nodiscard]] std::vector<std::string> received_caps() const {
    std::vector<std::string> texts;
    for (GstEvent* event : collector_->events(GST_EVENT_CAPS)) {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      texts.push_back(text_of(caps));
    }
    return texts;
  }
  /// All that `line` makes, through a stream.
  void expect_equal_after_the_way(const std::string& line) {
    SCOPED_TRACE(line);
    const auto made = make(line);
    ASSERT_FALSE(made->buffers.empty());
    open();
    ASSERT_TRUE(feeder_->begin(text_of(made->caps.get()))) << feeder_->error();
    for (const auto& buffer : made->buffers)
      ASSERT_EQ(feeder_->push(Ptr<GstBuffer>(gst_buffer_ref(buffer.get()))), GST_FLOW_OK) << feeder_->error();
    feeder_->end();
    ASSERT_TRUE(collector_->wait_for_event(GST_EVENT_EOS));
    const auto events = collector_->events(GST_EVENT_CAPS);
    ASSERT_EQ(events.size(), 1U);
    GstCaps* caps = nullptr;
    gst_event_parse_caps(events[0], &caps);
    EXPECT_TRUE(gst_caps_is_strictly_equal(caps, made->caps.get())) << text_of(caps) << "\n"
                                                                    << text_of(made->caps.get());
    const auto got = collector_->buffers();
    ASSERT_EQ(got.size(), made->buffers.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(bytes_of(got[i]), bytes_of(made->buffers[i].get())) << "buffer " << i;
      EXPECT_EQ(GST_BUFFER_FLAG_IS_SET(got[i], GST_BUFFER_FLAG_HEADER),
                GST_BUFFER_FLAG_IS_SET(made->buffers[i].get(), GST_BUFFER_FLAG_HEADER));
      EXPECT_EQ(GST_BUFFER_FLAG_IS_SET(got[i], GST_BUFFER_FLAG_DELTA_UNIT),
                GST_BUFFER_FLAG_IS_SET(made->buffers[i].get(), GST_BUFFER_FLAG_DELTA_UNIT));
    }
    collector_.reset();
    feeder_.reset();
  }

  reel_test::TempRuntimeDir runtime_;
  const std::string stream_ = reel_test::unique_name("caps");
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<Feeder> feeder_;
};

TEST_F(CapsTravel, EncodedStreamsKeepCodecDataAndEveryStreamHeader) {
  const std::string pictures = "videotestsrc num-buffers=12 ! video/x-raw,width=64,height=48 ! ";
  const std::string sound = "audiotestsrc num-buffers=12 ! audio/x-raw,channels=2,rate=48000 ! ";
  for (const auto& [encoder, line] :
       {std::pair{"theoraenc", pictures + "theoraenc"},
        {"vorbisenc", sound + "audioconvert ! vorbisenc"},
        {"opusenc", sound + "opusenc"},
        {"flacenc", sound + "flacenc"},
        {"x264enc", pictures + "x264enc ! video/x-h264,stream-format=avc,alignment=au"},
        {"x264enc", pictures + "x264enc ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=nal"},
        {"vp8enc", pictures + "vp8enc"},
        {"vp9enc", pictures + "vp9enc"},
        {"voaacenc", sound + "audioconvert ! voaacenc"},
        {"jpegenc", pictures + "jpegenc"},
        {"wavenc", sound + "mulawenc"},
        {"mpegtsmux", pictures + "x264enc ! mpegtsmux"}}) {
    if (have(encoder)) expect_equal_after_the_way(line);
  }
}

TEST_F(CapsTravel, VorbisHasThreeHeadersAtAReaderThatCameLate) {
  if (!have("vorbisenc")) GTEST_SKIP() << "no vorbisenc";
  const auto made = make("audiotestsrc num-buffers=12 ! audioconvert ! vorbisenc");
  open();
  ASSERT_TRUE(feeder_->begin(text_of(made->caps.get()))) << feeder_->error();
  for (const auto& buffer : made->buffers) {
    if (GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_HEADER)) continue;  // the headers went by before
    ASSERT_EQ(feeder_->push(Ptr<GstBuffer>(gst_buffer_ref(buffer.get()))), GST_FLOW_OK);
  }
  ASSERT_TRUE(collector_->wait_for_buffers(1));
  GstCaps* caps = nullptr;
  gst_event_parse_caps(collector_->events(GST_EVENT_CAPS).at(0), &caps);
  const GValue* headers = gst_structure_get_value(gst_caps_get_structure(caps, 0), "streamheader");
  ASSERT_NE(headers, nullptr);
  ASSERT_EQ(gst_value_array_get_size(headers), 3U);
  EXPECT_THAT(bytes_of(gst_value_get_buffer(gst_value_array_get_value(headers, 2))), HasSubstr("vorbis"));
}

TEST_F(CapsTravel, EveryPixelFormatOfGStreamerArrivesPixelForPixel) {
  guint count = 0;
  const GstVideoFormat* formats = gst_video_formats_raw(&count);
  ASSERT_GT(count, 80U);
  for (guint i = 0; i < count; ++i) {
    SCOPED_TRACE(gst_video_format_to_string(formats[i]));
    GstVideoInfo info;
    ASSERT_TRUE(gst_video_info_set_format(&info, formats[i], 34, 18));
    const Ptr<GstCaps> caps(gst_video_info_to_caps(&info));
    open();
    ASSERT_TRUE(feeder_->begin(text_of(caps.get()))) << feeder_->error();
    ASSERT_EQ(feeder_->push(counting(info.size, i)), GST_FLOW_OK) << feeder_->error();
    ASSERT_TRUE(collector_->wait_for_buffers(1));
    EXPECT_EQ(bytes_of(collector_->buffers()[0]), bytes_of(counting(info.size, i).get()));
    ASSERT_EQ(received_caps().size(), 1U);
    const Ptr<GstCaps> got(gst_caps_from_string(received_caps()[0].c_str()));
    EXPECT_TRUE(gst_caps_is_strictly_equal(got.get(), caps.get())) << received_caps()[0];
    collector_.reset();
    feeder_.reset();
  }
}

TEST_F(CapsTravel, EverySampleFormatArrivesInterleavedAndInPlanes) {
  for (const char* layout : {"interleaved", "non-interleaved"}) {
    for (gint format = GST_AUDIO_FORMAT_S8; format <= GST_AUDIO_FORMAT_F64BE; ++format) {
      GstAudioInfo info;
      gst_audio_info_set_format(&info, static_cast<GstAudioFormat>(format), 44100, 2, nullptr);
      if (std::string(layout) != "interleaved") info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;
      const Ptr<GstCaps> caps(gst_audio_info_to_caps(&info));
      SCOPED_TRACE(text_of(caps.get()));
      const gsize bytes = 50 * static_cast<gsize>(info.bpf);
      Ptr<GstBuffer> buffer = counting(bytes);
      if (info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
        gst_buffer_add_audio_meta(buffer.get(), &info, 50, nullptr);
      open();
      ASSERT_TRUE(feeder_->begin(text_of(caps.get()))) << feeder_->error();
      ASSERT_EQ(feeder_->push(std::move(buffer)), GST_FLOW_OK) << feeder_->error();
      ASSERT_TRUE(collector_->wait_for_buffers(1));
      GstBuffer* const got = collector_->buffers()[0];
      GstAudioBuffer mapped;
      ASSERT_TRUE(gst_audio_buffer_map(&mapped, &info, got, GST_MAP_READ));
      EXPECT_EQ(mapped.n_samples, 50U);
      gst_audio_buffer_unmap(&mapped);
      EXPECT_EQ(bytes_of(got), bytes_of(counting(bytes).get()));
      collector_.reset();
      feeder_.reset();
    }
  }
}

TEST_F(CapsTravel, CapsOfAnyOtherKindKeepEveryField) {
  for (const char* text :
       {"application/x-anything, list=(int)< 1, 2, 3 >, text=(string)\"q \\\"x\\\" ; , = \\\\ [\", "
        "mask=(bitmask)0x00000000000000ff, share=(double)0.10000000000000001, on=(boolean)true, "
        "rate=(fraction)30000/1001",
        "meta/x-klv, parsed=(boolean)true", "text/x-raw, format=(string)utf8",
        "application/x-rtp, media=(string)video, payload=(int)96, clock-rate=(int)90000, "
        "sprop-parameter-sets=(string)\"Z0LgH9oC0EU\\=\\,aM4xUg\\=\\=\"",
        "application/x-nested, inner=(structure)[inner, a=(int)1, b=(string)\"x\\ y\"]",
        "video/x-raw(format:Interlaced), format=(string)NV12, width=(int)64, height=(int)48, "
        "framerate=(fraction)25/1, interlace-mode=(string)alternate"}) {
    SCOPED_TRACE(text);
    const Ptr<GstCaps> caps(gst_caps_from_string(text));
    ASSERT_TRUE(caps);
    open();
    ASSERT_TRUE(feeder_->begin(text)) << feeder_->error();
    ASSERT_EQ(feeder_->push(counting(64 * 24 * 3 / 2)), GST_FLOW_OK);
    ASSERT_TRUE(collector_->wait_for_buffers(1));
    ASSERT_EQ(received_caps().size(), 1U);
    const Ptr<GstCaps> got(gst_caps_from_string(received_caps()[0].c_str()));
    EXPECT_TRUE(gst_caps_is_strictly_equal(got.get(), caps.get())) << received_caps()[0];
    collector_.reset();
    feeder_.reset();
  }
}

TEST_F(CapsTravel, MemoryThatCannotBeMappedIsRefusedByName) {
  open();
  (void)feeder_->begin("video/x-raw(memory:GLMemory), format=RGBA, width=16, height=16, framerate=0/1");
  EXPECT_NE(feeder_->push(counting(1024)), GST_FLOW_OK);
  EXPECT_THAT(feeder_->error(),
              AllOf(HasSubstr(stream_), HasSubstr("memory:GLMemory"), HasSubstr("gldownload")));
}

TEST_F(CapsTravel, HeadersBeyondTheLimitAreRefusedByTheirSize) {
  const Ptr<GstCaps> caps(gst_caps_from_string("audio/x-vorbis, rate=48000, channels=2"));
  GValue headers = G_VALUE_INIT;
  g_value_init(&headers, GST_TYPE_ARRAY);
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_BUFFER);
  gst_value_take_buffer(&value, counting(20'000).release());
  gst_value_array_append_and_take_value(&headers, &value);
  gst_structure_take_value(gst_caps_get_structure(caps.get(), 0), "streamheader", &headers);
  open();
  (void)feeder_->begin(text_of(caps.get()));
  EXPECT_NE(feeder_->push(counting(100)), GST_FLOW_OK);
  EXPECT_THAT(feeder_->error(), AllOf(HasSubstr("stream headers"), HasSubstr("20004"), HasSubstr("16384")));
}

TEST_F(CapsTravel, ChangesInMidStreamComeBeforeTheirBuffersAtTwoReaders) {
  const auto nv12 = [](int width, int height) {
    return "video/x-raw,format=NV12,width=" + std::to_string(width) + ",height=" + std::to_string(height) +
           ",framerate=30/1";
  };
  const auto second = std::make_unique<Collector>(stream_);
  collector_ = std::make_unique<Collector>(stream_);
  feeder_ = std::make_unique<Feeder>(stream_, "wait-for-readers=2");
  ASSERT_TRUE(feeder_->begin(nv12(640, 480)));
  std::vector<std::size_t> sizes;
  for (const auto& [width, height] : {std::pair{640, 480}, {1920, 1080}, {640, 480}}) {
    ASSERT_TRUE(feeder_->caps(nv12(width, height))) << feeder_->error();
    for (int i = 0; i < 5; ++i) {
      sizes.push_back(static_cast<std::size_t>(width * height * 3 / 2));
      ASSERT_EQ(feeder_->push(counting(sizes.back(), static_cast<unsigned>(sizes.size()))), GST_FLOW_OK);
    }
  }
  feeder_->end();
  for (const Collector* collector : {collector_.get(), second.get()}) {
    ASSERT_TRUE(collector->wait_for_event(GST_EVENT_EOS)) << collector->error();
    const auto got = collector->buffers();
    ASSERT_EQ(got.size(), sizes.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_EQ(bytes_of(got[i]), bytes_of(counting(sizes[i], static_cast<unsigned>(i + 1)).get())) << i;
    std::vector<std::string> order;
    for (const std::string& name : collector->order()) {
      if (name == "caps" || name == "buffer") order.push_back(name);
    }
    std::vector<std::string> expected;
    for (int part = 0; part < 3; ++part) {
      expected.emplace_back("caps");
      expected.insert(expected.end(), 5, "buffer");
    }
    EXPECT_EQ(order, expected);
  }
}

}  // namespace
}  // namespace gstreamer_test
