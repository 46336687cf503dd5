// The readers that reelsink has, as it tells of them: signals, num-clients, who may read, what they wish for.
#include "sender.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

#include <gmock/gmock.h>
#include <grp.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <reel/gst/pointers.hpp>
#include <reel_test/needs.hpp>
#include <unistd.h>

#include <reel/base/error.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using reel_test::ChildProcess;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SinkClients : public SinkTest {};

TEST_F(SinkClients, AReaderThatNoNumberOfSlotsWouldDoForIsToldWhatItCanDo) {
  Sender sender("videotestsrc is-live=true ! video/x-raw,width=64,height=48" + sink());
  sender.start();
  Receiver receiver("reelsrc name=source max-pins=256 stream=" + stream());
  EXPECT_THAT(receiver.wait_for_end(),
              AllOf(HasSubstr("a stream has 256 at most: lower `max-pins`"), Not(HasSubstr("raise"))));
}

TEST_F(SinkClients, APolicyThatIsNotAllowedIsRefused) {
  Sender sender("videotestsrc is-live=true" + sink("policy-limits=queue,latest"));
  sender.start();
  ASSERT_TRUE(sender.wait_for(1));
  EXPECT_THROW(Watcher lossless(stream()), reel::Error);
  reel::ReaderOptions queue;
  Watcher allowed(stream(), queue);
  EXPECT_TRUE(allowed.wait_for(1));
  EXPECT_GE(sender.stat("refused"), 1u);
}

// A signal is emitted when the one before it has been.
TEST_F(SinkClients, SignalsOfAReaderComeInTheOrderInWhichItCameAndWent) {
  struct Told {
    std::mutex mutex;
    std::vector<std::string> signals;
    void add(const std::string& one) {
      const std::lock_guard lock(mutex);
      signals.push_back(one);
    }
  } told;
  Sender sender("videotestsrc is-live=true ! video/x-raw,width=64,height=48" + sink());
  const auto connected = +[](GstElement*, guint, const char* name, gpointer to) {
    g_usleep(100'000);
    static_cast<Told*>(to)->add(std::string("+") + name);
  };
  const auto disconnected = +[](GstElement*, guint, const char* name, gpointer to) {
    static_cast<Told*>(to)->add(std::string("-") + name);
  };
  g_signal_connect(sender.sink(), "client-connected", G_CALLBACK(connected), &told);
  g_signal_connect(sender.sink(), "client-disconnected", G_CALLBACK(disconnected), &told);
  sender.start();
  constexpr std::size_t kReaders = 8;
  for (std::size_t i = 0; i < kReaders; ++i) {
    reel::ReaderOptions options;
    options.name = std::to_string(i);
    reel::FrameReader reader(stream(), options);
    reel::Frame frame;
    ASSERT_EQ(reader.read(frame, 30'000), reel::ReadStatus::frame);
  }
  const auto signals = [&] {
    const std::lock_guard lock(told.mutex);
    return told.signals;
  };
  ASSERT_TRUE(reel_test::wait_until([&] { return signals().size() == 2 * kReaders; }));
  sender.stop();
  const std::vector<std::string> all = signals();
  for (std::size_t i = 0; i < kReaders; ++i) {
    const std::string name = std::to_string(i);
    EXPECT_LT(std::find(all.begin(), all.end(), "+" + name), std::find(all.begin(), all.end(), "-" + name))
        << name;
  }
}

struct Clients {
  std::atomic<int> connected{0}, disconnected{0}, notified{0};
  std::atomic<guint> pid{0};
};

TEST_F(SinkClients, ClientsAreToldOfByTwoSignalsAndByNumClients) {
  Clients told;
  Sender sender("videotestsrc is-live=true" + sink());
  const auto connected = +[](GstElement*, guint pid, const char* name, gpointer to) {
    EXPECT_STREQ(name, "eve");
    static_cast<Clients*>(to)->pid = pid;
    ++static_cast<Clients*>(to)->connected;
  };
  const auto disconnected =
      +[](GstElement*, guint, const char*, gpointer to) { ++static_cast<Clients*>(to)->disconnected; };
  const auto notified = +[](GObject*, GParamSpec*, gpointer to) { ++static_cast<Clients*>(to)->notified; };
  g_signal_connect(sender.sink(), "client-connected", G_CALLBACK(connected), &told);
  g_signal_connect(sender.sink(), "client-disconnected", G_CALLBACK(disconnected), &told);
  g_signal_connect(sender.sink(), "notify::num-clients", G_CALLBACK(notified), &told);
  sender.start();
  {
    reel::ReaderOptions options;
    options.name = "eve";
    Watcher watcher(stream(), options);
    ASSERT_TRUE(reel_test::wait_until([&] { return told.connected == 1; }));
    guint clients = 0;
    g_object_get(sender.sink(), "num-clients", &clients, nullptr);
    EXPECT_EQ(clients, 1u);
    EXPECT_EQ(told.pid, static_cast<guint>(::getpid()));
  }
  EXPECT_TRUE(reel_test::wait_until([&] { return told.disconnected == 1 && told.notified == 2; }));
}

// As another user: takes three frames, or says why not.
const reel_test::Role other_user("read_as", [](const std::vector<std::string>& arguments) {
  const auto id = static_cast<uid_t>(std::stoul(arguments.at(1)));
  const auto group = static_cast<gid_t>(std::stoul(arguments.at(2)));
  if (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0 || ::setuid(id) != 0) return 2;
  try {
    reel::ReaderOptions options;
    options.reconnect = false;
    reel::FrameReader reader(arguments.at(0), options);
    reel::Frame frame;
    for (int i = 0; i < 3; ++i) {
      if (reader.read(frame, 30'000) != reel::ReadStatus::frame) {
        reel_test::say("no frame: " + reader.error());
        return 1;
      }
    }
    reel_test::say("3 frames");
    return 0;
  } catch (const std::exception& error) {
    reel_test::say(error.what());
    return 1;
  }
});

TEST_F(SinkClients, ModeSaysWhichUsersMayRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "takes root, to become another user";
  constexpr uid_t kOther = 61'238;
  const struct {
    guint mode;
    gid_t group;
    bool reads;
  } cases[] = {{0600, 0, false}, {0660, 0, true}, {0660, kOther, false}, {0666, kOther, true}};
  for (const auto& one : cases) {
    Sender sender("videotestsrc is-live=true ! video/x-raw,width=64,height=48" +
                  sink("mode=" + std::to_string(one.mode)));
    sender.start();
    ASSERT_TRUE(reel_test::wait_until([&] { return sender.stat("published") > 0; }));
    ChildProcess reader =
        ChildProcess::role("read_as", {stream(), std::to_string(kOther), std::to_string(one.group)});
    EXPECT_EQ(reader.wait().ok(), one.reads)
        << one.mode << " as group " << one.group << ": " << reader.output();
    sender.stop();
  }
}

// Counts force-key-unit events that leave the sink upstream.
GstPadProbeReturn count_key_units(GstPad*, GstPadProbeInfo* info, gpointer count) {
  if (gst_video_event_is_force_key_unit(GST_PAD_PROBE_INFO_EVENT(info)) != FALSE)
    ++*static_cast<std::atomic<int>*>(count);
  return GST_PAD_PROBE_OK;
}

TEST_F(SinkClients, AReadersWishForAKeyFrameGoesUpstreamThoughNoBufferFollows) {
  std::atomic<int> asked{0};
  Sender sender("appsrc name=in format=time caps=video/x-h264,stream-format=byte-stream,alignment=au" +
                sink());
  GstPad* const pad = gst_element_get_static_pad(sender.sink(), "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, count_key_units, &asked, nullptr);
  gst_object_unref(pad);
  sender.start();
  reel::FrameReader reader(stream());
  reel::Frame frame;
  gst_app_src_push_buffer(GST_APP_SRC(sender.element("in")), gst_buffer_new_allocate(nullptr, 100, nullptr));
  ASSERT_TRUE(reel_test::wait_until([&] {
    (void)reader.read(frame, 10);
    return reader.connected();
  }));
  const int before = asked;
  EXPECT_TRUE(reader.request_key_frame());
  EXPECT_TRUE(reel_test::wait_until([&] { return asked > before; }));
}

TEST_F(SinkClients, AnEncoderMakesTheKeyFrameThatAReaderWishedFor) {
  const reel::gst::Ptr<GstElement> encoder(gst_element_factory_make("x264enc", nullptr));
  REEL_NEEDS(encoder ? "" : "no x264enc (gstreamer1.0-plugins-ugly)");
  Sender sender(
      "videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=48,framerate=100/1 ! "
      "x264enc tune=zerolatency key-int-max=100000" +
      sink("is-live=true"));
  sender.start();
  reel::FrameReader reader(stream(), Watcher::lossless());
  reel::Frame frame;
  const auto next_key = [&] {
    for (int i = 0; i < 300; ++i) {
      if (reader.read(frame, 10'000) != reel::ReadStatus::frame) return false;
      if ((frame.info().flags & reel::kKeyFrame) != 0) return true;
    }
    return false;
  };
  while (!reader.connected()) (void)reader.read(frame, 100);
  EXPECT_TRUE(reader.request_key_frame());
  EXPECT_TRUE(next_key());
  EXPECT_TRUE(reader.request_key_frame());
  EXPECT_TRUE(next_key()) << "and the second";
}

}  // namespace
}  // namespace gstreamer_test
