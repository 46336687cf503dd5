#include "facts/frame_facts.hpp"

#include "facts/side_json.hpp"

#include <cerrno>
#include <utility>

#include <reel/base/error.hpp>

namespace record {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;

void set_time(json& line, const char* key, std::int64_t time_ns) {
  if (time_ns != reel::kNoTime) line[key] = time_ns;
}

[[nodiscard]] std::vector<FactsTrack> tracks_from(const json& header) {
  std::vector<FactsTrack> tracks;
  for (const json& track : header.at("tracks"))
    tracks.push_back({track.at("stream"), track.at("media"), track.at("format")});
  return tracks;
}

[[nodiscard]] json to_json(const FactsLoss& loss) {
  return {{"from", loss.start_ns}, {"to", loss.end_ns}, {"n", loss.frames}, {"why", loss.reason}};
}

[[nodiscard]] FactsLoss loss_from(const json& loss) {
  return {loss.at("from"), loss.at("to"), loss.at("n"), loss.at("why")};
}

[[nodiscard]] FrameFacts facts_from(const json& line) {
  FrameFacts facts;
  facts.track = line.at("t");
  facts.frame = line.at("n");
  facts.media_ns = line.at("m");
  facts.info.pts_ns = line.value("pts", reel::kNoTime);
  facts.info.dts_ns = line.value("dts", reel::kNoTime);
  facts.info.duration_ns = line.value("dur", reel::kNoTime);
  facts.info.capture_ns = line.value("cap", reel::kNoTime);
  facts.info.offset = line.value("off", facts.info.offset);
  facts.info.offset_end = line.value("end", facts.info.offset_end);
  facts.info.flags = line.value("flags", std::uint32_t{0});
  facts.utc_ns = line.value("utc", reel::kNoTime);
  facts.sequence = line.value("seq", std::uint64_t{0});
  facts.published_ns = line.value("pub", reel::kNoTime);
  if (line.contains("lost"))
    for (const json& loss : line["lost"]) facts.lost.push_back(loss_from(loss));
  if (line.contains("side")) facts.side_data = side_from_json(line["side"]);
  return facts;
}

}  // namespace

std::string facts_header(std::span<const FactsTrack> tracks) {
  json list = json::array();
  for (const FactsTrack& track : tracks)
    list.push_back({{"stream", track.stream}, {"media", track.media}, {"format", track.format}});
  return json{{"version", kVersion}, {"tracks", std::move(list)}}.dump() + "\n";
}

std::string facts_line(const FrameFacts& facts) {
  json line = {{"t", facts.track}, {"n", facts.frame}, {"m", facts.media_ns}, {"flags", facts.info.flags}};
  set_time(line, "pts", facts.info.pts_ns);
  set_time(line, "dts", facts.info.dts_ns);
  set_time(line, "dur", facts.info.duration_ns);
  set_time(line, "cap", facts.info.capture_ns);
  set_time(line, "utc", facts.utc_ns);
  set_time(line, "pub", facts.published_ns);
  if (facts.sequence != 0) line["seq"] = facts.sequence;
  constexpr std::uint64_t kNone = ~std::uint64_t{0};
  if (facts.info.offset != kNone) line["off"] = facts.info.offset;
  if (facts.info.offset_end != kNone) line["end"] = facts.info.offset_end;
  for (const FactsLoss& loss : facts.lost) line["lost"].push_back(to_json(loss));
  if (json side = side_to_json(facts.side()); !side.empty()) line["side"] = std::move(side);
  // A label or a name may be cut within a character, or be no text at all.
  return line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

FactsReader::FactsReader(std::string path) : path_(std::move(path)), file_(path_) {
  if (!file_) reel::throw_errno(errno, "cannot open the frames' facts", path_);
  const std::optional<std::string> first = line();
  const json header = json::parse(first.value_or(""), nullptr, false);
  try {
    if (header.at("version").get<int>() != kVersion)
      throw reel::Error(reel::ErrorCode::version,
                        "frames' facts of version " + header.at("version").dump() + ", and this Reel reads " +
                            std::to_string(kVersion) + ": use the Reel that wrote them, or a newer one",
                        path_);
    tracks_ = tracks_from(header);
  } catch (const json::exception&) {
    throw reel::Error(
        reel::ErrorCode::protocol,
        "its first line is not {\"version\":1,\"tracks\":[...]}: not a .frames file of a recording", path_);
  }
}

std::optional<std::string> FactsReader::line() {
  std::string text;
  // One without its newline was being written when its recorder was killed.
  if (!std::getline(file_, text) || file_.eof()) return std::nullopt;
  ++line_;
  return text;
}

std::string FactsReader::place() const {
  return path_ + ":" + std::to_string(line_);
}

std::optional<FrameFacts> FactsReader::next() {
  while (const std::optional<std::string> text = line()) {
    const json parsed = json::parse(*text, nullptr, false);
    try {
      if (parsed.contains("tracks")) {
        tracks_ = tracks_from(parsed);
        continue;
      }
      FrameFacts facts = facts_from(parsed);
      if (facts.track < tracks_.size()) return facts;
      throw reel::Error(reel::ErrorCode::protocol,
                        "track " + std::to_string(facts.track) + " of " + std::to_string(tracks_.size()) +
                            ": the file was damaged; reel recordings verify tells what else is",
                        place());
    } catch (const json::exception& error) {
      throw reel::Error(
          reel::ErrorCode::protocol,
          std::string("no line of a frame's facts: the file was damaged (") + error.what() + ")", place());
    }
  }
  return std::nullopt;
}

}  // namespace record
