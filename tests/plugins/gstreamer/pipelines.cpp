#include "pipelines.hpp"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <reel_test/wait_until.hpp>

#include "sanitizers.hpp"

namespace gstreamer_test {

std::string mapping_at(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR, &begin, &end) == 2 && begin <= wanted &&
        wanted < end)
      return line;
  }
  return {};
}

void set_up() {
  static const bool once = [] {
    ::setenv("GST_PLUGIN_PATH", ELEMENTS_DIR, 1);
    ::setenv("GST_REGISTRY", REGISTRY, 1);  // the user's is left alone
    ::setenv("GST_REGISTRY_FORK", "no", 1);
    init_gst();
    return true;
  }();
  (void)once;
}

reel_test::ChildProcess launch(const std::string& line) {
  set_up();
  std::vector<std::string> words{"-q"};
  std::istringstream text(line);
  for (std::string word; text >> word;) words.push_back(word);
  return reel_test::ChildProcess::program("gst-launch-1.0", words);
}

Receiver::Receiver(const std::string& source) {
  set_up();
  GError* error = nullptr;
  pipeline_ =
      gst_parse_launch((source + " ! fakesink name=out sync=false signal-handoffs=true").c_str(), &error);
  EXPECT_EQ(error, nullptr) << error->message;
  GstElement* const out = gst_bin_get_by_name(GST_BIN(pipeline_), "out");
  g_signal_connect(out, "handoff", G_CALLBACK(on_buffer), this);
  gst_object_unref(out);
  source_ = gst_bin_get_by_name(GST_BIN(pipeline_), "source");
  EXPECT_NE(source_, nullptr) << "name=source is missing: " << source;
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
}

Receiver::~Receiver() {
  stop();
  gst_object_unref(source_);
  gst_object_unref(pipeline_);
}

void Receiver::stop() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
}

void Receiver::on_buffer(GstElement* /*sink*/, GstBuffer* buffer, GstPad* /*pad*/, gpointer self) {
  Seen one{GST_BUFFER_PTS(buffer),
           GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT) != FALSE,
           GST_BUFFER_OFFSET(buffer),
           gst_buffer_get_size(buffer),
           false,
           {}};
  GstMapInfo map{};
  if (gst_buffer_n_memory(buffer) == 1) {
    GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
    if (gst_memory_map(memory, &map, GST_MAP_READ) != FALSE) {
      one.mapping = mapping_at(map.data);
      gst_memory_unmap(memory, &map);
    }
    if (gst_memory_map(memory, &map, GST_MAP_WRITE) != FALSE) {
      one.writable = true;
      gst_memory_unmap(memory, &map);
    }
  }
  auto* receiver = static_cast<Receiver*>(self);
  const std::lock_guard lock(receiver->mutex_);
  receiver->seen_.push_back(std::move(one));
}

std::vector<Seen> Receiver::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

bool Receiver::wait_for(std::size_t buffers) const {
  return reel_test::wait_until([&] { return seen().size() >= buffers; });
}

std::string Receiver::wait_for_end() {
  GstBus* const bus = gst_element_get_bus(pipeline_);
  GstMessage* const message = gst_bus_timed_pop_filtered(
      bus, 60 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  std::string end;
  if (message != nullptr && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) end = "eos";
  if (message != nullptr && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError* error = nullptr;
    gchar* details = nullptr;
    gst_message_parse_error(message, &error, &details);
    end = std::string("error: ") + error->message + " " + details;
    g_error_free(error);
    g_free(details);
  }
  if (message != nullptr) gst_message_unref(message);
  gst_object_unref(bus);
  return end;
}

std::string Receiver::caps() const {
  GstPad* const pad = gst_element_get_static_pad(source_, "src");
  GstCaps* const caps = gst_pad_get_current_caps(pad);
  gst_object_unref(pad);
  if (caps == nullptr) return {};
  gchar* const text = gst_caps_to_string(caps);
  std::string copy = text;
  g_free(text);
  gst_caps_unref(caps);
  return copy;
}

}  // namespace gstreamer_test
