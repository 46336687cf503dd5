// A stream as it lies in its files, not decoded. Made by make_lane().
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "play/lane.hpp"

namespace record {

class EncodedLane final : public Lane {
 public:
  using Lane::Lane;

 private:
  [[nodiscard]] std::optional<PlayFrame> make() override;
  [[nodiscard]] bool begins_before_cut() const noexcept override { return true; }
  [[nodiscard]] bool in_order() const noexcept override { return false; }
  void describe(PlayFrame& frame, const QueuedUnit& queued);

  std::shared_ptr<GstCaps> caps_;
  std::shared_ptr<const reel::Format> format_;
  std::optional<FrameFacts> before_;  // of the last block of sound that had begun
};

}  // namespace record
