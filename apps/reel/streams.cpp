#include "streams.hpp"

#include <string_view>

#include <fmt/core.h>

namespace {

std::string_view name_of(reel::ChecksumMode mode) {
  switch (mode) {
    case reel::ChecksumMode::none: return "none";
    case reel::ChecksumMode::full: return "full";
    case reel::ChecksumMode::sampled: return "sampled";
  }
  return "unknown";
}

nlohmann::json to_json(const reel::ReaderStatus& reader) {
  return {{"pid", reader.pid},
          {"name", reader.name},
          {"policy", reel::to_string(reader.policy)},
          {"demoted", reader.demoted},
          {"cursor", reader.cursor},
          {"pinned", reader.pinned},
          {"max_pins", reader.max_pins},
          {"away_ms", reader.away_ms},
          {"delivered", reader.delivered},
          {"verified", reader.verified},
          {"skipped", reader.skipped},
          {"lapped", reader.lapped},
          {"corrupted", reader.corrupted},
          {"waits", reader.waits}};
}

}  // namespace

nlohmann::json to_json(const reel::StreamStatus& status) {
  nlohmann::json readers = nlohmann::json::array();
  for (const reel::ReaderStatus& reader : status.readers) readers.push_back(to_json(reader));
  return {{"name", status.name},
          {"epoch", status.epoch},
          {"epochs", status.epochs},
          {"writer_pid", status.writer_pid},
          {"same_pid_namespace", status.same_pid_namespace},
          {"caps", status.caps},
          {"layout_version", fmt::format("{}.{}", status.layout_major, status.layout_minor)},
          {"slots", status.slots},
          {"slot_bytes", status.slot_bytes},
          {"side_data_bytes", status.side_data_bytes},
          {"memory_bytes", status.memory_bytes},
          {"memory", status.memory},
          {"head", status.head},
          {"oldest", status.oldest},
          {"live", status.live},
          {"ended", status.ended},
          {"sealed", status.sealed},
          {"checksum", name_of(status.checksum)},
          {"fps", status.fps},
          {"waits", status.waits},
          {"readers", std::move(readers)}};
}
