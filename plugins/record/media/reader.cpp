#include "reader.hpp"

#include "decode_times.hpp"
#include "file_caps.hpp"
#include "file_kind.hpp"
#include "gst_run.hpp"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>

#include <reel/base/error.hpp>

namespace record {

namespace {

// What is read ahead of whoever takes the units.
constexpr std::size_t kMostBytes = 32U << 20U;
constexpr std::size_t kMostUnits = 512;

/// Of a track whose stream is "HASH/NUMBER" or "HASH/NUMBER:UID", by the number that its file gives it, from
/// 1: as both demuxers make it.
[[nodiscard]] std::optional<std::size_t> place_of(std::string_view stream_id) {
  stream_id.remove_prefix(std::min(stream_id.size(), stream_id.rfind('/') + 1));
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(stream_id.data(), stream_id.data() + stream_id.size(), number);
  if (error != std::errc{} || number == 0) return std::nullopt;
  return number - 1;
}

}  // namespace

class UnitReader::Impl {
 public:
  explicit Impl(const std::string& path);
  ~Impl();
  [[nodiscard]] const std::vector<TrackInfo>& tracks() const noexcept { return infos_; }
  [[nodiscard]] Container container() const noexcept { return container_; }
  [[nodiscard]] std::optional<std::int64_t> duration_ns() const noexcept { return duration_ns_; }
  [[nodiscard]] std::optional<Unit> next();
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
  void seek(std::int64_t time_ns);

 private:
  struct Track {
    Impl* reader = nullptr;
    std::size_t number = 0;
    std::size_t place = 0;
    reel::gst::Ptr<GstPad> pad;
    std::shared_ptr<GstCaps> caps;
    GstSegment segment{};
    DecodeTimes decode_times;
    std::uint64_t count = 0;
    std::int64_t end_ns = 0;
    bool ended = false;
  };
  static void on_pad(GstElement* demuxer, GstPad* from, Impl* reader);
  static void on_all_pads(GstElement* demuxer, Impl* reader);
  static GstFlowReturn on_buffer(GstPad* pad, GstObject* parent, GstBuffer* buffer);
  static gboolean on_event(GstPad* pad, GstObject* parent, GstEvent* event);
  void begin_track(GstPad* from);
  GstFlowReturn receive(Track& track, const reel::gst::Ptr<GstBuffer>& buffer);
  void handle(Track& track, GstEvent* event);
  void set_caps(Track& track, GstCaps* caps);
  [[nodiscard]] Unit unit_of(Track& track, GstBuffer* buffer) const;
  [[nodiscard]] bool full() const { return bytes_ > kMostBytes || units_.size() > kMostUnits; }
  [[nodiscard]] bool over() const;
  void learn_tracks();
  [[nodiscard]] std::optional<Unit> read();
  [[nodiscard]] std::size_t leading_track() const;
  void jump(std::int64_t time_ns);

  std::string path_;
  Container container_;
  std::vector<TrackInfo> infos_;
  std::optional<std::int64_t> duration_ns_;
  std::string fault_;
  std::deque<Unit> found_;  // by seek(), ahead of what is read
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::vector<std::unique_ptr<Track>> tracks_;
  std::deque<Unit> units_;
  std::size_t bytes_ = 0;
  bool all_pads_ = false;
  bool flushing_ = false;
  bool failed_ = false;
  GstRun run_;
  GstElement* demuxer_ = nullptr;
};

UnitReader::Impl::Impl(const std::string& path)
    : path_(path), container_(container_of(path)), run_([this] {
        const std::lock_guard lock(mutex_);
        failed_ = true;
        changed_.notify_all();
      }) {
  GstElement* source = run_.add("filesrc");
  demuxer_ = run_.add(container_ == Container::matroska ? "matroskademux" : "qtdemux");
  g_object_set(source, "location", path.c_str(), nullptr);
  run_.link(source, demuxer_);
  g_signal_connect(demuxer_, "pad-added", G_CALLBACK(&Impl::on_pad), this);
  g_signal_connect(demuxer_, "no-more-pads", G_CALLBACK(&Impl::on_all_pads), this);
  run_.play();
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return all_pads_ || failed_; });
  }
  learn_tracks();
}

UnitReader::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex_);
    flushing_ = true;
    changed_.notify_all();
  }
  run_.stop();
}

void UnitReader::Impl::learn_tracks() {
  std::unique_lock lock(mutex_);
  // The first unit brings a track's caps where its pad did not.
  changed_.wait(lock, [&] {
    return over() || full() || std::all_of(tracks_.begin(), tracks_.end(), [](const auto& track) {
             return track->caps != nullptr;
           });
  });
  for (const auto& track : tracks_)
    infos_.push_back({codec_of(track->caps.get()), is_video(track->caps.get()), track->caps, track->place});
  lock.unlock();
  if (infos_.empty())
    throw reel::Error(reel::ErrorCode::protocol, "nothing in it can be read: " + run_.failure(), path_);
  gint64 duration = 0;
  const bool known =
      gst_element_query_duration(demuxer_, GST_FORMAT_TIME, &duration) != FALSE && duration > 0;
  if (known && is_finished(path_, container_)) duration_ns_ = duration;
}

void UnitReader::Impl::on_pad(GstElement*, GstPad* from, Impl* reader) {
  reader->begin_track(from);
}

void UnitReader::Impl::begin_track(GstPad* from) {
  auto track = std::make_unique<Track>();
  track->reader = this;
  // Of a template that takes anything: without one, a pad takes no other caps than its first.
  static GstStaticPadTemplate anything =
      GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  track->pad.reset(
      static_cast<GstPad*>(gst_object_ref_sink(gst_pad_new_from_static_template(&anything, nullptr))));
  gst_segment_init(&track->segment, GST_FORMAT_TIME);
  GstPad* pad = track->pad.get();
  gst_pad_set_element_private(pad, track.get());
  gst_pad_set_chain_function(pad, &Impl::on_buffer);
  gst_pad_set_event_function(pad, &Impl::on_event);
  {
    const std::lock_guard lock(mutex_);
    track->number = track->place = tracks_.size();
    tracks_.push_back(std::move(track));
  }
  gst_pad_set_active(pad, TRUE);
  gst_pad_link_full(from, pad, GST_PAD_LINK_CHECK_NOTHING);
}

void UnitReader::Impl::on_all_pads(GstElement*, Impl* reader) {
  const std::lock_guard lock(reader->mutex_);
  reader->all_pads_ = true;
  reader->changed_.notify_all();
}

Unit UnitReader::Impl::unit_of(Track& track, GstBuffer* buffer) const {
  const auto time_of = [&](GstClockTime time, std::int64_t otherwise) {
    guint64 stream = 0;
    if (!GST_CLOCK_TIME_IS_VALID(time)) return otherwise;
    const int sign = gst_segment_to_stream_time_full(&track.segment, GST_FORMAT_TIME, time, &stream);
    return sign < 0 ? -static_cast<std::int64_t>(stream) : static_cast<std::int64_t>(stream);
  };
  Unit unit;
  unit.track = track.number;
  unit.time_ns = time_of(GST_BUFFER_PTS(buffer), track.end_ns);
  unit.decode_ns = GST_BUFFER_DTS_IS_VALID(buffer)
                       ? track.decode_times.given(time_of(GST_BUFFER_DTS(buffer), 0))
                       : track.decode_times.next(unit.time_ns);
  unit.duration_ns =
      GST_BUFFER_DURATION_IS_VALID(buffer) ? static_cast<std::int64_t>(GST_BUFFER_DURATION(buffer)) : 0;
  unit.key = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  unit.discont = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  unit.frame = track.count++;
  unit.buffer = std::shared_ptr<GstBuffer>(gst_buffer_ref(buffer), reel::gst::Unref{});
  unit.caps = track.caps;
  track.end_ns = unit.time_ns + unit.duration_ns;
  return unit;
}

GstFlowReturn UnitReader::Impl::receive(Track& track, const reel::gst::Ptr<GstBuffer>& buffer) {
  // Stream headers (FLAC's) are in the caps and have no times.
  if (GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_HEADER) && !GST_BUFFER_PTS_IS_VALID(buffer.get()))
    return GST_FLOW_OK;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return flushing_ || !full(); });
  if (flushing_) return GST_FLOW_FLUSHING;
  units_.push_back(unit_of(track, buffer.get()));
  bytes_ += units_.back().bytes();
  changed_.notify_all();
  return GST_FLOW_OK;
}

GstFlowReturn UnitReader::Impl::on_buffer(GstPad* pad, GstObject*, GstBuffer* buffer) {
  const reel::gst::Ptr<GstBuffer> owned(buffer);
  auto& track = *static_cast<Track*>(gst_pad_get_element_private(pad));
  return track.reader->receive(track, owned);
}

// From fragment to fragment an MP4's pictures are of another rate, which says nothing of what they are.
void UnitReader::Impl::set_caps(Track& track, GstCaps* caps) {
  std::shared_ptr<GstCaps> next(gst_caps_copy(caps), reel::gst::Unref{});
  complete_for_file(next.get());
  if (track.caps) {
    const GstStructure* known = gst_caps_get_structure(track.caps.get(), 0);
    if (const GValue* rate = gst_structure_get_value(known, "framerate"); rate != nullptr)
      gst_caps_set_value(next.get(), "framerate", rate);
    else
      gst_structure_remove_field(gst_caps_get_structure(next.get(), 0), "framerate");
    if (gst_caps_is_equal(track.caps.get(), next.get()) != FALSE) return;
  }
  track.caps = std::move(next);
}

void UnitReader::Impl::handle(Track& track, GstEvent* event) {
  const std::lock_guard lock(mutex_);
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START: {
      const gchar* id = nullptr;
      gst_event_parse_stream_start(event, &id);
      track.place = place_of(id).value_or(track.number);
      break;
    }
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      set_caps(track, caps);
      break;
    }
    case GST_EVENT_SEGMENT: gst_event_copy_segment(event, &track.segment); break;
    case GST_EVENT_EOS: track.ended = true; break;
    case GST_EVENT_FLUSH_START: flushing_ = true; break;
    case GST_EVENT_FLUSH_STOP:
      flushing_ = false;
      track.ended = false;
      track.decode_times = {};
      units_.clear();
      bytes_ = 0;
      break;
    default: break;
  }
  changed_.notify_all();
}

gboolean UnitReader::Impl::on_event(GstPad* pad, GstObject*, GstEvent* event) {
  auto& track = *static_cast<Track*>(gst_pad_get_element_private(pad));
  track.reader->handle(track, event);
  gst_event_unref(event);
  return TRUE;
}

// REQUIRES: mutex_ is held. No more units come.
bool UnitReader::Impl::over() const {
  return failed_ || (all_pads_ && std::all_of(tracks_.begin(), tracks_.end(),
                                              [](const auto& track) { return track->ended; }));
}

std::optional<Unit> UnitReader::Impl::read() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !units_.empty() || over(); });
  if (units_.empty()) {
    lock.unlock();
    fault_ = run_.failure();
    return std::nullopt;
  }
  Unit unit = std::move(units_.front());
  units_.pop_front();
  bytes_ -= unit.bytes();
  changed_.notify_all();
  return unit;
}

std::size_t UnitReader::Impl::leading_track() const {
  const auto video =
      std::find_if(infos_.begin(), infos_.end(), [](const TrackInfo& info) { return info.video; });
  return video == infos_.end() ? 0 : static_cast<std::size_t>(video - infos_.begin());
}

void UnitReader::Impl::jump(std::int64_t time_ns) {
  const auto flags =
      static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT | GST_SEEK_FLAG_SNAP_BEFORE);
  GstPad* pad = nullptr;
  {
    const std::lock_guard lock(mutex_);
    pad = tracks_[leading_track()]->pad.get();
  }
  GstEvent* event =
      gst_event_new_seek(1.0, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET, time_ns, GST_SEEK_TYPE_NONE, 0);
  if (gst_pad_push_event(pad, event) == FALSE)
    throw reel::Error(reel::ErrorCode::io, "cannot go to " + std::to_string(time_ns) + " ns in it", path_);
}

// A file without an index is read from its begin: where a guess leads to is no key frame.
void UnitReader::Impl::seek(std::int64_t time_ns) {
  found_.clear();
  if (duration_ns_) return jump(std::max<std::int64_t>(0, time_ns));
  jump(0);
  std::deque<Unit> found;
  while (std::optional<Unit> unit = read()) {
    const bool leads = unit->track == leading_track();
    const bool over = leads && unit->time_ns > time_ns;
    if (leads && unit->key && !over) found.clear();
    found.push_back(std::move(*unit));
    if (over) break;
  }
  found_ = std::move(found);
}

std::optional<Unit> UnitReader::Impl::next() {
  if (found_.empty()) return read();
  Unit unit = std::move(found_.front());
  found_.pop_front();
  return unit;
}

UnitReader::UnitReader(const std::string& path) : impl_(std::make_unique<Impl>(path)) {}
UnitReader::~UnitReader() = default;
const std::vector<UnitReader::TrackInfo>& UnitReader::tracks() const noexcept {
  return impl_->tracks();
}
Container UnitReader::container() const noexcept {
  return impl_->container();
}
std::optional<std::int64_t> UnitReader::duration_ns() const noexcept {
  return impl_->duration_ns();
}
std::optional<Unit> UnitReader::next() {
  return impl_->next();
}
const std::string& UnitReader::fault() const noexcept {
  return impl_->fault();
}
void UnitReader::seek(std::int64_t time_ns) {
  impl_->seek(time_ns);
}

}  // namespace record
