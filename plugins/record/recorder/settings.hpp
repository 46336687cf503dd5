// What the options of the stage `record` say, read once. Values.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <reel/stage/options.hpp>

#include "events/event_gate.hpp"
#include "events/schedule.hpp"
#include "media/coding.hpp"

namespace record {

struct RecordSettings {
  std::string directory;
  std::string name;  // of the recording
  std::string require_mount;
  CodingWish wish;
  std::int64_t encoder_timeout_ns = 10'000'000'000;
  Container container = Container::matroska;
  std::int64_t segment_ns = 0;
  std::uint64_t segment_bytes = 0;
  std::int64_t sync_interval_ns = 0;
  std::int64_t patience_ns = 0;
  std::uint64_t spool_memory = 0;
  std::uint64_t spool_disk = 0;
  std::string spool_directory;
  std::string full_spool;  // "auto", "wait", "lose"
  std::int64_t max_age_ns = 0;
  std::uint64_t max_bytes = 0;
  std::int64_t event_max_age_ns = 0;
  std::uint64_t event_max_bytes = 0;
  std::uint64_t min_free = 0;
  RecordMode mode = RecordMode::continuous;
  EventSettings events{};
  PreRollLimits pre_roll{};
  Schedule schedule{};
  std::string http;
  std::string http_token;
  std::string hook;
  std::int64_t hook_timeout_ns = 0;
};

using reel::OptionSpec;
using reel::OptionType;

inline constexpr std::array kRecordOptions{
    OptionSpec{"directory", OptionType::path, nullptr,
               "where recordings go: DAY/NAME_TIME.mkv; made if its parent is there"},
    OptionSpec{"name", OptionType::text, "", "the recording's name in it; empty: the stage's name"},
    OptionSpec{"segment", OptionType::duration, "20s",
               "length of a file; it is cut at the next key frame, so that none is lost", "1s..1d"},
    OptionSpec{"segment_bytes", OptionType::size, "0", "size at which a file is cut, too; 0: no limit"},
    OptionSpec{"codec", OptionType::text, "h264", "of raw video; encoded video is kept as it comes",
               "h264|h265|mjpeg|ffv1|raw"},
    OptionSpec{"audio_codec", OptionType::text, "aac", "of raw sound; encoded sound is kept as it comes",
               "aac|opus|flac|pcm"},
    OptionSpec{"quality", OptionType::integer, "75", "of h264, h265 and mjpeg: 1 the smallest, 100 the best",
               "1..100"},
    OptionSpec{"bitrate", OptionType::integer, "0", "bits a second of a video track; 0: by quality", "0.."},
    OptionSpec{"audio_bitrate", OptionType::integer, "96000", "bits a second of aac and opus",
               "6000..512000"},
    OptionSpec{"key_interval", OptionType::duration, "1s",
               "at least one picture this often can be decoded alone: where files are cut", "100ms..1min"},
    OptionSpec{"encoder_threads", OptionType::integer, "0",
               "threads of each video encoder in software; 0: its own choice", "0..64"},
    OptionSpec{
        "encoder_timeout", OptionType::duration, "10s",
        "an encoder that does nothing with its frames for so long hangs: they are lost, another begins",
        "1s..1h"},
    OptionSpec{"container", OptionType::text, "matroska", "of the files", "matroska|mp4"},
    OptionSpec{"sync_interval", OptionType::duration, "1s",
               "how often what was written is made safe on the disk: what a power cut may take", "100ms..1h"},
    OptionSpec{"patience", OptionType::duration, "1s",
               "how long a stream may be behind the others before they go on without it", "100ms..1min"},
    OptionSpec{
        "spool_memory", OptionType::size, "256MB",
        "frames that wait for encoder and disk, in memory; beyond that they go to spool_directory, or are "
        "lost and counted"},
    OptionSpec{"spool_disk", OptionType::size, "0", "the same in a file in spool_directory; 0: none"},
    OptionSpec{"spool_directory", OptionType::path, "", "for that file, on another disk than the recordings"},
    OptionSpec{
        "full_spool", OptionType::text, "auto",
        "lose the newest frames, or make their stream wait; auto: wait where its times are not those of the "
        "clock, which means a file",
        "auto|wait|lose"},
    OptionSpec{"require_mount", OptionType::path, "",
               "mount point that directory must lie on: without it nothing is written; empty: none"},
    OptionSpec{"max_age", OptionType::duration, "0s", "older files of this recording are removed; 0: never"},
    OptionSpec{"max_bytes", OptionType::size, "0",
               "oldest files of this recording are removed beyond this size of all; 0: no limit"},
    OptionSpec{
        "event_max_age", OptionType::duration, "0s",
        "of files of events; with this or the next max_age and max_bytes are for the others; 0: never"},
    OptionSpec{"event_max_bytes", OptionType::size, "0", "of files of events; 0: no limit"},
    OptionSpec{"min_free", OptionType::size, "0",
               "oldest files of this recording are removed while the disk has less room; 0: never"},
    OptionSpec{
        "mode", OptionType::text, "continuous",
        "all of the time; only events, with what was before and after them; or both, in files of their own",
        "continuous|events|both"},
    OptionSpec{
        "events", OptionType::list, "",
        "rules that begin an event: \"motion 0.02 for 300ms\", \"detections person 0.6\" ('*': any label), "
        "\"level -30 of STREAM\" (dBFS); `reel event` begins one without"},
    OptionSpec{"pre_roll", OptionType::duration, "5s", "what is kept of the time before an event", "0s..1h"},
    OptionSpec{"pre_roll_bytes", OptionType::size, "64MB", "of it in memory at most, so that it may be less"},
    OptionSpec{"post_roll", OptionType::duration, "5s", "an event goes on for so long after what made it one",
               "0s..1h"},
    OptionSpec{"longest_event", OptionType::duration, "10min", "then the next one begins", "1s..1d"},
    OptionSpec{"cooldown", OptionType::duration, "0s",
               "after an event no rule begins another of its kind for so long", "0s..1d"},
    OptionSpec{
        "schedule", OptionType::text, "",
        "when there is recording, in local time: \"mon-fri 08:00-18:00\", several with ';'; empty: always"},
    OptionSpec{"http", OptionType::text, "",
               "ADDRESS:PORT for POST /event and GET /events, 127.0.0.1:9480 for example; empty: none"},
    OptionSpec{
        "http_token", OptionType::text, "",
        "secret of 16 characters or more that they must bear (Authorization: Bearer); needed where other "
        "machines reach the address"},
    OptionSpec{
        "http_token_file", OptionType::path, "",
        "file whose first line is that secret, which other users must not be able to read (chmod 600)"},
    OptionSpec{"hook", OptionType::text, "",
               "program that is run on each finished file, with the paths of it and of its manifest"},
    OptionSpec{"hook_timeout", OptionType::duration, "1min", "it is killed after this", "1s..1d"}};

/// Throws reel::Error{bad_config} for combinations that the declarations cannot refuse.
[[nodiscard]] RecordSettings record_settings(const reel::Options& options);

}  // namespace record
