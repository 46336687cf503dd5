// What ipcpipeline's tests walk through, each step with each of its sources: a sender in a process of its own
// that does as it is told, a receiver here, one stream for each kind of media.
#include <algorithm>
#include <csignal>
#include <functional>
#include <memory>
#include <sstream>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/wait_until.hpp>

#include "pipelines.hpp"
#include "player.hpp"

namespace gstreamer_test {
namespace {

using reel_test::ChildProcess;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* kPicture = "video/x-raw,format=NV12,width=64,height=48,framerate=100/1";
constexpr const char* kSound = "audio/x-raw,format=S16LE,rate=48000,channels=2";

// ---- the sender's process -------------------------------------------------------------------------------

// LINE, made anew after each "null": what demultiplexers added goes with it.
class Remote {
 public:
  explicit Remote(std::string line) : line_(std::move(line)) {}
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;
  ~Remote() { drop(); }

  std::string obey(const std::string& word) {
    if (word == "play") return to(GST_STATE_PLAYING);
    if (word == "pause") return to(GST_STATE_PAUSED);
    if (word == "null") return drop();
    if (word == "eos")
      return gst_element_send_event(pipeline_, gst_event_new_eos()) != FALSE ? "ok" : "not taken";
    return told_by_sinks(word);
  }

 private:
  // Returns at once: a sink that waits for its readers is not there before they are.
  std::string to(GstState state) {
    if (pipeline_ == nullptr) pipeline_ = gst_parse_launch(line_.c_str(), nullptr);
    if (pipeline_ == nullptr) return "no pipeline";
    return gst_element_set_state(pipeline_, state) != GST_STATE_CHANGE_FAILURE ? "ok" : "failed";
  }
  std::string drop() {
    if (pipeline_ == nullptr) return "ok";
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
    pipeline_ = nullptr;
    return "ok";
  }
  // "published", "num-clients": of sink0, sink1, in a line.
  std::string told_by_sinks(const std::string& what) {
    std::string told;
    for (const char* name : {"sink0", "sink1"}) {
      GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline_), name);
      if (sink == nullptr) continue;
      guint64 value = 0;
      guint clients = 0;
      GstStructure* stats = nullptr;
      g_object_get(sink, "stats", &stats, "num-clients", &clients, nullptr);
      if (what == "num-clients")
        value = clients;
      else
        gst_structure_get_uint64(stats, what.c_str(), &value);
      gst_structure_free(stats);
      gst_object_unref(sink);
      told += std::to_string(value) + " ";
    }
    return told;
  }

  const std::string line_;
  GstElement* pipeline_ = nullptr;
};

const reel_test::Role sender_role("obedient_sender", [](const std::vector<std::string>& arguments) {
  set_up();
  Remote remote(arguments.at(0));
  while (const auto word = reel_test::hear()) reel_test::say(remote.obey(*word));
  return 0;
});

// ---- the sources ----------------------------------------------------------------------------------------

// `before`: what a line of the sender's has before each reelsink. `raw`: what makes it raw at the receiver.
struct Track {
  std::string before, raw;
  bool picture;
};
struct Media {
  const char* name;
  bool live;
  std::string file;  // made by this line, whose end is a filesink; empty: none
  std::string first;
  std::vector<Track> tracks;
};

std::vector<Media> sources() {
  const std::string pictures = std::string(" ! ") + kPicture, sound = std::string(" ! ") + kSound;
  const Track picture{"videotestsrc" + pictures, "", true};
  const Track live_picture{"videotestsrc is-live=true" + pictures, "", true};
  const Track live_sound{"audiotestsrc is-live=true samplesperbuffer=480" + sound, "", false};
  return {
      {"test", false, "", "", {picture}},
      {"wav",
       false,
       "audiotestsrc num-buffers=1000 samplesperbuffer=480" + sound + " ! wavenc",
       "",
       {{"filesrc location=FILE ! wavparse", "", false}}},
      {"mpegts",
       false,
       "videotestsrc num-buffers=1000" + pictures +
           " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=20 ! mpegtsmux name=m "
           "audiotestsrc num-buffers=1000 samplesperbuffer=480" +
           sound + " ! audioconvert ! avenc_aac ! m. m.",
       "filesrc location=FILE ! tsdemux name=d ",
       {{"d. ! h264parse ! queue", " ! h264parse ! avdec_h264", true},
        {"d. ! aacparse ! queue", " ! avdec_aac", false}}},
      {"live_sound", true, "", "", {live_sound}},
      {"live_sound_and_picture", true, "", "", {live_sound, live_picture}},
  };
}

std::string missing_elements() {
  set_up();
  std::string missing;
  for (const char* name :
       {"wavenc", "x264enc", "mpegtsmux", "tsdemux", "avenc_aac", "avdec_aac", "avdec_h264"}) {
    GstElementFactory* factory = gst_element_factory_find(name);
    if (factory == nullptr)
      missing += std::string(missing.empty() ? "" : ", ") + name;
    else
      gst_object_unref(factory);
  }
  return missing;
}

class Peers : public ::testing::TestWithParam<Media> {
 protected:
  void SetUp() override {
    set_up();
    REEL_NEEDS(missing_elements());
    if (!GetParam().file.empty()) {
      ChildProcess making = launch(GetParam().file + " ! filesink location=" + file_);
      ASSERT_TRUE(making.wait().ok()) << making.errors();
    }
  }

  [[nodiscard]] std::string stream(std::size_t track) const { return stream_ + "." + std::to_string(track); }
  /// The sender's process, with nothing told to it. Unless paced, it waits for readers that lag, live or not.
  [[nodiscard]] ChildProcess sender(bool paced = true) const {
    std::string line = GetParam().first;
    for (std::size_t i = 0; i < GetParam().tracks.size(); ++i) {
      line += GetParam().tracks[i].before + " ! taginject tags=\"title=of-the-peer\" ! reelsink name=sink" +
              std::to_string(i) + " wait-for-readers=1 slots=32 sync=" + (paced ? "true" : "false") +
              (paced && GetParam().live ? " is-live=true" : "") + " stream=" + stream(i) + " ";
    }
    for (std::size_t at; (at = line.find("FILE")) != std::string::npos;) line.replace(at, 4, file_);
    return ChildProcess::role("obedient_sender", {line});
  }
  static std::string tell(ChildProcess& sender, const std::string& word) {
    EXPECT_TRUE(sender.send(word));
    const auto answer = sender.read_line();
    return answer ? *answer : "no answer: " + sender.errors();
  }
  /// One number for each track.
  static std::vector<std::size_t> numbers(ChildProcess& sender, const std::string& what) {
    std::istringstream told(tell(sender, what));
    std::vector<std::size_t> numbers;
    for (std::size_t one; told >> one;) numbers.push_back(one);
    return numbers;
  }

  /// A receiver for each track; `behind` is put between source and sink.
  void receive(const std::function<std::string(const Track&)>& behind = [](const Track&) { return ""; }) {
    for (std::size_t i = 0; i < GetParam().tracks.size(); ++i)
      players_.push_back(std::make_unique<Player>("reelsrc name=source policy=lossless stream=" + stream(i) +
                                                  behind(GetParam().tracks[i]) +
                                                  " ! fakesink name=out sync=false"));
    for (const auto& player : players_) player->play();
  }
  void expect_more(ChildProcess& sender, std::size_t buffers = 10) {
    for (const auto& player : players_)
      ASSERT_TRUE(player->wait_for(player->count("buffer") + buffers)) << sender.errors();
  }
  void expect_no_trouble() {
    for (const auto& player : players_) {
      EXPECT_EQ(player->message_there_is(GST_MESSAGE_ERROR), "");
      EXPECT_EQ(player->message_there_is(GST_MESSAGE_EOS), "");
      const auto buffers = player->buffers();
      for (std::size_t i = 1; i < buffers.size(); ++i)
        EXPECT_GE(buffers[i].pts, buffers[i - 1].pts) << "buffer " << i;
    }
  }
  [[nodiscard]] std::vector<std::size_t> received() const {
    std::vector<std::size_t> counts;
    for (const auto& player : players_) counts.push_back(player->count("buffer"));
    return counts;
  }

  reel_test::TempRuntimeDir runtime_;
  std::vector<std::unique_ptr<Player>> players_;

 private:
  const std::string stream_ = reel_test::unique_name("peer");
  const reel_test::ScratchDir scratch_;
  const std::string file_ = scratch_.file("media");
};

TEST_P(Peers, PausesAndPlaysOnAtEitherSide) {
  ChildProcess sending = sender();
  ASSERT_EQ(tell(sending, "play"), "ok");
  receive();
  expect_more(sending);

  for (const auto& player : players_) player->to(GST_STATE_PAUSED);
  for (const auto& player : players_)
    gst_element_get_state(player->pipeline(), nullptr, nullptr, GST_CLOCK_TIME_NONE);
  const auto paused = received();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  for (std::size_t i = 0; i < paused.size(); ++i)
    EXPECT_LE(received()[i], paused[i] + 1) << "one was on its way when the receiver was paused";
  for (const auto& player : players_) player->play();
  expect_more(sending);

  ASSERT_EQ(tell(sending, "pause"), "ok");
  std::vector<std::size_t> published;
  ASSERT_TRUE(reel_test::wait_until([&] {
    const auto before = std::exchange(published, numbers(sending, "published"));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return before == published;
  })) << "the sender is paused";
  ASSERT_EQ(tell(sending, "play"), "ok");
  expect_more(sending);
  expect_no_trouble();
  players_.clear();
  EXPECT_EQ(tell(sending, "null"), "ok");
}

TEST_P(Peers, EndAfterAllTheirBuffersWithTheirTags) {
  ChildProcess sending = sender(false);
  ASSERT_EQ(tell(sending, "play"), "ok");
  receive();
  expect_more(sending);
  if (GetParam().file.empty()) {
    ASSERT_EQ(tell(sending, "eos"), "ok");
  }
  for (const auto& player : players_) {
    EXPECT_EQ(player->end(), "eos") << sending.errors();
    std::vector<std::string> tags;
    for (const Left& one : player->left()) {
      if (one.what == "tag") tags.push_back(one.text);
    }
    EXPECT_THAT(tags, Contains(HasSubstr("of-the-peer")));
  }
  EXPECT_EQ(received(), numbers(sending, "published"));
  EXPECT_EQ(tell(sending, "null"), "ok");
}

TEST_P(Peers, GoOnWhenCapsBehindTheReceiverChange) {
  ChildProcess sending = sender();
  ASSERT_EQ(tell(sending, "play"), "ok");
  receive([](const Track& track) {
    return track.raw + (track.picture
                            ? " ! videoscale ! capsfilter name=form caps=video/x-raw,width=32,height=24"
                            : " ! audioconvert ! audioresample ! capsfilter name=form "
                              "caps=audio/x-raw,rate=44100");
  });
  expect_more(sending);
  for (std::size_t i = 0; i < players_.size(); ++i) {
    Player& player = *players_[i];
    const bool picture = GetParam().tracks[i].picture;
    GstCaps* caps =
        gst_caps_from_string(picture ? "video/x-raw,width=128,height=96" : "audio/x-raw,rate=22050");
    g_object_set(player.element("form"), "caps", caps, nullptr);
    GstPad* pad = gst_element_get_static_pad(player.element("out"), "sink");
    EXPECT_TRUE(reel_test::wait_until([&] {
      GstCaps* now = gst_pad_get_current_caps(pad);
      const bool changed = now != nullptr && gst_caps_is_subset(now, caps) != FALSE;
      if (now != nullptr) gst_caps_unref(now);
      return changed;
    }));
    gst_object_unref(pad);
    gst_caps_unref(caps);
  }
  expect_more(sending);
  expect_no_trouble();
  for (const auto& player : players_) EXPECT_EQ(player->count("caps"), 1u) << "of the stream itself";
  players_.clear();
  EXPECT_EQ(tell(sending, "null"), "ok");
}

TEST_P(Peers, DisconnectAndReconnectAsEitherSideWalksThroughItsStates) {
  ChildProcess sending = sender();
  ASSERT_EQ(tell(sending, "play"), "ok");
  receive();
  expect_more(sending);
  for (const GstState state : {GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL}) {
    for (const auto& player : players_) player->to(state);
    for (const auto& player : players_) player->play();
    expect_more(sending);
  }
  for (const char* through : {"pause", "null"}) {
    ASSERT_EQ(tell(sending, through), "ok");
    ASSERT_EQ(tell(sending, "play"), "ok");
    expect_more(sending);
  }
  for (const auto& player : players_) {
    EXPECT_EQ(player->message_there_is(GST_MESSAGE_ERROR), "");
    EXPECT_TRUE(reel_test::wait_until([&] { return player->stat("connects") == 2; }))
        << "since it was last started: before and after the sender's NULL";
  }
  players_.clear();
  EXPECT_EQ(tell(sending, "null"), "ok");
}

TEST_P(Peers, OutliveASenderThatIsKilled) {
  runtime_.allow_leftovers();
  auto first = std::make_unique<ChildProcess>(sender());
  ASSERT_EQ(tell(*first, "play"), "ok");
  receive();
  expect_more(*first);
  first->signal(SIGKILL);
  first.reset();
  ChildProcess second = sender();
  ASSERT_EQ(tell(second, "play"), "ok");
  for (const auto& player : players_)
    ASSERT_TRUE(reel_test::wait_until([&] { return player->stat("connects") == 2; })) << second.errors();
  expect_more(second);
  expect_no_trouble();
  for (const auto& player : players_) {
    const auto buffers = player->buffers();
    EXPECT_GE(std::count_if(buffers.begin(), buffers.end(), [](const Left& one) { return one.discont; }), 2)
        << "one for each sender";
  }
  players_.clear();
  EXPECT_EQ(tell(second, "null"), "ok");
}

TEST_P(Peers, OutliveAReceiverThatIsKilled) {
  ChildProcess sending = sender();
  ASSERT_EQ(tell(sending, "play"), "ok");
  std::string line;
  for (std::size_t i = 0; i < GetParam().tracks.size(); ++i)
    line += "reelsrc policy=lossless stream=" + stream(i) + " ! fakesink sync=false ";
  ChildProcess killed = launch(line);
  const std::vector<std::size_t> ones(GetParam().tracks.size(), 1), none(ones.size(), 0);
  ASSERT_TRUE(reel_test::wait_until([&] { return numbers(sending, "num-clients") == ones; }));
  killed.signal(SIGKILL);
  (void)killed.wait();
  ASSERT_TRUE(reel_test::wait_until([&] { return numbers(sending, "num-clients") == none; }));
  receive();
  expect_more(sending);
  expect_no_trouble();
  players_.clear();
  EXPECT_EQ(tell(sending, "null"), "ok");
}

INSTANTIATE_TEST_SUITE_P(Of, Peers, ::testing::ValuesIn(sources()),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace gstreamer_test
