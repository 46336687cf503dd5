#include "branches.hpp"

#include <array>
#include <string_view>

#include <reel/base/clock.hpp>
#include <reel/format/video_format.hpp>
#include <reel/gst/element.hpp>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

std::string video_caps(const Conversion& conversion) {
  std::string formats;
  for (const reel::PixelFormat pixel : reel::all_pixel_formats()) {
    if (!formats.empty()) formats += ", ";
    formats += reel::to_string(pixel);
  }
  return "video/x-raw, format=" + (conversion.pixel == "own" ? "{ " + formats + " }" : conversion.pixel);
}

std::string audio_caps(const Conversion& conversion) {
  std::string caps = "audio/x-raw, layout=interleaved, format=" +
                     (conversion.sample == "own" ? "{ S16LE, S32LE, F32LE }" : conversion.sample);
  if (conversion.rate_hz != 0) caps += ", rate=" + std::to_string(conversion.rate_hz);
  if (conversion.channels != 0) caps += ", channels=" + std::to_string(conversion.channels);
  return caps;
}

// What makes access units whole and their codec data complete, as recorders want them.
struct Parser {
  std::string_view media_type;
  const char* factory;
  const char* caps;
};
constexpr std::array<Parser, 4> kParsers{
    {{"video/x-h264", "h264parse", "video/x-h264, stream-format=avc, alignment=au"},
     {"video/x-h265", "h265parse", "video/x-h265, stream-format=hvc1, alignment=au"},
     {"audio/mpeg", "aacparse", "audio/mpeg, stream-format=raw"},
     {"audio/x-opus", "opusparse", "audio/x-opus"}}};

const Parser* parser_for(const GstStructure& structure) {
  gint version = 0;
  for (const Parser& parser : kParsers) {
    if (gst_structure_has_name(&structure, parser.media_type.data()) == FALSE) continue;
    const bool mp3 = gst_structure_get_int(&structure, "mpegversion", &version) != FALSE && version == 1;
    return mp3 ? nullptr : &parser;
  }
  return nullptr;
}

void set_caps(GstElement* filter, const char* text) {
  const reel::gst::Ptr<GstCaps> caps(gst_caps_from_string(text));
  g_object_set(filter, "caps", caps.get(), nullptr);
}

// The queue makes room for the frame that is about to come.
void on_overrun(GstElement* /*queue*/, gpointer dropped) {
  static_cast<std::atomic<std::uint64_t>*>(dropped)->fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

Branches::Branches(GstElement* pipeline, const Wanted& wanted, const Conversion& conversion, Pace pace,
                   std::function<void()> on_failure)
    : pipeline_(pipeline), pace_(pace), on_failure_(std::move(on_failure)) {
  if (wanted.has(Media::video)) add_chain(Media::video, {"videoconvert"}, video_caps(conversion));
  if (wanted.has(Media::audio))
    add_chain(Media::audio, {"audioconvert", "audioresample"}, audio_caps(conversion));
  for (const Media media : {Media::video_encoded, Media::audio_encoded})
    if (wanted.has(media)) add_chain(media, {}, "");
}

GstElement* Branches::add(const char* factory) {
  const reel::gst::Ptr<GstElement> element = reel::gst::new_element(factory);
  gst_bin_add(GST_BIN(pipeline_), element.get());
  return element.get();  // the pipeline keeps it
}

void Branches::add_chain(Media media, const std::vector<const char*>& factories,
                         const std::string& caps_text) {
  Chain& chain = chains_[media];
  chain.entry = add("queue");
  GstElement* last = chain.entry;
  const auto append = [&](const char* factory) {
    GstElement* const element = add(factory);
    gst_element_link(last, element);
    return last = element;
  };
  for (const char* factory : factories) append(factory);
  if (!caps_text.empty()) set_caps(append("capsfilter"), caps_text.c_str());
  chain.sink = append("appsink");
  set_sink(media);
  set_queue(media);
  const reel::gst::Ptr<GstPad> pad(gst_element_get_static_pad(chain.entry, "sink"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, on_buffer, &chain, nullptr);
}

GstPadProbeReturn Branches::on_buffer(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer data) {
  auto* const chain = static_cast<Chain*>(data);
  chain->arrived_ns.store(reel::monotonic_ns(), std::memory_order_relaxed);
  chain->arrived.fetch_add(1, std::memory_order_relaxed);
  return GST_PAD_PROBE_OK;
}

void Branches::set_sink(Media media) noexcept {
  // Access units to be decoded before the segment's first picture is shown are no preroll: more of them must
  // fit than H.264 and H.265 refer back (16).
  constexpr guint kUnitsAhead = 32;
  // Of a clip that does not wait, behind the clock, where frames are due.
  constexpr guint kFramesKept = 8;
  const bool drops = pace_ == Pace::clip_as_camera;
  const guint room = is_encoded(media) ? kUnitsAhead : drops ? kFramesKept : 1;
  g_object_set(chains_[media].sink, "sync", drops || pace_ == Pace::clock ? TRUE : FALSE, "async",
               pace_ == Pace::camera ? FALSE : TRUE, "max-buffers", room, "drop", drops ? TRUE : FALSE,
               "enable-last-sample", FALSE, nullptr);
}

void Branches::set_queue(Media media) noexcept {
  // A few pictures decoded ahead keep the pace where single ones take longer than their time.
  constexpr guint kPicturesAhead = 3;
  // What a camera sends while its frames cannot be taken.
  constexpr guint kPicturesKept = 8;
  constexpr guint64 kSoundKept = 500 * GST_MSECOND;
  constexpr guint64 kEncodedKept = 2 * GST_SECOND;
  const bool drops = pace_ == Pace::camera;
  guint buffers = kPicturesAhead;
  guint64 time = 0;
  if (drops && media == Media::video) buffers = kPicturesKept;
  if (drops && media != Media::video) {
    buffers = 0;
    time = is_encoded(media) ? kEncodedKept : kSoundKept;
  }
  GstElement* const queue = chains_[media].entry;
  g_object_set(queue, "max-size-buffers", buffers, "max-size-bytes", 0u, "max-size-time", time, nullptr);
  if (!drops) return;
  gst_util_set_object_arg(G_OBJECT(queue), "leaky", "downstream");
  g_signal_connect(queue, "overrun", G_CALLBACK(on_overrun), &chains_[media].dropped);
}

void Branches::link(GstPad* pad) noexcept {
  try {
    reel::gst::Ptr<GstCaps> caps(gst_pad_get_current_caps(pad));
    if (!caps) caps.reset(gst_pad_query_caps(pad, nullptr));
    if (gst_caps_is_empty(caps.get()) || gst_caps_is_any(caps.get())) return;
    const GstStructure* structure = gst_caps_get_structure(caps.get(), 0);
    const std::string_view name = gst_structure_get_name(structure);
    if (name == "video/x-raw" || name == "audio/x-raw") {
      const Media media = name == "video/x-raw" ? Media::video : Media::audio;
      const reel::gst::Ptr<GstPad> entry(chains_[media].entry == nullptr
                                             ? nullptr
                                             : gst_element_get_static_pad(chains_[media].entry, "sink"));
      if (!entry || gst_pad_is_linked(entry.get()) != FALSE) return;  // a second picture or sound track
      link_pads(pad, chains_[media]);
      return;
    }
    const bool audio = name.substr(0, 6) == "audio/";
    if (audio || name.substr(0, 6) == "video/" || name.substr(0, 6) == "image/")
      link_encoded(pad, *structure, !audio);
  } catch (const Error& error) {
    fail(error);
  } catch (const std::exception& error) {
    fail(Error(ErrorCode::internal, error.what()));
  }
}

void Branches::link_pads(GstPad* pad, Chain& chain) {
  const reel::gst::Ptr<GstPad> entry(gst_element_get_static_pad(chain.entry, "sink"));
  const GstPadLinkReturn result = gst_pad_link(pad, entry.get());
  if (GST_PAD_LINK_FAILED(result))
    throw Error(ErrorCode::unsupported, std::string("there is no way to convert what the decoder makes: ") +
                                            gst_pad_link_get_name(result));
  chain.fed.store(true, std::memory_order_relaxed);
}

bool Branches::take(Media media) noexcept {
  return chains_[media].entry != nullptr && !chains_[media].fed.exchange(true, std::memory_order_relaxed);
}

// To whoever wants it as it is, to a decoder, or by a tee to both.
void Branches::link_encoded(GstPad* pad, const GstStructure& structure, bool video) {
  const Media encoded = video ? Media::video_encoded : Media::audio_encoded;
  const bool passed = take(encoded);
  const bool decoded = take(video ? Media::video : Media::audio);
  if (passed && decoded) {
    GstElement* const tee = add("tee");
    const reel::gst::Ptr<GstPad> to_parser(gst_element_request_pad_simple(tee, "src_%u"));
    const reel::gst::Ptr<GstPad> to_decoder(gst_element_request_pad_simple(tee, "src_%u"));
    feed_parser(to_parser.get(), structure, chains_[encoded]);
    feed_decoder(to_decoder.get());
    gst_element_sync_state_with_parent(tee);
    const reel::gst::Ptr<GstPad> entry(gst_element_get_static_pad(tee, "sink"));
    gst_pad_link(pad, entry.get());
  } else if (passed) {
    feed_parser(pad, structure, chains_[encoded]);
  } else if (decoded) {
    feed_decoder(pad);
  }
}

void Branches::feed_parser(GstPad* pad, const GstStructure& structure, Chain& chain) {
  const Parser* const parser = parser_for(structure);
  if (parser == nullptr) return link_pads(pad, chain);
  GstElement* const element = add(parser->factory);
  GstElement* const filter = add("capsfilter");
  set_caps(filter, parser->caps);
  gst_element_link_many(element, filter, chain.entry, nullptr);
  gst_element_sync_state_with_parent(filter);
  gst_element_sync_state_with_parent(element);
  const reel::gst::Ptr<GstPad> entry(gst_element_get_static_pad(element, "sink"));
  gst_pad_link(pad, entry.get());
}

// A decoder that is slow shall not hold up the others that want the same frames.
void Branches::feed_decoder(GstPad* pad) {
  GstElement* const queue = add("queue");
  GstElement* const decoder = add("decodebin");
  g_signal_connect(decoder, "pad-added", G_CALLBACK(on_decoded), this);
  gst_element_link(queue, decoder);
  gst_element_sync_state_with_parent(decoder);
  gst_element_sync_state_with_parent(queue);
  const reel::gst::Ptr<GstPad> entry(gst_element_get_static_pad(queue, "sink"));
  gst_pad_link(pad, entry.get());
}

void Branches::on_decoded(GstElement* /*element*/, GstPad* pad, gpointer self) {
  if (GST_PAD_IS_SRC(pad)) static_cast<Branches*>(self)->link(pad);
}

void Branches::fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = error;
  }
  on_failure_();
}

void Branches::rethrow() const {
  const std::lock_guard lock(mutex_);
  if (failure_) throw Error(*failure_);
}

}  // namespace capture
