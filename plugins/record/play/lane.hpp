// One stream of a recording on its way out of its files: as pictures, as sound, or as it was encoded.
// Called by the player; single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <reel/format/format.hpp>
#include <reel/format/frame_info.hpp>
#include <reel/gst/pointers.hpp>

#include "play/facts_queue.hpp"
#include "play/unit_queue.hpp"
#include "play/recording.hpp"

namespace record {

/// A frame as it is to be published again.
struct PlayFrame {
  std::int64_t media_ns = 0;
  reel::FrameInfo info;
  std::vector<std::byte> side_data;
  std::shared_ptr<const reel::Format> format;
  std::shared_ptr<GstBuffer> buffer;
  std::shared_ptr<GstCaps> caps;  // of raw pictures: where their planes are
};

class Lane {
 public:
  Lane(std::string stream, const Cut& cut)
      : stream_(std::move(stream)), cut_(cut), queue_(cut.from_ns), facts_(cut) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  virtual ~Lane() = default;

  [[nodiscard]] const std::string& stream() const noexcept { return stream_; }
  [[nodiscard]] const UnitQueue& queue() const noexcept { return queue_; }
  /// Frames that the recording knows and that its files do not give.
  [[nodiscard]] std::uint64_t lost() const noexcept { return facts_.lost(); }

  /// Of its frames in the segment whose units come now, in the order of the file.
  virtual void add_facts(std::vector<FrameFacts> facts) { facts_.add(std::move(facts)); }
  void push(QueuedUnit queued) { queue_.push(std::move(queued)); }
  /// No more units come.
  void finish() noexcept { finished_ = true; }
  /// The next frame within the cut. nullopt: it needs more units, or is over.
  [[nodiscard]] std::optional<PlayFrame> next();
  /// next() may give one if it is asked again: what a decoder was given has come out meanwhile.
  [[nodiscard]] virtual bool settle() { return false; }
  [[nodiscard]] bool over() const noexcept { return over_; }

 protected:
  /// The next frame, also before the cut. nullopt: it needs more units, or there are no more.
  [[nodiscard]] virtual std::optional<PlayFrame> make() = 0;
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  [[nodiscard]] UnitQueue& units() noexcept { return queue_; }
  [[nodiscard]] FactsQueue& facts() noexcept { return facts_; }
  /// Whether frames before the cut are given too: what is encoded begins with a key frame.
  [[nodiscard]] virtual bool begins_before_cut() const noexcept { return false; }
  /// Whether times only grow: not where pictures come in the order of decoding.
  [[nodiscard]] virtual bool in_order() const noexcept { return true; }

 private:
  const std::string stream_;
  const Cut cut_;
  UnitQueue queue_;
  FactsQueue facts_;
  bool finished_ = false;
  bool over_ = false;
  std::int64_t last_ns_ = std::numeric_limits<std::int64_t>::min();  // media time of the last one given
};

enum class LaneKind { pictures, sound, encoded };
[[nodiscard]] std::unique_ptr<Lane> make_lane(LaneKind kind, std::string stream, const Cut& cut);

}  // namespace record
