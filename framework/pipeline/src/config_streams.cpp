#include "config_parts.hpp"

#include <fmt/format.h>

#include <reel/channel/runtime_dir.hpp>
#include <reel/format/side_data.hpp>

namespace reel {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 50;

template <typename Target, typename Source>
void assign(Target& target, const std::optional<Source>& value) {
  if (value) target = static_cast<Target>(*value);
}

void read_memory(MapReader& map, StreamConfig& stream) {
  if (const auto slots = map.integer("slots", kMinSlots, kMaxSlots))
    stream.slots = static_cast<std::uint32_t>(*slots);
  assign(stream.slot_bytes, map.bytes("slot_bytes", kMostBytes));
  assign(stream.max_bytes, map.bytes("max_bytes", kMostBytes));
  assign(stream.history, map.integer("history", 0, kMaxSlots));
  assign(stream.loans, map.integer("loans", 1, kMaxSlots));
  assign(stream.side_data_bytes, map.bytes("side_data_bytes", kMaxSideDataBytes));
  if (stream.side_data_bytes % 8 != 0) {
    map.problems().add(map.node().find("side_data_bytes")->where,
                       fmt::format("'side_data_bytes' of {} is {}: it must be a multiple of 8", map.what(),
                                   stream.side_data_bytes));
  }
  if (const auto kind = map.choice("memory", {"memfd", "posix"}))
    stream.memory = *kind == 0 ? SegmentKind::memfd : SegmentKind::posix;
}

StreamConfig read_stream(const std::string& name, const YamlEntry& entry, Problems& problems) {
  StreamConfig stream;
  stream.where = entry.where;
  MapReader map(entry.value, fmt::format("stream '{}'", name), problems);
  read_memory(map, stream);
  if (const auto mode = map.choice("checksum", {"full", "sampled", "none"})) {
    static constexpr ChecksumMode kModes[] = {ChecksumMode::full, ChecksumMode::sampled, ChecksumMode::none};
    stream.checksum = kModes[*mode];
  }
  assign(stream.live, map.boolean("live"));
  assign(stream.lag_frames, map.integer("lag_frames", 0, kMaxSlots));
  assign(stream.start_timeout_ms, map.duration_ms("start_timeout"));
  assign(stream.stall_timeout_ms, map.duration_ms("stall_timeout"));
  assign(stream.absence_timeout_ms, map.duration_ms("absence_timeout"));
  map.finish();
  if (stream.lag_frames > 0 && !stream.live) {
    problems.add(
        map.node().find("lag_frames")->where,
        fmt::format("'lag_frames' of {} has a meaning with 'live: true' only: any other writer waits",
                    map.what()));
  }
  return stream;
}

}  // namespace

void require_stream_name(const std::string& name, const std::string& where, Problems& problems) {
  if (valid_stream_name(name)) return;
  problems.add(
      where,
      fmt::format(
          "'{}' is no stream name: 1 to {} of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit",
          name, kMaxStreamName));
}

std::map<std::string, StreamConfig> read_streams(const YamlNode& node, Problems& problems) {
  std::map<std::string, StreamConfig> streams;
  const MapReader check(node, "'streams'", problems);
  for (const YamlEntry& entry : node.entries) {
    if (is_free_key(entry.key)) continue;
    require_stream_name(entry.key, entry.where, problems);
    streams.emplace(entry.key, read_stream(entry.key, entry, problems));
  }
  return streams;
}

}  // namespace reel
