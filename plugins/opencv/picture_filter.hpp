// What the filters of this folder have in common: one picture in, one picture out, everything said about it
// kept. A filter subclasses it and fills the loan. Single-thread, as every stage.
#pragma once

#include <optional>
#include <string_view>

#include <reel/stage/plugin.hpp>

/// Passes on times, flags, capture time, segments, tags, gaps and side data; the filter makes the picture.
class PictureFilter : public reel::Stage {
 public:
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void other(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;

 protected:
  /// Format of the pictures made from such a frame; of the frame itself unless overridden.
  [[nodiscard]] virtual reel::Format output_format(const reel::Frame& frame) const { return frame.format(); }
  /// A loan of `output`, whose format is output_format() by now, filled with the picture.
  [[nodiscard]] virtual reel::Loan fill(reel::Output& output, const reel::Frame& frame) = 0;
  /// The side data of what comes out; false when it does not fit. What was found unless overridden.
  [[nodiscard]] virtual bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) {
    return side_data.add_all(frame.side_data());
  }

 private:
  bool warned_ = false;
};

/// The raw video format of a frame of `stream`. Throws Error{bad_config} naming both when it carries anything
/// else.
[[nodiscard]] const reel::VideoFormat& require_video(const reel::Frame& frame, std::string_view stream);

/// Warns that not all side data fits a frame of `output`, and says what to do. Once is enough: the caller's.
void tell_left_out(const reel::Output& output, const reel::SideDataWriter& side_data);

/// One of PixelFormat by its name, or nullopt for "same". Throws Error{bad_config} listing the names for any
/// other.
[[nodiscard]] std::optional<reel::PixelFormat> pixel_format_option(const std::string& name);

/// The frame's format in another pixel format; as it is for nullopt or its own.
[[nodiscard]] reel::Format with_pixel_format(const reel::Frame& frame,
                                             std::optional<reel::PixelFormat> pixel);

inline constexpr std::array kPictureIn{
    reel::PortSpec{"in", reel::kTakesVideo, "raw video of any pixel format", true, false}};
inline constexpr const char* kPixelFormatNames =
    "same|I420|NV12|NV21|YUY2|UYVY|RGB|BGR|RGBx|BGRx|RGBA|BGRA|Y444|GRAY8|GRAY16_LE";
