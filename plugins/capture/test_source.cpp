#include "test_source.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <vector>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/gst/element.hpp>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

constexpr std::string_view kScheme = "test://";

[[noreturn]] void refuse(const std::string& uri, const std::string& what) {
  throw Error(ErrorCode::bad_config, "uri \"" + uri + "\": " + what);
}

std::int64_t parse_integer(const std::string& uri, const std::string& key, const std::string& text,
                           std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most)
    refuse(uri, key + " is \"" + text + "\", and must be a whole number from " + std::to_string(least) +
                    " to " + std::to_string(most));
  return value;
}

double parse_number(const std::string& uri, const std::string& key, const std::string& text, int most) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0 && value <= most))
    refuse(uri, key + " is \"" + text + "\", and must be a number from 0 to " + std::to_string(most));
  return value;
}

reel::Fraction parse_fps(const std::string& uri, const std::string& text) {
  constexpr std::uint32_t kMostFps = 1000;
  reel::Fraction fps;
  const char* const end = text.data() + text.size();
  std::from_chars_result read = std::from_chars(text.data(), end, fps.numerator);
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == '/')
    read = std::from_chars(read.ptr + 1, end, fps.denominator);
  const bool parsed = read.ec == std::errc() && read.ptr == end && fps.numerator > 0 && fps.denominator > 0;
  constexpr std::uint32_t kMost = 1'000'000;  // of either number: GStreamer's are 32 bits, signed
  if (!parsed || fps.numerator > kMost || fps.denominator > kMost ||
      fps.numerator / fps.denominator > kMostFps)
    refuse(uri, "fps is \"" + text + "\", and must be a rate above 0 such as 25 or 30000/1001, at most " +
                    std::to_string(kMostFps));
  return fps;
}

std::map<std::string, std::string> parse_query(const std::string& uri, std::string_view query) {
  std::map<std::string, std::string> values;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view item = query.substr(0, end);
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos)
      refuse(uri, "\"" + std::string(item) + "\" is no key=value (after the '?', joined by '&')");
    values[std::string(item.substr(0, equals))] = item.substr(equals + 1);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return values;
}

TestPlan plan_from(const reel::Options& options) {
  const std::string& uri = options.text("uri");
  const auto own_or = [&](const char* name, const char* own) {
    return options.text(name) == "own" ? std::string(own) : options.text(name);
  };
  TestPlan plan;
  plan.pattern = options.text("pattern");
  plan.pixel = own_or("format", "I420");
  plan.width = options.integer("width");
  plan.height = options.integer("height");
  plan.fps = parse_fps(uri, options.text("fps"));
  plan.frames = options.integer("frames");
  plan.sample = own_or("audio_format", "S16LE");
  plan.rate_hz = options.integer("rate") == 0 ? 48'000 : options.integer("rate");
  plan.channels = options.integer("channels") == 0 ? 2 : options.integer("channels");
  plan.tone_hz = options.number("tone");
  plan.volume = options.number("volume");
  return plan;
}

void apply_query(TestPlan& plan, const std::string& uri, std::string_view query) {
  static const std::vector<std::string> kKeys{"fps", "frames", "height", "tone", "volume", "width"};
  for (const auto& [key, text] : parse_query(uri, query)) {
    if (key == "width" || key == "height")
      (key == "width" ? plan.width : plan.height) = parse_integer(uri, key, text, 1, reel::kMaxVideoSize);
    else if (key == "fps")
      plan.fps = parse_fps(uri, text);
    else if (key == "frames")
      plan.frames = parse_integer(uri, key, text, 0, std::int32_t{0x7fffffff});
    else if (key == "tone")
      plan.tone_hz = parse_number(uri, key, text, 24'000);
    else if (key == "volume")
      plan.volume = parse_number(uri, key, text, 1);
    else {
      const auto near = reel::nearest_name(key, kKeys);
      refuse(uri, "there is no \"" + key + "\"" + (near ? ", but \"" + *near + "\"" : "") + "; it takes " +
                      reel::join_or(kKeys));
    }
  }
}

// The names come from the element itself: they differ from one GStreamer to the next.
void check_pattern(const std::string& uri, const std::string& pattern) {
  const reel::gst::Ptr<GstElement> element = reel::gst::new_element("videotestsrc");
  GParamSpec* property = g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), "pattern");
  const GEnumClass* type = G_PARAM_SPEC_ENUM(property)->enum_class;
  if (g_enum_get_value_by_nick(const_cast<GEnumClass*>(type), pattern.c_str()) != nullptr) return;
  std::vector<std::string> names;
  for (guint i = 0; i < type->n_values; ++i) names.emplace_back(type->values[i].value_nick);
  const auto near = reel::nearest_name(pattern, names);
  refuse(uri, "there is no test pattern \"" + pattern + "\"" +
                  (near ? "; did you mean \"" + *near + "\"" : "") + "? There are " + reel::join_or(names));
}

reel::gst::Ptr<GstElement> make_filter(const std::string& caps_text) {
  reel::gst::Ptr<GstElement> filter = reel::gst::new_element("capsfilter");
  const reel::gst::Ptr<GstCaps> caps(gst_caps_from_string(caps_text.c_str()));
  g_object_set(filter.get(), "caps", caps.get(), nullptr);
  return filter;
}

// Puts `source` and a filter into the bin and shows the filter's pad outside.
void add_chain(GstElement* bin, const char* pad_name, const reel::gst::Ptr<GstElement>& source,
               const std::string& caps_text) {
  const reel::gst::Ptr<GstElement> filter = make_filter(caps_text);
  gst_bin_add_many(GST_BIN(bin), source.get(), filter.get(), nullptr);
  gst_element_link(source.get(), filter.get());
  const reel::gst::Ptr<GstPad> pad(gst_element_get_static_pad(filter.get(), "src"));
  gst_element_add_pad(bin, gst_ghost_pad_new(pad_name, pad.get()));
}

void add_picture(GstElement* bin, const TestPlan& plan) {
  const reel::gst::Ptr<GstElement> source = reel::gst::new_element("videotestsrc");
  gst_util_set_object_arg(G_OBJECT(source.get()), "pattern", plan.pattern.c_str());
  if (plan.frames > 0) g_object_set(source.get(), "num-buffers", static_cast<gint>(plan.frames), nullptr);
  add_chain(bin, "video", source,
            "video/x-raw, format=" + plan.pixel + ", width=" + std::to_string(plan.width) + ", height=" +
                std::to_string(plan.height) + ", framerate=" + std::to_string(plan.fps.numerator) + "/" +
                std::to_string(plan.fps.denominator));
}

// One buffer of sound a picture, so that both end together (to the sample where rate / fps is whole).
void add_tone(GstElement* bin, const TestPlan& plan) {
  const reel::gst::Ptr<GstElement> source = reel::gst::new_element("audiotestsrc");
  const double samples = static_cast<double>(plan.rate_hz) * plan.fps.denominator / plan.fps.numerator;
  gst_util_set_object_arg(G_OBJECT(source.get()), "wave", plan.tone_hz > 0 ? "sine" : "silence");
  if (plan.tone_hz > 0) g_object_set(source.get(), "freq", plan.tone_hz, nullptr);
  g_object_set(source.get(), "volume", plan.volume, "samplesperbuffer",
               static_cast<gint>(std::clamp(std::round(samples), 1.0, 65536.0)), nullptr);
  if (plan.frames > 0) g_object_set(source.get(), "num-buffers", static_cast<gint>(plan.frames), nullptr);
  add_chain(bin, "audio", source,
            "audio/x-raw, layout=interleaved, format=" + plan.sample +
                ", rate=" + std::to_string(plan.rate_hz) + ", channels=" + std::to_string(plan.channels));
}

}  // namespace

TestSource::TestSource(const std::string& uri, const reel::Options& options)
    : Source(uri), plan_(plan_from(options)) {
  const std::string_view rest = std::string_view(uri).substr(kScheme.size());
  const std::size_t question = rest.find('?');
  const std::string_view pattern = rest.substr(0, question);
  if (!pattern.empty()) plan_.pattern = pattern;
  check_pattern(uri, plan_.pattern);
  if (question != std::string_view::npos) apply_query(plan_, uri, rest.substr(question + 1));
}

reel::gst::Ptr<GstElement> TestSource::make_element(const Wanted& wanted) const {
  reel::gst::Ptr<GstElement> bin(static_cast<GstElement*>(gst_object_ref_sink(gst_bin_new("test"))));
  if (wanted.any_video()) add_picture(bin.get(), plan_);
  if (wanted.any_audio()) add_tone(bin.get(), plan_);
  return bin;
}

}  // namespace capture
