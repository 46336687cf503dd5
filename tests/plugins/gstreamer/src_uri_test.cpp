// reel:// URIs: the element's interface, and GStreamer's own players in processes of their own.
#include "player.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/scratch_dir.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using reel_test::ChildProcess;
using ::testing::AllOf;
using ::testing::HasSubstr;

class SourceUri : public SourceTest {
 protected:
  // Empty where it was taken; else what was said.
  static std::string set(GstElement* source, const std::string& uri) {
    GError* error = nullptr;
    if (gst_uri_handler_set_uri(GST_URI_HANDLER(source), uri.c_str(), &error) != FALSE) return {};
    std::string text = error->message;
    g_error_free(error);
    return text;
  }
  static std::string get(GstElement* source) {
    gchar* uri = gst_uri_handler_get_uri(GST_URI_HANDLER(source));
    std::string copy = uri != nullptr ? uri : "";
    g_free(uri);
    return copy;
  }
  [[nodiscard]] ChildProcess send(const std::string& line) const {
    return launch(line + " ! reelsink slots=32 sync=false wait-for-readers=1 stream=" + stream());
  }
};

TEST_F(SourceUri, NamesTheStreamAndItsSettings) {
  Player player("reelsrc name=source ! fakesink");
  EXPECT_EQ(get(player.source()), "");
  ASSERT_EQ(set(player.source(), "reel://cam-1.left?policy=lossless&start=oldest&max-pins=7&is-live=false"),
            "");
  EXPECT_EQ(get(player.source()), "reel://cam-1.left?policy=lossless&start=oldest&max-pins=7&is-live=false");
  gchar* stream = nullptr;
  guint pins = 0;
  gboolean live = TRUE;
  gint policy = 0;
  g_object_get(player.source(), "stream", &stream, "max-pins", &pins, "is-live", &live, "policy", &policy,
               nullptr);
  EXPECT_EQ(std::string(stream), "cam-1.left");
  EXPECT_EQ(pins, 7u);
  EXPECT_FALSE(live);
  EXPECT_EQ(policy, static_cast<int>(reel::Policy::lossless));
  g_free(stream);
}

TEST_F(SourceUri, ThatIsWrongIsRefusedWithTheReasonAndNothingIsSet) {
  Player player("reelsrc name=source stream=kept ! fakesink");
  GstElement* source = player.source();
  EXPECT_THAT(set(source, "reel://"), HasSubstr("names no stream"));
  EXPECT_THAT(set(source, "reel://Bad_Name"), HasSubstr("lower-case"));
  EXPECT_THAT(set(source, "reel://a/b"), HasSubstr("path"));
  EXPECT_THAT(set(source, "reel://a?policy=fastest"), AllOf(HasSubstr("fastest"), HasSubstr("policy")));
  EXPECT_THAT(set(source, "reel://a?max-pins=100000"), HasSubstr("max-pins"));
  EXPECT_THAT(set(source, "reel://a?color=red"), AllOf(HasSubstr("color"), HasSubstr("on-disconnect")));
  EXPECT_THAT(set(source, "reel://a?name=b"), HasSubstr("no setting"));
  EXPECT_EQ(get(source), "reel://kept");
}

TEST_F(SourceUri, UridecodebinPlaysRawAndEncodedStreamsWholly) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  const std::string raw = "videotestsrc num-buffers=60 ! video/x-raw,format=NV12,width=64,height=48";
  for (const std::string& line : {raw, raw + " ! jpegenc"}) {
    const reel_test::ScratchDir scratch;
    const std::string file = scratch.file("pictures");
    ChildProcess player =
        launch("uridecodebin uri=reel://" + stream() +
               "?policy=lossless ! videoconvert ! video/x-raw,format=I420 ! filesink location=" + file);
    ChildProcess sender = send(line);
    EXPECT_TRUE(player.wait().ok()) << player.errors();
    EXPECT_TRUE(sender.wait().ok()) << sender.errors();
    EXPECT_EQ(std::filesystem::file_size(file), 60u * 64 * 48 * 3 / 2) << line;
  }
}

TEST_F(SourceUri, PlaybinPlaysPicturesAndSoundToTheirEnd) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0"}));
  for (const std::string line : {"videotestsrc num-buffers=60 ! video/x-raw,format=NV12,width=64,height=48",
                                 "audiotestsrc num-buffers=60"}) {
    ChildProcess player =
        launch("playbin video-sink=fakesink audio-sink=fakesink uri=reel://" + stream() + "?policy=lossless");
    ChildProcess sender = send(line);
    EXPECT_TRUE(player.wait().ok()) << player.errors();
    EXPECT_TRUE(sender.wait().ok()) << sender.errors();
    EXPECT_EQ(player.errors(), "");
  }
}

TEST_F(SourceUri, GstPlayPlaysAStream) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0", "gst-play-1.0"}));
  ChildProcess player = ChildProcess::program(
      "gst-play-1.0", {"--no-interactive", "--videosink=fakesink", "--audiosink=fakesink",
                       "reel://" + stream() + "?policy=lossless&is-live=false"});
  ChildProcess sender =
      send("videotestsrc num-buffers=30 ! video/x-raw,format=NV12,width=64,height=48 ! jpegenc");
  EXPECT_TRUE(player.wait().ok()) << player.errors();
  EXPECT_THAT(player.output(), HasSubstr("Reached end of play list"));
  EXPECT_TRUE(sender.wait().ok()) << sender.errors();
}

}  // namespace
}  // namespace gstreamer_test
