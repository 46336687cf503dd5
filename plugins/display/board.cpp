#include "board.hpp"

#include <algorithm>

namespace {
constexpr std::int64_t kWindow_ns = 2'000'000'000;
}  // namespace

void Rate::add(std::int64_t now_ns) noexcept {
  times_ns_[count_++ % kKept] = now_ns;
}

double Rate::per_second(std::int64_t now_ns) const noexcept {
  const std::size_t kept = std::min(count_, kKept);
  std::size_t used = 0;
  std::int64_t newest_ns = 0, oldest_ns = 0;
  for (std::size_t back = 1; back <= kept; ++back) {
    const std::int64_t time_ns = times_ns_[(count_ - back) % kKept];
    if (now_ns - time_ns > kWindow_ns) break;
    if (used++ == 0) newest_ns = time_ns;
    oldest_ns = time_ns;
  }
  if (used < 2 || newest_ns <= oldest_ns) return 0;
  return static_cast<double>(used - 1) * 1e9 / static_cast<double>(newest_ns - oldest_ns);
}

Board::Board(std::vector<std::string> streams) {
  for (std::string& name : streams) {
    streams_.emplace_back();
    streams_.back().state.stream = std::move(name);
  }
}

void Board::count_frame(std::size_t index, const reel::Frame& frame, const reel::ReaderStats& stats,
                        std::int64_t now_ns) {
  const std::scoped_lock lock(mutex_);
  Stream& stream = streams_[index];
  stream.rate.add(now_ns);
  StreamState& state = stream.state;
  state.stats = stats;
  state.pts_ns = frame.info().pts_ns;
  if (state.kind.empty() || state.caps != frame.format().caps()) {
    state.kind = std::string(reel::to_string(frame.format().kind()));
    state.caps = frame.format().caps();
    const reel::VideoFormat* video = frame.format().video();
    state.width = video != nullptr ? video->width : 0;
    state.height = video != nullptr ? video->height : 0;
  }
  state.connected = true;
  state.detections = 0;
  for (const auto& entry : frame.side_data())
    state.detections += reel::SideDataView::detections(entry).size();
  if (const auto level = frame.side_data().audio_level()) state.level = level;
}

void Board::set_picture(std::size_t index, cv::Mat bgr, const reel::Frame& frame) {
  auto picture = std::make_shared<Picture>();
  picture->bgr = std::move(bgr);
  picture->sequence = frame.sequence();
  picture->pts_ns = frame.info().pts_ns;
  {
    const std::scoped_lock lock(mutex_);
    picture->number = ++numbers_;
    streams_[index].picture = std::move(picture);
  }
  tell();
}

void Board::set_ended(std::size_t index, const reel::ReaderStats& stats) {
  {
    const std::scoped_lock lock(mutex_);
    streams_[index].state.ended = true;
    streams_[index].state.stats = stats;
  }
  tell();
}

void Board::tell() const {
  for (const auto& listener : listeners_) listener();
}

std::shared_ptr<const Picture> Board::picture(std::size_t index) const {
  const std::scoped_lock lock(mutex_);
  return index < streams_.size() ? streams_[index].picture : nullptr;
}

std::optional<std::size_t> Board::main_stream() const {
  const std::scoped_lock lock(mutex_);
  for (std::size_t index = streams_.size(); index-- > 0;)
    if (streams_[index].picture) return index;
  return std::nullopt;
}

std::optional<std::size_t> Board::find(const std::string& stream) const {
  const std::scoped_lock lock(mutex_);
  for (std::size_t index = 0; index < streams_.size(); ++index)
    if (streams_[index].state.stream == stream) return index;
  return std::nullopt;
}

std::vector<StreamState> Board::states(std::int64_t now_ns) const {
  const std::scoped_lock lock(mutex_);
  std::vector<StreamState> states;
  for (const Stream& stream : streams_) {
    states.push_back(stream.state);
    states.back().rate = stream.state.ended ? 0 : stream.rate.per_second(now_ns);
  }
  return states;
}
