#include "recorder/settings.hpp"

#include <reel/base/error.hpp>

#include "events/event_address.hpp"

namespace record {
namespace {

std::string token_of(const reel::Options& options) {
  const std::string& file = options.text("http_token_file");
  if (file.empty()) return options.text("http_token");
  if (!options.text("http_token").empty())
    throw reel::Error(reel::ErrorCode::bad_config,
                      "both of the options http_token and http_token_file are given: leave one out");
  return token_from_file(file);
}

}  // namespace

RecordSettings record_settings(const reel::Options& options) {
  RecordSettings made;
  made.directory = options.text("directory");
  made.name = options.text("name");
  made.require_mount = options.text("require_mount");
  made.wish.codec = options.text("codec");
  made.wish.audio_codec = options.text("audio_codec");
  made.wish.quality = static_cast<int>(options.integer("quality"));
  made.wish.bitrate = options.integer("bitrate");
  made.wish.audio_bitrate = options.integer("audio_bitrate");
  made.wish.key_interval_ns = options.duration_ns("key_interval");
  made.wish.threads = static_cast<int>(options.integer("encoder_threads"));
  made.encoder_timeout_ns = options.duration_ns("encoder_timeout");
  made.container = container_from(options.text("container"));
  made.segment_ns = options.duration_ns("segment");
  made.segment_bytes = options.bytes("segment_bytes");
  made.sync_interval_ns = options.duration_ns("sync_interval");
  made.patience_ns = options.duration_ns("patience");
  made.spool_memory = options.bytes("spool_memory");
  made.spool_disk = options.bytes("spool_disk");
  made.spool_directory = options.text("spool_directory");
  made.full_spool = options.text("full_spool");
  made.max_age_ns = options.duration_ns("max_age");
  made.max_bytes = options.bytes("max_bytes");
  made.event_max_age_ns = options.duration_ns("event_max_age");
  made.event_max_bytes = options.bytes("event_max_bytes");
  made.min_free = options.bytes("min_free");
  made.mode = record_mode_from(options.text("mode")).value_or(RecordMode::continuous);
  made.events.rules = event_rules_from(options.list("events"));
  made.events.post_roll_ns = options.duration_ns("post_roll");
  made.events.longest_ns = options.duration_ns("longest_event");
  made.events.cooldown_ns = options.duration_ns("cooldown");
  made.pre_roll = {options.duration_ns("pre_roll"), options.bytes("pre_roll_bytes")};
  made.schedule = Schedule(options.text("schedule"));
  made.http = options.text("http");
  made.http_token = token_of(options);
  made.hook = options.text("hook");
  made.hook_timeout_ns = options.duration_ns("hook_timeout");
  if ((made.spool_disk != 0) == made.spool_directory.empty())
    throw reel::Error(reel::ErrorCode::bad_config,
                      made.spool_directory.empty()
                          ? "spool_disk is set, but not where: set spool_directory too"
                          : "spool_directory is set, but no room in it: set spool_disk too, 2GB for example");
  return made;
}

}  // namespace record
