#include "thumbnail.hpp"

#include "gst_run.hpp"
#include "reader.hpp"

#include <algorithm>
#include <optional>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/gst/read_map.hpp>

namespace record {

namespace {

using reel::Error;
using reel::ErrorCode;

// Pictures behind the wanted one that a decoder may want to see first.
constexpr std::size_t kMoreUnits = 32;
constexpr std::int64_t kRounding = 1'000'000;  // Matroska's times are milliseconds

void on_decoded(GstElement*, GstPad* from, GstElement* to) {
  const reel::gst::Ptr<GstPad> pad(gst_element_get_static_pad(to, "sink"));
  if (gst_pad_is_linked(pad.get()) == FALSE) gst_pad_link(from, pad.get());
}

int rounded_even(double value) {
  return std::max(2, static_cast<int>(value / 2 + 0.5) * 2);
}

/// Buffers of `caps` to JPEGs: all of what is pushed is decoded.
class JpegMaker {
 public:
  JpegMaker(const GstCaps* caps, PictureSize size) : run_([] {}) {
    source_ = run_.add("appsrc");
    GstElement* decoder = run_.add("decodebin");
    GstElement* shape = run_.add_text(shape_text(caps, size));
    sink_ = run_.add("appsink");
    g_object_set(source_, "format", GST_FORMAT_TIME, "caps", caps, "max-bytes", guint64{0}, nullptr);
    g_object_set(sink_, "sync", FALSE, "async", FALSE, "max-buffers", 1U, nullptr);
    run_.link(source_, decoder);
    run_.link(shape, sink_);
    g_signal_connect(decoder, "pad-added", G_CALLBACK(&on_decoded), shape);
    run_.play();
  }

  void push(GstBuffer* buffer, std::int64_t time_ns) {
    GstBuffer* copy = gst_buffer_copy(buffer);
    GST_BUFFER_PTS(copy) = static_cast<GstClockTime>(std::max<std::int64_t>(0, time_ns));
    GST_BUFFER_DTS(copy) = GST_CLOCK_TIME_NONE;
    gst_app_src_push_buffer(GST_APP_SRC(source_), copy);
  }

  /// The last one at or before `time_ns`; the first one where there is none.
  [[nodiscard]] std::vector<std::byte> finish(std::int64_t time_ns) {
    gst_app_src_end_of_stream(GST_APP_SRC(source_));
    reel::gst::Ptr<GstSample> best;
    while (run_.failure().empty()) {
      reel::gst::Ptr<GstSample> sample(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), 50 * GST_MSECOND));
      if (!sample && gst_app_sink_is_eos(GST_APP_SINK(sink_)) != FALSE) break;
      if (!sample) continue;
      const GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample.get()));
      if (!best || (GST_CLOCK_TIME_IS_VALID(pts) && static_cast<std::int64_t>(pts) <= time_ns))
        best = std::move(sample);
    }
    if (!best)
      throw Error(ErrorCode::protocol,
                  "the picture cannot be decoded: " +
                      (run_.failure().empty() ? "the decoder gives none" : run_.failure()));
    const reel::gst::ReadMap map(gst_sample_get_buffer(best.get()));
    return {map.bytes().begin(), map.bytes().end()};
  }

 private:
  static std::string shape_text(const GstCaps* caps, PictureSize size) {
    gint width = 0;
    gint height = 0;
    const GstStructure* structure = gst_caps_get_structure(caps, 0);
    gst_structure_get_int(structure, "width", &width);
    gst_structure_get_int(structure, "height", &height);
    std::string scale;
    if (width > size.max_width && height > 0)
      scale = fmt::format("videoscale ! capsfilter caps=video/x-raw,width={},height={} ! ",
                          rounded_even(size.max_width),
                          rounded_even(static_cast<double>(height) * size.max_width / width));
    return fmt::format("videoconvert ! {}jpegenc quality={}", scale, std::clamp(size.quality, 1, 100));
  }

  GstRun run_;
  GstElement* source_ = nullptr;
  GstElement* sink_ = nullptr;
};

std::optional<std::size_t> video_track(const UnitReader& reader) {
  for (std::size_t track = 0; track < reader.tracks().size(); ++track)
    if (reader.tracks()[track].video) return track;
  return std::nullopt;
}

}  // namespace

std::vector<std::byte> jpeg_of(const GstCaps* caps, GstBuffer* buffer, PictureSize size) {
  JpegMaker maker(caps, size);
  maker.push(buffer, 0);
  return maker.finish(0);
}

std::vector<std::byte> thumbnail(const std::string& path, std::int64_t time_ns, PictureSize size) {
  UnitReader reader(path);
  time_ns += kRounding;
  const std::optional<std::size_t> track = video_track(reader);
  if (!track) throw Error(ErrorCode::not_found, "there are no pictures in it", path);
  // From the last key frame at or before the time, and some more for decoders that reorder.
  std::vector<Unit> units;
  std::size_t behind = 0;
  while (std::optional<Unit> unit = reader.next()) {
    if (unit->track != *track) continue;
    if (unit->time_ns > time_ns && !units.empty() && (unit->key || ++behind > kMoreUnits)) break;
    if (unit->key && unit->time_ns <= time_ns) units.clear();
    units.push_back(std::move(*unit));
  }
  if (units.empty()) throw Error(ErrorCode::not_found, "there are no pictures in it", path);
  JpegMaker maker(units.front().caps.get(), size);
  for (const Unit& unit : units) maker.push(unit.buffer.get(), unit.time_ns);
  return maker.finish(time_ns);
}

}  // namespace record
