#include "chain.hpp"

#include "apart.hpp"
#include "chain_times.hpp"
#include "encoder_watch.hpp"
#include "file_caps.hpp"
#include "gst_run.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include <reel/base/error.hpp>
#include <reel/base/quantity.hpp>
#include <reel/gst/caps.hpp>

namespace record {

namespace {

constexpr std::size_t kMostWaiting = 3;  // frames before the encoder
constexpr auto kLook = std::chrono::milliseconds(20);
// So much is in no encoder (set as these are) that goes on: pictures, and sound in ns.
constexpr std::uint64_t kManyPictures = 32;
constexpr std::int64_t kMuchSound_ns = 2'000'000'000;

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
  [[nodiscard]] bool wait_for_room(int timeout_ms);
  [[nodiscard]] bool hangs() const noexcept { return hangs_; }
  [[nodiscard]] std::int64_t timeout_ns() const noexcept { return settings_.timeout_ns; }
  [[nodiscard]] std::vector<Unit> take();
  [[nodiscard]] std::vector<Unit> drain();
  void ask_for_key_frame() { key_wanted_ = true; }

 private:
  static GstFlowReturn on_sample(GstAppSink* sink, gpointer self);
  static void on_eos(GstAppSink* sink, gpointer self);
  static GstPadProbeReturn on_leaving(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  void receive(GstSample* sample);
  void set_caps(GstCaps* caps);
  void wake();
  [[nodiscard]] bool failed();
  template <typename Done>
  bool wait(std::unique_lock<std::mutex>& lock, std::optional<std::chrono::milliseconds> timeout, Done done);
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
  std::uint64_t taken_ = 0;    // since something came out: pictures
  std::int64_t taken_ns_ = 0;  // and sound
  std::uint64_t moves_ = 0;    // frames taken, and units that came out
  std::uint64_t units_ = 0;    // the latter alone
  bool ending_ = false;
  bool ended_ = false;
  bool begun_ = false;  // something came out
  // The pushing thread's:
  EncoderWatch takes_;  // something in
  EncoderWatch gives_;  // something out
  bool hangs_ = false;
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
    : settings_(std::move(settings)),
      sound_(!settings_.coding.video),
      takes_(settings_.timeout_ns),
      gives_(settings_.timeout_ns),
      run_([this] { wake(); }) {
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
  ++chain.moves_;
  chain.changed_.notify_all();
  return GST_PAD_PROBE_OK;
}

void Chain::Impl::wake() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

/// Under the mutex.
bool Chain::Impl::failed() {
  const std::int64_t now_ns = reel::monotonic_ns();
  const bool full = taken_ >= kManyPictures || taken_ns_ >= kMuchSound_ns;
  const bool takes_not = takes_.hangs(waiting_ != 0 || ending_, moves_, now_ns);
  const bool gives_not = gives_.hangs(full && !settings_.coding.passthrough, units_, now_ns);
  hangs_ = hangs_ || takes_not || gives_not;
  return hangs_ || !run_.failure().empty();
}

/// False where it takes too long; true as well where the encoder failed.
template <typename Done>
bool Chain::Impl::wait(std::unique_lock<std::mutex>& lock, std::optional<std::chrono::milliseconds> timeout,
                       Done done) {
  const auto until = std::chrono::steady_clock::now() + timeout.value_or(std::chrono::milliseconds(0));
  while (!failed() && !done()) {
    if (timeout && std::chrono::steady_clock::now() >= until) return false;
    changed_.wait_for(lock, kLook);
  }
  return true;
}

reel::Error Chain::Impl::error() const {
  const std::string what = settings_.coding.passthrough
                               ? "cannot be recorded: "
                               : "cannot be encoded as " + settings_.coding.codec + ": ";
  const std::string failure = run_.failure();
  if (!failure.empty()) return {reel::ErrorCode::io, what + failure, settings_.where};
  return {reel::ErrorCode::timeout,
          what + settings_.coding.element + " has frames and nothing has come of them for " +
              reel::duration_text(settings_.timeout_ns) + " (encoder_timeout): it is taken to hang",
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
  bool refused = false;
  {
    std::unique_lock lock(mutex_);
    wait(lock, std::nullopt, [&] { return waiting_ < kMostWaiting; });
    refused = failed();
    if (!refused) {
      encoder_ns = encoder_time(piece, buffer);
      ++waiting_;
      if (sound_)
        taken_ns_ += piece.duration_ns;
      else
        ++taken_;
    }
  }
  if (refused) {
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

bool Chain::Impl::wait_for_room(int timeout_ms) {
  std::unique_lock lock(mutex_);
  return wait(lock, std::chrono::milliseconds(timeout_ms), [&] { return waiting_ < kMostWaiting; });
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
  ++moves_;
  ++units_;
  taken_ = 0;
  taken_ns_ = 0;
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
  bool nothing_more = false;
  {
    const std::lock_guard lock(mutex_);
    units.swap(ready_);
    nothing_more = !ended_ && failed();
  }
  if (units.empty() && (nothing_more || !run_.failure().empty())) throw error();
  return units;
}

std::vector<Unit> Chain::Impl::drain() {
  gst_app_src_end_of_stream(GST_APP_SRC(source_));
  {
    std::unique_lock lock(mutex_);
    ending_ = true;
    wait(lock, std::nullopt, [&] { return ended_; });
  }
  return take();
}

Chain::Chain(Settings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {}
// What hangs does not stop either, and keeps what its threads use.
Chain::~Chain() {
  const std::int64_t patience_ns = impl_->hangs() ? 0 : impl_->timeout_ns();
  call_apart([chain = std::shared_ptr<Impl>(std::move(impl_))]() mutable { chain.reset(); }, patience_ns);
}
void Chain::push(Piece piece) {
  impl_->push(std::move(piece));
}
bool Chain::wait_for_room(int timeout_ms) {
  return impl_->wait_for_room(timeout_ms);
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

}  // namespace record
