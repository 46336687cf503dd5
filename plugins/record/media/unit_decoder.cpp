#include "unit_decoder.hpp"

#include "gst_run.hpp"

#include <condition_variable>
#include <mutex>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/audio/audio.h>

namespace record {

namespace {

constexpr std::size_t kMostWaiting = 16;

// Of sound; 1 for a picture.
std::uint64_t samples_of(GstSample* sample) {
  GstAudioInfo info{};
  const GstCaps* caps = gst_sample_get_caps(sample);
  if (gst_structure_has_name(gst_caps_get_structure(caps, 0), "audio/x-raw") == FALSE ||
      gst_audio_info_from_caps(&info, caps) == FALSE)
    return 1;
  return gst_buffer_get_size(gst_sample_get_buffer(sample)) /
         static_cast<std::size_t>(GST_AUDIO_INFO_BPF(&info));
}

}  // namespace

class UnitDecoder::Impl {
 public:
  explicit Impl(GstCaps* caps) : run_([this] { wake(); }) {
    source_ = run_.add("appsrc");
    GstElement* decoder = run_.add("decodebin");
    sink_ = run_.add("appsink");
    g_object_set(source_, "format", GST_FORMAT_TIME, "caps", caps, "max-bytes", guint64{0}, nullptr);
    g_object_set(sink_, "sync", FALSE, "async", FALSE, nullptr);
    run_.link(source_, decoder);
    g_signal_connect(decoder, "pad-added", G_CALLBACK(&Impl::on_pad), sink_);
    GstAppSinkCallbacks callbacks{};
    callbacks.eos = &Impl::on_eos;
    callbacks.new_sample = &Impl::on_sample;
    gst_app_sink_set_callbacks(GST_APP_SINK(sink_), &callbacks, this, nullptr);
    const reel::gst::Ptr<GstPad> leaving(gst_element_get_static_pad(source_, "src"));
    gst_pad_add_probe(leaving.get(), GST_PAD_PROBE_TYPE_BUFFER, &Impl::on_leaving, this, nullptr);
    run_.play();
  }
  ~Impl() { run_.stop(); }

  void push(const Unit& unit) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return waiting_ < kMostWaiting || failed_; });
      if (failed_) return;
      ++waiting_;
    }
    GstBuffer* buffer = gst_buffer_copy(unit.buffer.get());
    if (unit.time_ns >= 0) GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(unit.time_ns);
    if (unit.decode_ns >= 0) GST_BUFFER_DTS(buffer) = static_cast<GstClockTime>(unit.decode_ns);
    gst_app_src_push_buffer(GST_APP_SRC(source_), buffer);
    pushed_ = true;
  }

  Result finish() {
    gst_app_src_end_of_stream(GST_APP_SRC(source_));
    std::unique_lock lock(mutex_);
    if (pushed_) changed_.wait(lock, [&] { return ended_ || failed_; });
    Result result{decoded_, run_.failure()};
    if (result.fault.empty()) result.fault = run_.warning();
    return result;
  }

 private:
  static void on_pad(GstElement*, GstPad* from, GstElement* sink) {
    const reel::gst::Ptr<GstPad> to(gst_element_get_static_pad(sink, "sink"));
    if (gst_pad_is_linked(to.get()) == FALSE) gst_pad_link(from, to.get());
  }
  static GstPadProbeReturn on_leaving(GstPad*, GstPadProbeInfo*, gpointer self) {
    auto& decoder = *static_cast<Impl*>(self);
    const std::lock_guard lock(decoder.mutex_);
    --decoder.waiting_;
    decoder.changed_.notify_all();
    return GST_PAD_PROBE_OK;
  }
  static GstFlowReturn on_sample(GstAppSink* sink, gpointer self) {
    auto& decoder = *static_cast<Impl*>(self);
    const reel::gst::Ptr<GstSample> sample(gst_app_sink_pull_sample(sink));
    if (!sample) return GST_FLOW_EOS;
    const std::lock_guard lock(decoder.mutex_);
    decoder.decoded_ += samples_of(sample.get());
    return GST_FLOW_OK;
  }
  static void on_eos(GstAppSink*, gpointer self) {
    auto& decoder = *static_cast<Impl*>(self);
    const std::lock_guard lock(decoder.mutex_);
    decoder.ended_ = true;
    decoder.changed_.notify_all();
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::size_t waiting_ = 0;
  std::uint64_t decoded_ = 0;
  bool ended_ = false;
  bool failed_ = false;
  bool pushed_ = false;  // the caller's
  GstRun run_;
  GstElement* source_ = nullptr;
  GstElement* sink_ = nullptr;
};

UnitDecoder::UnitDecoder(GstCaps* caps) : impl_(std::make_unique<Impl>(caps)) {}
UnitDecoder::~UnitDecoder() = default;
void UnitDecoder::push(const Unit& unit) {
  impl_->push(unit);
}
UnitDecoder::Result UnitDecoder::finish() {
  return impl_->finish();
}

}  // namespace record
