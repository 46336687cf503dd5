#include "chain.hpp"

#include "chain_times.hpp"
#include "file_caps.hpp"
#include "gst_run.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include <reel/base/error.hpp>
#include <reel/gst/caps.hpp>

namespace record {

namespace {

constexpr std::size_t kMostWaiting = 3;  // frames before the encoder

// Samples that an encoder puts before those that it was given, and does not say so in the times of what comes
// out. Measured: see record_sound_times in the tests.
std::int64_t priming_samples(const std::string& element) {
  if (element == "avenc_aac") return 1024;
  return 0;
}

bool has_unknown_rate(const reel::Format& format) {
  return format.video() != nullptr && format.video()->fps.numerator == 0;
}

// Some encoders (x265) do not begin without a frame rate, which is no more than a hint to any of them.
reel::gst::Ptr<GstCaps> caps_for_encoder(const reel::Format& format) {
  reel::gst::Ptr<GstCaps> caps = reel::gst::caps_from_format(format);
  if (has_unknown_rate(format))
    gst_caps_set_simple(caps.get(), "framerate", GST_TYPE_FRACTION, 25, 1, nullptr);
  return caps;
}

// What the file is to say, which the encoder does not know.
reel::gst::Ptr<GstCaps> caps_for_file(const reel::Format& format, GstCaps* caps) {
  reel::gst::Ptr<GstCaps> copy(gst_caps_copy(caps));
  if (has_unknown_rate(format))
    gst_caps_set_simple(copy.get(), "framerate", GST_TYPE_FRACTION, 0, 1, nullptr);
  complete_for_file(copy.get());
  return copy;
}

}  // namespace

class Chain::Impl {
 public:
  explicit Impl(Settings settings);
  ~Impl() { run_.stop(); }
  void push(Piece piece);
  [[nodiscard]] bool room() const;
  [[nodiscard]] std::vector<Unit> take();
  [[nodiscard]] std::vector<Unit> drain();
  void ask_for_key_frame() { key_wanted_ = true; }
  [[nodiscard]] std::uint64_t refused() const;

 private:
  static GstFlowReturn on_sample(GstAppSink* sink, gpointer self);
  static void on_eos(GstAppSink* sink, gpointer self);
  static GstPadProbeReturn on_leaving(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  void receive(GstSample* sample);
  void set_caps(GstCaps* caps);
  void wake();
  [[nodiscard]] std::int64_t encoder_time(const Piece& piece, const GstBuffer* buffer);
  void ask_in_time(std::int64_t encoder_ns);
  [[nodiscard]] bool begun() const;
  [[nodiscard]] reel::Error error() const;

  Settings settings_;
  bool sound_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  ChainTimes times_;
  std::vector<Unit> ready_;
  std::size_t waiting_ = 0;
  bool ended_ = false;
  bool begun_ = false;  // something came out
  // The pushing thread's:
  std::uint64_t samples_ = 0;
  bool key_wanted_ = false;
  std::optional<std::int64_t> last_asked_ns_;
  // The appsink's thread's:
  std::shared_ptr<GstCaps> caps_;
  reel::gst::Ptr<GstCaps> raw_caps_;
  GstRun run_;
  GstElement* source_ = nullptr;
  GstElement* sink_ = nullptr;
};

Chain::Impl::Impl(Settings settings)
    : settings_(std::move(settings)), sound_(!settings_.coding.video), run_([this] { wake(); }) {
  source_ = run_.add("appsrc");
  GstElement* middle = run_.add_text(settings_.coding.launch);
  sink_ = run_.add("appsink");
  const reel::gst::Ptr<GstCaps> caps = caps_for_encoder(settings_.format);
  g_object_set(source_, "format", GST_FORMAT_TIME, "caps", caps.get(), "max-bytes", guint64{0}, nullptr);
  g_object_set(sink_, "sync", FALSE, "async", FALSE, nullptr);
  run_.link(source_, middle);
  run_.link(middle, sink_);
  GstAppSinkCallbacks callbacks{};
  callbacks.eos = &Impl::on_eos;
  callbacks.new_sample = &Impl::on_sample;
  gst_app_sink_set_callbacks(GST_APP_SINK(sink_), &callbacks, this, nullptr);
  const reel::gst::Ptr<GstPad> leaving(gst_element_get_static_pad(source_, "src"));
  gst_pad_add_probe(leaving.get(), GST_PAD_PROBE_TYPE_BUFFER, &Impl::on_leaving, this, nullptr);
  run_.play();
}

GstPadProbeReturn Chain::Impl::on_leaving(GstPad*, GstPadProbeInfo*, gpointer self) {
  auto& chain = *static_cast<Impl*>(self);
  const std::lock_guard lock(chain.mutex_);
  --chain.waiting_;
  chain.changed_.notify_all();
  return GST_PAD_PROBE_OK;
}

void Chain::Impl::wake() {
  {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
  if (settings_.on_unit) settings_.on_unit();
}

reel::Error Chain::Impl::error() const {
  return {reel::ErrorCode::io,
          (settings_.coding.passthrough ? "cannot be recorded: "
                                        : "cannot be encoded as " + settings_.coding.codec + ": ") +
              run_.failure(),
          settings_.where};
}

std::int64_t Chain::Impl::encoder_time(const Piece& piece, const GstBuffer* buffer) {
  const reel::AudioFormat* audio = settings_.format.audio();
  if (audio == nullptr) return times_.add(piece);
  const auto before = static_cast<std::int64_t>(gst_util_uint64_scale(samples_, GST_SECOND, audio->rate_hz));
  samples_ += gst_buffer_get_size(const_cast<GstBuffer*>(buffer)) / sample_frame_bytes(*audio);
  return times_.add_sound(piece, before);
}

// An encoder's own key frames come by count; these by time. GstVideoEncoder takes a request that it has
// before its first picture for one of a thousand hours later where the encoder counts from there (x264enc),
// and passes over all that come until then.
void Chain::Impl::ask_in_time(std::int64_t encoder_ns) {
  const std::int64_t interval_ns = settings_.coding.key_interval_ns;
  if (sound_ || settings_.coding.passthrough || interval_ns <= 0) return;
  if (!last_asked_ns_) last_asked_ns_ = encoder_ns;
  const bool due = encoder_ns - *last_asked_ns_ >= interval_ns;
  if (!(due || key_wanted_) || !begun()) return;
  last_asked_ns_ = encoder_ns;
  key_wanted_ = false;
  const reel::gst::Ptr<GstPad> pad(gst_element_get_static_pad(sink_, "sink"));
  gst_pad_push_event(
      pad.get(), gst_video_event_new_upstream_force_key_unit(static_cast<GstClockTime>(encoder_ns), TRUE, 0));
}

bool Chain::Impl::begun() const {
  const std::lock_guard lock(mutex_);
  return begun_;
}

void Chain::Impl::push(Piece piece) {
  GstBuffer* buffer = gst_buffer_copy(piece.buffer.get());
  std::int64_t encoder_ns = 0;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ < kMostWaiting || !run_.failure().empty(); });
    if (run_.failure().empty()) {
      encoder_ns = encoder_time(piece, buffer);
      ++waiting_;
    }
  }
  if (!run_.failure().empty()) {
    gst_buffer_unref(buffer);
    throw error();
  }
  GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(encoder_ns);
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(buffer) = piece.duration_ns > 0 && !settings_.format.audio()
                                    ? static_cast<GstClockTime>(piece.duration_ns)
                                    : GST_CLOCK_TIME_NONE;
  if (settings_.coding.passthrough && settings_.coding.video && !piece.key)
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  ask_in_time(encoder_ns);
  gst_app_src_push_buffer(GST_APP_SRC(source_), buffer);
}

bool Chain::Impl::room() const {
  const std::lock_guard lock(mutex_);
  return waiting_ < kMostWaiting;
}

void Chain::Impl::set_caps(GstCaps* caps) {
  if (raw_caps_ && gst_caps_is_equal(raw_caps_.get(), caps) != FALSE) return;
  raw_caps_.reset(gst_caps_ref(caps));
  caps_ = std::shared_ptr<GstCaps>(caps_for_file(settings_.format, caps).release(), reel::gst::Unref{});
  gint rate = 0;
  if (sound_ && gst_structure_get_int(gst_caps_get_structure(caps, 0), "rate", &rate) != FALSE && rate > 0) {
    const std::lock_guard lock(mutex_);
    times_.set_delay(priming_samples(settings_.coding.element) * 1'000'000'000 / rate);
  }
}

void Chain::Impl::receive(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  set_caps(gst_sample_get_caps(sample));
  // Stream headers (FLAC's) are in the caps and have no times.
  if (!GST_BUFFER_PTS_IS_VALID(buffer)) return;
  const auto encoder_ns = static_cast<std::int64_t>(
      gst_segment_to_running_time(gst_sample_get_segment(sample), GST_FORMAT_TIME, GST_BUFFER_PTS(buffer)));
  const auto duration_ns = static_cast<std::int64_t>(GST_BUFFER_DURATION(buffer));
  const std::lock_guard lock(mutex_);
  std::optional<Unit> unit =
      sound_ ? times_.place_sound(encoder_ns, duration_ns) : times_.place_picture(encoder_ns);
  if (!unit) return;
  unit->track = settings_.track;
  unit->key = sound_ || !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  unit->buffer = std::shared_ptr<GstBuffer>(gst_buffer_ref(buffer), reel::gst::Unref{});
  unit->caps = caps_;
  begun_ = true;
  ready_.push_back(std::move(*unit));
}

GstFlowReturn Chain::Impl::on_sample(GstAppSink* sink, gpointer self) {
  auto& chain = *static_cast<Impl*>(self);
  const reel::gst::Ptr<GstSample> sample(gst_app_sink_pull_sample(sink));
  if (!sample) return GST_FLOW_EOS;
  chain.receive(sample.get());
  chain.wake();
  return GST_FLOW_OK;
}

void Chain::Impl::on_eos(GstAppSink*, gpointer self) {
  auto& chain = *static_cast<Impl*>(self);
  {
    const std::lock_guard lock(chain.mutex_);
    chain.ended_ = true;
  }
  chain.wake();
}

std::vector<Unit> Chain::Impl::take() {
  std::vector<Unit> units;
  {
    const std::lock_guard lock(mutex_);
    units.swap(ready_);
  }
  if (units.empty() && !run_.failure().empty()) throw error();
  return units;
}

std::vector<Unit> Chain::Impl::drain() {
  gst_app_src_end_of_stream(GST_APP_SRC(source_));
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || !run_.failure().empty(); });
  }
  return take();
}

std::uint64_t Chain::Impl::refused() const {
  const std::lock_guard lock(mutex_);
  return times_.refused();
}

Chain::Chain(Settings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {}
Chain::~Chain() = default;
void Chain::push(Piece piece) {
  impl_->push(std::move(piece));
}
bool Chain::room() const {
  return impl_->room();
}
std::vector<Unit> Chain::take() {
  return impl_->take();
}
std::vector<Unit> Chain::drain() {
  return impl_->drain();
}
void Chain::ask_for_key_frame() {
  impl_->ask_for_key_frame();
}
std::uint64_t Chain::refused() const {
  return impl_->refused();
}

}  // namespace record
