// Raw sound of a stream, in the blocks in which it was published. Made by make_lane().
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "play/decoding.hpp"
#include "play/lane.hpp"
#include "play/sound_cutter.hpp"

namespace record {

class SoundLane final : public Lane {
 public:
  SoundLane(std::string stream, const Cut& cut) : Lane(stream, cut), decoding_(std::move(stream)) {}
  void add_facts(std::vector<FrameFacts> facts) override;
  [[nodiscard]] bool settle() override { return decoding_.settle(); }

 private:
  [[nodiscard]] std::optional<PlayFrame> make() override;
  [[nodiscard]] bool cut_block(PlayFrame& frame);
  enum class Step { frame, more, nothing };
  [[nodiscard]] Step decode(PlayFrame& frame);
  [[nodiscard]] std::uint64_t samples_of(const FrameFacts& facts) const;
  void set_caps(GstCaps* caps, const std::shared_ptr<const reel::Format>& published_as);

  Decoding decoding_;
  std::optional<SoundCutter> cutter_;
  std::shared_ptr<const reel::Format> format_;
  std::int64_t last_facts_ns_ = std::numeric_limits<std::int64_t>::min();
  bool with_facts_ = false;
  bool all_decoded_ = false;
};

}  // namespace record
