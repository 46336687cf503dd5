// What the stage can be told: its ports and options as the plugin declares them.
#pragma once

#include <array>

#include <reel/stage/plugin.hpp>

#include "wanted.hpp"

namespace capture {

inline constexpr std::array kOutputs{
    reel::PortSpec{port_of(Media::video), reel::kTakesVideo, "the pictures, decoded", false},
    reel::PortSpec{port_of(Media::audio), reel::kTakesAudio, "the sound, decoded, interleaved", false},
    reel::PortSpec{
        port_of(Media::video_encoded), reel::kTakesEncoded | reel::kTakesBytes,
        "the pictures as the source has them, an access unit a frame (H.264 as avc, H.265 as hvc1)", false},
    reel::PortSpec{port_of(Media::audio_encoded), reel::kTakesEncoded | reel::kTakesBytes,
                   "the sound as the source has it, an access unit a frame", false}};

inline constexpr std::array kOptions{
    reel::OptionSpec{"uri", reel::OptionType::path, nullptr,
                     "what to play: a file's path, file:///path, http(s)://, rtsp(s)://, v4l2:///dev/video0, "
                     "screen:// or screen://:0, microphone:// (or pulse://NAME, alsa://NAME), or "
                     "test://PATTERN such as test://smpte or "
                     "test://ball?width=320&height=240&fps=25&frames=100&tone=1000&volume=0.5"},
    reel::OptionSpec{"realtime", reel::OptionType::boolean, "true",
                     "clips: frames come when they are due; false: as fast as the readers take them"},
    reel::OptionSpec{"loop", reel::OptionType::boolean, "false",
                     "clips: play again and again; times go on increasing"},
    reel::OptionSpec{"live", reel::OptionType::boolean, "false",
                     "clips: sent as a camera would, what readers do not take in time is dropped; http: a "
                     "camera, reconnected to (rtsp and devices always are)"},
    reel::OptionSpec{
        "audio", reel::OptionType::text, "required",
        "a source without sound, where its output is connected: required: an error; optional: a warning, and "
        "a stream that ends at once",
        "required|optional"},
    reel::OptionSpec{"user", reel::OptionType::text, "",
                     "rtsp, http: who connects; also uri's user:password@"},
    reel::OptionSpec{"password", reel::OptionType::text, "",
                     "rtsp, http: shown nowhere; \"${CAMERA_PASSWORD}\" takes it from the environment"},
    reel::OptionSpec{"password_file", reel::OptionType::path, "",
                     "rtsp, http: a file whose first line is the password"},
    reel::OptionSpec{"transport", reel::OptionType::text, "tcp",
                     "rtsp: how the media come; auto: udp, and tcp where nothing arrives",
                     "tcp|udp|multicast|auto"},
    reel::OptionSpec{"latency", reel::OptionType::duration, "200ms",
                     "rtsp: how long to wait for packets that are late or out of order", "0..24h"},
    reel::OptionSpec{"reconnect", reel::OptionType::boolean, "true",
                     "cameras: tried again when they are away; false: their end is the stage's"},
    reel::OptionSpec{"reconnect_delay", reel::OptionType::duration, "500ms",
                     "cameras: before the first try; doubled with each, give or take a quarter", "0..24h"},
    reel::OptionSpec{"reconnect_delay_max", reel::OptionType::duration, "10s",
                     "cameras: between tries, at most", "0..24h"},
    reel::OptionSpec{"stall_timeout", reel::OptionType::duration, "10s",
                     "cameras: connected to anew when no frame has come for so long; 0: never", "0..24h"},
    reel::OptionSpec{"format", reel::OptionType::text, "own",
                     "pixel format to convert to; own: the decoder's, or the nearest that Reel has (test://: "
                     "I420)",
                     "own|I420|NV12|NV21|YUY2|UYVY|RGB|BGR|RGBx|BGRx|RGBA|BGRA|Y444|GRAY8|GRAY16_LE"},
    reel::OptionSpec{
        "audio_format", reel::OptionType::text, "own",
        "sample format to convert to; own: the decoder's, or the nearest that Reel has (test://: "
        "S16LE)",
        "own|S16LE|S32LE|F32LE"},
    reel::OptionSpec{"rate", reel::OptionType::integer, "0",
                     "samples a second to convert to; 0: the decoder's (test://: 48000)", "0..768000"},
    reel::OptionSpec{"channels", reel::OptionType::integer, "0",
                     "audio channels to convert to; 0: the decoder's (test://: 2)", "0..64"},
    reel::OptionSpec{"width", reel::OptionType::integer, "1280",
                     "pixels of test:// and v4l2:// (default: the camera's own)", "1..32768"},
    reel::OptionSpec{"height", reel::OptionType::integer, "720",
                     "pixels of test:// and v4l2:// (default: the camera's own)", "1..32768"},
    reel::OptionSpec{"fps", reel::OptionType::text, "30",
                     "frames a second of test://, screen:// and v4l2:// (default: the camera's own), such as "
                     "25 or 30000/1001"},
    reel::OptionSpec{"camera_format", reel::OptionType::text, "own",
                     "v4l2: what the camera sends; MJPG is what most have for large pictures at full rate; "
                     "own: raw, as it likes (MJPG where video-encoded is connected)",
                     "own|MJPG|H264|H265|YUY2|UYVY|NV12|NV21|I420|RGB|BGR|GRAY8|GRAY16_LE"},
    reel::OptionSpec{"controls", reel::OptionType::list, "",
                     "v4l2: settings of the camera, such as [brightness=128, exposure_auto=1]"},
    reel::OptionSpec{"region", reel::OptionType::text, "",
                     "screen: a part of it, WIDTHxHEIGHT+X+Y in pixels such as 640x480+100+50; none: all"},
    reel::OptionSpec{"pointer", reel::OptionType::boolean, "true",
                     "screen: the mouse pointer is in the picture"},
    reel::OptionSpec{"pattern", reel::OptionType::text, "smpte",
                     "test:// only: the picture where the URI names none"},
    reel::OptionSpec{"frames", reel::OptionType::integer, "0",
                     "test:// only: how many frames; 0: without end", "0..2147483647"},
    reel::OptionSpec{"tone", reel::OptionType::number, "440",
                     "test:// only: the tone's frequency in Hz; 0: silence", "0..24000"},
    reel::OptionSpec{"volume", reel::OptionType::number, "0.5",
                     "test:// only: the tone's peak, 1 is full scale", "0..1"}};

}  // namespace capture
