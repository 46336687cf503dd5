#include "page_content.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <arpa/inet.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <unistd.h>

namespace {

nlohmann::json level_json(const reel::AudioLevel& level) {
  nlohmann::json rms = nlohmann::json::array(), peak = nlohmann::json::array();
  const std::size_t channels = std::min<std::size_t>(level.channels, reel::kMaxLevelChannels);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    rms.push_back(level.rms_dbfs[channel]);
    peak.push_back(level.peak_dbfs[channel]);
  }
  return {{"rms_dbfs", rms}, {"peak_dbfs", peak}};
}

std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      plain += static_cast<char>(value);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

std::string status_json(const std::string& stage, const Board& board, std::int64_t now_ns) {
  nlohmann::json streams = nlohmann::json::array();
  for (const StreamState& state : board.states(now_ns)) {
    nlohmann::json stream{{"stream", state.stream},
                          {"kind", state.kind},
                          {"caps", state.caps},
                          {"fps", std::round(state.rate * 10) / 10},
                          {"state", state.ended       ? "ended"
                                    : state.connected ? "running"
                                                      : "waiting"},
                          {"delivered", state.stats.delivered},
                          {"verified", state.stats.verified},
                          {"corrupted", state.stats.corrupted},
                          {"skipped", state.stats.skipped},
                          {"lapped", state.stats.lapped},
                          {"connects", state.stats.connects}};
    stream["pts_ns"] = state.pts_ns == reel::kNoTime ? nlohmann::json() : nlohmann::json(state.pts_ns);
    if (state.width != 0) {
      stream["width"] = state.width;
      stream["height"] = state.height;
      stream["detections"] = state.detections;
    }
    if (state.level) stream["level"] = level_json(*state.level);
    streams.push_back(std::move(stream));
  }
  const auto picture = board.main_stream();
  nlohmann::json status{{"stage", stage}, {"pid", ::getpid()}, {"streams", streams}};
  status["picture"] = picture ? status["streams"][*picture]["stream"] : nlohmann::json();
  return status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

JpegCache::Jpeg JpegCache::encode(std::size_t stream, const std::shared_ptr<const Picture>& picture) {
  if (!picture) return nullptr;
  if (entries_.size() <= stream) entries_.resize(stream + 1);
  Entry& entry = entries_[stream];
  if (entry.number != picture->number || !entry.jpeg) {
    auto bytes = std::make_shared<std::vector<unsigned char>>();
    if (!cv::imencode(".jpg", picture->bgr, *bytes, {cv::IMWRITE_JPEG_QUALITY, quality_})) return nullptr;
    entry = {picture->number, std::move(bytes)};
  }
  return entry.jpeg;
}

Target parse_target(std::string_view target) {
  const std::size_t question = target.find('?');
  Target result{unescape(target.substr(0, question)), {}};
  std::string_view query =
      question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    if (pair.substr(0, 7) == "stream=") result.stream = unescape(pair.substr(7));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return result;
}

bool trusted_host(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const std::size_t end = std::min(host.find(bracketed ? ']' : ':'), host.size());
  if (bracketed && end == host.size()) return false;
  const std::string_view port = host.substr(bracketed ? end + 1 : end);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!port.empty() && (port.front() != ':' || !std::all_of(port.begin() + 1, port.end(), is_digit)))
    return false;
  const std::string name(bracketed ? host.substr(1, end - 1) : host.substr(0, end));
  if (name.find('\0') != std::string::npos) return false;  // what follows would not be looked at
  std::array<unsigned char, sizeof(in6_addr)> address{};
  if (::inet_pton(AF_INET, name.c_str(), address.data()) == 1) return true;
  if (::inet_pton(AF_INET6, name.c_str(), address.data()) == 1) return true;
  std::array<char, 256> own{};
  if (::gethostname(own.data(), own.size() - 1) != 0) own[0] = '\0';
  return name == "localhost" || (own[0] != '\0' && name == own.data());
}
