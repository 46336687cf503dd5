// The device provider: live streams as devices.
#include "player.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/wait_until.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

using reel::FrameWriter;
using reel_test::ChildProcess;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class SourceDevices : public SourceTest {
 protected:
  SourceDevices() : monitor_(gst_device_monitor_new()), bus_(gst_device_monitor_get_bus(monitor_)) {
    gst_device_monitor_add_filter(monitor_, "Video/Source", nullptr);
  }
  ~SourceDevices() override {
    gst_object_unref(bus_);
    gst_object_unref(monitor_);
  }
  [[nodiscard]] std::vector<std::string> listed() const {
    std::vector<std::string> names;
    GList* devices = gst_device_monitor_get_devices(monitor_);
    for (GList* one = devices; one != nullptr; one = one->next) {
      gchar* name = gst_device_get_display_name(GST_DEVICE(one->data));
      names.emplace_back(name);
      g_free(name);
    }
    g_list_free_full(devices, gst_object_unref);
    return names;
  }
  // The device that the next message of this type is about; the caller's.
  [[nodiscard]] GstDevice* told(GstMessageType type) const {
    GstMessage* message = gst_bus_timed_pop_filtered(bus_, 60 * GST_SECOND, type);
    if (message == nullptr) return nullptr;
    GstDevice* device = nullptr;
    if (type == GST_MESSAGE_DEVICE_ADDED)
      gst_message_parse_device_added(message, &device);
    else
      gst_message_parse_device_removed(message, &device);
    gst_message_unref(message);
    return device;
  }

  GstDeviceMonitor* monitor_;
  GstBus* bus_;
};

TEST_F(SourceDevices, StreamsAreListedWithWhatTheyCarryAndMadeIntoSources) {
  FrameWriter writer(stream(), picture());
  EXPECT_THAT(listed(), UnorderedElementsAre(stream())) << "without monitoring";
  ASSERT_TRUE(gst_device_monitor_start(monitor_));
  EXPECT_THAT(listed(), UnorderedElementsAre(stream()));
  GList* devices = gst_device_monitor_get_devices(monitor_);
  auto* device = GST_DEVICE(devices->data);
  EXPECT_TRUE(gst_device_has_classes(device, "Video/Source"));
  GstCaps* caps = gst_device_get_caps(device);
  EXPECT_TRUE(gst_structure_has_field(gst_caps_get_structure(caps, 0), "width"));
  gst_caps_unref(caps);
  GstElement* source = gst_device_create_element(device, "made");
  gchar* name = nullptr;
  g_object_get(source, "stream", &name, nullptr);
  EXPECT_EQ(std::string(name), stream());
  g_free(name);
  g_object_set(source, "stream", "other", nullptr);
  EXPECT_TRUE(gst_device_reconfigure_element(device, source));
  g_object_get(source, "stream", &name, nullptr);
  EXPECT_EQ(std::string(name), stream());
  g_free(name);
  gst_object_unref(source);
  g_list_free_full(devices, gst_object_unref);
  gst_device_monitor_stop(monitor_);
}

TEST_F(SourceDevices, ComeAndGoWithTheirWriters) {
  ASSERT_TRUE(gst_device_monitor_start(monitor_));
  EXPECT_THAT(listed(), IsEmpty());
  for (int life = 0; life < 2; ++life) {
    FrameWriter writer(stream(), picture());
    GstDevice* added = told(GST_MESSAGE_DEVICE_ADDED);
    ASSERT_NE(added, nullptr);
    EXPECT_THAT(listed(), UnorderedElementsAre(stream()));
    { const FrameWriter gone = std::move(writer); }
    GstDevice* removed = told(GST_MESSAGE_DEVICE_REMOVED);
    EXPECT_EQ(removed, added);
    if (removed != nullptr) gst_object_unref(removed);
    gst_object_unref(added);
    EXPECT_THAT(listed(), IsEmpty());
  }
  gst_device_monitor_stop(monitor_);
}

TEST_F(SourceDevices, AStreamOfOtherCapsIsAnotherDevice) {
  ASSERT_TRUE(gst_device_monitor_start(monitor_));
  FrameWriter writer(stream(), picture());
  GstDevice* added = told(GST_MESSAGE_DEVICE_ADDED);
  ASSERT_NE(added, nullptr);
  writer.set_format(picture(320, 240));
  write(writer, 1);
  GstDevice* removed = told(GST_MESSAGE_DEVICE_REMOVED);
  EXPECT_EQ(removed, added);
  GstDevice* again = told(GST_MESSAGE_DEVICE_ADDED);
  ASSERT_NE(again, nullptr);
  GstCaps* caps = gst_device_get_caps(again);
  gint width = 0;
  EXPECT_TRUE(gst_structure_get_int(gst_caps_get_structure(caps, 0), "width", &width));
  EXPECT_EQ(width, 320);
  gst_caps_unref(caps);
  for (GstDevice* one : {added, removed, again}) gst_object_unref(one);
  gst_device_monitor_stop(monitor_);
}

TEST_F(SourceDevices, SoundIsListedAmongAudioSourcesOnly) {
  FrameWriter writer(stream(),
                     reel::AudioFormat{.sample = reel::SampleFormat::S16LE, .rate_hz = 48000, .channels = 2});
  EXPECT_THAT(listed(), IsEmpty());
  gst_device_monitor_add_filter(monitor_, "Audio/Source", nullptr);
  EXPECT_THAT(listed(), ::testing::Contains(stream()));
}

TEST_F(SourceDevices, GstDeviceMonitorListsALiveStream) {
  REEL_NEEDS(reel_test::missing_programs({"gst-launch-1.0", "gst-device-monitor-1.0"}));
  runtime_.allow_leftovers();
  ChildProcess sender =
      launch("videotestsrc is-live=true ! video/x-raw,format=NV12,width=320,height=240 ! reelsink stream=" +
             stream());
  Player player(into_sink());
  player.play();
  ASSERT_TRUE(player.wait_for(1)) << sender.errors();
  ChildProcess lister = ChildProcess::program("gst-device-monitor-1.0", {"Video/Source"});
  EXPECT_TRUE(lister.wait().ok()) << lister.errors();
  EXPECT_THAT(lister.output(),
              AllOf(HasSubstr("name  : " + stream()), HasSubstr("Video/Source"), HasSubstr("NV12"),
                    HasSubstr("width=320"), HasSubstr("reelsrc stream=" + stream())));
}

}  // namespace
}  // namespace gstreamer_test
