// `reel inspect`: one stream in full: its header, its records, every slot with state and checksum result.
#include "commands.hpp"
#include "json_output.hpp"
#include "streams.hpp"
#include "table.hpp"

#include <algorithm>
#include <bit>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <reel/base/peer_text.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/observer.hpp>

namespace {

struct InspectOptions {
  std::string stream;
  bool json = false;
};

nlohmann::json time_json(std::int64_t time_ns) {
  return time_ns == reel::kNoTime ? nlohmann::json() : nlohmann::json(time_ns);
}

nlohmann::json to_json(const reel::StreamRecords& records) {
  nlohmann::json formats = nlohmann::json::array();
  for (const reel::Format& format : records.formats) {
    formats.push_back({{"kind", reel::to_string(format.kind())},
                       {"caps", format.caps()},
                       {"codec_data_bytes", format.codec_data().size()},
                       {"stream_headers", format.stream_headers().size()}});
  }
  nlohmann::json segments = nlohmann::json::array();
  for (const reel::Segment& segment : records.segments)
    segments.push_back({{"rate", segment.rate},
                        {"applied_rate", segment.applied_rate},
                        {"start_ns", segment.start_ns},
                        {"stop_ns", time_json(segment.stop_ns)},
                        {"time_ns", segment.time_ns},
                        {"base_ns", segment.base_ns},
                        {"monotonic_offset_ns", time_json(segment.monotonic_offset_ns)}});
  return {{"formats", std::move(formats)}, {"segments", std::move(segments)}, {"tags", records.tags}};
}

nlohmann::json to_json(const reel::SlotStatus& slot) {
  nlohmann::json fields = {{"slot", slot.slot}, {"state", slot.state}, {"verdict", slot.verdict}};
  if (slot.kind.empty()) return fields;
  fields.update({{"sequence", slot.sequence},
                 {"kind", slot.kind},
                 {"payload_bytes", slot.payload_bytes},
                 {"side_data_bytes", slot.side_data_bytes},
                 {"flags", slot.info.flags},
                 {"pts_ns", time_json(slot.info.pts_ns)},
                 {"dts_ns", time_json(slot.info.dts_ns)},
                 {"duration_ns", time_json(slot.info.duration_ns)},
                 {"capture_ns", time_json(slot.info.capture_ns)},
                 {"publish_ns", time_json(slot.publish_ns)},
                 {"checksum", fmt::format("{:016x}", slot.checksum)}});
  return fields;
}

std::string seconds_text(std::int64_t time_ns) {
  return time_ns == reel::kNoTime ? "-" : fmt::format("{:.3f}", static_cast<double>(time_ns) / 1e9);
}

std::string flags_text(std::uint32_t flags) {
  std::string text;
  const auto add = [&](std::uint32_t bit, std::string_view name) {
    if ((flags & bit) == 0) return;
    if (!text.empty()) text += ',';
    text += name;
  };
  add(reel::kKeyFrame, "key");
  add(reel::kDiscont, "discont");
  add(reel::kCorrupted, "corrupted");
  add(reel::kHeader, "header");
  add(reel::kDroppable, "droppable");
  add(reel::kNonDroppable, "non-droppable");
  add(reel::kMarker, "marker");
  add(reel::kResync, "resync");
  add(reel::kNothingNew, "nothing-new");
  add(reel::kDecodeOnly, "decode-only");
  add(reel::kFromLive, "from-live");
  add(reel::kSyncAfter, "sync-after");
  for (std::uint32_t bit = reel::kFirstMediaFlag; bit != 0; bit <<= 1)
    add(bit, fmt::format("media-{}", std::countr_zero(bit)));
  return text.empty() ? "-" : text;
}

void print_header(const reel::StreamStatus& stream) {
  const auto line = [](std::string_view key, const std::string& value) {
    fmt::print("{:<12} {}\n", key, value);
  };
  line("stream", stream.name);
  line("epoch", stream.epoch);
  line("writer", fmt::format("{}, {}{}", reel::pid_text(static_cast<pid_t>(stream.writer_pid)),
                             stream.live ? "live" : "not live", stream.ended ? ", ended" : ""));
  line("caps", stream.caps);
  line("memory",
       fmt::format("{} ({}, {}), layout {}.{}", reel::bytes_text(stream.memory_bytes), stream.memory,
                   stream.sealed ? "sealed" : "not sealed", stream.layout_major, stream.layout_minor));
  line("slots", fmt::format("{} of {} and {} of side data{}", stream.slots,
                            reel::bytes_text(stream.slot_bytes), reel::bytes_text(stream.side_data_bytes),
                            stream.epochs > 1 ? fmt::format("; grown {} times", stream.epochs - 1) : ""));
  line("frames", fmt::format("{} to {} kept, {:.1f} fps, {} waits for readers", stream.oldest,
                             stream.head == 0 ? 0 : stream.head - 1, stream.fps, stream.waits));
}

void print_records(const reel::StreamRecords& records) {
  fmt::print("\n");
  for (std::size_t i = 0; i < records.formats.size(); ++i)
    fmt::print("format {:<5} {}\n", i + 1, records.formats[i].caps());
  for (std::size_t i = 0; i < records.segments.size(); ++i) {
    const reel::Segment& segment = records.segments[i];
    fmt::print("segment {:<4} rate {}, start {} s, base {} s\n", i + 1, segment.rate,
               seconds_text(segment.start_ns), seconds_text(segment.base_ns));
  }
  for (std::size_t i = 0; i < records.tags.size(); ++i) fmt::print("tags {:<7} {}\n", i + 1, records.tags[i]);
}

void print_slots(const std::vector<reel::SlotStatus>& slots) {
  Table table({{"SLOT", true},
               {"STATE"},
               {"SEQUENCE", true},
               {"KIND"},
               {"BYTES", true},
               {"SIDE", true},
               {"PTS/s", true},
               {"FLAGS"},
               {"CHECKSUM"},
               {"RESULT"}});
  for (const reel::SlotStatus& slot : slots) {
    const bool frame = !slot.kind.empty();
    const auto number = [&](std::uint64_t value) { return frame ? std::to_string(value) : std::string("-"); };
    table.add_row({std::to_string(slot.slot), slot.state, number(slot.sequence), frame ? slot.kind : "-",
                   number(slot.payload_bytes), number(slot.side_data_bytes),
                   frame ? seconds_text(slot.info.pts_ns) : "-", frame ? flags_text(slot.info.flags) : "-",
                   frame ? fmt::format("{:016x}", slot.checksum) : "-", slot.verdict});
  }
  fmt::print("\n");
  table.print();
}

}  // namespace

void add_inspect(CLI::App& app, CommandResult& result) {
  CLI::App* command = app.add_subcommand("inspect", "Show a stream's header, records and every slot");
  auto options = std::make_shared<InspectOptions>();
  command->add_option("STREAM", options->stream, "Name of the stream, see `reel ls`")->required();
  command->add_flag("--json", options->json, "Print an object: stream, records, slots");
  command->footer("Example: reel inspect camera\nReaders and writer go on undisturbed: nothing is pinned.");
  command->callback([options, &result] {
    reel::StreamObserver observer(options->stream);
    const reel::StreamStatus status = observer.status();
    const reel::StreamRecords records = observer.records();
    const std::vector<reel::SlotStatus> slots = observer.slots();
    if (options->json) {
      nlohmann::json all = {{"stream", to_json(status)}, {"records", to_json(records)}};
      all["slots"] = nlohmann::json::array();
      for (const reel::SlotStatus& slot : slots) all["slots"].push_back(to_json(slot));
      print_json(all);
    } else {
      print_header(status);
      print_records(records);
      print_slots(slots);
    }
    result.status = 0;
  });
}
