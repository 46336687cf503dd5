// The outputs of the stage, and which of them a pipeline connects. Pure values.
#pragma once

#include <array>
#include <cstddef>

namespace capture {

enum class Media : std::size_t { video = 0, audio = 1, video_encoded = 2, audio_encoded = 3 };

inline constexpr std::array kAllMedia{Media::video, Media::audio, Media::video_encoded, Media::audio_encoded};
inline constexpr std::array kPortNames{"video", "audio", "video-encoded", "audio-encoded"};

[[nodiscard]] constexpr std::size_t index_of(Media media) noexcept {
  return static_cast<std::size_t>(media);
}
[[nodiscard]] constexpr const char* port_of(Media media) noexcept {
  return kPortNames[index_of(media)];
}
[[nodiscard]] constexpr bool is_encoded(Media media) noexcept {
  return media == Media::video_encoded || media == Media::audio_encoded;
}
[[nodiscard]] constexpr bool is_video(Media media) noexcept {
  return media == Media::video || media == Media::video_encoded;
}

/// One of each kind.
template <typename Value>
class PerMedia {
 public:
  [[nodiscard]] Value& operator[](Media media) noexcept { return values_[index_of(media)]; }
  [[nodiscard]] const Value& operator[](Media media) const noexcept { return values_[index_of(media)]; }
  [[nodiscard]] auto begin() noexcept { return values_.begin(); }
  [[nodiscard]] auto end() noexcept { return values_.end(); }
  [[nodiscard]] auto begin() const noexcept { return values_.begin(); }
  [[nodiscard]] auto end() const noexcept { return values_.end(); }

 private:
  std::array<Value, kAllMedia.size()> values_{};
};

struct Wanted {
  PerMedia<bool> outputs;
  bool audio_optional = false;  // a source without sound is none the worse for it

  [[nodiscard]] bool has(Media media) const noexcept { return outputs[media]; }
  [[nodiscard]] bool any_video() const noexcept { return has(Media::video) || has(Media::video_encoded); }
  [[nodiscard]] bool any_audio() const noexcept { return has(Media::audio) || has(Media::audio_encoded); }
};

}  // namespace capture
