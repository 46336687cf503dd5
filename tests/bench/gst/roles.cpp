// The processes that are measured: the sender, and a reader.
#include "gst_bench.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <span>
#include <stdexcept>

#include <gst/gst.h>
#include <unistd.h>

#include <reel/base/checksum.hpp>
#include <reel/base/clock.hpp>

namespace reel_gst_bench {
namespace {

constexpr double kThousand = 1000;

std::atomic<bool> ending{false};  // shmsink posts an error when it is stopped

std::int64_t cpu_ns(int pid) {
  clockid_t clock = 0;
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

// `prepare` gets the element of the line that is named sink.
GstElement* play(const std::string& line, const std::function<void(GstElement*)>& prepare) {
  GError* error = nullptr;
  GstElement* const pipeline = gst_parse_launch(line.c_str(), &error);
  if (error != nullptr) throw std::runtime_error(line + ": " + error->message);
  // An error ends the process: its measurement is worth nothing.
  GstBus* const bus = gst_element_get_bus(pipeline);
  gst_bus_set_sync_handler(
      bus,
      [](GstBus*, GstMessage* message, gpointer) {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && !ending.load(std::memory_order_relaxed)) {
          GError* failed = nullptr;
          gchar* details = nullptr;
          gst_message_parse_error(message, &failed, &details);
          std::fprintf(stderr, "reel_gst_bench: %s: %s (%s)\n", GST_MESSAGE_SRC_NAME(message),
                       failed->message, details);
          std::_Exit(1);
        }
        gst_message_unref(message);
        return GST_BUS_DROP;
      },
      nullptr, nullptr);
  gst_object_unref(bus);
  GstElement* const sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  prepare(sink);
  gst_object_unref(sink);
  if (gst_element_set_state(pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    throw std::runtime_error("cannot be played: " + line);
  return pipeline;
}

void say(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

// The next line of standard input; false at its end.
bool hear() {
  char line[16];
  return std::fgets(line, sizeof line, stdin) != nullptr;
}

struct Reader {
  Scenario scenario;
  int sender_pid = 0;
  unsigned seen = 0;
  std::int64_t begin_ns = 0, begin_cpu_ns = 0, begin_sender_cpu_ns = 0;
  std::vector<std::int64_t> latencies_ns;
};

void report(const Reader& reader, std::int64_t now_ns) {
  const double frames = reader.scenario.frames;
  char text[160];
  std::snprintf(
      text, sizeof text, "done %f %f %f", frames * 1e9 / static_cast<double>(now_ns - reader.begin_ns),
      static_cast<double>(cpu_ns(reader.sender_pid) - reader.begin_sender_cpu_ns) / frames / kThousand,
      static_cast<double>(cpu_ns(::getpid()) - reader.begin_cpu_ns) / frames / kThousand);
  std::string line = text;
  for (const std::int64_t latency : reader.latencies_ns) {
    std::snprintf(text, sizeof text, " %.1f", static_cast<double>(latency) / kThousand);
    line += text;
  }
  say(line);
}

void look_at(GstBuffer* buffer) {
  GstMapInfo map{};
  if (gst_buffer_map(buffer, &map, GST_MAP_READ) == FALSE) return;
  static std::atomic<std::uint64_t> kept{0};
  kept.fetch_xor(reel::checksum(std::as_bytes(std::span(map.data, map.size))), std::memory_order_relaxed);
  gst_buffer_unmap(buffer, &map);
}

// Every byte of each buffer that goes through `pad` is hashed first.
void hash_at(GstElement* element, const char* pad_name) {
  GstPad* const pad = gst_element_get_static_pad(element, pad_name);
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* probed, gpointer) {
        look_at(GST_PAD_PROBE_INFO_BUFFER(probed));
        return GST_PAD_PROBE_OK;
      },
      nullptr, nullptr);
  gst_object_unref(pad);
}

void on_buffer(GstElement*, GstBuffer* buffer, GstPad*, gpointer data) {
  const std::int64_t now_ns = reel::monotonic_ns();
  auto& reader = *static_cast<Reader*>(data);
  const unsigned all = reader.scenario.warm_up + reader.scenario.frames;
  std::int64_t stamp_ns = 0;
  if (gst_buffer_extract(buffer, 0, &stamp_ns, sizeof stamp_ns) != sizeof stamp_ns || reader.seen >= all)
    return;
  ++reader.seen;
  if (reader.seen > reader.scenario.warm_up) reader.latencies_ns.push_back(now_ns - stamp_ns);
  if (reader.seen == reader.scenario.warm_up) {
    reader.begin_ns = now_ns;
    reader.begin_cpu_ns = cpu_ns(::getpid());
    reader.begin_sender_cpu_ns = cpu_ns(reader.sender_pid);
  }
  if (reader.seen == all) report(reader, now_ns);
  if (reader.scenario.looked_at) look_at(buffer);
}

std::uint64_t copies_of(GstElement* sink) {
  GstStructure* stats = nullptr;
  g_object_get(sink, "stats", &stats, nullptr);
  guint64 copied = 0;
  if (stats != nullptr) {
    gst_structure_get_uint64(stats, "copied", &copied);
    gst_structure_free(stats);
  }
  return copied;
}

}  // namespace

int run_sender(Carrier carrier, const Scenario& scenario, const std::string& place) {
  register_source();
  std::string line = "benchsrc width=" + std::to_string(scenario.width) +
                     " height=" + std::to_string(scenario.height) +
                     " paced=" + (scenario.paced ? "true" : "false") + " ! ";
  if (is_shm(carrier)) {
    // One frame more than the ring has slots: its allocator rounds up.
    line += "shmsink name=sink sync=false wait-for-connection=true socket-path=" + place +
            "/shm shm-size=" + std::to_string(scenario.frame_bytes() * (kSlots + 1));
  } else {
    line += "reelsink name=sink sync=false stream=bench slots=" + std::to_string(kSlots) +
            " wait-for-readers=" + std::to_string(scenario.readers) +
            " checksum=" + (carrier == Carrier::reel ? "none" : "full");
  }
  GstElement* const pipeline = play(line, [&](GstElement* made) {
    if (carrier == Carrier::shm_hashed) hash_at(made, "sink");
  });
  say("ready");
  if (hear()) let_frames_flow();
  while (hear()) {
  }
  ending.store(true, std::memory_order_relaxed);
  GstElement* const sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  if (!is_shm(carrier)) say("copied " + std::to_string(copies_of(sink)));
  gst_object_unref(sink);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return 0;
}

int run_reader(Carrier carrier, const Scenario& scenario, const std::string& place, int sender_pid) {
  const std::string source = is_shm(carrier) ? "shmsrc socket-path=" + place + "/shm"
                                             : "reelsrc stream=bench policy=lossless is-live=false";
  static Reader reader;
  reader.scenario = scenario;
  reader.sender_pid = sender_pid;
  reader.latencies_ns.reserve(scenario.frames);
  GstElement* const pipeline = play(
      source + " ! fakesink name=sink sync=false async=false signal-handoffs=true", [&](GstElement* sink) {
        if (carrier == Carrier::shm_hashed) hash_at(sink, "sink");
        g_signal_connect(sink, "handoff", G_CALLBACK(on_buffer), &reader);
      });
  say("ready");
  while (hear()) {
  }
  ending.store(true, std::memory_order_relaxed);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return 0;
}

}  // namespace reel_gst_bench
