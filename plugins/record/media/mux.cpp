#include "mux.hpp"

#include "apart.hpp"
#include "encoder_watch.hpp"
#include "fragment_times.hpp"
#include "gst_run.hpp"
#include "mux_output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <utility>

#include <gst/app/gstappsrc.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/quantity.hpp>

namespace record {

namespace {

using reel::Error;
using reel::ErrorCode;

constexpr auto kLook = std::chrono::milliseconds(20);

struct TrackState {
  GstElement* source = nullptr;  // of the muxer's pipeline, once it runs
  std::shared_ptr<GstCaps> caps;
  bool left = false;
  std::int64_t begin_ns = 0;  // of its first unit
  std::int64_t last_ns = 0;   // of decoding, of the unit before
  std::int64_t step_ns = 0;   // between the two before
};

GstClockTime file_time(std::int64_t media_ns, std::int64_t origin_ns) {
  return static_cast<GstClockTime>(std::max<std::int64_t>(0, media_ns - origin_ns));
}

}  // namespace

int DescriptorSink::write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return EIO;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return 0;
}

class Mux::Impl {
 public:
  Impl(Settings settings, ByteSink& sink);
  ~Impl() { run_.stop(); }
  void write(const Unit& unit);
  void leave(std::size_t track);
  void finish();
  [[nodiscard]] bool hangs() const noexcept { return hangs_; }
  void detach() { output_.detach(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return output_.bytes(); }
  [[nodiscard]] std::optional<std::int64_t> origin_ns() const noexcept { return settings_.origin_ns; }
  [[nodiscard]] std::size_t held_bytes() const noexcept;

 private:
  void check_track(std::size_t track, const char* what) const;
  void begin_when_complete();
  void begin();
  [[nodiscard]] std::int64_t earliest_held() const;
  void make_muxer();
  void add_track(TrackState& track);
  [[nodiscard]] std::int64_t duration_in_file(const Unit& unit);
  void hand_over(const Unit& unit);
  void end_track(TrackState& track) const;
  void throw_failure() const;
  void wake();

  Settings settings_;
  std::vector<TrackState> tracks_;
  std::vector<Unit> held_;  // before the muxer runs
  bool running_ = false;
  bool hangs_ = false;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;  // guarded by mutex_
  FragmentTimes fragment_times_;
  MuxOutput output_;
  GstRun run_;  // stops before the output goes
  GstElement* muxer_ = nullptr;
};

Mux::Impl::Impl(Settings settings, ByteSink& sink)
    : settings_(std::move(settings)),
      tracks_(settings_.tracks),
      fragment_times_(sink),
      output_(
          settings_.container == Container::mp4 && settings_.fast_start_file.empty() ? fragment_times_ : sink,
          [this] {
            {
              const std::lock_guard lock(mutex_);
              ended_ = true;
            }
            wake();
          },
          [this](int error) {
            run_.fail(std::string("its bytes cannot be written: ") + std::strerror(error));
          }),
      run_([this] { wake(); }) {}

void Mux::Impl::wake() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void Mux::Impl::throw_failure() const {
  const std::string failure = run_.failure();
  if (!failure.empty()) throw Error(ErrorCode::io, "cannot be written: " + failure, settings_.where);
}

void Mux::Impl::check_track(std::size_t track, const char* what) const {
  if (track >= tracks_.size())
    throw Error(ErrorCode::bad_argument,
                std::string(what) + " track " + std::to_string(track) + " of a file of " +
                    std::to_string(tracks_.size()) + " tracks",
                settings_.where);
}

void Mux::Impl::make_muxer() {
  const auto cluster_ms = static_cast<guint>(std::max<std::int64_t>(1, settings_.cluster_ns / 1'000'000));
  if (settings_.container == Container::matroska) {
    muxer_ = run_.add("matroskamux");
    // A cluster begins at each key frame, so that files without an index can be entered; sound alone has
    // none.
    const bool pictures = std::any_of(tracks_.begin(), tracks_.end(),
                                      [](const TrackState& track) { return is_video(track.caps.get()); });
    g_object_set(muxer_, "writing-app", "Reel", "min-cluster-duration",
                 gint64{pictures ? 0 : settings_.cluster_ns}, "max-cluster-duration",
                 gint64{settings_.cluster_ns}, nullptr);
  } else {
    muxer_ = run_.add("mp4mux");
    if (settings_.fast_start_file.empty())
      g_object_set(muxer_, "fragment-duration", cluster_ms, nullptr);
    else
      g_object_set(muxer_, "faststart", TRUE, "faststart-file", settings_.fast_start_file.c_str(), nullptr);
  }
}

void Mux::Impl::add_track(TrackState& track) {
  track.source = run_.add("appsrc");
  g_object_set(track.source, "format", GST_FORMAT_TIME, "caps", track.caps.get(), "max-bytes", guint64{0},
               nullptr);
  const reel::gst::Ptr<GstPad> from(gst_element_get_static_pad(track.source, "src"));
  const reel::gst::Ptr<GstPad> to(
      gst_element_request_pad_simple(muxer_, is_video(track.caps.get()) ? "video_%u" : "audio_%u"));
  // Times of pictures come at any rate: ticks that all usual ones are whole numbers of.
  if (to && settings_.container == Container::mp4 && is_video(track.caps.get()))
    g_object_set(to.get(), "trak-timescale", guint{90'000}, nullptr);
  if (!to || gst_pad_link(from.get(), to.get()) != GST_PAD_LINK_OK)
    throw Error(ErrorCode::unsupported,
                std::string(to_string(settings_.container)) + " files cannot hold \"" +
                    reel::gst::Text(gst_caps_to_string(track.caps.get())).get() + "\"",
                settings_.where);
}

void Mux::Impl::begin_when_complete() {
  const auto ready = [](const TrackState& track) { return track.caps || track.left; };
  if (!running_ && !held_.empty() && std::all_of(tracks_.begin(), tracks_.end(), ready)) begin();
}

// Pictures out of order are decoded before the first one is shown: that has its time in the file too.
std::int64_t Mux::Impl::earliest_held() const {
  std::int64_t earliest_ns = INT64_MAX;
  for (const Unit& unit : held_) earliest_ns = std::min({earliest_ns, unit.time_ns, unit.decode_ns});
  return earliest_ns;
}

void Mux::Impl::begin() {
  if (!settings_.origin_ns) settings_.origin_ns = earliest_held();
  make_muxer();
  std::vector<std::int64_t> begins_ns;
  for (TrackState& track : tracks_) {
    if (!track.caps) continue;
    add_track(track);
    begins_ns.push_back(std::max<std::int64_t>(0, track.begin_ns - *settings_.origin_ns));
  }
  fragment_times_.set_begins(std::move(begins_ns));
  output_.attach(muxer_);
  run_.play();
  running_ = true;
  for (const Unit& unit : held_) hand_over(unit);
  held_.clear();
  for (TrackState& track : tracks_)
    if (track.left) end_track(track);
}

std::int64_t Mux::Impl::duration_in_file(const Unit& unit) {
  TrackState& track = tracks_[unit.track];
  if (unit.decode_ns > track.begin_ns) track.step_ns = unit.decode_ns - track.last_ns;
  track.last_ns = unit.decode_ns;
  // An MP4's last picture is not shown where it has no duration.
  if (settings_.container == Container::mp4) return unit.duration_ns > 0 ? unit.duration_ns : track.step_ns;
  // matroskamux puts a block with a duration of its own into a group, which says no longer that it is no key
  // frame.
  return unit.key ? unit.duration_ns : 0;
}

void Mux::Impl::hand_over(const Unit& unit) {
  GstBuffer* buffer = gst_buffer_copy(unit.buffer.get());
  GST_BUFFER_PTS(buffer) = file_time(unit.time_ns, *settings_.origin_ns);
  GST_BUFFER_DTS(buffer) = file_time(unit.decode_ns, *settings_.origin_ns);
  const std::int64_t duration_ns = duration_in_file(unit);
  GST_BUFFER_DURATION(buffer) =
      duration_ns > 0 ? static_cast<GstClockTime>(duration_ns) : GST_CLOCK_TIME_NONE;
  GST_BUFFER_FLAGS(buffer) &= ~static_cast<guint>(GST_BUFFER_FLAG_DELTA_UNIT | GST_BUFFER_FLAG_DISCONT);
  if (!unit.key) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  gst_app_src_push_buffer(GST_APP_SRC(tracks_[unit.track].source), buffer);
}

void Mux::Impl::write(const Unit& unit) {
  check_track(unit.track, "a unit of");
  throw_failure();
  TrackState& track = tracks_[unit.track];
  if (track.left)
    throw Error(ErrorCode::bad_argument, "a unit of track " + std::to_string(unit.track) + ", which has left",
                settings_.where);
  if (!track.caps) {
    track.caps = unit.caps;
    track.begin_ns = track.last_ns = unit.decode_ns;
  }
  if (track.caps != unit.caps && gst_caps_is_equal(track.caps.get(), unit.caps.get()) == FALSE)
    throw Error(ErrorCode::bad_argument,
                "track " + std::to_string(unit.track) + " changed to \"" +
                    reel::gst::Text(gst_caps_to_string(unit.caps.get())).get() + "\", which needs a new file",
                settings_.where);
  if (running_) return hand_over(unit);
  held_.push_back(unit);
  begin_when_complete();
}

void Mux::Impl::end_track(TrackState& track) const {
  if (track.source != nullptr) gst_app_src_end_of_stream(GST_APP_SRC(track.source));
}

void Mux::Impl::leave(std::size_t number) {
  check_track(number, "leaving");
  TrackState& track = tracks_[number];
  if (track.left || !run_.failure().empty()) return;
  track.left = true;
  if (running_)
    end_track(track);
  else
    begin_when_complete();
}

void Mux::Impl::finish() {
  throw_failure();
  for (std::size_t track = 0; track < tracks_.size(); ++track) leave(track);
  if (!running_) return;
  EncoderWatch watch(settings_.timeout_ns);
  std::unique_lock lock(mutex_);
  while (!ended_ && !hangs_ && run_.failure().empty()) {
    changed_.wait_for(lock, kLook);
    hangs_ = !ended_ && watch.hangs(!output_.writing(), bytes() - held_bytes(), reel::monotonic_ns());
  }
  lock.unlock();
  throw_failure();
  if (hangs_)
    throw Error(ErrorCode::timeout,
                "cannot be finished: its muxer has done nothing for " +
                    reel::duration_text(settings_.timeout_ns) + "; it stays open, to be repaired",
                settings_.where);
}

std::size_t Mux::Impl::held_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const Unit& unit : held_) bytes += unit.bytes();
  for (const TrackState& track : tracks_)
    if (track.source != nullptr)
      bytes += static_cast<std::size_t>(gst_app_src_get_current_level_bytes(GST_APP_SRC(track.source)));
  return bytes;
}

Mux::Mux(Settings settings, ByteSink& sink) : impl_(std::make_unique<Impl>(std::move(settings), sink)) {}
Mux::~Mux() {
  if (!impl_->hangs()) return;
  impl_->detach();
  call_apart([mux = std::shared_ptr<Impl>(std::move(impl_))]() mutable { mux.reset(); }, 0);
}
void Mux::write(const Unit& unit) {
  impl_->write(unit);
}
void Mux::leave(std::size_t track) {
  impl_->leave(track);
}
void Mux::finish() {
  impl_->finish();
}
std::uint64_t Mux::bytes() const noexcept {
  return impl_->bytes();
}
std::optional<std::int64_t> Mux::origin_ns() const noexcept {
  return impl_->origin_ns();
}
std::size_t Mux::held_bytes() const noexcept {
  return impl_->held_bytes();
}

}  // namespace record
