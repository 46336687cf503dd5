// Raw pictures of a stream of video, in the order in which they are shown. Made by make_lane().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "play/decoding.hpp"
#include "play/lane.hpp"

namespace record {

class PictureLane final : public Lane {
 public:
  PictureLane(std::string stream, const Cut& cut) : Lane(stream, cut), decoding_(std::move(stream)) {}
  void add_facts(std::vector<FrameFacts> facts) override;
  [[nodiscard]] bool settle() override { return decoding_.settle(); }

 private:
  [[nodiscard]] std::optional<PlayFrame> make() override;
  void set_caps(GstCaps* caps, const std::shared_ptr<const reel::Format>& published_as);

  Decoding decoding_;
  std::shared_ptr<GstCaps> caps_;
  std::shared_ptr<const reel::Format> format_;
};

}  // namespace record
