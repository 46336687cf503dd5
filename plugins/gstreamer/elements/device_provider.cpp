#include "device_provider.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <new>
#include <thread>

#include "device.hpp"
#include "stream_watch.hpp"

namespace {

constexpr std::chrono::milliseconds kLookEvery{300};

// Looks again and again while monitored. start() and stop() come from any thread, one at a time.
class Watching {
 public:
  explicit Watching(GstDeviceProvider* provider) : provider_(provider) {}

  void start() {
    look();  // what is there already is known when monitoring begins
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  void stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    devices_.clear();
  }

 private:
  void run(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait_for(lock, stop, kLookEvery, [] { return false; });
      if (stop.stop_requested()) return;
      look();
    }
  }

  void look() {
    std::map<std::string, GstDevice*> present;
    for (const reel::gst::DeviceFacts& facts : reel::gst::look_at_streams()) {
      const auto known = devices_.find(facts.stream);
      if (known != devices_.end() && reel::gst::facts_of(known->second) == facts)
        present.insert(*known);
      else if (GstDevice* device = reel::gst::new_device(facts))
        present.emplace(facts.stream, device);
    }
    for (const auto& [stream, device] : devices_) {
      const auto now = present.find(stream);
      if (now == present.end() || now->second != device) gst_device_provider_device_remove(provider_, device);
    }
    for (const auto& [stream, device] : present) {
      const auto before = devices_.find(stream);
      if (before == devices_.end() || before->second != device)
        gst_device_provider_device_add(provider_, device);
    }
    devices_ = std::move(present);
  }

  GstDeviceProvider* provider_;
  std::map<std::string, GstDevice*> devices_;  // the provider's
  std::jthread thread_;
};

}  // namespace

struct ReelDeviceProvider {
  GstDeviceProvider parent;
  Watching watching;
};
struct ReelDeviceProviderClass {
  GstDeviceProviderClass parent_class;
};

G_DEFINE_TYPE(ReelDeviceProvider, reel_device_provider, GST_TYPE_DEVICE_PROVIDER)

namespace {

ReelDeviceProvider* self_of(gpointer object) {
  return reinterpret_cast<ReelDeviceProvider*>(object);
}

void finalize(GObject* object) {
  self_of(object)->watching.~Watching();
  G_OBJECT_CLASS(reel_device_provider_parent_class)->finalize(object);
}

GList* probe(GstDeviceProvider* /*provider*/) {
  GList* devices = nullptr;
  for (const reel::gst::DeviceFacts& facts : reel::gst::look_at_streams()) {
    if (GstDevice* device = reel::gst::new_device(facts))
      devices = g_list_prepend(devices, gst_object_ref_sink(device));
  }
  return g_list_reverse(devices);
}

gboolean start(GstDeviceProvider* provider) {
  self_of(provider)->watching.start();
  return TRUE;
}

void stop(GstDeviceProvider* provider) {
  self_of(provider)->watching.stop();
}

}  // namespace

static void reel_device_provider_class_init(ReelDeviceProviderClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = finalize;
  auto* provider_class = GST_DEVICE_PROVIDER_CLASS(klass);
  provider_class->probe = probe;
  provider_class->start = start;
  provider_class->stop = stop;
  gst_device_provider_class_set_static_metadata(provider_class, "Reel streams", "Source/Video/Audio",
                                                "Lists the streams that processes of this user write now",
                                                "Reel");
}

static void reel_device_provider_init(ReelDeviceProvider* self) {
  new (&self->watching) Watching(&self->parent);
}

GType reel::gst::device_provider_get_type() {
  return reel_device_provider_get_type();
}
