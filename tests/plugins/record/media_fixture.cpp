#include "media_fixture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include <gst/app/gstappsink.h>

#include <reel_test/child_process.hpp>

namespace record_test {

namespace {

using record::Piece;
using record::Unit;

std::shared_ptr<GstBuffer> buffer_from(const std::vector<std::byte>& bytes) {
  return {gst_buffer_new_memdup(bytes.data(), bytes.size()), reel::gst::Unref{}};
}

// A bar that moves over a slope.
std::vector<std::byte> picture(const reel::VideoFormat& format, int number) {
  const reel::VideoLayout layout = default_layout(format);
  std::vector<std::byte> bytes(layout.bytes, std::byte{128});
  const reel::Plane& plane = layout.planes[0];
  for (std::uint32_t row = 0; row < plane.rows; ++row)
    for (std::uint32_t column = 0; column < plane.row_bytes; ++column) {
      const bool bar = column / 8 == static_cast<std::uint32_t>(number) % (plane.row_bytes / 8);
      bytes[plane.offset_bytes + std::size_t{row} * plane.stride_bytes + column] =
          static_cast<std::byte>(bar ? 235 : 16 + (row + column) % 128);
    }
  return bytes;
}

}  // namespace

void begin_gstreamer() {
  gst_init(nullptr, nullptr);
}

reel::Format picture_format(std::uint32_t width, std::uint32_t height, reel::PixelFormat pixel) {
  return reel::VideoFormat{pixel, width, height, {0, 1}};
}

reel::Format sound_format(std::uint32_t rate_hz, std::uint32_t channels) {
  return reel::AudioFormat{reel::SampleFormat::S16LE, rate_hz, channels};
}

std::vector<Piece> pictures(const reel::Format& format, int count, std::int64_t step_ns,
                            std::int64_t start_ns) {
  std::vector<Piece> pieces;
  for (int number = 0; number < count; ++number) {
    Piece piece;
    piece.buffer = buffer_from(picture(*format.video(), number));
    piece.time_ns = start_ns + number * step_ns;
    piece.duration_ns = step_ns;
    piece.frame = static_cast<std::uint64_t>(number);
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

std::vector<Piece> sound(const reel::Format& format, int count, std::int64_t start_ns, std::int64_t tone_ns) {
  const reel::AudioFormat& audio = *format.audio();
  const std::uint32_t samples = audio.rate_hz / 50;
  std::vector<Piece> pieces;
  for (int number = 0; number < count; ++number) {
    Piece piece;
    piece.time_ns = start_ns + number * 20 * kMs;
    piece.duration_ns = 20 * kMs;
    piece.frame = static_cast<std::uint64_t>(number);
    std::vector<std::int16_t> values(std::size_t{samples} * audio.channels);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto sample = static_cast<std::int64_t>(i / audio.channels);
      const std::int64_t at_ns = piece.time_ns + sample * kSecond / audio.rate_hz;
      if (at_ns >= tone_ns)
        values[i] = static_cast<std::int16_t>(
            24'000.0 * std::sin(2 * M_PI * 1000.0 * static_cast<double>(at_ns - tone_ns) / 1e9 + M_PI / 4));
    }
    piece.buffer = {gst_buffer_new_memdup(values.data(), values.size() * sizeof(std::int16_t)),
                    reel::gst::Unref{}};
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

std::vector<Unit> encode(const reel::Format& format, const record::CodingWish& wish,
                         const std::vector<Piece>& pieces, std::size_t track) {
  record::Chain::Settings settings;
  settings.track = track;
  settings.format = format;
  settings.coding = choose_coding(format, wish, record::Container::matroska, "test");
  settings.where = "test";
  record::Chain chain(std::move(settings));
  std::vector<Unit> units;
  const auto keep = [&](std::vector<Unit> more) {
    for (Unit& unit : more) units.push_back(std::move(unit));
  };
  for (const Piece& piece : pieces) {
    chain.push(piece);
    keep(chain.take());
  }
  keep(chain.drain());
  return units;
}

std::vector<Unit> in_order(std::vector<Unit> one, std::vector<Unit> other) {
  for (Unit& unit : other) one.push_back(std::move(unit));
  std::stable_sort(one.begin(), one.end(),
                   [](const Unit& first, const Unit& second) { return first.decode_ns < second.decode_ns; });
  return one;
}

void write_file(const std::string& path, record::Container container, std::size_t tracks,
                const std::vector<Unit>& units) {
  const OpenFile file(path);
  record::DescriptorSink sink(file.descriptor());
  record::Mux::Settings settings;
  settings.container = container;
  settings.tracks = tracks;
  settings.where = path;
  record::Mux mux(std::move(settings), sink);
  for (const Unit& unit : units) mux.write(unit);
  mux.finish();
}

std::int64_t tone_begins_ns(const std::string& path) {
  const std::string text =
      "filesrc location=" + path +
      " ! decodebin expose-all-streams=false caps=audio/x-raw ! audioconvert ! "
      "audio/x-raw,format=F32LE,channels=1,layout=interleaved ! appsink name=end sync=false";
  const reel::gst::Ptr<GstElement> pipeline(gst_parse_launch(text.c_str(), nullptr));
  const reel::gst::Ptr<GstElement> sink(gst_bin_get_by_name(GST_BIN(pipeline.get()), "end"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  std::int64_t found = -1;
  while (found < 0) {
    const reel::gst::Ptr<GstSample> sample(
        gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), 60 * GST_SECOND));
    if (!sample) break;
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    gint rate = 1;
    gst_structure_get_int(gst_caps_get_structure(gst_sample_get_caps(sample.get()), 0), "rate", &rate);
    std::vector<float> values(gst_buffer_get_size(buffer) / sizeof(float));
    gst_buffer_extract(buffer, 0, values.data(), values.size() * sizeof(float));
    const auto loud =
        std::find_if(values.begin(), values.end(), [](float value) { return std::fabs(value) > 0.3F; });
    if (loud != values.end())
      found = static_cast<std::int64_t>(gst_segment_to_stream_time(gst_sample_get_segment(sample.get()),
                                                                   GST_FORMAT_TIME, GST_BUFFER_PTS(buffer))) +
              (loud - values.begin()) * kSecond / rate;
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return found;
}

std::uint64_t ffprobe_packets(const std::string& path, const std::string& track) {
  auto child = reel_test::ChildProcess::program(
      "ffprobe", {"-v", "error", "-select_streams", track, "-count_packets", "-show_entries",
                  "stream=nb_read_packets", "-of", "csv=p=0", path});
  child.wait();
  return std::strtoull(child.output().c_str(), nullptr, 10);
}

OpenFile::OpenFile(const std::string& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) throw std::runtime_error("cannot open " + path);
}

OpenFile::~OpenFile() {
  ::close(descriptor_);
}

}  // namespace record_test
