#include "frame_times.hpp"
#include "joined_inputs.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

namespace reel {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kDrought = 300;  // frames without a partner, one after another: some seconds of video

double seconds(std::int64_t time_ns) noexcept {
  return static_cast<double>(time_ns) / 1e9;
}

const char* time_text(JoinTime time) noexcept {
  return time == JoinTime::capture ? "when they were taken" : "their pts";
}

}  // namespace

JoinedInputs::JoinedInputs(const StageSetup& setup, const std::vector<std::unique_ptr<LiveInput>>& inputs,
                           SetReceiver& receiver)
    : rule_(*setup.join),
      receiver_(receiver),
      matcher_(inputs.size(), setup.join->tolerance_ns, setup.join->timeout_ns),
      lanes_(inputs.size()),
      set_(inputs.size()),
      timed_(setup.join->time != JoinTime::automatic) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    lanes_[i].input = inputs[i].get();
    lanes_[i].most = setup.inputs[i].reader.max_pins;
    lanes_[i].held.reserve(lanes_[i].most);
    if (lanes_[i].most < kJoinPins)
      throw Error(
          ErrorCode::bad_config,
          fmt::format("the input \"{}\" may hold {} frame of the stream \"{}\", and a join needs {} of "
                      "each: raise its max_pins",
                      inputs[i]->port(), lanes_[i].most, inputs[i]->stream(), kJoinPins));
  }
}

bool JoinedInputs::takes(std::size_t input) const noexcept {
  const Lane& lane = lanes_[input];
  return !over_ && !lane.ended && lane.held.size() < lane.most;
}

void JoinedInputs::keep(std::size_t input) {
  Lane& lane = lanes_[input];
  const bool media = incoming_.info().kind == FrameKind::media;
  if (media) {
    lane.input->check_media(incoming_);
    if (timed_) stamp(input, incoming_);
  }
  lane.held.push_back({std::move(incoming_), media});
}

void JoinedInputs::stamp(std::size_t lane, const Frame& frame) {
  const auto media_ns = media_time_ns(frame);
  if (rule_.time == JoinTime::media && !media_ns)
    throw Error(ErrorCode::bad_config,
                fmt::format("frame {} of the stream \"{}\" has no timestamp (pts) to join it by: give the "
                            "stage's join 'time: capture'",
                            frame.sequence(), lanes_[lane].input->stream()));
  const std::int64_t time_ns = rule_.time == JoinTime::media ? *media_ns : capture_time_ns(frame);
  matcher_.add(lane, {time_ns, publish_time_ns(frame), spacing_ns(frame)});
}

// Once a frame of every input is there: all are placed on the clock, or none is.
bool JoinedInputs::choose_time() {
  if (timed_) return true;
  if (std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.held.empty(); }))
    return false;
  const bool bound = std::all_of(lanes_.begin(), lanes_.end(),
                                 [](const Lane& lane) { return bound_to_clock(lane.held.front().frame); });
  rule_.time = bound ? JoinTime::capture : JoinTime::media;
  timed_ = true;
  log_info(fmt::format("frames are joined by {} (join: {{time: {}}})", time_text(rule_.time),
                       to_string(rule_.time)));
  for (std::size_t i = 0; i < lanes_.size(); ++i)
    for (const Held& held : lanes_[i].held)
      if (held.media) stamp(i, held.frame);
  return true;
}

void JoinedInputs::settle() {
  until_ns_ = SetMatcher::kNever_ns;
  while (receiver_.wants_more()) {
    hand_on_others();
    if (over_) return;
    const std::int64_t now_ns = monotonic_ns();
    const SetMatcher::Verdict verdict = choose_time() ? matcher_.decide(last(), now_ns) : undecided(now_ns);
    switch (verdict.what) {
      case SetMatcher::What::match: hand_on_set(); break;
      case SetMatcher::What::leave: leave(verdict.input); break;
      case SetMatcher::What::wait: until_ns_ = verdict.until_ns; return;
    }
  }
}

// Not every input has begun.
SetMatcher::Verdict JoinedInputs::undecided(std::int64_t now_ns) const {
  SetMatcher::Verdict verdict;
  for (std::size_t i = 0; i < lanes_.size() && rule_.timeout_ns > 0; ++i) {
    if (lanes_[i].held.empty()) continue;
    const std::int64_t until_ns = publish_time_ns(lanes_[i].held.front().frame) + rule_.timeout_ns;
    if (until_ns <= now_ns) return {SetMatcher::What::leave, i, SetMatcher::kNever_ns};
    verdict.until_ns = std::min(verdict.until_ns, until_ns);
  }
  return verdict;
}

// Gaps, events and ends, as soon as no frame before them is held.
void JoinedInputs::hand_on_others() {
  for (Lane& lane : lanes_) {
    while (!over_ && !lane.held.empty() && !lane.held.front().media) {
      receiver_.hand_on_other(*lane.input, lane.held.front().frame);
      lane.held.erase(lane.held.begin());
    }
    if (!over_ && lane.ended && lane.held.empty()) finish(lane);
  }
}

void JoinedInputs::finish(Lane& ended) {
  over_ = true;
  for (Lane& lane : lanes_) {
    for (const Held& held : lane.held) {
      if (held.media) {
        ++lane.left;
        lane.input->pass_over();
      } else {
        receiver_.hand_on_other(*lane.input, held.frame);
      }
    }
    lane.held.clear();
  }
  receiver_.hand_on_end(*ended.input);
}

void JoinedInputs::hand_on_set() {
  for (std::size_t i = 0; i < lanes_.size(); ++i) set_[i] = &lanes_[i].held.front().frame;
  ++sets_;
  left_since_set_ = 0;
  receiver_.hand_on_set({set_});
  for (std::size_t i = 0; i < lanes_.size(); ++i) remove(i);
}

void JoinedInputs::leave(std::size_t lane) {
  ++lanes_[lane].left;
  ++left_since_set_;
  if (left_since_set_ == kDrought && !warned_) warn_of_drought();
  lanes_[lane].input->pass_over();
  remove(lane);
}

void JoinedInputs::remove(std::size_t lane) {
  lanes_[lane].held.erase(lanes_[lane].held.begin());
  if (timed_) matcher_.remove(lane);
}

// Inputs that give no further frame before one of theirs is let go.
std::uint32_t JoinedInputs::last() const noexcept {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < lanes_.size(); ++i)
    if (lanes_[i].ended || lanes_[i].held.size() >= lanes_[i].most) bits |= std::uint32_t{1} << i;
  return bits;
}

int JoinedInputs::longest_wait_ms(int most_ms) const noexcept {
  if (until_ns_ == SetMatcher::kNever_ns) return most_ms;
  const std::int64_t left_ms = (until_ns_ - monotonic_ns()) / kMillisecond + 1;
  return static_cast<int>(std::clamp<std::int64_t>(left_ms, 0, most_ms));
}

// Once in a stage's life: times that do not go together are the usual reason.
void JoinedInputs::warn_of_drought() {
  warned_ = true;
  std::string times;
  for (const Lane& lane : lanes_) {
    if (!times.empty()) times += ", ";
    times += fmt::format("\"{}\" ", lane.input->stream());
    if (lane.held.empty()) {
      times += "has none";
      continue;
    }
    const Frame& frame = lane.held.front().frame;
    times += fmt::format(
        "is at {:.3f} s",
        seconds(rule_.time == JoinTime::media ? media_time_ns(frame).value_or(0) : capture_time_ns(frame)));
  }
  log_warning(
      fmt::format("no set of frames for {} frames: by {}, {}; the tolerance is {:g} ms. Frames that belong "
                  "together may have other times: try join: {{time: {}}}, or a larger tolerance",
                  kDrought, time_text(rule_.time), times, seconds(rule_.tolerance_ns) * 1e3,
                  to_string(rule_.time == JoinTime::media ? JoinTime::capture : JoinTime::media)));
}

void JoinedInputs::tell() const {
  std::string left;
  for (const Lane& lane : lanes_)
    left += fmt::format("{}{} of \"{}\"", left.empty() ? "" : ", ", lane.left, lane.input->stream());
  log_info(fmt::format("{} sets of frames; without a partner: {}", sets_, left));
}

}  // namespace reel
