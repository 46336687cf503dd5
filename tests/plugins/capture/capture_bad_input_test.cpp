// Clips that cannot be played: each has its message, which names the clip, the reason and the fix.
#include "capture_fixture.hpp"

#include <gst/gst.h>
#include <linux/capability.h>
#include <reel_test/expect_error.hpp>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace capture_test {
namespace {

using namespace reel;

class CaptureBadInput : public CaptureTest {
 protected:
  void expect(ErrorCode code, std::initializer_list<std::string> words, const std::string& uri,
              bool video = true, bool audio = false) {
    start({{"uri", uri}, {"realtime", "false"}}, video, audio);
    reel_test::expect_error(code, words, [&] { stage_->join(); });
  }
  [[nodiscard]] std::string half_of(const std::string& path) const {
    const std::string whole = reel_test::read_file(path);
    return media_.write("half" + path.substr(path.rfind('.')), whole.substr(0, whole.size() / 2));
  }
};

TEST_F(CaptureBadInput, MissingFile) {
  expect(ErrorCode::bad_config, {"nowhere.mp4", "No such file", "uri"}, "nowhere.mp4");
}

// Root may read every file: takes that right from this thread, and those it starts, for as long as it lives.
class NoOverride {
 public:
  NoOverride() {
    EXPECT_EQ(syscall(SYS_capget, &header_, before_), 0);
    std::copy(std::begin(before_), std::end(before_), std::begin(changed_));
    changed_[0].effective &= ~(CAP_TO_MASK(CAP_DAC_OVERRIDE) | CAP_TO_MASK(CAP_DAC_READ_SEARCH));
    EXPECT_EQ(syscall(SYS_capset, &header_, changed_), 0);
  }
  NoOverride(const NoOverride&) = delete;
  NoOverride& operator=(const NoOverride&) = delete;
  ~NoOverride() { EXPECT_EQ(syscall(SYS_capset, &header_, before_), 0); }

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before_[_LINUX_CAPABILITY_U32S_3]{};
  __user_cap_data_struct changed_[_LINUX_CAPABILITY_U32S_3]{};
};

TEST_F(CaptureBadInput, UnreadableFile) {
  const std::string path = media_.write("secret.mp4", "x");
  chmod(path.c_str(), 0);
  const NoOverride no_override;
  expect(ErrorCode::bad_config, {"secret.mp4", "Permission denied", "chmod"}, path);
}

TEST_F(CaptureBadInput, Directory) {
  expect(ErrorCode::bad_config, {media_.path(), "is a directory"}, media_.path());
}

TEST_F(CaptureBadInput, EmptyFile) {
  expect(ErrorCode::bad_config, {"empty.mp4", "is empty", "again"}, media_.write("empty.mp4", ""));
}

TEST_F(CaptureBadInput, Text) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "this is no clip\n";
  expect(ErrorCode::bad_config, {"words.mp4", "no media file", "uri"}, media_.write("words.mp4", text));
}

TEST_F(CaptureBadInput, MalformedUri) {
  expect(ErrorCode::bad_config, {"file://%zz", "file:///absolute/path"}, "file://%zz");
}

TEST_F(CaptureBadInput, ClipWithoutSound) {
  const std::string path = media_.make("silent.avi", small_picture(5) + " ! jpegenc ! avimux");
  expect(ErrorCode::bad_config, {"silent.avi", "no sound", "'audio'", "'out'"}, path, true, true);
}

TEST_F(CaptureBadInput, ClipWithoutSoundWhereOnlySoundIsAskedFor) {
  const std::string path = media_.make("silent.avi", small_picture(5) + " ! jpegenc ! avimux");
  expect(ErrorCode::bad_config, {"silent.avi", "no sound", "'audio'"}, path, false, true);
}

TEST_F(CaptureBadInput, ClipWithoutSoundIsPlayedWhereSoundIsOptional) {
  const std::string path = media_.make("silent.avi", small_picture(5) + " ! jpegenc ! avimux");
  start({{"uri", path}, {"realtime", "false"}, {"audio", "optional"}}, true, true);
  EXPECT_TRUE(read_all_of(audio_).empty());
  EXPECT_EQ(read_all_of(video_).size(), 5u);
  stage_->join();
}

TEST_F(CaptureBadInput, ClipWithoutSoundWhereSoundIsAllThereIs) {
  const std::string path = media_.make("silent.avi", small_picture(5) + " ! jpegenc ! avimux");
  start({{"uri", path}, {"realtime", "false"}, {"audio", "optional"}}, false, true);
  reel_test::expect_error(ErrorCode::bad_config, {"silent.avi", "no sound"}, [&] { stage_->join(); });
}

TEST_F(CaptureBadInput, ClipWithoutPictures) {
  const std::string path = media_.make("dark.wav", small_sound(5) + " ! wavenc");
  expect(ErrorCode::bad_config, {"dark.wav", "no pictures", "'video'"}, path, true, true);
}

TEST_F(CaptureBadInput, UnknownCodec) {
  std::string bytes =
      reel_test::read_file(media_.make("known.avi", small_picture(5) + " ! jpegenc ! avimux"));
  for (std::size_t at = bytes.find("MJPG"); at != std::string::npos; at = bytes.find("MJPG", at))
    bytes.replace(at, 4, "ZQXW");
  expect(ErrorCode::unsupported, {"unknown.avi", "codec is not known", "re-encode"},
         media_.write("unknown.avi", bytes));
}

// Hides an installed decoder for as long as it lives.
class HiddenElement {
 public:
  explicit HiddenElement(const char* name) : feature_(gst_registry_lookup_feature(gst_registry_get(), name)) {
    if (feature_ == nullptr) return;
    rank_ = gst_plugin_feature_get_rank(feature_);
    gst_plugin_feature_set_rank(feature_, GST_RANK_NONE);
  }
  HiddenElement(const HiddenElement&) = delete;
  HiddenElement& operator=(const HiddenElement&) = delete;
  ~HiddenElement() {
    if (feature_ == nullptr) return;
    gst_plugin_feature_set_rank(feature_, rank_);
    gst_object_unref(feature_);
  }

 private:
  GstPluginFeature* feature_;
  guint rank_ = 0;
};

TEST_F(CaptureBadInput, DecoderThatIsNotInstalledIsNamedWithItsDebianPackage) {
  const std::string path = media_.make("vp8.webm", small_picture(5) + " ! vp8enc deadline=1 ! webmmux");
  const HiddenElement hidden[]{HiddenElement("vp8dec"), HiddenElement("avdec_vp8"),
                               HiddenElement("vp8alphadecodebin"), HiddenElement("vavp8dec")};
  expect(ErrorCode::unsupported, {"vp8.webm", "VP8", "video/x-vp8", "gstreamer1.0-plugins-good"}, path);
}

TEST_F(CaptureBadInput, DecoderOfAnOutputThatIsNotConnectedIsNotMissed) {
  const std::string path =
      media_.make("both.webm", small_picture(5) + " ! vp8enc deadline=1 ! queue ! mux. " + small_sound(5) +
                                   " ! audioconvert ! vorbisenc ! queue ! webmmux name=mux");
  const HiddenElement hidden[]{HiddenElement("vp8dec"), HiddenElement("avdec_vp8"),
                               HiddenElement("vp8alphadecodebin"), HiddenElement("vavp8dec")};
  start({{"uri", path}, {"realtime", "false"}}, false, true);
  EXPECT_FALSE(read_all_of(audio_).empty());
  stage_->join();
}

TEST_F(CaptureBadInput, TruncatedFileIsPlayedAsFarAsItGoesThenReported) {
  const std::string path = half_of(media_.make("whole.avi", small_picture(50) + " ! jpegenc ! avimux"));
  start({{"uri", path}, {"realtime", "false"}}, true, false);
  int frames = 0;
  Frame frame;
  while (!(video_->read(frame, 100) == ReadStatus::empty && stage_->ended()))
    if (frame) ++frames;
  EXPECT_GT(frames, 10);
  EXPECT_LT(frames, 50);
  reel_test::expect_error(ErrorCode::bad_config, {"half.avi", "truncated", "promise", "again"},
                          [&] { stage_->join(); });
}

TEST_F(CaptureBadInput, TruncatedFileWithItsIndexAtTheEnd) {
  const std::string path = half_of(media_.make("whole.mov", small_picture(50) + " ! jpegenc ! qtmux"));
  expect(ErrorCode::bad_config, {"half.mov", "truncated", "promise"}, path);
}

TEST_F(CaptureBadInput, HeaderAlone) {
  const std::string whole = reel_test::read_file(media_.make("whole.wav", small_sound(5) + " ! wavenc"));
  expect(ErrorCode::bad_config, {"head.wav", "first frame", "'audio'"},
         media_.write("head.wav", whole.substr(0, 44)), false, true);
}

}  // namespace
}  // namespace capture_test
