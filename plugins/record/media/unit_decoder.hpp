// Decodes the units of one track and counts what comes out. Single-thread; the decoder has threads of its
// own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "unit.hpp"

namespace record {

class UnitDecoder {
 public:
  struct Result {
    std::uint64_t decoded = 0;  // pictures, or samples of sound
    std::string fault;          // the first thing that could not be decoded; empty: all was
  };
  /// Throws reel::Error{unsupported} where GStreamer lacks what decodes it.
  explicit UnitDecoder(GstCaps* caps);
  UnitDecoder(const UnitDecoder&) = delete;
  UnitDecoder& operator=(const UnitDecoder&) = delete;
  ~UnitDecoder();
  /// Waits while the decoder has enough.
  void push(const Unit& unit);
  [[nodiscard]] Result finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace record
