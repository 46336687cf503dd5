// Metas that say how a buffer's bytes are to be read, as side-data entries where the format does not say it
// already: a GstVideoCropMeta that only hints at a part of the picture, GstAudioMeta of sound in planes.
// Stateless; what is read may be anybody's and is checked against caps and payload before it becomes a meta.
#pragma once

#include <span>

#include <gst/audio/audio.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <reel/format/format.hpp>
#include <reel/format/side_data.hpp>

namespace reel::gst {

inline constexpr const char* kCropMeta = "gst.crop";  // names of the entries
inline constexpr const char* kAudioMeta = "gst.audio-meta";

/// False when it did not find room; for a crop also when it lies outside of its picture.
bool write_crop_meta(GstBuffer* buffer, const GstVideoCropMeta& crop, const Format& format,
                     SideDataWriter& side_data);
bool write_audio_meta(const GstAudioMeta& meta, GstBuffer* buffer, SideDataWriter& side_data);

/// REQUIRES: `buffer` is writable and has its memory. Nothing is attached that reaches beyond it, or that
/// does not fit `format`.
void attach_crop_meta(GstBuffer* buffer, std::span<const std::byte> entry, const Format& format);
void attach_audio_meta(GstBuffer* buffer, std::span<const std::byte> entry, const Format& format);

}  // namespace reel::gst
