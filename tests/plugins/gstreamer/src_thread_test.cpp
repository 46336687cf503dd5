// What reelsrc does to the thread that streams it, which is one of GStreamer's pool.
#include "player.hpp"

#include <mutex>

#include <reel_test/scheduling.hpp>

namespace gstreamer_test {
namespace {

using reel_test::Scheduling;
using reel_test::scheduling;

class SourceThread : public SourceTest {};

// How a streaming thread was treated when it told of its begin, and of its end.
struct Seen {
  std::mutex mutex;
  std::vector<std::uint64_t> began_ns, ended_ns;
};

GstBusSyncReply on_message(GstBus*, GstMessage* message, gpointer data) {
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_STREAM_STATUS) return GST_BUS_PASS;
  GstStreamStatusType status{};
  gst_message_parse_stream_status(message, &status, nullptr);
  auto& seen = *static_cast<Seen*>(data);
  const std::lock_guard lock(seen.mutex);
  if (status == GST_STREAM_STATUS_TYPE_ENTER) seen.began_ns.push_back(scheduling().slice_ns);
  if (status == GST_STREAM_STATUS_TYPE_LEAVE) seen.ended_ns.push_back(scheduling().slice_ns);
  return GST_BUS_PASS;
}

TEST_F(SourceThread, HasShortSlicesWhileItStreamsAndGivesThemBack) {
  const Scheduling usual = scheduling();
  constexpr std::size_t kLives = 3;
  Seen seen;
  {
    reel::FrameWriter writer(stream(), picture());
    Player player(into_sink());
    GstBus* const bus = gst_element_get_bus(player.pipeline());
    gst_bus_set_sync_handler(bus, on_message, &seen, nullptr);
    for (std::size_t life = 1; life <= kLives; ++life) {
      player.play();
      ASSERT_TRUE(wait_for_readers(writer));
      write(writer, 1);
      ASSERT_TRUE(player.wait_for(life));
      player.stop();
    }
    gst_bus_set_sync_handler(bus, nullptr, nullptr, nullptr);
    gst_object_unref(bus);
  }
  EXPECT_EQ(seen.began_ns, std::vector<std::uint64_t>(kLives, shortest_slice_ns(usual)));
  EXPECT_EQ(seen.ended_ns, std::vector<std::uint64_t>(kLives, usual.slice_ns));
}

}  // namespace
}  // namespace gstreamer_test
