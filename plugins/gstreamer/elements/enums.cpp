#include "enums.hpp"

#include <reel/base/checksum.hpp>
#include <reel/channel/options.hpp>

namespace reel::gst {
namespace {

template <typename Value>
constexpr GEnumValue choice(Value value, const char* blurb, const char* nick) {
  return {static_cast<gint>(value), blurb, nick};
}

}  // namespace

GType policy_type() {
  static const GEnumValue values[] = {
      choice(Policy::lossless, "Every frame: a writer that is not live waits for this reader", "lossless"),
      choice(Policy::queue, "Every frame it keeps up with, gaps counted", "queue"),
      choice(Policy::latest, "The newest frame at each read", "latest"),
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("ReelPolicy", values);
  return type;
}

GType start_type() {
  static const GEnumValue values[] = {
      choice(Start::live, "The next frame that is published", "live"),
      choice(Start::oldest, "The oldest frame still kept", "oldest"),
      choice(Start::keyframe, "The newest key frame still kept, else the next one", "keyframe"),
      choice(Start::resume, "Where the reader of the same name left off", "resume"),
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("ReelStart", values);
  return type;
}

GType checksum_type() {
  static const GEnumValue values[] = {
      choice(ChecksumMode::none, "Headers only", "none"),
      choice(ChecksumMode::full, "Every byte", "full"),
      choice(ChecksumMode::sampled, "64 cache lines spread evenly", "sampled"),
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("ReelChecksum", values);
  return type;
}

GType on_disconnect_type() {
  static const GEnumValue values[] = {
      choice(OnDisconnect::none, "Wait for the next writer (with reconnect), else end the stream", "none"),
      choice(OnDisconnect::eos, "End of stream", "eos"),
      choice(OnDisconnect::error, "An error on the bus", "error"),
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("ReelOnDisconnect", values);
  return type;
}

GType on_corrupted_type() {
  static const GEnumValue values[] = {choice(OnCorrupted::drop, "Leave the frame out and count it", "drop"),
                                      choice(OnCorrupted::pass, "Hand it on with the CORRUPTED flag", "pass"),
                                      choice(OnCorrupted::error, "An error on the bus", "error"),
                                      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("ReelOnCorrupted", values);
  return type;
}

}  // namespace reel::gst
